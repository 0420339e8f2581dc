#include "cli/write/result_wait.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/show/cli_clock.h"
#include "cli/show/json_text.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"
#include "lib/time/duration.h"

enum { POLL_MS = 100 };

struct result_wait {
    struct cli_kafka *reader;
    char control[TOPIC_NAME_BYTES];
    result_watcher *watcher; /* NULL = none */
    void *watcher_opaque;
};

struct result_wait *result_wait_open(const struct settings *settings, const char *reply_to,
                                     struct error *error)
{
    struct result_wait *wait = memory_allocate(1, sizeof *wait);
    char topic[TOPIC_NAME_BYTES];
    topic_name(topic, settings, "results");
    topic_name(wait->control, settings, "control");
    const char *source = reply_to != NULL ? reply_to : topic;
    int32_t partitions = 0;
    wait->reader = cli_kafka_create(settings, CLI_READER, error);
    if (wait->reader != NULL &&
        cli_kafka_partitions(wait->reader, source, &partitions, error) &&
        cli_kafka_read(wait->reader, source, partitions, READ_FROM_END, error))
        return wait;
    result_wait_close(wait);
    return NULL;
}

void result_wait_close(struct result_wait *wait)
{
    if (wait == NULL) return;
    cli_kafka_destroy(wait->reader);
    free(wait);
}

void result_wait_watch(struct result_wait *wait, result_watcher *watcher, void *opaque)
{
    wait->watcher = watcher;
    wait->watcher_opaque = opaque;
}

bool result_account_note(struct result_account *account, const json_t *result)
{
    assert(account->got <= SHARDS_MAX);
    json_int_t shard = json_member_number(result, "shard", 0);
    json_int_t shards = json_member_number(result, "shards", 1);
    if (shard < 0 || shard >= SHARDS_MAX || account->seen[shard]) return false;
    account->seen[shard] = true;
    account->got++;
    if (shards >= 1 && shards <= SHARDS_MAX) account->expected = (int32_t)shards;
    return true;
}

bool result_account_complete(const struct result_account *account)
{
    assert(account->got >= 0);
    return account->expected > 0 && account->got >= account->expected;
}

/* A result names the place of its command. The id alone would not do: the result of an earlier
 * command with the same id may still be on its way. */
static bool belongs(const struct result_wait *wait, const struct write_record *record,
                    const json_t *result)
{
    const json_t *source = json_object_get(result, "source");
    const char *topic = json_member_text(source, "topic");
    const char *command_id = json_member_text(result, "command_id");
    json_int_t offset = json_member_number(source, "offset", -1);
    if (topic != NULL && offset >= 0 && record->delivered)
        return strcmp(topic, wait->control) == 0 && offset == record->delivered_offset &&
               json_member_number(source, "partition", -1) == record->delivered_partition;
    return command_id != NULL && strcmp(command_id, record->command_id) == 0;
}

/* True: it was a result of the plan that had not been seen. */
static bool take(const struct result_wait *wait, const struct write_plan *plan,
                 struct result_account *accounts, json_t *const *lists,
                 const rd_kafka_message_t *message)
{
    assert(plan->count > 0);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR || message->payload == NULL) return false;
    bool taken = false;
    json_t *result = json_loadb(message->payload, message->len, 0, NULL);
    for (size_t i = 0; result != NULL && i < plan->count; i++) {
        if (!belongs(wait, &plan->records[i], result)) continue;
        taken = result_account_note(&accounts[i], result);
        if (taken) (void)json_array_append(lists[i], result);
        if (taken && wait->watcher != NULL)
            wait->watcher(wait->watcher_opaque, &plan->records[i], result);
        break;
    }
    json_decref(result);
    return taken;
}

static size_t complete_count(const struct result_account *accounts, size_t count)
{
    size_t complete = 0;
    for (size_t i = 0; i < count; i++) complete += result_account_complete(&accounts[i]);
    assert(complete <= count);
    return complete;
}

static int compare_shards(const void *left, const void *right)
{
    const json_t *const *a = left;
    const json_t *const *b = right;
    json_int_t difference =
        json_member_number(*a, "shard", 0) - json_member_number(*b, "shard", 0);
    return difference < 0 ? -1 : difference > 0;
}

/* Moves the results of one command to the end of `all`, in the order of shards. */
static void append_sorted(json_t *all, json_t *list)
{
    size_t count = json_array_size(list);
    assert(json_is_array(all));
    json_t **items = memory_allocate(count, sizeof *items);
    for (size_t i = 0; i < count; i++) items[i] = json_array_get(list, i);
    if (count > 1) qsort(items, count, sizeof *items, compare_shards);
    for (size_t i = 0; i < count; i++) (void)json_array_append(all, items[i]);
    free(items);
    json_decref(list);
}

bool result_wait_collect(struct result_wait *wait, const struct write_plan *plan,
                         int64_t timeout_ms, json_t **results, struct error *error)
{
    assert(plan->count > 0);
    struct result_account *accounts = memory_allocate(plan->count, sizeof *accounts);
    json_t **lists = memory_allocate(plan->count, sizeof *lists);
    for (size_t i = 0; i < plan->count; i++) lists[i] = json_array();
    int64_t deadline_ms = monotonic_ms() + timeout_ms;
    bool ok = true;
    while (ok && complete_count(accounts, plan->count) < plan->count) {
        rd_kafka_message_t *message = NULL;
        int left_ms = cli_left_ms(deadline_ms, POLL_MS);
        if (left_ms == 0) {
            char limit[DURATION_TEXT_BYTES];
            duration_format(timeout_ms, limit);
            ok = error_invalid(error, CODE_TIMED_OUT,
                               "no result of %zu of %zu commands within %s",
                               plan->count - complete_count(accounts, plan->count), plan->count,
                               limit);
            break;
        }
        ok = cli_kafka_next(wait->reader, left_ms, &message, error);
        if (message == NULL) continue;
        bool taken = take(wait, plan, accounts, lists, message);
        if (taken && wait->watcher != NULL) deadline_ms = monotonic_ms() + timeout_ms;
        rd_kafka_message_destroy(message);
    }
    *results = json_array();
    for (size_t i = 0; i < plan->count; i++) append_sorted(*results, lists[i]);
    free(lists);
    free(accounts);
    return ok;
}
