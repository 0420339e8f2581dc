#include "dispatcher/engine/own_commit.h"

#include <assert.h>
#include <string.h>

void own_commit_taken(struct own_commit *own, const struct mark *mark)
{
    assert(own != NULL && mark->sequence > 0);
    *own = (struct own_commit){.generation = mark->generation,
                               .epoch = mark->epoch,
                               .sequence = mark->sequence};
}

static bool is_lost(const struct own_commit *own, const char *owner, const struct mark *last,
                    bool found)
{
    if (own->sequence == 0) return false;
    if (!found) return true;
    if (last->generation != own->generation) return last->generation < own->generation;
    if (last->sequence < own->sequence || last->epoch < own->epoch) return true;
    return last->epoch == own->epoch && strcmp(last->owner, owner) != 0;
}

bool own_commit_look(struct own_commit *own, const char *owner, const struct mark *last,
                     bool found)
{
    own->lost = is_lost(own, owner, last, found);
    return !own->lost;
}
