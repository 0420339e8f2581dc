#include "lib/base/crash.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* A signal handler gets no argument of ours. */
static struct belfry_lines *_Atomic last_lines;

static void flush_and_die(int number)
{
    struct belfry_lines *lines = atomic_exchange(&last_lines, NULL);
    if (lines != NULL) (void)belfry_lines_flush(lines, BELFRY_LINES_END_MS);
    (void)raise(number); /* SA_RESETHAND: now it means what it meant before */
}

void belfry_crash_flushes(struct belfry_lines *lines)
{
    static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    assert(lines != NULL && atomic_load(&last_lines) == NULL);
    atomic_store(&last_lines, lines);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before;
        struct sigaction ours = {.sa_handler = flush_and_die,
                                 .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
        if (sigaction(numbers[i], NULL, &before) != 0 || before.sa_handler != SIG_DFL) continue;
        (void)sigaction(numbers[i], &ours, NULL);
    }
}
