/* Runs of jobs that begin and end: the last one in the way of a job's slots lets them go on. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"

void shard_run_opened(struct shard *shard, const struct open_run *run)
{
    open_runs_add(shard->runs, run);
}

/* No run of the job is open any more. */
__attribute__((warn_unused_result)) static struct job *
go_on(struct shard *shard, struct job *job, bool changed, int64_t now_ms, const struct sink *sink)
{
    if (job->flags & JOB_FINISHED) { /* it is kept from here on */
        job->extra->state.finished_ms = now_ms;
        job_set_alarm(shard, job);
        backfill_resume(shard, job);
        changed = true;
    } else if (job->flags & JOB_OVERLAP) {
        return lane_go_on(shard, job, changed, now_ms, sink);
    }
    if (changed) sink->job_changed(sink->opaque, job);
    return job;
}

void shard_run_ended(struct shard *shard, struct text group, struct text id, int64_t number,
                     int64_t now_ms, const struct sink *sink)
{
    assert(shard->watermark.ordinal == WATERMARK_WHOLE && !shard->in_command.active);
    struct job *job = job_table_find(shard->jobs, group, id);
    struct open_run oldest;
    bool first = open_runs_next(shard->runs, group, id, INT64_MIN, &oldest) &&
                 oldest.number == number;
    bool changed = job != NULL && first &&
                   overlap_settle(shard, job, shard->watermark.instant_ms, now_ms, sink);
    bool known = open_runs_remove(shard->runs, group, id, number);
    if (job == NULL || !known) return;
    if (!open_runs_any(shard->runs, group, id)) job = go_on(shard, job, changed, now_ms, sink);
    else if (changed) sink->job_changed(sink->opaque, job);
    if (job != NULL) job_lighten(job);
}
