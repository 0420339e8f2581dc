#include "dispatcher/runs/runs_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

void run_claims_add(struct run_claims *claims, struct run_claimed claimed)
{
    assert(claims->count == 0 ||
           claims->list[claims->first + claims->count - 1].offset <= claimed.offset);
    if (claims->first > claims->count) {
        memmove(claims->list, claims->list + claims->first,
                claims->count * sizeof *claims->list);
        claims->first = 0;
    }
    claims->list = memory_grow(claims->list, &claims->capacity, claims->first + claims->count + 1,
                               sizeof *claims->list);
    claims->list[claims->first + claims->count++] = claimed;
}

static bool is_wanted(const struct run_table *table, const struct run_claimed *claimed)
{
    const struct run *run = run_table_at(table, claimed->k);
    return run != NULL && run->runnumber == claimed->runnumber &&
           (run->flags & RUN_UNRECORDED) != 0;
}

const struct run_claimed *run_claims_first(struct run_claims *claims,
                                           const struct run_table *table)
{
    while (claims->count > 0 && !is_wanted(table, &claims->list[claims->first])) {
        claims->first++;
        claims->count--;
    }
    if (claims->count > 0) return &claims->list[claims->first];
    free(claims->list);
    *claims = (struct run_claims){0};
    return NULL;
}
