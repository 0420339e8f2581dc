/* plan.h - everything that will be done to a simulated cluster, decided from a seed before it
 * starts: commands and faults, each with its time. It can be written as a story, read back, and
 * shortened: what remains still means the same. */
#ifndef BELFRY_TESTS_PLAN_H
#define BELFRY_TESTS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/simulation/world/world.h"

enum event_do {
    DO_NOTE,       /* text: the name of a sequence that follows */
    DO_COMMAND,    /* shard; text */
    DO_CRASH,      /* process, point, count */
    DO_FREEZE,     /* process, ms */
    DO_FREEZE_AT,  /* process, point, count, ms */
    DO_CUT_OFF,    /* process, ms */
    DO_KAFKA_DOWN, /* ms */
    DO_LEAVE,      /* process */
    DO_LEAVE_AT,   /* process, point, count */
    DO_CLOCK_STEP, /* process, ms */
    DO_CLOCK_DRIFT,
    DO_NO_MEMORY,  /* process, count */
    DO_COMMIT,     /* shard, fate, ms */
    DO_LATE_INIT,  /* process, ms */
    DO_REDIS_AWAY,
    DO_REDIS_SLOW,
    DO_REDIS_FLUSH,
    DO_REDIS_SAVE,
    DO_REDIS_ROLLBACK,
    DO_REDIS_LOST, /* 0: before, 1: after; count */
    DO_REDIS_FLAKY, /* every, ms */
    DO_REDIS_DAMAGE, /* shard; 0: jobs, 1: seen; the first, and each so many-th after it */
    DO_COMPACT,    /* shard */
    DO_RETAIN,
    DO_FOREIGN,    /* topic, state */
    DO_LOSE,       /* shard, ms */
    DO_ZONES,      /* process, version of the zone data, for its next start */
    DO_BULKY,      /* shard, bytes of the key, headers, bytes of each; text: the command */
    DO_OWN_LIMIT,  /* own topic, bytes of a record, whether it is refused by name */
    DO_STRICT,     /* process, whether its limits are low, from its next start on */
    DO_SLOW_COMMITS, /* shard, ms; each takes between low and high */
    DO_BAD_LEADER, /* shard, ms: nobody can write its partition */
    DO_COMMITS_LOST, /* process, ms: no transaction of its arrives, all else is well */
    DO_WORKER,     /* worker, enum worker_harm, ms */
    DO_WORKER_AT,  /* worker, enum worker_point, enum worker_harm, ms */
    DO_WORKER_DRIFT, /* worker, ppm */
    DO_POSTS,      /* worker, enum post_fate of so many reports, ms */
    DO_OFFSETS,    /* worker, enum offsets_fate of so many commits, ms */
    DO_SET_BACK,   /* crew, ms: its offsets */
    DO_HIDE_RUNS,  /* shard, ms: a client's transaction is open in runs */
    DO_FORGE,      /* shard, enum forgery */
    DO_APPEND_BACK, /* shard, ms by which append times step back, for so many ms */
    DO_RETAIN_RUNS, /* shard, ms that are kept */
    DO_TICK,       /* shard, enum tick_fate of the next one */
    DO_QUESTION,   /* shard, enum question_fate of the next one */
    DO_SILENT,     /* ms: no group's coordinator answers */
    DO_ABOUT_RUN,  /* shard, one of the last fires with a lease; text: a command about its run */
    DO_COUNT
};

enum { EVENT_ARGUMENTS = 4 };

/* The lane's rate in a seed in which more comes due. */
enum { BUSY_CATCHUP_PER_SECOND = 3 };

struct planned {
    int64_t at_us;
    enum event_do what;
    int64_t arguments[EVENT_ARGUMENTS];
    char *text; /* NULL: none */
};

struct plan {
    uint64_t seed;
    struct settings settings;
    bool typical;        /* made to measure speed with: no backfills, no Kafka that loses records */
    struct zones *zones; /* of a plan that is made from its seed */
    struct planned *events; /* in order of time */
    size_t count;
    size_t capacity;
};

/* What CI plays: short seeds; otherwise weeks and years are among them. */
struct plan_wishes {
    bool short_seeds;
    bool typical; /* the seed that speed is measured with */
    bool runs;    /* jobs with a lease and workers, in each seed that may have them */
};

void plan_from_seed(struct plan *plan, uint64_t seed, const struct plan_wishes *wishes);
void plan_add(struct plan *plan, int64_t at_us, enum event_do what, int64_t a, int64_t b,
              int64_t c, int64_t d, const char *text);
void plan_sort(struct plan *plan);
void plan_clear(struct plan *plan);
void plan_write(const struct plan *plan, FILE *file);
/* False: a line is wrong; *line says which. */
bool plan_read(struct plan *plan, FILE *file, int *line);
bool plan_is_fault(enum event_do what);
/* The events without the one or ones left out; texts are borrowed. */
void plan_do(struct world *world, const struct planned *event);
/* do_runs.c: from DO_WORKER on. */
void plan_do_runs(struct world *world, const struct planned *event);

/* workload.c: the jobs and commands of a seed. */
void workload_add(struct plan *plan, struct random *dice);
/* One random command, as JSON, and the partition it is sent to. */
void workload_command(struct random *dice, const struct plan *plan, int64_t at_ms, char *json,
                      size_t bytes, int32_t *shard);
/* workload_runs.c, faults_runs.c: the same of jobs with a lease, and of their workers. */
void workload_runs_add(struct plan *plan, struct random *dice);
void faults_runs_add(struct plan *plan, struct random *dice);
/* faults.c: what goes wrong, and the sequences that the protocol was built against. */
void faults_add(struct plan *plan, struct random *dice);

#endif
