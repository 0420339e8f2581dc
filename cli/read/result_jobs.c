/* The jobs that results name, as tables. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/read/result_view.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "cli/show/print_text.h"

enum { NAME_BYTES = 512, CELL_BYTES = 40 };

static const char *text_or_empty(const json_t *object, const char *name)
{
    const char *text = json_member_text(object, name);
    return text == NULL ? "" : text;
}

static void job_name(const json_t *job, char name[NAME_BYTES])
{
    (void)snprintf(name, NAME_BYTES, "%s/%s", text_or_empty(job, "group"),
                   text_or_empty(job, "id"));
}

static void print_name(const char *name)
{
    print_safe(stdout, name, strlen(name));
    (void)fputc('\n', stdout);
}

static void first_time(const json_t *job, const char *member, char text[CELL_BYTES])
{
    const json_t *due = json_array_get(json_object_get(job, member), 0);
    time_shorten(json_string_value(due), text, CELL_BYTES);
}

static void add_job(struct table *table, const json_t *job)
{
    char name[NAME_BYTES];
    char revision[CELL_BYTES];
    char next[CELL_BYTES];
    job_name(job, name);
    (void)snprintf(revision, sizeof revision, "%lld",
                   (long long)json_member_number(job, "revision", 0));
    first_time(job, "next_due", next);
    const struct table_cell cells[] = {
        {text_of(name), TONE_PLAIN}, {text_of(revision), TONE_PLAIN}, {text_of(next), TONE_PLAIN}};
    table_add(table, cells);
}

/* What a dry run says of one job: its next due time now and then, and how many fires of the next
 * seven days come and go. */
static void add_difference(struct table *table, const json_t *job)
{
    char name[NAME_BYTES];
    char before[CELL_BYTES];
    char after[CELL_BYTES];
    char fires[CELL_BYTES];
    job_name(job, name);
    first_time(job, "next_due_before", before);
    first_time(job, "next_due_after", after);
    (void)snprintf(fires, sizeof fires, "+%lld -%lld",
                   (long long)json_member_number(job, "fires_added", 0),
                   (long long)json_member_number(job, "fires_removed", 0));
    const struct table_cell cells[] = {{text_of(name), TONE_PLAIN},
                                       {text_of(text_or_empty(job, "change")), TONE_WARN},
                                       {text_of(before), TONE_PLAIN},
                                       {text_of(after), TONE_PLAIN},
                                       {text_of(fires), TONE_PLAIN}};
    table_add(table, cells);
}

/* Days on which clocks are put forward or back and that these fires touch. */
static void say_days(const json_t *job)
{
    assert(job != NULL);
    char name[NAME_BYTES];
    const json_t *days = json_object_get(job, "dst_days");
    if (json_array_size(days) == 0) return;
    job_name(job, name);
    (void)fflush(stdout);
    (void)fputs("belfry: ", stderr);
    print_safe(stderr, name, strlen(name));
    (void)fputs(": clocks change on", stderr);
    for (size_t i = 0; i < json_array_size(days); i++) {
        const char *day = json_string_value(json_array_get(days, i));
        (void)fputc(' ', stderr);
        if (day != NULL) print_safe(stderr, day, strlen(day));
    }
    (void)fputc('\n', stderr);
}

void result_jobs_print(const struct settings *settings, const json_t *results)
{
    assert(json_is_array(results));
    static const struct table_column columns[] = {
        {"JOB", false, 20}, {"REVISION", true, 0}, {"NEXT DUE", false, 0}};
    static const struct table_column dry_columns[] = {{"JOB", false, 16},
                                                      {"CHANGE", false, 0},
                                                      {"NEXT DUE NOW", false, 0},
                                                      {"NEXT DUE THEN", false, 0},
                                                      {"IN 7 DAYS", false, 0}};
    struct table *table = NULL;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        const json_t *difference = json_object_get(result, "diff");
        bool dry = json_is_object(difference);
        const json_t *jobs = json_object_get(dry ? difference : result, "jobs");
        for (size_t j = 0; j < json_array_size(jobs); j++) {
            const json_t *job = json_array_get(jobs, j);
            char name[NAME_BYTES];
            job_name(job, name);
            if (settings->output == OUTPUT_NAME) {
                print_name(name);
                continue;
            }
            if (table == NULL)
                table = table_create(stdout, dry ? dry_columns : columns, dry ? 5 : 3,
                                     settings->width, settings->colour);
            if (dry) add_difference(table, job);
            else add_job(table, job);
        }
    }
    if (table != NULL) table_finish(table);
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *difference = json_object_get(json_array_get(results, i), "diff");
        const json_t *jobs = json_object_get(difference, "jobs");
        for (size_t j = 0; j < json_array_size(jobs); j++) say_days(json_array_get(jobs, j));
    }
}
