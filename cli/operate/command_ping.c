#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "cli/operate/ping.h"
#include "cli/read/result_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "cli/words/cli.h"

enum { PING_WAIT_MS = 10000 };

static void print_table(const struct settings *settings, const json_t *results, int64_t took_ms)
{
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

enum exit_code command_ping(const struct invocation *invocation)
{
    struct error error = {0};
    json_t *results = NULL;
    int64_t wait_ms = PING_WAIT_MS;
    int64_t took_ms = 0;
    const struct arguments *arguments = invocation->arguments;
    const char *group = arguments_value(arguments, "group");
    if (arguments->positional_count > 0)
        (void)error_invalid(&error, CODE_USAGE, "ping takes --group GROUP or nothing");
    bool ok = error.kind == ERROR_NONE &&
              arguments_duration(arguments, "wait", &wait_ms, &error) &&
              ping_shards(invocation->settings, group, wait_ms, &results, &took_ms, &error);
    if (results != NULL) print_results(invocation->settings, results, took_ms);
    enum exit_code code = ok ? results_exit(results, false, false) : exit_with(&error);
    json_decref(results);
    return code;
}
