#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/cli/cli.h"
#include "dispatcher/cli/clock.h"
#include "dispatcher/cli/job_view.h"
#include "dispatcher/cli/print_table.h"
#include "dispatcher/cli/print_text.h"
#include "dispatcher/cli/redis_reader.h"
#include "dispatcher/cli/selection.h"
#include "dispatcher/core/hash.h"
#include "store/store_redis_query.h"

static void print_field(struct table *table, const char *name, const char *value)
{
    const struct table_cell cells[] = {{text_of(name), TONE_PLAIN}, {text_of(value), TONE_PLAIN}};
    assert(table != NULL);
    assert(value != NULL);
    table_add(table, cells);
}

/* Every member of the record, one a line, after what is computed from it. */
static void print_fields(const struct settings *settings, json_t *job)
{
    static const struct table_column columns[] = {{"FIELD", false, 0}, {"VALUE", false, 0}};
    struct job_view view;
    assert(json_is_object(job));
    job_view_read(&view, job, clock_now_ms());
    struct table *table = table_create(stdout, columns, 2, 0, settings->colour);
    print_field(table, "state", view.state);
    print_field(table, "next_due", view.next);
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(job, name, value) {
        if (strcmp(name, "state") == 0 || strcmp(name, "next_due") == 0) continue;
        const char *text = json_string_value(value);
        char *dumped = text != NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        print_field(table, name, text != NULL ? text : dumped != NULL ? dumped : "-");
        free(dumped);
    }
    table_finish(table);
}

static bool print_record(const struct settings *settings, const char *name, const char *text,
                         size_t text_bytes, struct error *error)
{
    assert(text != NULL);
    if (settings->output == OUTPUT_NAME) {
        print_safe(stdout, name, strlen(name));
        (void)fputc('\n', stdout);
        return true;
    }
    if (settings->output == OUTPUT_NDJSON) {
        (void)fwrite(text, 1, text_bytes, stdout);
        (void)fputc('\n', stdout);
        return true;
    }
    json_t *job = json_loadb(text, text_bytes, 0, NULL);
    if (!json_is_object(job)) {
        json_decref(job);
        return error_set(error, ERROR_FATAL, "%s: its record in Redis is no JSON object; "
                         "belfryd can rewrite it", name);
    }
    if (settings->output == OUTPUT_TABLE) {
        print_fields(settings, job);
    } else {
        (void)json_dumpf(job, stdout,
                         JSON_INDENT(2) | (settings->width > 0 ? JSON_ENSURE_ASCII : 0));
        (void)fputc('\n', stdout);
    }
    json_decref(job);
    return true;
}

/* GROUP/ID as one word, or by --group and --id. */
static bool read_name(const struct arguments *arguments, char name[512], struct text *group,
                      struct error *error)
{
    const char *flag_group = arguments_value(arguments, "group");
    const char *flag_id = arguments_value(arguments, "id");
    struct text id = text_of(flag_id);
    assert(name != NULL);
    *group = text_of(flag_group);
    bool word = arguments->positional_count == 1 && flag_group == NULL && flag_id == NULL;
    bool flags = arguments->positional_count == 0 && flag_group != NULL && flag_id != NULL;
    if (!word && !flags)
        return error_invalid(error, CLI_CODE_USAGE, "which job? belfry get GROUP/ID");
    if (word && !job_name_split(arguments->positionals[0], group, &id, error)) return false;
    if (!job_name_check(*group, id, error)) return false;
    (void)snprintf(name, 512, "%.*s/%.*s", (int)group->length, group->bytes, (int)id.length,
                   id.bytes);
    return true;
}

static bool get_job(const struct invocation *invocation, struct error *error)
{
    char name[512];
    struct text group;
    struct redis_reader reader;
    assert(invocation != NULL);
    if (!read_name(invocation->arguments, name, &group, error)) return false;
    if (!redis_reader_open(&reader, invocation->settings, error)) return false;
    int32_t shard = (int32_t)shard_of_key(group.bytes, group.length, (uint32_t)reader.shards);
    char *text = NULL;
    size_t text_bytes = 0;
    bool got = store_redis_get_job(reader.store, shard, name, strlen(name), &text, &text_bytes,
                                   error);
    redis_reader_close(&reader);
    if (got && text == NULL)
        got = error_invalid(error, CLI_CODE_NOT_FOUND, "there is no job %s", name);
    if (got) got = print_record(invocation->settings, name, text, text_bytes, error);
    free(text);
    return got;
}

enum exit_code command_get(const struct invocation *invocation)
{
    struct error error = {0};
    bool got = get_job(invocation, &error);
    assert(got == (error.kind == ERROR_NONE));
    return got ? CLI_OK : exit_with(&error);
}
