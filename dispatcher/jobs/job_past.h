/* job_past.h - what keeps the ids of a job's fires from coming twice: the ids of backfills that it
 * has had, and, where its add brought an incarnation that had begun elsewhere, where that add
 * stood. Most jobs have neither, and no such part. */
#ifndef BELFRY_JOBS_JOB_PAST_H
#define BELFRY_JOBS_JOB_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"
#include "lib/model/job_record.h"

struct job;

/* Where the add stood that brought the job's incarnation; NULL: its own add began it. */
const struct incarnation *job_import(const struct job *job);
void job_set_import(struct job *job, const struct incarnation *import);
/* When it was imported: what came due by then may have been fired before. INT64_MIN: it was not. */
int64_t job_imported_ms(const struct job *job);

/* The same in every process: it is in records. */
uint64_t backfill_hash(struct text id);
bool job_has_had_backfill(const struct job *job, uint64_t hash);
size_t job_backfills_had(const struct job *job);
/* Does nothing if it is known. */
void job_remember_backfill(struct job *job, uint64_t hash);

#endif
