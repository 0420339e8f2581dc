#include "cli/kafka/group_lag.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"

enum { POLL_MS = 200, NOT_COMMITTED = -1 };

static bool take_offsets(const rd_kafka_event_t *event, const char *topic, int32_t partitions,
                         int64_t *committed, struct error *error)
{
    size_t count = 0;
    const rd_kafka_ListConsumerGroupOffsets_result_t *result =
        rd_kafka_event_ListConsumerGroupOffsets_result((rd_kafka_event_t *)event);
    const rd_kafka_group_result_t **groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
    if (count != 1) return error_set(error, ERROR_RETRY, "Kafka does not tell the group's offsets");
    const rd_kafka_error_t *refused = rd_kafka_group_result_error(groups[0]);
    if (refused != NULL)
        return error_set(error, ERROR_FATAL, "group %.100s: %s",
                         rd_kafka_group_result_name(groups[0]), rd_kafka_error_string(refused));
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; list != NULL && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &list->elems[i];
        if (strcmp(one->topic, topic) == 0 && one->partition >= 0 && one->partition < partitions &&
            one->offset >= 0)
            committed[one->partition] = one->offset;
    }
    return true;
}

/* What the group has committed; NOT_COMMITTED where it has not. */
static bool read_committed(struct cli_kafka *client, const struct settings *settings,
                           const char *group, const char *topic, int32_t partitions,
                           int64_t *committed, struct error *error)
{
    rd_kafka_t *handle = cli_kafka_handle(client);
    int wait_ms = (int)settings->timeout_ms;
    char refusal[160] = "";
    for (int32_t p = 0; p < partitions; p++) committed[p] = NOT_COMMITTED;
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, wait_ms, refusal, sizeof refusal);
    rd_kafka_ListConsumerGroupOffsets_t *wanted =
        rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_ListConsumerGroupOffsets(handle, &wanted, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * wait_ms);
    bool read = false;
    if (event == NULL)
        (void)error_set(error, ERROR_RETRY, "Kafka does not tell the offsets of group %.100s",
                        group);
    else if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)error_set(error, ERROR_RETRY, "group %.100s: %s", group,
                        rd_kafka_event_error_string(event));
    else
        read = take_offsets(event, topic, partitions, committed, error);
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(wanted);
    rd_kafka_AdminOptions_destroy(options);
    return read;
}

/* From where each partition is to be read; -1: the group is through. */
static bool find_starts(struct cli_kafka *client, const char *topic, int64_t *starts,
                        struct group_lag *lag, int32_t *open, struct error *error)
{
    for (int32_t p = 0; p < lag->partitions; p++) {
        int64_t oldest = 0;
        int64_t end = 0;
        if (!cli_kafka_bounds(client, topic, p, &oldest, &end, error)) return false;
        lag->begun += starts[p] != NOT_COMMITTED;
        if (starts[p] < oldest) starts[p] = oldest; /* retention deleted what it had not read */
        if (starts[p] >= end) {
            starts[p] = -1;
            continue;
        }
        lag->offsets += end - starts[p];
        *open += 1;
    }
    return true;
}

static void count_record(struct group_lag *lag, const rd_kafka_message_t *message)
{
    int64_t at_ms = rd_kafka_message_timestamp(message, NULL);
    lag->records++;
    if (at_ms >= 0 && (lag->oldest_ms < 0 || at_ms < lag->oldest_ms)) lag->oldest_ms = at_ms;
}

static bool count_records(struct cli_kafka *client, const struct settings *settings,
                          const char *topic, int64_t *starts, int32_t open, struct group_lag *lag,
                          struct error *error)
{
    int64_t heard_ms = monotonic_ms();
    while (open > 0) {
        rd_kafka_message_t *message = NULL;
        if (!cli_kafka_next(client, POLL_MS, &message, error)) return false;
        if (message == NULL && monotonic_ms() - heard_ms > settings->timeout_ms)
            return error_set(error, ERROR_RETRY, "%s: Kafka does not answer", topic);
        if (message == NULL) continue;
        heard_ms = monotonic_ms();
        bool ended = message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
        if (ended && starts[message->partition] >= 0) {
            starts[message->partition] = -1;
            open--;
        }
        if (!ended) count_record(lag, message);
        rd_kafka_message_destroy(message);
        lag->more = lag->records >= LAG_COUNTED_MAX && open > 0;
        if (lag->more) return true;
    }
    return true;
}

bool group_lag_read(const struct settings *settings, const char *group, const char *topic,
                    struct group_lag *lag, struct error *error)
{
    int32_t open = 0;
    int64_t *starts = NULL;
    *lag = (struct group_lag){.oldest_ms = -1};
    struct cli_kafka *client = cli_kafka_create(settings, CLI_READER, error);
    bool read = client != NULL && cli_kafka_partitions(client, topic, &lag->partitions, error);
    if (read) {
        starts = memory_allocate((size_t)lag->partitions, sizeof *starts);
        read = read_committed(client, settings, group, topic, lag->partitions, starts, error) &&
               find_starts(client, topic, starts, lag, &open, error);
    }
    if (read && open > 0)
        read = cli_kafka_read_at(client, topic, lag->partitions, starts, error) &&
               count_records(client, settings, topic, starts, open, lag, error);
    free(starts);
    cli_kafka_destroy(client);
    assert(read || error->kind != ERROR_NONE);
    return read;
}
