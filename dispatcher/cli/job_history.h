/* job_history.h - what the topics tell of one job: its last fires and events. */
#ifndef BELFRY_CLI_JOB_HISTORY_H
#define BELFRY_CLI_JOB_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/cli/settings.h"
#include "dispatcher/core/error.h"

struct job_history {
    json_t *fires;  /* attributes of CloudEvents without data, oldest first; owned */
    json_t *events; /* oldest first; owned */
    bool cut;       /* older records were not looked at */
};

/* Looks through the job's fires topic and the events topic.
 *   name     GROUP/ID
 *   topic    of the fires, NULL = the cluster's
 *   shard    whose partition of Belfry's own topics holds the job
 *   from_ms  only records from then on, 0 = all
 *   last     at most so many records of each partition
 *   most     keep the newest so many of each, 0 = all
 *   errors   ERROR_RETRY, ERROR_FATAL; job_history_free() all the same */
bool job_history_read(struct job_history *history, const struct settings *settings,
                      const char *name, const char *topic, int32_t shard, int64_t from_ms,
                      int64_t last, size_t most, struct error *error)
    __attribute__((warn_unused_result));
void job_history_free(struct job_history *history);

#endif
