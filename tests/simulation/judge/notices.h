/* notices.h - events that have to be there: a pause that ended, a fire that could not be delivered,
 * a catch-up that began and ended, a shard that changed hands. */
#ifndef BELFRY_TESTS_NOTICES_H
#define BELFRY_TESTS_NOTICES_H

#include <stddef.h>
#include <stdint.h>

#include "tests/simulation/world/history.h"

struct life;
struct world;

struct left_out { /* by a pause */
    int64_t from_ms;
    int64_t to_ms;
};

struct notices { /* of one life */
    struct left_out *resumed; /* pauses that ended, as the model knows */
    size_t resumed_count;
    size_t resumed_capacity;
    struct left_out *said; /* and as the events say */
    size_t said_count;
    size_t said_capacity;
    int64_t catchups; /* under way: slots that were announced and are not done */
};

void notices_free(struct notices *notices);
void notices_resumed(struct notices *notices, int64_t paused_ms, int64_t to_ms);
void notices_event(struct world *world, struct life *life, const struct output *event);
/* A fire that is not the first try needs an event that the first one failed. */
void notices_fire(struct world *world, struct life *life, const struct output *fire);
/* At rest. */
void notices_judge(struct world *world, const struct life *life);
/* Each owner's first step, and no other, says that the shard was taken. */
void notices_judge_step(struct world *world, int32_t shard, const struct step *before,
                        const struct step *step);

#endif
