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

#endif
