#include "lib/base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void error_fill(struct error *error, enum error_kind kind, enum error_code code,
                       const char *format, va_list arguments)
{
    assert(kind != ERROR_NONE);
    if (error == NULL || error->kind != ERROR_NONE) return;
    error->kind = kind;
    error->code = code;
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_fill(error, kind, CODE_NONE, format, arguments);
    va_end(arguments);
    return false;
}

bool error_invalid(struct error *error, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_fill(error, ERROR_INVALID, code, format, arguments);
    va_end(arguments);
    return false;
}

bool error_at(struct error *error, const char *field)
{
    assert(field != NULL);
    if (error != NULL && error->field[0] == '\0')
        (void)snprintf(error->field, sizeof error->field, "%s", field);
    return false;
}

void error_append(struct error *error, const char *words)
{
    if (error == NULL || error->kind == ERROR_NONE) return;
    size_t length = strlen(error->message);
    (void)snprintf(error->message + length, sizeof error->message - length, "%s", words);
}

void error_clear(struct error *error)
{
    assert(error != NULL);
    memset(error, 0, sizeof *error);
}

const char *error_kind_name(enum error_kind kind)
{
    switch (kind) {
    case ERROR_NONE: return "none";
    case ERROR_INVALID: return "invalid";
    case ERROR_RETRY: return "retry";
    case ERROR_ABORT: return "abort";
    case ERROR_UNKNOWN: return "unknown";
    case ERROR_FENCED: return "fenced";
    case ERROR_FATAL: return "fatal";
    }
    return "?";
}
