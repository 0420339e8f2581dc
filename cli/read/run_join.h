/* run_join.h - one line a try, of what several topics tell of a job: its fires, what workers report
 * of them, events, and the open runs in Redis. Pure; memory is bounded by the lines that are kept.
 *
 * A line is a JSON object:
 *   run runnumber try kind due fired_at workers    as the fire has them
 *   claimed_at ended_at worker exit_code signal error output    as reports have them, in the
 *                     append times of their records
 *   outcome           of the try: of its report, or of the owner; "released"; absent: not known
 *   outcome_from      absent: a report; "event", "record": the owner's word; "next_try": nobody
 *                     said so, but the next try was fired without a report of this one's end
 *   duration_ms       from its claim, or where there is none from its fire, to its end
 *   open              true: the try, or the wait for the next one, goes on
 *   failed late_success doubled    true, where an event says so
 * and of slots that were left out for a run:
 *   outcome "skipped", reason, due last count    nominal times; run: the one in the way
 * Texts are foreign. */
#ifndef BELFRY_CLI_RUN_JOIN_H
#define BELFRY_CLI_RUN_JOIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/text.h"

struct run_join;

/* Keeps the newest `most` lines, at least 1.
 *   outputs  whether the tails of what programs wrote are kept, too */
struct run_join *run_join_create(size_t most, bool outputs);
void run_join_destroy(struct run_join *join);

/* Which lives of the job are its own: of these the reports are taken, also where their fire is not
 * known. Those of fires are added by themselves. */
void run_join_incarnation(struct run_join *join, const char *incarnation);

/* The first fire of those that will come: earlier ones of the job are known, and left out, and so
 * is what is reported of their tries. */
void run_join_begin(struct run_join *join, const json_t *fire);

/* In this order: all fires of the job, all records of its shard's partition of `runs`, its events,
 * its open runs as open_run_view() has them. */
void run_join_fire(struct run_join *join, const json_t *fire);
void run_join_reports(struct run_join *join, struct text record, int64_t appended_ms);
void run_join_event(struct run_join *join, const json_t *event);
void run_join_open(struct run_join *join, const json_t *view);

/* The lines, the oldest first; owned by the caller. Nothing can be added any more. */
json_t *run_join_finish(struct run_join *join);

/* Whether lines were left out, since there are more than are kept. */
bool run_join_is_cut(const struct run_join *join);

#endif
