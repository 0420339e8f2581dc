#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/cli/cli.h"
#include "dispatcher/cli/cli_clock.h"
#include "dispatcher/cli/job_view.h"
#include "dispatcher/cli/json_text.h"
#include "dispatcher/cli/print_table.h"
#include "dispatcher/cli/redis_reader.h"
#include "dispatcher/cli/selection.h"
#include "dispatcher/core/hash.h"
#include "store/store_redis_query.h"

static void print_field(struct table *table, struct text name, struct text value)
{
    const struct table_cell cells[] = {{name, TONE_PLAIN}, {value, TONE_PLAIN}};
    assert(table != NULL);
    assert(name.length > 0);
    table_add(table, cells);
}

/* Every member of the record as it is stored, one a line, after what is computed from it. */
static void print_fields(const struct settings *settings, const json_t *job, struct text text)
{
    assert(settings != NULL);
    static const struct table_column columns[] = {{"FIELD", false, 0}, {"VALUE", false, 0}};
    struct job_view view;
    assert(json_is_object(job));
    job_view_read(&view, job, cli_now_ms(), settings->zones);
    struct table *table = table_create(stdout, columns, 2, 0, settings->colour);
    print_field(table, text_of("state"), text_of(view.state));
    print_field(table, text_of("next_due"), text_of(view.next));
    struct json_walk walk = json_walk_open(text);
    struct text name;
    struct text value;
    while (json_walk_member(&walk, &name, &value)) {
        if (text_equal(name, text_of("state"))) continue;
        bool quoted = value.length >= 2 && value.bytes[0] == '"' &&
                      memchr(value.bytes, '\\', value.length) == NULL;
        if (quoted) value = (struct text){value.bytes + 1, value.length - 2};
        print_field(table, name, value);
    }
    table_finish(table);
}

static void print_json(const struct settings *settings, const json_t *job, struct text text)
{
    assert(settings != NULL);
    struct buffer out = {0};
    assert(json_is_object(job));
    if (settings->width > 0) { /* on a terminal nothing may steer it */
        (void)json_dumpf(job, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    } else {
        json_text_indent(&out, text);
        (void)fwrite(out.bytes, 1, out.length, stdout);
    }
    (void)fputc('\n', stdout);
    buffer_free(&out);
}

static bool print_record(const struct settings *settings, const char *name, struct text text,
                         struct error *error)
{
    assert(settings != NULL);
    assert(name != NULL);
    json_t *job = json_loadb(text.bytes, text.length, 0, NULL);
    if (!json_is_object(job)) {
        json_decref(job);
        return error_set(error, ERROR_FATAL, "%s: its record in Redis is no JSON object; "
                         "belfryd can rewrite it", name);
    }
    size_t blank = strcspn(text.bytes, "{");
    text = (struct text){text.bytes + blank, text.length - blank};
    switch (settings->output) {
    case OUTPUT_TABLE: print_fields(settings, job, text); break;
    case OUTPUT_JSON: print_json(settings, job, text); break;
    case OUTPUT_NAME: (void)puts(name); break;
    case OUTPUT_NDJSON:
        (void)fwrite(text.bytes, 1, text.length, stdout);
        (void)fputc('\n', stdout);
        break;
    }
    json_decref(job);
    return true;
}

/* GROUP/ID as one word, or by --group and --id. */
static bool read_name(const struct arguments *arguments, char name[512], struct text *group,
                      struct error *error)
{
    assert(arguments != NULL);
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
    if (got) got = print_record(invocation->settings, name, (struct text){text, text_bytes}, error);
    free(text);
    return got;
}

enum exit_code command_get(const struct invocation *invocation)
{
    assert(invocation != NULL);
    struct error error = {0};
    bool got = get_job(invocation, &error);
    assert(got == (error.kind == ERROR_NONE));
    return got ? CLI_OK : exit_with(&error);
}
