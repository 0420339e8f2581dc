#include "cli/words/run_flags.h"

#include <assert.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/words/cli.h"

enum { DECIMAL_BYTES_MAX = 20, EXCERPT_BYTES = 40 };
enum flag_kind { FLAG_TEXT, FLAG_NUMBER, FLAG_DECIMAL, FLAG_WORDS, FLAG_CODES };

struct flag_row {
    const char *option;
    const char *member;
    enum flag_kind kind;
    bool retry; /* it stands in the member "retry" */
};

static const struct flag_row flag_rows[] = {
    {"lease", "lease", FLAG_TEXT, false},
    {"workers", "workers", FLAG_TEXT, false},
    {"lease-mode", "lease_mode", FLAG_TEXT, false},
    {"start-within", "start_within", FLAG_TEXT, false},
    {"overlap", "overlap", FLAG_TEXT, false},
    {"overlap-limit", "overlap_limit", FLAG_NUMBER, false},
    {"pause-after-failures", "pause_after_failures", FLAG_NUMBER, false},
    {"retry-attempts", "attempts", FLAG_NUMBER, true},
    {"retry-initial", "initial", FLAG_TEXT, true},
    {"retry-factor", "factor", FLAG_DECIMAL, true},
    {"retry-max", "max", FLAG_TEXT, true},
    {"retry-on", "on", FLAG_WORDS, true},
    {"retry-not-on-exit", "not_on_exit", FLAG_CODES, true},
    {"retry-within", "within", FLAG_TEXT, true},
    {"poison-after", "poison_after", FLAG_NUMBER, true},
};
enum { FLAG_ROWS = sizeof flag_rows / sizeof flag_rows[0] };

static int excerpt(struct text text)
{
    return text.length > EXCERPT_BYTES ? EXCERPT_BYTES : (int)text.length;
}

static bool write_string(struct text_writer *out, const char *option, struct text text,
                         struct error *error)
{
    struct error refused = {0};
    if (json_text_string(out, text.bytes, text.length, &refused)) return true;
    return error_invalid(error, CODE_USAGE, "--%s: %s", option, refused.message);
}

static bool write_number(struct text_writer *out, const char *option, struct text text,
                         struct error *error)
{
    char digits[24] = "";
    int64_t number = 0;
    if (text.length < sizeof digits) memcpy(digits, text.bytes, text.length);
    if (!number_parse(digits, 0, INT64_MAX, &number))
        return error_invalid(error, CODE_USAGE, "--%s: \"%.*s\" is not a whole number of at least "
                             "0", option, excerpt(text), text.bytes);
    text_writer_integer(out, number);
    return true;
}

/* Digits, and if you like a point and digits: as JSON has it, and passed on as it is. */
static bool write_decimal(struct text_writer *out, const char *option, struct text text,
                          struct error *error)
{
    size_t whole = strspn(text.bytes, "0123456789");
    size_t rest = text.bytes[whole] == '.' ? 1 + strspn(text.bytes + whole + 1, "0123456789") : 0;
    bool number = whole > 0 && (whole == 1 || text.bytes[0] != '0') && rest != 1 &&
                  whole + rest == text.length && text.length <= DECIMAL_BYTES_MAX;
    if (!number)
        return error_invalid(error, CODE_USAGE, "--%s: \"%.*s\" is not a number such as 2 or 1.5",
                             option, excerpt(text), text.bytes);
    text_writer_raw(out, text);
    return true;
}

/* The items of each occurrence, which are separated by commas. */
static bool write_list(struct text_writer *out, const struct flag_row *row,
                       const struct arguments *arguments, struct error *error)
{
    size_t at = 0;
    const char *value = NULL;
    text_writer_char(out, '[');
    while ((value = arguments_next(arguments, row->option, &at)) != NULL) {
        size_t length = 0;
        for (bool more = true; more; value += length + 1) {
            length = strcspn(value, ",");
            more = value[length] == ',';
            text_writer_comma(out);
            if (!(row->kind == FLAG_CODES ? write_number : write_string)(
                    out, row->option, (struct text){value, length}, error))
                return false;
        }
    }
    text_writer_char(out, ']');
    return true;
}

static bool write_flag(struct text_writer *out, const struct flag_row *row,
                       const struct arguments *arguments, struct error *error)
{
    struct text value = text_of(arguments_value(arguments, row->option));
    text_writer_member(out, row->member);
    switch (row->kind) {
    case FLAG_TEXT: return write_string(out, row->option, value, error);
    case FLAG_NUMBER: return write_number(out, row->option, value, error);
    case FLAG_DECIMAL: return write_decimal(out, row->option, value, error);
    case FLAG_WORDS:
    case FLAG_CODES: return write_list(out, row, arguments, error);
    }
    assert(false);
    return false;
}

static bool write_flags(struct text_writer *out, bool retry, const struct arguments *arguments,
                        struct error *error)
{
    for (int i = 0; i < FLAG_ROWS; i++) {
        const struct flag_row *row = &flag_rows[i];
        if (row->retry != retry || !arguments_has(arguments, row->option)) continue;
        if (!write_flag(out, row, arguments, error)) return false;
    }
    return true;
}

static bool write_retry(struct text_writer *out, const struct arguments *arguments,
                        struct error *error)
{
    struct text_writer inside = {0};
    bool written = write_flags(&inside, true, arguments, error);
    if (inside.length > 0) {
        text_writer_member(out, "retry");
        text_writer_char(out, '{');
        text_writer_raw(out, text_writer_text(&inside));
        text_writer_char(out, '}');
    }
    text_writer_free(&inside);
    return written;
}

/* All that a job says about its runs goes back to its default. */
static bool write_no_lease(struct text_writer *out, const struct arguments *arguments,
                           struct error *error)
{
    if (!arguments_has(arguments, "no-lease")) return true;
    for (const struct option_row *row = options_runs; row->name != NULL; row++)
        if (arguments_has(arguments, row->name))
            return error_invalid(error, CODE_USAGE, "give --no-lease or --%s, not both",
                                 row->name);
    for (int i = 0; i < FLAG_ROWS; i++) {
        if (flag_rows[i].retry) continue;
        text_writer_member(out, flag_rows[i].member);
        text_writer_words(out, "null");
    }
    text_writer_member(out, "retry");
    text_writer_words(out, "null");
    return true;
}

bool run_flags_write(struct text_writer *out, const struct arguments *arguments,
                     struct error *error)
{
    assert(out != NULL && arguments != NULL);
    return write_flags(out, false, arguments, error) && write_retry(out, arguments, error) &&
           write_no_lease(out, arguments, error);
}
