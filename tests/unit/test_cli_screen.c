/* What belfry status, top and --watch show: text in, lines of a terminal out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/operate/cluster_view.h"
#include "cli/operate/top_screen.h"
#include "cli/operate/version_faults.h"
#include "cli/show/print_text.h"
#include "cli/show/screen_text.h"

#define NOW_MS INT64_C(1796028132124)

/* ---- a screen ---- */

static char *drawn(const char *text, size_t columns, size_t rows)
{
    struct text_writer out = {0};
    screen_draw(&out, text_of(text), columns, rows);
    return text_writer_terminated(&out);
}

static void check_drawn(const char *text, size_t columns, size_t rows, const char *wanted)
{
    char *screen = drawn(text, columns, rows);
    assert_string_equal(screen, wanted);
    free(screen);
}

static void lines_are_cut_and_what_was_there_is_wiped(void **state)
{
    (void)state;
    check_drawn("abcdef\ngh\n", 4, 3, "\x1b[Habcd\x1b[K\r\ngh\x1b[K\r\n\x1b[J");
    check_drawn("ab\ncd", 4, 2, "\x1b[Hab\x1b[K\r\ncd\x1b[K\x1b[J"); /* no line end at the bottom */
    check_drawn("", 4, 2, "\x1b[H\x1b[J");
    /* Wide characters take two columns, combining ones none. */
    check_drawn("\xe6\x97\xa5\xe6\x9c\xac", 3, 2, "\x1b[H\xe6\x97\xa5\x1b[K\r\n\x1b[J");
}

static void colours_take_no_room_and_end_with_their_line(void **state)
{
    (void)state;
    check_drawn("\x1b[1mabcd\x1b[0mefgh", 6, 2,
                "\x1b[H\x1b[1mabcd\x1b[0mef\x1b[0m\x1b[K\r\n\x1b[J");
    check_drawn("\x1b[31mabcdefgh\x1b[0m", 3, 2, "\x1b[H\x1b[31mabc\x1b[0m\x1b[K\r\n\x1b[J");
}

static void what_does_not_fit_is_counted(void **state)
{
    (void)state;
    check_drawn("a\nb\nc\nd\n", 20, 3, "\x1b[Ha\x1b[K\r\nb\x1b[K\r\n... 2 more lines\x1b[K\x1b[J");
    assert_int_equal(screen_lines(text_of("a\nb\n\nc")), 4);
    assert_int_equal(screen_lines(text_of("")), 0);
}

/* ---- a cluster ---- */

enum { SHARDS = 40 };

struct cluster {
    struct shard_report reports[SHARDS];
    struct cluster_look look;
    struct cluster_view view;
};

/* `shards` shards that are well, of two daemons. */
static void begin(struct cluster *cluster, int32_t shards)
{
    *cluster = (struct cluster){0};
    for (int32_t shard = 0; shard < shards; shard++) {
        struct shard_report *report = &cluster->reports[shard];
        shard_report_init(report, shard);
        (void)snprintf(report->owner, sizeof report->owner, "host-%d", (int)(shard % 2));
        (void)snprintf(report->state, sizeof report->state, "live");
        (void)snprintf(report->version, sizeof report->version, "0.1.0");
        report->figures.jobs = 100;
        report->figures.paused = 10;
        report->figures.finished = 5;
        report->figures.failing = 0;
        report->figures.owed = 0;
        report->figures.owing = 0;
        report->figures.due_in_an_hour = 7;
        report->figures.window_ms = 2000;
        report->figures.window_fires = 3 + shard;
        report->figures.live_since_ms = NOW_MS - 100000 + shard;
        report->figures.reported_ms = NOW_MS - 1000 - shard;
    }
    cluster->look = (struct cluster_look){.now_ms = NOW_MS, .shards = shards,
                                          .reports = cluster->reports,
                                          .group_members = FIGURE_UNKNOWN};
}

static void make(struct cluster *cluster)
{
    cluster_view_make(&cluster->view, &cluster->look);
}

static const char *fault_at(const struct cluster *cluster, size_t at)
{
    const char *text = json_string_value(json_array_get(cluster->view.faults, at));
    return text == NULL ? "" : text;
}

static void figures_are_added_up(void **state)
{
    struct cluster cluster;
    (void)state;
    begin(&cluster, 4);
    cluster.reports[1].figures.owed = 5;
    cluster.reports[1].figures.owing = 2;
    cluster.reports[1].figures.oldest_due_ms = NOW_MS - 3000;
    cluster.reports[0].figures.open_runs = 3;
    cluster.reports[0].figures.oldest_run_ms = NOW_MS - 70000;
    cluster.reports[3].figures.open_runs = 4;
    cluster.reports[3].figures.oldest_run_ms = NOW_MS - 60000;
    cluster.reports[2].figures.owed = 6;
    cluster.reports[2].figures.oldest_due_ms = NOW_MS - 4000;
    make(&cluster);
    const struct cluster_view *view = &cluster.view;
    assert_true(cluster_view_well(view)); /* owed for less than a minute */
    assert_int_equal(view->daemon_count, 2);
    assert_int_equal(view->live, 4);
    assert_int_equal(view->telling, 4);
    assert_int_equal(view->sum.jobs, 400);
    assert_int_equal(view->sum.owed, 11);
    assert_int_equal(view->sum.open_runs, 7);
    assert_int_equal(view->sum.oldest_run_ms, NOW_MS - 70000);
    assert_int_equal(view->sum.oldest_due_ms, NOW_MS - 4000);
    assert_int_equal(view->sum.due_in_an_hour, 28);
    assert_int_equal(view->sum.reported_ms, NOW_MS - 1003);
    assert_int_equal(view->sum.commands, FIGURE_UNKNOWN); /* nobody told it */
    assert_int_equal(view->taken_last, 3);
    assert_int_equal((int)figures_rate(&view->sum, view->sum.window_fires), 9); /* 18 in 2 s */
    assert_true(figures_rate(&view->sum, view->sum.window_commands) < 0);
    assert_string_equal(view->daemons[0].owner, "host-0");
    assert_int_equal(view->daemons[0].shards, 2);
    json_t *object = cluster_view_json(view);
    const json_t *jobs = json_object_get(object, "jobs");
    assert_int_equal(json_integer_value(json_object_get(jobs, "active")), 400 - 40 - 20);
    assert_true(json_is_null(json_object_get(object, "commands_per_second")));
    json_decref(object);
    cluster_view_free(&cluster.view);
}

static void what_is_not_well_is_said(void **state)
{
    struct cluster cluster;
    (void)state;
    begin(&cluster, 4);
    cluster.reports[0].age_ms = SHARD_HEALTH_FRESH_MS;
    cluster.reports[1].still_ms = 34000;
    (void)snprintf(cluster.reports[2].state, sizeof cluster.reports[2].state, "starting");
    cluster.reports[3].figures.failing = 2;
    cluster.reports[3].figures.zoneless = 1;
    cluster.reports[3].figures.owing = 2;
    cluster.reports[3].figures.oldest_due_ms = NOW_MS - 90000;
    cluster.look.kafka_fault = "Kafka cannot be reached";
    cluster.look.shards_not_whole = 1;
    make(&cluster);
    static const char *const wanted[] = {
        "Kafka cannot be reached", "nobody says anything of shard 0:",
        "shard 1 of host-1 has not moved for 34 s (live)", "not live yet: shard 2",
        "Redis has lost a part of 1 shard;", "failing: 2 jobs,",
        "set aside: 1 job,", "slots of 2 jobs are overdue, the oldest for 1m30s"};
    enum { WANTED = sizeof wanted / sizeof wanted[0] };
    assert_int_equal(json_array_size(cluster.view.faults), WANTED);
    for (size_t i = 0; i < WANTED; i++)
        if (strncmp(fault_at(&cluster, i), wanted[i], strlen(wanted[i])) != 0)
            fail_msg("\"%s\" is said in place of \"%s\"", fault_at(&cluster, i), wanted[i]);
    cluster_view_free(&cluster.view);
}

static void without_daemons_that_alone_is_said(void **state)
{
    struct cluster cluster;
    (void)state;
    begin(&cluster, 3);
    for (int i = 0; i < 3; i++) shard_report_init(&cluster.reports[i], i);
    make(&cluster);
    assert_int_equal(json_array_size(cluster.view.faults), 1);
    assert_non_null(strstr(fault_at(&cluster, 0), "no daemon has said anything for 10 s"));
    assert_int_equal(cluster.view.sum.jobs, FIGURE_UNKNOWN);
    cluster_view_free(&cluster.view);
}

/* ---- top ---- */

static char *top_of(struct cluster *cluster, size_t columns, size_t rows)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    struct top_size size = {columns, rows, false};
    make(cluster);
    top_screen(stream, &cluster->view, "belfry", &size);
    assert_int_equal(fclose(stream), 0);
    cluster_view_free(&cluster->view);
    return text;
}

static void check_fits(const char *text, size_t columns, size_t rows)
{
    size_t lines = screen_lines(text_of(text));
    if (lines > rows) fail_msg("%zu lines:\n%s", lines, text);
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (text_columns(line, length) > columns)
            fail_msg("%zu columns: %.*s", text_columns(line, length), (int)length, line);
        line += length + (line[length] == '\n');
    }
}

/* Whatever a cluster has, it is no more than the terminal has. */
static void top_fits_every_terminal(void **state)
{
    static const size_t sizes[][2] = {{80, 24}, {80, 12}, {40, 24}, {40, 8}, {200, 60}, {80, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int32_t shards = 1; shards <= SHARDS; shards++) {
            struct cluster cluster;
            begin(&cluster, shards);
            for (int32_t shard = 0; shard < shards; shard++)
                (void)snprintf(cluster.reports[shard].owner, OWNER_BYTES_MAX,
                               "a-host-of-a-very-long-name-%d.example.org-4711-01d509b5",
                               (int)(shard % 9));
            cluster.reports[0].figures.failing = 123456789;
            cluster.reports[0].still_ms = 99999999;
            if (shards > 1) cluster.reports[1].owner[0] = '\0';
            cluster.look.kafka_fault = "a fault of Kafka that is told with a great many words, so "
                                       "that no terminal has a line for it";
            char *text = top_of(&cluster, sizes[i][0], sizes[i][1]);
            check_fits(text, sizes[i][0], sizes[i][1]);
            free(text);
        }
    }
}

static void top_shows_first_what_is_not_well(void **state)
{
    struct cluster cluster;
    (void)state;
    begin(&cluster, SHARDS);
    cluster.reports[17].still_ms = 12000;
    cluster.reports[31].figures.owed = 5000;
    cluster.reports[31].figures.oldest_due_ms = NOW_MS - 7000;
    cluster.reports[5].figures.open_runs = 1234;
    cluster.reports[5].figures.oldest_run_ms = NOW_MS - 9000;
    char *text = top_of(&cluster, 80, 24);
    check_fits(text, 80, 24);
    const char *stuck = strstr(text, "\n   17  stuck");
    const char *owing = strstr(text, "\n   31  live");
    const char *busy = strstr(text, "\n   39  live"); /* most fires */
    assert_non_null(stuck);
    assert_non_null(owing);
    assert_non_null(busy);
    assert_true(stuck < owing && owing < busy);
    assert_non_null(strstr(text, "5,000 slots in the lane"));
    assert_non_null(strstr(text, "7s ago"));
    assert_non_null(strstr(text, "1,234 open, the oldest for 9s"));
    assert_non_null(strstr(text, "more shards"));
    assert_non_null(strstr(text, "not well: shard 17 of host-1"));
    free(text);
}

/* ---- words ---- */

static void ages_are_short(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } ages[] = {{-5, "0ms"}, {0, "0ms"}, {999, "999ms"}, {1000, "1s"}, {59999, "59s"},
                {60000, "1m"}, {95000, "1m35s"}, {3600000, "1h"}, {3661000, "1h1m"},
                {90000000, "1d1h"}, {INT64_C(864000000000), "10000d"}};
    (void)state;
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
        char text[FIGURE_BYTES];
        assert_string_equal(age_text(ages[i].ms, text), ages[i].text);
    }
}

static void numbers_and_rates(void **state)
{
    char text[FIGURE_BYTES];
    (void)state;
    assert_string_equal(figure_text(FIGURE_UNKNOWN, text), "-");
    assert_string_equal(figure_text(1204, text), "1,204");
    assert_string_equal(counted_text(1, "job", text), "1 job");
    assert_string_equal(counted_text(1204, "job", text), "1,204 jobs");
    assert_string_equal(counted_text(FIGURE_UNKNOWN, "job", text), "- jobs");
    assert_string_equal(rate_text(-1, text), "-");
    assert_string_equal(rate_text(0.04, text), "0.0");
    assert_string_equal(rate_text(12.34, text), "12.3");
    assert_string_equal(rate_text(420000.4, text), "420,000");
}

/* A list that does not hold all says so. */
static void a_list_of_shards_tells_that_it_is_cut(void **state)
{
    char all[256] = "";
    char cut[40] = "";
    (void)state;
    for (int32_t shard = 0; shard < 40; shard += 4) shard_list_add(all, sizeof all, shard);
    assert_string_equal(all, "0, 4, 8, 12, 16, 20, 24, 28, 32, 36");
    for (int32_t shard = 1000; shard < 1024; shard++) shard_list_add(cut, sizeof cut, shard);
    assert_string_equal(cut, "1000, 1001, 1002, 1003, 1004 ...");
}

static void known_faults_are_found_by_version(void **state)
{
    static const struct {
        const char *of;
        const char *version;
        bool faulty;
    } versions[] = {
        {"librdkafka", "2.0.2", false}, {"librdkafka", "2.1.0", true},
        {"librdkafka", "2.1.1", false}, {"librdkafka", "2.5.0", true},
        {"librdkafka", "2.5.2", true},  {"librdkafka", "2.5.3", false},
        {"librdkafka", "2.10.0-12-g3", true}, {"librdkafka", "2.10.1", false},
        {"librdkafka", "", false},      {"Redis", "2.5.0", false},
        {"Redis", "6.0.3", true},       {"Redis", "6.0.4", false},
        {"Redis", "7.0.15", false},     {"Redis", "60.0.1", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        bool faulty = version_fault_find(versions[i].of, versions[i].version) != NULL;
        if (faulty != versions[i].faulty)
            fail_msg("%s %s", versions[i].of, versions[i].version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut_and_what_was_there_is_wiped),
        cmocka_unit_test(colours_take_no_room_and_end_with_their_line),
        cmocka_unit_test(what_does_not_fit_is_counted),
        cmocka_unit_test(figures_are_added_up),
        cmocka_unit_test(what_is_not_well_is_said),
        cmocka_unit_test(without_daemons_that_alone_is_said),
        cmocka_unit_test(top_fits_every_terminal),
        cmocka_unit_test(top_shows_first_what_is_not_well),
        cmocka_unit_test(ages_are_short),
        cmocka_unit_test(numbers_and_rates),
        cmocka_unit_test(a_list_of_shards_tells_that_it_is_cut),
        cmocka_unit_test(known_faults_are_found_by_version),
    };
    return cmocka_run_group_tests_name("cli_screen", tests, NULL, NULL);
}
