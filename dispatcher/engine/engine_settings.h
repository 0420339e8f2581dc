/* engine_settings.h - what an operator may set of a shard's engine, a row each: field, section and
 * key in belfryd's file, what the help calls the value, kind, default, least, most, help. The rows
 * are options of belfryd by themselves: dispatcher/config takes them in. */
#ifndef BELFRY_ENGINE_ENGINE_SETTINGS_H
#define BELFRY_ENGINE_ENGINE_SETTINGS_H

#include <stdint.h>

#include "dispatcher/runs/runs.h"
#include "lib/base/limits.h"
#include "lib/time/duration.h"
#include "lib/time/schedule.h"

#define ENGINE_SETTINGS(row)                                                                       \
    row(catchup_rate, "belfry", "catchup.rate", "N", COUNT, 1000, 1, 1000000,                      \
        "late slots a second that a shard works off, on top of new ones")                          \
    row(checkpoint_interval_ms, "belfry", "checkpoint.interval", "D", DURATION, 100, 1,            \
        MINUTES_MS, "after a change, when Redis is brought up to date")                            \
    row(mark_interval_ms, "belfry", "mark.interval", "D", DURATION, HOURS_MS, SECONDS_MS,          \
        DAYS_MS, "an idle shard says at least this often where it stands")                         \
    row(clock_tolerance_ms, "belfry", "clock.tolerance", "D", DURATION, SECONDS_MS, 0,             \
        MINUTES_MS, "how far our clock may be ahead of the broker's")                              \
    row(clock_step_ms, "belfry", "clock.step", "D", DURATION, 5 * MINUTES_MS, SECONDS_MS,          \
        DAYS_MS, "further ahead than this nothing is fired")                                       \
    row(misfire_grace_ms, "belfry", "misfire_grace", "D", DURATION, MISFIRE_GRACE_DEFAULT_MS, 0,   \
        DAYS_MS, "so late a fire is not yet a matter of catch-up")                                 \
    row(keep_finished_ms, "belfry", "keep_finished", "D|forever", DURATION_OR_FOREVER,             \
        KEEP_FINISHED_DEFAULT_MS, 0, DURATION_MAX_MS, "finished jobs are kept so long")          \
    row(runs_open_max, "belfry", "runs.open_max", "N", COUNT, RUNS_OPEN_MAX_DEFAULT, 1, 10000000,  \
        "open runs of a shard; further slots wait")

/* What commands may hold. */
#define ENGINE_LIMITS(row)                                                                         \
    row(record_bytes, "limits", "record_bytes", "SIZE", BYTES, RECORD_BYTES_MAX, 1024,             \
        RECORD_BYTES_MAX, "largest record on the control topic")                                   \
    row(payload_bytes, "limits", "payload_bytes", "SIZE", BYTES, PAYLOAD_BYTES_MAX, 1,             \
        PAYLOAD_BYTES_MAX, "largest payload of a job")                                             \
    row(every_min_ms, "limits", "every_min", "D", DURATION, SCHEDULE_EVERY_MIN_MS,                 \
        SCHEDULE_EVERY_FLOOR_MS, DAYS_MS, "shortest interval of a job")

#define ENGINE_FIELD(field, section, key, argument, kind, fallback, least, most, help)             \
    int64_t field;
struct engine_settings {
    ENGINE_SETTINGS(ENGINE_FIELD)
    ENGINE_LIMITS(ENGINE_FIELD)
};
#undef ENGINE_FIELD

#endif
