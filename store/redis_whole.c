#include "store/redis_whole.h"

#include <assert.h>
#include <string.h>

#include "store/redis_keys.h"
#include "store/redis_snapshot.h"
#include "store/store_whole.h"

enum { AGAIN_MOST = 20 };

/* The snapshot comes first and last: where both say the same, nothing was written between. */
static const struct question {
    const char *command;
    enum redis_key key;
} questions[] = {
    {"HGETALL", REDIS_KEY_SNAPSHOT},   {"HLEN", REDIS_KEY_JOBS},
    {"HLEN", REDIS_KEY_SEEN},          {"ZCARD", REDIS_KEY_GROUPS},
    {"ZCARD", REDIS_KEY_SUPER_GROUPS}, {"HLEN", REDIS_KEY_SUPER_GROUP_OF},
    {"HLEN", REDIS_KEY_RUNS},          {"HGETALL", REDIS_KEY_SNAPSHOT},
};
enum {
    QUESTIONS = sizeof questions / sizeof questions[0],
    FIRST = 0,
    LAST = QUESTIONS - 1,
    META = QUESTIONS, /* whose this Redis is */
    ANSWERS
};

bool redis_whole_send(struct redis_connection *connection, int32_t shard, struct error *error)
{
    struct redis_command command = {0};
    bool sent = true;
    for (int i = 0; i < QUESTIONS && sent; i++) {
        char key[REDIS_KEY_BYTES];
        redis_key_make(key, redis_connection_options(connection)->cluster, shard, questions[i].key);
        redis_command_start(&command, questions[i].command);
        redis_command_add_text(&command, key);
        sent = redis_connection_send(connection, &command, error);
    }
    char meta[REDIS_KEY_BYTES];
    redis_key_make_meta(meta, redis_connection_options(connection)->cluster);
    redis_command_start(&command, "HGET");
    redis_command_add_text(&command, meta);
    redis_command_add_text(&command, "kafka_cluster_id");
    sent = sent && redis_connection_send(connection, &command, error);
    redis_command_release(&command);
    return sent;
}

static bool is_ours(const redisReply *id, const char *wanted, struct error *error)
{
    if (wanted[0] == '\0' || id->type != REDIS_REPLY_STRING || id->len == 0 ||
        strcmp(id->str, wanted) == 0)
        return true;
    return error_set(error, ERROR_RETRY,
                     "Redis belongs to Kafka cluster %.63s by now, nothing "
                     "was read there",
                     id->str);
}

static int64_t count_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
}

/* An index by super group that has lost one of its two keys is as good as lost. */
static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool is_same(const struct snapshot *a, const struct snapshot *b)
{
    return a->mark.generation == b->mark.generation && a->mark.epoch == b->mark.epoch &&
           a->mark.sequence == b->mark.sequence && memcmp(&a->held, &b->held, sizeof a->held) == 0;
}

static bool read_answers(redisReply *const replies[ANSWERS], const char *kafka_cluster_id,
                         struct snapshot *snapshot, bool *found, bool *between, struct error *error)
{
    struct snapshot before;
    bool found_before = false;
    for (int i = 0; i < ANSWERS; i++)
        if (!redis_reply_check(replies[i], "read a snapshot", error)) return false;
    if (!is_ours(replies[META], kafka_cluster_id, error)) return false;
    if (!redis_snapshot_read(replies[FIRST], &before, &found_before, error) ||
        !redis_snapshot_read(replies[LAST], snapshot, found, error))
        return false;
    *between = *found != found_before || !is_same(&before, snapshot);
    snapshot->there = (struct store_counts){
        .jobs = count_of(replies[1]),
        .seen = count_of(replies[2]),
        .groups = count_of(replies[3]),
        .super_groups = smaller(count_of(replies[4]), count_of(replies[5])),
        .runs = count_of(replies[6]),
    };
    return true;
}

bool redis_whole_receive(struct redis_connection *connection, struct snapshot *snapshot,
                         bool *found, bool *between, struct error *error)
{
    assert(snapshot != NULL && found != NULL);
    redisReply *replies[ANSWERS] = {0};
    bool fine = true;
    *found = false;
    for (int i = 0; i < ANSWERS && fine; i++) {
        replies[i] = redis_connection_receive(connection, error);
        fine = replies[i] != NULL;
    }
    fine = fine && read_answers(replies, redis_connection_options(connection)->kafka_cluster_id,
                                snapshot, found, between, error);
    for (int i = 0; i < ANSWERS; i++)
        if (replies[i] != NULL) freeReplyObject(replies[i]);
    return fine;
}

bool redis_whole_read(struct redis_connection *connection, int32_t shard, struct snapshot *snapshot,
                      bool *found, struct error *error)
{
    bool between = true;
    for (int i = 0; i < AGAIN_MOST && between; i++) {
        if (!redis_connection_begin(connection, error) ||
            !redis_whole_send(connection, shard, error) ||
            !redis_whole_receive(connection, snapshot, found, &between, error))
            return false;
        between = between && !snapshot_check_whole(snapshot, &(struct error){0});
    }
    return true;
}
