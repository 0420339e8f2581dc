#include "tests/simulation/checker.h"

void checker_judge(struct world *world)
{
    (void)world;
}
