/* Reports of workers in an engine: what is read from where on, what acts once, and that the next
 * owner has the same open runs. */
#include "tests/support/memory_cluster.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "schemas/run_json.h"

#define NOW_MS INT64_C(1795290000000)
#define LEASE_MS 10000
#define JOB                                                                                        \
    "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"j\",\"schedule\":{\"cron\":\"0 0 1 1 *\"}," \
    "\"lease\":\"10s\",\"workers\":\"w\",\"retry\":{\"attempts\":3,\"initial\":\"1s\"}}}"
#define TRIGGER "{\"op\":\"trigger\",\"command_id\":\"t%d\",\"select\":{\"groups\":[\"g\"]}}"

/* One worker: it does as it is told with each fire that it sees. */
struct worker {
    const char *first;  /* what it reports of a fire at once, apart by spaces */
    const char *second; /* and of later tries */
    size_t seen;        /* fires */
    bool commits;
    enum broker_topic topic; /* of fires */
    int64_t writes_at_ms;    /* what nobody is to read; 0: never */
    int64_t empties_at_ms;   /* the store, which the next commit shows; 0: never */
    int64_t doubts_at_ms;    /* of the next commit nobody knows what became; 0: never */
};

/* The text behind `name` in a record, up to its quote. */
static void member(const struct cluster_record *record, const char *name, char out[200])
{
    char pattern[64];
    (void)snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *at = strstr(record->value, pattern);
    assert_non_null(at);
    at += strlen(pattern);
    size_t length = strcspn(at, "\"");
    assert_true(length < 200);
    memcpy(out, at, length);
    out[length] = '\0';
}

static void report(struct cluster *cluster, const struct cluster_record *fire, const char *what)
{
    char id[200];
    char number[200];
    char text[1000];
    member(fire, "id", id);
    member(fire, "runnumber", number);
    bool started = strcmp(what, "started") == 0;
    (void)snprintf(text, sizeof text,
                   "{\"run\":\"%s\",\"runnumber\":\"%s\",\"report\":\"%s\",\"token\":\"t%s\","
                   "\"worker\":\"one\",\"workers\":\"w\"%s}", id, number, what, number,
                   started ? ",\"topic\":\"belfry.fires\",\"partition\":0,\"offset\":3" : "");
    cluster_write(cluster, TOPIC_RUNS, "g", text);
}

static void command(struct cluster *cluster, const char *json)
{
    cluster_write(cluster, TOPIC_CONTROL, "g", json);
}

static void trigger(struct cluster *cluster, int number)
{
    char text[200];
    (void)snprintf(text, sizeof text, TRIGGER, number);
    command(cluster, text);
}

static void work(struct cluster *cluster)
{
    struct worker *worker = cluster->opaque;
    const struct cluster_log *fires = &cluster->logs[worker->topic];
    if (worker->writes_at_ms != 0 && cluster->now_ms >= worker->writes_at_ms) {
        worker->writes_at_ms = 0;
        for (int i = 0; i < 7; i++) cluster_write(cluster, TOPIC_RUNS, "g", "nobody reads it");
    }
    if (worker->empties_at_ms != 0 && cluster->now_ms >= worker->empties_at_ms) {
        worker->empties_at_ms = 0;
        store_image_empty(cluster->image);
        trigger(cluster, 2);
    }
    for (; worker->seen < fires->committed; worker->seen++) {
        char words[100];
        const struct cluster_record *fire = &fires->records[worker->seen];
        bool is_first = strstr(fire->value, "\"try\":1,") != NULL;
        (void)snprintf(words, sizeof words, "%s", is_first ? worker->first : worker->second);
        char *rest = NULL;
        for (char *word = strtok_r(words, " ", &rest); word != NULL;
             word = strtok_r(NULL, " ", &rest))
            report(cluster, fire, word);
        if (worker->commits)
            cluster->groups[cluster->group_count++] =
                (struct cluster_group){"w", "belfry.fires", 0, 4};
    }
}

static struct cluster *open_cluster(struct worker *worker, void **state)
{
    struct cluster *cluster = cluster_create(NOW_MS);
    cluster->runs = true;
    cluster->store_empty = *state != NULL; /* to whoever takes over */
    cluster->meanwhile = work;
    cluster->opaque = worker;
    if (worker->topic == 0) worker->topic = TOPIC_FIRES;
    return cluster;
}

static void live(struct cluster *cluster, const char *owner, int64_t for_ms)
{
    struct error error = {0};
    if (!cluster_live(cluster, owner, for_ms, &error)) fail_msg("%s", error.message);
}

/* The newest record of a place. */
static bool is_open(const struct cluster *cluster, const char *key, struct arena *arena,
                    struct run_record *record)
{
    const struct cluster_log *state = &cluster->logs[TOPIC_STATE];
    bool open = false;
    for (size_t i = 0; i < state->committed; i++) {
        const struct cluster_record *found = &state->records[i];
        struct error error = {0};
        if (strcmp(found->key, key) != 0) continue;
        arena_reset(arena);
        assert_true(run_record_decode(cluster_text(found->value, found->value_bytes), arena,
                                      record, &open, &error));
    }
    return open;
}

static bool any_open(const struct cluster *cluster)
{
    struct arena *arena = arena_create();
    struct run_record record;
    bool open = is_open(cluster, "run/0", arena, &record) ||
                is_open(cluster, "run/1", arena, &record);
    arena_destroy(arena);
    return open;
}

static size_t count(const struct cluster *cluster, enum broker_topic topic, const char *part)
{
    const struct cluster_log *log = &cluster->logs[topic];
    size_t found = 0;
    for (size_t i = 0; i < log->committed; i++)
        found += log->records[i].value != NULL && strstr(log->records[i].value, part) != NULL;
    return found;
}

static void a_run_ends_with_its_report(void **state)
{
    struct worker worker = {.first = "started success"};
    struct cluster *cluster = open_cluster(&worker, state);
    for (int i = 0; i < 50; i++) cluster_write(cluster, TOPIC_RUNS, "g", "of before");
    command(cluster, JOB);
    live(cluster, "first", 2000);
    struct mark mark = cluster_last_mark(cluster);
    assert_true(mark.next_run == 0 && mark.inputs[INPUT_RUNS].offset == 0);
    trigger(cluster, 1);
    live(cluster, "second", 2000);
    assert_int_equal(count(cluster, TOPIC_FIRES, "\"leasems\":10000,"), 1);
    assert_false(any_open(cluster));
    mark = cluster_last_mark(cluster);
    assert_int_equal(mark.next_run, 2);
    assert_int_equal(mark.inputs[INPUT_RUNS].offset, 52); /* those of before were passed over */
    assert_int_equal(mark.runs_again, 52);
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 0);
    cluster_destroy(cluster);
}

/* The claim is in no record when the second owner begins; it is read again, and counts. */
static void the_next_owner_has_the_same_runs(void **state)
{
    struct worker worker = {.first = "started"};
    struct cluster *cluster = open_cluster(&worker, state);
    struct arena *arena = arena_create();
    struct run_record record;
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 2000);
    assert_true(is_open(cluster, "run/0", arena, &record));
    assert_int_equal(record.state, RUN_STATE_OPEN);
    struct mark mark = cluster_last_mark(cluster);
    assert_int_equal(mark.runs_again, 0);
    live(cluster, "second", 12000); /* in which the claim is recorded */
    assert_true(is_open(cluster, "run/0", arena, &record));
    assert_int_equal(record.state, RUN_STATE_CLAIMED);
    assert_true(text_equal(record.claim.worker, text_of("one")));
    mark = cluster_last_mark(cluster);
    assert_int_equal(mark.runs_again, mark.inputs[INPUT_RUNS].offset);
    report(cluster, &cluster->logs[TOPIC_FIRES].records[0], "success");
    live(cluster, "third", 1000);
    assert_false(any_open(cluster));
    assert_int_equal(cluster->logs[TOPIC_FIRES].committed, 1);
    arena_destroy(arena);
    cluster_destroy(cluster);
}

/* Its group has committed the fire, so that it will not come to anybody else. */
static void silence_is_lost_and_tried_again(void **state)
{
    struct worker worker = {.first = "started", .second = "started success", .commits = true};
    struct cluster *cluster = open_cluster(&worker, state);
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", LEASE_MS - 1000);
    live(cluster, "second", LEASE_MS - 1000); /* the lease begins anew */
    assert_int_equal(cluster->logs[TOPIC_FIRES].committed, 1);
    live(cluster, "third", LEASE_MS + 6000);
    assert_int_equal(cluster->logs[TOPIC_FIRES].committed, 2);
    assert_int_equal(count(cluster, TOPIC_FIRES, "\"try\":2,"), 1);
    assert_int_equal(count(cluster, TOPIC_RUNS, "\"tick\""), 1);
    assert_false(any_open(cluster));
    cluster_destroy(cluster);
}

/* Redis is written anew while a claim is in no record; the second owner begins with that, the third
 * with the log alone. The worker never says a word again. */
static void redis_knows_no_claim_before_the_log(void **state)
{
    struct worker worker = {
        .first = "started", .second = "started success", .commits = true,
        .empties_at_ms = NOW_MS + 2000};
    struct cluster *cluster = open_cluster(&worker, state);
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 4000);
    assert_int_equal(cluster->logs[TOPIC_FIRES].committed, 2);
    trigger(cluster, 3);
    live(cluster, "second", 2000);
    cluster->store_empty = true;
    live(cluster, "third", LEASE_MS + 6000);
    assert_int_equal(count(cluster, TOPIC_FIRES, "\"try\":2,"), 3);
    assert_false(any_open(cluster));
    cluster_destroy(cluster);
}

static void a_failed_run_is_a_dead_letter(void **state)
{
    struct worker worker = {.first = "started failure", .second = "started failure"};
    struct cluster *cluster = open_cluster(&worker, state);
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 10000);
    assert_int_equal(cluster->logs[TOPIC_FIRES].committed, 3);
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 1);
    assert_int_equal(count(cluster, TOPIC_DEAD, "\"outcome\":\"failure\""), 1);
    assert_int_equal(count(cluster, TOPIC_EVENTS, "\"event\":\"run_failed\""), 1);
    assert_false(any_open(cluster));
    cluster_destroy(cluster);
}

/* Wherever a process ends, the next one makes of it what one alone would have made. */
static void each_commit_may_be_the_last(void **state)
{
    for (int64_t commits = 0; commits < 12; commits++) {
        struct worker worker = {.first = "started failure", .second = "started success success"};
        struct cluster *cluster = open_cluster(&worker, state);
        struct error error = {0};
        command(cluster, JOB);
        trigger(cluster, 1);
        trigger(cluster, 2);
        cluster->commits_left = commits;
        (void)cluster_live(cluster, "first", 8000, &error);
        cluster->commits_left = -1;
        live(cluster, "second", 8000);
        assert_int_equal(cluster->logs[TOPIC_FIRES].committed, 4);
        assert_int_equal(count(cluster, TOPIC_FIRES, "\"try\":2,"), 2);
        assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 0);
        assert_false(any_open(cluster));
        assert_int_equal(cluster_last_mark(cluster).next_run, 5);
        cluster_destroy(cluster);
    }
}

static void what_was_deleted_unread_is_said_once(void **state)
{
    struct worker worker = {.first = "started", .second = "started success", .commits = true};
    struct cluster *cluster = open_cluster(&worker, state);
    struct arena *arena = arena_create();
    struct run_record record;
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 2000);
    for (int i = 0; i < 9; i++) report(cluster, &cluster->logs[TOPIC_FIRES].records[0], "running");
    cluster->logs[TOPIC_RUNS].first = 6;
    live(cluster, "second", 2000);
    live(cluster, "third", 2000);
    assert_int_equal(count(cluster, TOPIC_EVENTS, "\"event\":\"reports_lost\""), 1);
    assert_true(is_open(cluster, "run/0", arena, &record));
    assert_int_equal(record.state, RUN_STATE_CLAIMED);
    live(cluster, "fourth", 20000);
    assert_int_equal(count(cluster, TOPIC_EVENTS, "\"event\":\"reports_lost\""), 1);
    assert_false(any_open(cluster));
    arena_destroy(arena);
    cluster_destroy(cluster);
}

static void delete_unread(struct cluster *cluster)
{
    for (int i = 0; i < 9; i++) report(cluster, &cluster->logs[TOPIC_FIRES].records[0], "running");
    report(cluster, &cluster->logs[TOPIC_FIRES].records[0], "success");
    cluster->logs[TOPIC_RUNS].first = 6;
}

static void doubt(struct cluster *cluster)
{
    struct worker *worker = cluster->opaque;
    work(cluster);
    if (worker->doubts_at_ms == 0 || cluster->now_ms < worker->doubts_at_ms) return;
    worker->doubts_at_ms = 0;
    cluster->in_doubt = delete_unread;
    command(cluster, "{\"op\":\"ping\"}");
}

/* While its owner looks for the last mark, as it does not know what became of a commit. */
static void what_was_deleted_in_doubt_of_a_commit_is_said(void **state)
{
    struct worker worker = {.first = "started", .doubts_at_ms = NOW_MS + 2000};
    struct cluster *cluster = open_cluster(&worker, state);
    cluster->meanwhile = doubt;
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 4000);
    assert_null(cluster->in_doubt);
    assert_int_equal(worker.doubts_at_ms, 0);
    assert_int_equal(count(cluster, TOPIC_EVENTS, "\"event\":\"reports_lost\""), 1);
    assert_false(any_open(cluster));
    cluster_destroy(cluster);
}

/* They neither change anything nor are all copied. */
static void what_cannot_be_read_is_buried_with_measure(void **state)
{
    struct worker worker = {.first = "started"};
    struct cluster *cluster = open_cluster(&worker, state);
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 1000);
    size_t states = cluster->logs[TOPIC_STATE].committed;
    for (int i = 0; i < 3000; i++) {
        cluster_write(cluster, TOPIC_RUNS, "g", i % 2 == 0 ? "{\"tick\":7}" : "[{},7,[]]");
        cluster_write(cluster, TOPIC_RUNS, "g",
                      "{\"run\":\"1795290000000-0.0.0@t:x\",\"runnumber\":\"99\",\"report\":"
                      "\"success\"}");
    }
    live(cluster, "second", 70000); /* a mark says that they are done */
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 100);
    assert_in_range(cluster->logs[TOPIC_STATE].committed, states, states + 20); /* marks */
    report(cluster, &cluster->logs[TOPIC_FIRES].records[0], "success");
    live(cluster, "third", 1000);
    assert_false(any_open(cluster));
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 100);
    cluster_destroy(cluster);
}

/* Behind a claim that is in no record: the mark says that they have acted. */
static void what_is_read_again_is_not_buried_again(void **state)
{
    struct worker worker = {.first = "started"};
    struct cluster *cluster = open_cluster(&worker, state);
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 1000);
    cluster_write(cluster, TOPIC_RUNS, "g", "of no use");
    live(cluster, "second", 1000);
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 1);
    struct mark mark = cluster_last_mark(cluster);
    assert_true(mark.runs_again == 0 && mark.inputs[INPUT_RUNS].offset == 2);
    live(cluster, "third", 1000);
    mark = cluster_last_mark(cluster);
    assert_true(mark.runs_again == 0 && mark.inputs[INPUT_RUNS].offset == 2);
    live(cluster, "fourth", 12000);
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 1);
    assert_int_equal(cluster_last_mark(cluster).runs_again, 2);
    cluster_destroy(cluster);
}

/* A fire that its topic does not take has opened no run; a retry that it does not take is tried
 * again, and is the same run's. */
static void a_fire_that_is_refused_opens_no_run(void **state)
{
    struct worker worker = {.first = "started failure", .second = "started success",
                            .topic = TOPIC_FOREIGN};
    struct cluster *cluster = open_cluster(&worker, state);
    command(cluster, "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"j\",\"schedule\":{\"at\":"
                     "\"2026-11-21T19:40:01Z\"},\"topic\":\"billing.fires\",\"lease\":\"10s\","
                     "\"workers\":\"w\",\"retry\":{\"attempts\":2,\"initial\":\"5s\"}}}");
    cluster->foreign_refused = true;
    live(cluster, "first", 4000);
    assert_int_equal(cluster->logs[TOPIC_FOREIGN].committed, 0);
    assert_false(any_open(cluster));
    cluster->foreign_refused = false;
    live(cluster, "second", 4000);
    assert_int_equal(count(cluster, TOPIC_FOREIGN, "\"try\":1,"), 1);
    assert_true(any_open(cluster)); /* it waits for its retry */
    cluster->foreign_refused = true;
    live(cluster, "third", 9000);
    assert_int_equal(cluster->logs[TOPIC_FOREIGN].committed, 1);
    assert_true(any_open(cluster));
    cluster->foreign_refused = false;
    live(cluster, "fourth", 60000);
    assert_int_equal(count(cluster, TOPIC_FOREIGN, "\"try\":2,"), 1);
    assert_int_equal(cluster->logs[TOPIC_FOREIGN].committed, 2);
    assert_false(any_open(cluster));
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 0);
    cluster_destroy(cluster);
}

/* A shard without one fetches none, and where the last job with a lease is gone it does not any
 * more. */
static void reports_are_read_while_there_is_a_lease(void **state)
{
    struct worker worker = {.first = "started success"};
    struct cluster *cluster = open_cluster(&worker, state);
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 2000);
    live(cluster, "second", 2000);
    assert_true(cluster->reading[TOPIC_RUNS] == false); /* it has ended */
    command(cluster, "{\"op\":\"delete\",\"select\":{\"groups\":[\"g\"]}}");
    worker.writes_at_ms = cluster->now_ms + 1000;
    live(cluster, "third", 2000);
    live(cluster, "fourth", 2000);
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 0);
    command(cluster, JOB);
    trigger(cluster, 2);
    live(cluster, "fifth", 2000);
    assert_int_equal(cluster->logs[TOPIC_DEAD].committed, 0);
    assert_false(any_open(cluster));
    assert_int_equal(cluster_last_mark(cluster).inputs[INPUT_RUNS].offset, 11);
    cluster_destroy(cluster);
}

static void a_topic_made_anew_is_no_place_to_go_on(void **state)
{
    struct worker worker = {.first = "started"};
    struct cluster *cluster = open_cluster(&worker, state);
    struct error error = {0};
    command(cluster, JOB);
    trigger(cluster, 1);
    live(cluster, "first", 12000);
    cluster_forget(&cluster->logs[TOPIC_RUNS], 0);
    cluster->logs[TOPIC_RUNS].committed = 0;
    assert_false(cluster_live(cluster, "second", 2000, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
    if (strstr(error.message, "state_lost: topic runs ends at 0") == NULL)
        fail_msg("%s", error.message);
    cluster->runs = false;
    error_clear(&error);
    assert_false(cluster_live(cluster, "third", 2000, &error));
    cluster_destroy(cluster);
}

/* With what the store has, and with the state log alone. */
#define BOTH(test)                                                                                 \
    cmocka_unit_test(test), cmocka_unit_test_prestate(test, &with_empty_store)

int main(void)
{
    static bool with_empty_store = true;
    const struct CMUnitTest tests[] = {
        BOTH(a_run_ends_with_its_report),
        BOTH(the_next_owner_has_the_same_runs),
        BOTH(silence_is_lost_and_tried_again),
        BOTH(redis_knows_no_claim_before_the_log),
        BOTH(a_failed_run_is_a_dead_letter),
        BOTH(each_commit_may_be_the_last),
        BOTH(what_was_deleted_unread_is_said_once),
        BOTH(what_was_deleted_in_doubt_of_a_commit_is_said),
        BOTH(what_cannot_be_read_is_buried_with_measure),
        BOTH(what_is_read_again_is_not_buried_again),
        BOTH(a_fire_that_is_refused_opens_no_run),
        BOTH(reports_are_read_while_there_is_a_lease),
        BOTH(a_topic_made_anew_is_no_place_to_go_on),
    };
    return cmocka_run_group_tests_name("reports", tests, NULL, NULL);
}
