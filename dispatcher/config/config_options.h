/* config_options.h - the options of belfryd: one row of a table serves the file, the flag, the
 * environment, --help and --check-config. */
#ifndef BELFRY_CONFIG_CONFIG_OPTIONS_H
#define BELFRY_CONFIG_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum value_kind {
    VALUE_TEXT = 0, /* min..max bytes */
    VALUE_COUNT,
    VALUE_BYTES,    /* a count with B, KiB or MiB */
    VALUE_DURATION,
    VALUE_DURATION_OR_FOREVER,
    VALUE_LIST,     /* words with commas between */
    VALUE_CHOICE    /* one of `words`; the value is its index */
};

/* Where a value is in struct config: a char * for VALUE_TEXT, a struct config_list for
 * VALUE_LIST, else an int64_t (a duration in milliseconds). */
struct option {
    const char *section;
    const char *key;
    const char *flag;     /* "kafka" for --kafka; NULL: file and environment only */
    const char *argument; /* what --help calls the value */
    enum value_kind kind;
    size_t offset;
    const char *fallback; /* the default, as a user would write it; NULL: it is the number */
    int64_t fallback_number;
    int64_t min;
    int64_t max;
    const char *const *words; /* VALUE_CHOICE: ends with NULL */
    const char *help;
};

extern const struct option config_options[];
size_t config_option_count(void);
/* The option's place in the table, for config->sources. */
size_t config_option_index(const struct option *option);

/* NULL: not known. */
const struct option *config_option_by_key(const char *section, const char *key);
const struct option *config_option_by_flag(const char *flag, size_t length);

enum { OPTION_VARIABLE_BYTES = 64, OPTION_DEFAULT_BYTES = 64 };
/* BELFRY_KAFKA for an option with the flag --kafka, BELFRY_LIMITS_EVERY_MIN for every_min of
 * [limits], BELFRY_CATCHUP_RATE for catchup.rate of [belfry]. */
void config_option_variable(const struct option *option, char variable[OPTION_VARIABLE_BYTES]);

struct config;
/* Reads the text into the option's field, replacing what is there.
 *   errors  ERROR_INVALID: value and what is allowed; the field is unchanged */
bool config_option_set(const struct option *option, const char *text, struct config *config,
                       struct error *error) __attribute__((warn_unused_result));

/* The default as a user would write it; `text` is there for one that is a number. */
const char *config_option_default(const struct option *option, char *text, size_t bytes);

/* Writes the field as a user would write it, cut to `bytes`. Returns text. */
const char *config_option_print(const struct option *option, const struct config *config,
                                char *text, size_t bytes);

#endif
