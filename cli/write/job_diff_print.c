/* How a difference looks: signs and fields for people, objects for programs. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/read/result_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_text.h"
#include "cli/write/job_diff.h"

static const struct {
    const char *word;
    char sign;
    const char *colour;
} changes[] = {
    [JOB_EQUAL] = {"equal", ' ', ""},
    [JOB_ADDED] = {"added", '+', "\x1b[32m"},
    [JOB_CHANGED] = {"changed", '~', "\x1b[33m"},
    [JOB_DELETED] = {"deleted", '-', "\x1b[31m"},
};

static json_t *to_json(const struct job_difference *item)
{
    assert(item->name != NULL);
    size_t group = strcspn(item->name, "/");
    assert(item->name[group] == '/');
    json_t *object = json_pack("{s:s%, s:s, s:s}", "group", item->name, group, "id",
                               item->name + group + 1, "change", changes[item->change].word);
    if (item->fields == NULL) return object;
    json_t *fields = json_object();
    const char *name = NULL;
    json_t *field = NULL;
    json_object_foreach(item->fields, name, field) {
        json_t *sides = json_object();
        const char *side = NULL;
        json_t *text = NULL;
        json_object_foreach(field, side, text)
            (void)json_object_set_new(sides, side, json_loads(json_string_value(text),
                                                              JSON_DECODE_ANY, NULL));
        (void)json_object_set_new(fields, name, sides);
    }
    (void)json_object_set_new(object, "fields", fields);
    return object;
}

static void print_object(const struct settings *settings, const struct job_diff *diff)
{
    json_t *array = json_array();
    for (size_t i = 0; i < diff->count; i++)
        (void)json_array_append_new(array, to_json(&diff->items[i]));
    value_print(settings, array);
    json_decref(array);
}

static void print_side(const json_t *field, const char *side)
{
    const char *text = json_member_text(field, side);
    if (text == NULL) (void)fputs("(none)", stdout);
    else print_safe(stdout, text, strlen(text));
}

static void print_item(const struct settings *settings, const struct job_difference *item)
{
    assert(item->change != JOB_EQUAL);
    if (settings->colour) (void)fputs(changes[item->change].colour, stdout);
    (void)printf("%c ", changes[item->change].sign);
    print_safe(stdout, item->name, strlen(item->name));
    if (settings->colour) (void)fputs("\x1b[0m", stdout);
    (void)fputc('\n', stdout);
    const char *name = NULL;
    json_t *field = NULL;
    json_object_foreach(item->fields, name, field) {
        (void)printf("    %-14s ", name);
        print_side(field, "from");
        (void)fputs(" -> ", stdout);
        print_side(field, "to");
        (void)fputc('\n', stdout);
    }
}

void job_diff_print(const struct settings *settings, const struct job_diff *diff)
{
    if (settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON) {
        print_object(settings, diff);
        return;
    }
    for (size_t i = 0; i < diff->count; i++) {
        if (settings->output == OUTPUT_NAME) {
            print_safe(stdout, diff->items[i].name, strlen(diff->items[i].name));
            (void)fputc('\n', stdout);
        } else {
            print_item(settings, &diff->items[i]);
        }
    }
}
