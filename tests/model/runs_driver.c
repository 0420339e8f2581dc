/* runs_driver - the open runs of one job for the model test: reads one order a line, writes what
 * comes out, then a line with a dot.
 *
 *   new <attempts> <initial> <max> <factor> <within> <on> <poison> <not on exit>
 *                               no runs; the job's terms, times in milliseconds
 *   at <ms>                     time passes, to so much after the beginning
 *   open                        a fire of a slot
 *   report <run> <number> <word> <exit code> <retry after>
 *   lost <run> <number>         its worker shows that it runs, then it is silent for a lease
 *   pause, resume, delete       the job is
 *   cancel <run>                it is asked to stop
 *   take_over                   another owner goes on with the records
 *
 * A run is named by its slot's nominal time, a try by its number. Answers: "fire <run> #<number>
 * try <try>", "run <run> <outcome> <tries that count> <failed or ok>", "late_success <run>". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/runs_rig.h"

enum { LINE_BYTES = 1 << 10, WORD_BYTES = 40, QUESTIONS = 8 };

static const int64_t first_number = INT64_C(1) << 32;

static void fail(const char *line)
{
    (void)fprintf(stderr, "runs_driver: not understood: %s\n", line);
    exit(2);
}

static void print_fire(const struct run_record *run)
{
    printf("fire %" PRId64 " #%" PRId64 " try %d\n", run->nominal_ms,
           run->runnumber - first_number, (int)run->number);
}

static void hear(void *opaque, const struct rig_heard *heard)
{
    (void)opaque;
    if (heard->run == NULL) return;
    const struct run_record *run = &heard->run->record;
    if (heard->word == RIG_FIRE) print_fire(run);
    if (heard->word == RIG_LATE) printf("late_success %" PRId64 "\n", run->nominal_ms);
    if (heard->word != RIG_ENDED) return;
    printf("run %" PRId64 " %s %d %s\n", run->nominal_ms, run_outcome_word(heard->end->outcome),
           (int)run->counted, heard->end->is_failed ? "failed" : "ok");
}

static void begin(struct runs_rig *rig, bool *is_open, const char *words)
{
    int exit_code;
    if (*is_open) runs_rig_close(rig);
    runs_rig_open(rig);
    *is_open = true;
    rig->heard = hear;
    struct run_terms *terms = &rig->jobs[0].terms;
    struct retry_terms *retry = &terms->retry;
    if (sscanf(words, "%d %" SCNd64 " %" SCNd64 " %d %" SCNd64 " %u %d %d", &retry->attempts,
               &retry->initial_ms, &retry->max_ms, &retry->factor_hundredths, &retry->within_ms,
               &retry->on, &retry->poison_after, &exit_code) != 8)
        fail(words);
    retry->not_on_exit_count = exit_code > 0;
    retry->not_on_exit[0] = (uint8_t)exit_code;
    terms->lease_ms = LEASE_MAX_MS;
    terms->start_within_ms = START_WITHIN_MAX_MS;
}

static void advance(struct runs_rig *rig, int64_t to_ms)
{
    for (;;) {
        runs_rig_step(rig);
        int64_t wait_ms = runs_wait_ms(rig->runs, rig->now);
        int64_t left_ms = to_ms - rig->now.now_ms;
        runs_rig_pass(rig, wait_ms < left_ms ? wait_ms : left_ms);
        if (wait_ms > left_ms) return;
    }
}

static const char *id_of(const char *run)
{
    static char id[WORD_BYTES * 2];
    (void)snprintf(id, sizeof id, "1-0.0.0@%s", run);
    return id;
}

static void report(struct runs_rig *rig, const char *run, int64_t number, const char *word,
                   int exit_code, int64_t retry_after_ms)
{
    struct report said = {.run = text_of(id_of(run)),
                          .runnumber = first_number + number,
                          .token = text_of("token"),
                          .worker = text_of("worker"),
                          .workers = text_of("crew"),
                          .exit_code = exit_code,
                          .retry_after_ms = retry_after_ms};
    if (!report_find(text_of(word), &said.kind, &said.outcome)) fail(word);
    runs_rig_report(rig, &said, rig->now.now_ms);
}

/* No try but that one is claimed, so the lease of no other ends. */
static void lose(struct runs_rig *rig, const char *run, int64_t number)
{
    struct run_question questions[QUESTIONS];
    report(rig, run, number, "running", -1, -1);
    rig->now.steady_ms += LEASE_MAX_MS + SECONDS_MS;
    if (runs_questions(rig->runs, rig->now, questions, QUESTIONS) != 0) fail("a question");
    if (!runs_wants_tick(rig->runs, rig->now)) return;
    struct run_tick tick = runs_send_tick(rig->runs, rig->now);
    runs_rig_tick(rig, tick.number, rig->now.now_ms);
}

static void change_job(struct runs_rig *rig, const char *line)
{
    struct rig_job *job = &rig->jobs[0];
    if (strcmp(line, "pause") == 0) job->state = RUN_JOB_PAUSED;
    else if (strcmp(line, "resume") == 0) {
        job->state = RUN_JOB_ACTIVE;
        runs_job_resumed(rig->runs, 0);
    } else if (strcmp(line, "delete") == 0) {
        job->state = RUN_JOB_GONE;
        runs_job_deleted(rig->runs, 0, text_of("group"), text_of(job->id), rig->now, &rig->sink);
    } else
        fail(line);
    runs_rig_step(rig);
}

static void act(struct runs_rig *rig, const char *line)
{
    struct run_view view;
    char run[WORD_BYTES];
    char word[WORD_BYTES];
    int64_t number;
    int64_t retry_after_ms;
    int exit_code;
    if (sscanf(line, "at %" SCNd64, &number) == 1) advance(rig, RIG_NOW_MS + number);
    else if (sscanf(line, "report %39s %" SCNd64 " %39s %d %" SCNd64, run, &number, word,
                    &exit_code, &retry_after_ms) == 5)
        report(rig, run, number, word, exit_code, retry_after_ms);
    else if (sscanf(line, "lost %39s %" SCNd64, run, &number) == 2) lose(rig, run, number);
    else if (sscanf(line, "cancel %39s", run) == 1) {
        uint32_t k = runs_find(rig->runs, text_of(id_of(run)));
        if (k != UINT32_MAX) (void)runs_cancel(rig->runs, k, rig->now, &rig->sink);
    } else if (strcmp(line, "open") == 0) {
        runs_rig_fire(rig, 0, &view);
        print_fire(&view.record);
    } else if (strcmp(line, "take_over") == 0)
        runs_rig_take_over(rig, false);
    else
        change_job(rig, line);
}

int main(void)
{
    static char line[LINE_BYTES];
    static struct runs_rig rig;
    bool is_open = false;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "new ", 4) == 0) begin(&rig, &is_open, line + 4);
        else if (!is_open) fail(line);
        else act(&rig, line);
        (void)puts(".");
    }
    if (is_open) runs_rig_close(&rig);
    return 0;
}
