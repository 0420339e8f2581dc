#include "store/store_redis_rights.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store/redis_command.h"
#include "store/redis_connection.h"
#include "store/redis_keys.h"
#include "store/store_redis.h"

enum { WORDS_MAX = 4 };

/* What a daemon asks of Redis, its scripts included. "1" and "2" are keys of a shard. */
static const char *const trials[][WORDS_MAX] = {
    {"HGET", "1", "f"},       {"HMGET", "1", "f"},      {"HSCAN", "1", "0"},
    {"HLEN", "1"},            {"HSET", "1", "f", "v"},  {"HSETNX", "1", "f", "v"},
    {"HDEL", "1", "f"},       {"EXISTS", "1"},          {"RENAME", "1", "2"},
    {"DEL", "1"},             {"UNLINK", "1"},          {"PEXPIRE", "1", "1000"},
    {"PTTL", "1"},
    {"ZADD", "1", "0", "m"},  {"ZREM", "1", "m"},       {"ZCARD", "1"},
    {"EVAL", "return 1", "0"}, {"EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"},
    {"ZRANGEBYLEX", "1", "[a", "[b"},
};
enum { TRIALS = sizeof trials / sizeof trials[0] };

static bool send_words(struct redis_connection *connection, const char *const words[WORDS_MAX],
                       struct error *error)
{
    char keys[2][REDIS_KEY_BYTES];
    struct redis_command command = {0};
    const char *cluster = redis_connection_options(connection)->cluster;
    redis_key_make(keys[0], cluster, 0, REDIS_KEY_JOBS);
    redis_key_make(keys[1], cluster, 0, REDIS_KEY_SNAPSHOT);
    redis_command_start(&command, words[0]);
    for (size_t i = 1; i < WORDS_MAX && words[i] != NULL; i++) {
        bool is_key = i < 3 && strlen(words[i]) == 1 && strchr("12", words[i][0]) != NULL;
        redis_command_add_text(&command, is_key ? keys[words[i][0] - '1'] : words[i]);
    }
    bool sent = redis_connection_send(connection, &command, error);
    redis_command_release(&command);
    return sent;
}

static bool send_word(struct redis_connection *connection, const char *word, struct error *error)
{
    const char *const words[WORDS_MAX] = {word};
    return send_words(connection, words, error);
}

/* *refused: Redis says that this user may not. */
static bool take_answer(struct redis_connection *connection, bool *refused, struct error *error)
{
    redisReply *reply = redis_connection_receive(connection, error);
    if (reply == NULL) return false;
    *refused = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) == 0;
    freeReplyObject(reply);
    return true;
}

static void note_refusal(struct redis_rights *rights, const char *word)
{
    size_t used = strlen(rights->refused);
    (void)snprintf(rights->refused + used, sizeof rights->refused - used, "%s%s",
                   used == 0 ? "" : ", ", word);
}

/* Only in a transaction that has begun: outside of one the commands would be carried out. */
static bool begin(struct redis_connection *connection, bool *begun, struct error *error)
{
    bool refused = false;
    *begun = false;
    if (!redis_connection_begin(connection, error) || !send_word(connection, "DISCARD", error) ||
        !take_answer(connection, &refused, error))
        return false;
    if (refused) return true;
    if (!send_word(connection, "MULTI", error)) return false;
    redisReply *reply = redis_connection_receive(connection, error);
    if (reply == NULL) return false;
    *begun = reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    return true;
}

bool store_redis_try_rights(struct store *store, struct redis_rights *rights, struct error *error)
{
    struct redis_connection *connection = store_redis_connection(store);
    *rights = (struct redis_rights){0};
    if (!begin(connection, &rights->tried, error)) return false;
    if (!rights->tried) return true;
    bool fine = true;
    for (size_t i = 0; i < TRIALS && fine; i++) fine = send_words(connection, trials[i], error);
    fine = fine && send_word(connection, "DISCARD", error);
    for (size_t i = 0; i < TRIALS && fine; i++) {
        bool refused = false;
        fine = take_answer(connection, &refused, error);
        if (fine && refused) note_refusal(rights, trials[i][0]);
        rights->count++;
    }
    bool ignored = false;
    fine = fine && take_answer(connection, &ignored, error);
    if (!fine) redis_connection_drain(connection);
    return fine;
}
