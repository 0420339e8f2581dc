/* job_table.h - the jobs of one shard by name, each at a stable small number: its slot. */
#ifndef BELFRY_JOBS_JOB_TABLE_H
#define BELFRY_JOBS_JOB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/jobs/job_groups.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/time/incarnation.h"

struct job;
struct job_table;

/* `key` is copied. */
struct job_table *job_table_create(const uint8_t key[HASH_KEY_BYTES]);
void job_table_destroy(struct job_table *table); /* and its jobs */

/* The job, or NULL. */
struct job *job_table_find(const struct job_table *table, struct text group, struct text id);
/* Takes ownership; the name must be new. Sets the job's slot and name hash. */
void job_table_add(struct job_table *table, struct job *job);
/* Ownership returns to the caller; the slot will be given to another job. */
void job_table_remove(struct job_table *table, struct job *job);

/* Whether a job of another name has the incarnation. The first call makes an index of them, of 5
 * to 11 bytes a job: only shards that import need it. */
bool job_table_life_is_taken(struct job_table *table, const struct incarnation *life,
                             struct text group, struct text id);

/* The jobs of a group; see job_groups.h. */
uint32_t job_table_first_of(const struct job_table *table, struct text group);
uint32_t job_table_next_of(const struct job_table *table, uint32_t slot);
const struct job_groups *job_table_groups(const struct job_table *table);

size_t job_table_count(const struct job_table *table);
/* Slots are 0 .. slots - 1; an empty one holds NULL. */
uint32_t job_table_slots(const struct job_table *table);
struct job *job_table_at(const struct job_table *table, uint32_t slot);

#endif
