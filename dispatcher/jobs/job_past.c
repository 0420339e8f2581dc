#include "dispatcher/jobs/job_past.h"

#include <assert.h>

#include "dispatcher/jobs/job.h"
#include "lib/base/hash.h"
#include "lib/base/memory.h"

static const uint8_t backfill_key[HASH_KEY_BYTES] = "belfry backfills";

static struct job_past *past_of(struct job *job, uint32_t backfills)
{
    bool first = job->past == NULL;
    job->past = memory_resize(job->past, 1,
                              sizeof *job->past + backfills * sizeof job->past->backfills[0]);
    if (first)
        *job->past = (struct job_past){.import = {.effective_ms = INCARNATION_NONE_MS}};
    return job->past;
}

const struct incarnation *job_import(const struct job *job)
{
    bool imported = job->past != NULL && job->past->import.effective_ms != INCARNATION_NONE_MS;
    return imported ? &job->past->import : NULL;
}

void job_set_import(struct job *job, const struct incarnation *import)
{
    assert(job->past == NULL);
    past_of(job, 0)->import = *import;
}

int64_t job_imported_ms(const struct job *job)
{
    const struct incarnation *import = job_import(job);
    return import == NULL ? INT64_MIN : import->effective_ms;
}

uint64_t backfill_hash(struct text id)
{
    return hash_siphash(backfill_key, id.bytes, id.length);
}

bool job_has_had_backfill(const struct job *job, uint64_t hash)
{
    for (size_t i = 0; i < job_backfills_had(job); i++)
        if (job->past->backfills[i] == hash) return true;
    return false;
}

size_t job_backfills_had(const struct job *job)
{
    return job->past == NULL ? 0 : job->past->backfill_count;
}

void job_remember_backfill(struct job *job, uint64_t hash)
{
    if (job_has_had_backfill(job, hash)) return;
    assert(job_backfills_had(job) < BACKFILL_IDS_MAX);
    struct job_past *past = past_of(job, (uint32_t)job_backfills_had(job) + 1);
    past->backfills[past->backfill_count++] = hash;
}
