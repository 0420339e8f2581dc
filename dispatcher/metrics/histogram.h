/* histogram.h - how many of what took how long: buckets of fixed bounds and a sum, written by any
 * thread without waiting, read by any. */
#ifndef BELFRY_METRICS_HISTOGRAM_H
#define BELFRY_METRICS_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS_MAX = 18 };

struct histogram_kind {
    int count;
    int64_t bounds_us[HISTOGRAM_BOUNDS_MAX]; /* ascending; a bucket includes its bound */
};
extern const struct histogram_kind histogram_of_lateness;
extern const struct histogram_kind histogram_of_groups; /* lateness, coarser: there are many */
extern const struct histogram_kind histogram_of_duration;
extern const struct histogram_kind histogram_of_runs; /* by the spans that runs count in */

/* The bucket of number `count` has what is beyond the last bound. */
struct histogram {
    _Atomic int64_t buckets[HISTOGRAM_BOUNDS_MAX + 1];
    _Atomic int64_t sum_us;
};

/* The same, of one thread: what was read, or what is gathered to be added at once. */
struct histogram_numbers {
    int64_t buckets[HISTOGRAM_BOUNDS_MAX + 1];
    int64_t sum_us;
};

/* What is negative, by clocks that differ, counts as nothing. */
void histogram_count(const struct histogram_kind *kind, struct histogram *histogram, int64_t us,
                     int64_t times);
void histogram_note(const struct histogram_kind *kind, struct histogram_numbers *numbers,
                    int64_t us, int64_t times);
void histogram_add(struct histogram *histogram, const struct histogram_numbers *numbers);
void histogram_read(const struct histogram *histogram, struct histogram_numbers *numbers);
void histogram_clear(struct histogram *histogram);

#endif
