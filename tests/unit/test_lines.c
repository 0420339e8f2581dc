#include "lib/base/lines.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, SHORT_MS = 50, TEXT_BYTES = 100, PIPE_BYTES = 4096 };

static size_t say_missing(void *opaque, uint64_t count, char line[BELFRY_LINE_BYTES])
{
    (void)opaque;
    return (size_t)snprintf(line, BELFRY_LINE_BYTES, "missing %llu\n", (unsigned long long)count);
}

static struct belfry_lines *lines_to(int descriptor)
{
    struct belfry_lines *lines = belfry_lines_create(descriptor, say_missing, NULL);
    assert_non_null(lines);
    return lines;
}

static void put_number(struct belfry_lines *lines, unsigned number)
{
    char line[TEXT_BYTES + 1];
    int length = snprintf(line, sizeof line, "line %0*u\n", TEXT_BYTES - 6, number);
    assert_int_equal(length, TEXT_BYTES);
    belfry_lines_put(lines, line, TEXT_BYTES);
}

static void open_pipe(int ends[2])
{
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) > 0);
}

/* Reads lines until `count` are there or named as missing: in order, each gap where it is.
 *   returns  how many were missing */
static unsigned read_back(int descriptor, unsigned count)
{
    FILE *file = fdopen(descriptor, "r");
    char line[BELFRY_LINE_BYTES];
    unsigned next = 0, missing = 0;
    assert_non_null(file);
    while (next < count && fgets(line, sizeof line, file) != NULL) {
        unsigned number = 0;
        if (sscanf(line, "missing %u", &number) == 1) {
            assert_true(number > 0);
            missing += number;
            next += number;
        } else {
            assert_int_equal(sscanf(line, "line %u", &number), 1);
            assert_int_equal(number, next);
            next++;
        }
    }
    assert_int_equal(next, count);
    (void)fclose(file);
    return missing;
}

static void everything_is_written_in_order(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct belfry_lines *lines = lines_to(ends[1]);
    for (unsigned i = 0; i < 200; i++) put_number(lines, i);
    assert_true(belfry_lines_flush(lines, PATIENCE_MS));
    belfry_lines_destroy(lines, 0);
    (void)close(ends[1]);
    assert_int_equal(read_back(ends[0], 200), 0);
}

static void a_reader_that_stands_still_costs_lines_and_no_time(void **state)
{
    (void)state;
    enum { COUNT = 3 * BELFRY_LINES_BYTES / TEXT_BYTES };
    int ends[2];
    open_pipe(ends);
    struct belfry_lines *lines = lines_to(ends[1]);
    for (unsigned i = 0; i < COUNT; i++) put_number(lines, i); /* would never return */
    assert_false(belfry_lines_flush(lines, SHORT_MS));
    assert_true(read_back(ends[0], COUNT) > 0);
    belfry_lines_destroy(lines, PATIENCE_MS);
    (void)close(ends[1]);
}

static void after_a_gap_lines_come_again(void **state)
{
    (void)state;
    enum { COUNT = 3 * BELFRY_LINES_BYTES / TEXT_BYTES, MORE = 10 };
    int ends[2];
    open_pipe(ends);
    struct belfry_lines *lines = lines_to(ends[1]);
    for (unsigned i = 0; i < COUNT; i++) put_number(lines, i);
    unsigned missing = read_back(dup(ends[0]), COUNT);
    for (unsigned i = 0; i < MORE; i++) put_number(lines, i);
    assert_true(belfry_lines_flush(lines, PATIENCE_MS));
    assert_int_equal(read_back(ends[0], MORE), 0);
    assert_true(missing > 0 && missing < COUNT);
    assert_int_equal(belfry_lines_dropped(lines), missing);
    belfry_lines_destroy(lines, PATIENCE_MS);
    (void)close(ends[1]);
}

static void an_end_does_not_wait_for_the_reader(void **state)
{
    (void)state;
    int ends[2];
    open_pipe(ends);
    struct belfry_lines *lines = lines_to(ends[1]);
    for (unsigned i = 0; i < 1000; i++) put_number(lines, i);
    belfry_lines_destroy(lines, SHORT_MS); /* would never return */
    /* The thread goes on by itself, so the pipe stays open for it. */
    assert_int_equal(read_back(ends[0], 1000), 0);
}

/* A pipe that its writers find full instead of waiting. */
static void a_descriptor_that_does_not_block(void **state)
{
    (void)state;
    int ends[2];
    open_pipe(ends);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    struct belfry_lines *lines = lines_to(ends[1]);
    for (unsigned i = 0; i < 1000; i++) put_number(lines, i);
    assert_int_equal(read_back(ends[0], 1000), 0);
    belfry_lines_destroy(lines, PATIENCE_MS);
    (void)close(ends[1]);
}

static void a_full_disk_loses_lines_and_holds_nobody(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    struct belfry_lines *lines = lines_to(full);
    for (unsigned i = 0; i < 100; i++) put_number(lines, i);
    assert_true(belfry_lines_flush(lines, PATIENCE_MS));
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], full) >= 0); /* there is room again */
    put_number(lines, 100);
    assert_true(belfry_lines_flush(lines, PATIENCE_MS));
    assert_int_equal(read_back(ends[0], 101), 100);
    assert_int_equal(belfry_lines_dropped(lines), 100);
    belfry_lines_destroy(lines, PATIENCE_MS);
    (void)close(ends[1]);
    (void)close(full);
}

enum { WRITERS = 4, LINES = 500 };

static void *put_many(void *argument)
{
    char line[TEXT_BYTES];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < LINES; i++) belfry_lines_put(argument, line, sizeof line);
    return NULL;
}

static void lines_of_threads_never_mix(void **state)
{
    (void)state;
    char path[] = "/tmp/belfry-lines-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    struct belfry_lines *lines = lines_to(descriptor);
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, lines), 0);
    for (int i = 0; i < WRITERS; i++) (void)pthread_join(threads[i], NULL);
    belfry_lines_destroy(lines, PATIENCE_MS);
    FILE *file = fopen(path, "r");
    char line[BELFRY_LINE_BYTES];
    int count = 0;
    assert_non_null(file);
    for (; fgets(line, sizeof line, file) != NULL; count++)
        assert_int_equal(strspn(line, "x"), TEXT_BYTES - 1);
    assert_int_equal(count, WRITERS * LINES);
    (void)fclose(file);
    (void)close(descriptor);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_written_in_order),
        cmocka_unit_test(a_reader_that_stands_still_costs_lines_and_no_time),
        cmocka_unit_test(after_a_gap_lines_come_again),
        cmocka_unit_test(an_end_does_not_wait_for_the_reader),
        cmocka_unit_test(a_descriptor_that_does_not_block),
        cmocka_unit_test(a_full_disk_loses_lines_and_holds_nobody),
        cmocka_unit_test(lines_of_threads_never_mix),
    };
    return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
