#include "dispatcher/shard/shard.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/memory.h"

enum { SCHEDULE_LOOKS_MOST = 20000 };

void shard_config_defaults(struct shard_config *config)
{
    *config = (struct shard_config){.shard = 0,
                                    .shards = SHARDS_DEFAULT,
                                    .catchup_per_second = 1000,
                                    .seen_max = SEEN_MAX,
                                    .seen_keep_ms = SEEN_KEEP_MS,
                                    .hash_key = "belfry's tables",
                                    .runs = {.open_max = RUNS_OPEN_MAX_DEFAULT,
                                             .append_times = true}};
}

struct shard *shard_create(const struct shard_config *config)
{
    assert(config->shards >= 1 && config->shards <= SHARDS_MAX);
    assert(config->shard >= 0 && config->shard < config->shards);
    assert(config->catchup_per_second >= 1);
    struct shard *shard = memory_allocate(1, sizeof *shard);
    shard->config = *config;
    shard->jobs = job_table_create(config->hash_key);
    shard->timers = timers_create(config->hash_key);
    shard->seen = seen_table_create(config->hash_key);
    shard->lane_state.then_ms = INSTANT_NONE;
    return shard;
}

void shard_destroy(struct shard *shard)
{
    if (shard == NULL) return;
    timers_destroy(shard->timers); /* schedules only borrow their jobs */
    job_table_destroy(shard->jobs);
    seen_table_destroy(shard->seen);
    runs_destroy(shard->open);
    free(shard->ended);
    alarms_clear(&shard->alarms);
    alarms_clear(&shard->retries);
    job_queue_clear(&shard->lane);
    job_queue_clear(&shard->lane_new);
    job_queue_clear(&shard->undecided);
    job_queue_clear(&shard->backfills);
    job_queue_clear(&shard->zoneless);
    job_queue_clear(&shard->zone_data);
    job_queue_clear(&shard->unread);
    job_queue_clear(&shard->roomless);
    free(shard->targets);
    free(shard->due);
    free(shard->answer);
    free(shard);
}

/* ---- restoring ---- */

static struct schedule *restore_schedule(struct shard *shard, const struct job_record *record,
                                         const struct owed_range *range)
{
    struct schedule_spec spec = range->schedule;
    struct schedule_words words = range->words;
    words.anchor_given = true;
    schedule_settle(&spec, &words, &record->definition, range->jitter_ms,
                    &record->life.incarnation);
    return timers_intern(shard->timers, &spec, &words);
}

static struct debt restored_debt(struct shard *shard, const struct job *job,
                                 const struct job_record *record, const struct owed_range *range)
{
    struct schedule *schedule =
        range->has_schedule ? restore_schedule(shard, record, range) : NULL;
    return debt_of_record(range, schedule, &job->schedule->spec);
}

static void restore_owed(struct shard *shard, struct job *job, const struct job_record *record)
{
    struct ledger *ledger = &job->extra->ledger;
    assert(record->owed_count <= OWED_RANGES_MAX);
    for (size_t i = 0; i < record->owed_count; i++)
        ledger_add(ledger, restored_debt(shard, job, record, &record->owed[i]));
    if (record->tail_from_ms != INSTANT_NONE)
        ledger_open_tail(ledger, record->tail_from_ms, record->tail_undecided);
    if (record->tail_from_ms != INSTANT_NONE && !record->tail_undecided)
        ledger_keep(ledger, record->tail_keeps);
}

static void restore_backfills(struct shard *shard, struct job *job,
                              const struct job_record *record)
{
    for (size_t i = 0; i < record->backfill_count; i++) {
        const struct backfill_record *from = &record->backfills[i];
        assert(from->range.has_schedule);
        struct job_backfill *backfill = backfill_push(job, from->id);
        backfill->rate = from->rate;
        backfill->fired = from->fired;
        job_remember_backfill(job, backfill_hash(from->id)); /* opened by an older version */
        backfill->debt = restored_debt(shard, job, record, &from->range);
    }
}

static bool record_needs_extra(const struct job_record *record)
{
    return !job_state_is_usual(&record->state) || record->tail_from_ms != INSTANT_NONE ||
           record->owed_count != 0 || record->pending_count != 0 || record->backfill_count != 0;
}

static void restore_past(struct job *job, const struct job_record *record)
{
    if (record->import.effective_ms != INCARNATION_NONE_MS) job_set_import(job, &record->import);
    for (size_t i = 0; i < record->backfills_had_count; i++)
        job_remember_backfill(job, record->backfills_had[i]);
}

static void restore_extra(struct shard *shard, struct job *job, const struct job_record *record)
{
    if (!record_needs_extra(record)) return;
    struct job_extra *extra = job_extra(job);
    memcpy(&extra->state, &record->state, sizeof extra->state);
    if (record->pause_reason.length > 0) job_set_pause_reason(job, record->pause_reason);
    job_set_pending(job, record->pending, record->pending_count);
    restore_owed(shard, job, record);
    restore_backfills(shard, job, record);
}

void shard_restore_deleted(struct shard *shard, struct text group, struct text id)
{
    struct job *job = job_table_find(shard->jobs, group, id);
    if (job != NULL) job_remove(shard, job);
}

void shard_restore_job(struct shard *shard, const struct job_record *record)
{
    struct definition settled = record->definition;
    const struct definition *definition = &settled;
    definition_settle(&settled, &record->life.incarnation);
    shard_restore_deleted(shard, definition->group, definition->id);
    struct schedule_words words = definition_words(definition);
    struct schedule *schedule = timers_intern(shard->timers, &definition->schedule, &words);
    struct job *job = job_create(definition, schedule);
    job->life = record->life;
    job->revision = (uint32_t)record->revision;
    if (definition->paused) job->flags |= JOB_PAUSED;
    if (record->state.finished_ms != INSTANT_NONE) job->flags |= JOB_FINISHED;
    restore_past(job, record);
    restore_extra(shard, job, record);
    job_table_add(shard->jobs, job);
}

void shard_restore_seen(struct shard *shard, int64_t sequence, const struct seen *seen)
{
    seen_table_add(shard->seen, sequence, seen);
}

void shard_restore_seen_expired(struct shard *shard, int64_t sequence)
{
    seen_table_drop(shard->seen, sequence);
}

void shard_restore_look(struct shard *shard)
{
    seen_table_order(shard->seen);
}

bool shard_restore_fits(const struct shard *shard, const struct mark *mark, struct error *error)
{
    int64_t jobs = (int64_t)job_table_count(shard->jobs);
    if (mark->jobs != MARK_JOBS_UNKNOWN && mark->jobs != jobs)
        return error_set(error, ERROR_FATAL, "%lld jobs were restored, the last mark says %lld",
                         (long long)jobs, (long long)mark->jobs);
    int64_t runs = (int64_t)shard_open_runs(shard);
    if (mark->runs != MARK_RUNS_UNKNOWN && mark->runs != runs)
        return error_set(error, ERROR_FATAL, "%lld open runs were restored, the last mark says "
                         "%lld", (long long)runs, (long long)mark->runs);
    if (mark->in_command.active && mark->watermark.ordinal != WATERMARK_WHOLE)
        return error_set(error, ERROR_FATAL,
                         "the last mark stands within an instant and within a command");
    for (uint32_t slot = 0; slot < job_table_slots(shard->jobs); slot++) {
        const struct job *job = job_table_at(shard->jobs, slot);
        if (job != NULL && job->life.ordinal >= mark->next_ordinal)
            return error_set(error, ERROR_FATAL, "a job has the ordinal %lld, the last mark says "
                             "that the next one is %lld", (long long)job->life.ordinal,
                             (long long)mark->next_ordinal);
    }
    return true;
}

static int by_ordinal(const void *left, const void *right)
{
    const struct job *a = *(struct job *const *)left;
    const struct job *b = *(struct job *const *)right;
    return (a->life.ordinal > b->life.ordinal) - (a->life.ordinal < b->life.ordinal);
}

void shard_restore_done(struct shard *shard, const struct mark *mark)
{
    assert(mark->shards == shard->config.shards);
    shard->watermark = mark->watermark;
    shard->next_ordinal = mark->next_ordinal;
    shard->in_command = mark->in_command;
    seen_table_order(shard->seen);
    /* In order of ordinal, so that queues stand as in any other restoring of the same state. */
    size_t count = 0;
    struct job **jobs = memory_allocate(job_table_count(shard->jobs), sizeof *jobs);
    for (uint32_t slot = 0; slot < job_table_slots(shard->jobs); slot++) {
        struct job *job = job_table_at(shard->jobs, slot);
        if (job != NULL) jobs[count++] = job;
    }
    qsort(jobs, count, sizeof(struct job *), by_ordinal);
    for (size_t i = 0; i < count; i++) {
        assert(jobs[i]->life.ordinal < shard->next_ordinal);
        zoneless_restore(shard, jobs[i]);
        if (mark->tz_changed_ms != 0) zone_data_changed(shard, jobs[i], mark->tz_changed_ms);
        job_settle(shard, jobs[i]);
    }
    free(jobs);
}

/* ---- looking ---- */

int64_t shard_effective_ms(const struct shard *shard, int64_t log_time_ms, int64_t now_ms)
{
    int64_t effective_ms = log_time_ms < now_ms ? log_time_ms : now_ms;
    return effective_ms > shard->watermark.instant_ms ? effective_ms
                                                      : shard->watermark.instant_ms;
}

void shard_fill_mark(const struct shard *shard, struct mark *mark)
{
    mark->watermark = shard->watermark;
    mark->next_ordinal = shard->next_ordinal;
    mark->in_command = shard->in_command;
    if (shard->zone_data.count == 0) mark->tz_changed_ms = 0; /* all records say what it means */
    mark->shards = shard->config.shards;
}

bool shard_is_written(const struct shard *shard)
{
    return shard->zone_data.count == 0 && shard->zoneless.count == 0;
}

struct watermark shard_watermark(const struct shard *shard)
{
    return shard->watermark;
}

int64_t shard_next_live_ms(const struct shard *shard)
{
    int64_t due_ms = INT64_MAX;
    const struct alarm *alarm = alarms_first(&shard->alarms);
    if (!timers_earliest(shard->timers, &due_ms)) due_ms = INT64_MAX;
    if (alarm != NULL && alarm->at_ms < due_ms) due_ms = alarm->at_ms;
    return due_ms;
}

int64_t shard_next_due_ms(const struct shard *shard, int64_t now_ms)
{
    int64_t due_ms = shard_next_live_ms(shard);
    const struct alarm *retry = alarms_first(&shard->retries);
    if (retry != NULL && retry->at_ms < due_ms) due_ms = retry->at_ms;
    if (shard->undecided.count > 0 || shard->ended_count > 0 || shard_has_turns(shard))
        due_ms = now_ms;
    int64_t turn_ms = shard_lane_due_ms(shard);
    return turn_ms < due_ms ? turn_ms : due_ms;
}

size_t shard_job_count(const struct shard *shard)
{
    return job_table_count(shard->jobs);
}

uint32_t shard_slots(const struct shard *shard)
{
    return job_table_slots(shard->jobs);
}

struct job *shard_job_at(const struct shard *shard, uint32_t slot)
{
    return job_table_at(shard->jobs, slot);
}

struct job *shard_find(const struct shard *shard, struct text group, struct text id)
{
    return job_table_find(shard->jobs, group, id);
}

const struct in_command *shard_in_command(const struct shard *shard)
{
    return &shard->in_command;
}

void shard_expire_seen(struct shard *shard, const struct sink *sink)
{
    int64_t before_ms = shard->watermark.instant_ms - shard->config.seen_keep_ms;
    int64_t sequence = 0;
    while (!sink->full(sink->opaque) &&
           seen_table_expire(shard->seen, before_ms, shard->config.seen_max, &sequence))
        sink->seen_expired(sink->opaque, sequence);
}

bool shard_next_seen(const struct shard *shard, uint32_t *cursor, int64_t *sequence,
                     struct seen *seen)
{
    return seen_table_next(shard->seen, cursor, sequence, seen);
}

uint32_t shard_seen_from(const struct shard *shard, int64_t sequence)
{
    return seen_table_from(shard->seen, sequence);
}

size_t shard_seen_records(const struct shard *shard)
{
    return seen_table_sequences(shard->seen);
}

int64_t shard_oldest_owed_ms(const struct shard *shard, const struct job *job)
{
    struct job_slot slot;
    if (!job_owes(job)) return INSTANT_NONE;
    struct terms terms = job_terms(job);
    if (!ledger_front(&job->extra->ledger, &terms, shard->watermark.instant_ms, &slot))
        return INSTANT_NONE;
    return slot.due_ms;
}

struct shard_backlog shard_backlog(const struct shard *shard)
{
    int64_t slots = shard->lane_state.slots;
    int64_t jobs = (int64_t)(shard->lane.count + shard->lane_new.count);
    if (shard->lane_new.count > 0 && slots < jobs) slots = jobs;
    return (struct shard_backlog){slots, slots * 1000 / shard->config.catchup_per_second};
}

int64_t shard_jobs_due_by(const struct shard *shard, int64_t until_ms)
{
    return timers_due_by(shard->timers, until_ms, SCHEDULE_LOOKS_MOST);
}

void shard_count(const struct shard *shard, struct shard_counts *counts)
{
    *counts = (struct shard_counts){.jobs = job_table_count(shard->jobs),
                                    .seen = seen_table_count(shard->seen),
                                    .alarms = shard->alarms.count};
    for (uint32_t slot = 0; slot < job_table_slots(shard->jobs); slot++) {
        const struct job *job = job_table_at(shard->jobs, slot);
        if (job == NULL) continue;
        counts->paused += (job->flags & JOB_PAUSED) != 0;
        counts->failing += job_is_failing(job);
        counts->owing += job_owes(job);
        counts->heavy += job_extra_is_idle(job);
    }
}
