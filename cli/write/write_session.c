#include "cli/write/write_session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/show/print_text.h"

bool write_session_open(struct write_session *session, const struct settings *settings,
                        const char *reply_to, bool waiting, struct error *error)
{
    int32_t partitions = 0;
    *session = (struct write_session){.settings = settings};
    topic_name(session->control, settings, "control");
    session->producer = cli_kafka_create(settings, CLI_PRODUCER, error);
    if (session->producer == NULL ||
        !cli_kafka_partitions(session->producer, session->control, &partitions, error))
        return false;
    if (partitions > SHARDS_MAX)
        return error_set(error, ERROR_FATAL, "%s has %d partitions; at most %d are possible",
                         session->control, (int)partitions, SHARDS_MAX);
    session->shards = (uint32_t)partitions;
    if (!waiting) return true;
    session->wait = result_wait_open(settings, reply_to, error);
    return session->wait != NULL;
}

void write_session_close(struct write_session *session)
{
    cli_kafka_destroy(session->producer);
    result_wait_close(session->wait);
    *session = (struct write_session){0};
}

bool write_session_send(struct write_session *session, struct write_plan *plan, int64_t wait_ms,
                        json_t **results, struct error *error)
{
    assert(plan->count > 0);
    *results = NULL;
    return cli_kafka_send(session->producer, session->control, plan->records, plan->count,
                          error) &&
           (session->wait == NULL ||
            result_wait_collect(session->wait, plan, wait_ms, results, error));
}

void say_safe_to_repeat(const char *command_id)
{
    assert(command_id[0] != '\0');
    (void)fputs("belfry: the state is unknown; with --command-id ", stderr);
    print_safe(stderr, command_id, strlen(command_id));
    (void)fputs(" the same can be sent again and is done once\n", stderr);
}

void wait_for_redis(const struct settings *settings, const json_t *results)
{
    assert(json_is_array(results));
    struct error error = {0};
    int32_t behind = 0;
    if (!redis_wait_snapshots(settings, results, &behind, &error)) {
        (void)fputs("belfry: warning: reads may not show it yet: ", stderr);
        print_safe(stderr, error.message, strlen(error.message));
        (void)fputc('\n', stderr);
    } else if (behind > 0) {
        (void)fprintf(stderr, "belfry: warning: reads may not show it yet: Redis is behind for %d "
                      "%s\n", (int)behind, behind == 1 ? "shard" : "shards");
    }
}
