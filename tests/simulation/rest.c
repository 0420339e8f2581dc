#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core/job.h"
#include "dispatcher/engine/engine_state.h"
#include "tests/simulation/checker.h"

bool rest_reached(struct world *world)
{
    (void)world;
    return true;
}

void rest_judge(struct world *world)
{
    (void)world;
}
