/* shard_driver - a shard whose jobs have leases, for the model test: reads one order a line, writes
 * what the shard says and how its jobs and runs stand, then a line with a dot. Times are
 * milliseconds since 1970.
 *
 *   open <ms> <outputs>         a new shard; transactions of at most so many outputs, 0: no bound
 *   at <ms>                     time passes with the daemon awake: it acts whenever anything is due
 *   command <ms> <json>         a command, read at once
 *   report <ms> <append time> <run> <of> <nth> <word> <token> <workers> <exit> <retry after>
 *          <cursor>             of that run, with the number of the nth fire of the run `of`, 0: of
 *                               a try that never was; -: no cursor
 *   coordinator <yes|no|silent> what it says from here on to whether a fire's offset is committed
 *   ticks <through|slow>        they arrive at once, or stay under way until they may again
 *   take_over <ms>              the process ended with its last commit, the next begins now; what
 *                               the mark says is read again, the rest of the log is unread
 *   recover <ms>                the same, in a new generation
 *   caught_up                   the reports that were in the log have been read
 *   stale_tick                  one of the owner before arrives
 *   lost                        reports were deleted unread */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
#include "dispatcher/shard/shard_state.h"
#include "lib/time/instant.h"
#include "tests/support/shard_rig.h"

enum { LINE_BYTES = 1 << 16, FIRES = 1 << 12, LOG = 1 << 15, WORD_BYTES = 80, QUESTIONS = 16 };

struct fired { /* a try that went out */
    char run[WORD_BYTES];
    int64_t number;
};

struct logged { /* a report, or a tick where `word` is empty */
    int64_t log_ms;
    int64_t number;
    int64_t epoch;
    int exit_code;
    int64_t retry_after_ms;
    char run[WORD_BYTES];
    char word[WORD_BYTES];
    char token[WORD_BYTES];
    char workers[WORD_BYTES];
    char cursor[WORD_BYTES];
};

struct driver {
    struct shard_rig rig;
    bool is_open;
    struct fired fires[FIRES];
    size_t fire_count;
    struct logged log[LOG];
    int64_t log_end;
    int64_t again_from; /* of the mark */
    char coordinator;   /* first letter */
    bool ticks_slow;
    int64_t ticks_back; /* read back, of this owner */
    int64_t ticks_sent;
};

static void fail(const char *line)
{
    (void)fprintf(stderr, "shard_driver: not understood: %s\n", line);
    exit(2);
}

static const char *instant(int64_t at_ms)
{
    static char text[INSTANT_TEXT_BYTES];
    instant_format(at_ms, text);
    return text;
}

static struct runs_now now_of(const struct driver *driver)
{
    return (struct runs_now){driver->rig.now_ms, driver->rig.now_ms};
}

static void commit(struct driver *driver)
{
    struct runs *runs = shard_runs(driver->rig.shard);
    rig_test_commit(&driver->rig);
    if (runs == NULL) return;
    runs_committed(runs, driver->rig.now_ms);
    driver->again_from = runs_read_again_from(runs);
}

/* ---- the log of reports ---- */

static void read_tick(struct driver *driver, const struct runs_place *place,
                      const struct logged *logged)
{
    struct sink sink = rig_test_sink(&driver->rig);
    struct run_tick tick = {
        .owner = text_of("rig"), .epoch = logged->epoch, .number = logged->number};
    while (!shard_tick(driver->rig.shard, place, &tick, &sink)) commit(driver);
}

static void read_report(struct driver *driver, const struct runs_place *place,
                        const struct logged *logged)
{
    struct sink sink = rig_test_sink(&driver->rig);
    struct report said = {.run = text_of(logged->run),
                          .runnumber = logged->number,
                          .token = text_of(logged->token),
                          .worker = text_of(logged->token),
                          .workers = text_of(logged->workers),
                          .topic = text_of("work"),
                          .exit_code = logged->exit_code,
                          .retry_after_ms = logged->retry_after_ms,
                          .cursor_given = strcmp(logged->cursor, "-") != 0};
    if (said.cursor_given) said.cursor = text_of(logged->cursor);
    if (!report_find(text_of(logged->word), &said.kind, &said.outcome)) fail(logged->word);
    shard_report(driver->rig.shard, place, &said, &sink);
}

static void read_log(struct driver *driver, int64_t offset)
{
    const struct logged *logged = &driver->log[offset];
    struct runs_place place = {
        .offset = offset, .log_ms = logged->log_ms, .now = now_of(driver)};
    if (shard_begin_runs(driver->rig.shard) == NULL) fail("no runs are followed");
    if (logged->word[0] == '\0') read_tick(driver, &place, logged);
    else read_report(driver, &place, logged);
    runs_read(shard_runs(driver->rig.shard), offset);
    commit(driver);
}

static struct logged *append(struct driver *driver)
{
    if (driver->log_end == LOG) fail("so many reports");
    struct logged *logged = &driver->log[driver->log_end++];
    *logged = (struct logged){.log_ms = driver->rig.now_ms, .epoch = driver->rig.epoch};
    return logged;
}

static void bring_ticks_back(struct driver *driver)
{
    while (driver->ticks_back < driver->ticks_sent) {
        append(driver)->number = ++driver->ticks_back;
        read_log(driver, driver->log_end - 1);
    }
}

/* ---- time ---- */

/* When its turns are is the lane's affair, and how many a second: here all that is owed goes. */
static void work_off(struct driver *driver)
{
    struct shard *shard = driver->rig.shard;
    struct sink sink = rig_test_sink(&driver->rig);
    int64_t now_ms = driver->rig.now_ms;
    while (!shard_decide(shard, now_ms, &sink)) commit(driver);
    while (shard->lane.count + shard->lane_new.count + shard->backfills.count > 0) {
        shard->lane_state.turn_ms = 0;
        shard->lane_state.ran_ms = 0;
        for (uint32_t slot = 0; slot < shard_slots(shard); slot++) {
            const struct job *job = shard_job_at(shard, slot);
            if (job == NULL || job->extra == NULL) continue;
            for (uint32_t i = 0; i < job->extra->backfill_count; i++)
                job->extra->backfills[i].due_us = 0;
        }
        shard_run_lane(shard, now_ms, &sink);
        commit(driver);
    }
    commit(driver);
}

static void ask(struct driver *driver)
{
    struct runs *runs = shard_runs(driver->rig.shard);
    struct run_question questions[QUESTIONS];
    size_t count = runs_questions(runs, now_of(driver), questions, QUESTIONS);
    for (size_t i = 0; i < count; i++) {
        printf("question %" PRId64 "\n", questions[i].runnumber);
        if (driver->coordinator == 's') continue;
        int64_t committed = questions[i].offset + (driver->coordinator == 'y');
        runs_answer(runs, &questions[i], committed, now_of(driver));
    }
}

/* True: a tick has been read back, so there may be more to do. */
static bool act_now(struct driver *driver, int64_t now_ms)
{
    struct shard *shard = driver->rig.shard;
    struct sink sink = rig_test_sink(&driver->rig);
    driver->rig.now_ms = now_ms;
    shard_tell_steady(shard, now_ms);
    while (!shard_advance(shard, now_ms, now_ms, &sink)) commit(driver);
    while (!shard_decide(shard, now_ms, &sink)) commit(driver);
    while (!shard_step_runs(shard, now_of(driver), &sink)) commit(driver);
    commit(driver);
    work_off(driver);
    struct runs *runs = shard_runs(shard);
    if (runs == NULL) return false;
    ask(driver);
    if (!runs_wants_tick(runs, now_of(driver))) return false;
    driver->ticks_sent = runs_send_tick(runs, now_of(driver)).number;
    printf("tick %" PRId64 "\n", driver->ticks_sent);
    if (driver->ticks_slow) return false;
    bring_ticks_back(driver);
    return true;
}

static int64_t next_ms(const struct driver *driver)
{
    struct runs *runs = shard_runs(driver->rig.shard);
    int64_t now_ms = driver->rig.now_ms;
    int64_t due_ms = shard_next_due_ms(driver->rig.shard, now_ms);
    int64_t wait_ms = runs == NULL ? INT64_MAX : runs_wait_ms(runs, now_of(driver));
    int64_t runs_ms = wait_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + wait_ms;
    int64_t at_ms = due_ms < runs_ms ? due_ms : runs_ms;
    return at_ms < now_ms ? now_ms : at_ms;
}

static void pass_to(struct driver *driver, int64_t to_ms)
{
    int again = 0;
    for (bool is_done = false;;) {
        int64_t at_ms = next_ms(driver);
        if (at_ms > to_ms && is_done) return;
        if (at_ms > to_ms) at_ms = to_ms;
        again = at_ms == driver->rig.now_ms ? again + 1 : 0;
        if (again > 20) fail("something stays due");
        is_done = !act_now(driver, at_ms) && at_ms == to_ms;
    }
}

/* ---- orders ---- */

static void open_rig(struct driver *driver, const char *words)
{
    int64_t start_ms = 0;
    unsigned long outputs = 0;
    if (sscanf(words, "%" SCNd64 " %lu", &start_ms, &outputs) != 2) fail(words);
    if (driver->is_open) rig_close(&driver->rig);
    *driver = (struct driver){.is_open = true, .coordinator = 's'};
    rig_open(&driver->rig, instant(start_ms));
    driver->rig.speaks_json = true;
    driver->rig.allows_runs = true;
    driver->rig.batch_max = outputs;
}

static void send_command(struct driver *driver, const char *words)
{
    int64_t at_ms = 0;
    int used = 0;
    if (sscanf(words, "%" SCNd64 " %n", &at_ms, &used) != 1) fail(words);
    pass_to(driver, at_ms);
    rig_command(&driver->rig, instant(at_ms), NULL, words + used);
    commit(driver);
    pass_to(driver, at_ms);
}

static int64_t number_of(const struct driver *driver, const char *run, int nth)
{
    for (size_t i = 0; i < driver->fire_count; i++)
        if (strcmp(driver->fires[i].run, run) == 0 && --nth == 0) return driver->fires[i].number;
    return INT64_C(7) << 32;
}

static void send_report(struct driver *driver, const char *words)
{
    int64_t at_ms = 0;
    int nth = 0;
    char of[WORD_BYTES];
    struct logged logged = {0};
    if (sscanf(words, "%" SCNd64 " %" SCNd64 " %79s %79s %d %79s %79s %79s %d %" SCNd64 " %79s",
               &at_ms, &logged.log_ms, logged.run, of, &nth, logged.word, logged.token,
               logged.workers, &logged.exit_code, &logged.retry_after_ms, logged.cursor) != 11)
        fail(words);
    pass_to(driver, at_ms);
    logged.number = number_of(driver, of, nth);
    *append(driver) = logged;
    read_log(driver, driver->log_end - 1);
    pass_to(driver, at_ms);
}

static void take_over(struct driver *driver, const char *words, bool generation)
{
    int64_t at_ms = 0;
    if (sscanf(words, "%" SCNd64, &at_ms) != 1) fail(words);
    driver->rig.now_ms = at_ms;
    driver->rig.epoch++;
    driver->rig.generation += generation;
    driver->rig.reports_unread = true;
    driver->ticks_sent = 0;
    driver->ticks_back = 0;
    int64_t read_to = driver->rig.runs_read_to;
    rig_restart(&driver->rig);
    if (shard_runs(driver->rig.shard) != NULL)
        for (int64_t offset = driver->again_from; offset < read_to; offset++)
            read_log(driver, offset);
    pass_to(driver, at_ms);
}

static void lose_reports(struct driver *driver)
{
    struct sink sink = rig_test_sink(&driver->rig);
    if (shard_runs(driver->rig.shard) == NULL) return;
    while (!shard_reports_lost(driver->rig.shard, now_of(driver), &sink)) commit(driver);
    commit(driver);
    pass_to(driver, driver->rig.now_ms);
}

static void act(struct driver *driver, const char *line)
{
    int64_t at_ms = 0;
    if (sscanf(line, "at %" SCNd64, &at_ms) == 1) pass_to(driver, at_ms);
    else if (strncmp(line, "command ", 8) == 0) send_command(driver, line + 8);
    else if (strncmp(line, "report ", 7) == 0) send_report(driver, line + 7);
    else if (strncmp(line, "coordinator ", 12) == 0) driver->coordinator = line[12];
    else if (strncmp(line, "take_over ", 10) == 0) take_over(driver, line + 10, false);
    else if (strncmp(line, "recover ", 8) == 0) take_over(driver, line + 8, true);
    else if (strcmp(line, "lost") == 0) lose_reports(driver);
    else if (strcmp(line, "stale_tick") == 0) {
        struct logged *logged = append(driver);
        logged->epoch = driver->rig.epoch - 1;
        logged->number = driver->ticks_sent;
        read_log(driver, driver->log_end - 1);
    } else if (strcmp(line, "caught_up") == 0) {
        driver->rig.reports_unread = false;
        shard_reports_caught_up(driver->rig.shard);
        pass_to(driver, driver->rig.now_ms);
    } else if (strncmp(line, "ticks ", 6) == 0) {
        driver->ticks_slow = line[6] == 's';
        if (!driver->ticks_slow) bring_ticks_back(driver);
        pass_to(driver, driver->rig.now_ms);
    } else
        fail(line);
}

/* ---- how it stands ---- */

static void note_fires(struct driver *driver, const char *said)
{
    for (const char *line = said; line != NULL && *line != '\0';) {
        const char *number = strstr(line, " run=");
        const char *end = strchr(line, '\n');
        struct fired *fired = &driver->fires[driver->fire_count];
        if (strncmp(line, "fire ", 5) == 0 && number != NULL && number < end) {
            if (driver->fire_count + 1 == FIRES) fail("so many fires");
            if (sscanf(line, "fire %79s", fired->run) != 1) fail(line);
            fired->number = strtoll(number + 5, NULL, 10);
            driver->fire_count++;
        }
        line = end == NULL ? NULL : end + 1;
    }
}

static void print_instant(const char *name, int64_t at_ms)
{
    if (at_ms == INSTANT_NONE) printf(" %s=-", name);
    else printf(" %s=%" PRId64, name, at_ms);
}

static void print_run(const struct run_view *run)
{
    const struct run_record *record = &run->record;
    printf("run %s %s number=%" PRId64 " try=%d counted=%d lost=%d released=%d", run->id,
           run_state_word(record->state), record->runnumber, record->number, record->counted,
           record->lost_in_a_row, record->released);
    print_instant("retry", record->retry_at_ms);
    printf(" asked=%d lease=%" PRId64 " mode=%s workers=%.*s cursor=%.*s", record->cancel_asked,
           record->lease_ms, lease_mode_word(record->mode), (int)record->workers.length,
           record->workers.bytes, (int)record->cursor.length, record->cursor.bytes);
    for (size_t i = 0; i < record->try_count; i++)
        printf(" %s", record->tries[i].released ? "released"
                                                : run_outcome_word(record->tries[i].outcome));
    (void)putchar('\n');
}

static void print_job(const struct shard *shard, const struct job *job)
{
    struct text name = job_name(job);
    struct job_record record;
    struct dropped owed = {0};
    job_view_record(job, &record);
    struct terms terms = job_terms(job);
    if (job->extra != NULL)
        owed = ledger_left(&job->extra->ledger, &terms, shard_watermark(shard).instant_ms);
    printf("job %.*s revision=%u counted=%" PRId64 " failed=%" PRId64, (int)name.length,
           name.bytes, job->revision, record.state.counted_fires, record.state.failed_runs);
    print_instant("paused", record.state.paused_ms);
    print_instant("until", record.state.until_ms);
    print_instant("finished", record.state.finished_ms);
    printf(" owes=%" PRId64, owed.count);
    if (owed.count > 0) printf(":%" PRId64 ":%" PRId64, owed.first_ms, owed.last_ms);
    (void)putchar('\n');
}

static void print_state(struct driver *driver)
{
    struct run_view view;
    struct shard *shard = driver->rig.shard;
    const char *said = rig_said(&driver->rig);
    note_fires(driver, said);
    (void)fputs(said, stdout);
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++) {
        const struct job *job = shard_job_at(shard, slot);
        if (job != NULL) print_job(shard, job);
    }
    const struct runs *runs = shard_runs(shard);
    for (uint32_t k = 0; runs != NULL && k < runs_top(runs); k++)
        if (runs_look(runs, k, &view)) print_run(&view);
    (void)puts(".");
}

int main(void)
{
    static char line[LINE_BYTES];
    static struct driver driver;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "open ", 5) == 0) open_rig(&driver, line + 5);
        else if (!driver.is_open) fail(line);
        else act(&driver, line);
        print_state(&driver);
    }
    if (driver.is_open) rig_close(&driver.rig);
    return 0;
}
