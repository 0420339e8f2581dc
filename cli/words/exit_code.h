/* exit_code.h - how the command line ends: numbers that scripts may rely on. */
#ifndef BELFRY_CLI_EXIT_CODE_H
#define BELFRY_CLI_EXIT_CODE_H

#include "lib/base/error.h"

enum exit_code {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_NOT_FOUND = 3,
    CLI_CONFLICT = 4,
    CLI_TIMED_OUT = 5,   /* waiting: the state is unknown, the command id was printed */
    CLI_UNREACHABLE = 6, /* Kafka or Redis */
    CLI_PARTLY = 8
};

/* What each code means, for help, manual and documentation; ends with a row without a meaning. */
struct exit_code_row {
    enum exit_code code;
    const char *meaning;
};
extern const struct exit_code_row exit_code_rows[];

/* The exit code that tells `error`, which must be set. */
enum exit_code exit_code_of(const struct error *error);

/* Prints "belfry: <message>" to stderr, terminal-safe, and returns exit_code_of(error). */
enum exit_code exit_with(const struct error *error);

#endif
