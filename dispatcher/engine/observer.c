#include "dispatcher/engine/observer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { FIELDS_BYTES = 2048, ESCAPE_BYTES_MAX = 4 };

void observe(const struct observer *observer, enum observer_level level, const char *event,
             int32_t shard, const char *format, ...)
{
    assert(observer != NULL && event != NULL);
    assert(format != NULL);
    if (level < observer->lowest || observer->line == NULL) return;
    char fields[FIELDS_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fields, sizeof fields, format, arguments);
    va_end(arguments);
    observer->line(observer->opaque, level, event, shard, fields);
}

/* How one byte stands inside the quotes; UTF-8 goes through as it is. Returns its length. */
static size_t escape(unsigned char byte, char escaped[ESCAPE_BYTES_MAX + 1])
{
    const char *letter = NULL;
    switch (byte) {
    case '"': letter = "\\\""; break;
    case '\\': letter = "\\\\"; break;
    case '\n': letter = "\\n"; break;
    case '\r': letter = "\\r"; break;
    case '\t': letter = "\\t"; break;
    default: break;
    }
    if (letter != NULL)
        (void)snprintf(escaped, ESCAPE_BYTES_MAX + 1, "%s", letter);
    else if (byte < ' ' || byte == 0x7f)
        (void)snprintf(escaped, ESCAPE_BYTES_MAX + 1, "?");
    else
        (void)snprintf(escaped, ESCAPE_BYTES_MAX + 1, "%c", byte);
    size_t length = strlen(escaped);
    assert(length > 0 && length <= ESCAPE_BYTES_MAX);
    return length;
}

/* Not in the middle of a character: back over the continuation bytes and their first byte. */
static size_t cut_utf8(const char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) start--;
    if (start == 0) return 0;
    unsigned char first = (unsigned char)text[start - 1];
    size_t needed = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    return length - start < needed ? start - 1 : length;
}

const char *observer_quote(char *quoted, unsigned long bytes, const char *text)
{
    assert(quoted != NULL && text != NULL);
    assert(bytes >= 3);
    size_t length = 0;
    size_t room = bytes - 3; /* two quotes and the terminator */
    bool cut = false;
    quoted[length++] = '"';
    for (const char *at = text; *at != '\0' && !cut; at++) {
        char escaped[ESCAPE_BYTES_MAX + 1];
        size_t needed = escape((unsigned char)*at, escaped);
        cut = needed > room;
        if (cut) break;
        memcpy(quoted + length, escaped, needed);
        length += needed;
        room -= needed;
    }
    if (cut) length = 1 + cut_utf8(quoted + 1, length - 1);
    quoted[length++] = '"';
    quoted[length] = '\0';
    assert(length < bytes);
    return quoted;
}
