#include "dispatcher/recovery/recover.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "dispatcher/engine/replay.h"
#include "dispatcher/jobs/job.h"
#include "dispatcher/recovery/recover_topic.h"
#include "lib/base/memory.h"
#include "schemas/job_json.h"
#include "schemas/run_json.h"
#include "store/store_whole.h"

enum { STORE_WAIT_MS = 60000, SETTLE_LOOKS = 100, SETTLE_MS = 50 };

/* Keys and texts, in the order they came. */
struct text_list {
    char **items;
    size_t count;
    size_t capacity;
};

static void list_add(struct text_list *list, struct text text)
{
    list->items = memory_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = memory_copy_text(text.bytes, text.length);
}

static void list_free(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

/* ---- looking ---- */

/* Something would be lost that need not be: only when the operator insists. */
static void insist(const struct recover_options *options, struct recover_plan *plan,
                   const char *reason)
{
    plan->action = options->force ? RECOVER_WRITE : RECOVER_REFUSE;
    plan->reason = reason;
}

static void judge_without_store(const struct recover_options *options, struct recover_plan *plan)
{
    plan->action = RECOVER_NOTHING;
    if (plan->log_found && plan->log.recovering)
        insist(options, plan, "an earlier recover has not ended, and Redis has lost the shard");
    else if (plan->log_found) plan->reason = "Redis holds nothing of it, the state log does";
    else if (plan->inputs[INPUT_CONTROL].first == 0 && !plan->log_cut)
        plan->reason = "both are empty: a daemon begins it";
    else insist(options, plan, "neither Redis nor the state log holds anything of it");
}

/* How the state log stands to what Redis has. */
struct findings {
    bool same_mark; /* the log and Redis stand at the same mark */
    bool agree;     /* and the inputs reach to there */
    bool other;     /* control or forward was made anew */
    bool log_fits;  /* the log is not behind Redis */
};

static struct findings compare(const struct recover_plan *plan)
{
    const struct mark *log = &plan->log;
    const struct mark *store = &plan->store.mark;
    struct findings found = {0};
    bool same_generation = plan->log_found && log->generation == store->generation;
    found.log_fits = (plan->log_found && log->generation > store->generation) ||
                     (same_generation && log->sequence >= store->sequence);
    found.same_mark = same_generation && log->epoch == store->epoch &&
                      log->sequence == store->sequence && strcmp(log->owner, store->owner) == 0;
    found.agree = found.same_mark;
    for (int i = 0; i < INPUTS_COMMANDS; i++) {
        found.other = found.other || plan->inputs[i].other;
        found.agree = found.agree && recover_reads_on(log->inputs[i].offset, &plan->inputs[i]);
    }
    return found;
}

/* The log is not behind Redis: it is believed, unless the operator insists. */
static void judge_fitting_log(const struct recover_options *options, bool other,
                              struct recover_plan *plan)
{
    if (options->force) {
        plan->reason = "the state log is not behind, but --force says so";
    } else if (other) {
        plan->action = RECOVER_REFUSE;
        plan->reason = "control or forward was made anew, and the state log is not behind Redis: "
                       "--from kafka goes on";
    } else {
        plan->action = RECOVER_NOTHING;
        plan->reason = "the state log is not behind Redis";
    }
}

static void judge_store(const struct engine *engine, const struct recover_options *options,
                        struct recover_plan *plan)
{
    if (!plan->store_found) {
        judge_without_store(options, plan);
        return;
    }
    struct findings found = compare(plan);
    plan->action = RECOVER_WRITE;
    if (plan->store.mark.shards != engine->options.shards) {
        plan->action = RECOVER_REFUSE;
        plan->reason = "Redis was written for another number of shards";
    } else if (plan->log_found && plan->log.recovering) {
        plan->reason = "an earlier recover has not ended";
    } else if (found.same_mark && found.other) {
        plan->reason = "control or forward was made anew";
    } else if (found.agree && !options->force) {
        plan->action = RECOVER_NOTHING;
        plan->reason = "the state log and Redis agree";
    } else if (!options->same_kafka) {
        plan->reason = "the checkpoint is of another Kafka";
    } else if (found.log_fits) {
        judge_fitting_log(options, found.other, plan);
    } else {
        plan->reason = plan->log_found ? "the state log is behind Redis" : "the state log is empty";
    }
    if (plan->action == RECOVER_WRITE && !snapshot_check_whole(&plan->store, &(struct error){0}))
        insist(options, plan, "Redis has lost a part of it; belfry doctor says how much");
}

static void judge_log(const struct recover_options *options, struct recover_plan *plan)
{
    plan->action = RECOVER_WRITE;
    if (plan->log_found && plan->log.recovering)
        insist(options, plan, "a recover --from redis has not ended: the log is half written");
    else if (plan->log_found) plan->reason = "the state log holds";
    else if (plan->store_found && plan->store.job_count > 0)
        insist(options, plan, "the state log is empty: the jobs in Redis would be forgotten");
    else if (plan->store_found || plan->inputs[INPUT_CONTROL].first > 0 || plan->log_cut)
        plan->reason = "an empty shard";
    else {
        plan->action = RECOVER_NOTHING;
        plan->reason = "both are empty: a daemon begins it";
    }
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A large command that is under way can be gone on with where its record still is. */
static bool is_half_applied(const struct recover_plan *plan)
{
    const struct in_command *begun = &plan->mark.in_command;
    const struct recover_topic *topic = &plan->inputs[begun->input];
    return begun->active &&
           !(topic->kept && mark_read_to(&plan->mark, begun->input) <= topic->end);
}

/* The mark to go on with: the trusted side's, with positions that this Kafka has. */
static bool make_mark(struct engine *engine, const struct recover_options *options,
                      struct recover_plan *plan, struct error *error)
{
    bool from_store = options->from == RECOVER_FROM_STORE;
    struct mark *mark = &plan->mark;
    int64_t now_ms = engine_wall_ms(engine);
    int64_t marked_ms = from_store ? plan->store.written_at_ms : plan->log_time_ms;
    if (from_store && plan->store_found) *mark = plan->store.mark;
    else if (!from_store && plan->log_found) *mark = plan->log;
    else *mark = (struct mark){.next_ordinal = 1, .watermark = {now_ms, WATERMARK_WHOLE}};
    if (from_store ? !plan->store_found : !plan->log_found) marked_ms = 0;
    bool same = from_store ? options->same_kafka : plan->log_found;
    for (enum input input = 0; input < INPUTS_COMMANDS; input++) {
        struct recover_topic *topic = &plan->inputs[input];
        if (!recover_fit_offset(options, input, same, mark, marked_ms, topic, error)) return false;
        mark->inputs[input].offset = topic->from;
        if (!topic->kept) mark->inputs[input].last = (struct last_read){0};
    }
    if (!recover_fit_runs(engine, options, mark, error)) return false;
    plan->half_applied = is_half_applied(plan);
    if (plan->half_applied) mark->in_command = (struct in_command){0};
    mark->jobs = MARK_JOBS_UNKNOWN; /* the log is believed as it is */
    mark->runs = MARK_RUNS_UNKNOWN;
    const struct mark none = {0};
    const struct mark *log = plan->log_found ? &plan->log : &none;
    const struct mark *store = plan->store_found ? &plan->store.mark : &none;
    mark->generation = larger(log->generation, store->generation) + 1;
    mark->epoch = larger(log->epoch, store->epoch) + 1;
    mark->sequence = larger(log->sequence, store->sequence);
    mark->shards = engine->options.shards;
    mark->layout = STATE_LAYOUT;
    mark->recovering = true;
    (void)snprintf(mark->owner, sizeof mark->owner, "%s", engine->options.owner);
    return true;
}

/* A snapshot that cannot be read is as none where the log is believed. */
static bool look_at_store(struct engine *engine, const struct recover_options *options,
                          struct recover_plan *plan, struct error *error)
{
    struct checkpoint_port *port = engine->ports.checkpoint;
    struct error unreadable = {0};
    if (port->operations->read_snapshot(port, &plan->store, &plan->store_found, &unreadable))
        return true;
    plan->store_found = false;
    if (unreadable.kind == ERROR_INVALID && options->from != RECOVER_FROM_STORE) return true;
    *error = unreadable;
    return false;
}

bool recover_look(struct engine *engine, const struct recover_options *options,
                  struct recover_plan *plan, struct error *error)
{
    *plan = (struct recover_plan){0};
    engine->state_first_look = 0;
    if (!look_at_store(engine, options, plan, error)) return false;
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        if (!recover_look_at_topic(engine, options, input_topic(input), &plan->inputs[input],
                                   error))
            return false;
    if (!options->missing[TOPIC_STATE] &&
        !engine_read_last_mark(engine, &plan->log, &plan->log_time_ms, &plan->log_found, error))
        return false;
    struct recover_topic state;
    if (!recover_look_at_topic(engine, options, TOPIC_STATE, &state, error)) return false;
    plan->log_cut = !plan->log_found && state.first > 0;
    const struct mark *mark = plan->log_found ? &plan->log : &plan->store.mark;
    bool known = plan->log_found || (plan->store_found && options->same_kafka);
    if (known && !recover_look_whether_other(engine, options, mark, plan, error)) return false;
    if (options->from == RECOVER_FROM_STORE) judge_store(engine, options, plan);
    else judge_log(options, plan);
    return plan->action != RECOVER_WRITE || make_mark(engine, options, plan, error);
}

/* ---- from the store into the state log ---- */

/* One shard under way. */
struct recovery {
    struct engine *engine;
    const struct recover_options *options;
    struct shard *shard;     /* as the store has it; never stepped */
    struct text_list seen;   /* "<sequence> <record>" of the store */
    struct text_list stale;  /* keys of the log that are to go */
    int64_t ordinal_max;
    struct recover_report *report;
};

static bool read_item(void *opaque, const struct store_item *item, struct error *error)
{
    struct recovery *recovery = opaque;
    if (!replay_store_item(recovery->engine, item, error)) {
        char message[ERROR_MESSAGE_BYTES];
        (void)snprintf(message, sizeof message, "Redis: %s %.*s: %.150s",
                       item->kind == STORE_JOB_PUT   ? "job"
                       : item->kind == STORE_RUN_PUT ? "run"
                                                     : "seen",
                       (int)(item->name_bytes > 60 ? 60 : item->name_bytes), item->name,
                       error->message);
        (void)snprintf(error->message, sizeof error->message, "%s", message);
        return false;
    }
    if (item->kind != STORE_SEEN_PUT) return true;
    struct text_writer line;
    text_writer_init(&line);
    text_writer_raw(&line, (struct text){item->name, item->name_bytes});
    text_writer_char(&line, ' ');
    text_writer_raw(&line, (struct text){item->text, item->text_bytes});
    list_add(&recovery->seen, text_writer_text(&line));
    text_writer_free(&line);
    return true;
}

/* Whether the record is written over with what Redis has. */
static bool is_kept(const struct engine *engine, struct text key)
{
    struct text rest;
    struct text group;
    struct text id;
    struct run_view view;
    uint32_t k = 0;
    if (replay_key_rest(key, "job/", &rest))
        return replay_split_name(rest, &group, &id) && shard_find(engine->shard, group, id) != NULL;
    return replay_key_rest(key, "run/", &rest) && replay_run_place(engine, rest, &k) &&
           shard_look_run(engine->shard, k, &view);
}

static bool note_stale(struct engine *engine, const struct broker_input *input, void *opaque,
                       bool *enough, struct error *error)
{
    struct recovery *recovery = opaque;
    (void)error;
    (void)enough;
    if (input->tombstone || text_equal(input->key, text_of("mark")) ||
        is_kept(engine, input->key))
        return true;
    list_add(&recovery->stale, input->key);
    return true;
}

/* Commits when the transaction is full, or at the end. */
static bool commit_some(struct recovery *recovery, bool last, struct error *error)
{
    struct engine *engine = recovery->engine;
    if (!last && !outbox_is_full(engine->outbox)) return true;
    if (last) engine->mark.recovering = false;
    return engine_commit(engine, error);
}

static void put_state(struct recovery *recovery, struct text key, struct text value)
{
    struct engine *engine = recovery->engine;
    outbox_add(engine->outbox, TOPIC_STATE, engine->options.shard, key, value, NULL, 0);
}

/* The place of a run that is over is written over, as ever. */
static bool write_stale(struct recovery *recovery, struct error *error)
{
    struct text_writer free_place;
    bool written = true;
    text_writer_init(&free_place);
    run_record_encode_free(&free_place);
    for (size_t i = 0; written && i < recovery->stale.count; i++) {
        struct text key = text_of(recovery->stale.items[i]);
        struct text rest;
        bool is_run = replay_key_rest(key, "run/", &rest);
        put_state(recovery, key, is_run ? text_writer_text(&free_place) : (struct text){NULL, 0});
        written = commit_some(recovery, false, error);
    }
    text_writer_free(&free_place);
    return written;
}

static bool write_seen(struct recovery *recovery, struct error *error)
{
    bool written = true;
    for (size_t i = 0; written && i < recovery->seen.count; i++) {
        char key[64];
        const char *text = strchr(recovery->seen.items[i], ' ');
        assert(text != NULL);
        (void)snprintf(key, sizeof key, "seen/%.*s", (int)(text - recovery->seen.items[i]),
                       recovery->seen.items[i]);
        put_state(recovery, text_of(key), text_of(text + 1));
        written = commit_some(recovery, false, error);
    }
    return written;
}

static bool write_jobs(struct recovery *recovery, struct error *error)
{
    struct engine *engine = recovery->engine;
    int64_t watermark_ms = engine->mark.watermark.instant_ms;
    struct text_writer value;
    struct text_writer key;
    bool written = true;
    text_writer_init(&value);
    text_writer_init(&key);
    for (uint32_t slot = 0; written && slot < shard_slots(recovery->shard); slot++) {
        const struct job *job = shard_job_at(recovery->shard, slot);
        if (job == NULL) continue;
        struct job_record record;
        job_view_record(job, &record);
        /* A job may be younger than the snapshot: what it owes begins where that stands. */
        if (record.tail_from_ms != INSTANT_NONE && record.tail_from_ms > watermark_ms)
            record.tail_from_ms = watermark_ms;
        text_writer_reset(&value);
        text_writer_reset(&key);
        job_record_encode(&value, &record);
        text_writer_words(&key, "job/");
        text_writer_raw(&key, job_name(job));
        put_state(recovery, text_writer_text(&key), text_writer_text(&value));
        written = commit_some(recovery, false, error);
        recovery->report->jobs++;
        if (recovery->options->progress != NULL)
            recovery->options->progress(recovery->options->opaque, recovery->report->jobs);
    }
    text_writer_free(&value);
    text_writer_free(&key);
    return written;
}

static bool write_runs(struct recovery *recovery, struct error *error)
{
    const struct runs *runs = shard_runs(recovery->shard);
    struct text_writer value;
    bool written = true;
    text_writer_init(&value);
    for (uint32_t k = 0; written && runs != NULL && k < runs_top(runs); k++) {
        char key[32];
        struct run_view view;
        if (!shard_look_run(recovery->shard, k, &view)) continue;
        text_writer_reset(&value);
        run_record_encode(&value, &view.record);
        (void)snprintf(key, sizeof key, "run/%" PRIu32, k);
        put_state(recovery, text_of(key), text_writer_text(&value));
        written = commit_some(recovery, false, error);
        recovery->report->runs++;
    }
    text_writer_free(&value);
    return written;
}

/* Redis is told where the log stands now: a position, no jobs. */
static bool move_snapshot(struct recovery *recovery, const struct recover_plan *plan,
                          int64_t state_offset, struct error *error)
{
    struct engine *engine = recovery->engine;
    struct checkpoint_port *port = engine->ports.checkpoint;
    const struct mark *mark = &engine->mark;
    struct snapshot snapshot = {.mark = *mark,
                                .state_offset = state_offset,
                                .written_at_ms = engine_wall_ms(engine),
                                .job_count = recovery->report->jobs,
                                .run_count = recovery->report->runs,
                                .seen_count = -1};
    struct store_group *group = store_group_create(&(struct store_group_options){
        .shard = engine->options.shard,
        .mode = STORE_CHANGE,
        .generation = mark->generation,
        .epoch = mark->epoch,
        .follows_sequence = plan->store.mark.sequence,
        .token = 1});
    store_group_finish(group, &snapshot);
    port->operations->submit(port, group);
    int32_t next_part = 0;
    switch (port->operations->wait(port, STORE_WAIT_MS, &next_part, error)) {
    case CHECKPOINT_WRITTEN: return true;
    case CHECKPOINT_DAMAGED: return true; /* an older generation: to be written anew */
    case CHECKPOINT_AWAY: return false;
    case CHECKPOINT_GAP:
    case CHECKPOINT_STALE:
        return error_set(error, ERROR_FENCED, "Redis has been written to meanwhile");
    case CHECKPOINT_IDLE:
    case CHECKPOINT_LOOKED:
    case CHECKPOINT_BUSY: break;
    }
    return error_set(error, ERROR_RETRY, "Redis does not answer");
}

static bool is_last(struct engine *engine, bool *last, struct error *error)
{
    struct mark mark;
    int64_t log_time_ms = 0;
    bool found = false;
    if (!engine_read_last_mark(engine, &mark, &log_time_ms, &found, error)) return false;
    *last = found && mark.generation == engine->mark.generation &&
            mark.epoch == engine->mark.epoch && mark.sequence == engine->mark.sequence &&
            strcmp(mark.owner, engine->mark.owner) == 0;
    return true;
}

/* An end of the state log that has our last mark before it, and nothing of another owner. */
static bool settled_end(struct engine *engine, int64_t *offset, struct error *error)
{
    bool last = false;
    for (int look = 0; look < SETTLE_LOOKS; look++) { /* a commit is seen a moment later */
        if (look > 0) engine_sleep_ms(engine, SETTLE_MS);
        if (!is_last(engine, &last, error)) return false;
        if (!last) continue;
        if (!engine_state_offset(engine, offset))
            return error_set(error, ERROR_RETRY, "the end of the state log cannot be asked for");
        if (!is_last(engine, &last, error)) return false;
        if (last) return true;
    }
    return error_set(error, ERROR_FENCED, "another owner has written the mark");
}

/* The state log's first transactions say `recovering`; the last one does not. */
static bool write_log(struct recovery *recovery, const struct recover_plan *plan,
                      struct error *error)
{
    struct engine *engine = recovery->engine;
    int64_t state_offset = 0;
    engine->mark = plan->mark;
    engine->mark.jobs = (int64_t)shard_job_count(recovery->shard);
    engine->mark.runs = (int64_t)shard_open_runs(recovery->shard);
    engine->mark.next_ordinal = larger(plan->mark.next_ordinal, recovery->ordinal_max + 1);
    engine_stand_at(engine, &plan->mark);
    outbox_begin(engine->outbox, engine->mark.sequence + 1);
    if (!engine_commit(engine, error)) return false; /* from here on no daemon takes it */
    if (!write_stale(recovery, error) || !write_seen(recovery, error) ||
        !write_jobs(recovery, error) || !write_runs(recovery, error))
        return false;
    if (!commit_some(recovery, true, error)) return false;
    recovery->report->mark = engine->mark;
    return !plan->store_found || (settled_end(engine, &state_offset, error) &&
                                  move_snapshot(recovery, plan, state_offset, error));
}

static bool run_from_store(struct engine *engine, const struct recover_options *options,
                           const struct recover_plan *plan, struct recover_report *report,
                           struct error *error)
{
    struct recovery recovery = {.engine = engine, .options = options, .report = report};
    struct checkpoint_port *port = engine->ports.checkpoint;
    int64_t first = 0;
    int64_t end = 0;
    engine_start_empty(engine);
    bool done = (!plan->store_found ||
                 port->operations->read_items(port, read_item, &recovery, error)) &&
                engine->ports.broker->operations->offsets(engine->ports.broker, TOPIC_STATE,
                                                          &first, &end, error) &&
                replay_read_log(engine, first, end, note_stale, &recovery, error);
    for (uint32_t slot = 0; slot < shard_slots(engine->shard); slot++) {
        const struct job *job = shard_job_at(engine->shard, slot);
        if (job != NULL) recovery.ordinal_max = larger(recovery.ordinal_max, job->life.ordinal);
    }
    recovery.shard = engine->shard;
    engine->shard = NULL; /* the marks say what the plan says, not what an unsettled shard says */
    report->removed = (int64_t)recovery.stale.count;
    done = done && write_log(&recovery, plan, error);
    shard_destroy(recovery.shard);
    list_free(&recovery.seen);
    list_free(&recovery.stale);
    return done;
}

/* ---- the state log before the store ---- */

/* First the store forgets, then the log gets its new generation: killed between the two, a daemon
 * takes the log. */
static bool run_from_log(struct engine *engine, const struct recover_options *options,
                         const struct recover_plan *plan, struct recover_report *report,
                         struct error *error)
{
    engine_start_empty(engine);
    shard_destroy(engine->shard);
    engine->shard = NULL;
    if (!options->drop_store(options->opaque, error)) return false;
    engine->mark = plan->mark;
    engine->mark.recovering = false;
    engine_stand_at(engine, &plan->mark);
    outbox_begin(engine->outbox, engine->mark.sequence + 1);
    if (!engine_commit(engine, error)) return false;
    report->mark = engine->mark;
    return true;
}

bool recover_run(struct engine *engine, const struct recover_options *options,
                 struct recover_plan *plan, struct recover_report *report, struct error *error)
{
    *report = (struct recover_report){0};
    engine_forget(engine);
    bool done = engine_open_producer(engine, error) &&
                recover_look(engine, options, plan, error);
    if (done && plan->action == RECOVER_REFUSE)
        done = error_set(error, ERROR_FATAL, "shard %" PRId32 ": %s", engine->options.shard,
                         plan->reason);
    if (done && plan->action == RECOVER_WRITE)
        done = options->from == RECOVER_FROM_STORE
                   ? run_from_store(engine, options, plan, report, error)
                   : run_from_log(engine, options, plan, report, error);
    engine->ports.broker->operations->close_producer(engine->ports.broker);
    engine_forget(engine);
    return done;
}
