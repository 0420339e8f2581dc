/* engine.h - one shard, from taking it over to giving it up: reads commands, steps the state
 * machine, commits what it says, keeps the store up to date. Runs on one thread of its own. */
#ifndef BELFRY_ENGINE_ENGINE_H
#define BELFRY_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/engine/checkpoint_port.h"
#include "dispatcher/engine/clock.h"
#include "dispatcher/engine/engine_settings.h"
#include "dispatcher/engine/observer.h"
#include "dispatcher/engine/own_commit.h"
#include "dispatcher/shard/shard.h"
#include "lib/model/input.h"

struct engine_options {
    const char *cluster; /* borrowed, like all texts here */
    const char *owner;   /* this process: host, pid and a random part; not above OWNER_BYTES_MAX */
    const char *tz_version;
    const struct zone_lookup *zones; /* shared by all shards; NULL: UTC only */
    uint8_t hash_key[HASH_KEY_BYTES]; /* of the shard's tables; see shard_config */
    int32_t shard;
    int32_t shards;
    struct engine_settings settings;
    size_t checkpoint_group_max;    /* jobs handed to the store at once; 0: the usual */
    size_t checkpoint_part_max;     /* of these in one call; 0: the usual */
    int64_t clock_sample_ms; /* how often the broker's clock is looked at while all is well */
    int64_t wait_max_ms;     /* the longest wait: wishes are noticed also without a wake */
    size_t batch_outputs_max; /* records of one transaction */
    const char *const *fires_topics; /* allow-list of foreign topics, `count` terminated names */
    size_t fires_topic_count;
    const char *const *results_topics;
    size_t results_topic_count;
    bool state_log; /* false: the embedded mode, whose broker forgets; the store is the truth */
    bool runs;      /* jobs may have a lease: what workers report is read, and acts */
    bool runs_append_times; /* reports have the time of the broker's clock, not of the sender's */
};
void engine_options_defaults(struct engine_options *options);

/* Borrowed; outlive the engine. */
struct engine_ports {
    struct broker *broker;
    struct checkpoint_port *checkpoint;
    const struct clock *clock;
    const struct observer *observer;
    struct own_commit *own_commit; /* of this shard, handed from engine to engine of the process;
                                    * NULL: nobody remembers */
};

enum engine_state {
    ENGINE_STARTING = 0, /* proving ownership, restoring */
    ENGINE_LIVE,
    ENGINE_WAITING, /* fenced or not the owner now: waits for the group's word */
    ENGINE_ENDED
};

enum engine_wish {
    ENGINE_RUN = 0,
    ENGINE_DROP,    /* another process has the shard now: end without a last word */
    ENGINE_SHUTDOWN /* finish the transaction, checkpoint, end */
};

/* Numbers for health and `belfry shards`; each may be read from any thread at any time. */
struct engine_status {
    enum engine_state state;
    int64_t since_ms; /* in this state */
    int64_t sequence;
    int64_t epoch;
    int64_t watermark_ms;
    int64_t fires;
    int64_t commands; /* results put out */
    int64_t jobs;
    int64_t jobs_paused; /* in one state at most, as the record says it; the others are active */
    int64_t jobs_failing;
    int64_t jobs_finished;
    int64_t jobs_zoneless; /* set aside: a time zone is not there */
    int64_t jobs_owing;    /* neither paused nor set aside */
    int64_t jobs_next_hour; /* with a slot in it, at least so many */
    int64_t owed_slots;    /* in the catch-up lane */
    int64_t owed_drain_ms; /* until they are worked off */
    int64_t owed_oldest_ms; /* when the oldest of all owed slots was due; INSTANT_NONE: none */
    int64_t runs_open;
    int64_t runs_oldest_ms; /* when the oldest of them was opened; INSTANT_NONE: none is */
    int64_t next_live_ms;  /* when the next slot comes due that is not owed; INT64_MAX: none */
    int64_t waiting[INPUTS_COMMANDS]; /* records of each that are not done, as far as is known */
    int64_t takeover_ms;   /* how long taking it over took; -1: not yet */
    int64_t checkpoint_sequence;
    int64_t committed_us; /* by the monotonic clock, when Kafka last took a commit; 0: never */
    int64_t moved_us; /* by the monotonic clock, when its time last moved: all that was due by then
                       * is committed. 0: never */
    int64_t correction_ms; /* what is taken off our clock */
    int64_t clock_ahead_ms; /* our clock against the broker's, as far as proven; negative: behind */
    bool clock_far; /* by more than clock.step: nothing fires */
};

struct engine;
struct engine *engine_create(const struct engine_options *options,
                             const struct engine_ports *ports);
/* Runs until a wish to end; ERROR_FATAL: the shard cannot run (lost state, newer layout ...). */
bool engine_run(struct engine *engine, struct error *error);
/* From any thread; wake the broker's wait afterwards. A wish never goes back. */
void engine_wish(struct engine *engine, enum engine_wish wish);
/* From any thread: the group has assigned the shard to this process (again). */
void engine_assigned(struct engine *engine);
struct engine_status engine_status(const struct engine *engine);
void engine_destroy(struct engine *engine);

#endif
