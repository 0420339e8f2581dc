/* shard_fleet.h - the shards this process runs: starts what the group assigns, ends what it takes
 * away, leaves the rest alone, and watches them all. Called by the daemon's thread. */
#ifndef BELFRY_DAEMON_SHARD_FLEET_H
#define BELFRY_DAEMON_SHARD_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/daemon/shard_runner.h"
#include "dispatcher/kafka/kafka_member.h"

struct shard_fleet;

/* `site` is borrowed. */
struct shard_fleet *shard_fleet_create(const struct shard_site *site);
/* All shards must have ended. */
void shard_fleet_destroy(struct shard_fleet *fleet);

/* The group's word, new or the same again. A shard that could not go on gets another chance. */
void shard_fleet_assign(struct shard_fleet *fleet, const struct kafka_assignment *assignment);

/* Ends of threads, new starts of shards that came back, complaints. To be called often. */
void shard_fleet_tend(struct shard_fleet *fleet);

/* Asks all shards to finish and to end; none is started any more. */
void shard_fleet_shutdown(struct shard_fleet *fleet);
/* Threads that have not ended. */
int32_t shard_fleet_running(const struct shard_fleet *fleet);

/* Shards that are ours but cannot be run (lost state, a newer layout) and are tried again after a
 * minute only, and whether that is all of them, so that this process has nothing left to do; but
 * what it alone knows to be lost it has to refuse for as long as it can. */
int32_t shard_fleet_failed(const struct shard_fleet *fleet);
bool shard_fleet_hopeless(const struct shard_fleet *fleet);

/* Most of its shards have stopped, and it is worth leaving them to others, if there are any; then
 * give_up() drops them all. See step_aside.h. */
bool shard_fleet_unwell(struct shard_fleet *fleet);
void shard_fleet_give_up(struct shard_fleet *fleet);

/* How one shard is, for whoever asks. */
struct shard_status {
    bool wanted;       /* the group says it is ours */
    const char *state; /* a word, as in the log and in `belfry shards` */
    int64_t still_us;  /* its time has stood still for so long, since it is ours */
    struct engine_status engine; /* all 0 without a thread */
};

struct shard_status shard_fleet_status(const struct shard_fleet *fleet, int32_t shard);

#endif
