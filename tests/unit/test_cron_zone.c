/* Schedules in zones: a table of famous nights, and properties on random schedules in real zones.
 * tests/differential compares with other implementations and with a slow oracle. */
#include "lib/time/cron.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"
#include "tests/support/rows.h"
#include "tests/support/walks.h"

struct zone_case {
    const char *name, *zone, *cron;
    bool skip_repeat;
    const char *after, *due; /* the next three, without their Z */
};

static const struct zone_case zone_cases[] = {
{"Berlin, the gap: once at its end", "Europe/Berlin", "30 2 * * *", false, "2026-03-27T12:00:00Z",
     "2026-03-28T01:30:00 2026-03-29T01:00:00 2026-03-30T00:30:00"},
    {"Berlin, the gap: several times are one run",
     "Europe/Berlin", "0,15,30,45 2 * * *", false, "2026-03-28T12:00:00Z",
     "2026-03-29T01:00:00 2026-03-30T00:00:00 2026-03-30T00:15:00"},
    {"Berlin, the gap and the hour behind it",
     "Europe/Berlin", "30 2,3 * * *", false, "2026-03-28T12:00:00Z",
     "2026-03-29T01:00:00 2026-03-29T01:30:00 2026-03-30T00:30:00"},
    {"Berlin, the gap: wildcard", "Europe/Berlin", "*/30 * * * *", false, "2026-03-29T00:00:00Z",
     "2026-03-29T00:30:00 2026-03-29T01:00:00 2026-03-29T01:30:00"},
    {"Berlin, the gap: skipped", "Europe/Berlin", "30 2 * * *", true, "2026-03-27T12:00:00Z",
     "2026-03-28T01:30:00 2026-03-30T00:30:00 2026-03-31T00:30:00"},
    {"Berlin, the overlap: the first pass only",
     "Europe/Berlin", "30 2 * * *", false, "2026-10-24T12:00:00Z",
     "2026-10-25T00:30:00 2026-10-26T01:30:00 2026-10-27T01:30:00"},
    {"Berlin, the overlap: wildcard runs in both",
     "Europe/Berlin", "30 * * * *", false, "2026-10-24T23:45:00Z",
     "2026-10-25T00:30:00 2026-10-25T01:30:00 2026-10-25T02:30:00"},
    {"Berlin, the overlap: repeated", "Europe/Berlin", "30 2 * * *", true, "2026-10-24T12:00:00Z",
     "2026-10-25T00:30:00 2026-10-25T01:30:00 2026-10-26T01:30:00"},
    {"Berlin, the overlap: asked in the second pass",
     "Europe/Berlin", "15,45 2 * * *", false, "2026-10-25T01:00:00Z",
     "2026-10-26T01:15:00 2026-10-26T01:45:00 2026-10-27T01:15:00"},
    {"New York, the gap", "America/New_York", "30 2 * * *", false, "2026-03-07T12:00:00Z",
     "2026-03-08T07:00:00 2026-03-09T06:30:00 2026-03-10T06:30:00"},
    {"New York, the overlap", "America/New_York", "0 1 * * *", false, "2026-10-31T12:00:00Z",
     "2026-11-01T05:00:00 2026-11-02T06:00:00 2026-11-03T06:00:00"},
    {"Apia loses 30 December 2011", "Pacific/Apia", "0 12 * * *", false, "2011-12-29T00:00:00Z",
     "2011-12-29T22:00:00 2011-12-30T10:00:00 2011-12-30T22:00:00"},
    {"Apia, every hour", "Pacific/Apia", "0 * * * *", false, "2011-12-30T08:30:00Z",
     "2011-12-30T09:00:00 2011-12-30T10:00:00 2011-12-30T11:00:00"},
    {"Apia, the 30th skipped", "Pacific/Apia", "0 12 * * *", true, "2011-12-29T00:00:00Z",
     "2011-12-29T22:00:00 2011-12-30T22:00:00 2011-12-31T22:00:00"},
    {"Apia, fridays", "Pacific/Apia", "0 0 * * FRI", false, "2011-12-25T00:00:00Z",
     "2011-12-30T10:00:00 2012-01-05T10:00:00 2012-01-12T10:00:00"},
    {"Kiritimati loses a day of 1994",
     "Pacific/Kiritimati", "30 6 * * *", false, "1994-12-30T00:00:00Z",
     "1994-12-30T16:30:00 1994-12-31T10:00:00 1994-12-31T16:30:00"},
    {"Kiritimati, every hour", "Pacific/Kiritimati", "5 * * * *", false, "1994-12-31T09:00:00Z",
     "1994-12-31T09:05:00 1994-12-31T10:05:00 1994-12-31T11:05:00"},
    {"Kwajalein loses a day of 1993",
     "Pacific/Kwajalein", "0 0 21 8 *", false, "1993-01-01T00:00:00Z",
     "1993-08-21T12:00:00 1994-08-20T12:00:00 1995-08-20T12:00:00"},
    {"Lord Howe, half an hour forward",
     "Australia/Lord_Howe", "15 2 * * *", false, "2026-10-02T12:00:00Z",
     "2026-10-02T15:45:00 2026-10-03T15:30:00 2026-10-04T15:15:00"},
    {"Lord Howe, half an hour back",
     "Australia/Lord_Howe", "45 1 * * *", false, "2026-04-03T12:00:00Z",
     "2026-04-03T14:45:00 2026-04-04T14:45:00 2026-04-05T15:15:00"},
    {"Lord Howe, wildcard back",
     "Australia/Lord_Howe", "*/15 1 * * *", false, "2026-04-04T14:00:00Z",
     "2026-04-04T14:15:00 2026-04-04T14:30:00 2026-04-04T14:45:00"},
    {"Troll, two hours forward", "Antarctica/Troll", "30 1,2 * * *", false, "2026-03-28T12:00:00Z",
     "2026-03-29T01:00:00 2026-03-29T23:30:00 2026-03-30T00:30:00"},
    {"Troll, two hours back", "Antarctica/Troll", "30 1,2 * * *", false, "2026-10-24T12:00:00Z",
     "2026-10-24T23:30:00 2026-10-25T00:30:00 2026-10-26T01:30:00"},
    {"Dublin's winter is the exception",
     "Europe/Dublin", "30 1 * * *", false, "2026-03-28T12:00:00Z",
     "2026-03-29T01:00:00 2026-03-30T00:30:00 2026-03-31T00:30:00"},
    {"Dublin, back", "Europe/Dublin", "30 1 * * *", false, "2026-10-24T12:00:00Z",
     "2026-10-25T00:30:00 2026-10-26T01:30:00 2026-10-27T01:30:00"},
    {"Casablanca, before Ramadan", "Africa/Casablanca", "30 2 * * *", false, "2026-02-13T12:00:00Z",
     "2026-02-14T01:30:00 2026-02-15T01:30:00 2026-02-16T02:30:00"},
    {"Casablanca, after Ramadan", "Africa/Casablanca", "30 2 * * *", false, "2026-03-20T12:00:00Z",
     "2026-03-21T02:30:00 2026-03-22T02:00:00 2026-03-23T01:30:00"},
    {"Cairo begins again in 2023", "Africa/Cairo", "0 0 * * *", false, "2023-04-26T12:00:00Z",
     "2023-04-26T22:00:00 2023-04-27T22:00:00 2023-04-28T21:00:00"},
    {"Cairo, back at midnight", "Africa/Cairo", "30 23 * * *", false, "2023-10-25T12:00:00Z",
     "2023-10-25T20:30:00 2023-10-26T20:30:00 2023-10-27T21:30:00"},
    {"Sao Paulo has no midnight", "America/Sao_Paulo", "0 0 * * *", false, "2018-11-02T12:00:00Z",
     "2018-11-03T03:00:00 2018-11-04T03:00:00 2018-11-05T02:00:00"},
    {"Sao Paulo has two hours before midnight",
     "America/Sao_Paulo", "30 23 * * *", false, "2018-02-16T12:00:00Z",
     "2018-02-17T01:30:00 2018-02-18T01:30:00 2018-02-19T02:30:00"},
    {"Caracas goes back half an hour",
     "America/Caracas", "45 2 * * *", false, "2007-12-08T00:00:00Z",
     "2007-12-08T06:45:00 2007-12-09T06:45:00 2007-12-10T07:15:00"},
    {"Caracas goes forward half an hour",
     "America/Caracas", "45 2 * * *", false, "2016-04-30T00:00:00Z",
     "2016-04-30T07:15:00 2016-05-01T07:00:00 2016-05-02T06:45:00"},
    {"Chatham, a quarter past", "Pacific/Chatham", "0 3 * * *", false, "2026-09-25T12:00:00Z",
     "2026-09-25T14:15:00 2026-09-26T14:00:00 2026-09-27T13:15:00"},
    {"Chatham, back", "Pacific/Chatham", "0 3 * * *", false, "2026-04-03T12:00:00Z",
     "2026-04-03T13:15:00 2026-04-04T13:15:00 2026-04-05T14:15:00"},
    {"Kathmandu moved a quarter of an hour",
     "Asia/Kathmandu", "5 0 * * *", false, "1985-12-30T00:00:00Z",
     "1985-12-30T18:35:00 1985-12-31T18:30:00 1986-01-01T18:20:00"},
    {"Monrovia, seconds", "Africa/Monrovia", "30 0 * * *", false, "1972-01-05T00:00:00Z",
     "1972-01-05T01:14:30 1972-01-06T01:14:30 1972-01-07T00:44:30"},
    {"Pyongyang, half an hour forward",
     "Asia/Pyongyang", "45 23 * * *", false, "2018-05-03T00:00:00Z",
     "2018-05-03T15:15:00 2018-05-04T15:00:00 2018-05-05T14:45:00"},
    {"the rule of the far future", "Europe/Berlin", "30 2 * * *", false, "2098-03-28T12:00:00Z",
     "2098-03-29T01:30:00 2098-03-30T01:00:00 2098-03-31T00:30:00"},
    {"beyond 400 years", "America/New_York", "30 2 * * SUN#2", false, "2499-02-01T12:00:00Z",
     "2499-02-08T07:30:00 2499-03-08T07:00:00 2499-04-12T06:30:00"},
    {"last sunday of march", "Europe/Berlin", "30 2 * 3 0L", false, "2026-01-01T00:00:00Z",
     "2026-03-29T01:00:00 2027-03-28T01:00:00 2028-03-26T01:00:00"},
};
enum { DUE_BYTES = 200 };

static bool parsed(const char *text, const char *zone, enum cron_dst dst,
                   struct cron_reading *reading, struct error *error)
{
    struct cron_options options = {
        .zone = text_of(zone), .dst = dst, .zones = test_zones(), .name = text_of("group/id")};
    return cron_parse(text, strlen(text), &options, reading, error);
}

static void check_nights(void **state)
{
    const struct zone_case *row = *state;
    struct cron_reading reading;
    struct error error = {0};
    char due[DUE_BYTES] = "";
    size_t length = 0;
    int64_t at_ms = 0;
    enum cron_dst dst = row->skip_repeat ? CRON_DST_SKIP_REPEAT : CRON_DST_VIXIE;
    if (!parsed(row->cron, row->zone, dst, &reading, &error)) fail_msg("%s", error.message);
    assert_true(instant_parse(row->after, strlen(row->after), &at_ms, NULL));
    for (int i = 0; i < 3; i++) {
        char text[INSTANT_TEXT_BYTES];
        assert_true(cron_next(&reading.cron, at_ms, &at_ms));
        instant_format(at_ms, text);
        length += (size_t)snprintf(due + length, sizeof due - length, "%s%.19s",
                                   i == 0 ? "" : " ", text);
    }
    assert_string_equal(due, row->due);
}

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t draw(uint64_t below)
{
    return walk_draw(&random_state, below);
}

static const char *const crons[] = {
    "30 2 * * *",      "*/15 * * * *",     "0 0-3 * * *",   "0,30 1,2,3 * * *", "0 0 * * *",
    "0 12 L * *",      "15 3 LW,15W * *",  "0 1 * * 0L",    "45 2 * * SUN#2",   "0 0 13 * FRI",
    "0 0 13 * +FRI",   "*/7 2 * 3,10 *",   "59 23 31 12 *", "H H * * *",        "H/20 * * * *",
    "30 15 2 * * *",   "* 30 1 * * 6,0",   "0 5 29 2 *",    "0 2 L-2 */3 *",    "17 * * * 1-5"};
static const char *const zones[] = {
    "UTC",           "Europe/Berlin",    "America/New_York",    "Australia/Lord_Howe",
    "Pacific/Apia",  "Antarctica/Troll", "Africa/Casablanca",   "Pacific/Kiritimati",
    "Asia/Gaza",     "Africa/Monrovia",  "America/Scoresbysund", "Etc/GMT+12"};

static void draw_cron(struct cron *cron)
{
    struct cron_reading reading;
    enum cron_dst dst = draw(4) == 0 ? CRON_DST_SKIP_REPEAT : CRON_DST_VIXIE;
    assert_true(parsed(crons[draw(sizeof crons / sizeof crons[0])],
                       zones[draw(sizeof zones / sizeof zones[0])], dst, &reading, NULL));
    *cron = reading.cron;
}

/* Counting, the newest, and stepping agree; each step goes forward. */
static void steps_and_counts_agree(void **state)
{
    enum { CASES = 4000, STEPS = 30 };
    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct cron cron;
        int64_t steps[STEPS];
        int count = 0;
        draw_cron(&cron);
        int64_t from_ms = (int64_t)draw(INT64_C(4102444800)) * 1000;
        int64_t at_ms = from_ms;
        while (count < STEPS && cron_next(&cron, at_ms, &steps[count])) {
            assert_true(steps[count] > at_ms);
            at_ms = steps[count++];
        }
        assert_true(count > 0);
        assert_int_equal(cron_count(&cron, from_ms, at_ms), count);
        assert_int_equal(cron_count(&cron, steps[0], at_ms - 1), count < 2 ? 0 : count - 2);
        for (int skip = 0; skip < count; skip++) {
            int64_t newest_ms = 0;
            assert_true(cron_newest(&cron, from_ms, at_ms, (uint64_t)skip, &newest_ms));
            assert_int_equal(newest_ms, steps[count - 1 - skip]);
        }
        int64_t none_ms = 0;
        assert_false(cron_newest(&cron, from_ms, at_ms, (uint64_t)count, &none_ms));
        int64_t between_ms = steps[0] + (steps[count - 1] - steps[0]) / 2;
        int64_t next_ms = 0;
        int64_t previous_ms = 0;
        assert_true(cron_next(&cron, between_ms, &next_ms));
        if (cron_newest(&cron, from_ms, next_ms - 1, 0, &previous_ms))
            assert_true(previous_ms <= between_ms);
    }
}

/* The text printed for a schedule reads back as the same schedule. */
static void texts_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct cron cron;
        char text[CRON_FORMAT_BYTES];
        struct cron_options options = {.zone_known = true};
        struct cron_reading back;
        struct error error = {0};
        draw_cron(&cron);
        size_t length = cron_format(&cron, text, &options.dialect, &options.dst);
        options.known_zone = cron.zone;
        if (!cron_parse(text, length, &options, &back, &error))
            fail_msg("'%s': %s", text, error.message);
        if (!cron_equal(&cron, &back.cron)) fail_msg("'%s' means something else", text);
    }
    struct cron_reading quartz;
    struct cron_reading back;
    struct cron_options options = {.dialect = CRON_QUARTZ};
    static const char years[] = "0 0 12 ? * 6#3,2L 2026-2030/2";
    char text[CRON_FORMAT_BYTES];
    assert_true(cron_parse(years, strlen(years), &options, &quartz, NULL));
    size_t length = cron_format(&quartz.cron, text, &options.dialect, &options.dst);
    assert_int_equal(options.dialect, CRON_QUARTZ);
    assert_true(cron_parse(text, length, &options, &back, NULL));
    assert_true(cron_equal(&quartz.cron, &back.cron));
    assert_string_equal(text, "0 0 12 ? * 6#3,2L 2026,2028,2030");
}

static void h_is_a_value_of_the_name(void **state)
{
    (void)state;
    static const char text[] = "H H(1-5) H * *";
    uint64_t minutes = 0;
    for (int i = 0; i < 300; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "group/job-%d", i);
        struct cron_options options = {.name = text_of(name)};
        struct cron_reading first;
        struct cron_reading again;
        assert_true(cron_parse(text, strlen(text), &options, &first, NULL));
        assert_true(cron_parse(text, strlen(text), &options, &again, NULL));
        assert_true(cron_equal(&first.cron, &again.cron));
        assert_true(first.hashed);
        assert_int_equal(first.cron.hours & ~UINT32_C(0x3e), 0);
        assert_int_equal(first.cron.days & ~UINT32_C(0x1ffffffe), 0);
        minutes |= first.cron.minutes;
    }
    assert_true(__builtin_popcountll(minutes) > 50);
}

static void kinds_of_jobs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool once;
    } rows[] = {{"30 2 * * *", true},   {"*/5 2 * * *", false}, {"30 * * * *", false},
                {"0-59 2 * * *", true}, {"5,* 2 * * *", true},  {"30 */2 * * *", false},
                {"* 30 2 * * *", true}, {"H H * * *", true},    {"@daily", true},
                {"@hourly", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cron_reading reading;
        assert_true(parsed(rows[i].text, "Europe/Berlin", CRON_DST_VIXIE, &reading, NULL));
        if (((reading.cron.flags & CRON_ONCE) != 0) != rows[i].once) fail_msg("%s", rows[i].text);
        assert_true(parsed(rows[i].text, "Europe/Berlin", CRON_DST_SKIP_REPEAT, &reading, NULL));
        assert_false(reading.cron.flags & CRON_ONCE);
        assert_true(parsed(rows[i].text, "Etc/UTC", CRON_DST_VIXIE, &reading, NULL));
        assert_null(reading.cron.zone);
        assert_false(reading.cron.flags & CRON_ONCE);
    }
}

/* A year in which the clocks skip the only time there is. */
static void a_skipped_time_alone_never_fires(void **state)
{
    (void)state;
    static const char text[] = "0 30 2 29 3 ? 2026";
    struct cron_options options = {.dialect = CRON_QUARTZ,
                                   .dst = CRON_DST_SKIP_REPEAT,
                                   .zone = text_of("Europe/Berlin"),
                                   .zones = test_zones()};
    struct cron_reading reading;
    struct error error = {0};
    assert_false(cron_parse(text, strlen(text), &options, &reading, &error));
    assert_int_equal(error.code, CODE_NEVER_FIRES);
    options.dst = CRON_DST_VIXIE;
    assert_true(cron_parse(text, strlen(text), &options, &reading, NULL));
    int64_t due_ms = 0;
    assert_true(cron_next(&reading.cron, 0, &due_ms));
    assert_int_equal(due_ms, INT64_C(1774746000000)); /* 2026-03-29T01:00:00Z */
    assert_false(cron_next(&reading.cron, due_ms, &due_ms));
}

static void schedules_are_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct schedule_spec) <= 128);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(zone_cases, check_nights)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(steps_and_counts_agree),
        cmocka_unit_test(texts_read_back),
        cmocka_unit_test(h_is_a_value_of_the_name),
        cmocka_unit_test(kinds_of_jobs),
        cmocka_unit_test(a_skipped_time_alone_never_fires),
        cmocka_unit_test(schedules_are_small),
    };
    return run_rows("cron zone", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
