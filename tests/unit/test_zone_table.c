/* Zones from files made for the test: what a change does to the table, what is refused. */
#include "lib/time/zone.h"
#include "lib/time/zone_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEADER = 44, FILE_BYTES = 32 * 1024, TYPES = 4 };

struct change {
    int64_t at_s;
    uint8_t type;
};

/* The offsets that the changes choose from; the first one holds before them. */
static const int32_t offsets[TYPES] = {3600, 7200, -36000, 10800};

static void put_number(uint8_t *at, size_t bytes, int64_t value)
{
    for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)((uint64_t)value >> (8 * (bytes - 1 - i)));
}

static size_t put_block(uint8_t *at, char version, size_t time_bytes, const struct change *changes,
                        size_t count)
{
    memcpy(at, "TZif", 4);
    at[4] = (uint8_t)version;
    put_number(at + 32, 4, (int64_t)count);
    put_number(at + 36, 4, TYPES);
    put_number(at + 40, 4, 4);
    uint8_t *next = at + HEADER;
    for (size_t i = 0; i < count; i++, next += time_bytes)
        put_number(next, time_bytes, changes[i].at_s);
    for (size_t i = 0; i < count; i++) *next++ = changes[i].type;
    for (size_t i = 0; i < TYPES; i++, next += 6) put_number(next, 4, offsets[i]);
    return (size_t)(next + 4 - at);
}

/* A file of version 2 with a rule, or of version 1 without one (rule NULL). */
static size_t make_file(uint8_t bytes[FILE_BYTES], const struct change *changes, size_t count,
                        const char *rule)
{
    memset(bytes, 0, FILE_BYTES);
    if (rule == NULL) return put_block(bytes, '\0', 4, changes, count);
    size_t length = put_block(bytes, '2', 4, NULL, 0);
    length += put_block(bytes + length, '2', 8, changes, count);
    return length + (size_t)snprintf((char *)bytes + length, 100, "\n%s\n", rule);
}

static struct zone *decode(const struct change *changes, size_t count, const char *rule,
                           struct error *error)
{
    uint8_t bytes[FILE_BYTES];
    size_t length = make_file(bytes, changes, count, rule);
    return zone_decode(text_of("Test/Zone"), bytes, length, error);
}

static struct zone *good(const struct change *changes, size_t count, const char *rule)
{
    struct error error = {0};
    struct zone *zone = decode(changes, count, rule, &error);
    if (zone == NULL) fail_msg("%s", error.message);
    return zone;
}

static void refused(const struct change *changes, size_t count, const char *rule, const char *says)
{
    struct error error = {0};
    assert_null(decode(changes, count, rule, &error));
    assert_int_equal(error.code, CODE_UNKNOWN_ZONE);
    if (strstr(error.message, says) == NULL) fail_msg("%s", error.message);
}

static void files_of_version_1(void **state)
{
    (void)state;
    const struct change changes[] = {{-1000, 2}, {1000, 1}, {2000, 3}};
    struct zone *zone = good(changes, 3, NULL);
    assert_int_equal(zone->span_count, 3);
    assert_int_equal(zone_at(zone, 0).offset_s, -36000);
    assert_int_equal(zone_at(zone, 1000).offset_s, 7200);
    assert_int_equal(zone_at(zone, 1999).offset_s, 7200);
    assert_int_equal(zone_at(zone, INT64_C(1) << 40).offset_s, 10800);
    free(zone);
}

static void changes_beyond_reach(void **state)
{
    (void)state;
    const struct change changes[] = {{INT64_MIN, 1}, {INT64_MIN + 1, 2}, {5000, 3},
                                     {INT64_MAX - 1, 1}, {INT64_MAX, 2}};
    struct zone *zone = good(changes, 5, "");
    assert_int_equal(zone->span_count, 2);
    assert_int_equal(zone_at(zone, 4999).offset_s, -36000);
    assert_int_equal(zone_at(zone, INT64_C(1) << 39).offset_s, 10800);
    free(zone);
}

/* Two steps back within an hour: what the first one shows again is still shown again. */
static void the_latest_time_shown(void **state)
{
    (void)state;
    const struct change changes[] = {{100000, 2}, {103600, 0}};
    struct zone *zone = good(changes, 2, "");
    struct zone_view view = zone_at(zone, 103600);
    assert_int_equal(view.from_s, 103600);
    assert_int_equal(view.from_s + view.high_s, 100000 + 3600);
    free(zone);
}

/* Both changes of the rule at one instant: the later one of them counts. */
static void a_rule_that_cancels_itself(void **state)
{
    (void)state;
    const struct change changes[] = {{1000, 3}};
    struct zone *zone = good(changes, 1, "AAA0BBB,J100/2,J100/3");
    const int64_t day_100_s = 99 * INT64_C(86400) + 7200;
    assert_int_equal(zone_at(zone, day_100_s - 1).offset_s, 10800);
    assert_int_equal(zone_at(zone, day_100_s).offset_s, 0);
    assert_int_equal(zone->span_count, 3);
    free(zone);
}

/* The end of one year's daylight time lies after the start of the next one's. */
static void a_rule_that_overlaps_itself(void **state)
{
    (void)state;
    struct zone *zone = good(NULL, 0, "AAA0BBB,J1/0,J365/100");
    for (uint32_t i = 1; i < zone->span_count; i++) {
        assert_true(zone->spans[i - 1].from_s < zone->spans[i].from_s);
        assert_int_not_equal(zone->spans[i - 1].offset_s, zone->spans[i].offset_s);
    }
    free(zone);
}

static void changes_that_are_refused(void **state)
{
    (void)state;
    static struct change many[ZONE_SPANS_MAX + 1];
    for (size_t i = 0; i <= ZONE_SPANS_MAX; i++)
        many[i] = (struct change){.at_s = 1 + (int64_t)i * 1000, .type = i % 2 ? 0 : 1};
    refused((const struct change[]){{1000, TYPES}}, 1, "", "names a missing offset");
    refused((const struct change[]){{1000, 1}, {1000, 2}}, 2, "", "out of order");
    refused((const struct change[]){{1000, 1}, {999, 2}}, 2, NULL, "out of order");
    refused((const struct change[]){{INT64_C(1) << 34, 1}}, 1, "AAA0BBB,J1,J100", "too many");
    refused((const struct change[]){{INT64_C(1) << 36, 1}}, 1, "", "too many changes");
    refused(many, ZONE_SPANS_MAX + 1, "", "too many changes");
    struct zone *full = good(many, ZONE_SPANS_MAX - 1, "");
    assert_int_equal(full->span_count, ZONE_SPANS_MAX);
    free(full);
}

static void counts_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint32_t count;
        const char *says;
    } rows[] = {{20, 257, "beyond reason"},   {24, 257, "beyond reason"},
                {28, 65537, "beyond reason"}, {32, 65537, "beyond reason"},
                {36, 257, "beyond reason"},   {40, 65537, "beyond reason"},
                {20, 256, "cut short"},       {28, 1, "cut short"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[FILE_BYTES];
        struct error error = {0};
        size_t length = make_file(bytes, NULL, 0, NULL);
        put_number(bytes + rows[i].at, 4, rows[i].count);
        assert_null(zone_decode(text_of("Test/Zone"), bytes, length, &error));
        if (strstr(error.message, rows[i].says) == NULL) fail_msg("%zu: %s", i, error.message);
    }
    uint8_t bytes[FILE_BYTES];
    struct error error = {0};
    size_t length = make_file(bytes, NULL, 0, NULL);
    put_number(bytes + HEADER, 4, -26 * 3600 - 1);
    assert_null(zone_decode(text_of("Test/Zone"), bytes, length, &error));
    assert_non_null(strstr(error.message, "more than 26 hours"));
}

static void rules_that_are_refused(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "CET-1CEST,M0003.5.0,M10.5.0", "CET-1CEST,M3-5.0,M10.5.0", "CET-1CEST,M3.5-0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",    "CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
        "CETx",                        "CET",                      "CET-99"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct zone_rule rule;
        struct error error = {0};
        if (zone_rule_parse(text_of(rules[i]), &rule, &error)) fail_msg("'%s' taken", rules[i]);
        assert_int_equal(error.code, CODE_UNKNOWN_ZONE);
    }
}

/* The 59th day and the 60th of a rule that leaves out 29 February. */
static void days_that_know_no_leap_day(void **state)
{
    (void)state;
    struct zone_rule rule = {0};
    struct error error = {0};
    assert_true(zone_rule_parse(text_of("AAA0BBB,J59/0,J60/1"), &rule, &error));
    assert_int_equal(zone_rule_start(&rule, 2026), 1772236800); /* 28 February 2026 */
    assert_int_equal(zone_rule_end(&rule, 2026), 1772323200);   /* 1 March 2026 */
    assert_int_equal(zone_rule_start(&rule, 2028), 1835308800); /* 28 February 2028 */
    assert_int_equal(zone_rule_end(&rule, 2028), 1835481600);   /* 1 March 2028 */
}

static void nothing_is_shown_before_1970(void **state)
{
    (void)state;
    const struct change changes[] = {{-86400, 1}};
    struct zone *zone = good(changes, 1, "");
    assert_int_equal(zone_first_showing(zone, 0), 0);
    assert_int_equal(zone_first_showing(zone, 7199), 0);
    assert_int_equal(zone_first_showing(zone, 7201), 1);
    free(zone);
}

static void zones_are_compared_by_name_and_offsets(void **state)
{
    (void)state;
    const struct change changes[] = {{1000, 1}};
    uint8_t bytes[FILE_BYTES];
    size_t length = make_file(bytes, changes, 1, "");
    struct zone *zone = good(changes, 1, "");
    struct zone *same = good(changes, 1, "");
    struct zone *fixed = good(NULL, 0, "");
    struct zone *other = zone_decode(text_of("Other/Zone"), bytes, length, NULL);
    assert_true(zone_equal(zone, zone));
    assert_true(zone_equal(zone, same));
    assert_true(zone_equal(NULL, NULL));
    assert_false(zone_equal(zone, NULL));
    assert_false(zone_equal(NULL, zone));
    assert_false(zone_equal(zone, fixed));
    assert_false(zone_equal(zone, other));
    free(zone);
    free(same);
    free(fixed);
    free(other);
}

static void without_zones_there_is_utc(void **state)
{
    (void)state;
    const struct zone_lookup none = {0};
    const struct zone_lookup *const lookups[] = {NULL, &none};
    char longest[ZONE_NAME_BYTES_MAX + 2];
    memset(longest, 'a', sizeof longest);
    for (size_t i = 0; i < 2; i++) {
        const struct zone *zone = (const struct zone *)longest;
        struct error error = {0};
        assert_true(zone_find(lookups[i], text_of("UTC"), &zone, &error));
        assert_null(zone);
        assert_false(zone_find(lookups[i], text_of("Europe/Berlin"), &zone, &error));
        assert_non_null(strstr(error.message, "no time zones but UTC"));
    }
    assert_true(zone_name_is_valid((struct text){longest, ZONE_NAME_BYTES_MAX}));
    assert_false(zone_name_is_valid((struct text){longest, ZONE_NAME_BYTES_MAX + 1}));
    assert_false(zone_name_is_valid(text_of("Europe/Ber{in")));
    assert_false(zone_name_is_valid(text_of("Europe/@")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_version_1),
        cmocka_unit_test(changes_beyond_reach),
        cmocka_unit_test(the_latest_time_shown),
        cmocka_unit_test(a_rule_that_cancels_itself),
        cmocka_unit_test(a_rule_that_overlaps_itself),
        cmocka_unit_test(changes_that_are_refused),
        cmocka_unit_test(counts_that_are_refused),
        cmocka_unit_test(rules_that_are_refused),
        cmocka_unit_test(days_that_know_no_leap_day),
        cmocka_unit_test(nothing_is_shown_before_1970),
        cmocka_unit_test(zones_are_compared_by_name_and_offsets),
        cmocka_unit_test(without_zones_there_is_utc),
    };
    return cmocka_run_group_tests_name("zone files", tests, NULL, NULL);
}
