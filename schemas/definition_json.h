/* definition_json.h - the fields of a job, as commands, `set` and job records hold them. */
#ifndef BELFRY_SCHEMAS_DEFINITION_JSON_H
#define BELFRY_SCHEMAS_DEFINITION_JSON_H

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/model/definition.h"
#include "schemas/arena.h"
#include "schemas/command_limits.h"
#include "schemas/json_reader.h"
#include "schemas/text_writer.h"

/* Who reads the table of job fields. */
enum job_reader { JOB_IN_COMMAND = 1 << 0, JOB_IN_SET = 1 << 1, JOB_IN_RECORD = 1 << 2 };

/* The context of the table's readers. */
struct definition_reader {
    const struct command_limits *limits; /* NULL: a record, whose bounds were checked before */
    struct arena *arena;
    const struct zone_lookup *zones; /* NULL: UTC only */
    struct text raw; /* the object's own text, for the payload byte for byte; may be empty */
};

/* Reads a job of a command or a `set` into *definition, which has its defaults, and checks what
 * concerns several fields. Texts are borrowed from the node and the arena.
 *   table  job_table for JOB_IN_COMMAND, set_table for JOB_IN_SET (see job_json.h) */
bool definition_read(const struct json_node *node, const struct json_table *table,
                     enum job_reader where, struct definition_reader *reader,
                     struct definition *definition, struct error *error)
    __attribute__((warn_unused_result));

/* A map of strings as pairs (see definition.h). */
enum pairs_kind { PAIRS_LABELS, PAIRS_HEADERS };
bool pairs_read(const struct json_node *node, enum pairs_kind kind, struct arena *arena,
                struct text *pairs, struct error *error) __attribute__((warn_unused_result));
void pairs_write(struct text_writer *writer, struct text pairs);
/* Whether the name may be a header of a job: ce_*, content-type and belfry-* are Belfry's own. */
bool header_name_is_reserved(struct text name);

/* Custom readers of the table. `target` is a struct definition, `context` a definition_reader. */
bool definition_read_schedule(const struct json_node *node, void *target, void *context,
                              struct error *error);
bool definition_read_catchup(const struct json_node *node, void *target, void *context,
                             struct error *error);
bool definition_read_keep_finished(const struct json_node *node, void *target, void *context,
                                   struct error *error);
bool definition_read_payload(const struct json_node *node, void *target, void *context,
                             struct error *error);
bool definition_read_payload_base64(const struct json_node *node, void *target, void *context,
                                    struct error *error);
bool definition_read_labels(const struct json_node *node, void *target, void *context,
                            struct error *error);
bool definition_read_headers(const struct json_node *node, void *target, void *context,
                             struct error *error);
bool definition_read_topic(const struct json_node *node, void *target, void *context,
                           struct error *error);
bool definition_read_traceparent(const struct json_node *node, void *target, void *context,
                                 struct error *error);
bool traceparent_read(const struct json_node *node, struct text *traceparent, struct error *error);

/* The members of a definition that are not at their defaults, from "schedule" on, after
 * what is in the writer. */
void definition_write(struct text_writer *writer, const struct definition *definition);

/* {"cron":...}, {"every":...,"anchor":...} or {"at":...}. */
void schedule_write(struct text_writer *writer, const struct schedule_spec *schedule,
                    const struct schedule_words *words);

#endif
