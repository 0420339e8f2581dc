/* job_history.h - what the topics tell of one job: its last fires and events. */
#ifndef BELFRY_CLI_JOB_HISTORY_H
#define BELFRY_CLI_JOB_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/kafka/topic_scan.h"
#include "cli/words/settings.h"
#include "lib/base/error.h"

struct job_history {
    json_t *fires;  /* attributes of CloudEvents without data, oldest first; owned */
    json_t *events; /* oldest first; owned */
    bool more_fires; /* older ones were read, and not kept */
    bool cut;       /* older records were not looked at */
    int64_t back_to_ms; /* where it was cut: from here on all was looked at; else INT64_MIN */
    char unread[ERROR_MESSAGE_BYTES]; /* why fires or events could not be read; "" = they were */
    bool whole;     /* false: for a reason that may pass, so what is told is not all there is */
};

/* Looks through the job's fires topic and the events topic, as far as they can be read: a topic
 * that is missing has no records, and Kafka may be away.
 *   name     GROUP/ID
 *   topic    of the fires, NULL = the cluster's
 *   shard    whose partition of Belfry's own topics holds the job
 *   from_ms  only records from then on, 0 = all
 *   last     at most so many records of each partition
 *   most     keep the newest so many of each, 0 = all
 * job_history_free() ends it. */
void job_history_read(struct job_history *history, const struct settings *settings,
                      const char *name, const char *topic, int32_t shard, int64_t from_ms,
                      int64_t last, size_t most);
void job_history_free(struct job_history *history);

/* Looks through one topic more, and notes how far it could be read. */
void job_history_scan(struct job_history *history, const struct settings *settings,
                      const char *topic, const struct scan *scan, scan_visitor *visitor,
                      void *opaque);
/* Notes the first failure. */
void job_history_note(struct job_history *history, const struct error *error);

#endif
