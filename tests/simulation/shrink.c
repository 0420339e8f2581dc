#include "tests/simulation/simulation.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

enum { TRIES_MAX = 1500 };

/* Violations are the same kind when they begin with the same words. */
static bool same_kind(const struct verdict *a, const struct verdict *b)
{
    enum { WORDS_BYTES = 16 };
    for (int i = 0; i < a->violation_count; i++)
        for (int j = 0; j < b->violation_count; j++)
            if (strncmp(a->violations[i], b->violations[j], WORDS_BYTES) == 0) return true;
    return false;
}

static bool still_fails(const struct plan *plan, const struct verdict *verdict)
{
    struct verdict *now = memory_allocate(1, sizeof *now);
    simulate(plan, false, now);
    bool fails = now->violation_count > 0 && same_kind(now, verdict);
    free(now);
    return fails;
}

/* Without `count` events from `first` on. */
static void without(const struct plan *plan, size_t first, size_t count, struct plan *shorter)
{
    *shorter = *plan;
    shorter->events = memory_allocate(plan->count + 1, sizeof *shorter->events);
    memcpy(shorter->events, plan->events, first * sizeof *plan->events);
    memcpy(shorter->events + first, plan->events + first + count,
           (plan->count - first - count) * sizeof *plan->events);
    shorter->count = plan->count - count;
}

static void keep(struct plan *plan, size_t first, size_t count, const struct plan *shorter)
{
    for (size_t i = first; i < first + count; i++) free(plan->events[i].text);
    free(plan->events);
    *plan = *shorter;
    plan->capacity = plan->count;
}

/* Whatever comes after the trouble is not needed. */
static void cut_the_end(struct plan *plan, const struct verdict *verdict)
{
    while (plan->settings.hours > 1) {
        int64_t hours = plan->settings.hours;
        plan->settings.hours = hours / 2;
        if (still_fails(plan, verdict)) continue;
        plan->settings.hours = hours;
        return;
    }
}

void shrink(struct plan *plan, const struct verdict *verdict, bool talk)
{
    int tries = 0;
    cut_the_end(plan, verdict);
    for (size_t chunk = plan->count / 2; chunk > 0; chunk /= 2) {
        for (size_t first = 0; first + chunk <= plan->count && tries < TRIES_MAX;) {
            struct plan shorter;
            without(plan, first, chunk, &shorter);
            tries++;
            if (still_fails(&shorter, verdict)) {
                keep(plan, first, chunk, &shorter);
            } else {
                free(shorter.events);
                first += chunk;
            }
        }
        if (talk) {
            (void)printf("shrinking: %zu events are left after %d tries\n", plan->count, tries);
            (void)fflush(stdout);
        }
    }
    cut_the_end(plan, verdict);
}
