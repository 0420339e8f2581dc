/* cron_case.h - short ways to read expressions and times in tests. */
#ifndef BELFRY_TESTS_CRON_CASE_H
#define BELFRY_TESTS_CRON_CASE_H

#include "lib/time/cron.h"

/* The standard dialect in UTC. `warnings` may be NULL; that no zone is named is not among them. */
bool cron_read(const char *text, size_t length, struct cron *cron, uint32_t *warnings,
               struct error *error);

/* The zones of this machine, loaded once for the program. */
const struct zone_lookup *test_zones(void);

#endif
