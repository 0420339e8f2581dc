/* job_view.h - a job record of Redis as people see it. Reads defensively: a field that is missing
 * or of another type is shown as "-", never trusted. */
#ifndef BELFRY_CLI_JOB_VIEW_H
#define BELFRY_CLI_JOB_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/model/definition.h"
#include "schemas/arena.h"

enum { JOB_VIEW_SCHEDULE_BYTES = 400, JOB_VIEW_TIME_BYTES = 40, JOB_VIEW_NUMBER_BYTES = 24 };

struct job_view {
    const char *group; /* borrowed from the record */
    const char *id;
    const char *state; /* active, paused, finished, failing */
    bool paused;
    char schedule[JOB_VIEW_SCHEDULE_BYTES];
    char next[JOB_VIEW_TIME_BYTES]; /* "-" = none */
    char revision[JOB_VIEW_NUMBER_BYTES];
    char fired[JOB_VIEW_NUMBER_BYTES];
};

/* `job` must outlive the view. now_ms: next due times are strictly after it. */
void job_view_read(struct job_view *view, const json_t *job, int64_t now_ms,
                   const struct zone_lookup *zones);

/* Reads a JSON schedule as commands have it: {"cron":...,"zone":...}, {"every":...} or {"at":...}.
 * Texts of the definition are borrowed from the JSON and the arena. */
bool schedule_read(json_t *schedule, struct arena *arena, const struct zone_lookup *zones,
                   struct definition *definition, struct error *error)
    __attribute__((warn_unused_result));

/* The schedule of a job record as that job has it, H and jitter included, with its start and end.
 * False: the record does not say, or names a zone this machine does not have. */
bool job_schedule_read(const json_t *job, struct arena *arena, const struct zone_lookup *zones,
                       struct definition *definition) __attribute__((warn_unused_result));

/* Its due times after after_ms, within start and end, as an array of at most `count` texts. */
json_t *job_next_times(const json_t *job, int64_t after_ms, size_t count,
                       const struct zone_lookup *zones);

/* RFC 3339 without milliseconds that are zero: 2026-11-22T01:30:00Z. NULL or "" gives "-". */
void time_shorten(const char *time, char *text, size_t bytes);

#endif
