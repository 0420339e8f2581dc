/* A wall clock that is set back is noticed, whatever else it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>

#include <cmocka.h>

#include "dispatcher/daemon/clock_system.h"
#include "dispatcher/daemon/clock_watch.h"
#include "dispatcher/daemon/steady_wait.h"

struct fake {
    _Atomic int64_t wall_ms;
    _Atomic int64_t steady_us;
    _Atomic int64_t looks;
    _Atomic int64_t back_ms; /* as told */
};

static int64_t now_ms(void *opaque)
{
    struct fake *fake = opaque;
    return atomic_load(&fake->wall_ms);
}

static int64_t monotonic_us(void *opaque)
{
    struct fake *fake = opaque;
    atomic_fetch_add(&fake->looks, 1);
    return atomic_load(&fake->steady_us);
}

static void sleep_ms(void *opaque, int64_t ms)
{
    struct fake *fake = opaque;
    atomic_fetch_add(&fake->wall_ms, ms);
    atomic_fetch_add(&fake->steady_us, ms * 1000);
    const struct timespec moment = {.tv_nsec = 1000000};
    (void)nanosleep(&moment, NULL);
}

static void set_back(void *opaque, int64_t by_ms)
{
    struct fake *fake = opaque;
    atomic_store(&fake->back_ms, by_ms);
}

static void wait_looks(struct fake *fake, int64_t more)
{
    int64_t until = atomic_load(&fake->looks) + more;
    const struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 10000 && atomic_load(&fake->looks) < until; i++)
        if (atomic_load(&fake->back_ms) != 0) return;
        else (void)nanosleep(&moment, NULL);
}

static void steps_are_told(void **state)
{
    (void)state;
    struct error error = {0};
    struct fake fake = {0};
    atomic_store(&fake.wall_ms, INT64_C(1780000000000));
    struct clock clock = {.opaque = &fake, .now_ms = now_ms, .monotonic_us = monotonic_us,
                          .sleep_ms = sleep_ms};
    struct clock_watch_options options = {&clock, &fake, set_back};
    struct clock_watch *watch = clock_watch_start(&options, &error);
    assert_non_null(watch);
    wait_looks(&fake, 5);
    atomic_fetch_add(&fake.wall_ms, 600000); /* ahead */
    wait_looks(&fake, 5);
    atomic_fetch_sub(&fake.wall_ms, 4000); /* a little back */
    wait_looks(&fake, 5);
    assert_int_equal(atomic_load(&fake.back_ms), 0);
    atomic_fetch_sub(&fake.wall_ms, 120000);
    wait_looks(&fake, 5000);
    assert_in_range(atomic_load(&fake.back_ms), 119000, 121000);
    clock_watch_stop(watch);
}

static void stops_when_told(void **state)
{
    (void)state;
    struct error error = {0};
    struct fake fake = {0};
    struct clock clock = clock_system();
    struct clock_watch_options options = {&clock, &fake, set_back};
    struct clock_watch *watch = clock_watch_start(&options, &error);
    assert_non_null(watch);
    clock_watch_stop(watch);
    clock_watch_stop(NULL);
    assert_int_equal(atomic_load(&fake.back_ms), 0);
}

/* C11's own wait, as librdkafka uses it, comes to ours and ends in time. */
static void waits_come_to_ours(void **state)
{
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip(); /* it has waits of its own, see steady_wait.c */
#endif
    mtx_t mutex;
    cnd_t condition;
    struct timespec until;
    assert_int_equal(mtx_init(&mutex, mtx_plain), thrd_success);
    assert_int_equal(cnd_init(&condition), thrd_success);
    assert_int_equal(timespec_get(&until, TIME_UTC), TIME_UTC);
    assert_in_range(until.tv_sec, time(NULL) - 2, time(NULL) + 2);
    until.tv_sec += 1;
    assert_int_equal(mtx_lock(&mutex), thrd_success);
    struct clock clock = clock_system();
    int64_t began_us = clock.monotonic_us(clock.opaque);
    int outcome = thrd_success;
    while (outcome == thrd_success) outcome = cnd_timedwait(&condition, &mutex, &until);
    assert_int_equal(outcome, thrd_timedout);
    assert_true(clock.monotonic_us(clock.opaque) - began_us >= 900000);
    struct timeval wall;
    (void)gettimeofday(&wall, NULL);
    until = (struct timespec){wall.tv_sec, wall.tv_usec * 1000 + 200000000};
    if (until.tv_nsec >= 1000000000) until = (struct timespec){until.tv_sec + 1,
                                                               until.tv_nsec - 1000000000};
    began_us = clock.monotonic_us(clock.opaque);
    outcome = thrd_success;
    while (outcome == thrd_success) outcome = cnd_timedwait(&condition, &mutex, &until);
    assert_int_equal(outcome, thrd_timedout);
    assert_true(clock.monotonic_us(clock.opaque) - began_us >= 150000);
    until.tv_sec = 0; /* long ago */
    assert_int_equal(cnd_timedwait(&condition, &mutex, &until), thrd_timedout);
    assert_int_equal(mtx_unlock(&mutex), thrd_success);
    cnd_destroy(&condition);
    mtx_destroy(&mutex);
    assert_true(steady_wait_works());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_told),
        cmocka_unit_test(stops_when_told),
        cmocka_unit_test(waits_come_to_ours),
    };
    return cmocka_run_group_tests_name("clock watch", tests, NULL, NULL);
}
