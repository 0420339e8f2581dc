/* own_commit.h - what this process knows that Kafka has taken of a shard. It outlives the shard's
 * memory and its engine, not the process: a state log that stands before it has lost data, also
 * where Redis is away or has lost it, too. Pure. */
#ifndef BELFRY_ENGINE_OWN_COMMIT_H
#define BELFRY_ENGINE_OWN_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/model/mark.h"

struct own_commit { /* of the last mark of ours that Kafka has acknowledged */
    int64_t generation;
    int64_t epoch;
    int64_t sequence; /* 0: none yet */
    bool lost;        /* the state log did not have it when it was looked for last */
};

void own_commit_taken(struct own_commit *own, const struct mark *mark);

/* Looks for it in a state log with this last mark (!found: with none); false: it is lost. The mark
 * is of before ours then, or another owner, `owner` being us, has written in our epoch. Behind
 * `belfry recover`, which raises the generation, it has been decided what counts. */
bool own_commit_look(struct own_commit *own, const char *owner, const struct mark *last,
                     bool found);

#endif
