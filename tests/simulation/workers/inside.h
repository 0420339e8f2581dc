/* inside.h - the inside of workers.h: groups with their coordinators, workers, what they have in
 * their hands, what is on its way. */
#ifndef BELFRY_TESTS_WORKERS_INSIDE_H
#define BELFRY_TESTS_WORKERS_INSIDE_H

#include "tests/simulation/workers/workers.h"
#include "tests/simulation/world/world.h"

enum { PLACES = FIRES_PARTITIONS + FOREIGN_TOPICS }; /* partitions that a crew reads */

enum task_state {
    TASK_READ = 0,
    TASK_SAID,    /* `started` is on its way */
    TASK_HEARD,   /* it is in the log in time, */
    TASK_LATE,    /* or not: passed over */
    TASK_COMMITTED, /* nobody else gets it */
    TASK_CHECKED, /* and there is time left: frozen before the start */
    TASK_WORKS,
    TASK_OVER     /* a crew that claims nothing keeps it until its offset is committed */
};

enum stop { STOP_NONE = 0, STOP_CANCELLED, STOP_LOST_LEASE, STOP_RELEASED };

struct task { /* a try in a worker's hands */
    int32_t place; /* -1: the partition is not its own any more */
    int32_t read_from; /* that place, whoever has it now */
    int64_t offset;
    char run[WORK_RUN_BYTES];
    char job[WORK_NAME_BYTES];
    char token[WORK_TOKEN_BYTES];
    int64_t runnumber;
    int64_t try;
    int64_t lease_ms;
    int64_t expires_ms; /* INT64_MAX: never */
    int32_t shard;
    enum task_state state;
    bool asked;         /* a commit of it may have happened */
    int64_t sent_us;    /* by the worker's clock: when the newest acknowledged sign was sent */
    int64_t renew_us;   /* by the worker's clock: when the next one is to be sent */
    enum stop stop;
    size_t work;        /* of the work log, from TASK_WORKS on */
    int64_t end_us;     /* when the program comes to its end, */
    int64_t stop_us;    /* or, being asked to, stops; INT64_MAX: it does not listen */
    enum run_outcome outcome;
};

struct armed { /* what is to happen at a point */
    bool set;
    enum worker_harm harm;
    int64_t ms;
};

struct worker {
    struct crew *crew;
    int32_t index; /* of all workers */
    bool exists;
    bool running;
    bool leaving;
    uint64_t life;  /* counts processes */
    uint64_t wakes; /* counts wakes; an earlier one is stale */
    int64_t wake_us;
    int64_t starts_us; /* when it is back; 0: nobody starts it */
    int64_t capacity;
    /* as the coordinator sees it */
    bool joined;
    bool has_let_go;  /* in the rebalance under way */
    uint64_t missed;  /* counts absences */
    uint64_t member;  /* counts members: after an expulsion it is another one */
    /* as it believes */
    int64_t generation; /* -1: it is no member */
    bool lets_go;       /* a rebalance waits for it */
    bool assigned[PLACES];
    bool refused[PLACES]; /* commits of it are no more its own */
    int64_t position[PLACES];
    bool committing;
    uint64_t commit;    /* counts commits */
    int64_t commits_from_us; /* after one without an answer */
    int64_t offsets[PLACES];   /* of the commit under way; -1: none */
    int64_t committed[PLACES]; /* known to be, since it was assigned */
    size_t cancels;     /* so many have been read */
    int64_t tokens;
    /* time */
    int64_t drift_ppm;
    int64_t drift_from_us;
    int64_t drift_base_us;
    int64_t frozen_from_us;
    int64_t frozen_until_us;
    bool frozen_alone;
    int64_t cut_off_until_us;
    /* what is to go wrong */
    struct armed armed[WORKER_POINT_COUNT];
    enum post_fate post_fate;
    int64_t post_count;
    int64_t post_ms;
    enum offsets_fate offsets_fate;
    int64_t offsets_count;
    int64_t offsets_ms;
    struct task *tasks; /* in the order of reading */
    size_t task_count;
    size_t task_capacity;
};

struct crew { /* a consumer group */
    struct world *world;
    int32_t index;
    int64_t generation;
    bool rebalancing;
    uint64_t number; /* counts rebalances */
    struct worker *holder[PLACES]; /* NULL: nobody */
    int64_t set_back[PLACES]; /* offsets below it were committed before somebody set them back */
    struct worker workers[CREW_WORKERS_MAX];
};

struct asked_stop { /* a record of <cluster>.cancels */
    char run[WORK_RUN_BYTES];
    int64_t runnumber;
};

struct workers {
    struct world *world;
    struct random dice;
    struct crew crews[CREWS];
    struct asked_stop *cancels;
    size_t cancel_count;
    size_t cancel_capacity;
    int64_t longest_leases; /* how long programs may take, in tenths of their lease */
    int64_t forged;         /* counts them */
    bool calm;
};

/* ---- worker.c ---- */

struct worker *worker_find(struct world *world, int64_t worker);
int64_t workers_between(struct world *world, int64_t low, int64_t high);
bool workers_chance(struct world *world, uint32_t hits, uint32_t of);
/* Its own clock, which never steps and runs while it is frozen; and when that shows a time. */
int64_t worker_clock_us(const struct worker *worker);
int64_t worker_when_us(const struct worker *worker, int64_t clock_us);
bool worker_reaches_kafka(const struct worker *worker);
bool worker_is_heard(const struct worker *worker); /* and is not frozen */
void worker_wake(struct worker *worker, int64_t at_us);
/* Something may be set to happen here. False: it is not at work any more. */
bool worker_pass(struct worker *worker, enum worker_point point);
void worker_dies(struct worker *worker, bool alone);
struct task *worker_task(struct worker *worker, const char *token);

/* ---- crew.c: the coordinator ---- */

void crew_join(struct worker *worker);
void crew_leave(struct worker *worker);
void crew_silent(struct worker *worker);
void crew_heard(struct worker *worker);
void crew_expel(struct worker *worker);
void crew_rebalance(struct crew *crew);
/* It has let go of its partitions, as a rebalance wants. */
void crew_let_go(struct worker *worker);
const char *place_topic(int32_t place);
int32_t place_partition(int32_t place);
struct log *place_log(struct world *world, int32_t place);

/* ---- claim.c: the three steps ---- */

void claim_read(struct worker *worker);
void claim_say(struct worker *worker);
void claim_commit(struct worker *worker);
/* The log has taken `started`. */
void claim_heard(struct worker *worker, struct task *task, int64_t sent_us, int64_t appended_ms);
/* The third step of what is committed, and the start. */
void claim_start(struct worker *worker);
/* What it has not claimed of these partitions is forgotten. */
void claim_forget(struct worker *worker);
void offsets_drop(struct world *world);

/* ---- program.c ---- */

int64_t task_margin_us(const struct task *task);
int64_t task_kill_us(const struct task *task); /* by the worker's clock */
void program_start(struct worker *worker, struct task *task, bool late);
void program_stop(struct worker *worker, struct task *task, enum stop stop);
void programs_watch(struct worker *worker);
void programs_thaw(struct worker *worker);
void programs_die(struct worker *worker, bool alone);
/* When the next of them needs its worker. */
int64_t programs_next_us(const struct worker *worker);

/* ---- post.c: reports on their way ---- */

enum post_kind { POST_STARTED = 0, POST_RUNNING, POST_FINAL };
void post_send(struct worker *worker, const struct task *task, enum post_kind kind,
               const char *word, const char *more);
void posts_drop(struct world *world);
void post_append(struct world *world, int32_t shard, const char *value);

#endif
