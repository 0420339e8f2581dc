/* The page of metrics: both forms, what is counted, and its size.
 *   --pages DIRECTORY   writes pages for parsers that are not ours */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "dispatcher/engine/tally.h"
#include "dispatcher/metrics/groups.h"
#include "dispatcher/metrics/metrics.h"
#include "dispatcher/metrics/page.h"
#include "lib/base/memory.h"
#include "lib/model/job_record.h"

#define NOW_MS INT64_C(1780000000000)
#define OPEN "application/openmetrics-text; version=1.0.0"
enum { MANY_GROUPS = 10000, PAGE_BYTES_MAX = 300 * 1024, SHARD_BYTES_MAX = 1024 };

static const struct observer nobody = {.lowest = LEVEL_ERROR};

static struct metrics *open_metrics(int32_t shards)
{
    struct metrics_options options = {.shards = shards, .runs_open_max = 200000,
                                      .next = &nobody, .version = "1.2.3",
                                      .kafka_library = "2.0.2"};
    return metrics_create(&options);
}

/* A transaction of the shard with fires of these groups, one each, and the tally as it is. */
static void commit(struct metrics *metrics, int32_t shard, struct tally *tally)
{
    struct observer observer = metrics_observer(metrics);
    struct taken taken = {.tally = tally, .at_ms = NOW_MS, .took_us = 7000};
    observer.committed(observer.opaque, shard, &taken);
}

static void put_fire(struct tally *tally, const char *group, int64_t late_ms)
{
    size_t length = strlen(group);
    tally->dues = memory_grow(tally->dues, &tally->due_capacity, tally->due_count + 1,
                              sizeof *tally->dues);
    tally->names = memory_grow(tally->names, &tally->names_capacity,
                               tally->names_length + length, 1);
    memcpy(tally->names + tally->names_length, group, length);
    tally->dues[tally->due_count++] =
        (struct tally_due){.due_ms = NOW_MS - late_ms, .fires = 1, .group_number = 1,
                           .name_at = (uint32_t)tally->names_length,
                           .name_length = (uint16_t)length};
    tally->names_length += length;
    tally->numbers.fires[FIRE_SCHEDULE]++;
}

static struct metrics_shard live_shard(int32_t shard)
{
    struct metrics_shard live = {
        .shard = shard, .state = METRICS_LIVE, .still_us = 12000,
        .engine = {.state = ENGINE_LIVE, .sequence = 40, .epoch = 3, .jobs = 10, .jobs_paused = 1,
                   .jobs_failing = 2, .jobs_finished = 3, .jobs_owing = 4, .owed_slots = 5000,
                   .owed_drain_ms = 5250, .owed_oldest_ms = NOW_MS - 90500,
                   .next_live_ms = NOW_MS + 5000, .runs_open = 6,
                   .runs_oldest_ms = NOW_MS - 7500, .waiting = {7, 8}, .checkpoint_sequence = 38,
                   .committed_us = 1000000, .clock_ahead_ms = -250, .takeover_ms = 12}};
    return live;
}

static char *page(struct metrics *metrics, const struct metrics_view *view, const char *accept)
{
    struct metrics_page made = metrics_page(metrics, view, accept);
    char *text = memory_copy_text(made.body, made.length);
    free(made.body);
    return text;
}

static void assert_line(const char *page, const char *line)
{
    const char *at = strstr(page, line);
    while (at != NULL && at != page && at[-1] != '\n') at = strstr(at + 1, line);
    if (at == NULL) fail_msg("no line '%s' in\n%s", line, page);
}

/* ---- which form ---- */

struct accept_case {
    const char *accept;
    bool open;
};
static const struct accept_case accept_cases[] = {
    {"", false},
    {"*/*", false},
    {"text/plain", false},
    {"application/openmetrics-text", true},
    {"application/openmetrics-text; version=1.0.0; charset=utf-8", true},
    {"application/openmetrics-text;version=1.0.0;q=0.75,application/openmetrics-text;"
     "version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.25,*/*;q=0.1", true}, /* Prometheus */
    {"text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.1", false},
    {"text/html, application/openmetrics-text;q=0", false},
    {"application/openmetrics-textual", false},
    {"APPLICATION/OpenMetrics-Text", true},
    {";;;,,q=", false},
};

static void the_form_is_what_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accept_cases / sizeof accept_cases[0]; i++)
        if (page_wants_open_metrics(accept_cases[i].accept) != accept_cases[i].open)
            fail_msg("Accept: %s", accept_cases[i].accept);
}

static void labels_are_escaped_and_numbers_are_exact(void **state)
{
    (void)state;
    struct page page = {.open_metrics = true};
    const struct page_label label = {"group", text_of("a\"b\\c\nd\xc3\xa4")};
    page_sample(&page, "m", "_total", &label, 1, -1234500, 1000000);
    page_exemplar(&page, "x@1", 0.25, 1500);
    page_sample(&page, "m", "", NULL, 0, INT64_MAX, 1000);
    page_sample(&page, "m", "", NULL, 0, INT64_MIN, 1);
    page_sample(&page, "m", "", NULL, 0, 1000, 1000);
    page.open_metrics = false;
    page_exemplar(&page, "x@1", 0.25, 1500);
    assert_string_equal(text_writer_terminated(&page.writer),
                        "m_total{group=\"a\\\"b\\\\c\\nd\xc3\xa4\"} -1.2345 # {fire_id=\"x@1\"} "
                        "0.25 1.5\n"
                        "m 9223372036854775.807\nm -9223372036854775808\nm 1\n");
    text_writer_free(&page.writer);
}

/* ---- what is counted ---- */

/* Of what play() has committed and told. */
static const char *const lines[] = {
    "# TYPE belfry_fires counter\n",
    "belfry_fires_total{kind=\"schedule\"} 2\n",
    "belfry_fires_total{kind=\"retry\"} 0\n",
    "belfry_fires_late_total 1 # {fire_id=\"1-0.1.0@5\"} 31.5 1780000000\n",
    "belfry_slots_missed_total{reason=\"window\"} 5 # {fire_id=\"1-0.1.0@6\"} 5 1780000000\n",
    "belfry_slots_missed_total{reason=\"limit\"} 0\n",
    "# UNIT belfry_fire_lateness_seconds seconds\n",
    "belfry_fire_lateness_seconds_bucket{le=\"0.001\"} 1\n",
    "belfry_fire_lateness_seconds_bucket{le=\"0.005\"} 1\n",
    "belfry_fire_lateness_seconds_bucket{le=\"0.01\"} 2\n",
    "belfry_fire_lateness_seconds_bucket{le=\"1.0\"} 2\n",
    "belfry_fire_lateness_seconds_bucket{le=\"+Inf\"} 2\n",
    "belfry_fire_lateness_seconds_count 2\n",
    "belfry_fire_lateness_seconds_sum 0.007\n",
    "belfry_group_lateness_seconds_count{group=\"mails\"} 2\n",
    "belfry_group_lateness_seconds_count{group=\"other\"} 0\n",
    "belfry_commands_total{operation=\"add\",outcome=\"applied\"} 2\n",
    "belfry_commands_total{operation=\"unreadable\",outcome=\"rejected\"} 0\n",
    "belfry_runs_opened_total 5\n",
    "belfry_runs_ended_total{outcome=\"success\"} 2\n",
    "belfry_runs_ended_total{outcome=\"poison\"} 1\n",
    "belfry_run_duration_seconds_bucket{le=\"15.0\"} 0\n",
    "belfry_run_duration_seconds_bucket{le=\"60.0\"} 3\n",
    "belfry_run_duration_seconds_bucket{le=\"+Inf\"} 3\n",
    "belfry_run_duration_seconds_sum 90.5\n",
    "belfry_run_retries_total 4\n",
    "belfry_run_tries_ended_total{outcome=\"lost\"} 3\n",
    "belfry_run_tries_released_total 7\n",
    "belfry_run_claim_delay_seconds_bucket{le=\"0.01\"} 8\n",
    "belfry_run_claim_delay_seconds_bucket{le=\"86400.0\"} 8\n",
    "belfry_run_claim_delay_seconds_count 9\n",
    "belfry_run_claim_delay_seconds_sum 100000\n",
    "belfry_run_reports_total 20\n",
    "belfry_run_reports_closed_total 11\n",
    "belfry_run_reports_foreign_total 12\n",
    "belfry_run_reports_unknown_total 13\n",
    "belfry_run_letters_left_out_total 14\n",
    "belfry_run_questions_total 15\n",
    "belfry_run_ticks_total 16\n",
    "belfry_runs_open_max 200000\n",
    "belfry_shard_runs_open{shard=\"2\"} 6\n",
    "belfry_shard_oldest_run_seconds{shard=\"2\"} 7.5\n",
    "belfry_transactions_total{outcome=\"committed\"} 1\n",
    "belfry_transactions_total{outcome=\"unknown\"} 1\n",
    "belfry_transactions_total{outcome=\"failed\"} 1\n",
    "belfry_transactions_settled_total{outcome=\"repeat\"} 1\n",
    "belfry_commit_duration_seconds_count 1\n",
    "belfry_takeover_duration_seconds_sum 0.04\n",
    "belfry_log_events_total{event=\"commit.failed\"} 2\n",
    "belfry_log_lines_dropped_total 9\n",
    "belfry_ready 1\n",
    "belfry_shards{state=\"live\"} 1\n",
    "belfry_shards{state=\"failed\"} 0\n",
    "belfry_shards_configured 4\n",
    "belfry_kafka_silence_seconds 3\n",
    "belfry_redis_ready 1\n",
    "belfry_jobs{state=\"active\"} 4\n",
    "belfry_jobs{state=\"finished\"} 3\n",
    "belfry_jobs_owing 4\n",
    "belfry_shard_live{shard=\"2\"} 1\n",
    "belfry_shard_commit_age_seconds{shard=\"2\"} 3\n",
    "belfry_shard_still_seconds{shard=\"2\"} 0.012\n",
    "belfry_shard_owed_slots{shard=\"2\"} 5000\n",
    "belfry_shard_owed_drain_seconds{shard=\"2\"} 5.25\n",
    "belfry_shard_oldest_due_seconds{shard=\"2\"} 90.5\n",
    "belfry_shard_checkpoint_lag{shard=\"2\"} 2\n",
    "belfry_shard_commands_waiting{shard=\"2\",input=\"control\"} 7\n",
    "belfry_shard_commands_waiting{shard=\"2\",input=\"forward\"} 8\n",
    "belfry_shard_clock_ahead_seconds{shard=\"2\"} -0.25\n",
    "belfry_build_info{version=\"1.2.3\",librdkafka=\"2.0.2\"} 1\n",
    "belfry_tzdata_info{version=\"2026a\"} 1\n",
    "# TYPE belfry_build info\n",
    "# EOF\n"};

static void play(struct metrics *metrics)
{
    struct observer observer = metrics_observer(metrics);
    struct tally *tally = tally_create(30000);
    put_fire(tally, "mails", 7);
    put_fire(tally, "mails", -3); /* our clock is behind the broker's */
    tally->numbers.missed[REASON_WINDOW] = 5;
    tally->numbers.late = 1;
    tally->numbers.results[OP_ADD][OUTCOME_APPLIED] = 2;
    tally->late_example = (struct tally_example){.id = "1-0.1.0@5", .value = 31.5};
    tally->missed_example = (struct tally_example){.id = "1-0.1.0@6", .value = 5,
                                                   .reason = REASON_WINDOW};
    tally->runs = (struct runs_numbers){
        .opened = 5, .retries = 4, .ended = {[RUN_SUCCESS] = 2, [RUN_POISON] = 1},
        .tries_ended = {[RUN_LOST] = 3}, .released = 7, .reports = 20, .closed_reports = 11,
        .foreign_reports = 12, .unknown_reports = 13, .letters_left_out = 14, .questions = 15,
        .ticks = 16, .claimed_after = {8, [RUN_SPAN_COUNT - 1] = 1},
        .claimed_after_ms = 100000000, .ended_after = {[7] = 3}, .ended_after_ms = 90500};
    commit(metrics, 2, tally);
    observe(&observer, OBSERVED_COMMIT_FAILED, 2, &(struct observed){.kind = "unknown"});
    observe(&observer, OBSERVED_COMMIT_FAILED, 2, &(struct observed){.kind = "retry"});
    observe(&observer, OBSERVED_COMMIT_SETTLED, 2, &(struct observed){.outcome = "repeat"});
    observe(&observer, OBSERVED_SHARD_TAKEN, 2, &(struct observed){.took_ms = 40});
    observe(&observer, OBSERVED_SHARD_COMMITTED, 2, NULL); /* debug: not counted */
    tally_destroy(tally);
}

static void what_is_committed_and_told_is_on_the_page(void **state)
{
    (void)state;
    struct metrics *metrics = open_metrics(4);
    struct metrics_shard shard = live_shard(2);
    struct metrics_view view = {.ready = true, .redis = true, .shards = &shard, .shard_count = 1,
                                .tz_version = "2026a", .log_dropped = 9, .now_us = 4000000,
                                .now_ms = NOW_MS};
    play(metrics);
    char *text = page(metrics, &view, OPEN);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) assert_line(text, lines[i]);
    assert_null(strstr(text, "shard.committed"));
    free(text);
    text = page(metrics, &view, "");
    assert_line(text, "# TYPE belfry_fires_total counter\n");
    assert_line(text, "# TYPE belfry_build_info gauge\n");
    assert_line(text, "belfry_fires_late_total 1\n"); /* exemplars are OpenMetrics' */
    assert_null(strstr(text, "# UNIT"));
    assert_null(strstr(text, "# EOF"));
    free(text);
    metrics_destroy(metrics);
}

/* A slot that came due while the shard stands still is the oldest one, though nobody owes it. */
static void a_shard_that_stands_still_has_an_oldest_slot(void **state)
{
    (void)state;
    struct metrics *metrics = open_metrics(1);
    struct metrics_shard shard = live_shard(0);
    shard.engine.owed_oldest_ms = INSTANT_NONE;
    struct metrics_view view = {.shards = &shard, .shard_count = 1, .tz_version = "",
                                .now_us = 1, .now_ms = NOW_MS + 4000};
    char *text = page(metrics, &view, "");
    assert_line(text, "belfry_shard_oldest_due_seconds{shard=\"0\"} 0\n");
    free(text);
    view.now_ms = NOW_MS + 8000;
    text = page(metrics, &view, "");
    assert_line(text, "belfry_shard_oldest_due_seconds{shard=\"0\"} 3\n");
    free(text);
    metrics_destroy(metrics);
}

struct heard {
    int told;
    int committed;
};

static void hear(void *opaque, enum observed_kind kind, enum observer_level level, int32_t shard,
                 const struct observed *said)
{
    struct heard *heard = opaque;
    (void)kind, (void)level, (void)shard, (void)said;
    heard->told++;
}

static void hear_commit(void *opaque, int32_t shard, const struct taken *taken)
{
    struct heard *heard = opaque;
    (void)shard, (void)taken;
    heard->committed++;
}

static void who_listened_before_hears_the_same(void **state)
{
    (void)state;
    struct heard heard = {0};
    const struct observer next = {&heard, LEVEL_WARN, hear, hear_commit};
    struct metrics_options options = {.shards = 1, .next = &next, .version = "",
                                      .kafka_library = ""};
    struct metrics *metrics = metrics_create(&options);
    struct observer observer = metrics_observer(metrics);
    struct tally *tally = tally_create(0);
    observe(&observer, OBSERVED_SHARD_LIVE, 0, NULL); /* info: below what the other one hears */
    observe(&observer, OBSERVED_COMMIT_FAILED, 0, NULL);
    commit(metrics, 0, tally);
    assert_int_equal(heard.told, 1);
    assert_int_equal(heard.committed, 1);
    assert_int_equal(observer.lowest, LEVEL_INFO);
    tally_destroy(tally);
    metrics_destroy(metrics);
}

/* ---- its size ---- */

static void commit_many(struct metrics *metrics)
{
    struct tally *tally = tally_create(30000);
    for (int32_t shard = 0; shard < 16; shard++) {
        tally_begin(tally);
        for (int i = 0; i < MANY_GROUPS / 16; i++) {
            char name[24];
            (void)snprintf(name, sizeof name, "group-%05d", shard * (MANY_GROUPS / 16) + i);
            put_fire(tally, name, i);
        }
        commit(metrics, shard, tally);
    }
    tally_destroy(tally);
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void ten_thousand_groups_are_a_small_page(void **state)
{
    (void)state;
    struct metrics *metrics = open_metrics(16);
    struct metrics_shard shards[16];
    for (int32_t i = 0; i < 16; i++) shards[i] = live_shard(i);
    struct metrics_view view = {.ready = true, .shards = shards, .shard_count = 16,
                                .tz_version = "2026a", .now_us = 1, .now_ms = NOW_MS};
    int64_t best_us = INT64_MAX;
    commit_many(metrics);
    for (int round = 0; round < 10; round++) {
        view.now_us += GROUPS_TURN_US; /* each time it is looked who is busy, too */
        int64_t began_us = now_us();
        struct metrics_page made = metrics_page(metrics, &view, "");
        int64_t took_us = now_us() - began_us;
        if (took_us < best_us) best_us = took_us;
        assert_true(made.length > PAGE_BYTES_MAX / 4 && made.length <= PAGE_BYTES_MAX);
        free(made.body);
    }
    struct metrics_page whole = metrics_page(metrics, &view, "");
    view.shard_count = 0;
    struct metrics_page bare = metrics_page(metrics, &view, "");
    assert_true((whole.length - bare.length) / 16 <= SHARD_BYTES_MAX);
    free(whole.body);
    free(bare.body);
    print_message("a page of %d groups: %" PRId64 " us of processor time\n", (int)MANY_GROUPS,
                  best_us);
    metrics_destroy(metrics);
}

/* ---- pages for parsers that are not ours ---- */

static void write_page(struct metrics *metrics, const struct metrics_view *view,
                       const char *folder, const char *name)
{
    static const char *const accepts[] = {OPEN, "text/plain"};
    static const char *const ends[] = {"openmetrics", "text"};
    for (int i = 0; i < 2; i++) {
        char path[512];
        struct metrics_page made = metrics_page(metrics, view, accepts[i]);
        (void)snprintf(path, sizeof path, "%s/%s.%s", folder, name, ends[i]);
        FILE *file = fopen(path, "we");
        if (file == NULL || fwrite(made.body, 1, made.length, file) != made.length ||
            fclose(file) != 0)
            exit(EXIT_FAILURE);
        free(made.body);
    }
}

static int write_pages(const char *folder)
{
    struct metrics *metrics = open_metrics(16);
    struct metrics_shard shards[16];
    for (int32_t i = 0; i < 16; i++) shards[i] = live_shard(i);
    struct metrics_view view = {.tz_version = "", .now_us = 1, .now_ms = NOW_MS};
    write_page(metrics, &view, folder, "before-kafka");
    commit_many(metrics);
    struct tally *tally = tally_create(0);
    tally->numbers.late = 1;
    tally->late_example = (struct tally_example){.id = "1-0.1.0@5", .value = 31.5};
    tally->numbers.failed[REASON_TOO_LARGE] = 1;
    tally->failed_example = (struct tally_example){.id = "1-0.1.0@6", .value = 1,
                                                   .reason = REASON_TOO_LARGE};
    commit(metrics, 3, tally);
    tally_destroy(tally);
    for (int i = 0; i < 16; i++) shards[i].state = (enum metrics_state)(i % METRICS_STATES);
    view = (struct metrics_view){.ready = true, .aside = true, .shards = shards,
                                 .shard_count = 16, .tz_version = "2026\"a\\", .log_dropped = 1,
                                 .now_us = 1000000000, .now_ms = NOW_MS};
    write_page(metrics, &view, folder, "all-states");
    metrics_destroy(metrics);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_what_is_accepted),
        cmocka_unit_test(labels_are_escaped_and_numbers_are_exact),
        cmocka_unit_test(what_is_committed_and_told_is_on_the_page),
        cmocka_unit_test(a_shard_that_stands_still_has_an_oldest_slot),
        cmocka_unit_test(who_listened_before_hears_the_same),
        cmocka_unit_test(ten_thousand_groups_are_a_small_page)};
    if (argc == 3 && strcmp(argv[1], "--pages") == 0) return write_pages(argv[2]);
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
