#include "lib/base/quiet_thread.h"

#include <signal.h>
#include <stddef.h>

int quiet_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
    static const int faults[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    sigset_t quiet;
    sigset_t before;
    (void)sigfillset(&quiet);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        (void)sigdelset(&quiet, faults[i]);
    (void)pthread_sigmask(SIG_SETMASK, &quiet, &before);
    int failed = pthread_create(thread, NULL, run, argument);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}
