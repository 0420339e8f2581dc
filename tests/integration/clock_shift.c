/* clock_shift.c - preloaded into a process, moves its wall clock by CLOCK_SHIFT_S seconds and by
 * what the file CLOCK_SHIFT_FILE says: milliseconds, eight bytes, read each time, so that whoever
 * writes it steps the clock of a running process. Elapsed time runs as ever.
 *
 * Waits until an instant of the wall clock go by the moved clock, as they do when the machine's is
 * set: one that was to end in a second lasts 101 when the clock goes back by 100.
 *
 * With CLOCK_SHIFT_MAIN only the main program's clock is moved, and no wait. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000, SLICE_NS = 20 * NS_PER_MS };

static int64_t shift_ns;               /* for good */
static const volatile int64_t *file_ms; /* and as the file says now; NULL: there is none */
static uintptr_t main_first;
static uintptr_t main_last;

/* The first object told is the main program. */
static int note_main(struct dl_phdr_info *info, size_t size, void *opaque)
{
    (void)size;
    (void)opaque;
    main_first = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
        uintptr_t first = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        uintptr_t last = first + info->dlpi_phdr[i].p_memsz;
        if (first < main_first) main_first = first;
        if (last > main_last) main_last = last;
    }
    return 1;
}

static void map_file(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *mapped = file < 0 ? MAP_FAILED
                            : mmap(NULL, sizeof *file_ms, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) abort(); /* a test that would pass for nothing */
    (void)close(file);
    file_ms = mapped;
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *text = getenv("CLOCK_SHIFT_S");
    shift_ns = text == NULL ? 0 : strtoll(text, NULL, 10) * NS_PER_S;
    const char *path = getenv("CLOCK_SHIFT_FILE");
    if (path != NULL) map_file(path);
    main_last = UINTPTR_MAX;
    if (getenv("CLOCK_SHIFT_MAIN") == NULL) return;
    main_last = 0;
    (void)dl_iterate_phdr(note_main, NULL);
}

static int64_t moved_ns(void)
{
    return shift_ns + (file_ms == NULL ? 0 : *file_ms * NS_PER_MS);
}

static int64_t to_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
}

static struct timespec from_ns(int64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

static int64_t true_ns(clockid_t clock)
{
    struct timespec now = {0};
    (void)syscall(SYS_clock_gettime, clock, &now);
    return to_ns(&now);
}

static int read_clock(clockid_t clock, struct timespec *now, const void *caller)
{
    uintptr_t address = (uintptr_t)caller;
    if (syscall(SYS_clock_gettime, clock, now) != 0) return -1;
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return 0;
    if (address >= main_first && address < main_last) *now = from_ns(to_ns(now) + moved_ns());
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    return read_clock(clock, now, __builtin_return_address(0));
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    struct timespec precise;
    if (read_clock(CLOCK_REALTIME, &precise, __builtin_return_address(0)) != 0) return -1;
    *now = (struct timeval){.tv_sec = precise.tv_sec, .tv_usec = precise.tv_nsec / 1000};
    return 0;
}

/* What librdkafka's deadlines are made from. */
int timespec_get(struct timespec *now, int base)
{
    if (base != TIME_UTC) return 0;
    return read_clock(CLOCK_REALTIME, now, __builtin_return_address(0)) == 0 ? base : 0;
}

time_t time(time_t *now)
{
    struct timespec precise = {0};
    (void)read_clock(CLOCK_REALTIME, &precise, __builtin_return_address(0));
    if (now != NULL) *now = precise.tv_sec;
    return precise.tv_sec;
}

/* --- waits --- */

/* Waits in slices of elapsed time, so that a step of the clock is noticed within one of them. */
static int wait_moved(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline_ns)
{
    for (;;) {
        int64_t left_ns = deadline_ns - (true_ns(CLOCK_REALTIME) + moved_ns());
        bool last = left_ns <= SLICE_NS;
        if (left_ns < 0) left_ns = 0;
        struct timespec until =
            from_ns(true_ns(CLOCK_MONOTONIC) + (last ? left_ns : (int64_t)SLICE_NS));
        int code = pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, &until);
        if (code != ETIMEDOUT) return code;
        if (deadline_ns <= true_ns(CLOCK_REALTIME) + moved_ns()) return ETIMEDOUT;
    }
}

/* glibc keeps in this bit which clock a condition's deadlines are of. */
static bool is_monotonic(const pthread_cond_t *condition)
{
    return (condition->__data.__wrefs & 2) != 0;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    if (is_monotonic(condition))
        return pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC, until);
    if (main_last != UINTPTR_MAX)
        return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, until);
    return wait_moved(condition, mutex, to_ns(until));
}

/* C11's are the same objects under another name. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    int code = main_last != UINTPTR_MAX
                   ? pthread_cond_clockwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex,
                                            CLOCK_REALTIME, until)
                   : wait_moved((pthread_cond_t *)condition, (pthread_mutex_t *)mutex,
                                to_ns(until));
    return code == 0 ? thrd_success : code == ETIMEDOUT ? thrd_timedout : thrd_error;
}
