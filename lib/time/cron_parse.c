/* cron_parse.c - the text of a cron expression to its masks. */
#include "lib/time/cron.h"

#include <assert.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/time/cron_field.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"

enum { FIELDS_STANDARD = 5, FIELDS_SECONDS = 6, FIELDS_QUARTZ = 7 };

static void skip_spaces(struct reader *reader)
{
    while (cron_is_space(reader_peek(reader))) reader->at++;
}

/* Counts the words and notes where the last one starts. */
static uint32_t count_fields(struct reader reader, size_t *last_at)
{
    uint32_t count = 0;
    skip_spaces(&reader);
    while (!reader_at_end(&reader)) {
        count++;
        *last_at = reader.at;
        while (!reader_at_end(&reader) && !cron_is_space(reader_peek(&reader))) reader.at++;
        skip_spaces(&reader);
    }
    return count;
}

static bool check_count(const struct reader *reader, enum cron_dialect dialect, uint32_t count,
                        size_t last_at)
{
    switch (dialect) {
    case CRON_STANDARD:
        if (count == FIELDS_STANDARD || count == FIELDS_SECONDS) return true;
        return reader_refuse(reader, last_at, CODE_BAD_CRON,
                             "%u fields; give 5 (minute hour day-of-month month day-of-week), "
                             "or 6 with seconds first, or a nickname such as @daily%s",
                             count, count == FIELDS_QUARTZ ? "; 7 only in the dialect quartz" : "");
    case CRON_SECONDS:
        if (count == FIELDS_SECONDS) return true;
        return reader_refuse(reader, last_at, CODE_BAD_CRON,
                             "%u fields; the dialect seconds has 6 (second minute hour "
                             "day-of-month month day-of-week)",
                             count);
    case CRON_QUARTZ:
        if (count == FIELDS_SECONDS || count == FIELDS_QUARTZ) return true;
        return reader_refuse(reader, last_at, CODE_BAD_CRON,
                             "%u fields; the dialect quartz has 6 (second minute hour "
                             "day-of-month month day-of-week) or 7 with the year last",
                             count);
    }
    return false;
}

/* Quartz wants a '?' in the day field that does not decide. */
static bool check_questions(const struct reader *reader, const struct cron_field *fields,
                            const size_t *starts)
{
    bool day = fields[CRON_FIELD_DAY].question;
    bool weekday = fields[CRON_FIELD_WEEKDAY].question;
    if (day != weekday) return true;
    return reader_refuse(reader, starts[CRON_FIELD_WEEKDAY], CODE_BAD_CRON,
                         day ? "'?' in both day fields; the dialect quartz has it in exactly one"
                             : "no '?' in day-of-month or day-of-week; the dialect quartz has it "
                               "in exactly one of them");
}

static void assemble(const struct cron_field *fields, struct cron_reading *reading)
{
    const struct cron_field *day = &fields[CRON_FIELD_DAY];
    const struct cron_field *weekday = &fields[CRON_FIELD_WEEKDAY];
    const struct cron_field *year = &fields[CRON_FIELD_YEAR];
    bool both = day->restricted && weekday->restricted;
    if (both && !weekday->both) reading->warnings |= CRON_WARNING_BOTH_DAYS;
    struct cron *cron = &reading->cron;
    *cron = (struct cron){
        .seconds = fields[CRON_FIELD_SECOND].bits,
        .minutes = fields[CRON_FIELD_MINUTE].bits,
        .hours = (uint32_t)fields[CRON_FIELD_HOUR].bits,
        .days = (uint32_t)day->bits,
        .months = (uint16_t)fields[CRON_FIELD_MONTH].bits,
        .weekdays = (uint8_t)weekday->bits,
        .nth = weekday->nth,
        .nearest = day->nearest,
        .before_last = day->before_last,
        .flags = (uint8_t)((both && !weekday->both ? CRON_DAY_EITHER : 0) |
                           (day->last_weekday ? CRON_LAST_WEEKDAY : 0)),
    };
    if (year->restricted) {
        memcpy(cron->years, year->years, sizeof cron->years);
        cron->flags |= CRON_YEARS;
    }
    reading->fixed_time = !fields[CRON_FIELD_MINUTE].star && !fields[CRON_FIELD_HOUR].star;
    for (uint32_t i = 0; i < CRON_FIELDS_MAX; i++) {
        reading->warnings |= fields[i].warnings;
        reading->hashed = reading->hashed || fields[i].hashed;
    }
}

/* With H in the month any of its months may be meant: the days must exist in each. */
static bool check_spread_month(const struct reader *reader, const struct cron_field *fields,
                               const size_t *starts, const struct cron *cron)
{
    if (!fields[CRON_FIELD_MONTH].hashed) return true;
    for (uint32_t month = 1; month <= 12; month++) {
        struct cron one = *cron;
        one.months = (uint16_t)(1 << month);
        cron_canonicalise(&one);
        if (!cron_fires(&one))
            return reader_refuse(reader, starts[CRON_FIELD_DAY], CODE_NEVER_FIRES,
                                 "H in month may choose one without such a day; allowed days "
                                 "that every month has");
    }
    return true;
}

static bool read_fields(struct reader *reader, const struct cron_options *options,
                        struct cron_reading *reading)
{
    size_t last_at = reader->at;
    uint32_t count = count_fields(*reader, &last_at);
    if (!check_count(reader, options->dialect, count, last_at)) return false;
    struct cron_field fields[CRON_FIELDS_MAX] = {{0}};
    size_t starts[CRON_FIELDS_MAX] = {0};
    fields[CRON_FIELD_SECOND].bits = 1; /* five fields: second 0 */
    uint32_t first = count == FIELDS_STANDARD ? CRON_FIELD_MINUTE : CRON_FIELD_SECOND;
    for (uint32_t kind = first; kind < first + count; kind++) {
        skip_spaces(reader);
        starts[kind] = reader->at;
        if (!cron_field_read(reader, (enum cron_field_kind)kind, options->dialect, options->name,
                             &fields[kind]))
            return false;
    }
    reader->subject = "cron";
    if (options->dialect == CRON_QUARTZ && !check_questions(reader, fields, starts)) return false;
    assemble(fields, reading);
    return check_spread_month(reader, fields, starts, &reading->cron);
}

/* Whether the next `length` bytes are the terminated word, in any case. */
static bool word_is(const struct reader *reader, size_t length, const char *word)
{
    if (strlen(word) != length) return false;
    for (size_t i = 0; i < length; i++)
        if (reader_upper(reader->text[reader->at + i]) != reader_upper(word[i])) return false;
    return true;
}

static bool read_interval(struct reader *reader, const struct cron_options *options,
                          struct cron_reading *reading)
{
    skip_spaces(reader);
    struct error error = {0};
    size_t length = reader->length - reader->at;
    if (options->zone.length > 0)
        return reader_refuse(reader, 0, CODE_BAD_CRON,
                             "@every counts elapsed time; leave the zone out");
    if (duration_parse(reader->text + reader->at, length, &reading->every_ms, &error) &&
        reading->every_ms > 0)
        return true;
    reading->every_ms = 0;
    return reader_refuse(reader, reader->at, CODE_BAD_CRON,
                         "@every needs a duration above 0, such as @every 1h30m");
}

static bool read_nickname(struct reader *reader, const struct cron_options *options,
                          struct cron_reading *reading)
{
    static const struct {
        const char *name;
        const char *fields;
    } nicknames[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };
    size_t end = reader->at;
    while (end < reader->length && !cron_is_space(reader->text[end])) end++;
    size_t length = end - reader->at;
    for (size_t i = 0; i < sizeof nicknames / sizeof nicknames[0]; i++) {
        if (!word_is(reader, length, nicknames[i].name)) continue;
        struct reader meaning = {.text = nicknames[i].fields, .subject = "cron",
                                 .length = strlen(nicknames[i].fields), .error = reader->error};
        struct cron_options standard = *options;
        standard.dialect = CRON_STANDARD;
        reader->at = end;
        skip_spaces(reader);
        if (!reader_at_end(reader))
            return reader_refuse(reader, reader->at, CODE_BAD_CRON, "nothing may follow %s",
                                 nicknames[i].name);
        return read_fields(&meaning, &standard, reading);
    }
    if (word_is(reader, length, "@every")) {
        reader->at = end;
        return read_interval(reader, options, reading);
    }
    return reader_refuse(reader, reader->at, CODE_BAD_CRON,
                         "unknown nickname '%s'; allowed @yearly @annually @monthly @weekly "
                         "@daily @midnight @hourly, and @every with a duration",
                         reader_excerpt(reader, reader->at, end).text);
}

/* The zone: of a prefix "TZ=Zone " or "CRON_TZ=Zone ", of the field, or none. */
static bool read_zone(struct reader *reader, const struct cron_options *options, struct text *name,
                      const struct zone **zone)
{
    size_t left = reader->length - reader->at;
    size_t prefix = left >= 8 && word_is(reader, 8, "CRON_TZ=") ? 8
                    : left >= 3 && word_is(reader, 3, "TZ=")    ? 3
                                                                : 0;
    struct error error = {0};
    size_t start = reader->at;
    *name = options->zone;
    if (prefix > 0) {
        start += prefix;
        size_t end = start;
        while (end < reader->length && !cron_is_space(reader->text[end])) end++;
        *name = (struct text){reader->text + start, end - start};
        reader->at = end;
        skip_spaces(reader);
        if (options->zone.length > 0 && !text_equal(*name, options->zone))
            return reader_refuse(reader, start, CODE_BAD_CRON,
                                 "the zone '%s' of the prefix contradicts the field zone; give one",
                                 reader_excerpt(reader, start, end).text);
    }
    if (options->zone_known) *zone = options->known_zone;
    if (options->zone_known || (name->length == 0 && prefix == 0)) return true;
    if (zone_find(options->zones, *name, zone, &error)) return true;
    if (prefix > 0) return reader_refuse(reader, start, CODE_UNKNOWN_ZONE, "%s", error.message);
    return error_invalid(reader->error, CODE_UNKNOWN_ZONE, "%s", error.message);
}

/* Whether it ever fires. */
static bool judge_instants(struct reader *reader, const struct cron *cron, bool moves)
{
    int64_t first_ms = 0;
    if (!cron_fires(cron))
        return reader_refuse(reader, 0, CODE_NEVER_FIRES,
                             "it would never fire: no month given has a day given; "
                             "change day-of-month, month or day-of-week");
    bool exact = (cron->flags & CRON_ONCE) == 0;
    if (exact && moves && !cron_next(cron, INSTANT_MIN_MS - 1, &first_ms))
        return reader_refuse(reader, 0, CODE_NEVER_FIRES,
                             "it would never fire: the clocks skip each time given");
    return true;
}

bool cron_parse(const char *text, size_t length, const struct cron_options *options,
                struct cron_reading *reading, struct error *error)
{
    assert(text != NULL || length == 0);
    assert(options != NULL);
    assert(reading != NULL);
    struct reader reader = {.text = text, .length = length, .subject = "cron", .error = error};
    struct cron_reading read = {0};
    const struct zone *zone = NULL;
    struct text zone_name = {NULL, 0};
    if (length > CRON_TEXT_BYTES_MAX)
        return reader_refuse(&reader, CRON_TEXT_BYTES_MAX, CODE_BAD_CRON,
                             "%zu bytes; at most %d are allowed", length, CRON_TEXT_BYTES_MAX);
    skip_spaces(&reader);
    if (!read_zone(&reader, options, &zone_name, &zone)) return false;
    bool nickname = reader_peek(&reader) == '@';
    if (!(nickname ? read_nickname(&reader, options, &read) : read_fields(&reader, options, &read)))
        return false;
    if (read.every_ms > 0) {
        *reading = read;
        return true;
    }
    bool moves = zone != NULL && !zone_is_fixed(zone);
    read.cron.zone = zone;
    if (moves && read.fixed_time && options->dst == CRON_DST_VIXIE) read.cron.flags |= CRON_ONCE;
    if (zone_name.length == 0) read.warnings |= CRON_WARNING_NO_ZONE;
    if (read.hashed && options->name.length == 0) read.warnings |= CRON_WARNING_NO_NAME;
    cron_canonicalise(&read.cron);
    reader.subject = "cron";
    if (!judge_instants(&reader, &read.cron, moves)) return false;
    *reading = read;
    return true;
}

const char *cron_warning_text(enum cron_warning warning)
{
    switch (warning) {
    case CRON_WARNING_BOTH_DAYS:
        return "day-of-month and day-of-week are both set: it fires on days that match either";
    case CRON_WARNING_WIDE_STEP:
        return "a step is above the width of its range: only the first value of the range counts";
    case CRON_WARNING_NO_ZONE:
        return "no zone is given: the time is UTC; say \"zone\":\"UTC\" or a place such as "
               "Europe/Berlin";
    case CRON_WARNING_NO_NAME:
        return "H depends on the job's name, which is not known here: each job gets its own value";
    }
    return "";
}
