/* clock_step.c - preloaded into a process, sets its wall clock while it runs: by as many seconds as
 * the file CLOCK_STEP_FILE holds, a little-endian 64-bit number. Elapsed time runs as ever. C11's
 * waits follow the clock that was set, as they do when the machine's is: a deadline is an instant
 * of the wall clock. A program that has its own (dispatcher/daemon/steady_wait.c) does not come
 * here. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS INT64_C(20000000)
#define SECOND_NS INT64_C(1000000000)

static const volatile int64_t *step_s;

__attribute__((constructor)) static void map_step(void)
{
    const char *path = getenv("CLOCK_STEP_FILE");
    int file = path == NULL ? -1 : open(path, O_RDONLY);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    (void)close(file);
    if (mapped != MAP_FAILED) step_s = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, clock, now) != 0) return -1;
    if ((clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && step_s != NULL)
        now->tv_sec += *step_s;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    struct timespec precise;
    (void)clock_gettime(CLOCK_REALTIME, &precise);
    *now = (struct timeval){.tv_sec = precise.tv_sec, .tv_usec = precise.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now)
{
    struct timespec precise;
    (void)clock_gettime(CLOCK_REALTIME, &precise);
    if (now != NULL) *now = precise.tv_sec;
    return precise.tv_sec;
}

int timespec_get(struct timespec *now, int base)
{
    if (base != TIME_UTC) return 0;
    (void)clock_gettime(CLOCK_REALTIME, now);
    return base;
}

/* In slices, because the clock may be set meanwhile. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    for (;;) {
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        int64_t left_ns = (until->tv_sec - now.tv_sec) * SECOND_NS + until->tv_nsec - now.tv_nsec;
        if (left_ns <= 0) return thrd_timedout;
        struct timespec slice;
        (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &slice);
        int64_t end_ns = slice.tv_nsec + (left_ns < SLICE_NS ? left_ns : SLICE_NS);
        slice.tv_sec += end_ns / SECOND_NS;
        slice.tv_nsec = end_ns % SECOND_NS;
        int failed = pthread_cond_clockwait((pthread_cond_t *)condition,
                                            (pthread_mutex_t *)mutex, CLOCK_MONOTONIC, &slice);
        if (failed != ETIMEDOUT) return failed == 0 ? thrd_success : thrd_error;
    }
}
