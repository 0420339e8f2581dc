#include "cli/read/open_runs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/show/cli_clock.h"
#include "cli/show/open_run_view.h"
#include "lib/base/memory.h"
#include "lib/model/run_id.h"
#include "schemas/arena.h"
#include "schemas/run_json.h"
#include "store/store_redis_query.h"

/* A run that is kept. The runnumber of its first try names it among those of its shard. */
struct held {
    int64_t opened_ms;
    int64_t first_runnumber;
    int32_t shard;
    json_t *view;
};

struct walk {
    const struct open_runs_wanted *wanted;
    struct open_runs *runs;
    struct arena *arena;
    int64_t now_ms;
    struct held *held;
    size_t count;
    size_t capacity;
};

static int compare(const void *left, const void *right)
{
    const struct held *a = left;
    const struct held *b = right;
    if (a->opened_ms != b->opened_ms) return a->opened_ms < b->opened_ms ? -1 : 1;
    if (a->shard != b->shard) return a->shard < b->shard ? -1 : 1;
    if (a->first_runnumber == b->first_runnumber) return 0;
    return a->first_runnumber < b->first_runnumber ? -1 : 1;
}

/* Orders what is held, drops what came twice, and what is beyond `most`. */
static void settle(struct walk *walk)
{
    size_t kept = 0;
    if (walk->count > 1) qsort(walk->held, walk->count, sizeof *walk->held, compare);
    for (size_t i = 0; i < walk->count; i++) {
        bool twice = kept > 0 && compare(&walk->held[kept - 1], &walk->held[i]) == 0;
        walk->runs->matched -= twice;
        if (twice || kept == walk->wanted->most) json_decref(walk->held[i].view);
        else walk->held[kept++] = walk->held[i];
    }
    walk->count = kept;
}

static bool has_worker(const struct run_record *record)
{
    if (record->state == RUN_STATE_CLAIMED) return true;
    return record->try_count > 0 && record->tries[record->try_count - 1].outcome == RUN_LOST;
}

static bool admits(const struct walk *walk, const struct run_record *record)
{
    const struct open_runs_wanted *wanted = walk->wanted;
    char group[NAME_BYTES_MAX + 1];
    char id[NAME_BYTES_MAX + 1];
    if (wanted->workers_only && !has_worker(record)) return false;
    if (wanted->late_ms >= 0 && !open_run_is_late(record, wanted->late_ms, walk->now_ms))
        return false;
    if (wanted->older_ms >= 0 && walk->now_ms - record->opened_ms < wanted->older_ms) return false;
    if (wanted->selection == NULL) return true;
    (void)snprintf(group, sizeof group, "%.*s", (int)record->group.length, record->group.bytes);
    (void)snprintf(id, sizeof id, "%.*s", (int)record->id.length, record->id.bytes);
    return run_selection_admits(wanted->selection, group, id);
}

/* False: the record holds no run that can be read. */
static bool decode(struct arena *arena, struct text text, struct run_record *record,
                   int64_t *unreadable)
{
    struct error ignored = {0};
    bool open = false;
    arena_reset(arena);
    bool read = run_record_decode(text, arena, record, &open, &ignored);
    *unreadable += !read;
    return read && open;
}

static bool visit(void *opaque, int32_t shard, int64_t k, struct text text, struct error *error)
{
    struct walk *walk = opaque;
    struct run_record record;
    (void)k;
    (void)error;
    if (!decode(walk->arena, text, &record, &walk->runs->unreadable)) return true;
    if (!admits(walk, &record)) return true;
    walk->held = memory_grow(walk->held, &walk->capacity, walk->count + 1, sizeof *walk->held);
    walk->held[walk->count++] = (struct held){record.opened_ms, record.first_runnumber, shard,
                                              open_run_view(&record, shard, walk->now_ms)};
    walk->runs->matched++;
    if (walk->count >= 2 * walk->wanted->most + 1000) settle(walk);
    return true;
}

bool open_runs_read(struct open_runs *runs, const struct settings *settings,
                    const struct open_runs_wanted *wanted, struct error *error)
{
    struct redis_reader reader;
    assert(wanted->most > 0);
    *runs = (struct open_runs){.views = json_array()};
    if (!redis_reader_open(&reader, settings, error)) return false;
    struct walk walk = {.wanted = wanted, .runs = runs, .arena = arena_create(),
                        .now_ms = cli_now_ms()};
    bool all = wanted->shard == OPEN_RUNS_ALL;
    bool read = store_redis_list_runs(reader.store, all ? 0 : wanted->shard,
                                      all ? reader.shards : 1, visit, &walk, error);
    settle(&walk);
    for (size_t i = 0; i < walk.count; i++)
        (void)json_array_append_new(runs->views, walk.held[i].view);
    free(walk.held);
    arena_destroy(walk.arena);
    redis_reader_close(&reader);
    return read;
}

void open_runs_free(struct open_runs *runs)
{
    json_decref(runs->views);
    *runs = (struct open_runs){0};
}

/* ---- one by its id ---- */

struct search {
    const char *run;
    struct open_run_found *found;
    bool is_found;
    struct arena *arena;
};

static void copy(char *bytes, size_t size, struct text text)
{
    (void)snprintf(bytes, size, "%.*s", (int)text.length, text.length == 0 ? "" : text.bytes);
}

static bool visit_one(void *opaque, int32_t shard, int64_t k, struct text text,
                      struct error *error)
{
    struct search *search = opaque;
    struct open_run_found *found = search->found;
    struct run_record record;
    char id[RUN_ID_BYTES_MAX + 1];
    int64_t unreadable = 0;
    (void)k;
    (void)error;
    if (!decode(search->arena, text, &record, &unreadable)) return true;
    (void)run_id_of_record(&record, id);
    if (strcmp(id, search->run) != 0) return true;
    search->is_found = true;
    *found = (struct open_run_found){.shard = shard, .runnumber = record.runnumber,
                                     .state = record.state};
    copy(found->group, sizeof found->group, record.group);
    copy(found->id, sizeof found->id, record.id);
    copy(found->workers, sizeof found->workers, record.workers);
    return true;
}

bool open_runs_find(const struct settings *settings, const char *run, int32_t shard,
                    struct open_run_found *found, struct error *error)
{
    struct redis_reader reader;
    struct error trouble = {0};
    if (!redis_reader_open(&reader, settings, error)) return false;
    struct search search = {.run = run, .found = found, .arena = arena_create()};
    bool all = shard == OPEN_RUNS_ALL;
    bool read = store_redis_list_runs(reader.store, all ? 0 : shard, all ? reader.shards : 1,
                                      visit_one, &search, &trouble);
    arena_destroy(search.arena);
    redis_reader_close(&reader);
    if (search.is_found) return true;
    if (!read) {
        *error = trouble;
        return false;
    }
    return error_invalid(error, CODE_NOT_FOUND, "there is no open run %.200s; belfry runs shows "
                         "those that are", run);
}
