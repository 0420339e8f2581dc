/* What only a real Redis can do to store_redis: die, freeze, forget scripts, hold strange keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/limits.h"
#include "lib/base/monotonic.h"
#include "store/store_redis.h"
#include "store/store_redis_health.h"
#include "store/store_redis_query.h"
#include "store/store_redis_rights.h"
#include "store/store_whole.h"
#include "tests/support/store_backend.h"
#include "tests/support/store_script.h"

enum { BACK_LIMIT_MS = 60000, TIME_LIMIT_MS = 300 };

#define CHANGE(store, epoch, follows, part, sequence, words) \
    write_words(store, STORE_CHANGE, 1, epoch, follows, part, sequence, words)
#define REWRITE(store, epoch, part, sequence, words) \
    write_words(store, STORE_REWRITE, 1, epoch, 0, part, sequence, words)
#define EXPECT(expected, actual) assert_string_equal(actual, expected)

struct fixture {
    struct redis_process *process;
    struct store *store;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct store_redis_options options;
    struct error error = {0};
    if (f == NULL) return -1;
    *state = f;
    f->process = redis_process_start(NULL);
    if (f->process == NULL) return -1;
    store_redis_options_default(&options);
    options.command_limit_ms = TIME_LIMIT_MS;
    if (!store_redis_options_parse(redis_process_url(f->process), &options, &error)) return -1;
    f->store = store_redis_create(&options, &error);
    return f->store != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    f->store->operations->destroy(f->store);
    redis_process_stop(f->process);
    free(f);
    return 0;
}

/* One command of the test's own; the answer as text. */
static const char *redis_do(struct fixture *f, int count, const char **words)
{
    static char text[4096];
    redisContext *context = redisConnectUnix(redis_process_url(f->process) + strlen("unix://"));
    assert_non_null(context);
    redisReply *reply = redisCommandArgv(context, count, words, NULL);
    assert_non_null(reply);
    text[0] = '\0';
    if (reply->type == REDIS_REPLY_INTEGER)
        (void)snprintf(text, sizeof text, "%lld", reply->integer);
    for (size_t i = 0; i < reply->elements; i++) {
        size_t length = strlen(text);
        (void)snprintf(text + length, sizeof text - length, "%s ", reply->element[i]->str);
    }
    if (reply->str != NULL) (void)snprintf(text, sizeof text, "%s", reply->str);
    freeReplyObject(reply);
    redisFree(context);
    return text;
}
#define REDIS(f, ...) \
    redis_do(f, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
             (const char *[]){__VA_ARGS__})

/* Repeats a write until it is no longer a retry, as a shard would. */
static const char *change_when_back(struct fixture *f, int64_t follows, int64_t sequence)
{
    int64_t deadline_ms = monotonic_ms() + BACK_LIMIT_MS;
    const char *outcome = "retry";
    while (strcmp(outcome, "retry") == 0 && monotonic_ms() < deadline_ms) {
        outcome = CHANGE(f->store, 1, follows, 0, sequence, "+g/2=two");
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return outcome;
}

static void test_killed_and_restarted_empty(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    redis_process_kill(f->process);
    EXPECT("retry", CHANGE(f->store, 1, 5, 0, 6, "+g/2=two"));
    EXPECT("retry", CHANGE(f->store, 1, 5, 0, 6, "+g/2=two"));
    assert_true(redis_process_restart(f->process, true));
    EXPECT("GAP", change_when_back(f, 5, 6));
    EXPECT("none", dump_store(f->store));
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 6, "+g/1=one +g/2=two"));
    EXPECT("seq=6 g/1=one g/2=two", dump_store(f->store));
}

static void test_restarted_with_its_file(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    redis_process_kill(f->process);
    assert_true(redis_process_restart(f->process, false));
    EXPECT("WRITTEN", change_when_back(f, 5, 6));
    EXPECT("seq=6 g/1=one g/2=two", dump_store(f->store));
}

static void test_absent_at_the_start(void **state)
{
    struct fixture *f = *state;
    redis_process_kill(f->process);
    EXPECT("retry", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    assert_true(redis_process_restart(f->process, false));
    EXPECT("GAP", change_when_back(f, 5, 6));
}

/* Frozen: the call ends in time, and what it left in the socket does no harm later. */
static void test_frozen(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    redis_process_freeze(f->process);
    int64_t start_ms = monotonic_ms();
    EXPECT("retry", CHANGE(f->store, 1, 5, 0, 6, "+g/1=delayed"));
    assert_in_range(monotonic_ms() - start_ms, TIME_LIMIT_MS - 10, 10 * TIME_LIMIT_MS);
    redis_process_thaw(f->process);
    const char *outcome = change_when_back(f, 5, 7);
    if (strcmp(outcome, "GAP") == 0) EXPECT("seq=6 g/1=delayed", dump_store(f->store));
    else EXPECT("WRITTEN", outcome);
}

static void test_server_closes_the_connection(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    EXPECT("1", REDIS(f, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"));
    EXPECT("WRITTEN", CHANGE(f->store, 1, 5, 0, 6, "+g/2=two"));
}

static void make_parts(struct store_write *writes, struct items *items, int count,
                       const struct snapshot *snapshot, int64_t follows)
{
    for (int i = 0; i < count; i++) {
        char words[64];
        (void)snprintf(words, sizeof words, "+p/%d=%d", i, i);
        items_parse(&items[i], words);
        writes[i] = (struct store_write){.shard = 3, .mode = STORE_CHANGE, .generation = 1,
            .epoch = 1, .follows_sequence = follows, .part = i,
            .token = 1000 + (uint64_t)follows, .items = items[i].items,
            .item_count = items[i].count, .snapshot = i + 1 == count ? snapshot : NULL};
    }
}

static void test_scripts_forgotten(void **state)
{
    struct fixture *f = *state;
    const struct store_meta meta = {STATE_LAYOUT, 8, "k"};
    struct store_meta found;
    struct error error = {0};
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    EXPECT("OK", REDIS(f, "SCRIPT", "FLUSH"));
    EXPECT("WRITTEN", CHANGE(f->store, 1, 5, 0, 6, "+g/2=two"));
    EXPECT("OK", REDIS(f, "SCRIPT", "FLUSH"));
    assert_true(f->store->operations->claim_meta(f->store, &meta, &found, &error));
    assert_int_equal(found.shards, 8);
}

static void test_parts_in_one_go(void **state)
{
    struct fixture *f = *state;
    struct store_write writes[3];
    struct items items[3];
    struct error error = {0};
    size_t written = 0;
    enum store_outcome outcome = STORE_GAP;
    const struct snapshot snapshot = snapshot_at(1, 1, 7);
    const struct store_operations *operations = f->store->operations;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    EXPECT("OK", REDIS(f, "SCRIPT", "FLUSH"));
    make_parts(writes, items, 3, &snapshot, 4);
    assert_true(operations->write_parts(f->store, writes, 3, &written, &outcome, &error));
    assert_int_equal(outcome, STORE_GAP);
    assert_int_equal(written, 0);
    make_parts(writes, items, 3, &snapshot, 5);
    assert_true(operations->write_parts(f->store, writes, 2, &written, &outcome, &error));
    assert_int_equal(written, 2);
    EXPECT("seq=5 g/1=one p/0=0 p/1=1", dump_store(f->store));
    assert_true(operations->write_parts(f->store, writes + 2, 1, &written, &outcome, &error));
    EXPECT("seq=7 g/1=one p/0=0 p/1=1 p/2=2", dump_store(f->store));
    make_parts(writes, items, 3, &snapshot, 7);
    writes[1].part = 2; /* the second is refused, and so is what follows */
    writes[2].part = 2;
    assert_true(operations->write_parts(f->store, writes, 3, &written, &outcome, &error));
    assert_int_equal(written, 1);
    assert_int_equal(outcome, STORE_GAP);
}

static void test_full_memory_is_a_retry(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    EXPECT("OK", REDIS(f, "CONFIG", "SET", "maxmemory", "1000"));
    EXPECT("retry", CHANGE(f->store, 1, 5, 0, 6, "+g/2=two"));
    EXPECT("seq=5 g/1=one", dump_store(f->store));
    EXPECT("OK", REDIS(f, "CONFIG", "SET", "maxmemory", "0"));
    EXPECT("WRITTEN", CHANGE(f->store, 1, 5, 0, 6, "+g/2=two"));
}

/* What a version before wrote lacks the fields that came since. */
static void test_older_layout_is_read(void **state)
{
    struct fixture *f = *state;
    struct snapshot got;
    struct error error = {0};
    bool found = false;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    EXPECT("0", REDIS(f, "HSET", "belfry:{3}:snapshot", "layout", "1"));
    EXPECT("2", REDIS(f, "HDEL", "belfry:{3}:snapshot", "control_last_hash", "forward_last_known"));
    assert_true(f->store->operations->read_snapshot(f->store, 3, &got, &found, &error));
    assert_true(found);
    assert_int_equal(got.mark.layout, 1);
    assert_false(got.mark.inputs[INPUT_FORWARD].last.known);
    assert_int_equal(got.mark.jobs, got.job_count);
    /* It has not counted what it holds: it is read, and then written anew. */
    EXPECT("3", REDIS(f, "HDEL", "belfry:{3}:snapshot", "held_jobs", "held_seen",
                      "held_super_groups"));
    EXPECT("jobs 1/-1 seen 0/-1 groups 1/-1 runs 0/0", count_store(f->store));
    EXPECT("DAMAGED", CHANGE(f->store, 1, 5, 0, 6, "+g/2=two"));
    EXPECT("1", REDIS(f, "HGET", "belfry:{3}:snapshot", "layout"));
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 6, "+g/1=one +g/2=two"));
    EXPECT("2", REDIS(f, "HGET", "belfry:{3}:snapshot", "layout"));
    EXPECT("1", REDIS(f, "HDEL", "belfry:{3}:snapshot", "control_last_hash"));
    assert_false(f->store->operations->read_snapshot(f->store, 3, &got, &found, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
}

/* Whatever single key goes: the next write notices, and so does who reads. */
static void test_lost_keys(void **state)
{
    static const char *const keys[] = {"belfry:{3}:jobs", "belfry:{3}:seen", "belfry:{3}:groups",
                                       "belfry:{3}:super_groups", "belfry:{3}:super_group_of"};
    struct fixture *f = *state;
    int64_t sequence = 1;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct error error = {0};
        EXPECT("WRITTEN", REWRITE(f->store, 1, 0, NOT_LAST, "+g/1=one@s +g/2=two"));
        EXPECT("WRITTEN", REWRITE(f->store, 1, 1, ++sequence, "+g/3=three@s s4=ids j3 r1"));
        assert_true(store_redis_check_whole(f->store, 8, &error));
        EXPECT("1", REDIS(f, "DEL", keys[i]));
        assert_false(store_redis_check_whole(f->store, 8, &error));
        assert_int_equal(error.code, CODE_NOT_WHOLE);
        assert_non_null(strstr(error.message, "shard 3"));
        EXPECT("DAMAGED", CHANGE(f->store, 1, sequence, 0, sequence, ""));
        EXPECT("DAMAGED", CHANGE(f->store, 1, sequence, 0, NOT_LAST, "+g/4=four@s"));
    }
    struct error error = {0};
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, ++sequence, "+g/1=one@s"));
    EXPECT("1", REDIS(f, "DEL", "belfry:{3}:snapshot"));
    assert_false(store_redis_check_whole(f->store, 8, &error));
    EXPECT("1", REDIS(f, "DEL", "belfry:{3}:jobs"));
    error_clear(&error);
    assert_true(store_redis_check_whole(f->store, 8, &error)); /* as one never written */
}

static void test_newer_layout_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct store_meta wanted = {STATE_LAYOUT, 8, "k"};
    struct store_meta found;
    struct error error = {0};
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    EXPECT("0", REDIS(f, "HSET", "belfry:{3}:snapshot", "layout", "3"));
    EXPECT("fatal", CHANGE(f->store, 1, 5, 0, 6, "+g/2=two"));
    EXPECT("fatal", REWRITE(f->store, 9, 0, 6, "+g/2=two"));
    assert_non_null(strstr(dump_store(f->store), "error fatal: Redis holds layout 3"));
    EXPECT("1", REDIS(f, "HSET", "belfry:meta", "layout", "3"));
    assert_false(f->store->operations->claim_meta(f->store, &wanted, &found, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
    EXPECT("1", REDIS(f, "HLEN", "belfry:meta"));
}

static void test_strange_keys(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    EXPECT("0", REDIS(f, "HSET", "belfry:{3}:snapshot", "control_offset", "12x"));
    assert_non_null(strstr(dump_store(f->store), "error invalid: Redis snapshot: control_offset"));
    EXPECT("1", REDIS(f, "HDEL", "belfry:{3}:snapshot", "owner"));
    EXPECT("0", REDIS(f, "HSET", "belfry:{3}:snapshot", "epoch", "?"));
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 6, "+g/1=mended"));
    EXPECT("seq=6 g/1=mended", dump_store(f->store));
    EXPECT("OK", REDIS(f, "SET", "belfry:{3}:snapshot", "text"));
    EXPECT("fatal", CHANGE(f->store, 1, 6, 0, 7, "+g/2=two"));
}

static void test_the_keys_are_as_documented(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, NOT_LAST, "+g/1=one@s s4=ids"));
    EXPECT("WRITTEN", REWRITE(f->store, 1, 1, 5, "+g/2=two"));
    EXPECT("g/1 one g/2 two ", REDIS(f, "HGETALL", "belfry:{3}:jobs"));
    EXPECT("4 ids ", REDIS(f, "HGETALL", "belfry:{3}:seen"));
    EXPECT("g/1 g/2 ", REDIS(f, "ZRANGE", "belfry:{3}:groups", "0", "-1"));
    EXPECT("s/g/1 ", REDIS(f, "ZRANGE", "belfry:{3}:super_groups", "0", "-1"));
    EXPECT("g/1 s ", REDIS(f, "HGETALL", "belfry:{3}:super_group_of"));
    EXPECT("2026-11-21T20:57:54.128Z 1969-12-31T23:59:59.999Z 5 9223372036854775807 ",
           REDIS(f, "HMGET", "belfry:{3}:snapshot", "watermark", "written_at", "sequence",
                 "watermark_ordinal"));
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, NOT_LAST, "+g/9=left@s s9=left"));
    EXPECT("5", REDIS(f, "EXISTS", "belfry:{3}:jobs:new", "belfry:{3}:seen:new",
                      "belfry:{3}:groups:new", "belfry:{3}:super_groups:new",
                      "belfry:{3}:super_group_of:new"));
    EXPECT("WRITTEN", CHANGE(f->store, 1, 5, 0, 6, ""));
    EXPECT("7", REDIS(f, "DBSIZE"));
    EXPECT("WRITTEN", CHANGE(f->store, 1, 6, 0, 7, "-g/1"));
    EXPECT("g/2 ", REDIS(f, "ZRANGE", "belfry:{3}:groups", "0", "-1"));
    EXPECT("5", REDIS(f, "DBSIZE")); /* without super_groups and super_group_of */
}

/* The record of the writer is no part of what people back up or copy. */
static void test_guard_without_the_writer_record(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 4, 0, 5, "+g/1=one"));
    EXPECT("1", REDIS(f, "DEL", "belfry:{3}:writer"));
    EXPECT("STALE", CHANGE(f->store, 3, 5, 0, 6, "+g/1=x"));
    EXPECT("WRITTEN", CHANGE(f->store, 4, 5, 0, 6, "+g/1=two"));
}

static void collect_warning(void *opaque, const char *warning)
{
    char *warnings = opaque;
    size_t length = strlen(warnings);
    (void)snprintf(warnings + length, 2048 - length, "%s\n", warning);
}

static void test_settings_are_checked(void **state)
{
    struct fixture *f = *state;
    char warnings[2048] = "";
    struct error error = {0};
    assert_true(store_redis_check(f->store, collect_warning, warnings, &error));
    assert_string_equal(warnings, "");
    EXPECT("OK", REDIS(f, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru"));
    EXPECT("OK", REDIS(f, "CONFIG", "SET", "appendonly", "no"));
    assert_true(store_redis_check(f->store, collect_warning, warnings, &error));
    assert_non_null(strstr(warnings, "maxmemory-policy is allkeys-lru"));
    assert_non_null(strstr(warnings, "appendonly yes"));
    EXPECT("1", REDIS(f, "HSET", "belfry:meta", "layout", "3"));
    assert_false(store_redis_check(f->store, collect_warning, warnings, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
}

static bool check_shard(void *opaque, int32_t shard, bool found, const struct snapshot *snapshot,
                        struct error *error)
{
    (void)error;
    assert_int_equal(found, shard == 3);
    if (found) assert_int_equal(snapshot->mark.sequence, 5);
    return ++*(int *)opaque <= 8;
}

static void test_queries(void **state)
{
    struct fixture *f = *state;
    const struct store_meta meta = {STATE_LAYOUT, 8, "k"};
    struct store_meta found_meta;
    struct error error = {0};
    char *text = NULL;
    size_t bytes = 0;
    int shards = 0;
    bool found = true;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    assert_true(store_redis_get_job(f->store, 3, "g/1", 3, &text, &bytes, &error));
    EXPECT("one", text);
    free(text);
    assert_true(store_redis_get_job(f->store, 3, "g/2", 3, &text, &bytes, &error));
    assert_null(text);
    assert_true(store_redis_read_snapshots(f->store, 8, check_shard, &shards, &error));
    assert_int_equal(shards, 8);
    assert_true(store_redis_read_meta(f->store, &found_meta, &found, &error));
    assert_false(found);
    assert_true(f->store->operations->claim_meta(f->store, &meta, &found_meta, &error));
    assert_true(store_redis_read_meta(f->store, &found_meta, &found, &error));
    assert_true(found);
    assert_int_equal(found_meta.shards, 8);
}

static void test_login_and_database(void **state)
{
    struct fixture *f = *state;
    char url[160];
    const char *place = redis_process_tcp_url(f->process) + strlen("redis://");
    EXPECT("OK", REDIS(f, "ACL", "SETUSER", "bob", "on", ">p@ss:1", "~belfry:*", "+@all",
                       "-script|load"));
    (void)snprintf(url, sizeof url, "redis://bob:p%%40ss%%3A1@%s/2", place);
    struct store *store = connect_redis(url);
    EXPECT("WRITTEN", REWRITE(store, 1, 0, 5, "+g/1=one"));
    EXPECT("seq=5 g/1=one", dump_store(store));
    EXPECT("none", dump_store(f->store));
    store->operations->destroy(store);
    (void)snprintf(url, sizeof url, "redis://bob:wrong@%s/2", place);
    store = connect_redis(url);
    const char *answer = dump_store(store);
    assert_non_null(strstr(answer, "WRONGPASS"));
    assert_null(strstr(answer, ":wrong@"));
    store->operations->destroy(store);
}

/* ---- what daemons say of their shards ---- */

static struct shard_report make_report(int32_t shard, const char *owner)
{
    struct shard_report report;
    shard_report_init(&report, shard);
    (void)snprintf(report.owner, sizeof report.owner, "%s", owner);
    (void)snprintf(report.state, sizeof report.state, "live");
    (void)snprintf(report.version, sizeof report.version, "0.1.0");
    report.still_ms = 7;
    report.clock_ahead_ms = -12;
    report.figures.jobs = 1000000;
    report.figures.owed = 0;
    return report;
}

static void read_reports(struct fixture *f, struct shard_report reports[2])
{
    struct error error = {0};
    assert_true(store_redis_read_health(f->store, 2, reports, &error));
}

static void test_health_is_told_and_read(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    struct shard_report told = make_report(1, "host-1");
    struct shard_report read[2];
    assert_true(store_redis_put_health(f->store, &told, 1, &error));
    read_reports(f, read);
    EXPECT("", read[0].owner); /* nobody has said anything of it */
    assert_int_equal(read[0].figures.jobs, FIGURE_UNKNOWN);
    EXPECT("host-1", read[1].owner);
    EXPECT("live", read[1].state);
    EXPECT("0.1.0", read[1].version);
    assert_int_equal(read[1].still_ms, 7);
    assert_int_equal(read[1].clock_ahead_ms, -12);
    assert_int_equal(read[1].figures.jobs, 1000000);
    assert_int_equal(read[1].figures.owed, 0);
    assert_int_equal(read[1].figures.failing, FIGURE_UNKNOWN);
    assert_true(read[1].age_ms < SHARD_HEALTH_FRESH_MS);
    EXPECT("1", REDIS(f, "PEXPIRE", "belfry:{1}:health", "18000"));
    read_reports(f, read);
    assert_true(read[1].age_ms >= 12000); /* nobody has said it again since */
}

/* What the daemon of before told, in the fields that an older one does not know, is not its own. */
static void test_health_of_an_older_daemon(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    struct shard_report told = make_report(0, "host-1");
    struct shard_report read[2];
    assert_true(store_redis_put_health(f->store, &told, 1, &error));
    REDIS(f, "HSET", "belfry:{0}:health", "owner", "host-2", "state", "starting", "still_ms", "9",
          "clock_ahead_ms", "4");
    read_reports(f, read);
    EXPECT("host-2", read[0].owner);
    EXPECT("starting", read[0].state);
    EXPECT("", read[0].version);
    assert_int_equal(read[0].still_ms, 9);
    assert_int_equal(read[0].clock_ahead_ms, 4);
    assert_int_equal(read[0].figures.jobs, FIGURE_UNKNOWN);
}

static void test_health_is_dropped_by_its_owner_only(void **state)
{
    struct fixture *f = *state;
    struct error error = {0};
    struct shard_report told = make_report(0, "host-1");
    struct shard_report read[2];
    assert_true(store_redis_put_health(f->store, &told, 1, &error));
    assert_true(store_redis_drop_health(f->store, 0, "host-2", &error));
    read_reports(f, read);
    EXPECT("host-1", read[0].owner);
    assert_true(store_redis_drop_health(f->store, 0, "host-1", &error));
    read_reports(f, read);
    EXPECT("", read[0].owner);
}

/* ---- rights ---- */

static struct redis_rights try_as(struct fixture *f, const char *user)
{
    char url[160];
    struct redis_rights rights;
    struct error error = {0};
    const char *place = redis_process_tcp_url(f->process) + strlen("redis://");
    (void)snprintf(url, sizeof url, "redis://%s:pw@%s", user, place);
    struct store *store = connect_redis(url);
    assert_true(store_redis_try_rights(store, &rights, &error));
    store->operations->destroy(store);
    return rights;
}

/* Each command of a daemon that the user may not is named, and none is carried out. */
static void test_rights_are_tried(void **state)
{
    struct fixture *f = *state;
    EXPECT("WRITTEN", REWRITE(f->store, 1, 0, 5, "+g/1=one"));
    EXPECT("OK", REDIS(f, "ACL", "SETUSER", "all", "on", ">pw", "~belfry:*", "+@all"));
    EXPECT("OK", REDIS(f, "ACL", "SETUSER", "reader", "on", ">pw", "~belfry:*", "+@read",
                       "+multi", "+discard", "+hset"));
    EXPECT("OK", REDIS(f, "ACL", "SETUSER", "keys", "on", ">pw", "~other:*", "+@all"));
    EXPECT("OK", REDIS(f, "ACL", "SETUSER", "plain", "on", ">pw", "~belfry:*", "+@read"));
    struct redis_rights rights = try_as(f, "all");
    assert_true(rights.tried && rights.count > 15);
    EXPECT("", rights.refused);
    rights = try_as(f, "reader");
    EXPECT("HSETNX, HDEL, RENAME, DEL, UNLINK, PEXPIRE, ZADD, ZREM, EVAL, EVALSHA", rights.refused);
    rights = try_as(f, "keys");
    assert_non_null(strstr(rights.refused, "HGET, "));
    assert_false(try_as(f, "plain").tried);
    EXPECT("seq=5 g/1=one", dump_store(f->store));
    EXPECT("", REDIS(f, "HGET", "belfry:{0}:jobs", "f"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_killed_and_restarted_empty), TEST(test_restarted_with_its_file),
        TEST(test_absent_at_the_start), TEST(test_frozen),
        TEST(test_server_closes_the_connection), TEST(test_scripts_forgotten),
        TEST(test_parts_in_one_go), TEST(test_full_memory_is_a_retry),
        TEST(test_older_layout_is_read), TEST(test_lost_keys),
        TEST(test_newer_layout_is_refused),
        TEST(test_strange_keys),
        TEST(test_the_keys_are_as_documented), TEST(test_guard_without_the_writer_record),
        TEST(test_settings_are_checked),
        TEST(test_queries), TEST(test_login_and_database),
        TEST(test_health_is_told_and_read), TEST(test_health_of_an_older_daemon),
        TEST(test_health_is_dropped_by_its_owner_only), TEST(test_rights_are_tried),
    };
    return cmocka_run_group_tests_name("redis store", tests, NULL, NULL);
}
