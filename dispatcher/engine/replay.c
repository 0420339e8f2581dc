#include "dispatcher/engine/replay.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
#include "lib/time/zone_stand_in.h"
#include "schemas/job_json.h"
#include "schemas/mark_json.h"
#include "schemas/run_json.h"
#include "schemas/seen_json.h"

enum { LOOK_BACK = 256 }; /* offsets before the snapshot's: the last mark is among them */

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

static bool restore_job(struct engine *engine, struct text value, struct error *error)
{
    struct job_record record;
    assert(!engine->settled); /* memory that is in use is not restored over */
    arena_reset(engine->arena);
    const struct zone_lookup *zones = zone_stand_ins_lookup(engine->zones);
    if (!job_record_decode(value, engine->arena, zones, &record, error)) return false;
    if (!engine->limits.runs && !run_terms_are_usual(&record.definition.runs)) {
        (void)error_invalid(error, CODE_NOT_SUPPORTED,
                            "the runs of %.*s/%.*s are to be followed: the topic runs has to have "
                            "message.timestamp.type=LogAppendTime",
                            (int)record.definition.group.length, record.definition.group.bytes,
                            (int)record.definition.id.length, record.definition.id.bytes);
        return error_at(error, "/lease");
    }
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

/* The lowest free place is taken; the owner before may have allowed more than this one. */
static int64_t run_places(const struct engine *engine)
{
    int64_t open_max = engine->options.settings.runs_open_max;
    return 2 * (open_max > RUNS_OPEN_MAX_DEFAULT ? open_max : RUNS_OPEN_MAX_DEFAULT);
}

bool replay_run_place(const struct engine *engine, struct text name, uint32_t *k)
{
    int64_t number = 0;
    bool leading_zero = name.length > 1 && name.bytes[0] == '0';
    if (leading_zero || !parse_sequence(name, &number) || number >= run_places(engine))
        return false;
    *k = (uint32_t)number;
    return true;
}

static bool find_place(const struct engine *engine, struct text name, uint32_t *k,
                       struct error *error)
{
    return replay_run_place(engine, name, k) ||
           error_invalid(error, CODE_BAD_NAME,
                         "the place of a run is '%.*s', not 0 to %" PRId64
                         "; runs.open_max says how many",
                         (int)(name.length > 20 ? 20 : name.length), name.bytes,
                         run_places(engine) - 1);
}

/* Of a place that is free nothing is kept. */
static bool restore_run(struct engine *engine, uint32_t k, struct text value, struct error *error)
{
    struct run_record record;
    bool open = false;
    assert(!engine->settled);
    arena_reset(engine->arena);
    if (!run_record_decode(value, engine->arena, &record, &open, error)) return false;
    if (open && !engine->limits.runs)
        return error_invalid(error, CODE_NOT_SUPPORTED,
                             "a run of %.*s/%.*s is open: the topic runs has to have "
                             "message.timestamp.type=LogAppendTime",
                             (int)record.group.length, record.group.bytes, (int)record.id.length,
                             record.id.bytes);
    if (open) shard_restore_run(engine->shard, k, &record);
    else shard_restore_run_ended(engine->shard, k);
    return true;
}

bool replay_store_item(void *opaque, const struct store_item *item, struct error *error)
{
    struct engine *engine = opaque;
    int64_t sequence = 0;
    struct text text = {item->text, item->text_bytes};
    if (item->kind == STORE_JOB_PUT) return restore_job(engine, text, error);
    struct text name = {item->name, item->name_bytes};
    uint32_t k = 0;
    if (item->kind == STORE_RUN_PUT)
        return find_place(engine, name, &k, error) && restore_run(engine, k, text, error);
    if (!parse_sequence(name, &sequence))
        return error_invalid(error, CODE_BAD_VALUE, "remembered record with a bad sequence");
    return restore_seen(engine, sequence, text, error);
}

bool replay_key_rest(struct text text, const char *prefix, struct text *rest)
{
    size_t length = strlen(prefix);
    if (text.length <= length || memcmp(text.bytes, prefix, length) != 0) return false;
    *rest = (struct text){text.bytes + length, text.length - length};
    return true;
}

bool replay_split_name(struct text name, struct text *group, struct text *id)
{
    const char *slash = memchr(name.bytes, '/', name.length);
    if (slash == NULL) return false;
    *group = (struct text){name.bytes, (size_t)(slash - name.bytes)};
    *id = (struct text){slash + 1, name.length - group->length - 1};
    return true;
}

static void restore_tombstone(struct engine *engine, struct text name)
{
    struct text group;
    struct text id;
    if (!replay_split_name(name, &group, &id)) return;
    const struct job *job = shard_find(engine->shard, group, id);
    if (job != NULL) checkpointer_job_deleted(engine->checkpointer, job);
    else checkpointer_name_deleted(engine->checkpointer, name);
    shard_restore_deleted(engine->shard, group, id);
}

/* A job of the log's tail: the store may not have it. */
static bool restore_logged_job(struct engine *engine, struct text name, struct text value,
                               struct error *error)
{
    struct text group;
    struct text id;
    if (!restore_job(engine, value, error)) return false;
    if (!replay_split_name(name, &group, &id))
        return error_invalid(error, CODE_BAD_NAME, "job record with a bad key");
    const struct job *job = shard_find(engine->shard, group, id);
    if (job == NULL)
        return error_invalid(error, CODE_BAD_NAME, "job record whose key names another job");
    checkpointer_job_changed(engine->checkpointer, job);
    return true;
}

/* One of the log's tail: the store may not have it, or have another one there. */
static bool restore_logged_run(struct engine *engine, struct text name,
                               const struct broker_input *input, struct error *error)
{
    uint32_t k = 0;
    if (!find_place(engine, name, &k, error)) return false;
    checkpointer_run_changed(engine->checkpointer, k);
    if (!input->tombstone) return restore_run(engine, k, input->value, error);
    shard_restore_run_ended(engine->shard, k); /* ours are written over, but it says the same */
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
    if (replay_key_rest(input->key, "job/", &rest)) {
        if (!input->tombstone) return restore_logged_job(engine, rest, input->value, error);
        restore_tombstone(engine, rest);
        return true;
    }
    if (replay_key_rest(input->key, "run/", &rest))
        return restore_logged_run(engine, rest, input, error);
    if (!replay_key_rest(input->key, "seen/", &rest) || !parse_sequence(rest, &sequence))
        return error_invalid(error, CODE_BAD_NAME, "state record with the unknown key %.*s",
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

bool replay_precedes(const struct mark *mark, const struct mark *snapshot)
{
    if (mark->generation != snapshot->generation) return mark->generation < snapshot->generation;
    if (mark->sequence > snapshot->sequence) return false;
    if (mark->epoch == snapshot->epoch) return strcmp(mark->owner, snapshot->owner) == 0;
    return mark->epoch < snapshot->epoch && mark->sequence < snapshot->sequence;
}

/* And what comes behind its place is of the same owner, or of later ones. */
static bool follows(const struct mark *mark, const struct mark *snapshot)
{
    if (mark->generation != snapshot->generation) return mark->generation > snapshot->generation;
    if (mark->epoch != snapshot->epoch) return mark->epoch > snapshot->epoch;
    return strcmp(mark->owner, snapshot->owner) == 0;
}

/* A record of the log: applied, or, before the place of the snapshot, only looked at. */
static bool replay_record(struct engine *engine, const struct broker_input *input, void *opaque,
                          bool *enough, struct error *error)
{
    struct replay *replay = opaque;
    struct mark before;
    bool is_mark = text_equal(input->key, text_of("mark"));
    if (input->offset >= replay->from) {
        if (replay->snapshot != NULL && !replay->proven) {
            replay->other_branch = true; /* its mark has been compacted away: it is old */
            *enough = true;
            return true;
        }
        replay->records++;
        if (!restore_state_record(engine, input, &replay->mark, &replay->found, error))
            return false;
        if (is_mark && replay->snapshot != NULL && !follows(&replay->mark, replay->snapshot))
            replay->other_branch = true;
        *enough = replay->other_branch;
        return true;
    }
    if (!is_mark || input->tombstone) return true;
    if (!mark_decode(input->value, &before, error)) return false;
    replay->proven = replay_precedes(&before, replay->snapshot);
    replay->other_branch = !replay->proven;
    *enough = replay->other_branch;
    return true;
}

bool replay_read_log(struct engine *engine, int64_t start, int64_t end, replay_visitor *visitor,
                     void *opaque, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    const struct broker_operations *operations = broker->operations;
    if (start >= end) return true;
    if (!operations->start_reading(broker, TOPIC_STATE, start, error)) return false;
    int64_t heard_us = engine_monotonic_us(engine);
    bool ended = false;
    while (!ended) {
        struct broker_input input = {.kind = BROKER_NOTHING};
        if (!operations->poll(broker, REPLAY_POLL_MS, &input, error)) break;
        if (input.kind == BROKER_NOTHING) {
            if (engine_monotonic_us(engine) - heard_us < REPLAY_SILENCE_US &&
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
        bool visited = visitor(engine, &input, opaque, &ended, error);
        if (!visited) name_record(&input, error);
        operations->release(broker, &input);
        if (!visited) break;
    }
    operations->stop_reading(broker, TOPIC_STATE);
    return ended;
}

bool replay_state_log(struct engine *engine, struct replay *replay, struct error *error)
{
    int64_t start = replay->from;
    if (start >= replay->end) return true;
    if (replay->snapshot != NULL) start -= LOOK_BACK;
    if (start < replay->first) start = replay->first;
    return replay_read_log(engine, start, replay->end, replay_record, replay, error);
}
