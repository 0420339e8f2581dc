/* The watchman beside a clock that is a test's: systemd is told for as long as no loop hangs. */
#include <setjmp.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dispatcher/daemon/watchman.h"
#include "dispatcher/http/unix_socket.h"

enum { FAILS_AFTER_S = 60, NOTES_MAX = 1000 };
#define SECOND_US INT64_C(1000000)
#define HANGS_US (10 * SECOND_US) /* from then on, by a question whose bound is 20 s */
#define END_US (60 * SECOND_US)

/* Its functions are called by the watchman's thread alone. */
struct rig {
    int64_t now_us;
    int supervisor;
    struct loop *loop;
    int64_t fed_us[NOTES_MAX];
    size_t fed;
    sem_t over;
};

static int64_t told_us(void *opaque)
{
    return ((struct rig *)opaque)->now_us;
}

/* Between two looks of the watchman: what he has told since the last time is there. */
static void sleep_ms(void *opaque, int64_t milliseconds)
{
    struct rig *rig = opaque;
    char text[64];
    ssize_t got = recv(rig->supervisor, text, sizeof text, MSG_DONTWAIT);
    if (got > 0 && rig->fed < NOTES_MAX) rig->fed_us[rig->fed++] = rig->now_us;
    bool over = rig->now_us >= END_US;
    rig->now_us += milliseconds * 1000;
    if (!over && rig->now_us >= END_US) (void)sem_post(&rig->over);
    if (rig->now_us < HANGS_US) loop_enter(rig->loop, LOOP_QUESTION);
}

static int listen_as_systemd(const char *place)
{
    struct sockaddr_un address;
    socklen_t bytes = unix_socket_address(place, &address);
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, bytes), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", place, 1), 0);
    return descriptor;
}

static void check_who_hangs_is_fed_no_more(void **state)
{
    char place[64];
    (void)state;
    (void)snprintf(place, sizeof place, "@belfry-test-watchman-%d", (int)getpid());
    struct rig rig = {.now_us = SECOND_US, .supervisor = listen_as_systemd(place)};
    struct clock clock = {.opaque = &rig, .monotonic_us = told_us, .sleep_ms = sleep_ms};
    struct watchman_options options = {
        {loop_watch_create(1, 2000), shard_board_create(1), &clock}, ""};
    struct error error = {0};
    assert_int_equal(sem_init(&rig.over, 0, 0), 0);
    rig.loop = loop_watch_shard(options.view.watch, 0);
    loop_enter(rig.loop, LOOP_QUESTION);
    assert_int_equal(setenv("WATCHDOG_USEC", "2000000", 1), 0);
    struct watchman *watchman = watchman_start(&options, &error);
    assert_non_null(watchman);
    struct timespec limit;
    (void)clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += FAILS_AFTER_S;
    assert_int_equal(sem_timedwait(&rig.over, &limit), 0);
    watchman_stop(watchman);
    assert_true(rig.fed >= 28 && rig.fed <= 30); /* each second, until it is late */
    for (size_t i = 1; i < rig.fed; i++)
        assert_int_equal(rig.fed_us[i] - rig.fed_us[i - 1], SECOND_US);
    assert_in_range(rig.fed_us[rig.fed - 1], 29 * SECOND_US, 30 * SECOND_US);
    loop_watch_destroy(options.view.watch);
    shard_board_destroy(options.view.board);
    (void)sem_destroy(&rig.over);
    (void)close(rig.supervisor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(check_who_hangs_is_fed_no_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
