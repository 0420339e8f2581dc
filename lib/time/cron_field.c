/* cron_field.c - the text of one field to its masks. Each refusal names the field, the column and
 * what is allowed. */
#include "lib/time/cron_field.h"

#include <assert.h>

#include "lib/base/hash.h"

enum { NAME_LETTERS = 3, WEEKDAYS = 7, DAY_OF_ALL_MONTHS = 28, DAYS_BEFORE_LAST_MAX = 30 };

static const char month_names[][NAME_LETTERS + 1] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                     "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char weekday_names[][NAME_LETTERS + 1] = {"SUN", "MON", "TUE", "WED",
                                                       "THU", "FRI", "SAT"};

/* What one field may hold. */
struct form {
    const char *name;
    uint32_t low;
    uint32_t high;                         /* largest value that may be written */
    uint32_t last;                         /* where `*` and `a/n` end: 7 is Sunday again */
    const char (*names)[NAME_LETTERS + 1]; /* names of low, low + 1, ...; NULL = none */
    uint32_t names_count;
    bool question; /* '?' stands for '*' */
    const char *allowed;
    const char *signs; /* for messages: what may stand beside values */
};

static const struct form forms[CRON_FIELDS_MAX] = {
    [CRON_FIELD_SECOND] = {"second", 0, 59, 59, NULL, 0, false, "0-59", ", - / * H"},
    [CRON_FIELD_MINUTE] = {"minute", 0, 59, 59, NULL, 0, false, "0-59", ", - / * H"},
    [CRON_FIELD_HOUR] = {"hour", 0, 23, 23, NULL, 0, false, "0-23", ", - / * H"},
    [CRON_FIELD_DAY] = {"day-of-month", 1, 31, 31, NULL, 0, true, "1-31", ", - / * ? L W H"},
    [CRON_FIELD_MONTH] = {"month", 1, 12, 12, month_names, 12, false, "1-12 or JAN-DEC",
                          ", - / * H"},
    [CRON_FIELD_WEEKDAY] = {"day-of-week", 0, 7, 6, weekday_names, 7, true,
                            "0-7 or SUN-SAT (0 and 7 are Sunday)", ", - / * ? L # H"},
    [CRON_FIELD_YEAR] = {"year", CRON_YEAR_FIRST, CRON_YEAR_LAST, CRON_YEAR_LAST, NULL, 0, false,
                         "1970-2099", ", - / *"},
};
static const struct form quartz_weekday = {
    "day-of-week", 1, 7, 7, weekday_names, 7, true, "1-7 or SUN-SAT (1 is Sunday)",
    ", - / * ? L # H"};

/* A field on its way: where the text is, what it may say, what it has said. */
struct work {
    struct reader *reader;
    const struct form *form;
    enum cron_field_kind kind;
    bool wraps; /* FRI-MON is allowed */
    struct text name;
    struct cron_field *field;
};

static bool at_field_end(const struct reader *reader)
{
    return reader_at_end(reader) || cron_is_space(reader_peek(reader));
}

static bool at_item_end(const struct reader *reader)
{
    return at_field_end(reader) || reader_peek(reader) == ',';
}

static bool next_is(const struct reader *reader, char letter)
{
    return reader_upper(reader_peek(reader)) == letter;
}

static bool take_letter(struct reader *reader, char letter)
{
    if (!next_is(reader, letter)) return false;
    reader->at++;
    return true;
}

/* The byte at the cursor fits nowhere. */
static bool refuse_byte(const struct work *work)
{
    const struct reader *reader = work->reader;
    assert(!reader_at_end(reader));
    struct reader_excerpt found = reader_excerpt(reader, reader->at, reader->at + 1);
    return reader_refuse(reader, reader->at, CODE_BAD_CRON,
                         "unexpected '%s' (byte 0x%02x); allowed %s with %s", found.text,
                         (unsigned)(unsigned char)reader->text[reader->at], work->form->allowed,
                         work->form->signs);
}

static bool refuse_missing(const struct work *work, const char *what, const char *allowed)
{
    if (!at_item_end(work->reader)) return refuse_byte(work);
    return reader_refuse(work->reader, work->reader->at, CODE_BAD_CRON, "%s is missing; allowed %s",
                         what, allowed);
}

/* A three-letter name, as SUN, in any case; in the day of the week an L may follow. */
static bool read_name(const struct work *work, uint32_t *value)
{
    struct reader *reader = work->reader;
    const struct form *form = work->form;
    size_t start = reader->at;
    size_t end = start;
    while (end < reader->length && reader_is_letter(reader->text[end])) end++;
    size_t letters = end - start;
    bool last = letters == NAME_LETTERS + 1 && work->kind == CRON_FIELD_WEEKDAY &&
                reader_upper(reader->text[end - 1]) == 'L';
    for (uint32_t i = 0; i < form->names_count && (letters == NAME_LETTERS || last); i++) {
        const char *name = form->names[i];
        if (reader_upper(reader->text[start]) == name[0] &&
            reader_upper(reader->text[start + 1]) == name[1] &&
            reader_upper(reader->text[start + 2]) == name[2]) {
            reader->at = start + NAME_LETTERS;
            *value = form->low + i;
            return true;
        }
    }
    return reader_refuse(reader, start, CODE_BAD_CRON, "unknown name '%s'; allowed %s with %s",
                         reader_excerpt(reader, start, end).text, form->allowed, form->signs);
}

static bool check_bounds(const struct work *work, size_t start, int64_t number, uint32_t low,
                         uint32_t high, const char *allowed)
{
    if (number >= low && number <= high) return true;
    return reader_refuse(work->reader, start, CODE_BAD_CRON, "%s is %s %u; allowed %s",
                         reader_excerpt(work->reader, start, work->reader->at).text,
                         number > high ? "above" : "below", number > high ? high : low, allowed);
}

/* One value, a number or a name. *named tells which, since SUN may also end a range. */
static bool read_value(const struct work *work, uint32_t *value, bool *named)
{
    struct reader *reader = work->reader;
    size_t start = reader->at;
    *named = reader_is_letter(reader_peek(reader));
    if (*named) return read_name(work, value);
    int64_t number = 0;
    if (reader_digits(reader, &number) == 0)
        return refuse_missing(work, "a value", work->form->allowed);
    if (!check_bounds(work, start, number, work->form->low, work->form->high, work->form->allowed))
        return false;
    *value = (uint32_t)number;
    return true;
}

/* The step after a '/'. */
static bool read_step(const struct work *work, uint32_t *step)
{
    struct reader *reader = work->reader;
    size_t start = reader->at;
    int64_t number = 0;
    if (reader_digits(reader, &number) == 0)
        return refuse_missing(work, "a step after '/'", "1 and more");
    if (number == 0)
        return reader_refuse(reader, start, CODE_BAD_CRON, "step 0; allowed 1 and more");
    *step = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    return true;
}

/* A value as it was written: bit 0 of the day of the week is Sunday, of the year 1970. */
static void add_value(const struct work *work, uint32_t value)
{
    struct cron_field *field = work->field;
    if (work->kind == CRON_FIELD_YEAR) {
        uint32_t bit = value - CRON_YEAR_FIRST;
        field->years[bit / 32] |= UINT32_C(1) << bit % 32;
        return;
    }
    if (work->kind == CRON_FIELD_WEEKDAY) value = (value - work->form->low) % WEEKDAYS;
    field->bits |= UINT64_C(1) << value;
}

/* first, first + step, ... up to last; a last below first goes round by the end of the field. */
static void add_range(const struct work *work, uint32_t first, uint32_t last, uint32_t step)
{
    assert(step >= 1);
    uint32_t width = work->form->last - work->form->low + 1;
    uint64_t end = last >= first ? last : last + width;
    for (uint64_t value = first; value <= end; value += step)
        add_value(work, value > work->form->high ? (uint32_t)value - width : (uint32_t)value);
}

/* "a-b" after its first value. The end may lie before the start only where ranges wrap. */
static bool read_range_end(const struct work *work, size_t start, uint32_t first, uint32_t *last)
{
    const struct form *form = work->form;
    bool named = false;
    if (!read_value(work, last, &named)) return false;
    if (named && *last == 0 && first > 0) *last = 7; /* FRI-SUN is 5-7 */
    if (*last >= first || work->wraps) return true;
    if (work->kind == CRON_FIELD_WEEKDAY && first > form->last)
        return reader_refuse(work->reader, start, CODE_BAD_CRON,
                             "range %s runs backwards; write it as %u-%u, which begins with Sunday",
                             reader_excerpt(work->reader, start, work->reader->at).text, form->low,
                             *last);
    return reader_refuse(work->reader, start, CODE_BAD_CRON,
                         "range %s runs backwards; write it as two, %u-%u,%u-%u",
                         reader_excerpt(work->reader, start, work->reader->at).text, first,
                         form->last, form->low, *last);
}

/* ---- H ---- */

static uint64_t spread(const struct work *work)
{
    static const uint8_t key[HASH_KEY_BYTES] = "belfry H spreads";
    uint8_t kind = (uint8_t)work->kind;
    return hash_siphash(key, work->name.bytes, work->name.length) ^
           hash_siphash(key, &kind, sizeof kind);
}

/* (a-b) after H. */
static bool read_spread_range(const struct work *work, uint32_t *low, uint32_t *high)
{
    struct reader *reader = work->reader;
    bool named = false;
    size_t start = reader->at;
    if (!reader_take(reader, '(')) return true;
    uint32_t most = *high;
    if (!read_value(work, low, &named)) return false;
    if (!reader_take(reader, '-')) return refuse_missing(work, "'-' and an end", "H(a-b)");
    size_t end_start = reader->at;
    if (!read_value(work, high, &named)) return false;
    if (work->kind == CRON_FIELD_DAY && *high > most)
        return reader_refuse(reader, end_start, CODE_BAD_CRON,
                             "H may go up to 28 here; allowed 1-28, which every month has");
    if (*high > most) *high = most;
    if (*high < *low)
        return reader_refuse(reader, start, CODE_BAD_CRON,
                             "the range of H runs backwards; "
                             "allowed H(a-b) with a up to b");
    if (!reader_take(reader, ')')) return refuse_missing(work, "')'", "H(a-b)");
    return true;
}

/* H, H(a-b), H/n, H(a-b)/n: a stable value of the job's name, or every n from one below n. */
static bool read_spread(const struct work *work)
{
    uint32_t low = work->form->low;
    uint32_t high = work->kind == CRON_FIELD_DAY ? DAY_OF_ALL_MONTHS : work->form->last;
    uint32_t step = 0;
    if (!read_spread_range(work, &low, &high)) return false;
    uint32_t width = high - low + 1;
    if (reader_take(work->reader, '/') && !read_step(work, &step)) return false;
    if (step > 1 && step > width - 1) work->field->warnings |= CRON_WARNING_WIDE_STEP;
    work->field->hashed = true;
    uint32_t choices = step == 0 || step > width ? width : step;
    uint32_t first = low + (uint32_t)(spread(work) % choices);
    add_range(work, first, step == 0 ? first : high, step == 0 ? 1 : step);
    return true;
}

/* ---- L, W, # ---- */

/* L, L-n, LW in the day of the month. */
static bool read_last_day(const struct work *work)
{
    struct reader *reader = work->reader;
    if (take_letter(reader, 'W')) {
        work->field->last_weekday = true;
        return true;
    }
    int64_t before = 0;
    if (reader_take(reader, '-')) {
        size_t start = reader->at;
        if (reader_digits(reader, &before) == 0)
            return refuse_missing(work, "a number of days after 'L-'", "L-0 to L-30");
        if (!check_bounds(work, start, before, 0, DAYS_BEFORE_LAST_MAX, "L-0 to L-30"))
            return false;
    }
    work->field->before_last |= UINT32_C(1) << before;
    return true;
}

/* What may follow a day of the week: #n, L. */
static bool read_nth(const struct work *work, uint32_t value, bool *taken)
{
    struct reader *reader = work->reader;
    uint32_t weekday = (value - work->form->low) % WEEKDAYS;
    uint32_t which = CRON_NTH_LAST;
    *taken = true;
    if (reader_take(reader, '#')) {
        size_t start = reader->at;
        int64_t number = 0;
        if (reader_digits(reader, &number) == 0)
            return refuse_missing(work, "a number after '#'", "#1 to #5");
        if (!check_bounds(work, start, number, 1, CRON_NTH_LAST, "#1 to #5")) return false;
        which = (uint32_t)number - 1;
    } else if (!take_letter(reader, 'L')) {
        *taken = false;
        return true;
    }
    work->field->nth |= UINT64_C(1) << (WEEKDAYS * which + weekday);
    return true;
}

/* The items that are not a range. *taken: this was one of them. */
static bool read_special(const struct work *work, bool *taken)
{
    struct reader *reader = work->reader;
    *taken = true;
    if (next_is(reader, 'H') && work->kind != CRON_FIELD_YEAR) {
        reader->at++;
        return read_spread(work);
    }
    if (work->kind == CRON_FIELD_DAY && take_letter(reader, 'L')) return read_last_day(work);
    if (work->kind == CRON_FIELD_WEEKDAY && next_is(reader, 'L')) {
        if (work->form->low == 0)
            return reader_refuse(reader, reader->at, CODE_BAD_CRON,
                                 "L needs a day here; allowed 5L or FRIL for the last Friday");
        reader->at++; /* quartz: the last day of the week */
        work->field->bits |= UINT64_C(1) << (WEEKDAYS - 1);
        return true;
    }
    *taken = false;
    return true;
}

/* ---- items ---- */

/* "/n" after a range, a star or a single value, and the values themselves. */
static bool finish_range(const struct work *work, bool star, bool range, uint32_t first,
                         uint32_t last)
{
    const struct form *form = work->form;
    uint32_t step = 1;
    bool stepped = reader_take(work->reader, '/');
    if (stepped) {
        if (!read_step(work, &step)) return false;
        if (!star && !range) { /* a/n runs to the end; from Sunday when a is 7 */
            if (first > form->last) first = form->low;
            last = form->last;
        }
        uint32_t width = last >= first ? last - first : last + form->last - form->low + 1 - first;
        if (step > 1 && step > width) work->field->warnings |= CRON_WARNING_WIDE_STEP;
    }
    if (star && !stepped) work->field->restricted = false;
    add_range(work, first, last, step);
    return true;
}

/* One item of a list: '*', '?', a, a-b, each but '?' with or without a step, or a special one. */
static bool read_item(const struct work *work)
{
    struct reader *reader = work->reader;
    const struct form *form = work->form;
    size_t start = reader->at;
    bool taken = false;
    if (form->question && reader_take(reader, '?')) {
        work->field->restricted = false;
        work->field->question = true;
        add_range(work, form->low, form->last, 1);
        return true;
    }
    if (reader_take(reader, '*')) return finish_range(work, true, true, form->low, form->last);
    if (!read_special(work, &taken)) return false;
    if (taken) return true;
    bool named = false;
    uint32_t first = 0;
    if (!read_value(work, &first, &named)) return false;
    if (work->kind == CRON_FIELD_DAY && take_letter(reader, 'W')) {
        work->field->nearest |= UINT32_C(1) << first;
        return true;
    }
    if (work->kind == CRON_FIELD_WEEKDAY) {
        if (!read_nth(work, first, &taken)) return false;
        if (taken) return true;
    }
    uint32_t last = first;
    bool range = reader_take(reader, '-');
    if (range && !read_range_end(work, start, first, &last)) return false;
    return finish_range(work, false, range, first, last);
}

bool cron_field_read(struct reader *reader, enum cron_field_kind kind, enum cron_dialect dialect,
                     struct text name, struct cron_field *field)
{
    assert(!at_field_end(reader));
    assert(kind < CRON_FIELDS_MAX);
    bool quartz = dialect == CRON_QUARTZ;
    const struct form *form = quartz && kind == CRON_FIELD_WEEKDAY ? &quartz_weekday : &forms[kind];
    struct work work = {reader, form, kind, quartz && kind != CRON_FIELD_YEAR, name, field};
    reader->subject = form->name;
    *field = (struct cron_field){.restricted = true, .star = reader_peek(reader) == '*'};
    if (kind == CRON_FIELD_WEEKDAY && reader_peek(reader) == '+') {
        if (quartz)
            return reader_refuse(reader, reader->at, CODE_BAD_CRON,
                                 "'+' does not belong to the quartz dialect; allowed %s",
                                 form->allowed);
        reader->at++;
        field->both = true;
    }
    uint32_t items = 0;
    do {
        if (!read_item(&work)) return false;
        items++;
    } while (reader_take(reader, ','));
    if (!at_field_end(reader)) return refuse_byte(&work);
    if (items > 1) field->question = false;
    return true;
}
