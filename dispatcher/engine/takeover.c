/* Becoming the owner of a shard: old owner fenced, memory restored from the store and the state
 * log, the new epoch's mark committed, commands read from where the last mark stands. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/core/job.h"
#include "dispatcher/core/mutant.h"
#include "dispatcher/engine/engine_state.h"
#include "schemas/job_json.h"
#include "schemas/json_scan.h"
#include "schemas/mark_json.h"
#include "schemas/seen_json.h"

enum { LOOK_BACK = 64 }; /* offsets before the snapshot's: the last mark is among them, as a rule */
enum { POLL_MS = 50, ZONED_NAMED = 10, ZONED_TEXT_BYTES = 4600 };
#define RESTORE_SILENCE_US INT64_C(30000000) /* no record and no end for so long: retry */
#define STORE_AGE_MAX_MS (6 * DAYS_MS)       /* below delete.retention.ms of the state log */

void engine_forget(struct engine *engine)
{
    struct broker *broker = engine->ports.broker;
    broker->operations->stop_reading(broker, TOPIC_CONTROL);
    broker->operations->stop_reading(broker, TOPIC_FORWARD);
    inputs_clear(&engine->inputs);
    checkpointer_destroy(engine->checkpointer);
    engine->checkpointer = NULL;
    if (!mutant(MUTANT_MEMORY_KEPT)) shard_destroy(engine->shard);
    engine->shard = NULL;
    foreign_clear(&engine->foreign);
}

static void start_empty(struct engine *engine)
{
    struct shard_config config;
    shard_config_defaults(&config);
    config.shard = engine->options.shard;
    config.shards = engine->options.shards;
    config.catchup_per_second = engine->options.catchup_per_second;
    engine->shard = shard_create(&config);
    engine->checkpointer =
        checkpointer_create(&(struct checkpointer_options){.port = engine->ports.checkpoint,
                                                           .clock = engine->ports.clock,
                                                           .observer = engine->ports.observer,
                                                           .shard = engine->options.shard,
                                                           .interval_ms =
                                                               engine->options
                                                                   .checkpoint_interval_ms});
    outbox_clear(&engine->outbox);
    struct outbox_listener listener = checkpointer_listener(engine->checkpointer);
    outbox_init(&engine->outbox, text_of(engine->options.cluster), engine->options.shard,
                engine->options.batch_outputs_max, &engine->foreign, &listener);
}

/* ---- records ---- */

static bool parse_sequence(struct text text, int64_t *sequence)
{
    *sequence = 0;
    if (text.length == 0 || text.length > 18) return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') return false;
        *sequence = *sequence * 10 + (text.bytes[i] - '0');
    }
    return true;
}

/* A zone this machine cannot read is no fault of the record: firing by another clock would be
 * wrong, leaving the job out would lose it. The shard waits, and asks again. */
static bool lacks_zone(struct text value, struct error *error)
{
    struct text group = json_scan_member(value, "group");
    struct text id = json_scan_member(value, "id");
    char why[ERROR_MESSAGE_BYTES];
    memcpy(why, error->message, sizeof why);
    error_clear(error);
    (void)error_set(error, ERROR_RETRY, "unknown_zone: job %.*s of group %.*s: %.90s; install "
                    "tzdata that has it, the shard waits for it",
                    (int)(id.length > 40 ? 40 : id.length), id.bytes,
                    (int)(group.length > 40 ? 40 : group.length), group.bytes, why);
    (void)snprintf(error->code, sizeof error->code, "unknown_zone");
    return false;
}

static bool restore_job(struct engine *engine, struct text value, struct error *error)
{
    struct job_record record;
    arena_reset(engine->arena);
    const struct zone_lookup *zones = engine->options.zones;
    if (!job_record_decode(value, engine->arena, zones, &record, error))
        return strcmp(error->code, "unknown_zone") == 0 ? lacks_zone(value, error) : false;
    shard_restore_job(engine->shard, &record);
    return true;
}

static bool restore_seen(struct engine *engine, int64_t sequence, struct text value,
                         struct error *error)
{
    const struct seen *seen = NULL;
    size_t count = 0;
    arena_reset(engine->arena);
    if (!seen_decode(value, engine->arena, &seen, &count, error)) return false;
    for (size_t i = 0; i < count; i++) shard_restore_seen(engine->shard, sequence, &seen[i]);
    return true;
}

static bool visit_store_item(void *opaque, const struct store_item *item, struct error *error)
{
    struct engine *engine = opaque;
    int64_t sequence = 0;
    struct text text = {item->text, item->text_bytes};
    if (item->kind == STORE_JOB_PUT) return restore_job(engine, text, error);
    if (!parse_sequence((struct text){item->name, item->name_bytes}, &sequence))
        return error_invalid(error, "bad_value", "remembered record with a bad sequence");
    return restore_seen(engine, sequence, text, error);
}

static bool starts_with(struct text text, const char *prefix, struct text *rest)
{
    size_t length = strlen(prefix);
    if (text.length <= length || memcmp(text.bytes, prefix, length) != 0) return false;
    *rest = (struct text){text.bytes + length, text.length - length};
    return true;
}

static void restore_tombstone(struct engine *engine, struct text name)
{
    const char *slash = memchr(name.bytes, '/', name.length);
    if (slash == NULL || mutant(MUTANT_TAKEOVER_IGNORES_TOMBSTONES)) return;
    size_t group_length = (size_t)(slash - name.bytes);
    struct text group = {name.bytes, group_length};
    struct text id = {slash + 1, name.length - group_length - 1};
    const struct job *job = shard_find(engine->shard, group, id);
    if (job != NULL) checkpointer_job_deleted(engine->checkpointer, job);
    else checkpointer_name_deleted(engine->checkpointer, name);
    shard_restore_deleted(engine->shard, group, id);
}

/* A job of the log's tail: the store may not have it. */
static bool restore_logged_job(struct engine *engine, struct text name, struct text value,
                               struct error *error)
{
    if (!restore_job(engine, value, error)) return false;
    const char *slash = memchr(name.bytes, '/', name.length);
    if (slash == NULL) return error_invalid(error, "bad_name", "job record with a bad key");
    size_t group_length = (size_t)(slash - name.bytes);
    const struct job *job =
        shard_find(engine->shard, (struct text){name.bytes, group_length},
                   (struct text){slash + 1, name.length - group_length - 1});
    if (job == NULL)
        return error_invalid(error, "bad_name", "job record whose key names another job");
    checkpointer_job_changed(engine->checkpointer, job);
    return true;
}

static bool restore_state_record(struct engine *engine, const struct broker_input *input,
                                 struct mark *mark, bool *found, struct error *error)
{
    struct text rest;
    int64_t sequence = 0;
    if (text_equal(input->key, text_of("mark"))) {
        *found = true;
        return input->tombstone || mark_decode(input->value, mark, error);
    }
    if (starts_with(input->key, "job/", &rest)) {
        if (!input->tombstone) return restore_logged_job(engine, rest, input->value, error);
        restore_tombstone(engine, rest);
        return true;
    }
    if (!starts_with(input->key, "seen/", &rest) || !parse_sequence(rest, &sequence))
        return error_invalid(error, "bad_name", "state record with the unknown key %.*s",
                             (int)(input->key.length > 60 ? 60 : input->key.length),
                             input->key.bytes);
    if (input->tombstone) {
        shard_restore_seen_expired(engine->shard, sequence);
        checkpointer_seen_expired(engine->checkpointer, sequence);
        return true;
    }
    checkpointer_seen(engine->checkpointer, sequence, input->value);
    return restore_seen(engine, sequence, input->value, error);
}

/* ---- the state log ---- */

/* A record that cannot be read ends the shard: half a job is worse than none. */
static void name_record(const struct broker_input *input, struct error *error)
{
    char message[ERROR_MESSAGE_BYTES];
    if (error->kind == ERROR_INVALID) error->kind = ERROR_FATAL;
    if (error->kind != ERROR_FATAL) return;
    (void)snprintf(message, sizeof message, "state record %.*s at offset %" PRId64 ": %.150s; if a "
                   "newer belfryd wrote it, start that one",
                   (int)(input->key.length > 40 ? 40 : input->key.length), input->key.bytes,
                   input->offset, error->message);
    (void)snprintf(error->message, sizeof error->message, "%s", message);
}

struct replay {
    int64_t first; /* offset of the log */
    int64_t from; /* records before it have been applied by the snapshot */
    int64_t end;
    const struct mark *snapshot; /* NULL: there is none */
    struct mark mark;            /* the last one */
    bool found;
    bool other_branch; /* the snapshot was not taken of this log */
    int64_t records;
};

/* What a snapshot has applied must be of its own past. Kafka may have lost the end of the log and
 * another owner may have gone on from there; or the snapshot is from an owner that did not know
 * yet that it had been followed. */
static bool precedes(const struct mark *mark, const struct mark *snapshot)
{
    if (mark->generation != snapshot->generation) return mark->generation < snapshot->generation;
    if (mark->sequence > snapshot->sequence || mark->epoch > snapshot->epoch) return false;
    return mark->epoch < snapshot->epoch || strcmp(mark->owner, snapshot->owner) == 0;
}

/* A record of the log: applied, or, before the place of the snapshot, only looked at. */
static bool replay_record(struct engine *engine, const struct broker_input *input,
                          struct replay *replay, struct error *error)
{
    struct mark before;
    if (input->offset >= replay->from) {
        bool skipped = replay->snapshot != NULL && !text_equal(input->key, text_of("mark"));
        if (skipped && mutant(MUTANT_TAKEOVER_SKIPS_TAIL)) return true;
        replay->records++;
        return restore_state_record(engine, input, &replay->mark, &replay->found, error);
    }
    if (!text_equal(input->key, text_of("mark")) || input->tombstone) return true;
    if (!mark_decode(input->value, &before, error)) return false;
    if (!precedes(&before, replay->snapshot) && !mutant(MUTANT_OTHER_BRANCH_BELIEVED))
        replay->other_branch = true;
    return true;
}

static bool replay_state_log(struct engine *engine, struct replay *replay, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    const struct broker_operations *operations = broker->operations;
    int64_t end = replay->end;
    int64_t start = replay->from;
    if (start >= end) return true;
    if (replay->snapshot != NULL) start -= LOOK_BACK;
    if (start < replay->first) start = replay->first;
    if (!operations->start_reading(broker, TOPIC_STATE, start, error)) return false;
    int64_t heard_us = engine_monotonic_us(engine);
    bool ended = false;
    while (!ended) {
        struct broker_input input = {.kind = BROKER_NOTHING};
        if (!operations->poll(broker, POLL_MS, &input, error)) break;
        if (input.kind == BROKER_NOTHING) {
            if (engine_monotonic_us(engine) - heard_us < RESTORE_SILENCE_US &&
                atomic_load(&engine->wish) == ENGINE_RUN)
                continue;
            error_set(error, ERROR_RETRY, "state log: nothing to read before its end %" PRId64,
                      end);
            break;
        }
        heard_us = engine_monotonic_us(engine);
        if (input.kind == BROKER_END) {
            ended = input.offset >= end;
            continue;
        }
        bool restored = replay_record(engine, &input, replay, error);
        if (!restored) name_record(&input, error);
        operations->release(broker, &input);
        if (!restored) break;
        if (replay->other_branch) ended = true;
    }
    operations->stop_reading(broker, TOPIC_STATE);
    return ended;
}

/* ---- the store ---- */

struct restored {
    bool from_store;
    int64_t state_offset; /* the state log is to be applied from here */
    struct mark mark;     /* the snapshot's */
    int64_t jobs;
};

static void store_ignored(const struct engine *engine, const char *reason, const char *message)
{
    char quoted[ERROR_MESSAGE_BYTES + 64];
    observe(engine->ports.observer, LEVEL_WARN, "store.ignored", engine->options.shard,
            "reason=%s message=%s", reason, observer_quote(quoted, sizeof quoted, message));
}

static bool read_items(struct engine *engine, const struct snapshot *snapshot,
                       struct error *error)
{
    struct checkpoint_port *port = engine->ports.checkpoint;
    if (!port->operations->read_items(port, visit_store_item, engine, error)) return false;
    int64_t jobs = (int64_t)shard_job_count(engine->shard);
    if (jobs == snapshot->job_count) return true;
    return error_set(error, ERROR_RETRY, "%" PRId64 " jobs read, the snapshot says %" PRId64,
                     jobs, snapshot->job_count);
}

/* Without a state log there is nothing else to restore the jobs from. */
static bool cannot_do_without(const struct engine *engine, const struct error *trouble)
{
    return trouble->kind == ERROR_FATAL || !engine->options.state_log;
}

/* What the store has, if it can be used; the state log, where there is one, is the truth. */
static bool restore_from_store(struct engine *engine, int64_t first, struct restored *restored,
                               struct error *error)
{
    struct checkpoint_port *port = engine->ports.checkpoint;
    struct snapshot snapshot;
    bool found = false;
    struct error trouble = {0};
    *restored = (struct restored){.state_offset = first};
    if (!port->operations->read_snapshot(port, &snapshot, &found, &trouble)) {
        if (cannot_do_without(engine, &trouble)) {
            *error = trouble;
            return false;
        }
        store_ignored(engine, "away", trouble.message);
        return true;
    }
    if (!found) return true;
    const char *unfit = NULL;
    int64_t age_ms = engine_wall_ms(engine) - snapshot.written_at_ms;
    if (snapshot.mark.shards != engine->options.shards) unfit = "other_shards";
    if (engine->options.state_log && age_ms > STORE_AGE_MAX_MS) unfit = "too_old";
    if (engine->options.state_log && snapshot.state_offset < first && first > 0)
        unfit = "log_cut"; /* compacted away from under it: the log holds all that is left */
    if (unfit != NULL) {
        store_ignored(engine, unfit, "the state log is read from its beginning");
        return true;
    }
    if (!read_items(engine, &snapshot, &trouble)) {
        if (cannot_do_without(engine, &trouble)) {
            *error = trouble;
            return false;
        }
        store_ignored(engine, "not_whole", trouble.message);
        engine_forget(engine);
        start_empty(engine);
        return true;
    }
    restored->from_store = true;
    restored->state_offset = snapshot.state_offset;
    restored->mark = snapshot.mark;
    checkpointer_follows(engine->checkpointer, snapshot.mark.sequence);
    return true;
}

/* ---- where we stand ---- */

static bool check_mark(const struct engine *engine, const struct restored *restored,
                       const struct mark *mark, bool found, struct error *error)
{
    if (found && mark->layout > STATE_LAYOUT)
        return error_set(error, ERROR_FATAL, "newer_layout: the state log has layout %" PRId32
                         ", this daemon knows %d; run the newer version", mark->layout,
                         (int)STATE_LAYOUT);
    if (found && mark->shards != engine->options.shards)
        return error_set(error, ERROR_FATAL, "the cluster was made with %" PRId32 " shards, the "
                         "configuration says %" PRId32, mark->shards, engine->options.shards);
    bool behind = restored->from_store &&
                  (!found || mark->generation < restored->mark.generation ||
                   (mark->generation == restored->mark.generation &&
                    mark->sequence < restored->mark.sequence));
    if (behind && !mutant(MUTANT_STATE_LOST_NOT_NOTICED))
        return error_set(error, ERROR_FATAL, "state_lost: the state log stands at sequence %"
                         PRId64 ", Redis at %" PRId64 ": Kafka lost data or is another cluster; "
                         "see docs/operation.md, \"state_lost\"", found ? mark->sequence : 0,
                         restored->mark.sequence);
    return true;
}

/* No mark at all: a new shard. */
static bool first_mark(struct engine *engine, struct mark *mark, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    int64_t first = 0;
    int64_t end = 0;
    if (!broker->operations->offsets(broker, TOPIC_CONTROL, &first, &end, error)) return false;
    if (first > 0 && engine->options.state_log)
        return error_set(error, ERROR_FATAL, "state_lost: the state log is empty, yet the first "
                         "command kept is number %" PRId64 ": earlier ones are gone; see "
                         "docs/operation.md, \"state_lost\"", first);
    *mark = (struct mark){.generation = 1,
                          .next_ordinal = 1,
                          .shards = engine->options.shards,
                          .layout = STATE_LAYOUT,
                          .watermark = {.instant_ms = engine_wall_ms(engine),
                                        .ordinal = WATERMARK_WHOLE}};
    return true;
}

/* The watermark of a new shard is the log time of its oldest command: slots between that and now
 * are then as late as they are. */
static bool start_at_oldest(struct engine *engine, struct mark *mark, struct error *error)
{
    int64_t deadline_us = engine_monotonic_us(engine) + RESTORE_SILENCE_US;
    while (inputs_next(&engine->inputs) == NULL && !inputs_caught_up(&engine->inputs)) {
        if (!engine_read(engine, POLL_MS, error)) return false;
        if (engine_monotonic_us(engine) > deadline_us)
            return error_set(error, ERROR_RETRY, "control topic: neither a record nor its end");
    }
    const struct broker_input *oldest = inputs_next(&engine->inputs);
    if (oldest != NULL && oldest->log_time_ms < mark->watermark.instant_ms)
        mark->watermark.instant_ms = oldest->log_time_ms - 1;
    return true;
}

/* The embedded mode's broker has forgotten everything: its logs begin anew. */
static void begin_generation(struct mark *mark)
{
    mark->generation++;
    mark->control_offset = 0;
    mark->forward_offset = 0;
    mark->completions_offset = 0;
    mark->in_command = (struct in_command){0};
}

/* Jobs whose clocks change, the first few by name: what they are due by may be another instant now.
 * Returns how many. */
static int64_t name_zoned_jobs(const struct engine *engine, const char *before,
                               char text[ZONED_TEXT_BYTES])
{
    int64_t count = 0;
    size_t length = (size_t)snprintf(text, ZONED_TEXT_BYTES, "time zone data %s, before %s;",
                                     engine->options.tz_version, before);
    for (uint32_t slot = 0; slot < shard_slots(engine->shard); slot++) {
        const struct job *job = shard_job_at(engine->shard, slot);
        if (job == NULL || job->schedule->spec.kind != SCHEDULE_CRON ||
            job->schedule->spec.cron.zone == NULL)
            continue;
        struct text name = job_name(job);
        if (count++ >= ZONED_NAMED || length + name.length + 2 >= ZONED_TEXT_BYTES) continue;
        length += (size_t)snprintf(text + length, ZONED_TEXT_BYTES - length, " %.*s",
                                   (int)name.length, name.bytes);
    }
    return count;
}

/* Slots after the watermark are by the new rules: those who have jobs in zones are told. */
static void tell_tz_change(struct engine *engine, const char *before, const struct sink *sink)
{
    char text[ZONED_TEXT_BYTES];
    struct event event;
    if (before[0] == '\0' || strcmp(before, engine->options.tz_version) == 0) return;
    if (mutant(MUTANT_TZ_CHANGE_NOT_TOLD)) return;
    event_init(&event, EVENT_TZ_CHANGED, engine_wall_ms(engine));
    event.count = name_zoned_jobs(engine, before, text);
    event.detail = text_of(text);
    if (event.count > 0) sink->event(sink->opaque, &event);
}

/* Slots after the watermark are by this owner's zone data; `before` gets the last owner's. */
static void change_zone_data(const struct engine *engine, struct mark *mark,
                             char *before)
{
    memcpy(before, mark->tz_version, sizeof mark->tz_version);
    if (before[0] != '\0' && mutant(MUTANT_TZ_VERSION_NOT_MARKED)) return;
    if (before[0] != '\0' && strcmp(before, engine->options.tz_version) != 0)
        mark->tz_changed_ms = mark->watermark.instant_ms;
    (void)snprintf(mark->tz_version, sizeof mark->tz_version, "%s", engine->options.tz_version);
}

static bool commit_first_mark(struct engine *engine, struct mark *mark, const char *tz_before,
                              struct error *error)
{
    if (!mutant(MUTANT_EPOCH_NOT_RAISED)) mark->epoch++;
    (void)snprintf(mark->owner, sizeof mark->owner, "%s", engine->options.owner);
    engine->mark = *mark;
    engine->control_offset = mark->control_offset;
    engine->forward_offset = mark->forward_offset;
    outbox_begin(&engine->outbox, mark->sequence + 1);
    struct event event;
    event_init(&event, EVENT_SHARD_TAKEN, engine_wall_ms(engine));
    event.epoch = mark->epoch;
    event.owner = text_of(engine->options.owner);
    struct sink sink = outbox_sink(&engine->outbox);
    if (!mutant(MUTANT_SHARD_TAKEN_NOT_SAID)) sink.event(sink.opaque, &event);
    tell_tz_change(engine, tz_before, &sink);
    int64_t produced_ms = engine_wall_ms(engine);
    int64_t produced_us = engine_monotonic_us(engine);
    if (!engine_commit(engine, error)) return false;
    atomic_store(&engine->epoch, mark->epoch);
    bool seen = false;
    if (!engine_clock_look(engine, produced_ms, produced_us, &seen, error)) return false;
    if (!seen) engine->clock_refused = true; /* until it is known what the broker's says */
    return true;
}

/* Foreign topics are looked up and warmed before the first fire to them. */
static void warm_foreign(struct engine *engine)
{
    for (uint32_t slot = 0; slot < shard_slots(engine->shard); slot++) {
        const struct job *job = shard_job_at(engine->shard, slot);
        if (job != NULL && (job->flags & JOB_FOREIGN))
            (void)foreign_find(&engine->foreign, job_topic(job));
    }
}

/* The snapshot's jobs, then the tail of the log. */
static bool restore_tail(struct engine *engine, const struct restored *restored,
                         struct replay *replay, struct error *error)
{
    int64_t log_time_ms = 0;
    replay->from = restored->state_offset;
    replay->snapshot = restored->from_store ? &restored->mark : NULL;
    if (!replay_state_log(engine, replay, error)) return false;
    if (replay->found || replay->other_branch || !restored->from_store) return true;
    /* Nothing after the snapshot but the markers of transactions. */
    replay->mark = restored->mark;
    if (!engine_read_last_mark(engine, &replay->mark, &log_time_ms, &replay->found, error))
        return false;
    replay->other_branch = replay->found && !precedes(&replay->mark, &restored->mark) &&
                           !mutant(MUTANT_OTHER_BRANCH_BELIEVED);
    return true;
}

static bool restore_log(struct engine *engine, struct restored *restored, struct replay *replay,
                        struct error *error)
{
    if (!restore_tail(engine, restored, replay, error)) return false;
    if (!replay->other_branch) return true;
    store_ignored(engine, "other_branch",
                  "the snapshot in Redis is not of this state log: Kafka lost its end, or an old "
                  "owner wrote it; the log is read from its beginning");
    engine_forget(engine);
    start_empty(engine);
    *restored = (struct restored){.state_offset = replay->first};
    *replay = (struct replay){.first = replay->first, .end = replay->end};
    return restore_tail(engine, restored, replay, error);
}

static bool restore(struct engine *engine, struct mark *mark, bool *fresh, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    struct replay replay = {0};
    struct restored restored;
    if (!broker->operations->offsets(broker, TOPIC_STATE, &replay.first, &replay.end, error))
        return false;
    engine->state_first_look = 0;
    if (!restore_from_store(engine, replay.first, &restored, error)) return false;
    if (engine->options.state_log) {
        if (!restore_log(engine, &restored, &replay, error)) return false;
        *mark = replay.mark;
        if (!check_mark(engine, &restored, mark, replay.found, error)) return false;
    } else if (restored.from_store) {
        *mark = restored.mark;
        replay.found = true;
        begin_generation(mark);
    }
    *fresh = !replay.found;
    if (!replay.found && !first_mark(engine, mark, error)) return false;
    observe(engine->ports.observer, LEVEL_INFO, "shard.restored", engine->options.shard,
            "jobs=%zu from_store=%s log_records=%" PRId64 " sequence=%" PRId64,
            shard_job_count(engine->shard), restored.from_store ? "yes" : "no", replay.records,
            mark->sequence);
    return true;
}

bool engine_take_over(struct engine *engine, struct error *error)
{
    int64_t began_us = engine_monotonic_us(engine);
    struct mark mark = {0};
    bool fresh = false;
    engine_forget(engine);
    start_empty(engine);
    if (!engine_open_producer(engine, error) || !restore(engine, &mark, &fresh, error))
        return false;
    if (!inputs_start(&engine->inputs, mark.control_offset, mark.forward_offset, error))
        return false;
    if (fresh && !start_at_oldest(engine, &mark, error)) return false;
    if (mutant(MUTANT_TAKEOVER_WATERMARK_IS_NOW))
        mark.watermark.instant_ms = engine_wall_ms(engine);
    if (mutant(MUTANT_WATERMARK_GOES_BACK)) mark.watermark.instant_ms -= HOURS_MS;
    char tz_before[sizeof mark.tz_version];
    change_zone_data(engine, &mark, tz_before);
    shard_restore_done(engine->shard, &mark);
    if (!commit_first_mark(engine, &mark, tz_before, error)) return false;
    warm_foreign(engine);
    engine->last_wall_ms = engine_wall_ms(engine);
    engine->last_monotonic_us = engine_monotonic_us(engine);
    observe(engine->ports.observer, LEVEL_INFO, "shard.taken", engine->options.shard,
            "epoch=%" PRId64 " jobs=%zu watermark_ms=%" PRId64 " took_ms=%" PRId64,
            engine->mark.epoch, shard_job_count(engine->shard), mark.watermark.instant_ms,
            (engine_monotonic_us(engine) - began_us) / 1000);
    return true;
}
