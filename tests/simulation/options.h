/* options.h - what the command line of simulate asks for. */
#ifndef BELFRY_TESTS_OPTIONS_H
#define BELFRY_TESTS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/simulation/plan/plan.h"

struct wishes {
    uint64_t seed;
    int64_t seeds;
    bool one;       /* the first seed that fails is shortened to a story */
    bool verbose;
    bool progress;
    bool check_ports;
    bool check_judge; /* and nothing else */
    struct plan_wishes plan;
    const char *replay; /* NULL: none */
    const char *save;   /* NULL: nowhere */
};

enum options_read { OPTIONS_GOOD, OPTIONS_HELP, OPTIONS_BAD };

/* Reads the arguments. What is wrong is said on standard error, the help on standard output
 * (OPTIONS_HELP: that was all). */
enum options_read options_read(int argc, char **argv, struct wishes *wishes);

#endif
