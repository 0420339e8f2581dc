#include "dispatcher/config/config_file.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

struct reading {
    const char *at;
    const char *end;
    int line; /* given out last */
    config_file_visitor *visitor;
    void *opaque;
    struct error error; /* the first one */
    int error_line;
};

static void refuse(struct reading *reading, const struct error *cause)
{
    assert(cause->kind != ERROR_NONE);
    if (reading->error.kind != ERROR_NONE) return;
    reading->error = *cause;
    reading->error_line = reading->line;
}

/* Without what inih takes for a comment: it may be longer than inih's lines. */
static size_t length_without_comment(const char *start, const char *stop)
{
    if (start < stop && (*start == ';' || *start == '#')) return 0;
    for (const char *at = start; at + 1 < stop; at++)
        if ((*at == ' ' || *at == '\t') && at[1] == ';') return (size_t)(at - start);
    return (size_t)(stop - start);
}

/* inih cuts a line that is too long in two and reads the rest as another one: refuse it here.
 * Leading blanks go, so that no line is read as the continuation of the one before. */
static char *next_line(char *text, int bytes, void *stream)
{
    struct reading *reading = stream;
    assert(bytes > 1);
    if (reading->at == reading->end || reading->error.kind != ERROR_NONE) return NULL;
    reading->line++;
    const char *start = reading->at;
    const char *newline = memchr(start, '\n', (size_t)(reading->end - start));
    const char *stop = newline == NULL ? reading->end : newline;
    reading->at = newline == NULL ? reading->end : newline + 1;
    while (start < stop && (*start == ' ' || *start == '\t')) start++;
    size_t length = length_without_comment(start, stop);
    struct error error = {0};
    if (length > (size_t)bytes - 2)
        error_invalid(&error, CODE_BAD_VALUE,
                      "a line of %zu characters, %d are allowed; a long value goes into a file of "
                      "its own: NAME_file = PATH",
                      length, bytes - 2);
    else if (memchr(start, '\0', length) != NULL)
        error_invalid(&error, CODE_BAD_VALUE, "a NUL byte; this is no text file");
    if (error.kind != ERROR_NONE) {
        refuse(reading, &error);
        return NULL;
    }
    if (length > 0) memcpy(text, start, length);
    text[length] = '\0';
    return text;
}

static int take_value(void *opaque, const char *section, const char *name, const char *value)
{
    struct reading *reading = opaque;
    struct error error = {0};
    if (reading->error.kind != ERROR_NONE) return 0;
    if (reading->visitor(reading->opaque, section, name, value, reading->line, &error)) return 1;
    refuse(reading, &error);
    return 0;
}

bool config_file_parse(const char *name, const char *bytes, size_t length,
                       config_file_visitor *visitor, void *opaque, struct error *error)
{
    assert(name != NULL && bytes != NULL);
    assert(visitor != NULL);
    struct reading reading = {.at = bytes, .end = bytes + length, .visitor = visitor,
                              .opaque = opaque};
    int line = ini_parse_stream(next_line, &reading, take_value, &reading);
    bool own = reading.error.kind != ERROR_NONE;
    if (line > 0 && (!own || line < reading.error_line))
        return error_invalid(error, CODE_BAD_VALUE, "%s:%d: neither [section] nor name = value",
                             name, line);
    if (own)
        return error_invalid(error, CODE_BAD_VALUE, "%s:%d: %s", name, reading.error_line,
                             reading.error.message);
    return true;
}

char *config_file_read(const char *path, size_t bytes_max, size_t *length, struct error *error)
{
    assert(path != NULL && length != NULL);
    assert(bytes_max > 0);
    char *bytes = NULL;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        error_invalid(error, CODE_BAD_VALUE, "%s: %s", path, strerror(errno));
        return NULL;
    }
    bytes = memory_allocate(bytes_max + 2, 1);
    *length = fread(bytes, 1, bytes_max + 1, file);
    bool failed = ferror(file) != 0; /* a directory, for example */
    int cause = errno;
    (void)fclose(file);
    if (!failed && *length <= bytes_max) return bytes;
    if (failed) error_invalid(error, CODE_BAD_VALUE, "%s: %s", path, strerror(cause));
    else error_invalid(error, CODE_BAD_VALUE, "%s: larger than %zu bytes", path, bytes_max);
    free(bytes);
    return NULL;
}
