#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/limits.h"
#include "store/redis_command.h"
#include "store/redis_connection.h"
#include "store/redis_keys.h"
#include "store/redis_snapshot.h"
#include "store/store_redis.h"

enum { VERSION_MAJOR_MIN = 5, INFO_VALUE_BYTES = 64 };

/* The value of `name:value` in an INFO text; "" where it is not there. */
static void info_value(const char *info, const char *name, char value[INFO_VALUE_BYTES])
{
    assert(info != NULL);
    size_t name_bytes = strlen(name);
    value[0] = '\0';
    for (const char *line = info; line != NULL; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, name_bytes) != 0 || line[name_bytes] != ':') continue;
        const char *start = line + name_bytes + 1;
        size_t length = strcspn(start, "\r\n");
        if (length >= INFO_VALUE_BYTES) length = INFO_VALUE_BYTES - 1;
        memcpy(value, start, length);
        value[length] = '\0';
        return;
    }
}

static redisReply *ask_info(struct redis_connection *connection, struct error *error)
{
    struct redis_command command = {0};
    redis_command_start(&command, "INFO");
    redisReply *reply = NULL;
    if (redis_connection_begin(connection, error) &&
        redis_connection_send(connection, &command, error))
        reply = redis_connection_receive(connection, error);
    redis_command_release(&command);
    return reply;
}

static bool check_version(const char *info, store_redis_warn *warn, void *opaque,
                          struct error *error)
{
    char version[INFO_VALUE_BYTES];
    int major = 0;
    info_value(info, "redis_version", version);
    if (sscanf(version, "%4d.", &major) != 1) {
        warn(opaque, "Redis does not tell its version; 5.0 or newer is needed");
        return true;
    }
    if (major >= VERSION_MAJOR_MIN) return true;
    return error_set(error, ERROR_FATAL, "Redis %s is too old: %d.0 or newer is needed", version,
                     VERSION_MAJOR_MIN);
}

static bool check_single(const char *info, struct error *error)
{
    char value[INFO_VALUE_BYTES];
    info_value(info, "cluster_enabled", value);
    if (strcmp(value, "1") != 0) return true;
    return error_set(error, ERROR_FATAL,
                     "this is a node of a Redis Cluster (cluster-enabled yes), "
                     "which is not supported: name a single primary");
}

static void check_settings(const char *info, store_redis_warn *warn, void *opaque)
{
    char value[INFO_VALUE_BYTES];
    char warning[256];
    info_value(info, "maxmemory_policy", value);
    if (value[0] == '\0') {
        warn(opaque, "Redis does not tell its maxmemory-policy; it must be noeviction");
    } else if (strcmp(value, "noeviction") != 0) {
        (void)snprintf(warning, sizeof warning,
                       "Redis may evict jobs: maxmemory-policy is %s; "
                       "set it to noeviction (CONFIG SET maxmemory-policy noeviction)",
                       value);
        warn(opaque, warning);
    }
    info_value(info, "aof_enabled", value);
    if (strcmp(value, "1") != 0)
        warn(opaque, "Redis keeps no append-only file: after a restart of Redis every shard is "
                     "written anew; set appendonly yes");
    info_value(info, "aof_last_write_status", value);
    if (value[0] != '\0' && strcmp(value, "ok") != 0)
        warn(opaque, "Redis cannot write its append-only file: see the log of Redis and its disk");
    info_value(info, "role", value);
    if (value[0] != '\0' && strcmp(value, "master") != 0)
        warn(opaque, "this Redis is a replica, which takes no writes: name the primary");
}

/* The meta record of a newer version must be left alone. */
static bool check_layout(struct redis_connection *connection, struct error *error)
{
    char key[REDIS_KEY_BYTES];
    struct redis_command command = {0};
    int64_t layout = 0;
    redis_key_make_meta(key, redis_connection_options(connection)->cluster);
    redis_command_start(&command, "HGET");
    redis_command_add_text(&command, key);
    redis_command_add_text(&command, "layout");
    redisReply *reply = redis_connection_call(connection, &command, error);
    redis_command_release(&command);
    if (reply == NULL) return false;
    bool known = reply->type != REDIS_REPLY_STRING ||
                 !redis_number_read(reply->str, reply->len, &layout) || layout <= STATE_LAYOUT;
    freeReplyObject(reply);
    if (known) return true;
    return error_set(error, ERROR_FATAL,
                     "Redis holds layout %" PRId64 ", this version knows %d; "
                     "use the newer belfryd",
                     layout, STATE_LAYOUT);
}

bool store_redis_check(struct store *store, store_redis_warn *warn, void *opaque,
                       struct error *error)
{
    assert(warn != NULL);
    struct redis_connection *connection = store_redis_connection(store);
    redisReply *reply = ask_info(connection, error);
    if (reply == NULL) return false;
    bool fine = true;
    bool forbidden = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) == 0;
    if (reply->type == REDIS_REPLY_STRING) {
        fine = check_version(reply->str, warn, opaque, error) && check_single(reply->str, error);
        if (fine) check_settings(reply->str, warn, opaque);
    } else if (forbidden) {
        warn(opaque, "Redis does not let this user ask INFO: its version, eviction, append-only "
                     "file and role are not checked (ACL SETUSER ... +info)");
    } else if (redis_reply_check(reply, "INFO", error)) {
        warn(opaque, "Redis answers INFO with nothing: its settings are not checked");
    } else {
        fine = false;
    }
    freeReplyObject(reply);
    return fine && check_layout(connection, error);
}

bool store_redis_version(struct store *store, char *version, size_t bytes, struct error *error)
{
    char value[INFO_VALUE_BYTES] = "";
    redisReply *reply = ask_info(store_redis_connection(store), error);
    if (reply == NULL) return false;
    if (reply->type == REDIS_REPLY_STRING) info_value(reply->str, "redis_version", value);
    freeReplyObject(reply);
    (void)snprintf(version, bytes, "%s", value);
    return value[0] != '\0';
}
