/* world.h - everything one simulated cluster is made of: virtual time, Kafka, the group, Redis,
 * the processes, what has been committed. One thread, no real time, nothing outside. */
#ifndef BELFRY_TESTS_WORLD_H
#define BELFRY_TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/engine.h"
#include "dispatcher/engine/step_aside.h"
#include "tests/simulation/world/agenda.h"
#include "tests/simulation/world/anew.h"
#include "tests/simulation/world/cluster.h"
#include "tests/simulation/world/coroutine.h"
#include "tests/simulation/world/group.h"
#include "tests/simulation/world/heap.h"
#include "tests/simulation/world/history.h"
#include "tests/simulation/world/loss.h"
#include "tests/simulation/world/random.h"
#include "tests/simulation/world/redis.h"
#include "tests/simulation/world/run_facts.h"
#include "tests/simulation/world/sometimes.h"
#include "tests/simulation/world/work_log.h"
#include "tests/simulation/world/zones.h"

enum { PROCESSES_MAX = 4, VIOLATIONS_MAX = 8, VIOLATION_BYTES = 600 };

struct settings { /* of one seed */
    int32_t shards;
    int32_t processes;
    int64_t hours;
    int64_t wait_max_ms;
    int64_t checkpoint_interval_ms;
    int64_t clock_sample_ms;
    int64_t catchup_per_second;
    int64_t start_ms; /* true time at the beginning */
    int64_t batch_max; /* outputs a transaction: small ones are cut often; 0: the product's */
    bool runs; /* jobs with a lease, and workers */
};

struct world;
struct workers;
struct process;
struct request;

/* Where a process can be killed or stopped: at its n-th passage of such a point. */
enum point {
    POINT_NONE = 0,
    POINT_PROVE,
    POINT_INIT_BEFORE,
    POINT_INIT_AFTER,
    POINT_BEGIN,
    POINT_PRODUCE,
    POINT_COMMIT_BEFORE,
    POINT_COMMIT_AFTER,
    POINT_POLL,
    POINT_STORE_READ,
    POINT_STORE_WRITE,
    POINT_COUNT
};
const char *point_name(enum point point);

/* What becomes of the next commit of a shard. */
enum commit_fate {
    COMMIT_WELL = 0,
    COMMIT_ABORTABLE,  /* everything arrived; the coordinator asks for an abort */
    COMMIT_NOT_SENT,   /* no record arrives; the outcome is unknown to the client */
    COMMIT_CUT,        /* some records arrive, then nothing; unknown */
    COMMIT_REPLY_LOST, /* all is done; unknown to the client */
    COMMIT_LATE,       /* records arrive, the end of the transaction is delayed; unknown */
    COMMIT_SLOW,       /* records arrive, the end is sent so late that the coordinator gave up */
    COMMIT_PARTS,      /* records arrive in two parts, with a pause between them */
    COMMIT_TWICE,      /* the end is sent again, and that is answered; the first is still to come,
                        * and comes between the two parts of the shard's next transaction */
    COMMIT_FATE_COUNT
};
const char *commit_fate_name(enum commit_fate fate);

/* What becomes of a shard's next tick. */
enum tick_fate {
    TICK_WELL = 0,
    TICK_LOST,  /* given up on its way; its sender hears of it with the next one */
    TICK_LATE,  /* it comes after later ones */
    TICK_TWICE, /* it was sent again, and came both times */
    TICK_FATE_COUNT
};

/* What becomes of a shard's next question about a group. */
enum question_fate {
    QUESTION_WELL = 0,
    QUESTION_UNHEARD, /* no answer */
    QUESTION_STALE,   /* the answer is long under way: of a while ago when it comes */
    QUESTION_DENIED,  /* no right to describe the group, */
    QUESTION_PARTLY,  /* or one of the topics */
    QUESTION_FATE_COUNT
};

struct asked; /* a question to a group's coordinator, or its answer */

struct seat { /* a shard in a process: its engine, on a coroutine of its own */
    struct world *world;
    struct process *process;
    int32_t shard;
    bool wanted;
    int64_t wanted_us;   /* since when */
    bool ending;
    bool failed;
    struct engine *engine;
    struct coroutine *coroutine;
    struct broker *broker;
    struct checkpoint_port *checkpoint;
    struct error error;
    bool done;           /* engine_run has returned */
    bool good;           /* what it returned */
    uint64_t life;       /* counts engines; requests of an earlier one find nobody */
    uint64_t wait;       /* counts waits; a wake for an earlier one is stale */
    int64_t passages;    /* of ports without any time passing */
    int64_t snapshot_sequence; /* of what it last read from Redis; -1: there was nothing */
    int64_t proved_us;   /* when the group last confirmed the shard */
    int64_t opened_ms;   /* when it last had a new producer */
    int64_t tried_sequence; /* of the last mark produced, */
    uint64_t tried_life;    /* by which engine */
    int64_t taken_sequence; /* of the last mark that this process knows Kafka has taken, */
    struct own_commit own_commit; /* and what its engines say of it */
    struct broker_receipt receipt; /* of the last mark that Kafka took */
    struct asked *asked; /* NULL: nothing; the simulator's memory */
    uint64_t questions;  /* counts them; what comes for an earlier one finds nobody */
    bool tick_failed;    /* one was given up, and nobody has been told */
    bool waiting;
    bool reading;        /* in the broker's poll */
    int64_t wait_end_us;
    bool idles;          /* in a long wait of the poll: nothing is due */
    int64_t idle_us;     /* when such a wait ended last */
    int64_t not_before_us;
    int refusals; /* as Kafka has lost something, one after the other */
};

struct process {
    struct world *world;
    int32_t index;
    bool running;
    bool leaving;        /* asked to end */
    bool stays_down;
    int64_t starts;      /* makes the owner's name unique */
    char owner[32];
    struct heap heap;
    struct clock clock;
    struct observer observer;
    int64_t booted_us;
    int64_t offset_us;   /* wall clock against the true time */
    int64_t stepped_us;  /* when it was set last */
    int64_t drift_ppm;
    int64_t drift_from_us;
    int64_t frozen_until_us;
    int64_t cut_off_until_us; /* from Kafka */
    enum point crash_point;
    int64_t crash_countdown;
    enum point leave_point; /* where it is asked to end in order */
    int64_t leave_countdown;
    bool freeze_there;   /* in place of the crash */
    int64_t crash_freeze_us;
    bool crashing;       /* the running coroutine has met its end */
    int64_t init_delay_us; /* of its next init_transactions */
    int64_t fetch_from_us; /* after a pause, what is fetched takes a moment to come */
    struct member member;
    struct step_aside aside;
    bool away;           /* it has left the group for a moment */
    int64_t commits_lost_until_us; /* none of its transactions arrives */
    struct store *store; /* its connection to Redis */
    int zones_next;      /* the version of the zone data on its disk */
    int zones_version;   /* what it has read at its start */
    bool strict_next;    /* its configuration's limits are so low that few commands pass */
    bool strict;
    struct seat slots[SIM_SHARDS_MAX];
};

struct sent { /* a command in the control topic; its place in the list is its offset */
    int64_t time_ms;
    char *text;
    bool bulky; /* its key or its headers are larger than is allowed */
};

struct bulk { /* what a command is sent with besides its text */
    int64_t key_bytes;
    int64_t headers;
    int64_t header_bytes; /* of each value */
};

enum { CUTS_MAX = 256 };
struct cut { /* a time in which some process could not hear Kafka */
    int64_t from_ms;
    int64_t to_ms;
};

struct world {
    uint64_t seed;
    struct settings settings;
    struct agenda agenda;
    int64_t now_us;
    int64_t end_us;
    int64_t calm_us; /* since when nothing goes wrong any more; 0: not yet */
    bool stopped;
    struct random dice;
    uint64_t hash;
    struct cluster cluster;
    struct group group;
    struct redis redis;
    struct zones *zones;
    struct process processes[PROCESSES_MAX];
    struct history history;
    struct work_log work_log;
    struct run_facts facts;
    struct workers *workers; /* NULL: a seed without runs */
    int64_t coordinator_silent_until_us; /* no group's answers a question */
    struct sent *sent[SIM_SHARDS_MAX];
    size_t sent_count[SIM_SHARDS_MAX];
    size_t sent_capacity[SIM_SHARDS_MAX];
    struct losses losses;
    struct anew anew;
    struct cut cuts[CUTS_MAX];
    size_t cut_count;
    struct cut holds[CUTS_MAX]; /* of forwards behind a transaction that was open for long */
    size_t hold_count;
    enum commit_fate commit_fate[SIM_SHARDS_MAX];
    int64_t commit_delay_us[SIM_SHARDS_MAX];
    struct request *late_end[SIM_SHARDS_MAX]; /* of a commit that was asked for twice */
    enum tick_fate tick_fate[SIM_SHARDS_MAX];
    enum question_fate question_fate[SIM_SHARDS_MAX];
    int64_t kafka_down_until_us;
    int64_t slow_until_us[SIM_SHARDS_MAX]; /* each commit takes between low and high */
    int64_t slow_low_us[SIM_SHARDS_MAX];
    int64_t slow_high_us[SIM_SHARDS_MAX];
    int64_t leader_bad_until_us[SIM_SHARDS_MAX]; /* nobody can write the partition */
    bool has_left[PROCESSES_MAX]; /* a process, for such a partition, since none was bad */
    int leaders_gone_bad;         /* since then */
    bool leader_was_bad[SIM_SHARDS_MAX];
    int64_t stands_since_us[SIM_SHARDS_MAX];
    struct sometimes sometimes;
    bool bad_seen[SIM_SHARDS_MAX][FOREIGN_TOPICS]; /* by the shard's owner: the topic is suspect */
    int64_t last_ping[SIM_SHARDS_MAX][FOREIGN_TOPICS]; /* the last to each reply topic; 0: none */
    bool ever_strict; /* some process has had a strict configuration */
    int64_t faults;
    bool verbose;
    char violations[VIOLATIONS_MAX][VIOLATION_BYTES];
    int violation_count;
};

/* A client's command, into the control topic. */
void world_send(struct world *world, int32_t shard, const char *text);
void world_send_bulk(struct world *world, int32_t shard, const char *text,
                     const struct bulk *bulk);

#define MILLI_US INT64_C(1000)
#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)

void world_open(struct world *world, uint64_t seed, const struct settings *settings);
void world_close(struct world *world);
/* Lets virtual time pass; stops early after a violation that ends everything. */
void world_run(struct world *world, int64_t until_us);
int64_t world_now_ms(const struct world *world); /* the true time, which is Kafka's */
void world_violation(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void world_trace(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int64_t world_latency_us(struct world *world, int64_t low_us, int64_t high_us);

/* ---- processes.c ---- */

void process_start(struct process *process);
void process_kill(struct process *process);
/* Asks it to end in order; it starts again after a while. */
void process_leave(struct process *process);
/* An operator has decided: a shard that was refused is tried at once. */
void process_try_again(struct process *process, int32_t shard);
void process_freeze(struct process *process, int64_t for_us);
void process_cut_off(struct process *process, int64_t for_us);
void process_step_clock(struct process *process, int64_t by_us);
void process_drift_clock(struct process *process, int64_t ppm);
/* Neither frozen nor cut off nor down: the group hears of it. */
bool process_heard(const struct process *process);
bool process_reaches_kafka(const struct process *process);
/* The group's word: bit s of `shards` for shard s. */
void process_assign(struct process *process, uint32_t shards);
bool process_is_live(const struct process *process, int32_t shard);

/* ---- waiting, in a slot's coroutine ---- */

/* Until somebody wakes the slot, or the time. */
void slot_wait(struct seat *slot, int64_t until_us);
void slot_wake(struct seat *slot, int64_t at_us);
/* Passes a point at which the process may die or freeze. */
void slot_pass(struct seat *slot, enum point point);

/* ---- port_broker.c, port_store.c: what the engines are given ---- */

struct broker *broker_simulated_create(struct seat *slot);
/* What was asked is forgotten: an answer finds nobody. */
void question_forget(struct seat *slot);
/* Frees what is still on its way, when the world ends. */
void ticks_drop(struct world *world);
void requests_drop(struct world *world);
void arrivals_drop(struct world *world);
void checkpoint_simulated_destroy(struct checkpoint_port *port, bool killed);
/* Nothing was asked whose answer its shard does not have yet. */
bool checkpoint_simulated_rests(struct checkpoint_port *port);
void world_kafka_down(struct world *world, int64_t for_us);
struct checkpoint_port *checkpoint_simulated_create(struct seat *slot);

#endif
