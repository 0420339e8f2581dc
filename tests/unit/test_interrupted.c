/* A command that takes several transactions, and whose process ends in the middle: gone on with it
 * is applied to the end; where it cannot be gone on with it ends in one transaction as partial,
 * interrupted, with the counts of what was done, and the shard goes on. */
#include "tests/support/memory_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1795290000000)
#define LIFE_MS 5000

enum { JOBS = 50, OUTPUTS = 20 };

static struct cluster_record *send(struct cluster *cluster, const char *json)
{
    struct cluster_log *control = &cluster->logs[TOPIC_CONTROL];
    struct cluster_record *record =
        cluster_append(control, text_of("billing"), text_of(json), cluster->now_ms);
    control->committed = control->count;
    return record;
}

static void send_jobs(struct cluster *cluster)
{
    struct text_writer writer;
    text_writer_init(&writer);
    text_writer_words(&writer, "{\"op\":\"add\",\"jobs\":[");
    for (int i = 0; i < JOBS; i++) {
        char job[100];
        (void)snprintf(job, sizeof job,
                       "%s{\"group\":\"billing\",\"id\":\"j%02d\",\"schedule\":{\"cron\":"
                       "\"0 0 1 1 *\"}}", i == 0 ? "" : ",", i);
        text_writer_words(&writer, job);
    }
    text_writer_words(&writer, "]}");
    text_writer_char(&writer, '\0');
    (void)send(cluster, writer.bytes);
    text_writer_free(&writer);
}

static bool contains(const struct cluster_record *record, const char *words)
{
    size_t length = strlen(words);
    for (size_t i = 0; i + length <= record->value_bytes; i++)
        if (memcmp(record->value + i, words, length) == 0) return true;
    return false;
}

static void live(struct cluster *cluster, const char *owner)
{
    struct error error = {0};
    if (!cluster_live(cluster, owner, LIFE_MS, &error)) fail_msg("%s", error.message);
}

/* 50 jobs, of which the command has changed some when its process ends. */
static struct cluster *half_done(const char *command)
{
    struct cluster *cluster = cluster_create(NOW_MS);
    struct error error = {0};
    send_jobs(cluster);
    live(cluster, "first");
    assert_int_equal(cluster->jobs, JOBS);
    (void)send(cluster, command);
    cluster->outputs_max = OUTPUTS;
    cluster->commits_left = 3; /* the first mark, and two parts */
    assert_false(cluster_live(cluster, "second", LIFE_MS, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
    cluster->commits_left = -1;
    struct mark mark = cluster_last_mark(cluster);
    assert_true(mark.in_command.active);
    assert_int_equal(mark.in_command.offset, 1);
    assert_int_equal(mark.in_command.matched, JOBS);
    assert_in_range(mark.in_command.changed, 20, 45);
    return cluster;
}

/* How many jobs have the words in the last of their records. */
static int64_t count_changed(const struct cluster *cluster, const char *words)
{
    const struct cluster_log *state = &cluster->logs[TOPIC_STATE];
    int64_t count = 0;
    for (int i = 0; i < JOBS; i++) {
        char key[32];
        const struct cluster_record *last = NULL;
        (void)snprintf(key, sizeof key, "job/billing/j%02d", i);
        for (size_t at = 0; at < state->committed; at++)
            if (text_equal(cluster_text(state->records[at].key, state->records[at].key_bytes),
                           text_of(key)))
                last = &state->records[at];
        assert_non_null(last);
        count += contains(last, words);
    }
    return count;
}

static const struct cluster_record *last_result(const struct cluster *cluster)
{
    const struct cluster_log *results = &cluster->logs[TOPIC_RESULTS];
    assert_true(results->committed > 0);
    return &results->records[results->committed - 1];
}

static void check_result(const struct cluster *cluster, const char *id, int64_t changed,
                         const char *outcome)
{
    const struct cluster_record *result = last_result(cluster);
    char words[200];
    (void)snprintf(words, sizeof words, "{\"command_id\":\"%s\"", id);
    assert_true(contains(result, words));
    (void)snprintf(words, sizeof words, "\"matched\":%d,\"changed\":%lld", JOBS,
                   (long long)changed);
    assert_true(contains(result, words));
    assert_true(contains(result, outcome));
    assert_true(contains(result, "\"topic\":\"belfry.control\",\"partition\":0,\"offset\":1}"));
}

/* The next life ends the command with what was done, and reads on behind it. */
static void check_interrupted(struct cluster *cluster, const char *id, const char *why)
{
    int64_t changed = cluster_last_mark(cluster).in_command.changed;
    size_t results = cluster->logs[TOPIC_RESULTS].committed;
    live(cluster, "third");
    assert_int_equal(cluster->logs[TOPIC_RESULTS].committed, results + 1);
    check_result(cluster, id, changed, "\"outcome\":\"partial\",\"code\":\"interrupted\"");
    assert_true(contains(last_result(cluster), why));
    assert_false(cluster_last_mark(cluster).in_command.active);
    assert_int_equal(cluster_last_mark(cluster).inputs[INPUT_CONTROL].offset, 2);
    assert_int_equal(count_changed(cluster, "\"payload\":7"), changed);
    (void)send(cluster, "{\"op\":\"ping\",\"command_id\":\"after\"}");
    live(cluster, "fourth");
    assert_int_equal(cluster->logs[TOPIC_RESULTS].committed, results + 2);
    assert_true(contains(last_result(cluster), "\"command_id\":\"after\""));
    assert_int_equal(cluster->jobs, JOBS);
    cluster_destroy(cluster);
}

static const char update[] = "{\"op\":\"update\",\"command_id\":\"big\",\"select\":{\"groups\":"
                             "[\"billing\"]},\"set\":{\"payload\":7}}";

static void goes_on_where_it_was(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    live(cluster, "third");
    check_result(cluster, "big", JOBS, "\"outcome\":\"applied\"");
    assert_int_equal(count_changed(cluster, "\"payload\":7"), JOBS);
    cluster_destroy(cluster);
}

static void deleted_by_retention(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    cluster->logs[TOPIC_CONTROL].first = 2;
    check_interrupted(cluster, "0/1", "not in the log any more");
}

static void deleted_by_retention_with_others_behind(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    (void)send(cluster, "{\"op\":\"ping\",\"command_id\":\"behind\"}");
    cluster->logs[TOPIC_CONTROL].first = 2;
    live(cluster, "third");
    const struct cluster_log *results = &cluster->logs[TOPIC_RESULTS];
    assert_true(contains(&results->records[results->committed - 2], "\"code\":\"interrupted\""));
    assert_true(contains(last_result(cluster), "\"command_id\":\"behind\""));
    cluster_destroy(cluster);
}

static void not_among_what_a_reader_gets(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    cluster->logs[TOPIC_CONTROL].records[1].gone = true;
    check_interrupted(cluster, "0/1", "not in the log any more");
}

static void replace(struct cluster *cluster, const char *json)
{
    struct cluster_record *record = &cluster->logs[TOPIC_CONTROL].records[1];
    free(record->value);
    record->value = cluster_copy(text_of(json));
    record->value_bytes = strlen(json);
}

static void cannot_be_read(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    replace(cluster, "{");
    check_interrupted(cluster, "0/1", "the rest cannot be");
}

static void has_become_of_another_kind(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    replace(cluster, "{\"op\":\"ping\",\"command_id\":\"other\"}");
    check_interrupted(cluster, "other", "another command stands in its place");
}

static void kafka_does_not_take_it(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    cluster->refused_key = "job/billing/j49";
    check_interrupted(cluster, "big", "Kafka does not take it");
}

/* A mark of another topic, or of none: it is refused, and ends no process by an assertion. */
static void a_mark_that_contradicts_itself(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    struct error error = {0};
    struct mark mark = cluster_last_mark(cluster);
    mark.in_command.offset = 7; /* before it stands the command, which nobody has read */
    mark.sequence++;
    for (int i = 0; i < 6; i++) (void)send(cluster, "{\"op\":\"ping\"}");
    cluster_append_mark(cluster, &mark);
    assert_false(cluster_live(cluster, "third", LIFE_MS, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
    assert_non_null(strstr(error.message, "half done at offset 7 and not read offset 1"));
    cluster_destroy(cluster);
}

/* Brokers that were elected without being in sync: the shard had read what the log has no more. */
static void kafka_lost_it(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    struct error error = {0};
    cluster_forget(&cluster->logs[TOPIC_CONTROL], 1);
    cluster->logs[TOPIC_CONTROL].committed = 1;
    assert_false(cluster_live(cluster, "third", LIFE_MS, &error));
    assert_int_equal(error.kind, ERROR_FATAL);
    assert_non_null(strstr(error.message, "state_lost: topic control ends at 1, the shard had "
                                          "read it to 2"));
    cluster_destroy(cluster);
}

static void its_id_is_remembered(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    cluster->refused_key = "job/billing/j49";
    live(cluster, "third");
    cluster->refused_key = NULL;
    (void)send(cluster, update);
    live(cluster, "fourth");
    assert_true(contains(last_result(cluster), "\"outcome\":\"duplicate\""));
    assert_true(contains(last_result(cluster), "\"first_outcome\":\"partial\""));
    cluster_destroy(cluster);
}

static void redis_has_what_was_done(void **state)
{
    (void)state;
    struct cluster *cluster = half_done(update);
    cluster->logs[TOPIC_CONTROL].records[1].gone = true;
    live(cluster, "third");
    int64_t changed = count_changed(cluster, "\"payload\":7");
    store_image_empty(cluster->image); /* by the log alone the same */
    live(cluster, "fourth");
    assert_int_equal(count_changed(cluster, "\"payload\":7"), changed);
    assert_int_equal(cluster->jobs, JOBS);
    assert_false(cluster_last_mark(cluster).in_command.active);
    cluster_destroy(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_where_it_was),
        cmocka_unit_test(deleted_by_retention),
        cmocka_unit_test(deleted_by_retention_with_others_behind),
        cmocka_unit_test(not_among_what_a_reader_gets),
        cmocka_unit_test(cannot_be_read),
        cmocka_unit_test(has_become_of_another_kind),
        cmocka_unit_test(kafka_does_not_take_it),
        cmocka_unit_test(a_mark_that_contradicts_itself),
        cmocka_unit_test(kafka_lost_it),
        cmocka_unit_test(its_id_is_remembered),
        cmocka_unit_test(redis_has_what_was_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
