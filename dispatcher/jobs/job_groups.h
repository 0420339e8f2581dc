/* job_groups.h - the jobs of a shard by group: a list of slots for each, so that a command for one
 * group does not walk over all jobs. Costs 4 bytes a job, and 6 within it. A group has a number,
 * job->group_number, as long as it has jobs; then another may get it. Those that come while
 * GROUP_NUMBERS_MAX have one have none. */
#ifndef BELFRY_JOBS_JOB_GROUPS_H
#define BELFRY_JOBS_JOB_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"

struct job;
struct job_groups;

enum { JOB_SLOT_NONE = UINT32_MAX, GROUP_NUMBERS_MAX = UINT16_MAX };

/* `key` is copied. `jobs` below is the table's array by slot. */
struct job_groups *job_groups_create(const uint8_t key[HASH_KEY_BYTES]);
void job_groups_destroy(struct job_groups *groups);

/* The job stands at its slot already, and still. */
void job_groups_add(struct job_groups *groups, struct job *const *jobs, const struct job *job);
void job_groups_remove(struct job_groups *groups, struct job *const *jobs, const struct job *job);

/* The slot of a group's first job; each names the next one (job->group_next), in no order that may
 * be told. JOB_SLOT_NONE: there is none. */
uint32_t job_groups_first(const struct job_groups *groups, struct job *const *jobs,
                          struct text group);

size_t job_groups_count(const struct job_groups *groups);
/* A job of each group, one a call; *cursor starts at 0. JOB_SLOT_NONE: that was the last. */
uint32_t job_groups_each(const struct job_groups *groups, size_t *cursor);

#endif
