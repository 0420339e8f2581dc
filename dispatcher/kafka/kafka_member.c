#include "dispatcher/kafka/kafka_member.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "dispatcher/kafka/kafka_client.h"
#include "dispatcher/kafka/kafka_error.h"
#include "dispatcher/kafka/kafka_topics.h"
#include "lib/base/memory.h"

enum { DESTROY_LEAVE_MS = 2000, CLOSE_POLL_MS = 50 };

struct kafka_member {
    struct kafka_client client;
    const struct kafka_options *options;
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;   /* the consumer's, to be woken */
    rd_kafka_queue_t *closing; /* events of the close, once it has begun */
    char control[TOPIC_NAME_BYTES];
    uint64_t delivered; /* number of the assignment poll() gave out last */
    bool joined;
    bool left;

    pthread_mutex_t lock; /* guards what follows */
    uint64_t number;      /* of assignments so far */
    bool current;         /* not revoked since */
    struct kafka_assignment assigned;
};

static int compare_shards(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

static void remember(struct kafka_member *member, const rd_kafka_topic_partition_list_t *list)
{
    assert(list != NULL);
    (void)pthread_mutex_lock(&member->lock);
    member->assigned.count = 0;
    member->assigned.beyond = 0;
    for (int i = 0; i < list->cnt; i++) {
        int32_t partition = list->elems[i].partition;
        if (partition >= member->options->shards) member->assigned.beyond++;
        else member->assigned.shards[member->assigned.count++] = partition;
    }
    qsort(member->assigned.shards, member->assigned.count, sizeof member->assigned.shards[0],
          compare_shards);
    member->number++;
    member->current = true;
    (void)pthread_mutex_unlock(&member->lock);
}

/* Runs in the polling thread and returns at once: the shards' threads act on it later. */
static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    const struct kafka_client *client = opaque;
    struct kafka_member *member = client->owner;
    assert(member != NULL);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        remember(member, partitions);
        /* An empty list: we own the partitions and fetch none of them. NULL here would be the
         * answer to a revoke and leave the whole group waiting for this member. */
        rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
        rd_kafka_resp_err_t refused = rd_kafka_assign(handle, none);
        rd_kafka_topic_partition_list_destroy(none);
        if (refused == RD_KAFKA_RESP_ERR_NO_ERROR) return;
        kafka_client_log(&client->log, 3, "assignment refused: %s", rd_kafka_err2str(refused));
        return;
    }
    (void)pthread_mutex_lock(&member->lock);
    member->current = false;
    (void)pthread_mutex_unlock(&member->lock);
    if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        kafka_client_log(&client->log, 4, "rebalance failed: %s", rd_kafka_err2str(code));
    (void)rd_kafka_assign(handle, NULL);
}

struct kafka_member *kafka_member_create(const struct kafka_options *options, struct error *error)
{
    assert(options != NULL);
    assert(options->clock != NULL);
    rd_kafka_conf_t *conf = kafka_options_properties(options, KAFKA_MEMBER, 0, error);
    if (conf == NULL) return NULL;
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    struct kafka_member *member = memory_allocate(1, sizeof *member);
    member->client = (struct kafka_client){.log = options->log, .owner = member};
    member->options = options;
    kafka_topic_name(options->cluster, TOPIC_CONTROL, member->control);
    (void)pthread_mutex_init(&member->lock, NULL);
    member->handle = kafka_client_open(&member->client, conf, KAFKA_MEMBER, error);
    if (member->handle == NULL) {
        (void)pthread_mutex_destroy(&member->lock);
        free(member);
        return NULL;
    }
    member->queue = rd_kafka_queue_get_consumer(member->handle);
    return member;
}

void kafka_member_destroy(struct kafka_member *member)
{
    if (member == NULL) return;
    struct error error = {0};
    if (!member->left && !kafka_member_leave(member, DESTROY_LEAVE_MS, &error)) {
        /* The handle would wait for the coordinator, without an end; it keeps using *member. */
        kafka_client_log(&member->client.log, 4, "%s: the handle is abandoned", error.message);
        return;
    }
    rd_kafka_queue_destroy(member->queue);
    if (member->closing != NULL) rd_kafka_queue_destroy(member->closing);
    rd_kafka_destroy(member->handle);
    (void)pthread_mutex_destroy(&member->lock);
    free(member);
}

rd_kafka_t *kafka_member_handle(struct kafka_member *member)
{
    assert(member != NULL);
    assert(member->handle != NULL);
    return member->handle;
}

bool kafka_member_join(struct kafka_member *member, struct error *error)
{
    assert(member != NULL);
    assert(!member->joined && !member->left);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, member->control, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(member->handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)kafka_error_code(member->handle, KAFKA_OPEN, code, "joining the group", error);
        return false;
    }
    member->joined = true;
    return true;
}

void kafka_member_rest(struct kafka_member *member)
{
    assert(member != NULL && member->joined && !member->left);
    (void)pthread_mutex_lock(&member->lock);
    member->current = false;
    member->assigned.count = 0;
    (void)pthread_mutex_unlock(&member->lock);
    (void)rd_kafka_unsubscribe(member->handle);
    member->joined = false;
}

/* Somebody joined under our group.instance.id: another process, or we ourselves, and the answer
 * that told us our new name in the group got lost. */
static bool place_is_taken(const struct kafka_member *member)
{
    char reason[16];
    return rd_kafka_fatal_error(member->handle, reason, sizeof reason) ==
           RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

/* What the consumer says about itself: nearly all of it passes. */
static bool judge_message(struct kafka_member *member, const rd_kafka_message_t *message,
                          struct error *error)
{
    assert(message != NULL);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    struct error seen = {0};
    enum error_kind kind =
        kafka_error_code(member->handle, KAFKA_LOOK_UP, message->err, "group", &seen);
    if (kind == ERROR_FATAL)
        return error_set(error, place_is_taken(member) ? ERROR_FENCED : ERROR_FATAL, "%s",
                         seen.message);
    kafka_client_log(&member->client.log, 4, "%s: %s", seen.message,
                     rd_kafka_message_errstr(message));
    return true;
}

bool kafka_member_poll(struct kafka_member *member, int32_t wait_ms,
                       struct kafka_assignment *assignment, bool *changed, struct error *error)
{
    assert(member != NULL && !member->left);
    assert(assignment != NULL && changed != NULL);
    *changed = false;
    rd_kafka_message_t *message = rd_kafka_consumer_poll(member->handle, wait_ms);
    if (message != NULL) {
        bool passing = judge_message(member, message, error);
        rd_kafka_message_destroy(message);
        if (!passing) return false;
    }
    (void)pthread_mutex_lock(&member->lock);
    if (member->number != member->delivered) {
        member->delivered = member->number;
        *assignment = member->assigned;
        *changed = true;
    }
    (void)pthread_mutex_unlock(&member->lock);
    return true;
}

void kafka_member_wake(struct kafka_member *member)
{
    assert(member != NULL);
    assert(member->queue != NULL);
    rd_kafka_queue_yield(member->queue);
}

/* The number of the assignment in force, or 0 with an error when `shard` is not in it. */
static uint64_t claim(struct kafka_member *member, int32_t shard, struct error *error)
{
    (void)pthread_mutex_lock(&member->lock);
    bool current = member->current;
    bool owned = bsearch(&shard, member->assigned.shards, member->assigned.count, sizeof shard,
                         compare_shards) != NULL;
    uint64_t number = member->number;
    (void)pthread_mutex_unlock(&member->lock);
    assert(!current || number > 0);
    if (current && rd_kafka_assignment_lost(member->handle)) current = false;
    if (!current) {
        error_set(error, ERROR_RETRY, "shard %d: the group is being rebalanced", (int)shard);
        return 0;
    }
    if (!owned) {
        error_set(error, ERROR_FENCED, "shard %d: the group gave it to another daemon",
                  (int)shard);
        return 0;
    }
    return number;
}

/* Waits for one commit with a bound; rd_kafka_commit() has none. */
static bool commit(struct kafka_member *member, const rd_kafka_topic_partition_list_t *offsets,
                   struct error *error)
{
    rd_kafka_queue_t *answers = rd_kafka_queue_new(member->handle);
    rd_kafka_resp_err_t code =
        rd_kafka_commit_queue(member->handle, offsets, answers, NULL, NULL);
    rd_kafka_event_t *event = NULL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        event = rd_kafka_queue_poll(answers, KAFKA_REQUEST_WAIT_MS);
        code = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
    }
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(answers);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    (void)kafka_error_code(member->handle, KAFKA_PROVE, code, "proof of ownership", error);
    return false;
}

bool kafka_member_prove(struct kafka_member *member, int32_t shard, int64_t control_offset,
                        struct error *error)
{
    assert(member != NULL);
    assert(shard >= 0 && shard < member->options->shards);
    uint64_t number = claim(member, shard, error);
    if (number == 0) return false;
    bool proven = false;
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *offset =
        rd_kafka_topic_partition_list_add(offsets, member->control, shard);
    offset->offset = control_offset;
    if (control_offset < 0) {
        rd_kafka_resp_err_t code =
            rd_kafka_committed(member->handle, offsets, KAFKA_REQUEST_WAIT_MS);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            (void)kafka_error_code(member->handle, KAFKA_PROVE, code, "committed offset", error);
            goto out;
        }
        if (offset->offset < 0) offset->offset = 0;
    }
    if (!commit(member, offsets, error)) goto out;
    /* Between a revoke and the next assignment a commit can succeed for a shard that is going. */
    uint64_t after = claim(member, shard, error);
    if (after != 0 && after != number)
        error_set(error, ERROR_RETRY, "shard %d: the group was rebalanced", (int)shard);
    proven = after == number;
out:
    rd_kafka_topic_partition_list_destroy(offsets);
    return proven;
}

/* Begins the close that is polled: rd_kafka_consumer_close() may wait for a coordinator for
 * ever. False when there is nothing to be closed: the group has thrown this member out. */
static bool begin_close(struct kafka_member *member)
{
    assert(!member->left);
    if (member->closing != NULL) return true;
    member->closing = rd_kafka_queue_new(member->handle);
    rd_kafka_error_t *refused = rd_kafka_consumer_close_queue(member->handle, member->closing);
    if (refused == NULL) return true;
    rd_kafka_error_destroy(refused);
    return false;
}

/* A queue of our own hands out events where the consumer's would call back. */
static void serve_close(struct kafka_member *member)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(member->closing, CLOSE_POLL_MS);
    if (event == NULL) return;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        on_rebalance(member->handle, rd_kafka_event_error(event),
                     rd_kafka_event_topic_partition_list(event), &member->client);
    rd_kafka_event_destroy(event);
}

bool kafka_member_leave(struct kafka_member *member, int32_t deadline_ms, struct error *error)
{
    assert(member != NULL);
    assert(deadline_ms >= 0);
    if (member->left) return true;
    const struct clock *clock = member->options->clock;
    int64_t deadline_us = clock->monotonic_us(clock->opaque) + deadline_ms * INT64_C(1000);
    member->left = !begin_close(member);
    while (!member->left) {
        serve_close(member);
        member->left = rd_kafka_consumer_closed(member->handle) != 0;
        if (!member->left && clock->monotonic_us(clock->opaque) >= deadline_us)
            return error_set(error, ERROR_RETRY, "the group was not left within %d ms",
                             (int)deadline_ms);
    }
    return true;
}
