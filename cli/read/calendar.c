#include "cli/read/calendar.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/cron_words.h"
#include "cli/show/local_time.h"
#include "lib/time/instant.h"

enum { WEEKDAYS = 7, CELL_COLUMNS = 9, DAY_LAST = 2932896 };

/* What happens on one day as the zone counts it. */
struct day {
    uint64_t fires;
    int64_t first_ms; /* when fires > 0 */
    bool clocks_change;
    bool skipped; /* the zone has no such day */
};

struct page {
    const struct settings *settings;
    const struct flag_schedule *schedule;
    int32_t year;
    int32_t month;
    int32_t today; /* day number */
    bool unicode;
};

static struct day look_at(const struct page *page, int32_t number)
{
    const struct schedule_spec *spec = &page->schedule->definition.schedule;
    const struct zone *zone = flag_schedule_zone(page->schedule);
    int64_t local_s = (int64_t)number * CIVIL_SECONDS_PER_DAY;
    int64_t from_ms = zone_first_showing(zone, local_s) * 1000;
    int64_t to_ms = zone_first_showing(zone, local_s + CIVIL_SECONDS_PER_DAY) * 1000;
    struct day day = {.skipped = from_ms == to_ms};
    if (day.skipped) return day;
    day.fires = schedule_count(spec, from_ms - 1, to_ms - 1, UINT64_MAX);
    if (day.fires > 0 && !schedule_next(spec, from_ms - 1, &day.first_ms)) day.fires = 0;
    day.clocks_change = to_ms - from_ms != CIVIL_SECONDS_PER_DAY * INT64_C(1000);
    return day;
}

static void count_text(uint64_t count, char text[8])
{
    if (count < 1000) (void)snprintf(text, 8, "%" PRIu64, count);
    else (void)snprintf(text, 8, "%" PRIu64 "k", count / 1000 < 9999 ? count / 1000 : 9999);
}

/* What stands behind the day's number; returns its columns. */
static int day_mark(const struct page *page, const struct day *day, char mark[16])
{
    char count[8];
    mark[0] = '\0';
    if (day->skipped) return snprintf(mark, 16, "gone");
    if (day->fires == 0) return 0;
    if (day->fires == 1) {
        (void)snprintf(mark, 16, "%s", page->unicode ? "●" : "*");
        return 1;
    }
    count_text(day->fires, count);
    (void)snprintf(mark, 16, "%s%s", page->unicode ? "×" : "x", count);
    return 1 + (int)strlen(count);
}

/* One cell: the number of the day, how often it fires, '!' where the clocks change. */
static void print_cell(const struct page *page, int32_t date, int32_t number, bool last)
{
    struct day day = look_at(page, number);
    bool colour = page->settings->colour;
    char mark[16];
    int columns = day_mark(page, &day, mark);
    if (mark[0] != '\0' || day.clocks_change) columns++;
    const char *tone = !colour ? "" : day.fires > 0 ? "\x1b[1;32m" : "\x1b[2m";
    const char *frame = colour && number == page->today ? "\x1b[7m" : "";
    const char *plain = colour ? "\x1b[0m" : "";
    const char *change = colour ? "\x1b[33m!" : "!";
    (void)printf(" %s%s%2d%s", tone, frame, (int)date, plain);
    if (mark[0] != '\0') (void)printf(" %s%s%s", tone, mark, plain);
    if (day.clocks_change) (void)printf("%s%s%s", mark[0] == '\0' ? " " : "", change, plain);
    columns += 3 + day.clocks_change;
    if (!last) (void)printf("%*s", columns < CELL_COLUMNS ? CELL_COLUMNS - columns : 1, "");
}

static void print_month(const struct page *page)
{
    int32_t first = civil_days(page->year, page->month, 1);
    int32_t length = civil_days_in_month(page->year, page->month);
    bool colour = page->settings->colour;
    uint64_t fires = 0;
    int32_t days = 0;
    (void)printf("\n %s%s %d%s\n ", colour ? "\x1b[1m" : "", month_long[page->month],
                 (int)page->year, colour ? "\x1b[0m" : "");
    for (int i = 1; i <= WEEKDAYS; i++)
        (void)printf("%s%-*s%s", colour ? "\x1b[2m" : "", i < WEEKDAYS ? CELL_COLUMNS : 3,
                     weekday_short[i % WEEKDAYS], colour ? "\x1b[0m" : "");
    (void)putchar('\n');
    int column = (civil_weekday(first) + WEEKDAYS - 1) % WEEKDAYS; /* weeks begin on Monday */
    (void)printf("%*s", column * CELL_COLUMNS, "");
    for (int32_t date = 1; date <= length; date++) {
        struct day day = look_at(page, first + date - 1);
        fires += day.fires;
        days += day.fires > 0;
        print_cell(page, date, first + date - 1, column + 1 == WEEKDAYS || date == length);
        if (++column == WEEKDAYS && date < length) {
            (void)putchar('\n');
            column = 0;
        }
    }
    (void)printf("\n %s%" PRIu64 " %s on %d %s%s\n", colour ? "\x1b[2m" : "", fires,
                 fires == 1 ? "fire" : "fires", (int)days, days == 1 ? "day" : "days",
                 colour ? "\x1b[0m" : "");
}

static json_t *month_json(const struct page *page)
{
    int32_t first = civil_days(page->year, page->month, 1);
    int32_t length = civil_days_in_month(page->year, page->month);
    char name[LOCAL_TIME_BYTES];
    json_t *days = json_array();
    for (int32_t date = 1; date <= length; date++) {
        struct day day = look_at(page, first + date - 1);
        char text[LOCAL_TIME_BYTES];
        char at[INSTANT_TEXT_BYTES];
        if (day.fires == 0 && !day.clocks_change && !day.skipped) continue;
        (void)snprintf(text, sizeof text, "%04d-%02d-%02d", (int)page->year, (int)page->month,
                       (int)date);
        json_t *item = json_pack("{s:s,s:I}", "date", text, "fires", (json_int_t)day.fires);
        instant_format(day.first_ms, at);
        if (day.fires > 0) (void)json_object_set_new(item, "first", json_string(at));
        if (day.clocks_change) (void)json_object_set_new(item, "clocks_change", json_true());
        if (day.skipped) (void)json_object_set_new(item, "skipped", json_true());
        (void)json_array_append_new(days, item);
    }
    (void)snprintf(name, sizeof name, "%04d-%02d", (int)page->year, (int)page->month);
    return json_pack("{s:s,s:o}", "month", name, "days", days);
}

/* Whether the terminal's language says that it understands more than ASCII. */
static bool speaks_unicode(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value == NULL || value[0] == '\0') continue;
        return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
    }
    return false;
}

static void print_people(struct page *page, int64_t months)
{
    struct text_writer words = {0};
    schedule_words(&words, &page->schedule->definition.schedule);
    (void)printf(" %s (%s)\n", text_writer_terminated(&words),
                 flag_schedule_zone_name(page->schedule));
    text_writer_free(&words);
    for (int64_t i = 0; i < months && page->year <= 9999; i++) {
        print_month(page);
        page->year += page->month == 12;
        page->month = page->month % 12 + 1;
    }
}

void calendar_print(const struct settings *settings, const struct flag_schedule *schedule,
                    int64_t months)
{
    assert(months >= 1 && months <= CALENDAR_MONTHS_MAX);
    const struct zone *zone = flag_schedule_zone(schedule);
    int64_t local_s = local_seconds(zone, schedule->from_ms);
    struct civil_date date = local_date(local_s);
    struct page page = {.settings = settings,
                        .schedule = schedule,
                        .year = date.year,
                        .month = date.month,
                        .today = civil_days(date.year, date.month, date.day),
                        .unicode = speaks_unicode()};
    if (settings->output != OUTPUT_JSON && settings->output != OUTPUT_NDJSON) {
        print_people(&page, months);
        return;
    }
    json_t *all = json_array();
    for (int64_t i = 0; i < months && page.year <= 9999; i++) {
        (void)json_array_append_new(all, month_json(&page));
        page.year += page.month == 12;
        page.month = page.month % 12 + 1;
    }
    json_t *answer = json_pack("{s:s,s:o}", "zone", flag_schedule_zone_name(schedule), "months",
                               all);
    (void)json_dumpf(answer, stdout, JSON_COMPACT);
    (void)fputc('\n', stdout);
    json_decref(answer);
}
