/* result_wait.h - reads the results of commands: each shard that applies one says so once. */
#ifndef BELFRY_CLI_RESULT_WAIT_H
#define BELFRY_CLI_RESULT_WAIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/words/settings.h"
#include "cli/write/write_plan.h"
#include "lib/base/error.h"

struct result_wait;

/* Fixes the ends of the results topic (or of reply_to, when given): results of whatever is sent
 * after this returns will be seen. NULL: errors as cli_kafka_read(). */
struct result_wait *result_wait_open(const struct settings *settings, const char *reply_to,
                                     struct error *error) __attribute__((warn_unused_result));
void result_wait_close(struct result_wait *wait);

/* Called for each new result, with the record of the plan it answers. */
typedef void result_watcher(void *opaque, const struct write_record *record,
                            const json_t *result);

/* From now on the watcher sees each result, and the time limit counts from the last one. */
void result_wait_watch(struct result_wait *wait, result_watcher *watcher, void *opaque);

/* Waits until each record of the plan has its result from every shard that applies it.
 *   results  array, owned by the caller: what came, in the order of the plan's records and then
 *            of shards; set on false, too
 *   errors   ERROR_RETRY; code "timed_out" when the time is up first */
bool result_wait_collect(struct result_wait *wait, const struct write_plan *plan,
                         int64_t timeout_ms, json_t **results, struct error *error)
    __attribute__((warn_unused_result));

/* Keeps an account of one command's results; a pure part of the above. */
struct result_account {
    bool seen[SHARDS_MAX];
    int32_t expected; /* shards that apply it, 0 = not known yet */
    int32_t got;
};

/* Notes a result. True: it is new, not a repetition for its shard. */
bool result_account_note(struct result_account *account, const json_t *result);
bool result_account_complete(const struct result_account *account);

#endif
