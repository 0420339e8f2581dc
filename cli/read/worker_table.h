/* worker_table.h - who does the work: of what workers report, of the open runs in Redis and of the
 * members of their consumer groups. Pure.
 *
 * A row is a JSON object:
 *   worker workers      its name, and its consumer group
 *   state               "working"; "silent": nothing was heard within the lease of its try; "idle":
 *                       it was heard and works on nothing; "member": it is in the group, and has
 *                       said nothing
 *   last_sign_at host   where they are known
 *   run runnumber group id since lease    of the try it works on, a row for each
 * Texts are foreign. */
#ifndef BELFRY_CLI_WORKER_TABLE_H
#define BELFRY_CLI_WORKER_TABLE_H

#include <jansson.h>
#include <stdint.h>

#include "lib/base/text.h"

struct worker_table;

struct worker_table *worker_table_create(void);
void worker_table_destroy(struct worker_table *table);

/* In this order: records of `runs`, in that of their partition; open runs, as open_run_view() has
 * them; members of a group, as group_members_read() has them. */
void worker_table_reports(struct worker_table *table, struct text record, int64_t appended_ms);
void worker_table_open(struct worker_table *table, const json_t *view);
void worker_table_members(struct worker_table *table, const char *workers, const json_t *members);

/* The consumer groups that have been named, as the keys of an object; borrowed. */
const json_t *worker_table_groups(const struct worker_table *table);

/* The rows, ordered by group and name; owned by the caller. */
json_t *worker_table_rows(const struct worker_table *table, int64_t now_ms);

#endif
