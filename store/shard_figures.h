/* shard_figures.h - what a daemon counts of a shard and tells everybody who asks Redis: one row
 * each, which is a member, a field of the report and a name in `belfry top --once -o json`. */
#ifndef BELFRY_STORE_SHARD_FIGURES_H
#define BELFRY_STORE_SHARD_FIGURES_H

#include <stdint.h>

#define FIGURE_UNKNOWN INT64_C(-1) /* an older daemon does not tell it, or it is not known yet */

/* Instants are by the clock of the daemon. Of a shard that is not live only the first two rows are
 * known. */
#define SHARD_FIGURES(row)                                                                         \
    row(reported_ms)     /* when this was said */                                                  \
    row(live_since_ms)   /* since when the daemon runs the shard */                                \
    row(takeover_ms)     /* how long it took to become so */                                       \
    row(jobs)            /* of these ... */                                                        \
    row(paused)                                                                                    \
    row(finished)                                                                                  \
    row(failing)                                                                                   \
    row(zoneless)        /* set aside: their time zone is missing; counted above, too */           \
    row(owing)           /* jobs that owe slots: due, and not fired; not those that are paused */  \
    row(owed)            /* slots in the catch-up lane */                                          \
    row(oldest_due_ms)   /* when the oldest of all owed slots was due; unknown: none is */         \
    row(worked_off_ms)   /* in how long the lane will be through */                                \
    row(due_in_an_hour)  /* jobs that are due within the next hour, at least so many */            \
    row(open_runs)       /* of jobs with a lease: fires whose work has not ended */                \
    row(oldest_run_ms)   /* when the oldest of them was opened; unknown: none is */                \
    row(waiting)         /* commands that are not done yet, as far as is known */                  \
    row(fires)           /* since it is live here */                                               \
    row(commands)        /* likewise */                                                            \
    row(window_ms)       /* the time since the report before this one ... */                       \
    row(window_fires)    /* ... and the fires and commands in it */                                \
    row(window_commands)

#define SHARD_FIGURE_MEMBER(name) int64_t name;
struct shard_figures {
    SHARD_FIGURES(SHARD_FIGURE_MEMBER)
};
#undef SHARD_FIGURE_MEMBER

#define SHARD_FIGURE_COUNT(name) +1
enum { SHARD_FIGURE_ROWS = 0 SHARD_FIGURES(SHARD_FIGURE_COUNT) };
#undef SHARD_FIGURE_COUNT

#endif
