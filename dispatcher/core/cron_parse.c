/* cron_parse.c - the text of a cron expression to its masks. Each refusal names the field, the
 * column and what is allowed. */
#include "dispatcher/core/cron.h"

#include "dispatcher/core/limits.h"
#include "dispatcher/core/reader.h"

#include <assert.h>
#include <string.h>

static const char code_bad_cron[] = "bad_cron";
static const char code_not_supported[] = "not_supported";

enum { NAME_LETTERS = 3, FIELDS_MAX = 6, FIELDS_QUARTZ = 7 };

static const char month_names[][NAME_LETTERS + 1] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                     "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char weekday_names[][NAME_LETTERS + 1] = {"SUN", "MON", "TUE", "WED",
                                                       "THU", "FRI", "SAT"};

/* What one field may hold. */
struct field {
    const char *name;
    uint32_t low;
    uint32_t high;                        /* largest value that may be written */
    uint32_t last;                        /* where `*` and `a/n` end: 7 is Sunday again */
    const char (*names)[NAME_LETTERS + 1]; /* names of low, low + 1, ...; NULL = none */
    uint32_t names_count;
    bool question;       /* '?' stands for '*' */
    const char *later;   /* characters with a meaning that this version does not have */
    const char *allowed; /* for messages */
};

enum { FIELD_SECOND, FIELD_MINUTE, FIELD_HOUR, FIELD_DAY, FIELD_MONTH, FIELD_WEEKDAY };
static const struct field fields[FIELDS_MAX] = {
    [FIELD_SECOND] = {"second", 0, 59, 59, NULL, 0, false, "H", "0-59"},
    [FIELD_MINUTE] = {"minute", 0, 59, 59, NULL, 0, false, "H", "0-59"},
    [FIELD_HOUR] = {"hour", 0, 23, 23, NULL, 0, false, "H", "0-23"},
    [FIELD_DAY] = {"day-of-month", 1, 31, 31, NULL, 0, true, "HLW", "1-31"},
    [FIELD_MONTH] = {"month", 1, 12, 12, month_names, 12, false, "H", "1-12 or JAN-DEC"},
    [FIELD_WEEKDAY] = {"day-of-week", 0, 7, 6, weekday_names, 7, true, "HL#+",
                       "0-7 or SUN-SAT (0 and 7 are Sunday)"},
};

/* The mask of one field while it is read, and whether it restricts anything: a field with a bare
 * '*' or '?' does not, while a step on a star does. */
struct mask {
    uint64_t bits;
    bool restricted;
};

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool at_field_end(const struct reader *reader)
{
    return reader_at_end(reader) || is_space(reader_peek(reader));
}

/* The byte at the cursor fits nowhere: says so, or that its meaning is not built yet. */
static bool refuse_byte(const struct reader *reader, const struct field *field)
{
    assert(!reader_at_end(reader));
    assert(field->allowed != NULL);
    char byte = reader_upper(reader_peek(reader));
    if (byte != '\0' && strchr(field->later, byte) != NULL)
        return reader_refuse(reader, reader->at, code_not_supported,
                             "'%c' is not supported yet; allowed %s", byte, field->allowed);
    struct reader_excerpt found = reader_excerpt(reader, reader->at, reader->at + 1);
    return reader_refuse(reader, reader->at, code_bad_cron,
                         "unexpected '%s' (byte 0x%02x); allowed %s with , - / *%s", found.text,
                         (unsigned)(unsigned char)reader->text[reader->at], field->allowed,
                         field->question ? " ?" : "");
}

/* A three-letter name, as SUN, in any case. */
static bool read_name(struct reader *reader, const struct field *field, uint32_t *value)
{
    assert(reader_is_letter(reader_peek(reader)));
    assert(value != NULL);
    size_t start = reader->at;
    size_t end = start;
    while (end < reader->length && reader_is_letter(reader->text[end])) end++;
    for (uint32_t i = 0; i < field->names_count && end - start == NAME_LETTERS; i++) {
        const char *name = field->names[i];
        if (reader_upper(reader->text[start]) == name[0] &&
            reader_upper(reader->text[start + 1]) == name[1] &&
            reader_upper(reader->text[start + 2]) == name[2]) {
            reader->at = end;
            *value = field->low + i;
            return true;
        }
    }
    if (strchr(field->later, reader_upper(reader->text[start])) != NULL && end - start <= 2)
        return refuse_byte(reader, field);
    return reader_refuse(reader, start, code_bad_cron, "unknown name '%s'; allowed %s",
                         reader_excerpt(reader, start, end).text, field->allowed);
}

/* One value, a number or a name. *named tells which, since SUN may also end a range. */
static bool read_value(struct reader *reader, const struct field *field, uint32_t *value,
                       bool *named)
{
    assert(value != NULL);
    assert(named != NULL);
    size_t start = reader->at;
    *named = reader_is_letter(reader_peek(reader));
    if (*named) return read_name(reader, field, value);
    int64_t number = 0;
    if (reader_digits(reader, &number) == 0) {
        if (at_field_end(reader) || reader_peek(reader) == ',')
            return reader_refuse(reader, start, code_bad_cron, "a value is missing; allowed %s",
                                 field->allowed);
        return refuse_byte(reader, field);
    }
    if (number > field->high || number < field->low)
        return reader_refuse(reader, start, code_bad_cron, "%s is %s %u; allowed %s",
                             reader_excerpt(reader, start, reader->at).text,
                             number > field->high ? "above" : "below",
                             number > field->high ? field->high : field->low, field->allowed);
    *value = (uint32_t)number;
    return true;
}

/* The step after a '/'. */
static bool read_step(struct reader *reader, const struct field *field, uint32_t *step)
{
    assert(step != NULL);
    size_t start = reader->at;
    int64_t number = 0;
    if (reader_digits(reader, &number) == 0) {
        if (at_field_end(reader) || reader_peek(reader) == ',')
            return reader_refuse(reader, start, code_bad_cron,
                                 "a step is missing after '/'; allowed 1 and more");
        return refuse_byte(reader, field);
    }
    if (number == 0)
        return reader_refuse(reader, start, code_bad_cron, "step 0; allowed 1 and more");
    *step = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    return true;
}

static uint64_t stepped_bits(uint32_t first, uint32_t last, uint32_t step)
{
    assert(first <= last && last < 64);
    assert(step >= 1);
    uint64_t bits = 0;
    for (uint64_t value = first; value <= last; value += step) bits |= UINT64_C(1) << value;
    return bits;
}

/* "a-b" after its first value: the end of the range, which may not lie before its start. */
static bool read_range_end(struct reader *reader, const struct field *field, size_t start,
                           uint32_t first, uint32_t *last)
{
    assert(first <= field->high);
    assert(last != NULL);
    bool named = false;
    if (!read_value(reader, field, last, &named)) return false;
    if (named && *last == 0 && first > 0) *last = 7; /* FRI-SUN is 5-7 */
    if (*last >= first) return true;
    return reader_refuse(reader, start, code_bad_cron,
                         "range %s runs backwards; write it as two, %u-%u,%u-%u",
                         reader_excerpt(reader, start, reader->at).text, first, field->last,
                         field->low, *last);
}

/* One item of a list: '*', '?', a, a-b, each but '?' with or without a step. */
static bool read_item(struct reader *reader, const struct field *field, struct mask *mask,
                      uint32_t *warnings)
{
    assert(mask != NULL);
    assert(warnings != NULL);
    size_t start = reader->at;
    uint32_t first = field->low;
    uint32_t last = field->last;
    uint32_t step = 1;
    if (field->question && reader_take(reader, '?')) {
        mask->restricted = false;
        mask->bits |= stepped_bits(first, last, step);
        return true;
    }
    bool star = reader_take(reader, '*');
    bool range = false;
    if (!star) {
        bool named = false;
        if (!read_value(reader, field, &first, &named)) return false;
        range = reader_take(reader, '-');
        if (range && !read_range_end(reader, field, start, first, &last)) return false;
        if (!range) last = first;
    }
    bool stepped = reader_take(reader, '/');
    if (stepped) {
        if (!read_step(reader, field, &step)) return false;
        if (!star && !range) { /* a/n runs to the end; from Sunday when a is 7 */
            if (first > field->last) first = field->low;
            last = field->last;
        }
        if (step > 1 && step > last - first) *warnings |= CRON_WARNING_WIDE_STEP;
    }
    if (star && !stepped) mask->restricted = false;
    mask->bits |= stepped_bits(first, last, step);
    return true;
}

static bool read_field(struct reader *reader, const struct field *field, struct mask *mask,
                       uint32_t *warnings)
{
    assert(!at_field_end(reader));
    assert(mask->bits == 0 && mask->restricted);
    reader->subject = field->name;
    do {
        if (!read_item(reader, field, mask, warnings)) return false;
    } while (reader_take(reader, ','));
    if (!at_field_end(reader)) return refuse_byte(reader, field);
    if (field == &fields[FIELD_WEEKDAY] && (mask->bits >> 7 & 1) != 0)
        mask->bits = (mask->bits | 1) & 0x7f;
    assert(mask->bits != 0);
    return true;
}

static void skip_spaces(struct reader *reader)
{
    while (is_space(reader_peek(reader))) reader->at++;
}

/* Counts the words and notes where the last one starts. */
static uint32_t count_fields(struct reader reader, size_t *last_at)
{
    assert(reader.at <= reader.length);
    assert(last_at != NULL);
    uint32_t count = 0;
    skip_spaces(&reader);
    while (!reader_at_end(&reader)) {
        count++;
        *last_at = reader.at;
        while (!at_field_end(&reader)) reader.at++;
        skip_spaces(&reader);
    }
    return count;
}

static bool read_fields(struct reader *reader, struct cron *cron, uint32_t *warnings)
{
    assert(cron != NULL);
    assert(warnings != NULL);
    size_t last_at = reader->at;
    uint32_t count = count_fields(*reader, &last_at);
    if (count == FIELDS_QUARTZ)
        return reader_refuse(reader, last_at, code_not_supported,
                             "a seventh field (the year of the quartz dialect) is not supported "
                             "yet; give 5 fields, or 6 with seconds first");
    if (count != FIELDS_MAX && count != FIELDS_MAX - 1)
        return reader_refuse(reader, last_at, code_bad_cron,
                             "%u fields; give 5 (minute hour day-of-month month day-of-week), "
                             "or 6 with seconds first, or a nickname such as @daily", count);
    struct mask masks[FIELDS_MAX];
    for (uint32_t i = 0; i < FIELDS_MAX; i++) masks[i] = (struct mask){.restricted = true};
    masks[FIELD_SECOND].bits = 1; /* five fields: second 0 */
    for (uint32_t i = FIELDS_MAX - count; i < FIELDS_MAX; i++) {
        masks[i].bits = 0;
        skip_spaces(reader);
        if (!read_field(reader, &fields[i], &masks[i], warnings)) return false;
    }
    bool either = masks[FIELD_DAY].restricted && masks[FIELD_WEEKDAY].restricted;
    if (either) *warnings |= CRON_WARNING_BOTH_DAYS;
    *cron = (struct cron){
        .seconds = masks[FIELD_SECOND].bits,
        .minutes = masks[FIELD_MINUTE].bits,
        .hours = (uint32_t)masks[FIELD_HOUR].bits,
        .days = (uint32_t)masks[FIELD_DAY].bits,
        .months = (uint16_t)masks[FIELD_MONTH].bits,
        .weekdays = (uint8_t)masks[FIELD_WEEKDAY].bits,
        .flags = (uint8_t)(either ? CRON_DAY_EITHER : 0),
    };
    return true;
}

static bool word_is(const struct reader *reader, size_t length, const char *word)
{
    assert(reader->at + length <= reader->length);
    if (strlen(word) != length) return false;
    for (size_t i = 0; i < length; i++)
        if (reader_upper(reader->text[reader->at + i]) != reader_upper(word[i])) return false;
    return true;
}

/* "@daily" and the like: each is five fields. */
static bool read_nickname(struct reader *reader, struct cron *cron, uint32_t *warnings)
{
    static const struct {
        const char *name;
        const char *fields;
    } nicknames[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };
    assert(reader_peek(reader) == '@');
    assert(cron != NULL);
    size_t end = reader->at;
    while (end < reader->length && !is_space(reader->text[end])) end++;
    size_t length = end - reader->at;
    for (size_t i = 0; i < sizeof nicknames / sizeof nicknames[0]; i++) {
        if (!word_is(reader, length, nicknames[i].name)) continue;
        struct reader meaning = {.text = nicknames[i].fields, .subject = "cron",
                                 .length = strlen(nicknames[i].fields), .error = reader->error};
        reader->at = end;
        skip_spaces(reader);
        if (!reader_at_end(reader))
            return reader_refuse(reader, reader->at, code_bad_cron, "nothing may follow %s",
                                 nicknames[i].name);
        return read_fields(&meaning, cron, warnings);
    }
    if (word_is(reader, length, "@every"))
        return reader_refuse(reader, reader->at, code_not_supported,
                             "@every is not supported yet; use the schedule \"every\", as "
                             "{\"every\":\"15m\"}");
    return reader_refuse(reader, reader->at, code_bad_cron,
                         "unknown nickname '%s'; allowed @yearly @annually @monthly @weekly "
                         "@daily @midnight @hourly",
                         reader_excerpt(reader, reader->at, end).text);
}

/* "TZ=Zone " or "CRON_TZ=Zone " before the fields. */
static bool has_zone_prefix(const struct reader *reader)
{
    size_t left = reader->length - reader->at;
    if (left >= 8 && word_is(reader, 8, "CRON_TZ=")) return true;
    return left >= 3 && word_is(reader, 3, "TZ=");
}

bool cron_parse(const char *text, size_t length, struct cron *cron, uint32_t *warnings,
                struct error *error)
{
    assert(text != NULL || length == 0);
    assert(cron != NULL);
    struct reader reader = {.text = text, .length = length, .subject = "cron", .error = error};
    struct cron read = {0};
    uint32_t seen = 0;
    if (length > CRON_TEXT_BYTES_MAX)
        return reader_refuse(&reader, CRON_TEXT_BYTES_MAX, code_bad_cron,
                             "%zu bytes; at most %d are allowed", length, CRON_TEXT_BYTES_MAX);
    skip_spaces(&reader);
    if (has_zone_prefix(&reader))
        return reader_refuse(&reader, reader.at, code_not_supported,
                             "a zone prefix is not supported yet; schedules are in UTC");
    bool nickname = reader_peek(&reader) == '@';
    if (!(nickname ? read_nickname(&reader, &read, &seen) : read_fields(&reader, &read, &seen)))
        return false;
    cron_canonicalise(&read);
    reader.subject = "cron";
    if (!cron_fires(&read))
        return reader_refuse(&reader, 0, "never_fires",
                             "it would never fire: no month given has a day given; "
                             "change day-of-month or month");
    *cron = read;
    if (warnings != NULL) *warnings = seen;
    return true;
}

const char *cron_warning_text(enum cron_warning warning)
{
    switch (warning) {
    case CRON_WARNING_BOTH_DAYS:
        return "day-of-month and day-of-week are both set: it fires on days that match either";
    case CRON_WARNING_WIDE_STEP:
        return "a step is above the width of its range: only the first value of the range counts";
    }
    return "";
}
