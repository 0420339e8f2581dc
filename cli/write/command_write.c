#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/read/result_view.h"
#include "cli/show/print_text.h"
#include "cli/words/cli.h"
#include "cli/write/write_check.h"
#include "cli/write/write_plan.h"
#include "cli/write/write_read.h"
#include "cli/write/write_session.h"
#include "lib/base/memory.h"

enum { WAIT_DEFAULT_MS = 10000 };

/* One run of a write command. */
struct write_run {
    const struct settings *settings;
    struct write_request *request;
    struct write_session session;
    int64_t wait_ms;
    bool all; /* the selector means every job */
    size_t refused; /* jobs of mode each that could not be read */
    char command_id[COMMAND_ID_BYTES_MAX + 1];
};

static bool read_wait(const struct arguments *arguments, bool *waiting, int64_t *wait_ms,
                      struct error *error)
{
    *wait_ms = WAIT_DEFAULT_MS;
    *waiting = arguments_has(arguments, "wait") || arguments_has(arguments, "dry-run");
    if (!arguments_duration(arguments, "wait", wait_ms, error)) return false;
    if (*wait_ms >= 1 && *wait_ms <= HOURS_MS) return true;
    return error_invalid(error, CODE_USAGE, "--wait: from 1ms to 1h");
}

/* Counts what the selectors match now, without changing anything: the shards each know only
 * their own part, so a total over several must be asked for first. */
static bool count_matching(struct write_run *run, int64_t *matched, struct error *error)
{
    struct write_plan plan = {0};
    json_t *results = NULL;
    char asking[COMMAND_ID_MADE_BYTES];
    assert(run->session.wait != NULL);
    command_id_make(asking);
    bool counted =
        write_plan_build(&plan, run->request, asking, run->session.shards, true, false,
                         error) &&
        write_session_send(&run->session, &plan, run->wait_ms, &results, error);
    if (counted) *matched = results_total(results, "matched");
    json_decref(results);
    write_plan_free(&plan);
    return counted;
}

static void say_mismatch(const struct write_run *run, int64_t matched, const char *then)
{
    assert(run->request->expect >= 0);
    (void)fprintf(stderr, "belfry: count_mismatch: %" PRId64 " jobs were expected, %" PRId64
                  " match; %s\n", run->request->expect, matched, then);
}

static void print_sent(const struct write_run *run, const struct write_plan *plan)
{
    const struct settings *settings = run->settings;
    assert(plan->count > 0);
    if (settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON) {
        json_t *array = json_array();
        for (size_t i = 0; i < plan->count; i++) {
            const struct write_record *record = &plan->records[i];
            (void)json_array_append_new(
                array, json_pack("{s:s, s:s, s:i, s:I}", "command_id", record->command_id, "topic",
                                 run->session.control, "partition",
                                 (int)record->delivered_partition, "offset",
                                 (json_int_t)record->delivered_offset));
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

/* Names the jobs that are not there. The exit code is that of all results together. */
static enum exit_code say_missing(const struct write_request *request, const json_t *results,
                                  enum exit_code code)
{
    if (request->name_count == 0 || (code != CLI_OK && code != CLI_NOT_FOUND)) return code;
    bool *listed = memory_allocate(request->name_count, sizeof *listed);
    size_t missing = results_missing(results, request->names, request->name_count, listed);
    size_t candidates = 0;
    for (size_t i = 0; i < request->name_count; i++) candidates += listed[i];
    if (missing > 0 && missing < candidates)
        (void)fprintf(stderr, "belfry: not found: %zu of these:", missing);
    else if (missing > 0)
        (void)fputs("belfry: not found:", stderr);
    for (size_t i = 0; missing > 0 && i < request->name_count; i++) {
        if (!listed[i]) continue;
        (void)fputc(' ', stderr);
        print_safe(stderr, request->names[i], strlen(request->names[i]));
    }
    if (missing > 0) (void)fputc('\n', stderr);
    free(listed);
    return missing > 0 && code == CLI_OK ? CLI_PARTLY : code;
}

static enum exit_code finish(const struct write_run *run, const json_t *results, bool totals)
{
    const struct write_request *request = run->request;
    bool selects = request->select_count > 0;
    assert(json_is_array(results));
    if (!request->dry_run) wait_for_redis(run->settings, results);
    results_print(run->settings, results);
    enum exit_code code =
        say_missing(request, results, results_exit(results, selects, run->all));
    int64_t matched = results_total(results, "matched");
    if (totals && request->expect != matched) {
        say_mismatch(run, matched, request->dry_run ? "nothing was changed" : "it was done");
        if (request->dry_run) return CLI_CONFLICT;
        return code == CLI_OK || code == CLI_NOT_FOUND ? CLI_PARTLY : code;
    }
    if (code == CLI_NOT_FOUND && request->name_count == 0 && json_array_size(results) > 0)
        (void)fputs("belfry: no job matches\n", stderr);
    return code;
}

/* `totals`: more than one shard counts, so `expect` is checked here. */
static enum exit_code send_and_finish(struct write_run *run, struct write_plan *plan, bool totals)
{
    struct error error = {0};
    json_t *results = NULL;
    assert(plan->count > 0);
    bool sent = write_session_send(&run->session, plan, run->wait_ms, &results, &error);
    enum exit_code code = CLI_OK;
    if (!sent) {
        if (results != NULL && json_array_size(results) > 0) results_print(run->settings, results);
        code = exit_with(&error);
        say_safe_to_repeat(run->command_id);
    } else if (results == NULL) {
        print_sent(run, plan);
        if (run->refused > 0) code = CLI_PARTLY;
    } else {
        code = finish(run, results, totals);
    }
    json_decref(results);
    return code;
}

static enum exit_code run_write(struct write_run *run, bool waiting)
{
    struct error error = {0};
    struct write_plan plan = {0};
    const struct write_request *request = run->request;
    enum exit_code code = CLI_OK;
    if (!write_session_open(&run->session, run->settings, request->reply_to, waiting, &error) ||
        !write_plan_build(&plan, request, run->command_id, run->session.shards, request->dry_run,
                          true, &error)) {
        write_plan_free(&plan);
        return exit_with(&error);
    }
    assert(plan.count > 0);
    bool totals = request->expect >= 0 && !write_plan_can_expect(&plan);
    int64_t matched = request->expect;
    if (totals && run->session.wait == NULL) {
        (void)error_invalid(&error, CODE_USAGE,
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
    const struct arguments *arguments = invocation->arguments;
    struct write_run run = {.settings = invocation->settings, .request = &request};
    bool read =
        write_request_read(&request, cli_command_op(invocation->command->name), arguments,
                           &error) &&
        read_wait(arguments, &waiting, &run.wait_ms, &error);
    if (read && request.command_id != NULL)
        (void)snprintf(run.command_id, sizeof run.command_id, "%s", request.command_id);
    else
        command_id_make(run.command_id);
    if (!read || !write_check(&request, run.command_id, run.settings->zones, &run.refused,
                              &error)) {
        write_request_free(&request);
        return exit_with(&error);
    }
    run.all = arguments_has(arguments, "all");
    waiting = waiting || request.dry_run;
    enum exit_code code = run_write(&run, waiting);
    write_session_close(&run.session);
    write_request_free(&request);
    return code;
}
