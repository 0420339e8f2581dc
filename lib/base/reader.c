#include "lib/base/reader.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool reader_take(struct reader *reader, char byte)
{
    assert(reader != NULL);
    assert(byte != '\0');
    if (reader_peek(reader) != byte) return false;
    reader->at++;
    return true;
}

size_t reader_digits(struct reader *reader, int64_t *number)
{
    assert(reader != NULL);
    assert(number != NULL);
    size_t start = reader->at;
    int64_t value = 0;
    while (reader_is_digit(reader_peek(reader))) {
        value = value * 10 + (reader->text[reader->at] - '0');
        if (value > READER_NUMBER_MAX) value = READER_NUMBER_MAX;
        reader->at++;
    }
    *number = value;
    return reader->at - start;
}

struct reader_excerpt reader_excerpt(const struct reader *reader, size_t from, size_t to)
{
    assert(reader != NULL);
    assert(from <= to && to <= reader->length);
    struct reader_excerpt excerpt;
    size_t room = sizeof excerpt.text - 1;
    size_t length = to - from < room ? to - from : room;
    for (size_t i = 0; i < length; i++) {
        char byte = reader->text[from + i];
        excerpt.text[i] = byte >= ' ' && byte <= '~' ? byte : '?';
    }
    excerpt.text[length] = '\0';
    if (length < to - from) memcpy(excerpt.text + length - 3, "...", 3);
    return excerpt;
}

bool reader_refuse(const struct reader *reader, size_t at, enum error_code code, const char *format,
                   ...)
{
    assert(reader != NULL);
    assert(at <= reader->length);
    if (reader->error == NULL || reader->error->kind != ERROR_NONE) return false;
    char detail[ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    (void)error_invalid(reader->error, code, "%s: column %zu: %s", reader->subject, at + 1, detail);
    reader->error->column = (int)(at + 1);
    return false;
}
