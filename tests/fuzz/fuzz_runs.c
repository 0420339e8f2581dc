/* Any bytes as records of open runs, one a line. An owner who has read them goes on with them:
 * time, reports of all kinds, answers and ticks; no assertion may end the process, and each record
 * that is written is one that is read. The first byte chooses what is reported, whether the jobs
 * are there, and whether a new generation begins. Seeds: schemas/examples. */
#include <stdint.h>
#include <stdlib.h>

#include "dispatcher/runs/runs.h"
#include "lib/base/limits.h"
#include "schemas/run_json.h"

#define NOW_MS INT64_C(1795294800000)

enum { RUNS = 8, ROUNDS = 120, QUESTIONS = 16 };
enum choice { JOBS_ARE_GONE = 1 << 0, NEW_GENERATION = 1 << 1, LEASE_IS_DROPPED = 1 << 2,
              FIRES_FAIL = 1 << 3, SAYS_NOTHING = 1 << 4, HANDS_BACK = 1 << 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct play {
    struct runs *runs;
    uint8_t choice;
    uint32_t fired; /* k of the newest fire; UINT32_MAX: none */
};

static void require(bool condition)
{
    if (!condition) abort();
}

static bool never_full(void *opaque) { return opaque == NULL; }

static enum run_job a_job(void *opaque, int64_t ordinal, uint32_t job_slot,
                          struct run_terms *terms)
{
    const struct play *play = opaque;
    (void)ordinal, (void)job_slot;
    run_terms_defaults(terms);
    terms->workers = text_of("billing-workers");
    if ((play->choice & LEASE_IS_DROPPED) == 0) terms->lease_ms = LEASE_MIN_MS;
    terms->retry.attempts = RETRY_ATTEMPTS_MAX;
    return RUN_JOB_ACTIVE;
}

/* What an owner writes the next one reads. */
static void changed(void *opaque, const struct run_view *run)
{
    struct run_record record = run->record;
    struct run_record read;
    struct error error = {0};
    bool open = false;
    (void)opaque;
    if (record.group.length == 0) record.group = text_of("g");
    if (record.id.length == 0) record.id = text_of("a");
    struct text_writer writer;
    text_writer_init(&writer);
    run_record_encode(&writer, &record);
    struct arena *arena = arena_create();
    require(run_record_decode(text_writer_text(&writer), arena, &read, &open, &error) && open);
    arena_destroy(arena);
    text_writer_free(&writer);
}

static bool ended(void *opaque, const struct run_end *end)
{
    (void)opaque;
    (void)end;
    return false;
}
static void withdrawn(void *opaque, const struct run_view *run) { (void)opaque, (void)run; }
static void cancel(void *opaque, const struct run_view *run) { (void)opaque, (void)run; }
static void letter(void *opaque, const struct report *report) { (void)opaque, (void)report; }

static void fire(void *opaque, const struct run_view *run, struct runs_now now)
{
    (void)now;
    ((struct play *)opaque)->fired = run->k;
}

static void event(void *opaque, enum run_event kind, const struct run_view *run,
                  const struct report *report)
{
    (void)opaque, (void)kind, (void)run, (void)report;
}

static uint32_t slot_of(void *opaque, const struct run_record *record)
{
    (void)record;
    return (((const struct play *)opaque)->choice & JOBS_ARE_GONE) != 0 ? UINT32_MAX : 0;
}

static void restore(struct play *play, struct text text)
{
    for (uint32_t k = 0; k < RUNS && text.length > 0; k++) {
        const char *end = memchr(text.bytes, '\n', text.length);
        size_t length = end == NULL ? text.length : (size_t)(end - text.bytes);
        struct arena *arena = arena_create();
        struct run_record record;
        struct error error = {0};
        bool open = false;
        if (run_record_decode((struct text){text.bytes, length}, arena, &record, &open, &error) &&
            open)
            runs_restore(play->runs, k, &record);
        arena_destroy(arena);
        if (length < text.length) length++;
        text = (struct text){text.bytes + length, text.length - length};
    }
}

/* Each kind of report about each open run, one a round. */
static void report_all(struct play *play, int round, const struct runs_place *place,
                       const struct runs_sink *sink)
{
    static const enum run_outcome outcomes[] = {RUN_FAILURE, RUN_LOST_LEASE, RUN_TIMEOUT};
    for (uint32_t k = 0; k < runs_top(play->runs); k++) {
        struct run_view view;
        if (!runs_look(play->runs, k, &view)) continue;
        char workers[WORKERS_BYTES_MAX];
        size_t length = view.record.workers.length;
        memcpy(workers, view.record.workers.bytes, length);
        struct report report = {.run = text_of(view.id), .runnumber = view.record.runnumber,
                                .token = text_of("t"), .workers = {workers, length},
                                .topic = text_of("fires"), .exit_code = -1, .retry_after_ms = -1};
        report.kind = (enum report_kind)(round % 4);
        if (report.kind == REPORT_RELEASED && (play->choice & HANDS_BACK) == 0)
            report.kind = REPORT_ENDED;
        if (report.kind == REPORT_ENDED && (play->choice & HANDS_BACK) != 0)
            report.kind = REPORT_RELEASED;
        report.outcome = outcomes[round % 3];
        runs_report(play->runs, place, &report, sink);
    }
}

static void play_round(struct play *play, int round, const struct runs_sink *sink)
{
    struct runs_now now = {NOW_MS + round * HOURS_MS, round * HOURS_MS};
    struct runs_place place = {round, now.now_ms, now};
    struct run_question questions[QUESTIONS];
    require(runs_step(play->runs, now, sink));
    if (play->fired != UINT32_MAX && (play->choice & FIRES_FAIL) != 0 && round % 3 == 0)
        runs_unfire(play->runs, play->fired, now.now_ms + SECONDS_MS, now, sink);
    play->fired = UINT32_MAX;
    if ((play->choice & SAYS_NOTHING) == 0) report_all(play, round, &place, sink);
    play->fired = UINT32_MAX; /* what is reported may have ended it */
    size_t count = runs_questions(play->runs, now, questions, QUESTIONS);
    for (size_t i = 0; i < count; i++)
        runs_answer(play->runs, &questions[i], round % 2 == 0 ? INT64_MAX : -1, now);
    if (runs_wants_tick(play->runs, now)) {
        struct run_tick tick = runs_send_tick(play->runs, now);
        require(runs_tick(play->runs, &place, &tick, sink));
    }
    runs_read(play->runs, round);
    require(runs_wait_ms(play->runs, now) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct runs_config config = {.open_max = RUNS, .append_times = true};
    struct play play = {runs_create(&config), data[0], UINT32_MAX};
    struct runs_sink sink = {.opaque = &play, .full = never_full, .job = a_job,
                             .changed = changed, .ended = ended, .withdrawn = withdrawn,
                             .fire = fire, .event = event, .unknown = letter, .cancel = cancel,
                             .zombie = letter};
    restore(&play, (struct text){(const char *)data + 1, size - 1});
    struct runs_start start = {.generation = (play.choice & NEW_GENERATION) != 0 ? 1 << 20 : 0,
                               .epoch = 1, .owner = text_of("owner"), .next_runnumber = 1,
                               .now = {NOW_MS, 0}, .opaque = &play, .job_slot = slot_of};
    runs_start(play.runs, &start);
    for (int round = 0; round < ROUNDS; round++) play_round(&play, round, &sink);
    runs_destroy(play.runs);
    return 0;
}
