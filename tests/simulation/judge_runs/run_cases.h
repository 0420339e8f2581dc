/* run_cases.h - small histories of runs: run_check.c says how they are written. */
#ifndef BELFRY_TESTS_RUN_CASES_H
#define BELFRY_TESTS_RUN_CASES_H

#include "tests/simulation/judge_runs/wanted_runs.h"

struct run_case {
    const char *name;
    const char *alarm; /* a part of it; NULL: there must be none */
    int64_t attempts;
    enum slow_overlap overlap;
    const char *history;
};
extern const struct run_case run_cases[]; /* ends with a name of NULL */

#endif
