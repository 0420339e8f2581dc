/* Tables of time zones: what is decoded, what is refused, and how files and names are found. */
#include "lib/time/zone.h"
#include "lib/time/zone_files.h"
#include "lib/time/zone_rule.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fuzz/fuzz_zones.h"
#include "tests/support/cron_case.h"

static const struct zone *zone_named(const char *name)
{
    struct error error = {0};
    const struct zone_lookup *zones = test_zones();
    const struct zone *zone = zones->find(zones->opaque, text_of(name), &error);
    if (zone == NULL) fail_msg("%s", error.message);
    return zone;
}

static struct zone *of_rule(const char *rule)
{
    uint8_t bytes[FUZZ_TZIF_BYTES];
    size_t length = fuzz_tzif(bytes, rule, strlen(rule));
    struct error error = {0};
    return zone_decode(text_of("Test/Zone"), bytes, length, &error);
}

static void offsets_of_known_zones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t at_s;
        int32_t offset_s;
    } rows[] = {
        {"Europe/Berlin", 1774745999, 3600},        {"Europe/Berlin", 1774746000, 7200},
        {"Europe/Berlin", 4110037199, 7200},        {"America/New_York", 0, -18000},
        {"Australia/Lord_Howe", 1767225600, 39600}, {"Australia/Lord_Howe", 1782864000, 37800},
        {"Asia/Kathmandu", 0, 19800},               {"Asia/Kathmandu", 1767225600, 20700},
        {"Pacific/Apia", 1325239199, -36000},       {"Pacific/Apia", 1325239200, 50400},
        {"Africa/Monrovia", 0, -2670},              {"Etc/GMT+5", 1767225600, -18000},
        {"Europe/Berlin", 253402300799, 3600},      {"America/New_York", 32503680000, -18000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(zone_at(zone_named(rows[i].name), rows[i].at_s).offset_s,
                         rows[i].offset_s);
}

/* The calendar repeats every 400 years, and so does a zone under a rule. */
static void the_rule_repeats(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                        "Pacific/Chatham", "Antarctica/Troll", "Europe/Dublin"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct zone *zone = zone_named(names[i]);
        for (int64_t at_s = 4102444800; at_s < 10000000000; at_s += 86400 * 13 + 11) {
            struct zone_view early = zone_at(zone, at_s);
            struct zone_view late = zone_at(zone, at_s + 3 * ZONE_CYCLE_SECONDS);
            assert_int_equal(early.offset_s, late.offset_s);
            assert_int_equal(early.from_s + 3 * ZONE_CYCLE_SECONDS, late.from_s);
            assert_int_equal(early.until_s + 3 * ZONE_CYCLE_SECONDS, late.until_s);
            assert_int_equal(early.high_s, late.high_s);
        }
    }
}

static void rules_are_read(void **state)
{
    (void)state;
    static const char *const good[] = {"UTC0", "EST5EDT,M3.2.0,M11.1.0", "<-03>3<-02>,M3.5.0/-2,"
                                       "M10.5.0/-1", "XXX3EDT4,0/0,J365/23", "CET-1CEST,M3.5.0,"
                                       "M10.5.0/3", "AAA1:30:15"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct zone_rule rule;
        assert_true(zone_rule_parse(text_of(good[i]), &rule, NULL));
    }
    static const struct {
        const char *text;
        int column;
    } bad[] = {{"", 1},           {"AB1", 1},           {"<A>1", 1},         {"<ABC1", 1},
               {"CET", 4},        {"CET-", 5},          {"CET26", 4},        {"CET1:60", 6},
               {"CET1:00:60", 9}, {"CET1CE", 5},        {"CET1CEST", 9},     {"CET1CEST,M3", 12},
               {"CET1CEST,M13.1.0", 11}, {"CET1CEST,M3.6.0", 13}, {"CET1CEST,M3.5.7", 15},
               {"CET1CEST,M3.5.0", 16}, {"CET1CEST,J0,J1", 11}, {"CET1CEST,366,J1", 10},
               {"CET1CEST,J1/168,J2", 13}, {"CET1CEST,J1,J2x", 15}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct zone_rule rule;
        struct error error = {0};
        if (zone_rule_parse(text_of(bad[i].text), &rule, &error)) fail_msg("'%s'", bad[i].text);
        if (error.column != bad[i].column)
            fail_msg("'%s': column %d, not %d: %s", bad[i].text, error.column, bad[i].column,
                     error.message);
    }
}

static void rules_make_tables(void **state)
{
    (void)state;
    struct zone *always = of_rule("XXX3EDT4,0/0,J365/23"); /* daylight time all the year */
    assert_non_null(always);
    assert_int_equal(zone_at(always, 1767225600).offset_s, -4 * 3600);
    assert_int_equal(zone_at(always, 1782864000).offset_s, -4 * 3600);
    assert_int_equal(zone_at(always, 253402300799).offset_s, -4 * 3600);
    assert_int_equal(zone_at(always, 253402300799).from_s, zone_at(always, 100000).from_s);
    free(always);
    assert_null(of_rule("XXX6EDDT4,0/0,365/24")); /* ends after the next year has begun */
    assert_null(of_rule("CGT-0CEST,M9.5.0,M9.4.0/3")); /* both at once in some years */
    struct zone *south = of_rule("AAA-10BBB,M10.1.0,M4.1.0/3");
    assert_non_null(south);
    assert_int_equal(zone_at(south, 1767225600).offset_s, 11 * 3600);
    assert_int_equal(zone_at(south, 1782864000).offset_s, 10 * 3600);
    free(south);
    struct zone *plain = of_rule("UTC0");
    assert_non_null(plain);
    assert_true(zone_is_fixed(plain));
    free(plain);
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void expect_refused(const uint8_t *bytes, size_t length, const char *says)
{
    struct error error = {0};
    struct zone *zone = zone_decode(text_of("Test/Zone"), bytes, length, &error);
    assert_null(zone);
    assert_int_equal(error.code, CODE_UNKNOWN_ZONE);
    if (strstr(error.message, says) == NULL) fail_msg("%s", error.message);
}

static void files_that_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[FUZZ_TZIF_BYTES];
    const char *rule = "CET-1CEST,M3.5.0,M10.5.0/3";
    size_t length = fuzz_tzif(bytes, rule, strlen(rule));
    for (size_t cut = 0; cut < length; cut++) { /* an exact copy, so that a read beyond is seen */
        uint8_t *copy = malloc(cut + 1);
        struct error error = {0};
        assert_non_null(copy);
        memcpy(copy + 1, bytes, cut);
        assert_null(zone_decode(text_of("Test/Zone"), copy + 1, cut, &error));
        free(copy);
    }
    bytes[0] = 'X';
    expect_refused(bytes, length, "is not TZif");
    (void)fuzz_tzif(bytes, rule, strlen(rule));
    put32(bytes + 54 + 36, 0);
    put32(bytes + 54 + 40, 10);
    expect_refused(bytes, length, "has no offset");
    (void)fuzz_tzif(bytes, rule, strlen(rule));
    put32(bytes + 32, 1 << 20);
    expect_refused(bytes, length, "counts beyond reason");
    (void)fuzz_tzif(bytes, rule, strlen(rule));
    put32(bytes + 54 + 44, 27 * 3600);
    expect_refused(bytes, length, "more than 26 hours");
    (void)fuzz_tzif(bytes, rule, strlen(rule));
    bytes[108] = 'x';
    expect_refused(bytes, length, "has no footer");
    (void)fuzz_tzif(bytes, "CET-1CEST", 9);
    expect_refused(bytes, 108 + 11, "zone rule");
}

static void leap_seconds_are_refused(void **state)
{
    (void)state;
    struct error error = {0};
    struct zone_files *files = zone_files_create("/usr/share/zoneinfo/right");
    const struct zone_lookup *zones = zone_files_lookup(files);
    if (zones->find(zones->opaque, text_of("Europe/Berlin"), &error) != NULL) fail_msg("taken");
    assert_int_equal(error.code, CODE_UNKNOWN_ZONE);
    zone_files_destroy(files);
}

static void names(void **state)
{
    (void)state;
    static const char *const good[] = {"Europe/Berlin", "Etc/GMT+5", "America/Argentina/Ushuaia",
                                       "UTC", "America/Port-au-Prince", "EST5EDT"};
    static const char *const bad[] = {"", "/UTC", "UTC/", "a//b", "..", "../UTC", "Europe/../UTC",
                                      "Europe/.hidden", "Europe/Ber lin", "1/UTC", "-UTC",
                                      "Europe/Berlin\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(zone_name_is_valid(text_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(zone_name_is_valid(text_of(bad[i])));
}

static void unknown_names_get_near_ones(void **state)
{
    (void)state;
    static const struct {
        const char *name, *says;
    } rows[] = {{"Europe/Berln", "did you mean Europe/Berlin"},
                {"europe/berlin", "did you mean Europe/Berlin"},
                {"Asia/Berlin", "Europe/Berlin"},
                {"Berlin", "Europe/Berlin"},
                {"America/NewYork", "America/New_York"},
                {"Xyzzy/Nowhere123456", "is not a time zone of this system"},
                {"localtime", "is not a time zone"},
                {"posix/Europe/Berlin", "is not a time zone"},
                {"Europe", "is not a time zone"}};
    const struct zone_lookup *zones = test_zones();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error = {0};
        const struct zone *zone = NULL;
        assert_false(zone_find(zones, text_of(rows[i].name), &zone, &error));
        assert_int_equal(error.code, CODE_UNKNOWN_ZONE);
        if (strstr(error.message, rows[i].says) == NULL) fail_msg("%s", error.message);
    }
}

static bool check_size(void *opaque, const char *name)
{
    size_t *count = opaque;
    assert_true(zone_bytes(zone_named(name)) <= ZONE_BYTES_MAX);
    (*count)++;
    return true;
}

static void every_zone_loads_and_is_small(void **state)
{
    (void)state;
    size_t count = 0;
    struct zone_files *files = zone_files_create(NULL);
    zone_files_each(files, check_size, &count);
    assert_true(count > 400);
    assert_true(strlen(zone_files_version(files)) >= 5);
    assert_true(zone_files_bytes(files) < 4 * 1024 * 1024);
    zone_files_destroy(files);
}

static void copy_zone(const char *directory, const char *from, const char *to)
{
    char path[200];
    char bytes[8192];
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", from);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    (void)snprintf(path, sizeof path, "%s/%s", directory, to);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    (void)fclose(file);
}

static void forget_zone(const char *directory, const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    (void)remove(path);
}

/* Files of another release that come while the program runs: tables and version stay of one. */
static void all_files_are_of_one_moment(void **state)
{
    (void)state;
    char directory[] = "/tmp/belfry-zones-XXXXXX";
    assert_non_null(mkdtemp(directory));
    copy_zone(directory, "Europe/Berlin", "Here");
    struct zone_files *files = zone_files_create(directory);
    char before[ZONE_VERSION_BYTES];
    (void)snprintf(before, sizeof before, "%s", zone_files_version(files));
    assert_true(strncmp(before, "zones-", 6) == 0); /* no release, but a digest */
    copy_zone(directory, "Asia/Tokyo", "Here");
    copy_zone(directory, "Asia/Tokyo", "There");
    const struct zone_lookup *zones = zone_files_lookup(files);
    const struct zone *here = zones->find(zones->opaque, text_of("Here"), NULL);
    assert_non_null(here);
    assert_true(here->span_count > 2); /* not Tokyo's */
    assert_null(zones->find(zones->opaque, text_of("There"), NULL));
    assert_string_equal(zone_files_version(files), before);
    struct zone_files *later = zone_files_create(directory);
    assert_string_not_equal(zone_files_version(later), before);
    zone_files_destroy(later);
    zone_files_destroy(files);
    forget_zone(directory, "Here");
    forget_zone(directory, "There");
    assert_int_equal(remove(directory), 0);
}

static void *load_all(void *opaque)
{
    const struct zone_lookup *zones = opaque;
    static const char *const wanted[] = {"Europe/Berlin", "America/New_York", "Asia/Tokyo"};
    for (size_t i = 0; i < 3; i++)
        if (zones->find(zones->opaque, text_of(wanted[i]), NULL) == NULL) return opaque;
    return NULL;
}

static void threads_share_one_table(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    struct zone_files *files = zone_files_create(NULL);
    const struct zone_lookup *zones = zone_files_lookup(files);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_all, (void *)(uintptr_t)zones), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    const struct zone *first = zones->find(zones->opaque, text_of("Europe/Berlin"), NULL);
    assert_ptr_equal(first, zones->find(zones->opaque, text_of("Europe/Berlin"), NULL));
    zone_files_destroy(files);
}

static void first_showing(void **state)
{
    (void)state;
    const struct zone *berlin = zone_named("Europe/Berlin");
    const int64_t gap_local_s = 1774746000 + 3600; /* 2026-03-29T02:00 */
    assert_int_equal(zone_first_showing(berlin, gap_local_s), 1774746000);
    assert_int_equal(zone_first_showing(berlin, gap_local_s + 1800), 1774746000);
    assert_int_equal(zone_first_showing(berlin, gap_local_s + 3600), 1774746000);
    assert_int_equal(zone_first_showing(berlin, gap_local_s - 1), 1774745999);
    assert_int_equal(zone_first_showing(NULL, 5), 5);
    assert_int_equal(zone_first_showing(NULL, -5), 0);
    assert_true(zone_equal(berlin, berlin));
    assert_false(zone_equal(berlin, NULL));
    assert_false(zone_equal(berlin, zone_named("Europe/Paris")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_of_known_zones), cmocka_unit_test(the_rule_repeats),
        cmocka_unit_test(rules_are_read),         cmocka_unit_test(rules_make_tables),
        cmocka_unit_test(files_that_are_refused), cmocka_unit_test(leap_seconds_are_refused),
        cmocka_unit_test(names),                  cmocka_unit_test(unknown_names_get_near_ones),
        cmocka_unit_test(every_zone_loads_and_is_small),
        cmocka_unit_test(all_files_are_of_one_moment),
        cmocka_unit_test(threads_share_one_table), cmocka_unit_test(first_showing),
    };
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
