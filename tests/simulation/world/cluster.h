/* cluster.h - a simulated Kafka: partitions with offsets, transactions with producer epochs, the
 * last stable offset, markers that take offsets, retention and compaction. Everything here happens
 * at the broker, at the world's present time; the way there and back is the ports' business. */
#ifndef BELFRY_TESTS_CLUSTER_H
#define BELFRY_TESTS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"

enum { SIM_SHARDS_MAX = 4, FOREIGN_TOPICS = 3, FIRES_PARTITIONS = 3 };

struct world;

struct record { /* one in a log, in one piece */
    int64_t offset;
    int64_t time_ms;
    uint64_t transaction; /* its serial; 0: none */
    enum broker_topic topic;
    int32_t partition;
    int32_t foreign;
    bool marker;
    bool aborted;
    bool tombstone;
    bool wants_receipt;
    bool leased; /* a fire that workers may claim */
    bool logged; /* a log has it */
    bool kept;   /* the work log has it, until the end */
    struct text key;
    struct text value;
    size_t header_count;
    struct broker_header headers[];
};

struct open_transaction {
    uint64_t serial;
    int64_t first_offset;
};

struct log {
    struct record **records;
    size_t count;
    size_t capacity;
    int64_t first_offset;
    int64_t next_offset;
    int64_t synced_offset; /* flushed to disk up to here: what no loss can take */
    struct open_transaction open[SIM_SHARDS_MAX + 1]; /* a client's too, in runs */
    size_t open_count;
};

struct transaction {
    uint64_t serial;
    int32_t shard;
    int64_t began_us;
    bool committed;
    struct record **records; /* in the order of producing, of all topics */
    size_t count;
    size_t capacity;
};

enum producer_state { PRODUCER_EMPTY = 0, PRODUCER_ONGOING, PRODUCER_ENDING };

struct producer { /* of one transactional id, as its coordinator knows it */
    int64_t epoch;
    enum producer_state state;
    struct transaction *transaction;
    bool last_committed;
    bool any_ended;
};

enum foreign_state { FOREIGN_GOOD = 0, FOREIGN_MISSING, FOREIGN_DENIED };

struct group_commit { /* how far a group of workers has committed */
    char group[32];
    char topic[32];
    int32_t partition;
    int64_t offset;
};

struct cluster {
    struct log control[SIM_SHARDS_MAX];
    struct log forward[SIM_SHARDS_MAX];
    struct log state[SIM_SHARDS_MAX];
    struct log runs[SIM_SHARDS_MAX];
    struct log fires[FIRES_PARTITIONS];       /* those with a lease, */
    struct log foreign_fires[FOREIGN_TOPICS]; /* also elsewhere; the others only take offsets */
    int64_t other_offset[TOPIC_FOREIGN + 1][SIM_SHARDS_MAX]; /* of topics nobody reads here */
    struct producer producers[SIM_SHARDS_MAX];
    enum foreign_state foreign[FOREIGN_TOPICS];
    int64_t own_limit[TOPIC_OWN_COUNT]; /* bytes a record of our own topic may have; 0: many */
    bool own_named;   /* it is refused when it is produced, else with its transaction */
    bool own_limited; /* there was such a limit */
    int64_t runs_back_ms[SIM_SHARDS_MAX]; /* append times of runs are so much too early, */
    int64_t runs_back_until_us[SIM_SHARDS_MAX]; /* until then */
    uint64_t serial;
    struct group_commit *commits;
    size_t commit_count;
    size_t commit_capacity;
    struct record **retired; /* gone from their logs, but a reader may still hold them */
    size_t retired_count;
    size_t retired_capacity;
};
const char *foreign_topic_name(int32_t index);
int32_t foreign_topic_index(const char *name); /* -1: no such name */

enum answer { ANSWER_DONE = 0, ANSWER_BUSY, ANSWER_FENCED, ANSWER_WRONG_STATE, ANSWER_DENIED };

void cluster_close(struct world *world);
struct log *cluster_log(struct cluster *cluster, enum broker_topic topic, int32_t partition);
/* Of the fires of our own topic, or of a foreign one. */
struct log *cluster_fires(struct cluster *cluster, int32_t foreign, int32_t partition);

/* A record in one piece, the simulator's. */
struct record *record_copy(const struct broker_record *from);
/* Whether one of our own topics takes no record of this size. */
bool cluster_too_large(const struct cluster *cluster, const struct record *record);

/* Unless somebody still has it. */
void record_free(struct record *record);

/* A client without transactions. Takes the record over; returns its offset. */
int64_t cluster_append(struct world *world, struct record *record);
/* init_transactions: *epoch is the new producer's; BUSY: ask again. */
enum answer cluster_init(struct world *world, int32_t shard, int64_t *epoch);
/* Takes records over unless the answer is BUSY. */
enum answer cluster_produce(struct world *world, int32_t shard, int64_t epoch,
                            struct record **records, size_t count);
/* From now on the coordinator's patience with the open transaction, if any, is counted. */
void cluster_watch(struct world *world, int32_t shard);
enum answer cluster_end(struct world *world, int32_t shard, int64_t epoch, bool commit);

/* The record is out of its log, but a reader may still hold it. */
void cluster_retire(struct cluster *cluster, struct record *record);
/* An open transaction whose records are gone is aborted. */
void cluster_give_up(struct world *world, int32_t shard);

/* What a group of workers reads next, as its coordinator knows it; -1: it has never committed. */
int64_t cluster_committed(const struct cluster *cluster, const char *group, const char *topic,
                          int32_t partition);
/* A member commits, or somebody sets the offset back. */
void cluster_commit_offset(struct world *world, const char *group, const char *topic,
                           int32_t partition, int64_t offset);

int64_t log_stable_offset(const struct log *log);
/* The first record at or after `offset` that a read_committed reader sees; NULL: none now. */
const struct record *log_next(const struct log *log, int64_t offset);

/* The newest of each key stays; markers and what was aborted go. */
void cluster_compact(struct world *world, int32_t shard);
/* A client's transaction begins to write here, and ends then: nobody reads past it. */
void cluster_hide(struct world *world, enum broker_topic topic, int32_t partition, int64_t for_us);
/* Of runs all before the time goes, read or not. */
void cluster_retain_runs(struct world *world, int32_t shard, int64_t before_ms);
/* Commands and forwards before the time go. */
void cluster_retain(struct world *world, int64_t before_ms);

#endif
