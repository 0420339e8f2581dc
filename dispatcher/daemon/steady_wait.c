#include "dispatcher/daemon/steady_wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>

/* glibc's C11 objects are POSIX objects of the same size; it can wait on either clock since 2.30.
 * The thread sanitizer has definitions of its own (tests/support/thread_sanitizer.c). */
#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#if __GLIBC_PREREQ(2, 30)
#define STEADY_WAIT_POSSIBLE
#endif
#endif

#ifdef STEADY_WAIT_POSSIBLE

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "the same object");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "the same object");

#define SECOND_NS INT64_C(1000000000)

static atomic_bool works;
static _Atomic int64_t base_ns; /* the wall clock less the steady one, at the first question */

static int64_t read_ns(clockid_t clock)
{
    struct timespec now = {0};
    (void)clock_gettime(clock, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t base(void)
{
    int64_t known_ns = atomic_load(&base_ns);
    int64_t fresh_ns = read_ns(CLOCK_REALTIME) - read_ns(CLOCK_MONOTONIC);
    if (known_ns != 0) return known_ns;
    return atomic_compare_exchange_strong(&base_ns, &known_ns, fresh_ns) ? fresh_ns : known_ns;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
}

/* The wall clock as if nobody had set it since the start, in an odd number of nanoseconds. It stays
 * odd when whole microseconds are added. */
int timespec_get(struct timespec *now, int which)
{
    if (which != TIME_UTC) return 0;
    *now = timespec_of((base() + read_ns(CLOCK_MONOTONIC)) | 1);
    return which;
}

/* By the steady clock. What was made from gettimeofday() is a whole number of microseconds, and is
 * used at once: then what is left is what counts. */
static int64_t steady_deadline_ns(const struct timespec *until)
{
    int64_t until_ns = until->tv_sec * SECOND_NS + until->tv_nsec;
    if (until_ns % 2 != 0) return until_ns - base();
    return until_ns - read_ns(CLOCK_REALTIME) + read_ns(CLOCK_MONOTONIC);
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    int64_t until_ns = steady_deadline_ns(until);
    struct timespec steady = timespec_of(until_ns > 0 ? until_ns : 0);
    atomic_store_explicit(&works, true, memory_order_relaxed);
    int failed = pthread_cond_clockwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex,
                                        CLOCK_MONOTONIC, &steady);
    if (failed == ETIMEDOUT) return thrd_timedout;
    return failed != 0 ? thrd_error : thrd_success;
}

bool steady_wait_works(void)
{
    return atomic_load(&works);
}

#else

bool steady_wait_works(void)
{
    return false;
}

#endif
