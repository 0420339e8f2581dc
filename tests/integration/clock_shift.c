/* clock_shift.c - preloaded into a process, moves its wall clock by CLOCK_SHIFT_S seconds: for all
 * who ask, or with CLOCK_SHIFT_MAIN for the main program only. Elapsed time runs as ever.
 *
 * The daemon needs the second: librdkafka mixes the calls that can be moved with C11 waits, whose
 * deadlines cannot, and then waits wrongly (as it does under libfaketime). The Java machine does
 * not. */
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t shift_s;
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

__attribute__((constructor)) static void read_environment(void)
{
    const char *text = getenv("CLOCK_SHIFT_S");
    shift_s = text == NULL ? 0 : (time_t)strtol(text, NULL, 10);
    main_last = UINTPTR_MAX;
    if (getenv("CLOCK_SHIFT_MAIN") == NULL) return;
    main_last = 0;
    (void)dl_iterate_phdr(note_main, NULL);
}

static int read_clock(clockid_t clock, struct timespec *now, const void *caller)
{
    uintptr_t address = (uintptr_t)caller;
    if (syscall(SYS_clock_gettime, clock, now) != 0) return -1;
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return 0;
    if (address >= main_first && address < main_last) now->tv_sec += shift_s;
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

time_t time(time_t *now)
{
    struct timespec precise = {0};
    (void)read_clock(CLOCK_REALTIME, &precise, __builtin_return_address(0));
    if (now != NULL) *now = precise.tv_sec;
    return precise.tv_sec;
}
