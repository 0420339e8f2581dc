#include "cli/read/run_selection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/show/cli_clock.h"
#include "cli/words/selection.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "store/store_redis_query.h"

struct walk {
    struct run_selection *selection;
    const struct zone_lookup *zones;
};

static bool visit_job(void *opaque, const struct store_item *item, struct error *error)
{
    struct walk *walk = opaque;
    struct run_selection *selection = walk->selection;
    (void)error;
    json_t *job = json_loadb(item->text, item->text_bytes, 0, NULL);
    struct job_view view;
    bool admitted = json_is_object(job);
    if (admitted) {
        job_view_read(&view, job, cli_now_ms(), walk->zones);
        admitted = job_filter_admits(&selection->filter, job, &view);
    }
    json_decref(job);
    if (!admitted) return true;
    selection->jobs = memory_grow(selection->jobs, &selection->job_capacity,
                                  selection->job_count + 1, sizeof *selection->jobs);
    selection->jobs[selection->job_count++] = memory_copy_text(item->name, item->name_bytes);
    return true;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool read_jobs(struct run_selection *selection, const struct settings *settings,
                      struct error *error)
{
    struct redis_reader reader;
    struct walk walk = {selection, settings->zones};
    struct store_filter filter = job_filter_store(&selection->filter);
    if (!redis_reader_open(&reader, settings, error)) return false;
    bool read = store_redis_list_jobs(reader.store, reader.shards, &filter, visit_job, &walk,
                                      error);
    redis_reader_close(&reader);
    if (selection->job_count > 1)
        qsort(selection->jobs, selection->job_count, sizeof *selection->jobs, compare_names);
    return read;
}

bool run_selection_read(struct run_selection *selection, const struct settings *settings,
                        struct error *error)
{
    const struct arguments *arguments = settings->arguments;
    *selection = (struct run_selection){.arguments = arguments};
    if (!job_filter_read(&selection->filter, arguments, error)) return false;
    for (size_t i = 0; i < arguments->positional_count; i++) {
        struct text group;
        struct text id;
        if (!job_name_split(arguments->positionals[i], &group, &id, error)) return false;
    }
    selection->by_jobs = arguments_has(arguments, "super-group") ||
                         arguments_has(arguments, "label") || arguments_has(arguments, "paused");
    return !selection->by_jobs || read_jobs(selection, settings, error);
}

void run_selection_free(struct run_selection *selection)
{
    for (size_t i = 0; i < selection->job_count; i++) free(selection->jobs[i]);
    free(selection->jobs);
    job_filter_free(&selection->filter);
    *selection = (struct run_selection){0};
}

static bool is_named(const struct arguments *arguments, const char *name)
{
    for (size_t i = 0; i < arguments->positional_count; i++)
        if (strcmp(arguments->positionals[i], name) == 0) return true;
    return arguments->positional_count == 0;
}

bool run_selection_admits(const struct run_selection *selection, const char *group,
                          const char *id)
{
    char name[JOB_NAME_BYTES_MAX + 1];
    const char *wanted = name;
    assert(group != NULL && id != NULL);
    int length = snprintf(name, sizeof name, "%s/%s", group, id);
    if (length < 0 || (size_t)length >= sizeof name) return false; /* no job has such a name */
    return is_named(selection->arguments, name) &&
           text_among(selection->arguments, "group", group) &&
           text_among(selection->arguments, "id", id) &&
           (!selection->by_jobs ||
            bsearch(&wanted, selection->jobs, selection->job_count, sizeof *selection->jobs,
                    compare_names) != NULL);
}
