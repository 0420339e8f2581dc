/* fail.c - filling in a struct belfry_error. */
#include "consumer/fail.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

bool belfry_fail(struct belfry_error *error, enum belfry_error_kind kind, const char *format, ...)
{
    assert(kind != BELFRY_ERROR_NONE);
    assert(format != NULL);
    if (error == NULL || error->kind != BELFRY_ERROR_NONE) return false;
    error->kind = kind;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return false;
}

bool belfry_fail_memory(struct belfry_error *error, const char *what)
{
    assert(what != NULL);
    return belfry_fail(error, BELFRY_ERROR_MEMORY, "memory is short: no room for %s", what);
}
