/* store_writer.h - a thread that writes the checkpoints of all shards of the process, so that a
 * slow or absent store never holds up a shard. Its mailbox is bounded: one group a shard. */
#ifndef BELFRY_STORE_STORE_WRITER_H
#define BELFRY_STORE_STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "store/store.h"
#include "store/store_group.h"

struct store_writer;

/* Told, from the writer's thread, that a shard has an answer to poll. Must return at once and
 * call nothing of this header. */
typedef void store_writer_notify(void *opaque, int32_t shard);

enum store_writer_state {
    STORE_WRITER_IDLE, /* nothing submitted, or its answer was taken: submit is allowed */
    STORE_WRITER_BUSY,
    STORE_WRITER_DONE  /* the answer is in *result; the shard is idle from now on */
};

struct store_result {
    bool failed;                /* error says why; as for an error of store.write */
    struct error error;
    enum store_outcome outcome; /* where it has not failed */
    bool looked;                /* the answer to store_writer_look(): the position, no outcome */
    struct store_position position;
    int32_t next_part;          /* WRITTEN and no snapshot: what the next group begins with */
    int64_t took_ms;            /* from the first call to the last answer */
};

/* Starts the thread. Takes the store, which must not be used by others. shards: how many shards
 * the cluster has, 1 to SHARDS_MAX. notify may be NULL.
 * NULL: ERROR_RETRY, no thread; the store is destroyed too. */
struct store_writer *store_writer_create(struct store *store, int32_t shards,
                                         store_writer_notify *notify, void *opaque,
                                         struct error *error) __attribute__((warn_unused_result));

/* Takes the finished group and returns at once. The shard must be idle. Called by the shard's
 * thread. After store_writer_stop() the answer is an ERROR_RETRY. */
void store_writer_submit(struct store_writer *writer, struct store_group *group);

/* Asks where the store stands for the groups of this owner: store_operations.look. As submit. */
void store_writer_look(struct store_writer *writer, int32_t shard, int64_t generation,
                       int64_t epoch);

/* Never blocks longer than a moment. Called by the shard's thread. */
enum store_writer_state store_writer_poll(struct store_writer *writer, int32_t shard,
                                          struct store_result *result);

/* As poll, but waits for an answer up to limit_ms. */
enum store_writer_state store_writer_wait(struct store_writer *writer, int32_t shard,
                                          int64_t limit_ms, struct store_result *result);

/* The shard does not want its answer any more (it was dropped). A group not begun is thrown
 * away; one being written stays BUSY until its end, its answer is thrown away. */
void store_writer_cancel(struct store_writer *writer, int32_t shard);

/* Writes what was submitted for at most limit_ms, then answers the rest with ERROR_RETRY and
 * ends the thread, at the latest when the calls then in flight (a few parts) have their answers
 * or time out. Answers can be polled
 * still. Calling it again does nothing. */
void store_writer_stop(struct store_writer *writer, int64_t limit_ms);

/* Stops at once where that was not done, destroys the store and all that is left. */
void store_writer_destroy(struct store_writer *writer);

#endif
