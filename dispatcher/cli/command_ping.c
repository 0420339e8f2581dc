#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/cli/cli.h"
#include "dispatcher/cli/cli_clock.h"
#include "dispatcher/cli/json_text.h"
#include "dispatcher/cli/cli_kafka.h"
#include "dispatcher/cli/print_table.h"
#include "dispatcher/cli/result_view.h"
#include "dispatcher/cli/result_wait.h"
#include "dispatcher/core/hash.h"
#include "dispatcher/core/memory.h"

enum { PING_WAIT_MS = 10000 };

/* A ping is answered by the shard it is sent to: one record for each, or for one group's. */
static void make_plan(struct write_plan *plan, const char *group, uint32_t shards)
{
    char made[COMMAND_ID_MADE_BYTES];
    uint32_t first = group == NULL ? 0 : shard_of_key(group, strlen(group), shards);
    assert(shards > 0);
    command_id_make(made);
    plan->count = group == NULL ? shards : 1;
    plan->records = memory_allocate(plan->count, sizeof *plan->records);
    for (size_t i = 0; i < plan->count; i++) {
        struct write_record *record = &plan->records[i];
        record->partition = (int32_t)(first + i);
        record->key = group;
        (void)snprintf(record->command_id, sizeof record->command_id, "ping-%s.%zu", made, i);
        buffer_format(&record->value, "{\"op\":\"ping\",\"command_id\":\"%s\"}",
                      record->command_id);
    }
    assert(plan->count > 0);
}

static void print_table(const struct settings *settings, const json_t *results, int64_t took_ms)
{
    assert(settings != NULL);
    static const struct table_column columns[] = {
        {"SHARD", true, 0}, {"OUTCOME", false, 0}, {"SEQUENCE", true, 0}};
    assert(json_is_array(results));
    assert(took_ms >= 0);
    struct table *table = table_create(stdout, columns, 3, settings->width, settings->colour);
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        char shard[24];
        char sequence[24];
        (void)snprintf(shard, sizeof shard, "%" JSON_INTEGER_FORMAT,
                       json_member_number(result, "shard", -1));
        (void)snprintf(sequence, sizeof sequence, "%" JSON_INTEGER_FORMAT,
                       json_member_number(result, "sequence", 0));
        const struct table_cell cells[] = {
            {text_of(shard), TONE_PLAIN},
            {text_of(json_member_text(result, "outcome")), TONE_GOOD},
            {text_of(sequence), TONE_PLAIN}};
        table_add(table, cells);
    }
    table_finish(table);
    (void)fflush(stdout);
    (void)fprintf(stderr, "belfry: %zu answers, the last after %" PRId64 " ms\n",
                  json_array_size(results), took_ms);
}

static void print_results(const struct settings *settings, const json_t *results, int64_t took_ms)
{
    assert(settings != NULL);
    assert(json_is_array(results));
    if (settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON) {
        value_print(settings, results);
    } else if (settings->output == OUTPUT_TABLE) {
        print_table(settings, results, took_ms);
    } else {
        for (size_t i = 0; i < json_array_size(results); i++)
            (void)printf("%" JSON_INTEGER_FORMAT "\n",
                         json_member_number(json_array_get(results, i), "shard", -1));
    }
    assert(took_ms >= 0);
}

static bool run_ping(const struct settings *settings, const char *group, int64_t wait_ms,
                     json_t **results, struct error *error)
{
    assert(settings != NULL);
    char topic[TOPIC_NAME_BYTES];
    int32_t partitions = 0;
    struct write_plan plan = {0};
    assert(results != NULL);
    topic_name(topic, settings, "control");
    struct cli_kafka *producer = cli_kafka_create(settings, KAFKA_PRODUCER, error);
    struct result_wait *wait = NULL;
    bool ok = producer != NULL && cli_kafka_partitions(producer, topic, &partitions, error);
    if (ok && partitions > SHARDS_MAX)
        ok = error_set(error, ERROR_FATAL, "%s has %d partitions", topic, (int)partitions);
    if (ok) wait = result_wait_open(settings, NULL, error);
    ok = ok && wait != NULL;
    if (ok) make_plan(&plan, group, (uint32_t)partitions);
    int64_t start_ms = cli_monotonic_ms();
    ok = ok && cli_kafka_send(producer, topic, plan.records, plan.count, error) &&
         result_wait_collect(wait, &plan, wait_ms, results, error);
    if (*results != NULL)
        print_results(settings, *results, cli_monotonic_ms() - start_ms);
    write_plan_free(&plan);
    result_wait_close(wait);
    cli_kafka_destroy(producer);
    return ok;
}

enum exit_code command_ping(const struct invocation *invocation)
{
    assert(invocation != NULL);
    struct error error = {0};
    json_t *results = NULL;
    int64_t wait_ms = PING_WAIT_MS;
    const struct arguments *arguments = invocation->arguments;
    const char *group = arguments_value(arguments, "group");
    assert(arguments != NULL);
    if (arguments->positional_count > 0)
        (void)error_invalid(&error, CLI_CODE_USAGE, "ping takes --group GROUP or nothing");
    bool ok = error.kind == ERROR_NONE &&
              arguments_duration(arguments, "wait", &wait_ms, &error) &&
              run_ping(invocation->settings, group, wait_ms, &results, &error);
    enum exit_code code = ok ? results_exit(results, false, false) : exit_with(&error);
    json_decref(results);
    return code;
}
