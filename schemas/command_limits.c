#include "schemas/command_limits.h"

#include <assert.h>

#include "lib/base/limits.h"

void command_limits_defaults(struct command_limits *limits)
{
    assert(limits != NULL);
    struct definition definition;
    definition_defaults(&definition);
    *limits = (struct command_limits){
        .record_bytes_max = RECORD_BYTES_MAX,
        .payload_bytes_max = PAYLOAD_BYTES_MAX,
        .jobs_max = COMMAND_JOBS_MAX,
        .every_min_ms = SCHEDULE_EVERY_MIN_MS,
        .catchup = definition.catchup,
        .keep_finished_ms = definition.keep_finished_ms,
    };
}
