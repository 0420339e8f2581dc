/* The watermark moves: alarms and slots come due, in order of (due, ordinal). */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/memory.h"

/* ---- one slot ---- */

/* After a live fire: counts towards max_fires, and ends the job that has no further slot. */
__attribute__((warn_unused_result)) static struct job *
slot_fired(struct shard *shard, struct job *job, const struct due_list *list, int64_t due_ms,
           int64_t now_ms, const struct sink *sink)
{
    bool more = list->has_next;
    bool counted = false;
    if (job->flags & JOB_BOUNDED) {
        struct definition definition;
        job_view(job, &definition);
        if (definition.max_fires > 0) {
            job_extra(job)->state.counted_fires++;
            counted = true;
        }
        more = more && !job_fires_used_up(job) &&
               schedule_nominal(&list->schedule->spec, list->next_ms) < definition.end_ms;
    }
    if ((job->flags & JOB_FOREIGN) && job_fires_used_up(job))
        ledger_take_tail_away(&job->extra->ledger, shard->timers, due_ms);
    if (!more && (!job_has_pending(job) || job_fires_used_up(job)))
        return job_finish(shard, job, now_ms, sink);
    if (counted) sink->job_changed(sink->opaque, job);
    return job;
}

__attribute__((warn_unused_result)) static struct job *
slot_due(struct shard *shard, struct job *job, const struct due_list *list, int64_t due_ms,
         int64_t now_ms, const struct sink *sink)
{
    assert((job->flags & (JOB_PAUSED | JOB_FINISHED)) == 0);
    struct job_slot slot = {schedule_nominal(&list->schedule->spec, due_ms), due_ms};
    if (job->flags & JOB_BOUNDED) {
        struct definition definition;
        job_view(job, &definition);
        if (definition.start_ms != START_NONE && slot.nominal_ms < definition.start_ms) return job;
        if (slot.nominal_ms >= definition.end_ms)
            return job_owes(job) || job_has_pending(job) ? job
                                                         : job_finish(shard, job, now_ms, sink);
    }
    bool late = job_is_late(job, due_ms, now_ms);
    if (late && overlap_settle(shard, job, due_ms - 1, due_ms, sink))
        sink->job_changed(sink->opaque, job);
    if ((job->flags & JOB_LEASE) && !late && !job_is_undecided(job) &&
        overlap_meets(shard, job, due_ms, sink))
        return job;
    if (job_owes(job)) {
        if (late) lane_owe_more(shard, job, due_ms, sink);
        else lane_join(shard, job);
    } else if (late) {
        lane_owe(shard, job, due_ms, sink);
    } else {
        job_fire(shard, job, FIRE_SCHEDULE, slot, now_ms, 0, 1, sink);
        return slot_fired(shard, job, list, due_ms, now_ms, sink);
    }
    return job;
}

/* ---- the slots of one instant ---- */

/* All schedules with jobs due at due_ms, out of the index. Lists start above `ordinal`. */
static size_t gather(struct shard *shard, int64_t due_ms, int64_t ordinal)
{
    size_t count = 0;
    struct schedule *schedule = NULL;
    while ((schedule = timers_pop(shard->timers, due_ms)) != NULL) {
        assert(schedule->next_ms == due_ms);
        shard->due = memory_grow(shard->due, &shard->due_capacity, count + 1, sizeof *shard->due);
        struct due_list *list = &shard->due[count++];
        list->schedule = timers_retain(schedule); /* its last job may go while it is walked */
        list->at = schedule_first_above(schedule, ordinal);
        list->has_next = schedule_next(&schedule->spec, due_ms, &list->next_ms);
    }
    return count;
}

/* Whether each job left in the list has an undecided tail, which covers whatever comes due up to
 * the instant the advance is going to: then these instants need not be walked one by one. */
static bool all_covered(const struct schedule *schedule)
{
    for (uint32_t i = 0; i < schedule->job_count; i++) {
        const struct job *job = schedule->jobs[i];
        if (job != NULL && !job_is_undecided(job)) return false;
    }
    return true;
}

static void put_back(struct shard *shard, size_t count, int64_t due_ms, int64_t to_ms, bool done)
{
    const struct alarm *alarm = alarms_first(&shard->alarms);
    if (alarm != NULL && alarm->at_ms <= to_ms) /* it may bring a job that is not covered */
        to_ms = alarm->at_ms > due_ms ? alarm->at_ms - 1 : due_ms;
    for (size_t i = 0; i < count; i++) {
        struct due_list *list = &shard->due[i];
        struct schedule *schedule = list->schedule;
        if (!done)
            *list = (struct due_list){.has_next = true, .next_ms = due_ms};
        else if (list->has_next && list->next_ms <= to_ms && all_covered(schedule))
            list->has_next = schedule_next(&schedule->spec, to_ms, &list->next_ms);
        timers_reinsert(shard->timers, schedule, list->has_next, list->next_ms);
        timers_release(shard->timers, schedule);
    }
}

static struct job *list_head(const struct due_list *list)
{
    return list->at < list->schedule->job_count ? list->schedule->jobs[list->at] : NULL;
}

static bool list_before(const struct due_list *a, const struct due_list *b)
{
    return list_head(a)->life.ordinal < list_head(b)->life.ordinal;
}

static void lists_down(struct due_list *lists, size_t count, size_t at)
{
    struct due_list moving = lists[at];
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= count) break;
        if (child + 1 < count && list_before(&lists[child + 1], &lists[child])) child++;
        if (!list_before(&lists[child], &moving)) break;
        lists[at] = lists[child];
        at = child;
    }
    lists[at] = moving;
}

/* Walks the lists merged by ordinal; those done move behind the others. False: full. */
static bool walk(struct shard *shard, size_t count, int64_t due_ms, int64_t now_ms,
                 const struct sink *sink)
{
    struct due_list *lists = shard->due;
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        if (list_head(&lists[i]) == NULL) continue;
        struct due_list list = lists[i];
        lists[i] = lists[open];
        lists[open++] = list;
    }
    for (size_t i = open / 2; i-- > 0;) lists_down(lists, open, i);
    while (open > 0) {
        if (sink->full(sink->opaque)) return false;
        struct due_list *list = &lists[0];
        struct job *job = list_head(list);
        shard->watermark = (struct watermark){.instant_ms = due_ms, .ordinal = job->life.ordinal};
        list->at++; /* first: the job may be gone after its slot */
        job = slot_due(shard, job, list, due_ms, now_ms, sink);
        if (list_head(list) == NULL) {
            struct due_list done = *list;
            lists[0] = lists[--open];
            lists[open] = done;
        }
        if (open > 0) lists_down(lists, open, 0);
    }
    return true;
}

/* ---- alarms ---- */

__attribute__((warn_unused_result)) static struct job *
alarm_rings(struct shard *shard, struct job *job, const struct alarm *alarm, int64_t now_ms,
            const struct sink *sink)
{
    if (shard_pending_rings(job, alarm->at_ms))
        return job_fire_pending(shard, job, alarm->at_ms, now_ms, sink);
    if (job->flags & JOB_PAUSED) { /* a slot at `until` fires: the pause ends just before it */
        int64_t end_ms = alarm->at_ms - 1;
        if (end_ms < shard->watermark.instant_ms) end_ms = shard->watermark.instant_ms;
        return job_resume(shard, job, end_ms, end_ms, now_ms, sink);
    }
    if ((job->flags & JOB_FINISHED) == 0) {
        if (overlap_tell(shard, job, alarm->at_ms - 1, now_ms, sink))
            sink->job_changed(sink->opaque, job);
        job_set_alarm(shard, job);
        return job;
    }
    backfill_drop(shard, job, alarm->at_ms, REASON_FINISHED, sink);
    sink->job_deleted(sink->opaque, job);
    job_remove(shard, job);
    return NULL;
}

static bool run_alarms(struct shard *shard, int64_t until_ms, int64_t now_ms,
                       const struct sink *sink)
{
    const struct alarm *first = NULL;
    while ((first = alarms_first(&shard->alarms)) != NULL && first->at_ms <= until_ms) {
        if (sink->full(sink->opaque)) return false;
        struct alarm alarm = alarms_take(&shard->alarms);
        struct job *job = shard_job_of(shard, (struct job_reference){.ordinal = alarm.ordinal,
                                                                     .slot = alarm.slot});
        if (shard_alarm_holds(shard, &alarm)) job = alarm_rings(shard, job, &alarm, now_ms, sink);
        if (job != NULL) job_lighten(job);
    }
    return true;
}

/* ---- instants ---- */

/* The next instant at or before to_ms at which anything happens. */
static bool next_instant(const struct shard *shard, int64_t to_ms, int64_t *instant_ms)
{
    int64_t slot_ms = INT64_MAX;
    const struct alarm *alarm = alarms_first(&shard->alarms);
    bool any = timers_earliest(shard->timers, &slot_ms);
    *instant_ms = slot_ms;
    if (alarm != NULL && alarm->at_ms < slot_ms) {
        any = true;
        *instant_ms = alarm->at_ms;
    }
    if (*instant_ms < shard->watermark.instant_ms) *instant_ms = shard->watermark.instant_ms;
    return any && *instant_ms <= to_ms;
}

static bool do_instant(struct shard *shard, int64_t instant_ms, int64_t to_ms, int64_t now_ms,
                       const struct sink *sink)
{
    /* Nothing was due before this instant: an alarm that changes a job, and a crash right after,
     * must not make the slots before the alarm look as if they were still to come. */
    if (shard->watermark.instant_ms < instant_ms - 1)
        shard->watermark =
            (struct watermark){.instant_ms = instant_ms - 1, .ordinal = WATERMARK_WHOLE};
    if (!run_alarms(shard, instant_ms, now_ms, sink)) return false;
    bool half_done = shard->watermark.instant_ms == instant_ms &&
                     shard->watermark.ordinal != WATERMARK_WHOLE;
    size_t count = gather(shard, instant_ms, half_done ? shard->watermark.ordinal : -1);
    bool done = walk(shard, count, instant_ms, now_ms, sink);
    put_back(shard, count, instant_ms, to_ms, done);
    return done;
}

bool shard_advance(struct shard *shard, int64_t to_ms, int64_t now_ms, const struct sink *sink)
{
    assert(to_ms <= now_ms);
    assert(!shard->in_command.active);
    int64_t instant_ms = 0;
    /* What a command has ended is in no later slot's way. */
    if (shard->watermark.ordinal == WATERMARK_WHOLE) shard_settle_ended(shard, now_ms, sink);
    if (!zoneless_write(shard, sink) || !zone_data_write(shard, now_ms, sink)) return false;
    while (next_instant(shard, to_ms, &instant_ms)) {
        if (sink->full(sink->opaque) || sink->uncertain(sink->opaque)) return false;
        if (!do_instant(shard, instant_ms, to_ms, now_ms, sink)) return false;
        shard->watermark =
            (struct watermark){.instant_ms = instant_ms, .ordinal = WATERMARK_WHOLE};
    }
    if (shard->watermark.ordinal != WATERMARK_WHOLE) /* nothing left at its instant */
        shard->watermark.ordinal = WATERMARK_WHOLE;
    if (to_ms > shard->watermark.instant_ms) shard->watermark.instant_ms = to_ms;
    return true;
}
