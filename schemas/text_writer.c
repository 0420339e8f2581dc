#include "schemas/text_writer.h"

#include "lib/base/base64.h"
#include "lib/base/memory.h"
#include "lib/base/utf8.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void text_writer_init(struct text_writer *writer)
{
    assert(writer != NULL);
    *writer = (struct text_writer){0};
    writer->bytes = memory_allocate(256, 1);
    writer->capacity = 256;
}

void text_writer_init_fixed(struct text_writer *writer, char *bytes, size_t capacity)
{
    assert(writer != NULL);
    assert(bytes != NULL || capacity == 0);
    *writer = (struct text_writer){.bytes = bytes, .capacity = capacity, .fixed = true};
}

void text_writer_free(struct text_writer *writer)
{
    assert(writer != NULL);
    assert(!writer->fixed);
    free(writer->bytes);
    *writer = (struct text_writer){0};
}

char *text_writer_make_room(struct text_writer *writer, size_t bytes)
{
    assert(writer->capacity - writer->length < bytes);
    if (writer->fixed) {
        writer->overflowed = true;
        return NULL;
    }
    assert(bytes < SIZE_MAX - writer->length);
    writer->bytes = memory_grow(writer->bytes, &writer->capacity, writer->length + bytes, 1);
    return writer->bytes + writer->length;
}

void text_writer_format(struct text_writer *writer, const char *format, ...)
{
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(length >= 0);
    char *at = text_writer_reserve(writer, (size_t)length + 1); /* for the terminator */
    if (at != NULL) {
        (void)vsnprintf(at, (size_t)length + 1, format, again);
        writer->length += (size_t)length;
    }
    va_end(again);
}

char *text_writer_terminated(struct text_writer *writer)
{
    assert(!writer->fixed);
    *text_writer_reserve(writer, 1) = '\0';
    return writer->bytes;
}

char *text_put_unsigned(char *at, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    assert(at != NULL);
    char digits[20];
    size_t first = sizeof digits;
    while (value >= 100) {
        first -= 2;
        memcpy(digits + first, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        memcpy(digits + first, pairs + value * 2, 2);
    } else {
        digits[--first] = (char)('0' + value);
    }
    memcpy(at, digits + first, sizeof digits - first);
    return at + (sizeof digits - first);
}

void text_writer_integer(struct text_writer *writer, int64_t value)
{
    char digits[21];
    char *at = digits;
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        *at++ = '-';
        magnitude = 0 - magnitude;
    }
    at = text_put_unsigned(at, magnitude);
    text_writer_bytes(writer, digits, (size_t)(at - digits));
}

/* Bytes from `from` on that may be copied as they are. */
static size_t clean_run(struct text text, size_t from)
{
    size_t at = from;
    while (at < text.length) {
        unsigned char byte = (unsigned char)text.bytes[at];
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7F) break;
        if (byte < 0x80) {
            at++;
            continue;
        }
        size_t length = utf8_sequence(text.bytes + at, text.length - at);
        if (length == 0) break;
        at += length;
    }
    return at - from;
}

static void escape_byte(struct text_writer *writer, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    if (byte >= 0x80) {
        text_writer_words(writer, "\xEF\xBF\xBD");
        return;
    }
    char short_form = 0;
    switch (byte) {
    case '"': short_form = '"'; break;
    case '\\': short_form = '\\'; break;
    case '\n': short_form = 'n'; break;
    case '\r': short_form = 'r'; break;
    case '\t': short_form = 't'; break;
    default: break;
    }
    if (short_form != 0) {
        text_writer_bytes(writer, (char[]){'\\', short_form}, 2);
        return;
    }
    text_writer_bytes(writer, (char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6);
}

void text_writer_escaped(struct text_writer *writer, struct text text)
{
    assert(text.bytes != NULL || text.length == 0);
    size_t at = 0;
    while (at < text.length) {
        size_t run = clean_run(text, at);
        text_writer_bytes(writer, text.bytes + at, run);
        at += run;
        if (at < text.length) escape_byte(writer, (unsigned char)text.bytes[at++]);
    }
}

void text_writer_string(struct text_writer *writer, struct text text)
{
    text_writer_char(writer, '"');
    text_writer_escaped(writer, text);
    text_writer_char(writer, '"');
}

void text_writer_instant(struct text_writer *writer, int64_t instant_ms)
{
    assert(instant_in_range(instant_ms));
    char text[INSTANT_TEXT_BYTES + 2];
    text[0] = '"';
    instant_format(instant_ms, text + 1);
    text[INSTANT_TEXT_LENGTH + 1] = '"';
    text_writer_bytes(writer, text, INSTANT_TEXT_LENGTH + 2);
}

void text_writer_duration(struct text_writer *writer, int64_t duration_ms)
{
    assert(duration_ms >= 0);
    char text[DURATION_TEXT_BYTES];
    duration_format(duration_ms, text);
    text_writer_char(writer, '"');
    text_writer_words(writer, text);
    text_writer_char(writer, '"');
}

void text_writer_base64(struct text_writer *writer, struct text bytes)
{
    size_t length = base64_encoded_length(bytes.length);
    char *at = text_writer_reserve(writer, length + 2);
    if (at == NULL) return;
    at[0] = '"';
    base64_encode(bytes, at + 1);
    at[length + 1] = '"';
    writer->length += length + 2;
}

void text_writer_comma(struct text_writer *writer)
{
    if (writer->length == 0) return;
    char last = writer->bytes[writer->length - 1];
    if (last != '{' && last != '[') text_writer_char(writer, ',');
}

void text_writer_member(struct text_writer *writer, const char *name)
{
    assert(name != NULL);
    size_t length = strlen(name);
    char *at = text_writer_reserve(writer, length + 4);
    if (at == NULL) return;
    char last = writer->length == 0 ? '{' : at[-1];
    char *start = at;
    if (last != '{') *at++ = ',';
    *at++ = '"';
    memcpy(at, name, length);
    at += length;
    *at++ = '"';
    *at++ = ':';
    writer->length += (size_t)(at - start);
}
