/* job_table.h - the jobs of one shard by name, each at a stable small number: its slot. */
#ifndef BELFRY_CORE_JOB_TABLE_H
#define BELFRY_CORE_JOB_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "dispatcher/core/text.h"

struct job;
struct job_table;

struct job_table *job_table_create(void);
void job_table_destroy(struct job_table *table); /* and its jobs */

/* The job, or NULL. */
struct job *job_table_find(const struct job_table *table, struct text group, struct text id);
/* Takes ownership; the name must be new. Sets the job's slot and name hash. */
void job_table_add(struct job_table *table, struct job *job);
/* Ownership returns to the caller; the slot will be given to another job. */
void job_table_remove(struct job_table *table, struct job *job);

size_t job_table_count(const struct job_table *table);
/* Slots are 0 .. slots - 1; an empty one holds NULL. */
uint32_t job_table_slots(const struct job_table *table);
struct job *job_table_at(const struct job_table *table, uint32_t slot);

#endif
