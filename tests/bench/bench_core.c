/* bench_core - what the rules, the codecs and the memory of one shard cost, without Kafka and
 * Redis: bench_core [jobs [0]]. One line for each figure, in processor time of one thread; with the
 * 0 without open runs. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dispatcher/engine/checkpointer.h"
#include "dispatcher/engine/outbox.h"
#include "dispatcher/jobs/job.h"
#include "dispatcher/metrics/metrics.h"
#include "dispatcher/shard/imported.h"
#include "dispatcher/shard/selector.h"
#include "dispatcher/shard/shard_state.h"
#include "lib/base/memory.h"
#include "schemas/arena.h"
#include "schemas/command_json.h"
#include "schemas/job_json.h"
#include "schemas/run_json.h"

enum {
    JOBS_DEFAULT = 1000000,
    PAYLOAD_BYTES = 100,
    GROUPS = 64,
    NAME_BYTES = 48,
    RECORD_BYTES = 1024,
    RESTORE_MAX = 100000, /* records kept to be restored */
    OPEN_RUNS = 100000,
    COUNTED_ROUNDS = 8,
    HERD_FIRE_NS = 2600 /* of a whole daemon, librdkafka too: docs/performance.md */
};
#define START_MS INT64_C(1795290000000)
#define HERD_MS (START_MS + MINUTES_MS)

struct bench {
    uint32_t jobs;
    struct shard *shard;
    struct outbox *outbox;
    struct tally *tally; /* of its transactions, while they are counted */
    struct observer observer; /* who is told of them then */
    struct checkpointer *checkpointer; /* takes note, and writes nothing */
    struct arena *arena;
    char *names; /* of one command's jobs */
    char payload[PAYLOAD_BYTES + 1];
    int64_t offset;
    uint64_t bytes; /* put out */
    int asked;      /* whether it is full */
    struct text_writer records;
    size_t *record_ends;
    uint32_t record_count;
};

/* Processor time, so that what else runs on the machine says little. */
static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void report(const char *what, int64_t took_ns, uint64_t count)
{
    printf("  %-44s %9.1f ns  (%.2f million/s)\n", what, (double)took_ns / (double)count,
           (double)count * 1000.0 / (double)took_ns);
    (void)fflush(stdout);
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench_core: %s\n", what);
    exit(1);
}

/* ---- sinks ---- */

static void ignore_fire(void *opaque, const struct fire *fire)
{
    struct bench *bench = opaque;
    bench->bytes += job_payload(fire->job).length;
}
static void ignore_event(void *opaque, const struct event *event) { (void)opaque, (void)event; }
static void ignore_result(void *opaque, const struct result *result)
{
    if (result->outcome != OUTCOME_APPLIED) fail(result->message);
    (void)opaque;
}
static void ignore_job(void *opaque, const struct job *job) { (void)opaque, (void)job; }
static void ignore_seen(void *opaque, const struct seen *seen) { (void)opaque, (void)seen; }
static void ignore_number(void *opaque, int64_t number) { (void)opaque, (void)number; }
static bool answer_no(void *opaque) { return opaque == NULL; }

static struct sink quiet_sink(struct bench *bench)
{
    return (struct sink){.opaque = bench,
                         .fire = ignore_fire,
                         .event = ignore_event,
                         .result = ignore_result,
                         .job_changed = ignore_job,
                         .job_deleted = ignore_job,
                         .seen = ignore_seen,
                         .seen_expired = ignore_number,
                         .full = answer_no,
                         .uncertain = answer_no};
}

/* ---- commands ---- */

static size_t write_job(const struct bench *bench, uint32_t number, bool one_shot, char *text)
{
    static const char at[] = "{\"at\":\"2026-11-21T19:41:00.000Z\"}";
    static const char cron[] = "{\"cron\":\"* * * * *\"}";
    int length = snprintf(text, RECORD_BYTES,
                          "{\"group\":\"group-%02u\",\"id\":\"job-%08u\",\"schedule\":%s,"
                          "\"payload\":%s}",
                          number % GROUPS, number, one_shot ? at : cron, bench->payload);
    return (size_t)length;
}

static char *write_command(const struct bench *bench, uint32_t first, uint32_t count,
                           bool one_shot, size_t *length)
{
    char *text = memory_allocate(count + 1, RECORD_BYTES);
    char *at = text + snprintf(text, RECORD_BYTES,
                               "{\"op\":\"add\",\"command_id\":\"load-%u\",\"jobs\":[", first);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) *at++ = ',';
        at += write_job(bench, first + i, one_shot, at);
    }
    memcpy(at, "]}", 3);
    *length = (size_t)(at + 2 - text);
    return text;
}

/* Adds all jobs through the decoder; measures decoding and applying apart. */
static void load(struct bench *bench, bool one_shot, const struct sink *sink, int64_t *decode_ns,
                 int64_t *apply_ns)
{
    struct command_limits limits;
    command_limits_defaults(&limits);
    *decode_ns = *apply_ns = 0;
    for (uint32_t first = 0; first < bench->jobs; first += COMMAND_JOBS_MAX) {
        uint32_t count = bench->jobs - first;
        if (count > COMMAND_JOBS_MAX) count = COMMAND_JOBS_MAX;
        size_t length = 0;
        char *text = write_command(bench, first, count, one_shot, &length);
        struct source source = {.offset = bench->offset++, .log_time_ms = START_MS};
        source.origin_offset = source.offset;
        struct command command;
        struct error error = {0};
        int64_t began_ns = now_ns();
        if (!command_decode((struct text){text, length}, NULL, 0, &source, &limits, bench->arena,
                            &command, &error))
            fail(error.message);
        int64_t decoded_ns = now_ns();
        struct application application = {.command = &command,
                                          .source = &source,
                                          .effective_ms = START_MS,
                                          .now_ms = START_MS,
                                          .sequence = 1,
                                          .shards_applying = 1};
        if (sink->full(sink->opaque)) outbox_begin(bench->outbox, 1);
        if (!shard_apply(bench->shard, &application, sink)) fail("a command was not finished");
        *apply_ns += now_ns() - decoded_ns;
        *decode_ns += decoded_ns - began_ns;
        arena_reset(bench->arena);
        free(text);
    }
}

/* ---- one shard's life ---- */

static void shard_new(struct bench *bench)
{
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    bench->shard = shard_create(&config);
    struct mark mark = {.watermark = {START_MS, WATERMARK_WHOLE}, .shards = 1};
    shard_restore_done(bench->shard, &mark);
}

static void create_outbox(struct bench *bench)
{
    bench->checkpointer = checkpointer_create(&(struct checkpointer_options){0});
    bench->outbox =
        outbox_create(text_of("belfry"), 0, BATCH_OUTPUTS_MAX, NULL, bench->checkpointer);
}

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* As if Kafka had taken it. */
static void end_transaction(struct bench *bench, int64_t at_ms)
{
    struct taken taken = {.tally = bench->tally, .sequence = 1, .at_ms = at_ms, .took_us = 1000};
    bench->bytes += outbox_bytes(bench->outbox);
    if (bench->tally != NULL) bench->observer.committed(bench->observer.opaque, 0, &taken);
    outbox_begin(bench->outbox, 1);
}

static void advance(struct bench *bench, int64_t to_ms, const struct sink *sink)
{
    while (!shard_advance(bench->shard, to_ms, to_ms, sink)) end_transaction(bench, to_ms);
    end_transaction(bench, to_ms);
}

static void bench_adding(struct bench *bench, bool one_shot)
{
    struct sink quiet = quiet_sink(bench);
    struct sink encoding = outbox_sink(bench->outbox);
    int64_t decode_ns = 0;
    int64_t apply_ns = 0;
    shard_new(bench);
    load(bench, one_shot, &encoding, &decode_ns, &apply_ns);
    report("add: decode a command, per job", decode_ns, bench->jobs);
    report("add: apply and encode its record, per job", apply_ns, bench->jobs);
    shard_destroy(bench->shard);
    outbox_destroy(bench->outbox);
    checkpointer_destroy(bench->checkpointer);
    create_outbox(bench);
    size_t before = heap_bytes();
    shard_new(bench);
    load(bench, one_shot, &quiet, &decode_ns, &apply_ns);
    report("add: apply alone, per job", apply_ns, bench->jobs);
    double bytes = (double)(heap_bytes() - before) / bench->jobs - PAYLOAD_BYTES;
    printf("  %-44s %9.1f bytes\n", "memory of a job, without its payload", bytes);
}

static void bench_herd(struct bench *bench)
{
    struct sink quiet = quiet_sink(bench);
    struct sink encoding = outbox_sink(bench->outbox);
    for (int round = 1; round <= 2; round++) {
        int64_t began_ns = now_ns();
        advance(bench, START_MS + round * MINUTES_MS, &quiet);
        report("herd: walk alone, per due slot", now_ns() - began_ns, bench->jobs);
    }
    for (int round = 3; round <= 4; round++) {
        bench->bytes = 0;
        int64_t began_ns = now_ns();
        advance(bench, START_MS + round * MINUTES_MS, &encoding);
        report("herd: walk and encode, per fire", now_ns() - began_ns, bench->jobs);
    }
    printf("  %-44s %9.1f bytes\n", "a fire, key and value",
           (double)bench->bytes / bench->jobs);
}

/* Full when it is asked again: the walk over the herd ends before its first slot. */
static bool full_at_once(void *opaque)
{
    struct bench *bench = opaque;
    return bench->asked++ > 0;
}

/* One job of the herd was paused and goes on: what that adds to the herd's next instant. */
static void bench_resume_one(struct bench *bench)
{
    struct sink quiet = quiet_sink(bench);
    struct sink stopping = quiet;
    struct job *job = shard_job_at(bench->shard, bench->jobs / 3);
    int64_t now_ms = START_MS + 4 * MINUTES_MS + 1000;
    stopping.full = full_at_once;
    advance(bench, now_ms, &quiet);
    job_pause(bench->shard, job, now_ms, INT64_MAX, text_of(NULL), now_ms, &quiet);
    if (job_resume(bench->shard, job, now_ms, now_ms, now_ms, &quiet) == NULL)
        fail("the resumed job is gone");
    bench->asked = 0;
    int64_t began_ns = now_ns();
    int64_t due_ms = START_MS + 5 * MINUTES_MS;
    if (shard_advance(bench->shard, due_ms, due_ms, &stopping)) fail("the herd was not cut");
    printf("  %-44s %9.1f ms\n", "herd: after a resume of one job, before it",
           (double)(now_ns() - began_ns) / 1e6);
}

/* ---- metrics ---- */

static int64_t herd_ns(struct bench *bench, int minute, bool counted)
{
    struct sink encoding = outbox_sink(bench->outbox);
    struct tally *tally = bench->tally;
    if (!counted) bench->tally = NULL;
    outbox_count_in(bench->outbox, bench->tally, NULL);
    int64_t began_ns = now_ns();
    advance(bench, START_MS + minute * MINUTES_MS, &encoding);
    int64_t took_ns = now_ns() - began_ns;
    bench->tally = tally;
    return took_ns;
}

/* Herds with nobody who counts and with the metrics, in turn: the best of each. */
static void bench_counted_herds(struct bench *bench, int minute)
{
    static const struct observer nobody = {.lowest = LEVEL_ERROR};
    struct metrics_options options = {.shards = 1, .next = &nobody, .version = "",
                                      .kafka_library = ""};
    struct metrics *metrics = metrics_create(&options);
    int64_t best_ns[2] = {INT64_MAX, INT64_MAX};
    bench->observer = metrics_observer(metrics);
    bench->tally = tally_create(MISFIRE_GRACE_DEFAULT_MS);
    (void)herd_ns(bench, minute, true);
    for (int round = 1; round <= 2 * COUNTED_ROUNDS; round++) {
        bool counted = round % 2 == 0;
        int64_t took_ns = herd_ns(bench, minute + round, counted);
        if (took_ns < best_ns[counted]) best_ns[counted] = took_ns;
    }
    double more_ns = (double)(best_ns[1] - best_ns[0]) / bench->jobs;
    report("herd: walk, encode and count, per fire", best_ns[1], bench->jobs);
    printf("  %-44s %9.2f ns  (%.2f %% of walk and encode, %.2f %% of a herd's %d ns)\n",
           "metrics: of these the counting", more_ns,
           100.0 * more_ns * bench->jobs / (double)best_ns[0], 100.0 * more_ns / HERD_FIRE_NS,
           (int)HERD_FIRE_NS);
    outbox_count_in(bench->outbox, NULL, NULL);
    tally_destroy(bench->tally);
    bench->tally = NULL;
    metrics_destroy(metrics);
}

/* ---- selecting ---- */

static void select_some(const struct bench *bench, const char *what,
                        const struct selector *selector, size_t expected)
{
    size_t count = 0;
    int64_t began_ns = now_ns();
    struct job_reference *found = selector_find(selector, bench->shard, -1, &count);
    printf("  %-44s %9.2f ms  (%zu jobs)\n", what, (double)(now_ns() - began_ns) / 1e6, count);
    (void)fflush(stdout);
    if (count != expected) fail("another number of jobs was selected");
    free(found);
}

static void import_some(struct bench *bench)
{
    static bool taken[COMMAND_JOBS_MAX];
    struct definition *jobs = memory_allocate(COMMAND_JOBS_MAX, sizeof *jobs);
    for (uint32_t i = 0; i < COMMAND_JOBS_MAX; i++) {
        definition_defaults(&jobs[i]);
        jobs[i].group = text_of("group");
        jobs[i].id = text_of("new");
        jobs[i].given = GIVEN_INCARNATION;
        jobs[i].incarnation = (struct incarnation){.effective_ms = START_MS - 1, .index = i};
    }
    struct command command = {.jobs = jobs, .job_count = 1};
    for (int round = 1; round <= 2; round++) {
        int64_t began_ns = now_ns();
        imported_find_taken(bench->shard, &command, taken);
        printf("  %-44s %9.2f ms\n",
               round == 1 ? "import: whose incarnation, first command" : "import: another command",
               (double)(now_ns() - began_ns) / 1e6);
        command.job_count = COMMAND_JOBS_MAX;
    }
    free(jobs);
}

static void bench_selecting(struct bench *bench)
{
    static char names[COMMAND_SELECTOR_NAMES_MAX + GROUPS][NAME_BYTES];
    static struct text ids[COMMAND_SELECTOR_NAMES_MAX];
    static struct text groups[GROUPS];
    for (uint32_t i = 0; i < COMMAND_SELECTOR_NAMES_MAX + GROUPS; i++) {
        if (i < GROUPS) (void)snprintf(names[i], NAME_BYTES, "group-%02u", i);
        else (void)snprintf(names[i], NAME_BYTES, "job-%08u", (i - GROUPS) % bench->jobs);
        if (i < GROUPS) groups[i] = text_of(names[i]);
        else ids[i - GROUPS] = text_of(names[i]);
    }
    size_t most = bench->jobs < COMMAND_SELECTOR_NAMES_MAX ? bench->jobs
                                                           : COMMAND_SELECTOR_NAMES_MAX;
    struct selector selector = {.given = true, .ids = ids, .id_count = 2};
    select_some(bench, "select 2 ids", &selector, bench->jobs < 2 ? bench->jobs : 2);
    selector.id_count = COMMAND_SELECTOR_NAMES_MAX;
    select_some(bench, "select 2,000 ids", &selector, most);
    selector.groups = groups;
    selector.group_count = GROUPS;
    select_some(bench, "select 2,000 ids in 64 groups", &selector, most);
    selector.ids = NULL;
    selector.id_count = 0;
    select_some(bench, "select 64 groups", &selector, bench->jobs);
    selector.group_count = 1;
    select_some(bench, "select 1 group of 64", &selector, (bench->jobs + GROUPS - 1) / GROUPS);
    import_some(bench);
}

static void bench_one_shots(struct bench *bench)
{
    struct sink encoding = outbox_sink(bench->outbox);
    int64_t began_ns = now_ns();
    advance(bench, HERD_MS, &encoding);
    report("one-shots: fire, finish, encode, per fire", now_ns() - began_ns, bench->jobs);
}

/* ---- restoring ---- */

static void keep_records(struct bench *bench)
{
    text_writer_init(&bench->records);
    bench->record_ends = memory_allocate(RESTORE_MAX, sizeof *bench->record_ends);
    for (uint32_t slot = 0; slot < shard_slots(bench->shard); slot++) {
        const struct job *job = shard_job_at(bench->shard, slot);
        if (job == NULL || bench->record_count == RESTORE_MAX) continue;
        struct job_record record;
        job_view_record(job, &record);
        job_record_encode(&bench->records, &record);
        bench->record_ends[bench->record_count++] = bench->records.length;
    }
}

static void bench_restore(struct bench *bench)
{
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    int64_t began_ns = now_ns();
    int64_t decode_ns = 0;
    bench->shard = shard_create(&config);
    size_t at = 0;
    for (uint32_t i = 0; i < bench->record_count; i++) {
        struct text value = {bench->records.bytes + at, bench->record_ends[i] - at};
        struct job_record record;
        struct error error = {0};
        int64_t decode_began_ns = now_ns();
        if (!job_record_decode(value, bench->arena, NULL, &record, &error)) fail(error.message);
        decode_ns += now_ns() - decode_began_ns;
        shard_restore_job(bench->shard, &record);
        arena_reset(bench->arena);
        at = bench->record_ends[i];
    }
    struct mark mark = {.watermark = {HERD_MS, WATERMARK_WHOLE},
                        .shards = 1,
                        .next_ordinal = bench->jobs + 1};
    shard_restore_done(bench->shard, &mark);
    report("take-over: decode and restore, per record", now_ns() - began_ns,
           bench->record_count);
    report("take-over: of these decoding", decode_ns, bench->record_count);
}

/* An open run that a worker has claimed, of one of so many jobs. */
static void write_run(struct text_writer *records, uint32_t k, uint32_t jobs)
{
    struct run_record record;
    char id[NAME_BYTES];
    char token[17];
    (void)snprintf(id, sizeof id, "job-%" PRIu32, k % jobs);
    (void)snprintf(token, sizeof token, "%016" PRIx32, k + 1);
    run_record_defaults(&record);
    record.group = text_of("group");
    record.id = text_of(id);
    record.incarnation = (struct incarnation){START_MS, k % jobs, 0, 0};
    record.ordinal = k % jobs + 1;
    record.nominal_ms = record.due_ms = START_MS + k;
    record.opened_ms = record.fired_ms = record.due_ms + 4;
    record.expiry_ms = record.fired_ms + HOURS_MS;
    record.first_runnumber = record.runnumber = (INT64_C(1) << 32) + (int64_t)k * 7919 % OPEN_RUNS;
    record.lease_ms = 5 * MINUTES_MS;
    record.workers = text_of("billing-workers");
    record.state = RUN_STATE_CLAIMED;
    record.claim = (struct run_claim){.token = text_of(token),
                                      .worker = text_of("host-17-4242"),
                                      .topic = text_of("belfry.fires"),
                                      .offset = k,
                                      .started_ms = record.fired_ms + 5,
                                      .sign_ms = record.fired_ms + 6};
    run_record_encode(records, &record);
}

/* One run a job, and as many as a job may have. */
static void bench_restore_runs(struct bench *bench, uint32_t jobs)
{
    struct text_writer records;
    size_t *ends = memory_allocate(OPEN_RUNS, sizeof *ends);
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    text_writer_init(&records);
    for (uint32_t k = 0; k < OPEN_RUNS; k++) {
        write_run(&records, k, jobs);
        ends[k] = records.length;
    }
    int64_t began_ns = now_ns();
    struct shard *shard = shard_create(&config);
    for (uint32_t k = 0; k < OPEN_RUNS; k++) {
        size_t at = k == 0 ? 0 : ends[k - 1];
        struct run_record record;
        struct error error = {0};
        bool open = false;
        if (!run_record_decode((struct text){records.bytes + at, ends[k] - at}, bench->arena,
                               &record, &open, &error))
            fail(error.message);
        shard_restore_run(shard, k, &record);
        arena_reset(bench->arena);
    }
    int64_t restored_ns = now_ns();
    struct mark mark = {.watermark = {HERD_MS, WATERMARK_WHOLE}, .shards = 1, .next_ordinal = 1};
    shard_restore_done(shard, &mark);
    shard_follow_runs(shard, &(struct runs_start){.generation = 1,
                                                  .epoch = 2,
                                                  .owner = text_of("host-1"),
                                                  .now = {HERD_MS, 0}});
    char what[80];
    (void)snprintf(what, sizeof what, "take-over: open runs of %" PRIu32 " jobs, per record", jobs);
    report(what, restored_ns - began_ns, OPEN_RUNS);
    report("take-over: of these followed again", now_ns() - restored_ns, OPEN_RUNS);
    shard_destroy(shard);
    text_writer_free(&records);
    free(ends);
}

int main(int argc, char **argv)
{
    struct bench bench = {.jobs = JOBS_DEFAULT, .arena = arena_create()};
    if (argc > 1) bench.jobs = (uint32_t)strtoul(argv[1], NULL, 10);
    bool with_runs = argc < 3 || strcmp(argv[2], "0") != 0;
    if (bench.jobs == 0) fail("jobs must be a number above 0");
    memset(bench.payload, 'x', PAYLOAD_BYTES);
    bench.payload[0] = bench.payload[PAYLOAD_BYTES - 1] = '"'; /* a JSON string */
    create_outbox(&bench);
    printf("%" PRIu32 " cron jobs, payload %d bytes\n", bench.jobs, PAYLOAD_BYTES);
    bench_adding(&bench, false);
    bench_selecting(&bench);
    bench_herd(&bench);
    bench_resume_one(&bench);
    bench_counted_herds(&bench, 5);
    keep_records(&bench);
    shard_destroy(bench.shard);
    bench_restore(&bench);
    shard_destroy(bench.shard);
    if (with_runs) bench_restore_runs(&bench, OPEN_RUNS);
    if (with_runs) bench_restore_runs(&bench, OPEN_RUNS / RUNS_OF_JOB_MAX);
    printf("%" PRIu32 " one-shots at one instant\n", bench.jobs);
    bench_adding(&bench, true);
    bench_one_shots(&bench);
    shard_destroy(bench.shard);
    outbox_destroy(bench.outbox);
    checkpointer_destroy(bench.checkpointer);
    text_writer_free(&bench.records);
    free(bench.record_ends);
    arena_destroy(bench.arena);
    return 0;
}
