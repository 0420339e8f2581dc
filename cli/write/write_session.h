/* write_session.h - a way to the control topic and back: sends the records of a plan and collects
 * what the shards answer. */
#ifndef BELFRY_CLI_WRITE_SESSION_H
#define BELFRY_CLI_WRITE_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/words/settings.h"
#include "cli/write/result_wait.h"
#include "cli/write/write_plan.h"
#include "lib/base/error.h"

/* Zero-initialise; write_session_close() ends it, also after a failed open. */
struct write_session {
    const struct settings *settings;
    struct cli_kafka *producer;
    struct result_wait *wait; /* NULL: results are not waited for */
    char control[TOPIC_NAME_BYTES];
    uint32_t shards;
};

/*   reply_to  where results go, NULL = the results topic
 *   waiting   whether results will be collected
 *   errors    ERROR_RETRY Kafka is away; ERROR_FATAL there is no control topic; "usage" for -X */
bool write_session_open(struct write_session *session, const struct settings *settings,
                        const char *reply_to, bool waiting, struct error *error)
    __attribute__((warn_unused_result));
void write_session_close(struct write_session *session);

/* Sends a plan and, when results are wanted, collects them within wait_ms.
 *   results  the caller's; NULL when none were waited for. On false it may hold what came.
 *   errors   ERROR_RETRY; code "timed_out" */
bool write_session_send(struct write_session *session, struct write_plan *plan, int64_t wait_ms,
                        json_t **results, struct error *error) __attribute__((warn_unused_result));

/* Says how the same command can be sent again without doing it twice. */
void say_safe_to_repeat(const char *command_id);

/* So that a `get` right after it sees the change: waits for Redis, and warns where it is behind.
 * Only a warning: the change itself is done. */
void wait_for_redis(const struct settings *settings, const json_t *results);

#endif
