/* workers.h - those who do the work of fires with a lease: processes in consumer groups, which
 * claim by the rules of docs/runs.md, and all that can go wrong with them. Nothing of it is there
 * in a seed without runs. They draw from a stream of their own. */
#ifndef BELFRY_TESTS_WORKERS_H
#define BELFRY_TESTS_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/simulation/world/cluster.h"

struct world;

enum { CREWS = 5, CREW_WORKERS_MAX = 4, WORKERS_MAX = CREWS * CREW_WORKERS_MAX };

/* The consumer groups of a seed. The last but one claims nothing: its jobs have leases of the mode
 * `fixed`; the last has nobody until the faults are over. */
enum { CREW_FIXED = CREWS - 2, CREW_NOBODY = CREWS - 1 };
const char *crew_name(int32_t crew);

/* Where something can be done to a worker: the next time it passes such a point. */
enum worker_point {
    WORKER_READ = 0,  /* it has a fire in its hands */
    WORKER_SAID,      /* `started` is sent, */
    WORKER_HEARD,     /* and acknowledged */
    WORKER_COMMITS,   /* the commit is on its way, */
    WORKER_COMMITTED, /* and has been answered well */
    WORKER_CHECKED,   /* there is time left: its next act is to start the program */
    WORKER_STARTED,
    WORKER_RENEWS,
    WORKER_ENDS,      /* the program has ended, and its end is on its way */
    WORKER_POINT_COUNT
};

enum worker_harm {
    HARM_DIES = 0,     /* and its programs with it */
    HARM_DIES_ALONE,   /* a program has left its process group, and goes on */
    HARM_FREEZES,      /* the whole machine */
    HARM_FREEZES_ALONE, /* its programs go on */
    HARM_CUT_OFF,      /* from Kafka */
    HARM_EXPELLED,     /* the group throws it out, and it does not know */
    HARM_LEAVES,       /* asked to end in order */
    WORKER_HARM_COUNT
};

/* What becomes of a worker's next reports. */
enum post_fate {
    POST_WELL = 0,
    POST_LATE,       /* long under way: later ones overtake it */
    POST_TWICE,
    POST_UNANSWERED, /* it is in the log, and nobody says so */
    POST_LOST,       /* it never arrives */
    POST_FATE_COUNT
};

/* What becomes of a worker's next commits of offsets. */
enum offsets_fate {
    OFFSETS_WELL = 0,
    OFFSETS_UNKNOWN, /* done, and nobody says so */
    OFFSETS_LOST,    /* not done, and nobody says so */
    OFFSETS_SLOW     /* done much later */
};

/* What strangers write into `runs`. */
enum forgery {
    FORGED_RUN = 0,     /* nobody knows it */
    FORGED_UNREADABLE,
    FORGED_GROUP,       /* an open or a closed try, by a group that is not its job's */
    FORGED_PLACE,       /* a try of another shard */
    FORGED_AGAIN,       /* the end of a try that is over, once more */
    FORGED_MANY,        /* an array of a thousand signs of tries, most of them over */
    FORGED_MIXED,       /* an array in which one cannot be read */
    FORGED_NUMBER,      /* a try of a run that never was */
    FORGERY_COUNT
};

void workers_open(struct world *world);
void workers_close(struct world *world);
void workers_start(struct world *world);
/* The faults are over: whoever is away comes back, and programs are short and end well. */
void workers_calm(struct world *world);
/* When the last of them is back by itself. */
int64_t workers_calm_us(const struct world *world);

/* Something can be read: a partition of fires, or a request to stop a try. */
void workers_fires(struct world *world, const struct log *log);
void workers_cancel(struct world *world, const struct record *cancel);
/* Kafka has gone away: no session runs out meanwhile. */
void workers_kafka_down(struct world *world, int64_t until_us);

/* Each of these takes a worker's number below WORKERS_MAX; one that is not there feels nothing. */
void worker_harm(struct world *world, int64_t worker, enum worker_harm harm, int64_t ms);
void worker_harm_at(struct world *world, int64_t worker, enum worker_point point,
                    enum worker_harm harm, int64_t ms);
void worker_drift(struct world *world, int64_t worker, int64_t ppm);
void worker_posts(struct world *world, int64_t worker, enum post_fate fate, int64_t count,
                  int64_t ms);
void worker_offsets(struct world *world, int64_t worker, enum offsets_fate fate, int64_t count,
                    int64_t ms);

/* Somebody sets the offsets of a group back to where they were so long ago. */
void workers_set_back(struct world *world, int64_t crew, int64_t ms);
/* A client's transaction is open in a shard's partition of runs. */
void workers_hide_runs(struct world *world, int32_t shard, int64_t ms);
void workers_forge(struct world *world, int32_t shard, enum forgery forgery);
/* Append times of a shard's partition of runs step back by so much: its leader has changed. */
void workers_append_back(struct world *world, int32_t shard, int64_t back_ms, int64_t ms);
/* No coordinator of a group answers a question. */
void workers_coordinator_silent(struct world *world, int64_t ms);
/* What is older than so long is deleted from runs, read or not. */
void workers_retain(struct world *world, int32_t shard, int64_t kept_ms);

#endif
