#include "cli/show/buffer.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

static void buffer_reserve(struct buffer *buffer, size_t more)
{
    assert(more < SIZE_MAX - buffer->length - 1);
    if (buffer->length + more + 1 > buffer->capacity)
        buffer->bytes =
            memory_grow(buffer->bytes, &buffer->capacity, buffer->length + more + 1, 1);
}

void buffer_append(struct buffer *buffer, const char *bytes, size_t length)
{
    assert(bytes != NULL || length == 0);
    buffer_reserve(buffer, length);
    if (length > 0) memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

void buffer_text(struct buffer *buffer, const char *terminated)
{
    buffer_append(buffer, terminated, strlen(terminated));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(length >= 0);
    buffer_reserve(buffer, (size_t)length);
    (void)vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
    va_end(again);
    buffer->length += (size_t)length;
}

bool buffer_json_string(struct buffer *buffer, const char *bytes, size_t length,
                        struct error *error)
{
    assert(bytes != NULL || length == 0);
    json_t *string = json_stringn(length == 0 ? "" : bytes, length);
    char *text = string == NULL ? NULL : json_dumps(string, JSON_ENCODE_ANY);
    json_decref(string);
    if (text == NULL) return error_invalid(error, "not_utf8", "a text is not valid UTF-8");
    buffer_text(buffer, text);
    free(text);
    return true;
}

void buffer_comma(struct buffer *buffer)
{
    if (buffer->length == 0) return;
    char last = buffer->bytes[buffer->length - 1];
    assert(last != ':');
    if (last != '{' && last != '[' && last != ',') buffer_text(buffer, ",");
}

void buffer_member(struct buffer *buffer, const char *name)
{
    assert(strpbrk(name, "\"\\") == NULL);
    buffer_comma(buffer);
    buffer_format(buffer, "\"%s\":", name);
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}
