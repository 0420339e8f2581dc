/* The open runs of a shard: from records, and what reports, ticks and time make of them. What a run
 * was in the way of goes on when the shard is between steps of time and commands. */
#include <assert.h>
#include <string.h>

#include "dispatcher/shard/shard_state.h"

/* ---- restoring ---- */

void shard_restore_run(struct shard *shard, uint32_t k, const struct run_record *record)
{
    if (shard->open == NULL) shard->open = runs_create(&shard->config.runs);
    runs_restore(shard->open, k, record);
}

void shard_restore_run_ended(struct shard *shard, uint32_t k)
{
    if (shard->open != NULL) runs_restore_ended(shard->open, k);
}

static uint32_t find_slot(void *opaque, const struct run_record *record)
{
    const struct shard *shard = opaque;
    const struct job *job = job_table_find(shard->jobs, record->group, record->id);
    return job != NULL && job->life.ordinal == record->ordinal ? job->slot : UINT32_MAX;
}

void shard_follow_runs(struct shard *shard, const struct runs_start *start)
{
    assert(!shard->follows_runs && start->owner.length <= OWNER_BYTES_MAX);
    shard->follows_runs = true;
    memcpy(shard->runs_owner, start->owner.bytes, start->owner.length);
    shard->runs_start = *start;
    shard->runs_start.owner.bytes = shard->runs_owner;
    shard->runs_start.opaque = shard;
    shard->runs_start.job_slot = find_slot;
    shard->steady_ms = start->now.steady_ms;
    if (shard->open == NULL) return;
    runs_start(shard->open, &shard->runs_start);
    shard->reports_unread = runs_open_count(shard->open) > 0;
}

void shard_reports_caught_up(struct shard *shard)
{
    struct job_reference reference;
    shard->reports_unread = false;
    while (job_queue_take(&shard->unread, &reference)) {
        struct job *job = shard_job_of(shard, reference);
        if (job == NULL || job->extra == NULL || !job->extra->in_unread) continue;
        job->extra->in_unread = false;
        job->extra->is_held = false;
        if (job_owes(job)) lane_ask(shard, job);
        backfill_resume(shard, job);
    }
}

struct runs *shard_runs(const struct shard *shard)
{
    return shard->open;
}

/* Before the runs are followed their records have the names. */
bool shard_look_run(const struct shard *shard, uint32_t k, struct run_view *view)
{
    if (shard->open == NULL || !runs_look_recorded(shard->open, k, view)) return false;
    struct run_record *record = &view->record;
    if (record->id.length > 0) return true;
    const struct job *job = shard_job_of_run(shard, view);
    assert(job != NULL);
    record->group = job_group(job);
    record->id = job_id(job);
    return true;
}

size_t shard_open_runs(const struct shard *shard)
{
    return shard->open == NULL ? 0 : runs_open_count(shard->open);
}

void shard_tell_steady(struct shard *shard, int64_t steady_ms)
{
    shard->steady_ms = steady_ms;
}

/* ---- what comes in ---- */

static void begin(struct shard *shard, struct runs_now now)
{
    assert(shard->watermark.ordinal == WATERMARK_WHOLE && !shard->in_command.active);
    shard->steady_ms = now.steady_ms;
}

void shard_report(struct shard *shard, const struct runs_place *place,
                  const struct report *report, const struct sink *sink)
{
    assert(shard->open != NULL);
    begin(shard, place->now);
    struct runs_turn turn = {.shard = shard, .sink = sink, .now = place->now};
    const struct runs_sink runs_sink = shard_runs_sink(&turn);
    runs_report(shard->open, place, report, &runs_sink);
    shard_settle_ended(shard, turn.now.now_ms, sink);
}

bool shard_tick(struct shard *shard, const struct runs_place *place, const struct run_tick *tick,
                const struct sink *sink)
{
    assert(shard->open != NULL);
    begin(shard, place->now);
    struct runs_turn turn = {.shard = shard, .sink = sink, .now = place->now};
    const struct runs_sink runs_sink = shard_runs_sink(&turn);
    bool done = runs_tick(shard->open, place, tick, &runs_sink);
    shard_settle_ended(shard, turn.now.now_ms, sink);
    return done;
}

bool shard_reports_lost(struct shard *shard, struct runs_now now, const struct sink *sink)
{
    assert(shard->open != NULL);
    begin(shard, now);
    struct runs_turn turn = {.shard = shard, .sink = sink, .now = now};
    const struct runs_sink runs_sink = shard_runs_sink(&turn);
    bool done = runs_reports_lost(shard->open, now, &runs_sink);
    shard_settle_ended(shard, turn.now.now_ms, sink);
    return done;
}

bool shard_step_runs(struct shard *shard, struct runs_now now, const struct sink *sink)
{
    if (shard->open == NULL) return true;
    begin(shard, now);
    struct runs_turn turn = {.shard = shard, .sink = sink, .now = now};
    const struct runs_sink runs_sink = shard_runs_sink(&turn);
    bool done = runs_step(shard->open, now, &runs_sink);
    shard_settle_ended(shard, turn.now.now_ms, sink);
    return done;
}
