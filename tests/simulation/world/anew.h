/* anew.h - an input topic that was deleted and made anew, or lost a record that is needed, between
 * two lives of all daemons. Played when everything else has been judged: what the next owner does
 * is all that is looked at. */
#ifndef BELFRY_TESTS_ANEW_H
#define BELFRY_TESTS_ANEW_H

#include <stdbool.h>
#include <stdint.h>

struct world;

struct anew {
    bool other; /* the log is another one: to be refused */
    int32_t shard;
    bool refused;
};

/* All processes die; a log is changed; all start again. */
void anew_play(struct world *world);
/* A shard has given up; true: because its log was made anew. */
bool anew_explains(struct world *world, int32_t shard, const char *message);

#endif
