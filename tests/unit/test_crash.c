#include "lib/base/crash.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { LINES = 300, TEXT_BYTES = 1000 };

static size_t say_missing(void *opaque, uint64_t count, char line[BELFRY_LINE_BYTES])
{
    (void)opaque;
    return (size_t)snprintf(line, BELFRY_LINE_BYTES, "missing %llu\n", (unsigned long long)count);
}

/* Logs and crashes in the same breath. */
static _Noreturn void crash(int descriptor, int number)
{
    const struct rlimit no_core = {0};
    char line[TEXT_BYTES];
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)signal(number, SIG_DFL);
    struct belfry_lines *lines = belfry_lines_create(descriptor, say_missing, NULL);
    if (lines == NULL) _exit(1);
    belfry_crash_flushes(lines);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < LINES; i++) belfry_lines_put(lines, line, sizeof line);
    if (number == SIGABRT) abort();
    (void)raise(number);
    _exit(1);
}

static size_t read_all(int descriptor)
{
    static char bytes[65536];
    size_t total = 0;
    for (ssize_t count; (count = read(descriptor, bytes, sizeof bytes)) > 0;)
        total += (size_t)count;
    return total;
}

static void check_crash(void **state)
{
    int number = *(const int *)*state;
    int ends[2];
    int status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) crash(ends[1], number);
    (void)close(ends[1]);
    assert_int_equal(read_all(ends[0]), LINES * TEXT_BYTES);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number);
    (void)close(ends[0]);
}

static void nobody_reads(void **state)
{
    (void)state;
    int ends[2];
    int status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) crash(ends[1], SIGABRT);
    assert_int_equal(waitpid(child, &status, 0), child); /* would never return */
    assert_true(WIFSIGNALED(status));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    static const int numbers[] = {SIGABRT, SIGSEGV, SIGFPE};
    const struct CMUnitTest tests[] = {
        {.name = "abort", .test_func = check_crash, .initial_state = (void *)&numbers[0]},
        {.name = "segfault", .test_func = check_crash, .initial_state = (void *)&numbers[1]},
        {.name = "arithmetic", .test_func = check_crash, .initial_state = (void *)&numbers[2]},
        cmocka_unit_test(nobody_reads),
    };
    return _cmocka_run_group_tests("crash", tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
