/* clock_bounds.h - how far our clock is ahead of the broker's, as far as it is proven. A record was
 * appended at some time between our sending it and Kafka's word that it has it: its append time,
 * by the broker's clock, bounds the difference from both sides, the tighter the faster Kafka was.
 * Several such samples hold together, each a little wider the older it is: clocks drift. Pure. */
#ifndef BELFRY_ENGINE_CLOCK_BOUNDS_H
#define BELFRY_ENGINE_CLOCK_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

struct clock_bounds {
    bool known;
    int64_t low_us; /* ahead by at least so much; negative: behind by at most so much */
    int64_t high_us;
    int64_t at_us; /* by the monotonic clock: when they held */
};

/* A record appended at `appended_ms` by the broker's clock was under way from sent_ms to
 * acknowledged_ms by ours. What contradicts the samples before replaces them: a clock was set, or
 * the partition has another leader. */
void clock_bounds_add(struct clock_bounds *bounds, int64_t sent_ms, int64_t acknowledged_ms,
                      int64_t appended_ms, int64_t now_us);
/* Our clock was set: by_ms is how far it jumped ahead. */
void clock_bounds_shift(struct clock_bounds *bounds, int64_t by_ms);

/* What is proven: how far ahead (positive) or behind (negative) at least; 0 = neither. */
int64_t clock_bounds_proven_ms(const struct clock_bounds *bounds);
/* What to take off our clock: all that is proven, and so much that no slot can be early by more
 * than the tolerance. */
int64_t clock_bounds_correction_ms(const struct clock_bounds *bounds, int64_t tolerance_ms);

#endif
