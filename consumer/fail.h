/* fail.h - filling in a struct belfry_error. */
#ifndef BELFRY_CONSUMER_FAIL_H
#define BELFRY_CONSUMER_FAIL_H

#include "consumer/consumer.h"

#pragma GCC visibility push(hidden)

/* The first failure wins, later calls change nothing. Returns false, for callers to return.
 *   error  NULL: nobody wants to know */
bool belfry_fail(struct belfry_error *error, enum belfry_error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* BELFRY_ERROR_MEMORY for `what`. Returns false. */
bool belfry_fail_memory(struct belfry_error *error, const char *what);

#pragma GCC visibility pop

#endif
