#include "cli/read/worker_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/model/run.h"
#include "lib/model/run_record.h"
#include "lib/time/duration.h"
#include "schemas/report_json.h"

enum {
    WORKERS_MAX = 20000,
    KEY_BYTES = WORKERS_BYTES_MAX + WORKER_BYTES_MAX + 2,
    TRY_KEY_BYTES = RUN_ID_BYTES_MAX + 24
};

/* A claim is in Redis when it is ten seconds old, and Redis a moment behind. What is not there by
 * then is over, whatever its worker has said. */
#define NOT_RECORDED_MS (30 * SECONDS_MS)

struct worker_table {
    json_t *workers; /* "group\nname" -> {worker, workers, at, host, tries: {try: {...}}} */
    json_t *holders; /* try, as try_key() says it -> {"group\nname": true}: who has it */
    json_t *groups;  /* group -> true */
    struct arena *arena;
};

struct worker_table *worker_table_create(void)
{
    struct worker_table *table = memory_allocate(1, sizeof *table);
    *table = (struct worker_table){.workers = json_object(),
                                   .holders = json_object(),
                                   .groups = json_object(),
                                   .arena = arena_create()};
    return table;
}

void worker_table_destroy(struct worker_table *table)
{
    if (table == NULL) return;
    json_decref(table->workers);
    json_decref(table->holders);
    json_decref(table->groups);
    arena_destroy(table->arena);
    free(table);
}

const json_t *worker_table_groups(const struct worker_table *table)
{
    return table->groups;
}

static void key_of(char key[KEY_BYTES], struct text workers, struct text name)
{
    (void)snprintf(key, KEY_BYTES, "%.*s\n%.*s", (int)workers.length,
                   workers.length == 0 ? "" : workers.bytes, (int)name.length, name.bytes);
}

/* The entry of a worker; a new one where there is none, NULL where there are too many. */
static json_t *worker_of(struct worker_table *table, struct text workers, struct text name)
{
    char key[KEY_BYTES];
    if (name.length > WORKER_BYTES_MAX || workers.length > WORKERS_BYTES_MAX) return NULL;
    key_of(key, workers, name);
    json_t *worker = json_object_get(table->workers, key);
    if (worker != NULL) return worker;
    if (json_object_size(table->workers) >= WORKERS_MAX) return NULL;
    worker = json_pack("{s:o, s:o, s:{}}", "worker", json_stringn(name.bytes, name.length),
                       "workers", json_stringn(workers.length == 0 ? "" : workers.bytes,
                                               workers.length), "tries");
    if (worker == NULL) return NULL; /* no UTF-8 */
    (void)json_object_set_new(table->workers, key, worker);
    const char *group = json_member_text(worker, "workers");
    if (group[0] != '\0') (void)json_object_set_new(table->groups, group, json_true());
    return worker;
}

static void heard(json_t *object, int64_t at_ms)
{
    if (at_ms > json_member_number(object, "at", INT64_MIN))
        (void)json_object_set_new(object, "at", json_integer(at_ms));
}

/* A runnumber is one of its shard, and all shards are here: the run tells them apart. */
static void try_key(char key[TRY_KEY_BYTES], struct text run, const char *runnumber)
{
    (void)snprintf(key, TRY_KEY_BYTES, "%s@%.*s", runnumber, (int)run.length,
                   run.length == 0 ? "" : run.bytes);
}

/* Nobody has the try any more, but for `but`. */
static void drop_try(struct worker_table *table, const char *key, const json_t *but)
{
    json_t *holders = json_object_get(table->holders, key);
    const char *name = NULL;
    json_t *value = NULL;
    void *next = NULL;
    json_object_foreach_safe(holders, next, name, value) {
        json_t *worker = json_object_get(table->workers, name);
        if (worker == but) continue;
        (void)json_object_del(json_object_get(worker, "tries"), key);
        (void)json_object_del(holders, name);
    }
    if (json_object_size(holders) == 0) (void)json_object_del(table->holders, key);
}

static json_t *try_of(struct worker_table *table, json_t *worker, struct text run,
                      const char *runnumber, int64_t since_ms)
{
    char key[TRY_KEY_BYTES];
    char holder[KEY_BYTES];
    json_t *tries = json_object_get(worker, "tries");
    try_key(key, run, runnumber);
    json_t *tried = json_object_get(tries, key);
    if (tried != NULL) return tried;
    tried = json_pack("{s:I, s:s}", "since", (json_int_t)since_ms, "runnumber", runnumber);
    json_set_text(tried, "run", run);
    (void)json_object_set_new(tries, key, tried);
    key_of(holder, text_of(json_member_text(worker, "workers")),
           text_of(json_member_text(worker, "worker")));
    json_t *holders = json_object_get(table->holders, key);
    if (holders == NULL) {
        holders = json_object();
        (void)json_object_set_new(table->holders, key, holders);
    }
    (void)json_object_set_new(holders, holder, json_true());
    return tried;
}

static void take_report(struct worker_table *table, const struct report *report,
                        int64_t appended_ms)
{
    char runnumber[24];
    char key[TRY_KEY_BYTES];
    /* What is said by hand, of another's try, has no token. */
    bool named = report->worker.length > 0 && report->token.length > 0;
    json_t *worker = named ? worker_of(table, report->workers, report->worker) : NULL;
    (void)snprintf(runnumber, sizeof runnumber, "%" PRId64, report->runnumber);
    try_key(key, report->run, runnumber);
    if (worker != NULL) heard(worker, appended_ms);
    bool works = report->kind == REPORT_STARTED || report->kind == REPORT_RUNNING;
    if (report->kind != REPORT_STARTED) drop_try(table, key, works ? worker : NULL);
    if (works && worker != NULL)
        heard(try_of(table, worker, report->run, runnumber, appended_ms), appended_ms);
}

void worker_table_reports(struct worker_table *table, struct text record, int64_t appended_ms)
{
    struct report_reader reader;
    struct report report;
    struct error error = {0};
    if (!reports_open(record, &reader, &error)) return;
    while (reports_next(&reader, table->arena, &report, &error))
        if (error.kind == ERROR_NONE) take_report(table, &report, appended_ms);
}

/* Also the lost ones, of which no worker has said so. */
static void drop_ended(struct worker_table *table, struct text run, const json_t *tries)
{
    char key[TRY_KEY_BYTES];
    for (size_t i = 0; i < json_array_size(tries); i++) {
        const char *runnumber = json_member_text(json_array_get(tries, i), "runnumber");
        if (runnumber == NULL) continue;
        try_key(key, run, runnumber);
        drop_try(table, key, NULL);
    }
}

void worker_table_open(struct worker_table *table, const json_t *view)
{
    static const char *const members[] = {"group", "id", "lease"};
    char key[TRY_KEY_BYTES];
    struct text run = text_of(json_member_text(view, "run"));
    const char *name = json_member_text(view, "worker");
    const char *runnumber = json_member_text(view, "runnumber");
    int64_t started_ms = 0;
    int64_t sign_ms = 0;
    drop_ended(table, run, json_object_get(view, "tries"));
    if (name == NULL || runnumber == NULL || !json_member_ms(view, "started_at", &started_ms))
        return;
    json_t *worker = worker_of(table, text_of(json_member_text(view, "workers")), text_of(name));
    if (worker == NULL) return;
    try_key(key, run, runnumber);
    drop_try(table, key, worker);
    json_t *tried = try_of(table, worker, run, runnumber, started_ms);
    (void)json_object_set_new(tried, "since", json_integer(started_ms));
    if (!json_member_ms(view, "sign_at", &sign_ms)) sign_ms = started_ms;
    heard(tried, sign_ms);
    heard(worker, sign_ms);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        (void)json_object_set(tried, members[i], json_object_get(view, members[i]));
}

void worker_table_members(struct worker_table *table, const char *workers, const json_t *members)
{
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *member = json_array_get(members, i);
        const char *client = json_member_text(member, "client");
        if (client == NULL) client = json_member_text(member, "member");
        if (client == NULL) continue;
        json_t *worker = worker_of(table, text_of(workers), text_of(client));
        if (worker == NULL) continue;
        (void)json_object_set(worker, "host", json_object_get(member, "host"));
    }
}

/* ---- rows ---- */

static json_t *row_of(const json_t *worker, const char *state)
{
    json_t *row = json_object();
    (void)json_object_set(row, "worker", json_object_get(worker, "worker"));
    (void)json_object_set(row, "workers", json_object_get(worker, "workers"));
    (void)json_object_set_new(row, "state", json_string(state));
    json_set_instant(row, "last_sign_at", json_member_number(worker, "at", INSTANT_NONE));
    (void)json_object_set(row, "host", json_object_get(worker, "host"));
    return row;
}

/* Whether nothing was heard of it for longer than its lease. Of a lease that is not known yet
 * nothing is said: its claim is a few seconds old. */
static bool is_silent(const json_t *tried, int64_t now_ms)
{
    const char *lease = json_member_text(tried, "lease");
    int64_t lease_ms = 0;
    return lease != NULL && duration_parse(lease, strlen(lease), &lease_ms, NULL) &&
           now_ms - json_member_number(tried, "at", 0) > lease_ms;
}

static void add_rows(json_t *rows, const json_t *worker, int64_t now_ms)
{
    static const char *const members[] = {"run", "runnumber", "group", "id", "lease"};
    const char *key = NULL;
    json_t *tried = NULL;
    size_t before = json_array_size(rows);
    json_object_foreach(json_object_get(worker, "tries"), key, tried) {
        bool recorded = json_object_get(tried, "lease") != NULL;
        if (!recorded && now_ms - json_member_number(tried, "at", 0) > NOT_RECORDED_MS) continue;
        json_t *row = row_of(worker, is_silent(tried, now_ms) ? "silent" : "working");
        json_set_instant(row, "last_sign_at", json_member_number(tried, "at", INSTANT_NONE));
        json_set_instant(row, "since", json_member_number(tried, "since", INSTANT_NONE));
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            (void)json_object_set(row, members[i], json_object_get(tried, members[i]));
        (void)json_array_append_new(rows, row);
    }
    if (json_array_size(rows) > before) return;
    bool said = json_object_get(worker, "at") != NULL;
    (void)json_array_append_new(rows, row_of(worker, said ? "idle" : "member"));
}

static int compare_keys(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

json_t *worker_table_rows(const struct worker_table *table, int64_t now_ms)
{
    size_t count = 0;
    json_t *rows = json_array();
    const char **keys = memory_allocate(json_object_size(table->workers) + 1, sizeof *keys);
    const char *key = NULL;
    json_t *worker = NULL;
    json_object_foreach(table->workers, key, worker) keys[count++] = key;
    if (count > 1) qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < count; i++)
        add_rows(rows, json_object_get(table->workers, keys[i]), now_ms);
    free(keys);
    return rows;
}
