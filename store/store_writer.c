#include "store/store_writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"
#include "lib/base/quiet_thread.h"

/* Parts sent before the first answer is read: the guard of each protects the next. */
enum { PARTS_IN_FLIGHT = 4 };

enum slot_state { SLOT_IDLE, SLOT_QUEUED, SLOT_WRITING, SLOT_DONE };

struct slot {
    enum slot_state state;
    bool cancelled; /* SLOT_WRITING: nobody waits for the answer */
    struct store_group *group; /* SLOT_QUEUED: to be written; NULL: the store is to be looked at */
    int64_t generation;        /* for that */
    int64_t epoch;
    struct store_result result;
};

struct store_writer {
    struct store *store; /* used by the thread only */
    store_writer_notify *notify;
    void *opaque;
    pthread_t thread;
    bool joined; /* used by the owner only */
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;
    pthread_cond_t answers;
    struct slot *slots; /* by shard */
    int32_t shards;
    int32_t *queue; /* ring of shards; a cancelled entry's slot is no longer QUEUED */
    size_t queue_first;
    size_t queue_count;
    bool stopping;
    int64_t stop_deadline_ms;
};

static bool must_end(struct store_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool end = writer->stopping && monotonic_ms() >= writer->stop_deadline_ms;
    pthread_mutex_unlock(&writer->lock);
    return end;
}

/* Writes some parts; *written of them, where that is fewer the outcome says why. */
static bool write_parts(struct store *store, const struct store_write *writes, size_t count,
                        size_t *written, enum store_outcome *outcome, struct error *error)
{
    *written = 0;
    if (store->operations->write_parts != NULL)
        return store->operations->write_parts(store, writes, count, written, outcome, error);
    for (; *written < count; (*written)++) {
        if (!store->operations->write(store, &writes[*written], outcome, error)) return false;
        if (*outcome != STORE_WRITTEN) break;
    }
    return true;
}

static void write_group(struct store_writer *writer, const struct store_group *group,
                        struct store_result *result)
{
    size_t part_count = store_group_part_count(group);
    size_t next = 0;
    int64_t start_ms = monotonic_ms();
    struct store_write write = {0};
    *result = (struct store_result){.outcome = STORE_WRITTEN};
    while (next < part_count && result->outcome == STORE_WRITTEN && !result->failed) {
        struct store_write writes[PARTS_IN_FLIGHT];
        size_t count = part_count - next < PARTS_IN_FLIGHT ? part_count - next : PARTS_IN_FLIGHT;
        size_t written = 0;
        if (must_end(writer)) {
            result->failed = true;
            error_set(&result->error, ERROR_RETRY,
                      "checkpoint of shard %d: stopped after %zu of "
                      "%zu parts",
                      (int)store_group_shard(group), next, part_count);
            break;
        }
        for (size_t i = 0; i < count; i++) store_group_part(group, next + i, &writes[i]);
        result->failed =
            !write_parts(writer->store, writes, count, &written, &result->outcome, &result->error);
        next += written;
    }
    store_group_part(group, part_count - 1, &write);
    if (!result->failed && result->outcome == STORE_WRITTEN && write.snapshot == NULL)
        result->next_part = write.part + 1;
    result->took_ms = monotonic_ms() - start_ms;
}

static void look(struct store_writer *writer, const struct slot *slot, int32_t shard,
                 struct store_result *result)
{
    int64_t start_ms = monotonic_ms();
    *result = (struct store_result){.looked = true};
    result->failed = !writer->store->operations->look(
        writer->store, shard, slot->generation, slot->epoch, &result->position, &result->error);
    result->took_ms = monotonic_ms() - start_ms;
}

/* The next work, its slot set to WRITING; false where there is none. *group NULL: to look. Locked
 * by the caller. */
static bool take_work(struct store_writer *writer, int32_t *shard, struct store_group **group)
{
    while (writer->queue_count > 0) {
        *shard = writer->queue[writer->queue_first];
        writer->queue_first = (writer->queue_first + 1) % (size_t)writer->shards;
        writer->queue_count--;
        struct slot *slot = &writer->slots[*shard];
        if (slot->state != SLOT_QUEUED) continue; /* cancelled */
        *group = slot->group;
        slot->group = NULL;
        slot->state = SLOT_WRITING;
        slot->cancelled = false;
        return true;
    }
    return false;
}

static void *run(void *argument)
{
    struct store_writer *writer = argument;
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        int32_t shard = 0;
        struct store_group *group = NULL;
        if (!take_work(writer, &shard, &group)) {
            if (writer->stopping) break;
            pthread_cond_wait(&writer->work, &writer->lock);
            continue;
        }
        pthread_mutex_unlock(&writer->lock);
        struct store_result result;
        if (group != NULL) write_group(writer, group, &result);
        else look(writer, &writer->slots[shard], shard, &result);
        store_group_destroy(group);
        pthread_mutex_lock(&writer->lock);
        struct slot *slot = &writer->slots[shard];
        slot->state = slot->cancelled ? SLOT_IDLE : SLOT_DONE;
        slot->result = result;
        bool wanted = !slot->cancelled;
        pthread_cond_broadcast(&writer->answers);
        if (wanted && writer->notify != NULL) {
            pthread_mutex_unlock(&writer->lock);
            writer->notify(writer->opaque, shard);
            pthread_mutex_lock(&writer->lock);
        }
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

static int start_thread(struct store_writer *writer)
{
    int failed = quiet_thread_start(&writer->thread, run, writer);
    if (failed == 0) (void)pthread_setname_np(writer->thread, "belfry-store");
    return failed;
}

struct store_writer *store_writer_create(struct store *store, int32_t shards,
                                         store_writer_notify *notify, void *opaque,
                                         struct error *error)
{
    assert(store != NULL);
    assert(shards > 0 && shards <= SHARDS_MAX);
    struct store_writer *writer = memory_allocate(1, sizeof *writer);
    pthread_condattr_t monotonic;
    writer->store = store;
    writer->notify = notify;
    writer->opaque = opaque;
    writer->shards = shards;
    writer->slots = memory_allocate((size_t)shards, sizeof writer->slots[0]);
    writer->queue = memory_allocate((size_t)shards, sizeof writer->queue[0]);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->work, NULL);
    pthread_cond_init(&writer->answers, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int failed = start_thread(writer);
    if (failed == 0) return writer;
    error_set(error, ERROR_RETRY, "store writer: no thread: %s", strerror(failed));
    writer->joined = true;
    store_writer_destroy(writer);
    return NULL;
}

static bool is_in_queue(const struct store_writer *writer, int32_t shard)
{
    for (size_t i = 0; i < writer->queue_count; i++)
        if (writer->queue[(writer->queue_first + i) % (size_t)writer->shards] == shard) return true;
    return false;
}

/* group NULL: to look. */
static void hand_over(struct store_writer *writer, int32_t shard, struct store_group *group,
                      int64_t generation, int64_t epoch)
{
    assert(shard >= 0 && shard < writer->shards);
    pthread_mutex_lock(&writer->lock);
    struct slot *slot = &writer->slots[shard];
    assert(slot->state == SLOT_IDLE);
    slot->generation = generation;
    slot->epoch = epoch;
    bool refused = writer->stopping;
    if (refused) {
        slot->state = SLOT_DONE;
        slot->result = (struct store_result){.failed = true, .looked = group == NULL};
        error_set(&slot->result.error, ERROR_RETRY, "store writer: stopped");
    } else {
        slot->state = SLOT_QUEUED;
        slot->group = group;
        if (!is_in_queue(writer, shard)) { /* it is, where it was cancelled a moment ago */
            size_t end = (writer->queue_first + writer->queue_count) % (size_t)writer->shards;
            writer->queue[end] = shard;
            writer->queue_count++;
        }
        pthread_cond_signal(&writer->work);
    }
    pthread_mutex_unlock(&writer->lock);
    if (refused) store_group_destroy(group);
}

void store_writer_submit(struct store_writer *writer, struct store_group *group)
{
    assert(writer != NULL && group != NULL);
    hand_over(writer, store_group_shard(group), group, 0, 0);
}

void store_writer_look(struct store_writer *writer, int32_t shard, int64_t generation,
                       int64_t epoch)
{
    assert(writer != NULL);
    hand_over(writer, shard, NULL, generation, epoch);
}

/* The state of a slot, taking its answer. Locked by the caller. */
static enum store_writer_state take_answer(struct slot *slot, struct store_result *result)
{
    switch (slot->state) {
    case SLOT_IDLE: return STORE_WRITER_IDLE;
    case SLOT_QUEUED: return STORE_WRITER_BUSY;
    case SLOT_WRITING: return STORE_WRITER_BUSY;
    case SLOT_DONE: break;
    }
    slot->state = SLOT_IDLE;
    *result = slot->result;
    return STORE_WRITER_DONE;
}

enum store_writer_state store_writer_poll(struct store_writer *writer, int32_t shard,
                                          struct store_result *result)
{
    return store_writer_wait(writer, shard, 0, result);
}

enum store_writer_state store_writer_wait(struct store_writer *writer, int32_t shard,
                                          int64_t limit_ms, struct store_result *result)
{
    assert(shard >= 0 && shard < writer->shards);
    assert(limit_ms >= 0 && result != NULL);
    struct timespec deadline = monotonic_timespec(limit_ms > 0 ? monotonic_ms() + limit_ms : 0);
    pthread_mutex_lock(&writer->lock);
    struct slot *slot = &writer->slots[shard];
    int waited = limit_ms > 0 ? 0 : ETIMEDOUT;
    while ((slot->state == SLOT_QUEUED || slot->state == SLOT_WRITING) && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&writer->answers, &writer->lock, &deadline);
    enum store_writer_state state = take_answer(slot, result);
    pthread_mutex_unlock(&writer->lock);
    return state;
}

void store_writer_cancel(struct store_writer *writer, int32_t shard)
{
    assert(shard >= 0 && shard < writer->shards);
    pthread_mutex_lock(&writer->lock);
    struct slot *slot = &writer->slots[shard];
    struct store_group *group = slot->group;
    slot->group = NULL;
    if (slot->state == SLOT_WRITING) slot->cancelled = true;
    else slot->state = SLOT_IDLE;
    pthread_mutex_unlock(&writer->lock);
    store_group_destroy(group);
}

void store_writer_stop(struct store_writer *writer, int64_t limit_ms)
{
    assert(writer != NULL);
    assert(limit_ms >= 0);
    if (writer->joined) return;
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    writer->stop_deadline_ms = monotonic_ms() + limit_ms;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    writer->joined = true;
}

void store_writer_destroy(struct store_writer *writer)
{
    if (writer == NULL) return;
    store_writer_stop(writer, 0);
    for (int32_t i = 0; i < writer->shards; i++) store_group_destroy(writer->slots[i].group);
    writer->store->operations->destroy(writer->store);
    pthread_cond_destroy(&writer->answers);
    pthread_cond_destroy(&writer->work);
    pthread_mutex_destroy(&writer->lock);
    free(writer->queue);
    free(writer->slots);
    free(writer);
}
