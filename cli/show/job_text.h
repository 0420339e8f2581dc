/* job_text.h - jobs in one form, whoever wrote them: what a file says and what a record of Redis
 * says can be compared member by member. */
#ifndef BELFRY_CLI_JOB_TEXT_H
#define BELFRY_CLI_JOB_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/model/job_record.h"
#include "schemas/arena.h"
#include "schemas/text_writer.h"
#include "store/store_redis_admin.h"

/* Knows every zone whose name could be one, for reading what is only compared or written again. */
const struct zone_lookup *job_text_zones(void);

/* Reads a job as commands have it, as strictly as the daemon does, but for what only the daemon
 * knows: its allow-lists, its own limits, and which time zones its system has.
 *   raw     the text `job` was parsed from; the definition borrows from both and from the arena
 *   errors  ERROR_INVALID with code, field and message */
bool job_text_read(json_t *job, struct text raw, struct arena *arena,
                   struct definition *definition, struct error *error)
    __attribute__((warn_unused_result));

/* Fills in what the job does not say as the daemon would that published these. */
void job_text_default(struct definition *definition, const struct store_defaults *defaults);

/* A record as import, apply and put read it: {"group":...,"id":...,...}; no counters; with its
 * incarnation where the definition has one. */
void job_text_write(struct text_writer *writer, const struct definition *definition);

/* The members that both or one of the definitions have and that differ: visits each with its two
 * texts, an empty one where it is missing. Returns how many. Whether a job is paused is no
 * difference, and an interval that names no anchor keeps the one it has.
 *   present  what runs
 *   wanted   what the file says; it keeps the anchor that runs where the period stays, and shows
 *            none where the daemon will choose one */
typedef void job_text_difference(void *opaque, struct text name, struct text present,
                                 struct text wanted);
size_t job_text_compare(const struct definition *present, struct definition *wanted,
                        job_text_difference *visit, void *opaque);

#endif
