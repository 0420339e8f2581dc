/* arguments.h - the words of a command line, read by tables: a row of a table serves the parser,
 * the help and the suggestions for typing errors. */
#ifndef BELFRY_BASE_ARGUMENTS_H
#define BELFRY_BASE_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum option_kind {
    OPTION_FLAG,    /* --all */
    OPTION_VALUE,   /* --cron EXPR or --cron=EXPR, once */
    OPTION_LAST,    /* as OPTION_VALUE, but the last one counts: for wrappers and aliases */
    OPTION_LIST,    /* as OPTION_VALUE, any number of times */
    OPTION_OPTIONAL, /* --wait or --wait=10s */
    OPTION_REST     /* --exec: what follows it is another's, and is not read */
};

struct option_row {
    const char *name;     /* without the dashes; NULL ends a table */
    char letter;          /* short form, '\0' = none */
    enum option_kind kind;
    const char *argument; /* what the value is called in the help */
    const char *help;     /* one line, lower case, no full stop */
};

/* One option as it was given. `value` is "" for a flag and an optional value left out. */
struct argument {
    const struct option_row *row;
    const char *value;
};

/* Zero-initialise; arguments_free() ends it. Texts are borrowed from argv. */
struct arguments {
    struct argument *items;
    size_t count;
    size_t capacity;
    const char **positionals;
    size_t positional_count;
    size_t positional_capacity;
};

enum options_stop {
    STOP_AT_END,
    STOP_AT_WORD /* at the first word that is not an option: the command */
};

/* Reads argv[*at ..] by a NULL-terminated list of tables and moves *at past what was read. Memory
 * that is short ends the process.
 * ERROR_INVALID, code "usage": an unknown option (with the nearest known one), a value that is
 * missing or not wanted, an option given twice. */
bool arguments_parse(struct arguments *arguments, const struct option_row *const *tables, int argc,
                     char *const *argv, int *at, enum options_stop stop, struct error *error)
    __attribute__((warn_unused_result));

void arguments_free(struct arguments *arguments);

/* The value of an option, NULL when it was not given. */
const char *arguments_value(const struct arguments *arguments, const char *name);

bool arguments_has(const struct arguments *arguments, const char *name);

/* The next value of a repeated option, NULL at the end. Start with *at = 0. */
const char *arguments_next(const struct arguments *arguments, const char *name, size_t *at);

/* *number stays as it is when the option was not given. ERROR_INVALID, code "usage". */
bool arguments_number(const struct arguments *arguments, const char *name, int64_t least,
                      int64_t most, int64_t *number, struct error *error)
    __attribute__((warn_unused_result));

/* Reads a whole text as a decimal number within [least, most]. Sets no error. */
bool number_parse(const char *text, int64_t least, int64_t most, int64_t *number);

#endif
