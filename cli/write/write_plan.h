/* write_plan.h - a write request cut into control records, each for the shard it belongs to, so
 * that a command acts at its log time there and is not forwarded. */
#ifndef BELFRY_CLI_WRITE_PLAN_H
#define BELFRY_CLI_WRITE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/write/write_request.h"
#include "lib/base/error.h"
#include "lib/base/limits.h"

/* Zero-initialise; write_plan_free() ends it. */
struct write_plan {
    struct write_record *records;
    size_t count;
    size_t capacity;
};

/* Cuts the request. Jobs go to the shard of their group, at most COMMAND_JOBS_MAX and
 * RECORD_BYTES_MAX a record; a selector's groups are parted by shard, one without groups is a
 * single record for any partition.
 *   command_id  of the whole; several records get ".1", ".2" ... behind it
 *   dry_run     ask only
 *   expect      whether the daemon is to check request->expect (see write_plan_can_expect)
 *   errors      ERROR_INVALID too_large: one job fills a record */
bool write_plan_build(struct write_plan *plan, const struct write_request *request,
                      const char *command_id, uint32_t shards, bool dry_run, bool expect,
                      struct error *error) __attribute__((warn_unused_result));

/* Whether one daemon sees all jobs of the request, so that it can check `expect` itself. */
bool write_plan_can_expect(const struct write_plan *plan);

void write_plan_free(struct write_plan *plan);

enum { COMMAND_ID_MADE_BYTES = 37 };

/* A fresh random id in the form of a UUID. */
void command_id_make(char command_id[COMMAND_ID_MADE_BYTES]);

#endif
