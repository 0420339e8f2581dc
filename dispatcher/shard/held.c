/* Fires of jobs with a lease that may not go out yet, though no run is in their way: as many runs
 * are open as may be, or the reports that were in the log at a take-over have not been read, by
 * which the job's runs may have ended. Their slots are owed meanwhile. */
#include "dispatcher/shard/shard_state.h"

bool shard_awaits_reports(const struct shard *shard, const struct job *job)
{
    return shard->reports_unread && (job->flags & JOB_LEASE) != 0 && shard_has_runs(shard, job);
}

bool shard_has_room(const struct shard *shard, const struct job *job, int64_t before)
{
    if (!shard->follows_runs || (job->flags & JOB_LEASE) == 0) return true;
    if (shard->open == NULL) return shard->config.runs.open_max > before;
    return runs_room(shard->open) > before && runs_room_of(shard->open, job->life.ordinal) > 0;
}

bool shard_lacks_room(const struct shard *shard, const struct job *job)
{
    if ((job->flags & JOB_LEASE) == 0) return false;
    return shard->roomless.count > 0 || !shard_has_room(shard, job, 0);
}

bool shard_holds(const struct shard *shard, const struct job *job)
{
    return shard_awaits_reports(shard, job) || shard_lacks_room(shard, job);
}

/* Only its own runs are too many: the end of one of them looks at it. */
static bool is_own_doing(const struct shard *shard, const struct job *job)
{
    return shard->open != NULL && runs_room(shard->open) > 0 && !shard_has_room(shard, job, 0);
}

bool shard_hold(struct shard *shard, struct job *job)
{
    if (!shard_holds(shard, job)) return false;
    struct job_extra *extra = job_extra(job);
    extra->is_held = true;
    if (shard_awaits_reports(shard, job)) {
        if (!extra->in_unread) job_queue_add(&shard->unread, job_reference_of(job));
        extra->in_unread = true;
    } else if (!is_own_doing(shard, job)) {
        if (!extra->in_roomless) job_queue_add(&shard->roomless, job_reference_of(job));
        extra->in_roomless = true;
    }
    return true;
}

bool shard_has_turns(const struct shard *shard)
{
    return shard->roomless.count > 0 && runs_room(shard->open) > 0;
}

struct job *shard_take_turn(struct shard *shard)
{
    struct job_reference reference;
    (void)job_queue_take(&shard->roomless, &reference);
    struct job *job = shard_job_of(shard, reference);
    if (job == NULL || job->extra == NULL || !job->extra->in_roomless) return NULL;
    job->extra->in_roomless = false;
    job->extra->is_held = false;
    return job;
}
