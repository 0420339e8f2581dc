/* kafka_member.h - this process in the group of daemons: which shards it is to run, and the proof
 * that it still may. A consumer that never fetches.
 *
 * One thread polls; kafka_member_prove() may be called by any thread at the same time. */
#ifndef BELFRY_KAFKA_MEMBER_H
#define BELFRY_KAFKA_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/kafka/kafka_options.h"
#include "lib/base/limits.h"

/* The shards the group gave us last, ascending. */
struct kafka_assignment {
    int32_t beyond; /* partitions of the control topic that are no shards: somebody added them */
    size_t count;
    int32_t shards[SHARDS_MAX];
};

struct kafka_member;

/* Joins nothing yet. `options` is borrowed. NULL: ERROR_INVALID, a property is refused. */
struct kafka_member *kafka_member_create(const struct kafka_options *options, struct error *error)
    __attribute__((warn_unused_result));

/* Leaves within a short bound if kafka_member_leave() was not called. NULL is allowed. When the
 * group's coordinator does not let go, librdkafka's handle is left to the end of the process. */
void kafka_member_destroy(struct kafka_member *member);

/* The handle, for requests about the cluster; owned by the member. */
rd_kafka_t *kafka_member_handle(struct kafka_member *member);

/* Subscribes to the control topic: from now on kafka_member_poll() must be called often. */
bool kafka_member_join(struct kafka_member *member, struct error *error)
    __attribute__((warn_unused_result));

/* Leaves the group without ending: keep polling, join again later. A static member is given up by
 * the group when its session has run out. */
void kafka_member_rest(struct kafka_member *member);

/* Waits at most wait_ms for news of the group.
 *   assignment  set when *changed
 *   changed     the group has given out the shards anew, perhaps as before: a fenced shard that
 *               is in it may be taken again. A revoke alone changes nothing.
 *   errors      ERROR_FENCED: our group.instance.id is another's now, this member is of no use;
 *               ERROR_FATAL: no right */
bool kafka_member_poll(struct kafka_member *member, int32_t wait_ms,
                       struct kafka_assignment *assignment, bool *changed, struct error *error)
    __attribute__((warn_unused_result));

/* Ends a kafka_member_poll() of another thread early. */
void kafka_member_wake(struct kafka_member *member);

/* True when the group, asked now, confirms that `shard` is ours: a synchronous offset commit
 * succeeds, the assignment is not lost and has not changed meanwhile. Any thread; blocks up to
 * twice KAFKA_REQUEST_WAIT_MS.
 *   control_offset  what to commit, for lag tools; negative = not known: what the group has
 *   errors  ERROR_FENCED: not ours now; ERROR_RETRY: rebalance under way or no answer */
bool kafka_member_prove(struct kafka_member *member, int32_t shard, int64_t control_offset,
                        struct error *error) __attribute__((warn_unused_result));

/* Leaves the group, so that the others take over at once. Called by the polling thread, last.
 *   errors  ERROR_RETRY: not within deadline_ms; the session runs out by itself then */
bool kafka_member_leave(struct kafka_member *member, int32_t deadline_ms, struct error *error);

#endif
