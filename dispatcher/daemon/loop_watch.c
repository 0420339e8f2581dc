#include "dispatcher/daemon/loop_watch.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"

enum { TICK_MOST_US = 1000 * 1000 /* of a longer pause the process has not seen more */ };
#define CALLS_MAX INT64_C(16)
static_assert((int)LOOP_CALL_COUNT <= (int)CALLS_MAX, "a call fits its bits");

struct loop {
    const struct loop_watch *watch;
    /* Since when by the watch's clock, times CALLS_MAX, and the call; 0: it rests. In one, so that
     * nobody reads the beginning of one call with the bound of another. */
    _Atomic int64_t at;
};

struct loop_watch {
    _Atomic int64_t lived_us;  /* never 0 */
    _Atomic int64_t ticked_us; /* by the real clock; 0: never */
    int64_t redis_limit_ms;
    struct loop daemon;
    struct loop writer;
    int32_t shards;
    struct loop shard[]; /* by number */
};

#define LOOP_WORD(name, word, ...) word,
static const char *const words[] = {LOOP_CALLS(LOOP_WORD)};
#undef LOOP_WORD

static int64_t bound_ms(const struct loop_watch *watch, enum loop_call call)
{
#define LOOP_BOUND(name, word, ms, redis_limits) {ms, redis_limits},
    static const struct { int64_t ms; int64_t redis_limits; } bounds[] = {LOOP_CALLS(LOOP_BOUND)};
#undef LOOP_BOUND
    return bounds[call].ms + bounds[call].redis_limits * watch->redis_limit_ms;
}

struct loop_watch *loop_watch_create(int32_t shards, int64_t redis_limit_ms)
{
    assert(shards > 0 && shards <= SHARDS_MAX);
    struct loop_watch *watch =
        memory_allocate(1, sizeof *watch + (size_t)shards * sizeof watch->shard[0]);
    watch->redis_limit_ms = redis_limit_ms;
    watch->shards = shards;
    atomic_store(&watch->lived_us, 1);
    watch->daemon.watch = watch->writer.watch = watch;
    for (int32_t shard = 0; shard < shards; shard++) watch->shard[shard].watch = watch;
    return watch;
}

void loop_watch_destroy(struct loop_watch *watch)
{
    free(watch);
}

struct loop *loop_watch_daemon(struct loop_watch *watch)
{
    return &watch->daemon;
}

struct loop *loop_watch_writer(struct loop_watch *watch)
{
    return &watch->writer;
}

struct loop *loop_watch_shard(struct loop_watch *watch, int32_t shard)
{
    assert(shard >= 0 && shard < watch->shards);
    return &watch->shard[shard];
}

void loop_enter(struct loop *loop, enum loop_call call)
{
    assert(loop != NULL && call < LOOP_CALL_COUNT);
    int64_t since_us = atomic_load_explicit(&loop->watch->lived_us, memory_order_relaxed);
    atomic_store_explicit(&loop->at, since_us * CALLS_MAX + (int64_t)call, memory_order_relaxed);
}

void loop_rest(struct loop *loop)
{
    assert(loop != NULL);
    atomic_store_explicit(&loop->at, 0, memory_order_relaxed);
}

void loop_watch_tick(struct loop_watch *watch, int64_t monotonic_us)
{
    int64_t before_us = atomic_exchange(&watch->ticked_us, monotonic_us);
    int64_t passed_us = before_us == 0 ? 0 : monotonic_us - before_us;
    atomic_fetch_add(&watch->lived_us, passed_us > TICK_MOST_US ? TICK_MOST_US : passed_us);
}

struct loop_late loop_late(const struct loop *loop)
{
    int64_t at = atomic_load_explicit(&loop->at, memory_order_relaxed);
    if (at == 0) return (struct loop_late){.call = NULL};
    enum loop_call call = (enum loop_call)(at % CALLS_MAX);
    int64_t for_ms = (atomic_load(&loop->watch->lived_us) - at / CALLS_MAX) / 1000;
    int64_t most_ms = bound_ms(loop->watch, call);
    return (struct loop_late){.late = for_ms > most_ms, .call = words[call], .for_ms = for_ms,
                              .bound_ms = most_ms};
}

int64_t loop_watch_tick_age_ms(const struct loop_watch *watch, int64_t monotonic_us)
{
    int64_t ticked_us = atomic_load(&watch->ticked_us);
    return ticked_us == 0 ? 0 : (monotonic_us - ticked_us) / 1000;
}
