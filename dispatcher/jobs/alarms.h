/* alarms.h - instants at which something other than a slot happens to a job: the end of a pause,
 * the end of a finished job's keeping, the retry of a failing one.
 *
 * A heap with lazy removal: an entry names the job by slot and ordinal, and whoever takes it out
 * checks that the job still wants it. */
#ifndef BELFRY_JOBS_ALARMS_H
#define BELFRY_JOBS_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alarm {
    int64_t at_ms;
    int64_t ordinal;
    uint32_t slot;
};

struct alarms {
    struct alarm *heap;
    size_t count;
    size_t capacity;
};

void alarms_clear(struct alarms *alarms); /* frees */
void alarms_add(struct alarms *alarms, struct alarm alarm);
/* The earliest, the lowest ordinal first; NULL: none. */
const struct alarm *alarms_first(const struct alarms *alarms);
struct alarm alarms_take(struct alarms *alarms);
/* Drops all that are not to be kept. */
void alarms_keep(struct alarms *alarms, bool (*is_kept)(void *opaque, const struct alarm *alarm),
                 void *opaque);

#endif
