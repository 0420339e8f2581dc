/* A quiet thread takes signals of its own faults only, and who starts it takes what it took. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/quiet_thread.h"

static void *read_mask(void *argument)
{
    (void)pthread_sigmask(SIG_BLOCK, NULL, argument);
    return NULL;
}

static void takes_faults_only(void **state)
{
    (void)state;
    static const int blocked[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGALRM, SIGCHLD, SIGUSR1};
    static const int taken[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    sigset_t before, mask, after;
    pthread_t thread;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    assert_int_equal(quiet_thread_start(&thread, read_mask, &mask), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    for (size_t i = 0; i < sizeof blocked / sizeof blocked[0]; i++)
        assert_int_equal(sigismember(&mask, blocked[i]), 1);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        assert_int_equal(sigismember(&mask, taken[i]), 0);
    for (int number = 1; number < SIGRTMIN; number++)
        assert_int_equal(sigismember(&after, number), sigismember(&before, number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_faults_only)};
    return cmocka_run_group_tests_name("quiet thread", tests, NULL, NULL);
}
