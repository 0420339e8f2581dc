/* settings.h - the global options of a run: where Kafka and Redis are, and how to print. */
#ifndef BELFRY_CLI_SETTINGS_H
#define BELFRY_CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/words/options.h"
#include "lib/base/error.h"
#include "lib/time/zone.h"

enum output_format { OUTPUT_TABLE = 0, OUTPUT_JSON, OUTPUT_NDJSON, OUTPUT_NAME };

/* A property of librdkafka, from -X. */
struct settings_property {
    char *key;
    char *value;
};

/* Texts are borrowed from the arguments and the environment, the properties are owned:
 * settings_free(). */
struct settings {
    const char *kafka;   /* HOST:PORT,... */
    const char *redis;   /* URL */
    const char *cluster; /* prefix of topics and Redis keys */
    enum output_format output;
    int64_t timeout_ms;  /* for each thing asked of Kafka or Redis */
    const struct arguments *arguments;
    struct settings_property *properties;
    size_t property_count;
    const char *redis_password_file; /* "": none */
    bool colour;
    const struct zone_lookup *zones;
    size_t width;        /* columns of the terminal on stdout, 0 = not a terminal */
    size_t height;       /* its lines, 0 likewise */
};

extern const struct option_row settings_options[];

/* Flag, then BELFRY_* variable, then default. ERROR_INVALID, code "usage". */
bool settings_read(struct settings *settings, const struct arguments *arguments,
                   struct error *error) __attribute__((warn_unused_result));

/* After settings_read(), also where that returned false. */
void settings_free(struct settings *settings);

/* A name of the contract: 1-200 of A-Z a-z 0-9 . _ : @ -, and / when `slash`, the first one a
 * letter or digit. */
bool name_valid(const char *name, size_t length, bool slash);

#endif
