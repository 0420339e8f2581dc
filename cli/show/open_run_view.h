/* open_run_view.h - an open run, as it is written in Redis, for people and programs. Pure. */
#ifndef BELFRY_CLI_OPEN_RUN_VIEW_H
#define BELFRY_CLI_OPEN_RUN_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/model/run_record.h"
#include "schemas/text_writer.h"

/* As one JSON object, owned by the caller: what the record says under the names it has there, and
 *   run       its id
 *   age_ms    since its first fire
 * What is left of the lease is not in it: only the owner of the shard counts that. */
json_t *open_run_view(const struct run_record *record, int32_t shard, int64_t now_ms);

/* Where it is, in words: "host-1/4242 since 2026-11-21T20:57:54Z, asked to stop". Of such an
 * object; foreign texts are not escaped. */
void open_run_state(struct text_writer *out, const json_t *view);

/* Whether something has not happened that should have, late_ms ago or earlier: nobody has claimed
 * the try, or its retry has not been fired. A claimed try is never late. */
bool open_run_is_late(const struct run_record *record, int64_t late_ms, int64_t now_ms);

/* An array of them, a line each, under headings.
 *   width, colour  as table_create() */
void open_runs_print(FILE *stream, const json_t *views, size_t width, bool colour);

#endif
