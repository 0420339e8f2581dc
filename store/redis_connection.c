#include "store/redis_connection.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/base/memory.h"
#include "lib/base/monotonic.h"
#include "store/redis_resolver.h"
#include "store/redis_tls.h"

enum {
    SCRIPTS_MAX = 8,
    SCRIPT_HASH_BYTES = 41,
    BACKOFF_FIRST_MS = 50,
    BACKOFF_LAST_MS = 1000, /* no longer: a Redis that is back is to be used at once */
    PLACE_BYTES = 128
};

struct redis_connection {
    struct store_redis_options options;
    char place[PLACE_BYTES]; /* for messages */
    struct redis_tls *tls;   /* NULL until the first TLS connection */
    struct redis_resolver *resolver;
    bool misled;             /* the server has said that it is not the one for us, or not now */
    redisContext *context;   /* NULL = not connected */
    size_t script_count;
    const char *scripts[SCRIPTS_MAX];
    char script_hashes[SCRIPTS_MAX][SCRIPT_HASH_BYTES]; /* "" = the server keeps none */
    size_t pending;          /* answers not yet read */
    int64_t deadline_ms;     /* of the current call */
    int64_t next_attempt_ms; /* 0 = at once */
    int64_t backoff_ms;
};

struct redis_connection *redis_connection_create(const struct store_redis_options *options,
                                                 const char *const *scripts, size_t script_count)
{
    assert(options != NULL);
    assert(script_count <= SCRIPTS_MAX);
    struct redis_connection *connection = memory_allocate(1, sizeof *connection);
    connection->options = *options;
    connection->script_count = script_count;
    for (size_t i = 0; i < script_count; i++) connection->scripts[i] = scripts[i];
    connection->resolver = redis_resolver_create(options->host, NULL);
    store_redis_options_describe(options, connection->place, sizeof connection->place);
    return connection;
}

static void close_connection(struct redis_connection *connection)
{
    if (connection->context != NULL) redisFree(connection->context);
    connection->context = NULL;
    connection->pending = 0;
    connection->misled = false;
}

void redis_connection_destroy(struct redis_connection *connection)
{
    if (connection == NULL) return;
    close_connection(connection);
    redis_tls_destroy(connection->tls);
    redis_resolver_destroy(connection->resolver);
    free(connection);
}

const struct store_redis_options *
redis_connection_options(const struct redis_connection *connection)
{
    assert(connection != NULL);
    return &connection->options;
}

static struct timeval to_timeval(int64_t ms)
{
    if (ms < 1) ms = 1; /* zero would mean: wait for ever */
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

/* Closes, and says why in words a user can act on. */
static bool lose_connection(struct redis_connection *connection, const char *doing,
                            struct error *error)
{
    const redisContext *context = connection->context;
    bool timed_out = context != NULL && context->err == REDIS_ERR_IO &&
                     (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETIMEDOUT);
    if (context == NULL)
        error_set(error, ERROR_RETRY, "Redis %s: no memory for a connection", connection->place);
    else if (timed_out)
        error_set(error, ERROR_RETRY, "Redis %s: %s: no answer within %lld ms", connection->place,
                  doing, (long long)connection->options.command_limit_ms);
    else
        error_set(error, ERROR_RETRY, "Redis %s: %s: %s", connection->place, doing,
                  context->errstr);
    close_connection(connection);
    return false;
}

static bool limit_waits(struct redis_connection *connection, struct error *error)
{
    assert(connection->context != NULL);
    int64_t left_ms = connection->deadline_ms - monotonic_ms();
    if (left_ms <= 0) {
        close_connection(connection);
        return error_set(error, ERROR_RETRY, "Redis %s: no answer within %lld ms",
                         connection->place, (long long)connection->options.command_limit_ms);
    }
    if (redisSetTimeout(connection->context, to_timeval(left_ms)) == REDIS_OK) return true;
    return lose_connection(connection, "set time limit", error);
}

/* hiredis writes without MSG_NOSIGNAL: a signal from a connection that the server has closed
 * must not end a program, and a library must not set handlers for its caller. */
static bool write_without_signal(struct redis_connection *connection, struct error *error)
{
    sigset_t pipe_signal, before, waiting;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    int done = 0;
    int result = REDIS_OK;
    while (result == REDIS_OK && !done) result = redisBufferWrite(connection->context, &done);
    int write_errno = errno;
    if (result != REDIS_OK && write_errno == EPIPE && !sigismember(&waiting, SIGPIPE)) {
        const struct timespec no_wait = {0};
        while (sigtimedwait(&pipe_signal, NULL, &no_wait) < 0 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = write_errno;
    return result == REDIS_OK || lose_connection(connection, "send", error);
}

bool redis_connection_flush(struct redis_connection *connection, struct error *error)
{
    assert(connection != NULL);
    assert(connection->context != NULL);
    return limit_waits(connection, error) && write_without_signal(connection, error);
}

bool redis_connection_send(struct redis_connection *connection, const struct redis_command *command,
                           struct error *error)
{
    assert(connection->context != NULL);
    assert(command->count > 0 && command->count <= INT32_MAX);
    if (redisAppendCommandArgv(connection->context, (int)command->count, command->arguments,
                               command->argument_bytes) != REDIS_OK)
        return lose_connection(connection, "queue command", error);
    connection->pending++;
    return true;
}

/* A replica, one that reads its file, a node of a cluster: asking it again is of no use, and the
 * name may lead to another one by now. Redis before 7 wraps the errors of a script's commands. */
static bool is_wrong_server(const redisReply *reply)
{
    static const char *const words[] = {"READONLY", "MASTERDOWN", "LOADING", "MOVED", "ASK",
                                        "CLUSTERDOWN"};
    if (reply->type != REDIS_REPLY_ERROR) return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        const char *at = strstr(reply->str, words[i]);
        bool first = at == reply->str || (at != NULL && (at[-1] == '-' || at[-1] == ' '));
        if (first && (at[length] == ' ' || at[length] == '\0')) return true;
    }
    return false;
}

redisReply *redis_connection_receive(struct redis_connection *connection, struct error *error)
{
    assert(connection->context != NULL);
    assert(connection->pending > 0);
    if (!redis_connection_flush(connection, error)) return NULL;
    void *reply = NULL;
    if (redisGetReply(connection->context, &reply) != REDIS_OK || reply == NULL) {
        lose_connection(connection, "wait for an answer", error);
        return NULL;
    }
    connection->pending--;
    if (is_wrong_server(reply)) connection->misled = true;
    return reply;
}

void redis_connection_drain(struct redis_connection *connection)
{
    assert(connection != NULL);
    struct error ignored = {0};
    while (connection->context != NULL && connection->pending > 0) {
        redisReply *reply = redis_connection_receive(connection, &ignored);
        if (reply != NULL) freeReplyObject(reply);
    }
}

/* One command of the login; its answer must be no error. `optional`: a missing right is none. */
static bool shake_hands(struct redis_connection *connection, const struct redis_command *command,
                        bool optional, redisReply **answer, struct error *error)
{
    if (!redis_connection_send(connection, command, error)) return false;
    redisReply *reply = redis_connection_receive(connection, error);
    if (reply == NULL) return false;
    bool forbidden = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) == 0;
    bool fine = (optional && forbidden) || redis_reply_check(reply, "log in", error);
    if (fine && answer != NULL && !forbidden) {
        *answer = reply;
        return true;
    }
    freeReplyObject(reply);
    return fine;
}

static bool load_scripts(struct redis_connection *connection, struct redis_command *command,
                         struct error *error)
{
    for (size_t i = 0; i < connection->script_count; i++) {
        redisReply *hash = NULL;
        redis_command_start(command, "SCRIPT");
        redis_command_add_text(command, "LOAD");
        redis_command_add_text(command, connection->scripts[i]);
        connection->script_hashes[i][0] = '\0';
        if (!shake_hands(connection, command, true, &hash, error)) return false;
        if (hash == NULL) continue; /* not allowed: the text is sent each time */
        bool valid = hash->type == REDIS_REPLY_STRING && hash->len == SCRIPT_HASH_BYTES - 1;
        if (valid) memcpy(connection->script_hashes[i], hash->str, SCRIPT_HASH_BYTES);
        freeReplyObject(hash);
        if (!valid)
            return error_set(error, ERROR_RETRY, "Redis %s: SCRIPT LOAD: no hash",
                             connection->place);
    }
    return true;
}

static bool log_in(struct redis_connection *connection, struct error *error)
{
    const struct store_redis_options *options = &connection->options;
    struct redis_command command = {0};
    bool done = false;
    if (options->password[0] != '\0') {
        redis_command_start(&command, "AUTH");
        if (options->username[0] != '\0') redis_command_add_text(&command, options->username);
        redis_command_add_text(&command, options->password);
        if (!shake_hands(connection, &command, false, NULL, error)) goto out;
    }
    if (options->database != 0) {
        redis_command_start(&command, "SELECT");
        redis_command_add_number(&command, options->database);
        if (!shake_hands(connection, &command, false, NULL, error)) goto out;
    }
    redis_command_start(&command, "CLIENT");
    redis_command_add_text(&command, "SETNAME");
    redis_command_add_text(&command, options->cluster);
    if (!shake_hands(connection, &command, true, NULL, error)) goto out;
    done = load_scripts(connection, &command, error);
out:
    redis_command_release(&command);
    return done;
}

/* To the first address of the host that takes us, all of them within the time limit. */
static bool connect_host(struct redis_connection *connection, struct error *error)
{
    const struct store_redis_options *options = &connection->options;
    struct redis_addresses addresses = {0};
    if (!redis_resolver_find(connection->resolver, options->connect_limit_ms, &addresses, error))
        return false;
    for (size_t i = 0; i < addresses.count; i++) {
        int64_t left_ms = connection->deadline_ms - monotonic_ms();
        if (i > 0 && left_ms <= 0) break;
        if (connection->context != NULL) redisFree(connection->context);
        connection->context =
            redisConnectWithTimeout(addresses.texts[i], options->port, to_timeval(left_ms));
        if (connection->context == NULL || connection->context->err == 0) break;
    }
    return true;
}

static bool open_socket(struct redis_connection *connection, struct error *error)
{
    const struct store_redis_options *options = &connection->options;
    struct timeval limit = to_timeval(options->connect_limit_ms);
    bool is_unix = options->socket_path[0] != '\0';
    if (is_unix) connection->context = redisConnectUnixWithTimeout(options->socket_path, limit);
    else if (!connect_host(connection, error)) return false;
    if (connection->context == NULL || connection->context->err != 0)
        return lose_connection(connection, "connect", error);
    (void)fcntl(connection->context->fd, F_SETFD, FD_CLOEXEC);
    if (!is_unix && redisEnableKeepAlive(connection->context) != REDIS_OK)
        return lose_connection(connection, "keep-alive", error);
    return true;
}

static bool start_tls(struct redis_connection *connection, struct error *error)
{
    if (!connection->options.tls) return true;
    if (connection->tls == NULL) connection->tls = redis_tls_create(&connection->options, error);
    return connection->tls != NULL && limit_waits(connection, error) &&
           redis_tls_start(connection->tls, connection->context, error);
}

static bool reconnect(struct redis_connection *connection, struct error *error)
{
    assert(connection->context == NULL);
    int64_t now_ms = monotonic_ms();
    if (now_ms < connection->next_attempt_ms)
        return error_set(error, ERROR_RETRY, "Redis %s is away; next attempt in %lld ms",
                         connection->place, (long long)(connection->next_attempt_ms - now_ms));
    connection->deadline_ms = now_ms + connection->options.connect_limit_ms;
    if (open_socket(connection, error) && start_tls(connection, error) &&
        log_in(connection, error)) {
        connection->next_attempt_ms = 0;
        connection->backoff_ms = 0;
        return true;
    }
    close_connection(connection);
    connection->backoff_ms =
        connection->backoff_ms == 0 ? BACKOFF_FIRST_MS : connection->backoff_ms * 2;
    if (connection->backoff_ms > BACKOFF_LAST_MS) connection->backoff_ms = BACKOFF_LAST_MS;
    connection->next_attempt_ms = monotonic_ms() + connection->backoff_ms;
    return false;
}

/* The server may have gone, or closed an idle connection, since the last call. Finding that
 * out before sending keeps the outcome of the call known. */
static bool is_closed_by_server(const struct redis_connection *connection)
{
    char byte;
    ssize_t got = recv(connection->context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool redis_connection_begin(struct redis_connection *connection, struct error *error)
{
    assert(connection != NULL);
    assert(connection->pending == 0);
    if (connection->context != NULL && (connection->misled || is_closed_by_server(connection)))
        close_connection(connection);
    if (connection->context == NULL && !reconnect(connection, error)) return false;
    redis_connection_extend(connection);
    return true;
}

void redis_connection_extend(struct redis_connection *connection)
{
    assert(connection != NULL);
    connection->deadline_ms = monotonic_ms() + connection->options.command_limit_ms;
}

void redis_connection_start_script(struct redis_connection *connection, size_t script,
                                   int64_t key_count, struct redis_command *command)
{
    assert(script < connection->script_count);
    assert(key_count > 0);
    redis_command_start(command, "EVALSHA");
    redis_command_add_text(command, connection->script_hashes[script]);
    redis_command_add_number(command, key_count);
    if (connection->script_hashes[script][0] == '\0')
        redis_connection_use_script_text(connection, script, command);
}

void redis_connection_use_script_text(struct redis_connection *connection, size_t script,
                                      struct redis_command *command)
{
    assert(script < connection->script_count);
    assert(command->count >= 3);
    redis_command_replace(command, 0, "EVAL");
    redis_command_replace(command, 1, connection->scripts[script]);
}

redisReply *redis_connection_call(struct redis_connection *connection,
                                  const struct redis_command *command, struct error *error)
{
    assert(command->count > 0);
    if (!redis_connection_begin(connection, error)) return NULL;
    if (!redis_connection_send(connection, command, error)) return NULL;
    redisReply *reply = redis_connection_receive(connection, error);
    if (reply != NULL && !redis_reply_check(reply, command->arguments[0], error)) {
        freeReplyObject(reply);
        reply = NULL;
    }
    return reply;
}

bool redis_reply_is_no_script(const redisReply *reply)
{
    assert(reply != NULL);
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

bool redis_reply_check(const redisReply *reply, const char *what, struct error *error)
{
    assert(reply != NULL);
    if (reply->type != REDIS_REPLY_ERROR) return true;
    if (strncmp(reply->str, "FOREIGN ", 8) == 0)
        return error_set(error, ERROR_RETRY,
                         "Redis belongs to Kafka cluster %.63s by now, nothing "
                         "was written there",
                         reply->str + 8);
    if (strncmp(reply->str, "LAYOUT ", 7) == 0)
        return error_set(error, ERROR_FATAL,
                         "Redis holds layout %s, which is newer than this "
                         "version knows; use the newer belfryd",
                         reply->str + 7);
    /* Redis before 7 wraps the errors of a script's commands. */
    if (strstr(reply->str, "WRONGTYPE") != NULL)
        return error_set(error, ERROR_FATAL,
                         "Redis: %s: a key of this cluster has a wrong type, "
                         "something else uses its name: %s",
                         what, reply->str);
    return error_set(error, ERROR_RETRY, "Redis: %s: %s", what, reply->str);
}
