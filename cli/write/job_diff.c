#include "cli/write/job_diff.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/read/job_filter.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_text.h"
#include "lib/base/memory.h"
#include "schemas/job_json.h"
#include "store/store_redis_admin.h"
#include "store/store_redis_query.h"

/* A job of the file on its way through the comparison. */
struct wanted {
    const char *name;
    size_t job;
    bool found;
};

struct comparison {
    struct job_diff *diff;
    const struct job_file *file;
    struct wanted *wanted; /* sorted by name */
    size_t count;
    const struct job_filter *filter; /* NULL: nothing is pruned */
    struct store_defaults defaults;  /* of jobs that do not say */
    struct arena *present;
    struct arena *arena;
};

static int compare_wanted(const void *left, const void *right)
{
    const struct wanted *a = left;
    const struct wanted *b = right;
    return strcmp(a->name, b->name);
}

static int compare_items(const void *left, const void *right)
{
    const struct job_difference *a = left;
    const struct job_difference *b = right;
    return strcmp(a->name, b->name);
}

static struct job_difference *diff_add(struct job_diff *diff, enum job_change change)
{
    diff->counts[change]++;
    diff->items = memory_grow(diff->items, &diff->capacity, diff->count + 1, sizeof *diff->items);
    struct job_difference *item = &diff->items[diff->count++];
    *item = (struct job_difference){.change = change};
    assert(diff->count <= diff->capacity);
    return item;
}

static void note_field(void *opaque, struct text name, struct text present, struct text wanted)
{
    json_t *fields = opaque;
    json_t *field = json_object();
    char *key = memory_copy_text(name.bytes, name.length);
    if (present.length > 0)
        (void)json_object_set_new(field, "from", json_stringn(present.bytes, present.length));
    if (wanted.length > 0)
        (void)json_object_set_new(field, "to", json_stringn(wanted.bytes, wanted.length));
    (void)json_object_set_new(fields, key, field);
    free(key);
}

static bool compare_job(struct comparison *comparison, struct wanted *wanted,
                        const struct job_record *present, struct error *error)
{
    assert(!wanted->found);
    const struct write_job *job = &comparison->file->request.jobs[wanted->job];
    struct definition definition;
    json_t *value = json_loadb(job->json.bytes, job->json.length, 0, NULL);
    json_t *fields = json_object();
    arena_reset(comparison->arena);
    bool read = job_text_read(value, job->json, comparison->arena, &definition, error);
    if (read) job_text_default(&definition, &comparison->defaults);
    wanted->found = true;
    if (read && job_text_compare(&present->definition, &definition, note_field, fields) > 0) {
        struct job_difference *item = diff_add(comparison->diff, JOB_CHANGED);
        item->name = wanted->name;
        item->job = wanted->job;
        item->fields = json_incref(fields);
    } else if (read) {
        comparison->diff->counts[JOB_EQUAL]++;
    }
    json_decref(fields);
    json_decref(value);
    return read;
}

static bool is_pruned(const struct comparison *comparison, const struct store_item *item)
{
    if (comparison->filter == NULL) return false;
    struct job_view view;
    json_t *job = json_loadb(item->text, item->text_bytes, 0, NULL);
    bool pruned = json_is_object(job);
    if (pruned) {
        job_view_read(&view, job, cli_now_ms(), NULL);
        pruned = job_filter_admits(comparison->filter, job, &view);
    }
    json_decref(job);
    return pruned;
}

static bool visit(void *opaque, const struct store_item *item, struct error *error)
{
    struct comparison *comparison = opaque;
    char *name = memory_copy_text(item->name, item->name_bytes);
    struct wanted key = {.name = name};
    struct wanted *wanted = bsearch(&key, comparison->wanted, comparison->count,
                                    sizeof *comparison->wanted, compare_wanted);
    bool ok = true;
    if (wanted != NULL && !wanted->found) {
        struct job_record record;
        arena_reset(comparison->present);
        ok = job_record_decode((struct text){item->text, item->text_bytes}, comparison->present,
                               job_text_zones(), &record, error) &&
             compare_job(comparison, wanted, &record, error);
    } else if (wanted == NULL && is_pruned(comparison, item)) {
        struct job_difference *difference = diff_add(comparison->diff, JOB_DELETED);
        difference->owned = name;
        difference->name = name;
        return true;
    }
    free(name);
    return ok;
}

/* What belfryd gives to jobs that do not say. */
static bool read_defaults(struct comparison *comparison, const struct redis_reader *reader,
                          struct error *error)
{
    bool found = false;
    struct store_defaults *defaults = &comparison->defaults;
    if (!store_redis_read_defaults(reader->store, defaults, &found, error)) return false;
    if (found) return true;
    struct definition definition;
    definition_defaults(&definition);
    *defaults = (struct store_defaults){.misfire_grace_ms = definition.catchup.grace_ms,
                                        .keep_finished_ms = definition.keep_finished_ms};
    (void)fputs("belfry: no belfryd has published its misfire_grace and keep_finished: compared "
                "with those it has without configuration\n", stderr);
    return true;
}

/* All jobs are visited once: a selection for --prune may lie anywhere. */
static bool compare_all(struct comparison *comparison, const struct settings *settings,
                        struct error *error)
{
    struct redis_reader reader;
    struct store_filter everything = {0};
    if (!redis_reader_open(&reader, settings, error)) return false;
    bool listed = read_defaults(comparison, &reader, error) &&
                  store_redis_list_jobs(reader.store, reader.shards, &everything, visit,
                                        comparison, error);
    redis_reader_close(&reader);
    for (size_t i = 0; listed && i < comparison->count; i++) {
        if (comparison->wanted[i].found) continue;
        struct job_difference *item = diff_add(comparison->diff, JOB_ADDED);
        item->name = comparison->wanted[i].name;
        item->job = comparison->wanted[i].job;
    }
    return listed;
}

/* A job that was visited twice while its shard was being rewritten counts once. */
static void sort_items(struct job_diff *diff)
{
    if (diff->count < 2) return;
    qsort(diff->items, diff->count, sizeof *diff->items, compare_items);
    size_t kept = 1;
    for (size_t i = 1; i < diff->count; i++) {
        if (strcmp(diff->items[i].name, diff->items[kept - 1].name) == 0) {
            diff->counts[diff->items[i].change]--;
            free(diff->items[i].owned);
            json_decref(diff->items[i].fields);
        } else {
            diff->items[kept++] = diff->items[i];
        }
    }
    diff->count = kept;
}

static bool read_selection(struct job_filter *filter, const struct arguments *arguments,
                           bool *prunes, struct error *error)
{
    static const char *const selectors[] = {"group", "id",     "super-group",
                                            "label", "paused", "all"};
    bool selected = false;
    for (size_t i = 0; i < sizeof selectors / sizeof selectors[0]; i++)
        selected = selected || arguments_has(arguments, selectors[i]);
    *prunes = arguments_has(arguments, "prune");
    if (*prunes && !selected)
        return error_invalid(error, CODE_USAGE, "--prune deletes what the file lacks: among "
                             "which jobs? Select them with --group, --super-group or --label, or "
                             "say --all");
    if (selected && !*prunes)
        return error_invalid(error, CODE_USAGE, "selectors say what --prune may delete; "
                             "without it, leave them out");
    return job_filter_read(filter, arguments, error);
}

bool job_diff_make(struct job_diff *diff, const struct job_file *file,
                   const struct settings *settings, struct error *error)
{
    struct job_filter filter = {0};
    bool prunes = false;
    size_t count = file->request.job_count;
    bool made = read_selection(&filter, settings->arguments, &prunes, error);
    if (made) {
        struct comparison comparison = {.diff = diff,
                                        .file = file,
                                        .wanted = memory_allocate(count, sizeof(struct wanted)),
                                        .count = count,
                                        .filter = prunes ? &filter : NULL,
                                        .present = arena_create(),
                                        .arena = arena_create()};
        for (size_t i = 0; i < count; i++)
            comparison.wanted[i] = (struct wanted){file->names[i], i, false};
        qsort(comparison.wanted, count, sizeof *comparison.wanted, compare_wanted);
        made = compare_all(&comparison, settings, error);
        arena_destroy(comparison.present);
        arena_destroy(comparison.arena);
        free(comparison.wanted);
        sort_items(diff);
    }
    job_filter_free(&filter);
    return made;
}

void job_diff_free(struct job_diff *diff)
{
    for (size_t i = 0; i < diff->count; i++) {
        free(diff->items[i].owned);
        json_decref(diff->items[i].fields);
    }
    free(diff->items);
    *diff = (struct job_diff){0};
}
