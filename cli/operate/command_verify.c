/* belfry verify: do Redis and the state log say the same about every job and every open run? */
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/kafka/redis_reader.h"
#include "cli/kafka/topic_scan.h"
#include "cli/read/result_view.h"
#include "cli/show/print_table.h"
#include "cli/show/print_text.h"
#include "cli/words/cli.h"

/* Redis follows the log at a short distance, so what differs is looked at again before it is
 * said; a job or a run counts only when its log record stood still meanwhile. */
enum { PASSES = 3, BETWEEN_MS = 700, NAMES_SHOWN = 20, CELL_BYTES = 24, KEY_BYTES = 1100 };

/* What one look at a shard found, by the keys of the state log: "job/<name>", "run/<k>". */
struct shard_look {
    json_t *log;       /* key -> record of the state log */
    json_t *redis;     /* key -> record of Redis */
    json_t *different; /* key -> {"what","log"}; log is null where it has none */
};

struct verification {
    const struct settings *settings;
    struct table *table;
    json_t *array;
    json_t *names; /* of all differences, with what they are */
    int32_t bad_shards;
    char state[TOPIC_NAME_BYTES];
};

/* Statistics are not in the log after each fire, and may be lost with Redis. */
static json_t *comparable(const char *text, size_t length)
{
    static const char *const statistics[] = {"fired", "missed", "last_due"};
    json_t *job = json_loadb(text, length, 0, NULL);
    for (size_t i = 0; json_is_object(job) && i < sizeof statistics / sizeof statistics[0]; i++)
        (void)json_object_del(job, statistics[i]);
    return job == NULL ? json_null() : job;
}

/* A claim is in Redis with the next checkpoint, in the log when it is ten seconds old; NULL: no run
 * is open there. */
static json_t *comparable_run(const char *text, size_t length)
{
    json_t *run = json_loadb(text, length, 0, NULL);
    if (run == NULL) return json_null();
    if (json_is_true(json_object_get(run, "free"))) {
        json_decref(run);
        return NULL;
    }
    if (json_object_get(run, "claim") == NULL) return run;
    (void)json_object_del(run, "claim");
    (void)json_object_set_new(run, "state", json_string("open"));
    return run;
}

static bool is_run(const char *key)
{
    return strncmp(key, "run/", 4) == 0;
}

static void keep(json_t *records, const char *key, const char *text, size_t length)
{
    json_t *record = NULL;
    if (text != NULL && is_run(key)) record = comparable_run(text, length);
    else if (text != NULL) record = comparable(text, length);
    if (record == NULL) (void)json_object_del(records, key);
    else (void)json_object_set_new(records, key, record);
}

static bool visit_log(void *opaque, const rd_kafka_message_t *message)
{
    char key[KEY_BYTES];
    if (message->key == NULL || message->key_len <= 4 || message->key_len >= sizeof key)
        return true;
    (void)snprintf(key, sizeof key, "%.*s", (int)message->key_len, (const char *)message->key);
    if (is_run(key) || strncmp(key, "job/", 4) == 0)
        keep(opaque, key, message->payload, message->len);
    return true;
}

static bool visit_redis(void *opaque, const struct store_item *item, struct error *error)
{
    char key[KEY_BYTES];
    (void)error;
    if (item->kind == STORE_SEEN_PUT || item->name_bytes + 4 >= sizeof key) return true;
    (void)snprintf(key, sizeof key, "%s/%.*s", item->kind == STORE_RUN_PUT ? "run" : "job",
                   (int)item->name_bytes, item->name);
    keep(opaque, key, item->text, item->text_bytes);
    return true;
}

static size_t count_runs(json_t *records)
{
    const char *key = NULL;
    json_t *record = NULL;
    size_t runs = 0;
    json_object_foreach(records, key, record) runs += is_run(key);
    return runs;
}

static void note_difference(json_t *different, const char *name, const char *what, json_t *log)
{
    assert(different != NULL);
    (void)json_object_set_new(different, name,
                              json_pack("{s:s, s:O?}", "what", what, "log", log));
}

static json_t *differences(json_t *log, json_t *redis)
{
    assert(json_is_object(log));
    assert(json_is_object(redis));
    json_t *different = json_object();
    const char *name = NULL;
    json_t *job = NULL;
    json_object_foreach(log, name, job) {
        const json_t *other = json_object_get(redis, name);
        if (other == NULL) note_difference(different, name, "missing in Redis", job);
        else if (json_equal(job, other) == 0) note_difference(different, name, "different", job);
    }
    json_object_foreach(redis, name, job)
        if (json_object_get(log, name) == NULL)
            note_difference(different, name, "in Redis only", NULL);
    return different;
}

static bool look(const struct verification *verification, struct redis_reader *reader,
                 int32_t shard, struct shard_look *found, struct error *error)
{
    struct scan scan = {shard, 0, 0};
    struct scan_report report;
    *found = (struct shard_look){json_object(), json_object(), NULL};
    bool read = topic_scan(verification->settings, verification->state, &scan, visit_log,
                           found->log, &report, error) &&
                reader->store->operations->read_items(reader->store, shard, visit_redis,
                                                      found->redis, error);
    if (read) found->different = differences(found->log, found->redis);
    return read;
}

static void look_free(struct shard_look *found)
{
    json_decref(found->log);
    json_decref(found->redis);
    json_decref(found->different);
    *found = (struct shard_look){0};
}

/* Keeps what differed before and differs now, with the log unchanged. */
static void keep_lasting(json_t *now, json_t *before)
{
    assert(now != NULL);
    const char *name = NULL;
    json_t *difference = NULL;
    void *next = NULL;
    if (before == NULL) return;
    json_object_foreach_safe(now, next, name, difference) {
        const json_t *earlier = json_object_get(before, name);
        if (earlier == NULL || json_equal(earlier, difference) == 0)
            (void)json_object_del(now, name);
    }
}

static bool look_until_sure(const struct verification *verification, struct redis_reader *reader,
                            int32_t shard, struct shard_look *found, struct error *error)
{
    json_t *before = NULL;
    bool read = false;
    for (int pass = 0; pass < PASSES; pass++) {
        struct timespec wait = {.tv_sec = 0, .tv_nsec = BETWEEN_MS * 1000000L};
        if (pass > 0) (void)nanosleep(&wait, NULL);
        read = look(verification, reader, shard, found, error);
        if (!read) break;
        keep_lasting(found->different, before);
        json_decref(before);
        before = NULL;
        if (json_object_size(found->different) == 0 || pass == PASSES - 1) break;
        before = json_incref(found->different);
        look_free(found);
    }
    json_decref(before);
    return read;
}

/* Of jobs and of open runs, in the log and in Redis; how many of both differ. */
enum { NUMBERS = 5 };

static void add_row(struct verification *verification, int32_t shard,
                    const size_t numbers[NUMBERS], enum table_tone tone)
{
    static const struct table_column columns[NUMBERS + 1] = {
        {"SHARD", true, 0},         {"JOBS IN KAFKA", true, 0}, {"JOBS IN REDIS", true, 0},
        {"RUNS IN KAFKA", true, 0}, {"RUNS IN REDIS", true, 0}, {"DIFFERENT", true, 0}};
    if (verification->table == NULL)
        verification->table = table_create(stdout, columns, NUMBERS + 1,
                                           verification->settings->width,
                                           verification->settings->colour);
    char text[NUMBERS + 1][CELL_BYTES];
    struct table_cell cells[NUMBERS + 1];
    (void)snprintf(text[0], CELL_BYTES, "%" PRId32, shard);
    for (size_t i = 0; i < NUMBERS; i++)
        (void)snprintf(text[i + 1], CELL_BYTES, "%zu", numbers[i]);
    for (size_t i = 0; i <= NUMBERS; i++) cells[i] = (struct table_cell){text_of(text[i]), tone};
    table_add(verification->table, cells);
}

static void report_shard(struct verification *verification, int32_t shard,
                         const struct shard_look *found)
{
    size_t runs[2] = {count_runs(found->log), count_runs(found->redis)};
    size_t numbers[NUMBERS] = {json_object_size(found->log) - runs[0],
                               json_object_size(found->redis) - runs[1], runs[0], runs[1],
                               json_object_size(found->different)};
    bool bad = numbers[NUMBERS - 1] > 0;
    if (bad) verification->bad_shards++;
    const char *name = NULL;
    json_t *difference = NULL;
    json_object_foreach(found->different, name, difference)
        (void)json_array_append_new(
            verification->names,
            json_pack("{s:s, s:i, s:O}", "name", is_run(name) ? name : name + 4, "shard",
                      (int)shard, "what", json_object_get(difference, "what")));
    if (verification->array != NULL) {
        (void)json_array_append_new(
            verification->array,
            json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}", "shard", (int)shard, "jobs_in_log",
                      (json_int_t)numbers[0], "jobs_in_redis", (json_int_t)numbers[1],
                      "runs_in_log", (json_int_t)numbers[2], "runs_in_redis",
                      (json_int_t)numbers[3], "different", (json_int_t)numbers[4]));
    } else if (verification->settings->output == OUTPUT_TABLE) {
        add_row(verification, shard, numbers, bad ? TONE_BAD : TONE_PLAIN);
    }
}

static bool verify_shards(struct verification *verification, struct error *error)
{
    struct redis_reader reader;
    if (!redis_reader_open(&reader, verification->settings, error)) return false;
    bool read = true;
    for (int32_t shard = 0; read && shard < reader.shards; shard++) {
        struct shard_look found = {0};
        read = look_until_sure(verification, &reader, shard, &found, error);
        if (read) report_shard(verification, shard, &found);
        look_free(&found);
    }
    redis_reader_close(&reader);
    assert(read || error->kind != ERROR_NONE);
    return read;
}

static void say_verdict(const struct verification *verification)
{
    size_t count = json_array_size(verification->names);
    (void)fflush(stdout);
    if (count == 0) {
        (void)fputs("belfry: Redis and the state log say the same\n", stderr);
        return;
    }
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++) {
        const json_t *item = json_array_get(verification->names, i);
        const char *name = json_string_value(json_object_get(item, "name"));
        (void)fputs("belfry: ", stderr);
        print_safe(stderr, name, strlen(name));
        (void)fprintf(stderr, ": %s\n", json_string_value(json_object_get(item, "what")));
    }
    if (count > NAMES_SHOWN) (void)fprintf(stderr, "belfry: and %zu more\n", count - NAMES_SHOWN);
    (void)fprintf(stderr, "belfry: %zu jobs and runs differ. Fires are not concerned: they come "
                  "from the state log. To have Redis written anew from it:\nbelfry:   belfry "
                  "--cluster %s rebuild --shard %lld\n", count, verification->settings->cluster,
                  (long long)json_integer_value(
                      json_object_get(json_array_get(verification->names, 0), "shard")));
}

enum exit_code command_verify(const struct invocation *invocation)
{
    struct error error = {0};
    const struct settings *settings = invocation->settings;
    struct verification verification = {.settings = settings, .names = NULL};
    if (invocation->arguments->positional_count > 0) {
        (void)error_invalid(&error, CODE_USAGE, "verify takes no names: it looks at all jobs and "
                            "runs");
        return exit_with(&error);
    }
    topic_name(verification.state, settings, "state");
    verification.names = json_array();
    bool json = settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON;
    if (json) verification.array = json_array();
    bool read = verify_shards(&verification, &error);
    if (verification.table != NULL) table_finish(verification.table);
    if (read && json) value_print(settings, verification.array);
    if (read) say_verdict(&verification);
    enum exit_code code = !read ? exit_with(&error)
                                : verification.bad_shards > 0 ? CLI_FAILED : CLI_OK;
    json_decref(verification.array);
    json_decref(verification.names);
    return code;
}
