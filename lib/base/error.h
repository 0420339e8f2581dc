/* error.h - what the caller should do about a failure, not where it happened. */
#ifndef BELFRY_BASE_ERROR_H
#define BELFRY_BASE_ERROR_H

#include <stdbool.h>

#include "lib/base/error_code.h"

enum error_kind {
    ERROR_NONE = 0,
    ERROR_INVALID, /* the input is wrong: refuse or dead-letter it, never retry */
    ERROR_RETRY,   /* the outside is unwell: back off, then the same again */
    ERROR_ABORT,   /* this transaction is lost, cleanly: abort it and produce the same again */
    ERROR_UNKNOWN, /* the outcome is unknown: new producer, read the mark, then decide */
    ERROR_FENCED,  /* another owner has the shard: drop it, touch nothing */
    ERROR_FATAL    /* no way on: log, exit non-zero, let the supervisor restart us */
};

enum { ERROR_MESSAGE_BYTES = 256, ERROR_FIELD_BYTES = 96 };

/* Zero-initialise before use. The strings are always terminated. */
struct error {
    enum error_kind kind;
    int column;                          /* 1-based column in a parsed text, 0 = not known */
    enum error_code code;                /* CODE_NONE: nobody decides by it */
    char field[ERROR_FIELD_BYTES];       /* JSON Pointer of the field at fault, "" = none */
    char message[ERROR_MESSAGE_BYTES];   /* names the field, the value, what is allowed */
};

/* The first failure wins: later calls change nothing. Returns false, for callers to return. */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set(ERROR_INVALID), with the stable result code of docs/contract.md. */
bool error_invalid(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Names the JSON Pointer at fault; keeps the first one set. Returns false. */
bool error_at(struct error *error, const char *field);

/* Adds to the message of an error that is set, as far as there is room. */
void error_append(struct error *error, const char *words);

/* Back to "no error". */
void error_clear(struct error *error);

const char *error_kind_name(enum error_kind kind);

#endif
