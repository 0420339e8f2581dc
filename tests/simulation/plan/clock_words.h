/* clock_words.h - schedules in zones, drawn so that clocks change while they count. */
#ifndef BELFRY_TESTS_CLOCK_WORDS_H
#define BELFRY_TESTS_CLOCK_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/simulation/world/random.h"
#include "tests/simulation/world/zones.h"

struct clock_words {
    char cron[40];
    const char *zone;
    const char *dst; /* "": not given */
    bool prefix;     /* the zone stands before the expression */
};

/* A start of a seed, at a full hour, such that some clock changes in its first days. */
int64_t clock_words_start_ms(struct random *dice, const struct zones *zones, int64_t hours);

/* An expression for a command at at_ms in a seed of which span_ms remain.
 *   sparse  about once a day */
void clock_words_choose(struct random *dice, const struct zones *zones, int64_t at_ms,
                        int64_t span_ms, bool sparse, struct clock_words *words);

#endif
