/* buffer.h - text that grows. Zero-initialise; buffer_free() ends it. */
#ifndef BELFRY_CLI_BUFFER_H
#define BELFRY_CLI_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

struct buffer {
    char *bytes; /* NULL while empty; otherwise always terminated */
    size_t length;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, const char *bytes, size_t length);
void buffer_text(struct buffer *buffer, const char *terminated);
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends the text as a JSON string. ERROR_INVALID when it is not UTF-8; nothing is appended. */
bool buffer_json_string(struct buffer *buffer, const char *bytes, size_t length,
                        struct error *error);

/* Appends `,` unless the text so far ends with an opening bracket or is empty. */
void buffer_comma(struct buffer *buffer);

/* Appends `"name":`, with a comma before it where one is needed. */
void buffer_member(struct buffer *buffer, const char *name);

void buffer_free(struct buffer *buffer);

#endif
