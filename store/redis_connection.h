/* redis_connection.h - one connection to Redis that heals itself: logs in, loads the scripts,
 * bounds every wait, reconnects with back-off. Used by one thread at a time. */
#ifndef BELFRY_STORE_REDIS_CONNECTION_H
#define BELFRY_STORE_REDIS_CONNECTION_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "store/redis_command.h"
#include "store/redis_options.h"

struct redis_connection;

/* Copies the options, borrows the scripts' texts for its life. Does not connect yet. */
struct redis_connection *redis_connection_create(const struct store_redis_options *options,
                                                 const char *const *scripts, size_t script_count);
void redis_connection_destroy(struct redis_connection *connection);
const struct store_redis_options *
redis_connection_options(const struct redis_connection *connection);

/* Starts a call: the time limit counts from here. A dead connection is replaced first, unless
 * the last attempt failed a moment ago. Errors: ERROR_RETRY; nothing was sent. */
bool redis_connection_begin(struct redis_connection *connection, struct error *error)
    __attribute__((warn_unused_result));

/* Gives the call, which waits for further answers, the whole time limit again. */
void redis_connection_extend(struct redis_connection *connection);

/* Begins a command that runs a script (its number in the list given at creation). The caller
 * adds the keys and arguments. After redis_connection_begin(). */
void redis_connection_start_script(struct redis_connection *connection, size_t script,
                                   int64_t key_count, struct redis_command *command);

/* Queues a command; it goes out at the next flush or receive. Copies the arguments. */
bool redis_connection_send(struct redis_connection *connection, const struct redis_command *command,
                           struct error *error) __attribute__((warn_unused_result));

/* Puts what is queued on the wire, for a server that works while the caller does. */
bool redis_connection_flush(struct redis_connection *connection, struct error *error)
    __attribute__((warn_unused_result));

/* The next answer, in the order sent, which may be an error answer; the caller frees it. NULL:
 * ERROR_RETRY, the connection is closed and what was sent may or may not have been done. */
redisReply *redis_connection_receive(struct redis_connection *connection, struct error *error)
    __attribute__((warn_unused_result));

/* Reads answers nobody wants any more; closes the connection where that fails. */
void redis_connection_drain(struct redis_connection *connection);

/* begin, send and receive in one; error answers become errors. */
redisReply *redis_connection_call(struct redis_connection *connection,
                                  const struct redis_command *command, struct error *error)
    __attribute__((warn_unused_result));

/* The same for a script, sent again with its text where the server has forgotten it. The
 * command must come from redis_connection_start_script(). */
bool redis_reply_is_no_script(const redisReply *reply);
void redis_connection_use_script_text(struct redis_connection *connection, size_t script,
                                      struct redis_command *command);

/* Turns an error answer into an error: ERROR_FATAL for a newer layout and a key of a wrong
 * type, else ERROR_RETRY. True where the answer is no error. */
bool redis_reply_check(const redisReply *reply, const char *what, struct error *error)
    __attribute__((warn_unused_result));

#endif
