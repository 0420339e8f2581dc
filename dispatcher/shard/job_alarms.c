/* When something other than a slot of its schedule happens to a job: its pause or its keeping
 * ends, a slot that waited over an edit is due, slots have been left out for an hour. An alarm that
 * the job no longer wants stays among the others until it rings or they are tidied: pauses whose
 * far end is moved leave no more behind than there are jobs. */
#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"

enum {
    DEAD_ALARMS_MOST = 64, /* beside as many as are alive */
    ALARMS_OF_JOB_MOST = 8 /* when jobs have gone: it wants no more than 1 + PENDING_MAX */
};

/* The end of its pause or of its keeping, or when what is left out is to be named; INSTANT_NONE:
 * never. */
static int64_t alarm_ms(const struct shard *shard, const struct job *job)
{
    if (job->extra == NULL) return INSTANT_NONE;
    if (job->flags & JOB_PAUSED) return job->extra->state.until_ms;
    if ((job->flags & JOB_FINISHED) == 0) return job_tell_ms(job);
    if (shard_has_runs(shard, job)) return INSTANT_NONE;
    struct definition definition;
    job_view(job, &definition);
    if (definition.keep_finished_ms == KEEP_FINISHED_FOREVER_MS) return INSTANT_NONE;
    return job->extra->state.finished_ms + definition.keep_finished_ms;
}

static struct job *job_of(const struct shard *shard, const struct alarm *alarm)
{
    return shard_job_of(shard, (struct job_reference){.ordinal = alarm->ordinal,
                                                      .slot = alarm->slot});
}

bool shard_alarm_holds(const struct shard *shard, const struct alarm *alarm)
{
    struct job *job = job_of(shard, alarm);
    return job != NULL && (alarm_ms(shard, job) == alarm->at_ms ||
                           shard_pending_rings(job, alarm->at_ms));
}

/* Which of the job's alarms it is, as a bit. */
static uint8_t bit_of(const struct shard *shard, const struct job *job,
                      const struct alarm *alarm)
{
    uint8_t bit = 1;
    if (alarm_ms(shard, job) == alarm->at_ms) return bit;
    const struct ledger *ledger = &job->extra->ledger;
    for (size_t i = 0; i < ledger_waiting(ledger); i++) {
        bit = (uint8_t)(bit << 1);
        if (ledger_waiting_slot(ledger, i).due_ms == alarm->at_ms) break;
    }
    return bit;
}

/* Wanted, and not the same one a second time. */
static bool is_kept(void *opaque, const struct alarm *alarm)
{
    struct shard *shard = opaque;
    if (!shard_alarm_holds(shard, alarm)) return false;
    struct job *job = job_of(shard, alarm);
    uint8_t bit = bit_of(shard, job, alarm);
    if (job->extra->alarms_seen & bit) return false;
    job->extra->alarms_seen |= bit;
    return true;
}

static void tidy(struct shard *shard)
{
    struct alarms *alarms = &shard->alarms;
    alarms_keep(alarms, is_kept, shard);
    for (size_t i = 0; i < alarms->count; i++)
        job_of(shard, &alarms->heap[i])->extra->alarms_seen = 0;
    shard->alarms_tidy_at = 2 * alarms->count + DEAD_ALARMS_MOST;
}

void shard_alarms_of_gone(struct shard *shard)
{
    size_t most = DEAD_ALARMS_MOST + ALARMS_OF_JOB_MOST * job_table_count(shard->jobs);
    if (shard->alarms.count > most) tidy(shard);
}

static void add(struct shard *shard, const struct job *job, int64_t at_ms)
{
    alarms_add(&shard->alarms, (struct alarm){.at_ms = at_ms, .ordinal = job->life.ordinal,
                                              .slot = job->slot});
}

void job_set_alarm(struct shard *shard, const struct job *job)
{
    int64_t at_ms = alarm_ms(shard, job);
    if (shard->alarms.count >= shard->alarms_tidy_at) tidy(shard);
    if (at_ms != INSTANT_NONE) add(shard, job, at_ms);
    if (!job_has_pending(job) || (job->flags & JOB_STANDS_STILL)) return;
    const struct ledger *ledger = &job->extra->ledger;
    for (size_t i = 0; i < ledger_waiting(ledger); i++)
        add(shard, job, ledger_waiting_slot(ledger, i).due_ms);
}
