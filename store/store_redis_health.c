#include "store/store_redis_health.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/redis_command.h"
#include "store/redis_connection.h"
#include "store/redis_keys.h"
#include "store/store_redis.h"

struct text_row {
    const char *name;
    size_t offset;
    size_t bytes;
};

#define TEXT_OF(member)                                                                            \
    {#member, offsetof(struct shard_report, member), sizeof((struct shard_report *)0)->member}
static const struct text_row text_rows[] = {TEXT_OF(owner), TEXT_OF(state), TEXT_OF(version),
                                            TEXT_OF(tz_version), TEXT_OF(librdkafka)};
enum { TEXT_ROWS = sizeof text_rows / sizeof text_rows[0] };

struct number_row {
    const char *name;
    size_t offset;
    int64_t otherwise; /* where it is not told */
};

#define NUMBER_OF(member) {#member, offsetof(struct shard_report, member), 0},
#define FIGURE_OF(member) {#member, offsetof(struct shard_report, figures.member), FIGURE_UNKNOWN},
static const struct number_row number_rows[] = {
    NUMBER_OF(still_ms) NUMBER_OF(clock_ahead_ms) SHARD_FIGURES(FIGURE_OF)};
enum { NUMBER_ROWS = sizeof number_rows / sizeof number_rows[0] };

/* Which owner told what an older daemon does not know: one that takes the shard over from a newer
 * one leaves those fields as they are. */
static const char told_by[] = "told_by";
enum { FIELDS = TEXT_ROWS + NUMBER_ROWS + 1, TOLD_BY = FIELDS - 1 };

static_assert(NUMBER_ROWS + 1 < REDIS_COMMAND_NUMBERS_MAX, "one command has room for a report");

static const int64_t *number_in(const struct shard_report *report, const struct number_row *row)
{
    return (const int64_t *)(const void *)((const char *)report + row->offset);
}

static void number_set(struct shard_report *report, const struct number_row *row, int64_t number)
{
    memcpy((char *)report + row->offset, &number, sizeof number);
}

void shard_report_init(struct shard_report *report, int32_t shard)
{
    *report = (struct shard_report){.shard = shard};
    for (size_t i = 0; i < NUMBER_ROWS; i++)
        number_set(report, &number_rows[i], number_rows[i].otherwise);
}

static void make_key(struct store *store, int32_t shard, char key[REDIS_KEY_BYTES])
{
    const char *cluster = redis_connection_options(store_redis_connection(store))->cluster;
    redis_key_make_health(key, cluster, shard);
}

static bool send(struct store *store, struct redis_command *command, struct error *error)
{
    bool sent = redis_connection_send(store_redis_connection(store), command, error);
    redis_command_release(command);
    return sent;
}

static bool send_report(struct store *store, const struct shard_report *report, struct error *error)
{
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    make_key(store, report->shard, key);
    redis_command_start(&command, "HSET");
    redis_command_add_text(&command, key);
    for (size_t i = 0; i < TEXT_ROWS; i++) {
        redis_command_add_text(&command, text_rows[i].name);
        redis_command_add_text(&command, (const char *)report + text_rows[i].offset);
    }
    for (size_t i = 0; i < NUMBER_ROWS; i++) {
        redis_command_add_text(&command, number_rows[i].name);
        redis_command_add_number(&command, *number_in(report, &number_rows[i]));
    }
    redis_command_add_text(&command, told_by);
    redis_command_add_text(&command, report->owner);
    if (!send(store, &command, error)) return false;
    struct redis_command expire = {0};
    redis_command_start(&expire, "PEXPIRE");
    redis_command_add_text(&expire, key);
    redis_command_add_number(&expire, SHARD_HEALTH_KEPT_MS);
    return send(store, &expire, error);
}

bool store_redis_put_health(struct store *store, const struct shard_report *reports, size_t count,
                            struct error *error)
{
    struct redis_connection *connection = store_redis_connection(store);
    bool fine = redis_connection_begin(connection, error);
    for (size_t i = 0; i < count && fine; i++) fine = send_report(store, &reports[i], error);
    for (size_t i = 0; i < 2 * count && fine; i++) {
        redisReply *reply = redis_connection_receive(connection, error);
        fine = reply != NULL && redis_reply_check(reply, "health of the shards", error);
        if (reply != NULL) freeReplyObject(reply);
    }
    if (!fine) redis_connection_drain(connection);
    return fine;
}

/* NULL: the field is not there. */
static const char *field(const redisReply *reply, size_t index)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != FIELDS) return NULL;
    const redisReply *element = reply->element[index];
    return element->type == REDIS_REPLY_STRING ? element->str : NULL;
}

static void read_report(const redisReply *reply, int32_t shard, struct shard_report *report)
{
    shard_report_init(report, shard);
    for (size_t i = 0; i < TEXT_ROWS; i++) {
        const char *text = field(reply, i);
        if (text != NULL)
            (void)snprintf((char *)report + text_rows[i].offset, text_rows[i].bytes, "%s", text);
    }
    for (size_t i = 0; i < NUMBER_ROWS; i++) {
        const char *text = field(reply, TEXT_ROWS + i);
        if (text != NULL) number_set(report, &number_rows[i], strtoll(text, NULL, 10));
    }
    const char *teller = field(reply, TOLD_BY);
    if (teller != NULL && strcmp(teller, report->owner) == 0) return;
    struct shard_report older = *report;
    shard_report_init(report, shard);
    (void)snprintf(report->owner, sizeof report->owner, "%s", older.owner);
    (void)snprintf(report->state, sizeof report->state, "%s", older.state);
    report->still_ms = older.still_ms;
    report->clock_ahead_ms = older.clock_ahead_ms;
}

/* Another owner's word that comes in between is lost until it is said again, two seconds later. */
bool store_redis_drop_health(struct store *store, int32_t shard, const char *owner,
                             struct error *error)
{
    char key[REDIS_KEY_BYTES];
    struct redis_connection *connection = store_redis_connection(store);
    struct redis_command command = {0};
    make_key(store, shard, key);
    redis_command_start(&command, "HGET");
    redis_command_add_text(&command, key);
    redis_command_add_text(&command, text_rows[0].name);
    redisReply *reply = redis_connection_call(connection, &command, error);
    redis_command_release(&command);
    if (reply == NULL) return false;
    bool ours = reply->type == REDIS_REPLY_STRING && strcmp(reply->str, owner) == 0;
    freeReplyObject(reply);
    if (!ours) return true;
    redis_command_start(&command, "DEL");
    redis_command_add_text(&command, key);
    reply = redis_connection_call(connection, &command, error);
    redis_command_release(&command);
    if (reply == NULL) return false;
    freeReplyObject(reply);
    return true;
}

/* From what is left of the time for which a report is kept; a user who may not ask takes every
 * report for a new one. */
static bool read_age(struct redis_connection *connection, struct shard_report *report,
                     struct error *error)
{
    redisReply *reply = redis_connection_receive(connection, error);
    if (reply == NULL) return false;
    if (reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0 &&
        reply->integer <= SHARD_HEALTH_KEPT_MS)
        report->age_ms = SHARD_HEALTH_KEPT_MS - reply->integer;
    freeReplyObject(reply);
    return true;
}

bool store_redis_read_health(struct store *store, int32_t shards, struct shard_report *reports,
                             struct error *error)
{
    assert(shards > 0 && shards <= SHARDS_MAX);
    struct redis_connection *connection = store_redis_connection(store);
    bool fine = redis_connection_begin(connection, error);
    for (int32_t shard = 0; shard < shards && fine; shard++) {
        char key[REDIS_KEY_BYTES];
        struct redis_command command = {0};
        make_key(store, shard, key);
        redis_command_start(&command, "HMGET");
        redis_command_add_text(&command, key);
        for (size_t i = 0; i < TEXT_ROWS; i++) redis_command_add_text(&command, text_rows[i].name);
        for (size_t i = 0; i < NUMBER_ROWS; i++)
            redis_command_add_text(&command, number_rows[i].name);
        redis_command_add_text(&command, told_by);
        fine = send(store, &command, error);
        struct redis_command left = {0};
        redis_command_start(&left, "PTTL");
        redis_command_add_text(&left, key);
        fine = fine && send(store, &left, error);
    }
    for (int32_t shard = 0; shard < shards && fine; shard++) {
        redisReply *reply = redis_connection_receive(connection, error);
        fine = reply != NULL && redis_reply_check(reply, "health of a shard", error);
        if (fine) read_report(reply, shard, &reports[shard]);
        if (reply != NULL) freeReplyObject(reply);
        fine = fine && read_age(connection, &reports[shard], error);
    }
    if (!fine) redis_connection_drain(connection);
    return fine;
}
