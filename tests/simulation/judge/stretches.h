/* stretches.h - the stretches of time in which a schedule counts for a life of a job. A slot of one
 * has its nominal time in (from, to] and between start and end, and its due time in
 * (due_after_ms, due_until_ms]. With jitter the two differ: edits cut by nominal time, pauses by
 * due time, and a slot whose delay an edit falls into becomes a stretch of its own. */
#ifndef BELFRY_TESTS_STRETCHES_H
#define BELFRY_TESTS_STRETCHES_H

#include "tests/simulation/judge/model.h"

/* Under the present definition, after an add or an edit at at_ms. */
void stretches_begin(struct life *life, int64_t at_ms);
/* The schedule becomes that of `next` at at_ms; the definition is still the old one. */
void stretches_edit(struct life *life, const struct wanted *next, int64_t at_ms);
/* The same of start and end alone. */
void stretches_rebound(struct life *life, const struct wanted *next, int64_t at_ms);
void stretches_pause(struct life *life, int64_t at_ms);
/* Slots due after from_ms count again. */
void stretches_resume(struct life *life, int64_t from_ms);
/* Counts again, from at_ms on, after an end. */
void stretches_revive(struct life *life, int64_t at_ms);
void stretches_end(struct life *life, int64_t at_ms);
/* The job has no slot to come; by_count: because max_fires is used up, whatever is left. */
void stretches_finish(struct life *life, bool by_count);
/* From due_ms on the rules of another version of the zone data hold. */
void stretches_change_zones(struct life *life, const struct zones *zones, int version,
                            int64_t due_ms);

/* The stretch's first slot after after_ms that is due by until_ms; false: none. */
bool stretch_next(const struct life *life, const struct stretch_of_time *stretch,
                  int64_t after_ms, int64_t until_ms, int64_t *nominal_ms);
bool stretch_holds(const struct life *life, const struct stretch_of_time *stretch,
                   int64_t nominal_ms);
/* Whether a slot of an earlier schedule waits, or waited, for its delay over an edit. */
bool stretches_waited(const struct life *life, int64_t nominal_ms);
/* Whether a slot is due after after_ms, a waiting one included. */
bool stretches_to_come(const struct life *life, int64_t after_ms);
/* Whether its nominal time had passed when other zone data, or a resume, made it a slot to come. */
bool stretches_came_late(const struct life *life, int64_t nominal_ms);
/* The newest stretch that has the slot; NULL: none. */
const struct stretch_of_time *stretches_of(const struct life *life, int64_t nominal_ms);
/* When the slot is due; itself where no stretch has it. */
int64_t stretches_due(const struct life *life, int64_t nominal_ms);
/* The first slot of a definition with a nominal time after since_ms and due after after_ms. */
bool wanted_due_after(const struct wanted *wanted, const char *life, int64_t since_ms,
                      int64_t after_ms, int64_t *nominal_ms);

/* Whether owed slots were counted anew by other rules: then what was owed is not exactly known. */
bool stretches_reckoned(const struct life *life, int64_t nominal_ms);
bool stretches_reckoned_fire(const struct life *life, int64_t nominal_ms);

#endif
