/* why_not.h - why a job did not fire at a time: a verdict from what is known of it. Pure. */
#ifndef BELFRY_CLI_WHY_NOT_H
#define BELFRY_CLI_WHY_NOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct why_facts {
    const json_t *job;     /* its record of Redis */
    const json_t *fires;   /* array of fires of this job, as CloudEvents, oldest first */
    const json_t *events;  /* array of events of this job, oldest first */
    const json_t *open_runs; /* array of open_run_view(), oldest first; NULL: none is followed */
    const struct zone_lookup *zones;
    int64_t at_ms;         /* the time in question */
    int64_t now_ms;
    int64_t watermark_ms;  /* how far the job's shard has come; INT64_MIN = not known */
    bool history_cut;      /* older fires and events were not looked at */
    const char *unread;    /* why fires and events could not be read; NULL: they were */
};

enum { WHY_TEXT_BYTES = 600 };

struct why {
    const char *code; /* fired, in_future, not_added_yet, not_due, before_start, after_end, missed,
                       * skipped, paused, finished, after_max_fires, owed, failing, shard_behind,
                       * unknown */
    char text[WHY_TEXT_BYTES]; /* a sentence; foreign text in it is not escaped */
};

void why_not(struct why *why, const struct why_facts *facts);

#endif
