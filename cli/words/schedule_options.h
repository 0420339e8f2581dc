/* schedule_options.h - the kinds of schedule on the command line, a row each: option, what its
 * value is called, help. Options, usage and messages are made of them. */
#ifndef BELFRY_CLI_SCHEDULE_OPTIONS_H
#define BELFRY_CLI_SCHEDULE_OPTIONS_H

#include "lib/base/arguments.h"

#define SCHEDULE_KIND_OPTIONS(first, between, last)                                                \
    first("cron", "EXPR", "cron expression: \"30 2 * * *\"")                                       \
    between("every", "D", "interval: 90s, 15m, 1h30m, 2d")                                         \
    last("at", "TIME", "one instant: 2026-12-01T06:00:00Z")

#define SCHEDULE_NAMED(name, argument, help) "--" name
#define SCHEDULE_COMMA_NAMED(name, argument, help) ", --" name
#define SCHEDULE_AND_NAMED(name, argument, help) " and --" name
#define SCHEDULE_OR_NAMED(name, argument, help) " or --" name
#define SCHEDULE_WAY(name, argument, help) "--" name " " argument
#define SCHEDULE_COMMA_WAY(name, argument, help) ", --" name " " argument
#define SCHEDULE_OR_WAY(name, argument, help) " or --" name " " argument
#define SCHEDULE_BAR_WAY(name, argument, help) " | --" name " " argument

/* "--cron, --every and --at" */
#define SCHEDULE_NAMES_AND                                                                         \
    SCHEDULE_KIND_OPTIONS(SCHEDULE_NAMED, SCHEDULE_COMMA_NAMED, SCHEDULE_AND_NAMED)
/* "--cron, --every or --at" */
#define SCHEDULE_NAMES_OR                                                                          \
    SCHEDULE_KIND_OPTIONS(SCHEDULE_NAMED, SCHEDULE_COMMA_NAMED, SCHEDULE_OR_NAMED)
/* "--cron EXPR, --every D or --at TIME" */
#define SCHEDULE_WAYS                                                                              \
    SCHEDULE_KIND_OPTIONS(SCHEDULE_WAY, SCHEDULE_COMMA_WAY, SCHEDULE_OR_WAY)
/* "--cron EXPR | --every D | --at TIME" */
#define SCHEDULE_USAGE                                                                             \
    SCHEDULE_KIND_OPTIONS(SCHEDULE_WAY, SCHEDULE_BAR_WAY, SCHEDULE_BAR_WAY)

/* How many kinds are given. */
int schedule_kinds_given(const struct arguments *arguments);

#endif
