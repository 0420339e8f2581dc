/* command_limits.h - what the configuration says about commands. */
#ifndef BELFRY_SCHEMAS_COMMAND_LIMITS_H
#define BELFRY_SCHEMAS_COMMAND_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"
#include "lib/model/definition.h"

/* The callbacks answer whether a topic is on the allow-list; NULL
 * allows none. They are asked only about names that Kafka would take. */
struct command_limits {
    size_t record_bytes_max;
    size_t payload_bytes_max;
    size_t jobs_max;
    int64_t every_min_ms;
    const struct zone_lookup *zones; /* NULL: UTC only */
    struct catchup catchup;   /* of jobs that do not say */
    int64_t keep_finished_ms; /* likewise */
    bool runs; /* false: jobs whose runs are to be followed are refused (not_supported) */
    bool (*topic_allowed)(void *opaque, struct text topic);
    bool (*reply_to_allowed)(void *opaque, struct text topic);
    void *opaque; /* for both callbacks */
};

/* The bounds of limits.h, and no topic allowed. */
void command_limits_defaults(struct command_limits *limits);

#endif
