#include "dispatcher/daemon/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/logfmt.h"
#include "lib/base/text.h"
#include "lib/time/instant.h"

enum { NUMBER_DIGITS_MAX = 15 /* exact in a double, which JSON readers use */ };
enum { TAIL_BYTES = 16 /* room kept for `cut=true`, the closing brace and the newline */ };

struct line {
    char *bytes;
    size_t length;
    enum log_format format;
};

const char *log_level_name(enum observer_level level)
{
    switch (level) {
    case LEVEL_DEBUG: return "debug";
    case LEVEL_INFO: return "info";
    case LEVEL_WARN: return "warn";
    case LEVEL_ERROR: return "error";
    case LEVEL_AS_SAID: break;
    }
    return "?";
}

static bool append(struct line *line, const char *bytes, size_t length)
{
    assert(line->length <= LOG_LINE_BYTES - TAIL_BYTES);
    if (length > LOG_LINE_BYTES - TAIL_BYTES - line->length) return false;
    memcpy(line->bytes + line->length, bytes, length);
    line->length += length;
    return true;
}

static bool is_quoted(struct text value)
{
    return value.length >= 2 && value.bytes[0] == '"' && value.bytes[value.length - 1] == '"';
}

/* A number as JSON writes it, so that it needs no quotes there. */
static bool is_number(struct text value)
{
    size_t i = value.length > 1 && value.bytes[0] == '-' ? 1 : 0;
    size_t digits = value.length - i;
    if (digits == 0 || digits > NUMBER_DIGITS_MAX) return false;
    if (value.bytes[i] == '0' && digits > 1) return false;
    for (; i < value.length; i++)
        if (value.bytes[i] < '0' || value.bytes[i] > '9') return false;
    return true;
}

/* Control characters cannot be in a field (logfmt_quote), except in an unquoted one. */
static bool append_clean(struct line *line, struct text value)
{
    for (size_t i = 0; i < value.length; i++) {
        char byte = value.bytes[i];
        bool bare_quote = line->format == LOG_JSON && (byte == '"' || byte == '\\');
        if ((unsigned char)byte < ' ' || bare_quote) byte = '?';
        if (!append(line, &byte, 1)) return false;
    }
    return true;
}

static bool append_value(struct line *line, struct text value)
{
    if (is_quoted(value)) return append(line, value.bytes, value.length);
    bool bare = line->format == LOG_LOGFMT || is_number(value) ||
                text_equal(value, text_of("true")) || text_equal(value, text_of("false"));
    if (bare) return append_clean(line, value);
    return append(line, "\"", 1) && append_clean(line, value) && append(line, "\"", 1);
}

/* One field, whole or not at all. */
static bool append_field(struct line *line, struct text key, struct text value)
{
    assert(line->bytes != NULL);
    size_t before = line->length;
    bool first = before == 0;
    bool whole;
    if (line->format == LOG_JSON)
        whole = append(line, first ? "{\"" : ",\"", 2) && append_clean(line, key) &&
                append(line, "\":", 2) && append_value(line, value);
    else
        whole = append(line, " ", first ? 0 : 1) && append_clean(line, key) &&
                append(line, "=", 1) && append_value(line, value);
    if (!whole) line->length = before;
    return whole;
}

/* One value of the event, whole or not at all; what says nothing is left out. */
static bool append_said(struct line *line, const struct observed_value *value)
{
    char shown[OBSERVED_TEXT_BYTES];
    const char *text = value->text;
    if (value->form == FORM_NUMBER) {
        (void)snprintf(shown, sizeof shown, "%" PRId64, value->number);
        text = shown;
    } else if (value->form == FORM_TEXT && text != NULL) {
        text = logfmt_quote(shown, sizeof shown, text_of(text));
    }
    return text == NULL || append_field(line, text_of(value->key), text_of(text));
}

unsigned long log_format_line(const struct log *log, enum observed_kind kind,
                              enum observer_level level, int32_t shard,
                              const struct observed *said, char bytes[LOG_LINE_BYTES])
{
    assert(log != NULL && log->clock != NULL);
    assert(said != NULL);
    const struct observed_row *row = observed_row(kind);
    struct line line = {.bytes = bytes, .format = log->format};
    char instant[INSTANT_TEXT_BYTES];
    char number[16];
    instant_format(log->clock->now_ms(log->clock->opaque), instant);
    (void)append_field(&line, text_of("ts"), text_of(instant));
    (void)append_field(&line, text_of("level"), text_of(log_level_name(level)));
    bool whole = append_field(&line, text_of("event"), text_of(row->name));
    if (shard >= 0) {
        (void)snprintf(number, sizeof number, "%" PRId32, shard);
        whole = whole && append_field(&line, text_of("shard"), text_of(number));
    }
    for (size_t i = 0; whole && i < OBSERVED_KEYS_MOST && row->keys[i] != KEY_NONE; i++) {
        struct observed_value value = observed_value(said, row->keys[i]);
        whole = append_said(&line, &value);
    }
    const char *end = log->format == LOG_JSON ? (whole ? "}\n" : ",\"cut\":true}\n")
                                              : (whole ? "\n" : " cut=true\n");
    memcpy(line.bytes + line.length, end, strlen(end));
    line.length += strlen(end);
    assert(line.length <= LOG_LINE_BYTES);
    return line.length;
}

static size_t format_missing(void *opaque, uint64_t count, char line[BELFRY_LINE_BYTES])
{
    const struct observed said = {.count = (int64_t)count};
    return log_format_line(opaque, OBSERVED_LOG_DROPPED, observed_row(OBSERVED_LOG_DROPPED)->level,
                           -1, &said, line);
}

bool log_start(struct log *log, int descriptor, struct error *error)
{
    assert(log != NULL && log->clock != NULL);
    log->lines = belfry_lines_create(descriptor, format_missing, log);
    if (log->lines != NULL) return true;
    return error_set(error, ERROR_FATAL, "no thread for the log");
}

void log_flush(const struct log *log, int64_t limit_ms)
{
    assert(log != NULL && log->lines != NULL);
    (void)belfry_lines_flush(log->lines, limit_ms);
}

static void told(void *opaque, enum observed_kind kind, enum observer_level level, int32_t shard,
                 const struct observed *said)
{
    const struct log *log = opaque;
    char line[LOG_LINE_BYTES];
    assert(log->lines != NULL);
    belfry_lines_put(log->lines, line, log_format_line(log, kind, level, shard, said, line));
}

struct observer observer_of_log(const struct log *log)
{
    assert(log != NULL);
    assert(log->clock != NULL);
    return (struct observer){.opaque = (void *)log, .lowest = log->lowest, .told = told};
}
