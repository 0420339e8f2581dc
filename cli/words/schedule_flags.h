/* schedule_flags.h - a schedule given by --cron, --every or --at and what belongs to it. */
#ifndef BELFRY_CLI_SCHEDULE_FLAGS_H
#define BELFRY_CLI_SCHEDULE_FLAGS_H

#include <jansson.h>

#include "cli/words/cli.h"
#include "lib/model/definition.h"
#include "schemas/arena.h"

struct flag_schedule {
    json_t *json; /* as a command has it */
    struct arena *arena;
    struct definition definition; /* borrows from both; settled for --group and --id */
    int64_t from_ms;
};

/* Reads the flags; an interval without an anchor counts from --from (default now). On false what is
 * wrong has been said on stderr, with a caret under the column. Free it in either case.
 *   errors  kind and code decide the exit code */
bool flag_schedule_read(struct flag_schedule *schedule, const struct invocation *invocation,
                        struct error *error) __attribute__((warn_unused_result));
void flag_schedule_free(struct flag_schedule *schedule);

/* Under the offending column, as compilers do: the expression, then a caret. */
void flag_schedule_point_at(const struct arguments *arguments, const struct error *error);

/* The zone in which people read the schedule; NULL = UTC. */
const struct zone *flag_schedule_zone(const struct flag_schedule *schedule);
const char *flag_schedule_zone_name(const struct flag_schedule *schedule);

#endif
