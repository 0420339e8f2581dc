/* checkpointer.h - keeps the store up to date behind the commits. What is to be written is a
 * flag for each job and run and bounded lists, never a queue: the store may be away for days. */
#ifndef BELFRY_ENGINE_CHECKPOINTER_H
#define BELFRY_ENGINE_CHECKPOINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/checkpoint_port.h"
#include "dispatcher/engine/clock.h"
#include "dispatcher/engine/observer.h"
#include "dispatcher/shard/shard.h"

struct checkpointer;

struct checkpointer_options {
    struct checkpoint_port *port;
    const struct clock *clock;
    const struct observer *observer;
    int32_t shard;
    int64_t interval_ms;
    size_t group_jobs_max; /* handed over at once; 0: as many as are encoded in 10 ms */
    size_t part_items_max; /* of these in one call; 0: STORE_CALL_JOBS_MAX */
};

/* Disarmed: it takes note of what changes and writes nothing. */
struct checkpointer *checkpointer_create(const struct checkpointer_options *options);
void checkpointer_destroy(struct checkpointer *checkpointer);

/* The shard's memory is what its owner's first mark says: from now on it may be written. */
void checkpointer_arm(struct checkpointer *checkpointer);

/* What the outbox tells; also called for what a takeover reads from the state log. */
void checkpointer_job_changed(struct checkpointer *checkpointer, const struct job *job);
void checkpointer_job_fired(struct checkpointer *checkpointer, const struct job *job);
void checkpointer_job_deleted(struct checkpointer *checkpointer, const struct job *job);
/* Or is over: what is open under k when it is sent is what the store gets. */
void checkpointer_run_changed(struct checkpointer *checkpointer, uint32_t k);
/* One that the shard does not have, but the store may. */
void checkpointer_name_deleted(struct checkpointer *checkpointer, struct text name);
void checkpointer_seen(struct checkpointer *checkpointer, int64_t sequence, struct text text);
void checkpointer_seen_expired(struct checkpointer *checkpointer, int64_t sequence);

/* The store holds this sequence; what is flagged from here on is to be added. */
void checkpointer_follows(struct checkpointer *checkpointer, int64_t sequence);
/* What the store holds is not known or of no use: write the whole shard. */
void checkpointer_rewrite(struct checkpointer *checkpointer);

/* After a commit, or when due: takes outcomes, hands over the next group.
 *   mark          the last committed one; the shard stands exactly there
 *   state_offset  asked for with this call when a group begins: the state log's end, at most */
typedef bool checkpointer_state_offset(void *opaque, int64_t *offset);
void checkpointer_tick(struct checkpointer *checkpointer, const struct shard *shard,
                       const struct mark *mark, checkpointer_state_offset *state_offset,
                       void *opaque);

/* When tick should be called again, monotonic us; INT64_MAX: not before the next commit. */
int64_t checkpointer_due_us(const struct checkpointer *checkpointer, const struct mark *mark);

/* Ticks and waits until the store holds the mark, at most until the deadline. */
bool checkpointer_drain(struct checkpointer *checkpointer, const struct shard *shard,
                        const struct mark *mark, checkpointer_state_offset *state_offset,
                        void *opaque, int64_t deadline_us);

/* Many fires have just been committed and more may follow: counters are written later. */
void checkpointer_herd(struct checkpointer *checkpointer);

struct checkpointer_status {
    bool stale;     /* refused: what the store holds is of a newer owner; no more is written */
    bool ahead;     /* of our own epoch, rather: of a time that Kafka has lost */
    bool away;      /* the store did not answer the last time */
    int64_t handed; /* jobs of the position under way, in whole groups */
};
struct checkpointer_status checkpointer_status(const struct checkpointer *checkpointer);

/* The sequence the store is known to hold; -1: none. */
int64_t checkpointer_sequence(const struct checkpointer *checkpointer);

#endif
