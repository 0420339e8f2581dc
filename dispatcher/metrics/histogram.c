#include "dispatcher/metrics/histogram.h"

#include <assert.h>

#include "lib/model/run.h"

#define MS(ms) ((ms) * INT64_C(1000))
#define S(s) ((s) * INT64_C(1000000))

const struct histogram_kind histogram_of_lateness = {
    18, {MS(1), 2500, MS(5), MS(10), MS(25), MS(50), MS(100), MS(250), MS(500), S(1), MS(2500),
         S(5), S(10), S(30), S(60), S(300), S(900), S(3600)}};
const struct histogram_kind histogram_of_groups = {
    7, {MS(10), MS(100), MS(500), S(1), S(5), S(30), S(300)}};
const struct histogram_kind histogram_of_duration = {
    14, {MS(5), MS(10), MS(25), MS(50), MS(100), MS(250), MS(500), S(1), MS(2500), S(5), S(10),
         S(30), S(60), S(300)}};

#define BOUND(bound_ms) MS(bound_ms),
const struct histogram_kind histogram_of_runs = {RUN_SPAN_COUNT - 1, {RUN_SPANS(BOUND)}};
#undef BOUND
static_assert((int)RUN_SPAN_COUNT <= (int)HISTOGRAM_BOUNDS_MAX + 1, "a bucket for each");

static int bucket_of(const struct histogram_kind *kind, int64_t us)
{
    assert(kind->count <= HISTOGRAM_BOUNDS_MAX);
    int bucket = 0;
    while (bucket < kind->count && us > kind->bounds_us[bucket]) bucket++;
    return bucket;
}

static void add(_Atomic int64_t *number, int64_t by)
{
    if (by != 0) atomic_fetch_add_explicit(number, by, memory_order_relaxed);
}

void histogram_count(const struct histogram_kind *kind, struct histogram *histogram, int64_t us,
                     int64_t times)
{
    add(&histogram->buckets[bucket_of(kind, us)], times);
    if (us > 0) add(&histogram->sum_us, us * times);
}

void histogram_note(const struct histogram_kind *kind, struct histogram_numbers *numbers,
                    int64_t us, int64_t times)
{
    numbers->buckets[bucket_of(kind, us)] += times;
    if (us > 0) numbers->sum_us += us * times;
}

void histogram_add(struct histogram *histogram, const struct histogram_numbers *numbers)
{
    for (int i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        add(&histogram->buckets[i], numbers->buckets[i]);
    add(&histogram->sum_us, numbers->sum_us);
}

void histogram_read(const struct histogram *histogram, struct histogram_numbers *numbers)
{
    for (int i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        numbers->buckets[i] =
            atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
    numbers->sum_us = atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
}

void histogram_clear(struct histogram *histogram)
{
    for (int i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        atomic_store_explicit(&histogram->buckets[i], 0, memory_order_relaxed);
    atomic_store_explicit(&histogram->sum_us, 0, memory_order_relaxed);
}
