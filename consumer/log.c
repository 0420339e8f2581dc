/* log.c - log lines in logfmt. */
#include "consumer/log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/logfmt.h"

enum { VALUE_BYTES_MAX = 400 };

static void append(struct belfry_fields *fields, const char *bytes, size_t count)
{
    assert(fields->length < sizeof fields->text);
    size_t room = sizeof fields->text - 1 - fields->length;
    if (count > room) count = room;
    memcpy(fields->text + fields->length, bytes, count);
    fields->length += count;
    fields->text[fields->length] = '\0';
    assert(fields->length < sizeof fields->text);
}

void belfry_fields_text(struct belfry_fields *fields, const char *name, const char *value)
{
    assert(name != NULL && value != NULL);
    if (fields->length > 0) append(fields, " ", 1);
    append(fields, name, strlen(name));
    append(fields, "=", 1);
    char shown[VALUE_BYTES_MAX + 1];
    (void)logfmt_value(shown, sizeof shown, text_of(value));
    append(fields, shown, strlen(shown));
}

void belfry_fields_number(struct belfry_fields *fields, const char *name, int64_t value)
{
    assert(fields != NULL);
    assert(name != NULL);
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    belfry_fields_text(fields, name, text);
}

static const char *level_name(enum belfry_level level)
{
    switch (level) {
    case BELFRY_LOG_DEBUG: return "debug";
    case BELFRY_LOG_INFO: return "info";
    case BELFRY_LOG_WARN: return "warn";
    case BELFRY_LOG_ERROR: return "error";
    }
    return "error";
}

static size_t format(char line[BELFRY_LINE_BYTES], enum belfry_level level, const char *event,
                     const char *fields)
{
    struct timespec now = {0};
    struct tm utc = {0};
    char date[32] = "";
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    int length = snprintf(line, BELFRY_LINE_BYTES, "ts=%s.%03dZ level=%s event=%s%s%s\n", date,
                          (int)(now.tv_nsec / 1000000), level_name(level), event,
                          fields[0] == '\0' ? "" : " ", fields);
    assert(length > 0);
    size_t bytes = length < BELFRY_LINE_BYTES ? (size_t)length : BELFRY_LINE_BYTES - 1;
    line[bytes - 1] = '\n';
    return bytes;
}

static size_t format_missing(void *opaque, uint64_t count, char line[BELFRY_LINE_BYTES])
{
    struct belfry_fields fields = {0};
    (void)opaque;
    belfry_fields_number(&fields, "count", (int64_t)count);
    return format(line, BELFRY_LOG_WARN, "log.dropped", fields.text);
}

struct belfry_lines *belfry_log_open(void)
{
    return belfry_lines_create(STDERR_FILENO, format_missing, NULL);
}

void belfry_log_write(struct belfry_lines *lines, enum belfry_level level, const char *event,
                      const char *fields)
{
    assert(lines != NULL);
    assert(event != NULL && fields != NULL);
    if (level == BELFRY_LOG_DEBUG) return;
    char line[BELFRY_LINE_BYTES];
    belfry_lines_put(lines, line, format(line, level, event, fields));
}
