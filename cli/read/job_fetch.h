/* job_fetch.h - the record of one job that the command line names. */
#ifndef BELFRY_CLI_JOB_FETCH_H
#define BELFRY_CLI_JOB_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/words/options.h"
#include "cli/words/settings.h"
#include "lib/base/error.h"

enum { JOB_NAME_BYTES = 512 };

/* Zero-initialise; job_fetched_free() ends it. */
struct job_fetched {
    char name[JOB_NAME_BYTES]; /* GROUP/ID */
    int32_t shard;
    int64_t watermark_ms; /* of the shard's snapshot, INT64_MIN = none */
    char *text;           /* the record as it is stored, terminated; owned */
    size_t text_bytes;
};

/* Reads the job named as one word GROUP/ID or by --group and --id.
 *   command  for messages
 *   errors   code "usage"; code "not_found"; as redis_reader_open() */
bool job_fetch(struct job_fetched *job, const struct settings *settings, const char *command,
               struct error *error) __attribute__((warn_unused_result));
void job_fetched_free(struct job_fetched *job);

#endif
