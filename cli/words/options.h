/* options.h - what options of the command line may hold besides texts and numbers. */
#ifndef BELFRY_CLI_OPTIONS_H
#define BELFRY_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arguments.h"
#include "lib/base/error.h"

/* As arguments_number, for a duration such as 10s; an optional value left out changes nothing. */
bool arguments_duration(const struct arguments *arguments, const char *name, int64_t *duration_ms,
                        struct error *error) __attribute__((warn_unused_result));

/* As arguments_value, of what is to go into JSON. ERROR_INVALID, code "not_utf8". */
bool arguments_text(const struct arguments *arguments, const char *name, const char **value,
                    struct error *error) __attribute__((warn_unused_result));

/* An option of a command with verbs that belongs to some of these only. */
struct verb_option {
    const char *option; /* NULL ends a table */
    const char *verbs;  /* separated by blanks */
};

/* Whether the verb takes all options that were given. Errors: code "usage"; names what it takes.
 *   tables  the options of the command */
bool verb_options_check(const struct arguments *arguments, const char *command, const char *verb,
                        const struct option_row *const *tables, const struct verb_option *rows,
                        struct error *error) __attribute__((warn_unused_result));

#endif
