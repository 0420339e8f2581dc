#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/cli/cli.h"
#include "dispatcher/cli/cli_kafka.h"
#include "dispatcher/cli/print_text.h"
#include "dispatcher/cli/redis_reader.h"
#include "dispatcher/cli/result_view.h"
#include "dispatcher/cli/result_wait.h"
#include "dispatcher/cli/write_plan.h"
#include "dispatcher/cli/write_request.h"

enum { WAIT_DEFAULT_MS = 10000 };

/* One run of a write command. */
struct write_run {
    const struct settings *settings;
    struct write_request *request;
    struct cli_kafka *producer;
    struct result_wait *wait; /* NULL: results are not waited for */
    int64_t wait_ms;
    char control[TOPIC_NAME_BYTES];
    uint32_t shards;
    bool all; /* the selector means every job */
    char command_id[COMMAND_ID_BYTES_MAX + 1];
};

static bool read_wait(const struct arguments *arguments, bool *waiting, int64_t *wait_ms,
                      struct error *error)
{
    assert(arguments != NULL);
    assert(waiting != NULL);
    assert(wait_ms != NULL);
    *wait_ms = WAIT_DEFAULT_MS;
    *waiting = arguments_has(arguments, "wait") || arguments_has(arguments, "dry-run");
    if (!arguments_duration(arguments, "wait", wait_ms, error)) return false;
    if (*wait_ms >= 1 && *wait_ms <= HOURS_MS) return true;
    return error_invalid(error, CLI_CODE_USAGE, "--wait: from 1ms to 1h");
}

static bool connect_kafka(struct write_run *run, bool waiting, struct error *error)
{
    int32_t partitions = 0;
    assert(run->producer == NULL);
    assert(run->wait == NULL);
    topic_name(run->control, run->settings, "control");
    run->producer = cli_kafka_create(run->settings, KAFKA_PRODUCER, error);
    if (run->producer == NULL ||
        !cli_kafka_partitions(run->producer, run->control, &partitions, error))
        return false;
    if (partitions > SHARDS_MAX)
        return error_set(error, ERROR_FATAL, "%s has %d partitions; at most %d are possible",
                         run->control, (int)partitions, SHARDS_MAX);
    run->shards = (uint32_t)partitions;
    if (!waiting) return true;
    run->wait = result_wait_open(run->settings, run->request->reply_to, error);
    return run->wait != NULL;
}

static void say_safe_to_repeat(const struct write_run *run)
{
    assert(run->command_id[0] != '\0');
    (void)fputs("belfry: the state is unknown; with --command-id ", stderr);
    print_safe(stderr, run->command_id, strlen(run->command_id));
    (void)fputs(" the same can be sent again and is done once\n", stderr);
}

/* Sends a plan and, when results are wanted, collects them; *results is the caller's, NULL when
 * none were waited for. */
static bool send_plan(struct write_run *run, struct write_plan *plan, json_t **results,
                      struct error *error)
{
    assert(run != NULL);
    assert(plan->count > 0);
    assert(results != NULL);
    *results = NULL;
    return cli_kafka_send(run->producer, run->control, plan->records, plan->count, error) &&
           (run->wait == NULL ||
            result_wait_collect(run->wait, plan, run->wait_ms, results, error));
}

/* Counts what the selectors match now, without changing anything: the shards each know only
 * their own part, so a total over several must be asked for first. */
static bool count_matching(struct write_run *run, int64_t *matched, struct error *error)
{
    struct write_plan plan = {0};
    json_t *results = NULL;
    char asking[COMMAND_ID_MADE_BYTES];
    assert(matched != NULL);
    assert(run->wait != NULL);
    command_id_make(asking);
    bool counted =
        write_plan_build(&plan, run->request, asking, run->shards, true, false, error) &&
        send_plan(run, &plan, &results, error);
    if (counted) *matched = results_total(results, "matched");
    json_decref(results);
    write_plan_free(&plan);
    return counted;
}

static void say_mismatch(const struct write_run *run, int64_t matched, const char *then)
{
    assert(run->request->expect >= 0);
    assert(then != NULL);
    (void)fprintf(stderr, "belfry: count_mismatch: %" PRId64 " jobs were expected, %" PRId64
                  " match; %s\n", run->request->expect, matched, then);
}

static void print_sent(const struct write_run *run, const struct write_plan *plan)
{
    assert(run != NULL);
    const struct settings *settings = run->settings;
    assert(plan->count > 0);
    if (settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON) {
        json_t *array = json_array();
        for (size_t i = 0; i < plan->count; i++) {
            const struct write_record *record = &plan->records[i];
            (void)json_array_append_new(
                array, json_pack("{s:s, s:s, s:i, s:I}", "command_id", record->command_id, "topic",
                                 run->control, "partition", (int)record->delivered_partition,
                                 "offset", (json_int_t)record->delivered_offset));
        }
        value_print(settings, plan->count == 1 ? json_array_get(array, 0) : array);
        json_decref(array);
        return;
    }
    for (size_t i = 0; i < plan->count; i++) {
        print_safe(stdout, plan->records[i].command_id, strlen(plan->records[i].command_id));
        (void)fputc('\n', stdout);
    }
    (void)fprintf(stderr, "belfry: sent; --wait waits for the result\n");
}

/* So that a `get` right after it sees the change. Only a warning: the change itself is done. */
static void wait_for_redis(const struct write_run *run, const json_t *results)
{
    assert(run != NULL);
    struct error error = {0};
    int32_t behind = 0;
    assert(json_is_array(results));
    if (!redis_wait_snapshots(run->settings, results, &behind, &error)) {
        (void)fputs("belfry: warning: reads may not show it yet: ", stderr);
        print_safe(stderr, error.message, strlen(error.message));
        (void)fputc('\n', stderr);
    } else if (behind > 0) {
        (void)fprintf(stderr, "belfry: warning: reads may not show it yet: Redis is behind for %d "
                      "%s\n", (int)behind, behind == 1 ? "shard" : "shards");
    }
}

static enum exit_code finish(const struct write_run *run, const json_t *results, bool totals)
{
    assert(run != NULL);
    const struct write_request *request = run->request;
    bool selects = request->select_count > 0;
    assert(json_is_array(results));
    if (!request->dry_run) wait_for_redis(run, results);
    results_print(run->settings, results);
    enum exit_code code = results_exit(results, selects, run->all);
    int64_t matched = results_total(results, "matched");
    if (totals && request->expect != matched) {
        say_mismatch(run, matched, request->dry_run ? "nothing was changed" : "it was done");
        if (request->dry_run) return CLI_CONFLICT;
        return code == CLI_OK || code == CLI_NOT_FOUND ? CLI_PARTLY : code;
    }
    if (code == CLI_NOT_FOUND && selects && json_array_size(results) > 0)
        (void)fputs("belfry: no job matches\n", stderr);
    return code;
}

/* `totals`: more than one shard counts, so `expect` is checked here. */
static enum exit_code send_and_finish(struct write_run *run, struct write_plan *plan, bool totals)
{
    assert(run != NULL);
    struct error error = {0};
    json_t *results = NULL;
    assert(plan->count > 0);
    bool sent = send_plan(run, plan, &results, &error);
    enum exit_code code = CLI_OK;
    if (!sent) {
        if (results != NULL && json_array_size(results) > 0) results_print(run->settings, results);
        code = exit_with(&error);
        say_safe_to_repeat(run);
    } else if (results == NULL) {
        print_sent(run, plan);
    } else {
        code = finish(run, results, totals);
    }
    json_decref(results);
    return code;
}

static enum exit_code run_write(struct write_run *run, bool waiting)
{
    assert(run != NULL);
    struct error error = {0};
    struct write_plan plan = {0};
    const struct write_request *request = run->request;
    enum exit_code code = CLI_OK;
    if (!connect_kafka(run, waiting, &error) ||
        !write_plan_build(&plan, request, run->command_id, run->shards, request->dry_run, true,
                          &error)) {
        write_plan_free(&plan);
        return exit_with(&error);
    }
    assert(plan.count > 0);
    bool totals = request->expect >= 0 && !write_plan_can_expect(&plan);
    int64_t matched = request->expect;
    if (totals && run->wait == NULL) {
        (void)error_invalid(&error, CLI_CODE_USAGE,
                            "--expect over several shards is checked here: add --wait");
    } else if (totals && request->job_count > 0) {
        matched = (int64_t)request->job_count;
    } else if (totals && !request->each && !request->dry_run) {
        (void)count_matching(run, &matched, &error);
    }
    if (error.kind != ERROR_NONE) {
        code = exit_with(&error);
    } else if (matched != request->expect) {
        say_mismatch(run, matched, "nothing was changed");
        code = CLI_CONFLICT;
    } else {
        if (plan.count > 1 && !request->each)
            (void)fprintf(stderr, "belfry: %zu commands, each atomic by itself\n", plan.count);
        code = send_and_finish(run, &plan, totals && request->job_count == 0);
    }
    write_plan_free(&plan);
    return code;
}

enum exit_code command_write(const struct invocation *invocation)
{
    struct error error = {0};
    struct write_request request;
    bool waiting = false;
    assert(invocation != NULL);
    const struct arguments *arguments = invocation->arguments;
    struct write_run run = {.settings = invocation->settings, .request = &request};
    bool read =
        write_request_read(&request, invocation->command->name, arguments, &error) &&
        read_wait(arguments, &waiting, &run.wait_ms, &error);
    if (!read) {
        write_request_free(&request);
        return exit_with(&error);
    }
    run.all = arguments_has(arguments, "all");
    waiting = waiting || request.dry_run;
    if (request.command_id == NULL) command_id_make(run.command_id);
    else (void)snprintf(run.command_id, sizeof run.command_id, "%s", request.command_id);
    enum exit_code code = run_write(&run, waiting);
    cli_kafka_destroy(run.producer);
    result_wait_close(run.wait);
    write_request_free(&request);
    return code;
}
