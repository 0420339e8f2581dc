/* Becoming the owner of a shard: old owner fenced, memory restored from the store and the state
 * log, the new epoch's mark committed, commands read from where the last mark stands. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "dispatcher/engine/replay.h"
#include "dispatcher/engine/store_reading.h"
#include "dispatcher/jobs/job.h"

enum { ZONED_NAMED = 10, ZONED_TEXT_BYTES = 4600 };
#define STORE_AGE_MAX_MS (6 * DAYS_MS) /* below delete.retention.ms of the state log */

void engine_forget(struct engine *engine)
{
    struct broker *broker = engine->ports.broker;
    engine->settled = false;
    for (enum input input = 0; input < INPUT_COUNT; input++)
        broker->operations->stop_reading(broker, input_topic(input));
    inputs_clear(&engine->inputs);
    engine_forget_reports(engine);
    outbox_destroy(engine->outbox);
    engine->outbox = NULL;
    checkpointer_destroy(engine->checkpointer);
    engine->checkpointer = NULL;
    shard_destroy(engine->shard);
    engine->shard = NULL;
    foreign_clear(&engine->foreign);
}

void engine_let_go(struct engine *engine)
{
    struct broker *broker = engine->ports.broker;
    broker->operations->close_producer(broker);
    engine_forget(engine);
}

void engine_start_empty(struct engine *engine)
{
    struct shard_config config;
    shard_config_defaults(&config);
    config.shard = engine->options.shard;
    config.shards = engine->options.shards;
    config.catchup_per_second = engine->options.settings.catchup_rate;
    config.runs.open_max = (uint32_t)engine->options.settings.runs_open_max;
    memcpy(config.hash_key, engine->options.hash_key, sizeof config.hash_key);
    config.runs.append_times = engine->options.runs_append_times;
    memcpy(config.runs.hash_key, engine->options.hash_key, sizeof config.runs.hash_key);
    engine->shard = shard_create(&config);
    engine->checkpointer =
        checkpointer_create(&(struct checkpointer_options){.port = engine->ports.checkpoint,
                                                           .clock = engine->ports.clock,
                                                           .observer = engine->ports.observer,
                                                           .shard = engine->options.shard,
                                                           .interval_ms =
                                                               engine->options.settings
                                                                   .checkpoint_interval_ms,
                                                           .group_jobs_max =
                                                               engine->options
                                                                   .checkpoint_group_max,
                                                           .part_items_max =
                                                               engine->options
                                                                   .checkpoint_part_max});
    engine->outbox = outbox_create(text_of(engine->options.cluster), engine->options.shard,
                                   engine->options.batch_outputs_max, &engine->foreign,
                                   engine->checkpointer);
    outbox_count_in(engine->outbox, engine->tally, &engine->census);
}

/* ---- the store ---- */

struct restored {
    bool from_store;
    int64_t state_offset; /* the state log is to be applied from here */
    struct mark mark;     /* the snapshot's */
    int64_t epoch_least;  /* of a snapshot that is not believed: its store must not take us for an
                           * old owner */
    int64_t jobs;
};

static void store_ignored(const struct engine *engine, const char *reason, const char *message)
{
    observe(engine->ports.observer, OBSERVED_STORE_IGNORED, engine->options.shard,
            &(struct observed){.reason = reason, .message = message});
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
    if (!store_reading_run(engine, &snapshot, &trouble)) {
        if (cannot_do_without(engine, &trouble)) {
            *error = trouble;
            return false;
        }
        store_ignored(engine, "not_whole", trouble.message);
        engine_forget(engine);
        engine_start_empty(engine);
        return true;
    }
    restored->from_store = true;
    restored->state_offset = snapshot.state_offset;
    restored->mark = snapshot.mark;
    if (snapshot.held.jobs >= 0) /* layout 1 has not counted: it is written anew */
        checkpointer_follows(engine->checkpointer, snapshot.mark.sequence);
    return true;
}

/* ---- where we stand ---- */

/* The store knows of commits that the log, whose last mark this is, does not have. */
static bool log_is_behind(const struct restored *restored, const struct mark *mark, bool found)
{
    if (!restored->from_store) return false;
    if (!found || mark->generation != restored->mark.generation)
        return !found || mark->generation < restored->mark.generation;
    return mark->sequence < restored->mark.sequence;
}

/* The log does not have what this process knows to have committed. */
static bool check_own_commit(const struct engine *engine, const struct mark *mark, bool found,
                             struct error *error)
{
    struct own_commit *own = engine->ports.own_commit;
    if (own == NULL || own_commit_look(own, engine->options.owner, mark, found)) return true;
    return error_set(error, ERROR_FATAL, "state_lost: the state log stands at sequence %" PRId64
                     " (%.24s, epoch %" PRId64 "), this process has committed %" PRId64 " (epoch %"
                     PRId64 "): Kafka lost data; belfry recover --from redis|kafka decides; see "
                     "docs/operation.md, \"state_lost\"", found ? mark->sequence : 0,
                     found ? mark->owner : "no mark", found ? mark->epoch : 0, own->sequence,
                     own->epoch);
}

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
    if (found && mark->recovering)
        return error_set(error, ERROR_FATAL, "recover_unfinished: belfry recover was begun on "
                         "this shard and has not ended; run it again");
    if (log_is_behind(restored, mark, found))
        return error_set(error, ERROR_FATAL, "state_lost: the state log stands at sequence %"
                         PRId64 ", Redis at %" PRId64 ": Kafka lost data or is another cluster; "
                         "belfry recover --from redis|kafka decides; see docs/operation.md, "
                         "\"state_lost\"", found ? mark->sequence : 0,
                         restored->mark.sequence);
    return check_own_commit(engine, mark, found, error);
}

/* No mark at all: a new shard, if nothing was deleted. Compaction keeps the last mark, and the
 * log's first offset is 0 where only transactions that were aborted have gone. */
static bool check_never_written(const struct replay *replay, struct error *error)
{
    if (replay->first == 0) return true;
    return error_set(error, ERROR_FATAL, "state_lost: the state log has no mark, but its records "
                     "before %" PRId64 " were deleted: the jobs are neither there nor in Redis; "
                     "belfry recover --from kafka begins the shard anew; see docs/operation.md, "
                     "\"state_lost\"", replay->first);
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
                         "command kept is number %" PRId64 ": earlier ones are gone; "
                         "belfry recover --from redis|kafka decides; see docs/operation.md, "
                         "\"state_lost\"", first);
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
    int64_t deadline_us = engine_monotonic_us(engine) + REPLAY_SILENCE_US;
    while (inputs_next(&engine->inputs) == NULL && !inputs_caught_up(&engine->inputs)) {
        if (!engine_read(engine, REPLAY_POLL_MS, error)) return false;
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
    memset(mark->inputs, 0, sizeof mark->inputs);
    mark->runs_again = 0;
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

/* "2025b" is how an older version called what is "2025b-8f3a1c02" now. */
static bool same_zone_data(const char *before, const char *now)
{
    enum { DIGEST_BYTES = 9 };
    size_t length = strlen(before);
    bool digest = strlen(now) == length + DIGEST_BYTES && now[length] == '-';
    return strncmp(now, before, length) == 0 && (now[length] == '\0' || digest);
}

/* Slots after the watermark are by the new rules: those who have jobs in zones are told. */
static void tell_tz_change(struct engine *engine, const char *before, const struct sink *sink)
{
    char text[ZONED_TEXT_BYTES];
    struct event event;
    if (before[0] == '\0' || same_zone_data(before, engine->options.tz_version)) return;
    event_init(&event, EVENT_TZ_CHANGED, engine_wall_ms(engine));
    event.count = name_zoned_jobs(engine, before, text);
    event.detail = text_of(text);
    if (event.count > 0) sink->event(sink->opaque, &event);
}

/* Jobs whose time zone this machine lacks are set aside; nobody should learn that from what does
 * not happen. */
static void tell_missing_zones(struct engine *engine, const struct sink *sink)
{
    char text[ZONED_TEXT_BYTES];
    char message[ZONED_TEXT_BYTES + 100];
    struct event event;
    size_t count = shard_name_zoneless(engine->shard, text, sizeof text);
    if (count == 0) return;
    event_init(&event, EVENT_ZONE_MISSING, engine_wall_ms(engine));
    event.count = (int64_t)count;
    event.detail = text_of(text);
    sink->event(sink->opaque, &event);
    (void)snprintf(message, sizeof message, "%s: they fire nothing until an owner's time zone data "
                   "has the zone, or they are given another", text);
    observe(engine->ports.observer, OBSERVED_ZONE_MISSING, engine->options.shard,
            &(struct observed){.jobs = (int64_t)count, .message = message});
}

/* What was deleted before this shard had read it, from here to before there; none if `to` is not
 * behind. */
struct cut {
    int64_t from;
    int64_t to;
};

struct cuts {
    struct cut of[INPUTS_COMMANDS];
};

static void tell_cut(struct engine *engine, const char *topic, const struct cut *cut,
                     const struct sink *sink)
{
    char text[160];
    struct event event;
    if (cut->from >= cut->to) return;
    (void)snprintf(text, sizeof text, "offsets %" PRId64 " to %" PRId64 " of %s: commands, or the "
                   "markers of transactions", cut->from, cut->to - 1, topic);
    event_init(&event, EVENT_INPUT_CUT, engine_wall_ms(engine));
    event.count = cut->to - cut->from;
    event.detail = text_of(text);
    sink->event(sink->opaque, &event);
    observe(engine->ports.observer, OBSERVED_INPUT_CUT, engine->options.shard,
            &(struct observed){
                .topic = topic, .from = cut->from, .to = cut->to - 1,
                .message = "deleted by retention before this shard had read them: commands, or "
                           "the markers of transactions"});
}

/* Slots after the watermark are by this owner's zone data; `before` gets the last owner's. */
static void change_zone_data(const struct engine *engine, struct mark *mark,
                             char *before)
{
    memcpy(before, mark->tz_version, sizeof mark->tz_version);
    if (before[0] != '\0' && !same_zone_data(before, engine->options.tz_version))
        mark->tz_changed_ms = mark->watermark.instant_ms;
    (void)snprintf(mark->tz_version, sizeof mark->tz_version, "%s", engine->options.tz_version);
}

static bool commit_first_mark(struct engine *engine, struct mark *mark, const char *tz_before,
                              const struct cuts *cuts, struct error *error)
{
    /* Until now all is as the last owner left it, and nobody has said anything. */
    assert(outbox_says_nothing(engine->outbox));
    mark->epoch++;
    (void)snprintf(mark->owner, sizeof mark->owner, "%s", engine->options.owner);
    engine->mark = *mark;
    engine_stand_at(engine, mark);
    outbox_begin(engine->outbox, mark->sequence + 1);
    struct event event;
    event_init(&event, EVENT_SHARD_TAKEN, engine_wall_ms(engine));
    event.epoch = mark->epoch;
    event.owner = text_of(engine->options.owner);
    struct sink sink = outbox_sink(engine->outbox);
    sink.event(sink.opaque, &event);
    tell_tz_change(engine, tz_before, &sink);
    tell_missing_zones(engine, &sink);
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        tell_cut(engine, input_name(input), &cuts->of[input], &sink);
    engine_clock_begin(engine);
    if (!engine_commit(engine, error)) return false;
    checkpointer_arm(engine->checkpointer);
    atomic_store(&engine->epoch, mark->epoch);
    return true;
}

/* Foreign topics are looked up and warmed before the first fire to them. */
static void warm_foreign(struct engine *engine)
{
    engine->foreign.budget = FOREIGN_LOOKS_TAKEOVER;
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
    replay->other_branch = replay->found && !replay_precedes(&replay->mark, &restored->mark);
    return true;
}

/* Why the snapshot is not to be believed; NULL: it is. */
static const char *distrust(const struct restored *restored, const struct replay *replay)
{
    if (restored->from_store && replay->found &&
        replay->mark.generation > restored->mark.generation)
        return "older_generation"; /* of before a belfry recover: it knows another log */
    return replay->other_branch ? "other_branch" : NULL;
}

static bool restore_log(struct engine *engine, struct restored *restored, struct replay *replay,
                        struct error *error)
{
    struct error difference = {0};
    const char *message = difference.message;
    if (!restore_tail(engine, restored, replay, error)) return false;
    const char *reason = distrust(restored, replay);
    if (reason != NULL)
        message = "the snapshot in Redis is not seen to be of this state log: it is old, an owner "
                  "that had been followed wrote it, or Kafka lost the end of the log, which is "
                  "read from its beginning";
    else if (restored->from_store && !log_is_behind(restored, &replay->mark, replay->found) &&
             !shard_restore_fits(engine->shard, &replay->mark, &difference))
        reason = "not_whole";
    if (reason == NULL) return true;
    store_ignored(engine, reason, message);
    engine_forget(engine);
    engine_start_empty(engine);
    int64_t epoch = restored->mark.epoch;
    *restored = (struct restored){.state_offset = replay->first};
    *replay = (struct replay){.first = replay->first, .end = replay->end};
    restored->epoch_least = epoch;
    return restore_tail(engine, restored, replay, error);
}

/* Nothing is left to restore the shard from that would have what is missing. */
static bool refuse_half(struct error *error)
{
    char message[ERROR_MESSAGE_BYTES];
    memcpy(message, error->message, sizeof message);
    error_clear(error);
    return error_set(error, ERROR_FATAL, "log_not_whole: %.100s; belfry recover --from redis|kafka "
                     "decides; see docs/operation.md, \"log_not_whole\"", message);
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
        if (mark->epoch < restored.epoch_least) mark->epoch = restored.epoch_least;
        if (!(replay.found ? engine_check_logs(engine, mark, error)
                           : check_never_written(&replay, error)))
            return false;
    } else if (restored.from_store) {
        *mark = restored.mark;
        replay.found = true;
        begin_generation(mark);
    }
    *fresh = !replay.found;
    if (!replay.found && !first_mark(engine, mark, error)) return false;
    if (!shard_restore_fits(engine->shard, mark, error)) return refuse_half(error);
    observe(engine->ports.observer, OBSERVED_SHARD_RESTORED, engine->options.shard,
            &(struct observed){.jobs = (int64_t)shard_job_count(engine->shard),
                               .from_store = restored.from_store, .log_records = replay.records,
                               .sequence = mark->sequence});
    return true;
}

/* Retention may have cut the log to behind where it is to be read on: if nobody read it for long,
 * or if only markers stood between. What is known is said; the shard reads on from what is left. */
static bool skip_cut(struct engine *engine, enum input input, int64_t *offset, struct cut *cut,
                     struct error *error)
{
    struct broker *broker = engine->ports.broker;
    int64_t first = 0;
    int64_t end = 0;
    if (!broker->operations->offsets(broker, input_topic(input), &first, &end, error)) return false;
    *cut = (struct cut){.from = *offset, .to = first};
    if (*offset < first) *offset = first;
    return true;
}

static bool skip_cuts(struct engine *engine, struct mark *mark, struct cuts *cuts,
                      struct error *error)
{
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        if (!skip_cut(engine, input, &mark->inputs[input].offset, &cuts->of[input], error))
            return false;
    return true;
}

bool engine_take_over(struct engine *engine, struct error *error)
{
    int64_t began_us = engine_monotonic_us(engine);
    struct mark mark = {0};
    struct cuts cuts = {0};
    bool fresh = false;
    engine_let_go(engine);
    engine_start_empty(engine);
    if (!engine_open_producer(engine, error) || !restore(engine, &mark, &fresh, error))
        return false;
    const struct mark found = mark;
    if (!skip_cuts(engine, &mark, &cuts, error)) return false;
    if (!inputs_start(&engine->inputs, &mark, error))
        return false;
    if (fresh && !start_at_oldest(engine, &mark, error)) return false;
    char tz_before[sizeof mark.tz_version];
    change_zone_data(engine, &mark, tz_before);
    assert(fresh || !mark_goes_back(&mark, &found));
    shard_restore_done(engine->shard, &mark);
    census_take(&engine->census, engine->shard);
    engine_numbers_begin(engine);
    if (!engine_begin_runs(engine, &mark, error) ||
        !commit_first_mark(engine, &mark, tz_before, &cuts, error) ||
        !engine_follow_reports(engine, error))
        return false;
    warm_foreign(engine);
    int64_t took_ms = (engine_monotonic_us(engine) - began_us) / 1000;
    atomic_store(&engine->numbers.takeover_ms, took_ms);
    observe(engine->ports.observer, OBSERVED_SHARD_TAKEN, engine->options.shard,
            &(struct observed){.epoch = engine->mark.epoch,
                               .jobs = (int64_t)shard_job_count(engine->shard),
                               .watermark_ms = mark.watermark.instant_ms,
                               .took_ms = took_ms});
    return true;
}
