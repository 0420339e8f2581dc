/* Cron instants: a table of rows, and an oracle that steps second by second with its own reading
 * of the fields and its own calendar. It shares no code with the engine. */
#include "lib/time/cron.h"
#include "lib/time/instant.h"

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

static struct cron parsed(const char *text)
{
    struct cron cron = {0};
    struct error error = {0};
    if (!cron_read(text, strlen(text), &cron, NULL, &error))
        fail_msg("'%s': %s", text, error.message);
    return cron;
}

static int64_t instant(const char *text)
{
    int64_t instant_ms = 0;
    struct error error = {0};
    if (!instant_parse(text, strlen(text), &instant_ms, &error)) fail_msg("%s", error.message);
    return instant_ms;
}

struct due_case {
    const char *name, *cron, *after, *due; /* due NULL: never again */
};

static const struct due_case due_cases[] = {
    {"the next minute", "* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00.000Z"},
    {"strictly later", "30 2 * * *", "2026-01-01T02:30:00Z", "2026-01-02T02:30:00.000Z"},
    {"a millisecond before", "30 2 * * *", "2026-01-01T02:29:59.999Z", "2026-01-01T02:30:00.000Z"},
    {"a millisecond after", "30 2 * * *", "2026-01-01T02:30:00.001Z", "2026-01-02T02:30:00.000Z"},
    {"every second", "* * * * * *", "2026-01-01T00:00:59Z", "2026-01-01T00:01:00.000Z"},
    {"a second inside", "15,45 * * * * *", "2026-01-01T00:00:15Z", "2026-01-01T00:00:45.000Z"},
    {"seconds wrap", "15 30 * * * *", "2026-01-01T00:30:15Z", "2026-01-01T01:30:15.000Z"},
    {"hours wrap", "0 9,17 * * *", "2026-01-01T17:00:00Z", "2026-01-02T09:00:00.000Z"},
    {"minute past, hour left", "10 5-6 * * *", "2026-01-01T05:11:00Z", "2026-01-01T06:10:00.000Z"},
    {"last second of the year", "59 59 23 31 12 *", "2026-01-01T00:00:00Z",
     "2026-12-31T23:59:59.000Z"},
    {"new year", "0 0 1 1 *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00.000Z"},
    {"31st skips short months", "0 0 31 * *", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00.000Z"},
    {"29 February waits", "0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"},
    {"29 February across 2100", "0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00.000Z"},
    {"29 February in 2000", "0 0 29 2 *", "1996-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
    {"either day, the weekday first", "0 0 13 * FRI", "2026-11-21T00:00:00Z",
     "2026-11-27T00:00:00.000Z"},
    {"either day, the date first", "0 0 13 * FRI", "2026-12-12T00:00:00Z",
     "2026-12-13T00:00:00.000Z"},
    {"30 February or a Monday", "0 0 30 2 MON", "2026-01-01T00:00:00Z",
     "2026-02-02T00:00:00.000Z"},
    {"Sunday as 7", "0 0 * * 7", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00.000Z"},
    {"Saturday across the month", "0 0 * * SAT", "2026-11-28T00:00:00Z",
     "2026-12-05T00:00:00.000Z"},
    {"stepped days restrict", "0 0 */20 * MON", "2026-11-22T00:00:00Z",
     "2026-11-23T00:00:00.000Z"},
    {"before time begins", "0 0 * * *", "1970-01-01T00:00:00Z", "1970-01-02T00:00:00.000Z"},
    {"the last instant of all", "59 59 23 31 12 *", "9999-01-01T00:00:00Z",
     "9999-12-31T23:59:59.000Z"},
    {"nothing after it", "59 59 23 31 12 *", "9999-12-31T23:59:59Z", NULL},
    {"nothing in the last half second", "* * * * * *", "9999-12-31T23:59:59.500Z", NULL},
    {"no further leap day", "0 0 29 2 *", "9996-02-29T00:00:00Z", NULL},
    {"no further day", "0 0 * * *", "9999-12-31T00:00:00Z", NULL},
};

static void check_due(void **state)
{
    const struct due_case *row = *state;
    struct cron cron = parsed(row->cron);
    int64_t due_ms = -1;
    bool found = cron_next(&cron, instant(row->after), &due_ms);
    if (row->due == NULL) {
        assert_false(found);
        assert_int_equal(due_ms, -1);
        return;
    }
    assert_true(found);
    char due[INSTANT_TEXT_BYTES];
    instant_format(due_ms, due);
    assert_string_equal(due, row->due);
}

static void any_number_may_be_asked_from(void **state)
{
    (void)state;
    struct cron cron = parsed("* * * * * *");
    int64_t due_ms = -1;
    assert_true(cron_next(&cron, INT64_MIN, &due_ms));
    assert_int_equal(due_ms, 0);
    assert_true(cron_next(&cron, -1, &due_ms));
    assert_int_equal(due_ms, 0);
    assert_true(cron_next(&cron, 0, &due_ms));
    assert_int_equal(due_ms, 1000);
    assert_false(cron_next(&cron, INT64_MAX, &due_ms));
    assert_int_equal(cron_count(&cron, INT64_MIN, INT64_MAX), INSTANT_MAX_MS / 1000 + 1);
    assert_int_equal(cron_count(&cron, -1, 1000), 2);
    assert_int_equal(cron_count(&cron, 0, 1000), 1);
    assert_int_equal(cron_count(&cron, INT64_MAX, INT64_MIN), 0);
    assert_int_equal(cron_count(&cron, INT64_MIN, -1), 0);
    assert_true(cron_newest(&cron, INT64_MIN, INT64_MAX, 0, &due_ms));
    assert_int_equal(due_ms, INSTANT_MAX_MS / 1000 * 1000);
    assert_true(cron_newest(&cron, INT64_MIN, INT64_MAX, INSTANT_MAX_MS / 1000, &due_ms));
    assert_int_equal(due_ms, 0);
    assert_false(cron_newest(&cron, INT64_MIN, INT64_MAX, INSTANT_MAX_MS / 1000 + 1, &due_ms));
    assert_false(cron_newest(&cron, INT64_MIN, -1, 0, &due_ms));
}

/* ---- the oracle ---- */

struct oracle_clock {
    int year, month, day, weekday, hour, minute, second;
    int64_t instant_ms;
};

static int oracle_month_length(int year, int month)
{
    if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void oracle_next_day(struct oracle_clock *clock)
{
    clock->hour = clock->minute = clock->second = 0;
    clock->weekday = (clock->weekday + 1) % 7;
    if (++clock->day <= oracle_month_length(clock->year, clock->month)) return;
    clock->day = 1;
    if (++clock->month <= 12) return;
    clock->month = 1;
    clock->year++;
}

/* Midnight of a day of 2000 or later, counted from Saturday, 2000-01-01. */
static struct oracle_clock oracle_start(int days)
{
    struct oracle_clock clock = {.year = 2000, .month = 1, .day = 1, .weekday = 6};
    clock.instant_ms = INT64_C(946684800000) + days * INT64_C(86400000);
    for (int i = 0; i < days; i++) oracle_next_day(&clock);
    return clock;
}

static void oracle_tick(struct oracle_clock *clock)
{
    clock->instant_ms += 1000;
    if (++clock->second < 60) return;
    clock->second = 0;
    if (++clock->minute < 60) return;
    clock->minute = 0;
    if (++clock->hour < 24) return;
    oracle_next_day(clock);
}

/* Whether the text of one field names the value. */
static bool oracle_field_names(const char *field, int low, int high, int value)
{
    for (const char *item = field; *item != '\0';) {
        int first = low;
        int last = high;
        int step = 1;
        int used = 0;
        if (*item == '*' || *item == '?') {
            item++;
        } else {
            (void)sscanf(item, "%d%n", &first, &used);
            item += used;
            last = first;
            if (*item == '-') {
                (void)sscanf(item + 1, "%d%n", &last, &used);
                item += used + 1;
            } else if (*item == '/') {
                last = high;
            }
        }
        if (*item == '/') {
            (void)sscanf(item + 1, "%d%n", &step, &used);
            item += used + 1;
        }
        for (int named = first; named <= last; named += step)
            if (named == value) return true;
        if (*item == ',') item++;
    }
    return false;
}

/* An expression as the oracle sees it: for each field and value, whether it is named. */
struct oracle {
    bool names[6][60];
    bool free_day, free_weekday; /* a bare star or question mark */
};

static bool oracle_is_free(const char *field)
{
    return (field[0] == '*' || field[0] == '?') && field[1] == '\0';
}

static struct oracle oracle_of(char fields[6][40])
{
    static const int bounds[6][2] = {{0, 59}, {0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}};
    struct oracle oracle = {.free_day = oracle_is_free(fields[3]),
                            .free_weekday = oracle_is_free(fields[5])};
    for (int i = 0; i < 6; i++)
        for (int value = bounds[i][0]; value <= bounds[i][1]; value++)
            oracle.names[i][value] =
                oracle_field_names(fields[i], bounds[i][0], bounds[i][1], value);
    if (oracle_field_names(fields[5], 0, 6, 7)) oracle.names[5][0] = true;
    return oracle;
}

static bool oracle_due(const struct oracle *oracle, const struct oracle_clock *clock)
{
    if (!oracle->names[0][clock->second] || !oracle->names[1][clock->minute]) return false;
    if (!oracle->names[2][clock->hour] || !oracle->names[4][clock->month]) return false;
    bool day = oracle->names[3][clock->day];
    bool weekday = oracle->names[5][clock->weekday];
    if (oracle->free_day) return weekday;
    if (oracle->free_weekday) return day;
    return day || weekday;
}

/* ---- random expressions, all from one seed ---- */

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}

static void draw_item(uint64_t *seed, uint32_t low, uint32_t high, char *text, size_t capacity)
{
    uint32_t first = low + draw(seed, high - low + 1);
    uint32_t last = first + draw(seed, high - first + 1);
    uint32_t step = 1 + draw(seed, high - low);
    switch (draw(seed, 5)) {
    case 0: (void)snprintf(text, capacity, "%u-%u", first, last); break;
    case 1: (void)snprintf(text, capacity, "%u-%u/%u", first, last, step); break;
    case 2: (void)snprintf(text, capacity, "*/%u", step); break;
    case 3: /* from 7 the meaning turns on Sunday: the table has that row */
        (void)snprintf(text, capacity, "%u/%u", high == 7 ? first % 7 : first, step);
        break;
    default: (void)snprintf(text, capacity, "%u", first); break;
    }
}

/* A field is a star about half the time, else one to three items. */
static void draw_field(uint64_t *seed, uint32_t low, uint32_t high, bool star_likely, char *text,
                       size_t capacity)
{
    text[0] = '\0';
    if (draw(seed, 2) == 0 && star_likely) {
        (void)snprintf(text, capacity, "*");
        return;
    }
    uint32_t items = 1 + draw(seed, 3);
    for (uint32_t i = 0; i < items; i++) {
        size_t length = strlen(text);
        if (i > 0) text[length++] = ',';
        draw_item(seed, low, high, text + length, capacity - length);
    }
}

struct drawn {
    char text[6 * 48];
    char fields[6][40];
};

static void draw_expression(uint64_t *seed, bool dense, struct drawn *drawn)
{
    static const uint32_t bounds[6][2] = {{0, 59}, {0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}};
    bool seconds = draw(seed, 3) > 0;
    for (int i = 0; i < 6; i++) {
        bool star_likely = dense || i >= 2;
        draw_field(seed, bounds[i][0], bounds[i][1], star_likely, drawn->fields[i],
                   sizeof drawn->fields[i]);
    }
    if (!seconds) (void)snprintf(drawn->fields[0], sizeof drawn->fields[0], "0");
    (void)snprintf(drawn->text, sizeof drawn->text, "%s%s%s %s %s %s %s",
                   seconds ? drawn->fields[0] : "", seconds ? " " : "", drawn->fields[1],
                   drawn->fields[2], drawn->fields[3], drawn->fields[4], drawn->fields[5]);
}

/* What is drawn is well formed; it may only be an impossible date. */
static bool drawn_parses(const struct drawn *drawn, struct cron *cron)
{
    struct error error = {0};
    if (cron_read(drawn->text, strlen(drawn->text), cron, NULL, &error)) return true;
    if (error.code != CODE_NEVER_FIRES) fail_msg("'%s': %s", drawn->text, error.message);
    return false;
}

/* Steps second by second over some days and asks the engine at each change. */
static void follow(struct drawn *drawn, const struct cron *cron, int start_day, int days)
{
    struct oracle oracle = oracle_of(drawn->fields);
    struct oracle_clock clock = oracle_start(start_day);
    int64_t start_ms = clock.instant_ms - 1000;
    int64_t end_ms = clock.instant_ms + days * INT64_C(86400000) - 1000;
    int64_t asked_ms = start_ms;
    int64_t engine_ms = 0;
    uint64_t count = 0;
    if (!cron_next(cron, asked_ms, &engine_ms)) fail_msg("'%s' ended", drawn->text);
    for (; clock.instant_ms <= end_ms; oracle_tick(&clock)) {
        bool due = oracle_due(&oracle, &clock);
        if (due != (clock.instant_ms == engine_ms))
            fail_msg("'%s': at %lld the oracle says %s, the engine says %lld", drawn->text,
                     (long long)clock.instant_ms, due ? "due" : "not due", (long long)engine_ms);
        if (!due) continue;
        count++;
        asked_ms = clock.instant_ms;
        if (!cron_next(cron, asked_ms, &engine_ms)) fail_msg("'%s' ended", drawn->text);
        assert_true(engine_ms > asked_ms);
        if (count % 97 != 1) continue;
        assert_int_equal(cron_count(cron, start_ms, asked_ms), count);
        int64_t newest_ms = 0;
        assert_true(cron_newest(cron, start_ms, engine_ms - 1, 0, &newest_ms));
        assert_int_equal(newest_ms, asked_ms);
    }
    assert_int_equal(cron_count(cron, start_ms, end_ms), count);
}

static void against_the_oracle(bool dense, uint64_t expressions, int days, uint64_t seed)
{
    uint64_t followed = 0;
    while (followed < walks_of(expressions)) {
        struct drawn drawn;
        draw_expression(&seed, dense, &drawn);
        struct cron cron;
        if (!drawn_parses(&drawn, &cron)) continue;
        follow(&drawn, &cron, (int)draw(&seed, 36000), days);
        followed++;
    }
}

static void the_oracle_agrees_over_days(void **state)
{
    (void)state;
    against_the_oracle(true, 1000, 3, 1);
}

static void the_oracle_agrees_over_months(void **state)
{
    (void)state;
    against_the_oracle(false, 60, 62, 2);
}

/* Days of the year only, over a century: the calendar walk, day by day. */
static void the_oracle_agrees_over_a_century(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 300; i++) {
        struct drawn drawn;
        draw_expression(&seed, false, &drawn);
        for (int field = 0; field < 3; field++) memcpy(drawn.fields[field], "0", 2);
        (void)snprintf(drawn.text, sizeof drawn.text, "0 0 %s %s %s", drawn.fields[3],
                       drawn.fields[4], drawn.fields[5]);
        struct cron cron;
        if (!drawn_parses(&drawn, &cron)) continue;
        struct oracle oracle = oracle_of(drawn.fields);
        struct oracle_clock clock = oracle_start(0);
        int64_t engine_ms = 0;
        assert_true(cron_next(&cron, clock.instant_ms - 1, &engine_ms));
        for (; clock.year < 2110; oracle_next_day(&clock), clock.instant_ms += 86400000) {
            bool due = oracle_due(&oracle, &clock);
            if (due != (clock.instant_ms == engine_ms))
                fail_msg("'%s': %d-%d-%d", drawn.text, clock.year, clock.month, clock.day);
            if (due) assert_true(cron_next(&cron, engine_ms, &engine_ms));
        }
    }
}

/* What is refused as never firing has no day in 400 years, and only that. */
static void never_means_never(void **state)
{
    (void)state;
    for (int month = 1; month <= 12; month++) {
        for (int day = 1; day <= 31; day++) {
            char text[40];
            (void)snprintf(text, sizeof text, "0 0 %d %d *", day, month);
            bool exists = false;
            for (int year = 2000; year < 2400 && !exists; year++)
                exists = day <= oracle_month_length(year, month);
            struct cron cron;
            struct error error = {0};
            assert_int_equal(cron_read(text, strlen(text), &cron, NULL, &error), exists);
            if (!exists) assert_int_equal(error.code, CODE_NEVER_FIRES);
        }
    }
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(due_cases, check_due)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(any_number_may_be_asked_from),
        cmocka_unit_test(the_oracle_agrees_over_days),
        cmocka_unit_test(the_oracle_agrees_over_months),
        cmocka_unit_test(the_oracle_agrees_over_a_century),
        cmocka_unit_test(never_means_never),
    };
    return run_rows("cron next", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
