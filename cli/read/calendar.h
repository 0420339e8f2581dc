/* calendar.h - belfry next --calendar: the months of a schedule at a glance. */
#ifndef BELFRY_CLI_CALENDAR_H
#define BELFRY_CLI_CALENDAR_H

#include "cli/words/schedule_flags.h"

enum { CALENDAR_MONTHS_MAX = 24 };

/* Prints `months` months from that of schedule->from_ms on, as its zone counts days; as JSON the
 * days with fires. */
void calendar_print(const struct settings *settings, const struct flag_schedule *schedule,
                    int64_t months);

#endif
