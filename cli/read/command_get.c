#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "cli/read/job_fetch.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "cli/show/print_text.h"
#include "cli/words/cli.h"
#include "lib/base/json_scan.h"

static void print_field(struct table *table, struct text name, struct text value)
{
    const struct table_cell cells[] = {{name, TONE_PLAIN}, {value, TONE_PLAIN}};
    assert(name.length > 0);
    table_add(table, cells);
}

/* Every member of the record as it is stored, one a line, after what is computed from it. */
static void print_fields(const struct settings *settings, const json_t *job, struct text text)
{
    static const struct table_column columns[] = {{"FIELD", false, 0}, {"VALUE", false, 0}};
    struct job_view view;
    assert(json_is_object(job));
    job_view_read(&view, job, cli_now_ms(), settings->zones);
    struct table *table = table_create(stdout, columns, 2, 0, settings->colour);
    print_field(table, text_of("state"), text_of(view.state));
    print_field(table, text_of("next_due"), text_of(view.next));
    struct text name;
    struct text value;
    while (json_scan_pair(&text, &name, &value)) {
        if (text_equal(name, text_of("state"))) continue;
        bool quoted = value.length >= 2 && value.bytes[0] == '"' &&
                      memchr(value.bytes, '\\', value.length) == NULL;
        if (quoted) value = (struct text){value.bytes + 1, value.length - 2};
        print_field(table, name, value);
    }
    table_finish(table);
}

static void print_indented(const struct settings *settings, struct text text)
{
    struct text_writer out = {0};
    json_text_indent(&out, text);
    (void)print_json(stdout, out.bytes, out.length, settings->width > 0);
    (void)fputc('\n', stdout);
    text_writer_free(&out);
}

static bool print_record(const struct settings *settings, const char *name, struct text text,
                         struct error *error)
{
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
    case OUTPUT_JSON: print_indented(settings, text); break;
    case OUTPUT_NAME: (void)puts(name); break;
    case OUTPUT_NDJSON:
        (void)print_json(stdout, text.bytes, text.length, settings->width > 0);
        (void)fputc('\n', stdout);
        break;
    }
    json_decref(job);
    return true;
}

enum exit_code command_get(const struct invocation *invocation)
{
    struct error error = {0};
    struct job_fetched job = {0};
    bool got = job_fetch(&job, invocation->settings, "get", &error) &&
               print_record(invocation->settings, job.name,
                            (struct text){job.text, job.text_bytes}, &error);
    job_fetched_free(&job);
    assert(got == (error.kind == ERROR_NONE));
    return got ? CLI_OK : exit_with(&error);
}
