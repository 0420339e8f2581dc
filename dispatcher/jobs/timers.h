/* timers.h - when the next slots are due.
 *
 * Jobs share schedules, so equal ones are interned: the next instant is computed once for each
 * distinct schedule, and a herd of jobs costs one walk over its list, kept in order of ordinal. */
#ifndef BELFRY_JOBS_TIMERS_H
#define BELFRY_JOBS_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/time/schedule.h"

struct job;
struct timers;

enum { TIMER_INDEX_NONE = UINT32_MAX };

/* Interned and reference counted; read-only outside timers.c except through the calls below. */
struct schedule {
    struct schedule_spec spec;
    int64_t next_ms; /* next nominal instant after the watermark; valid while it has jobs */
    struct job **jobs; /* those that may be due, holes are NULL */
    uint32_t job_count;    /* with holes */
    uint32_t job_capacity;
    uint32_t job_live;     /* without */
    uint32_t heap_index;
    uint32_t references;
    uint32_t hash;
    uint32_t sorted_count; /* of its first jobs: by ordinal; those behind came out of order */
    bool anchor_given;
    bool hashed;
    uint8_t dialect; /* enum cron_dialect */
    uint8_t dst;     /* enum cron_dst */
    struct schedule *hash_next;
    char *text; /* the cron expression as written, NUL, the zone as written, NUL */
};

/* `key` is copied. */
struct timers *timers_create(const uint8_t key[HASH_KEY_BYTES]);
void timers_destroy(struct timers *timers);

/* The interned schedule, with one more reference, which the caller gives back by release. */
struct schedule *timers_intern(struct timers *timers, const struct schedule_spec *spec,
                               const struct schedule_words *words);
struct schedule *timers_retain(struct schedule *schedule);
void timers_release(struct timers *timers, struct schedule *schedule);

/* As the user wrote it; borrowed from the schedule. */
struct schedule_words schedule_words_of(const struct schedule *schedule);

/* Lists the job under its schedule: its slots after after_ms will be found due. */
void timers_attach(struct timers *timers, struct job *job, int64_t after_ms);
void timers_detach(struct timers *timers, struct job *job);

/* Earliest next_ms of all; false: no job is ever due again. */
bool timers_earliest(const struct timers *timers, int64_t *due_ms);

/* How many jobs have their next slot by until_ms; of more than looks_most schedules only so many
 * are looked at. */
int64_t timers_due_by(const struct timers *timers, int64_t until_ms, size_t looks_most);

/* Removes from the index and hands out one schedule whose next_ms is the earliest; NULL when
 * none is at or before limit_ms. Its list is sorted and without holes. Give it back with
 * timers_reinsert(), which takes it out for good when it has no further instant. */
struct schedule *timers_pop(struct timers *timers, int64_t limit_ms);
void timers_reinsert(struct timers *timers, struct schedule *schedule, bool has_next,
                     int64_t next_ms);

/* The first index in the schedule's sorted list whose job has an ordinal above `ordinal`. */
uint32_t schedule_first_above(const struct schedule *schedule, int64_t ordinal);

#endif
