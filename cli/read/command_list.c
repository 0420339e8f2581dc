#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/read/job_filter.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "cli/show/print_text.h"
#include "cli/words/cli.h"
#include "cli/words/watch.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "store/store_redis_query.h"

/* Up to here the list is sorted; a longer one is printed as it comes, in bounded memory. */
enum { SORTED_MAX = 100000 };

static const struct table_column columns[] = {
    {"GROUP", false, 12},  {"ID", false, 12},      {"SCHEDULE", false, 12},
    {"STATE", false, 0},   {"NEXT DUE", false, 0}, {"REVISION", true, 0},
    {"FIRED", true, 0},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* A job that is to be printed: its name, for the order, and its text. */
struct listed {
    char *name;
    int64_t order; /* before the name, by --sort */
    char *text;
    size_t text_bytes;
};

struct listing {
    const struct settings *settings;
    const struct job_filter *filter;
    struct table *table;
    int64_t now_ms;
    const char *sort;   /* member of the record, "next", or NULL: by name */
    int64_t limit;      /* at most so many, -1 = all */
    int64_t printed;
    struct listed *held;
    size_t held_count;
    size_t held_capacity;
    bool streaming;     /* too many to sort */
};

static enum table_tone state_tone(const char *state)
{
    if (strcmp(state, "active") == 0) return TONE_GOOD;
    if (strcmp(state, "paused") == 0) return TONE_WARN;
    return strcmp(state, "failing") == 0 ? TONE_BAD : TONE_DIM;
}

static void print_row(struct listing *listing, const json_t *job)
{
    assert(job != NULL);
    struct job_view view;
    assert(listing->table != NULL);
    job_view_read(&view, job, listing->now_ms, listing->settings->zones);
    const struct table_cell cells[COLUMNS] = {
        {text_of(view.group), TONE_PLAIN},      {text_of(view.id), TONE_PLAIN},
        {text_of(view.schedule), TONE_PLAIN},   {text_of(view.state), state_tone(view.state)},
        {text_of(view.next), TONE_PLAIN},       {text_of(view.revision), TONE_PLAIN},
        {text_of(view.fired), TONE_PLAIN},
    };
    table_add(listing->table, cells);
}

/* Records are printed as they are stored: no number is rounded, no member reordered. */
static void print_job(struct listing *listing, const struct listed *job)
{
    assert(job->text != NULL);
    if (listing->limit >= 0 && listing->printed >= listing->limit) return;
    switch (listing->settings->output) {
    case OUTPUT_NAME:
        print_safe(stdout, job->name, strlen(job->name));
        (void)fputc('\n', stdout);
        break;
    case OUTPUT_JSON:
        (void)fputs(listing->printed == 0 ? "[\n" : ",\n", stdout);
        (void)print_json(stdout, job->text, job->text_bytes, listing->settings->width > 0);
        break;
    case OUTPUT_NDJSON:
        (void)print_json(stdout, job->text, job->text_bytes, listing->settings->width > 0);
        (void)fputc('\n', stdout);
        break;
    case OUTPUT_TABLE: {
        json_t *parsed = json_loadb(job->text, job->text_bytes, 0, NULL);
        if (json_is_object(parsed)) print_row(listing, parsed);
        json_decref(parsed);
        break;
    }
    }
    listing->printed++;
}

static void print_held(struct listing *listing)
{
    for (size_t i = 0; i < listing->held_count; i++) {
        print_job(listing, &listing->held[i]);
        free(listing->held[i].name);
        free(listing->held[i].text);
    }
    assert(listing->limit < 0 || listing->printed <= listing->limit);
    listing->held_count = 0;
}

/* Jobs without the instant come last. */
static int64_t order_of(const struct listing *listing, const json_t *job,
                        const struct job_view *view)
{
    assert(job != NULL);
    int64_t instant_ms = INT64_MAX;
    if (listing->sort == NULL) return 0;
    bool next = strcmp(listing->sort, "next") == 0;
    const char *text = next ? view->next : json_member_text(job, listing->sort);
    if (text == NULL || !instant_parse(text, strlen(text), &instant_ms, NULL)) return INT64_MAX;
    return instant_ms;
}

static bool visit(void *opaque, const struct store_item *item, struct error *error)
{
    struct listing *listing = opaque;
    assert(item->kind == STORE_JOB_PUT);
    (void)error;
    json_t *job = json_loadb(item->text, item->text_bytes, 0, NULL);
    bool admitted = json_is_object(job);
    int64_t order = 0;
    if (admitted) {
        struct job_view view;
        job_view_read(&view, job, listing->now_ms, listing->settings->zones);
        admitted = job_filter_admits(listing->filter, job, &view);
        order = order_of(listing, job, &view);
    }
    json_decref(job);
    if (!admitted) return true;
    struct listed listed = {memory_copy_text(item->name, item->name_bytes), order,
                            memory_copy_text(item->text, item->text_bytes), item->text_bytes};
    listing->held = memory_grow(listing->held, &listing->held_capacity, listing->held_count + 1,
                                sizeof *listing->held);
    listing->held[listing->held_count++] = listed;
    if (listing->held_count > SORTED_MAX) listing->streaming = true;
    if (listing->streaming) print_held(listing);
    return true;
}

/* By group, then by id: the slash between them must sort before every letter. */
static int compare_names(const void *left, const void *right)
{
    const struct listed *a = left;
    const struct listed *b = right;
    size_t a_group = strcspn(a->name, "/");
    size_t b_group = strcspn(b->name, "/");
    int order = memcmp(a->name, b->name, a_group < b_group ? a_group : b_group);
    if (order == 0 && a_group != b_group) return a_group < b_group ? -1 : 1;
    return order != 0 ? order : strcmp(a->name + a_group, b->name + b_group);
}

static int compare_orders(const void *left, const void *right)
{
    const struct listed *a = left;
    const struct listed *b = right;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    return compare_names(left, right);
}

/* A job that was visited twice while its shard was being rewritten is listed once. */
static void sort_held(struct listing *listing)
{
    assert(!listing->streaming);
    if (listing->held_count < 2) return;
    qsort(listing->held, listing->held_count, sizeof *listing->held, compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < listing->held_count; i++) {
        if (strcmp(listing->held[i].name, listing->held[kept - 1].name) == 0) {
            free(listing->held[i].name);
            free(listing->held[i].text);
        } else {
            listing->held[kept++] = listing->held[i];
        }
    }
    assert(kept <= listing->held_count);
    listing->held_count = kept;
    if (listing->sort != NULL)
        qsort(listing->held, kept, sizeof *listing->held, compare_orders);
}

static bool list_jobs(struct listing *listing, const struct settings *settings,
                      struct error *error)
{
    assert(listing->filter != NULL);
    struct redis_reader reader;
    if (!redis_reader_open(&reader, settings, error)) return false;
    if (settings->output == OUTPUT_TABLE)
        listing->table =
            table_create(stdout, columns, COLUMNS, settings->width, settings->colour);
    struct store_filter filter = job_filter_store(listing->filter);
    bool listed = store_redis_list_jobs(reader.store, reader.shards, &filter, visit, listing,
                                        error);
    bool read = listed || error->code == CODE_NOT_WHOLE; /* all that is there */
    if (read && !listing->streaming) sort_held(listing);
    if (!read) listing->limit = listing->printed; /* no half list: free, do not print */
    print_held(listing);
    free(listing->held);
    if (listing->table != NULL) table_finish(listing->table);
    if (settings->output == OUTPUT_JSON)
        (void)fputs(listing->printed == 0 ? "[]\n" : "\n]\n", stdout);
    redis_reader_close(&reader);
    return listed;
}

static bool read_sort(const struct arguments *arguments, const char **sort, struct error *error)
{
    static const char *const orders[][2] = {
        {"name", NULL}, {"next", "next"}, {"created", "created_at"}, {"updated", "updated_at"}};
    const char *value = arguments_value(arguments, "sort");
    *sort = NULL;
    if (value == NULL) return true;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strcmp(orders[i][0], value) != 0) continue;
        *sort = orders[i][1];
        return true;
    }
    return error_invalid(error, CODE_USAGE, "--sort: \"%.40s\" is not name, next, created or "
                         "updated", value);
}

static enum exit_code list_once(const struct invocation *invocation)
{
    struct error error = {0};
    struct job_filter filter;
    const struct arguments *arguments = invocation->arguments;
    struct listing listing = {.settings = invocation->settings, .filter = &filter, .limit = -1,
                              .now_ms = cli_now_ms()};
    bool listed = job_filter_read(&filter, arguments, &error);
    if (listed && arguments->positional_count > 0)
        listed = error_invalid(&error, CODE_USAGE,
                               "\"%.60s\" is too much: list takes selectors; belfry get shows one "
                               "job", arguments->positionals[0]);
    listed = listed && read_sort(arguments, &listing.sort, &error) &&
             arguments_number(arguments, "limit", 1, INT64_MAX, &listing.limit, &error) &&
             list_jobs(&listing, invocation->settings, &error);
    job_filter_free(&filter);
    assert(listed || error.kind != ERROR_NONE);
    return listed ? CLI_OK : exit_with(&error);
}

enum exit_code command_list(const struct invocation *invocation)
{
    return watch_or_once(invocation, list_once);
}
