/* foreign.h - topics that jobs name and that are not ours: whether they can take a fire. One bad
 * topic must not hold up the shard, so a suspect one is tried alone (engine.c, retries). */
#ifndef BELFRY_ENGINE_FOREIGN_H
#define BELFRY_ENGINE_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/core/text.h"
#include "dispatcher/engine/broker.h"
#include "dispatcher/engine/clock.h"

struct foreign_topic {
    char name[250];
    struct topic_info info;
    bool looked_up;
    int64_t look_again_us;    /* monotonic */
    bool suspect;             /* a transaction with a fire to it has failed */
    struct foreign_topic *next;
};

struct foreign {
    struct broker *broker;
    const struct clock *clock;
    struct foreign_topic *topics;
};

/* The topic, looked up when it is new or the last look is too old. Never NULL; where the look-up
 * failed it counts as existing, and the transaction will tell. */
struct foreign_topic *foreign_find(struct foreign *foreign, struct text name);
void foreign_clear(struct foreign *foreign);

#endif
