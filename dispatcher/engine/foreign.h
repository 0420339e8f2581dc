/* foreign.h - topics that jobs and commands name and that are not ours: whether they can take a
 * record. One that failed is suspect: nothing goes there but one record now and then, the probe,
 * until one has gone through. Look-ups block, so there are few: of a topic that is new, missing,
 * or about to be probed, and so many in one step as the budget says. */
#ifndef BELFRY_ENGINE_FOREIGN_H
#define BELFRY_ENGINE_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/engine/clock.h"
#include "lib/base/text.h"

struct foreign_topic {
    char name[250];
    struct topic_info info; /* where it is not known yet: it exists, and a transaction will tell */
    bool known;
    int64_t looked_us;     /* monotonic, like all here */
    int64_t look_wait_us;  /* of a missing one: the next look is so long after the last */
    bool suspect;          /* a transaction with a record to it has failed */
    int64_t failed_us;     /* the last time */
    int64_t probe_wait_us; /* the next probe is so long after that */
    struct foreign_topic *next;
};

enum { FOREIGN_LOOKS_STEP = 1, FOREIGN_LOOKS_TAKEOVER = 64 };

struct foreign {
    struct broker *broker;
    const struct clock *clock;
    struct foreign_topic *topics;
    int budget;         /* look-ups that may still be made */
    int64_t probe_us;   /* when the probe under way was begun */
    int64_t quiet_us;   /* no probe before: bad topics may take a tenth of the time, not more */
};

/* The topic, looked up where it has to be and may. Never NULL. */
struct foreign_topic *foreign_find(struct foreign *foreign, struct text name);
/* Its size limit is in the way: asks again if what is known is old. */
void foreign_look_again(struct foreign *foreign, struct foreign_topic *topic);

/* A record to it failed. */
void foreign_failed(struct foreign *foreign, struct foreign_topic *topic);
/* A probe has gone through. */
void foreign_proved(struct foreign_topic *topic);
/* Whether a suspect one may be probed now; it is looked up before. */
bool foreign_may_probe(struct foreign *foreign, struct foreign_topic *topic);
/* A record is on its way to a suspect topic, alone. */
void foreign_probe_begins(struct foreign *foreign);

void foreign_clear(struct foreign *foreign);

#endif
