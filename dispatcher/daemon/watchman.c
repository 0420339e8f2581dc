#include "dispatcher/daemon/watchman.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dispatcher/daemon/health.h"
#include "dispatcher/daemon/notify.h"
#include "lib/base/memory.h"

enum { LOOK_MS = 100 };

struct watchman {
    struct watchman_options options;
    struct health *health;  /* NULL: nobody is to ask */
    int64_t feed_every_us;  /* 0: systemd does not ask for it */
    int64_t feed_us;        /* monotonic: the next time */
    atomic_bool stop;
    pthread_t thread;
};

/* Half of what systemd allows; 0 where it asks for nothing, or asks another process. */
static int64_t asked_interval_us(void)
{
    const char *limit = getenv("WATCHDOG_USEC");
    const char *process = getenv("WATCHDOG_PID");
    if (limit == NULL) return 0;
    if (process != NULL && strtoll(process, NULL, 10) != (long long)getpid()) return 0;
    long long limit_us = strtoll(limit, NULL, 10);
    return limit_us > 0 ? limit_us / 2 : 0;
}

/* The first of the lines, without its "bad ". */
static void first_line(struct text_writer *lines, char text[HEALTH_TEXT_BYTES])
{
    const char *from = text_writer_terminated(lines) + strlen("bad ");
    size_t length = strcspn(from, "\n");
    if (length >= HEALTH_TEXT_BYTES) length = HEALTH_TEXT_BYTES - 1;
    memcpy(text, from, length);
    text[length] = '\0';
}

/* Of a process that is ready. */
static void count_shards(const struct health_view *view, char text[HEALTH_TEXT_BYTES])
{
    struct board_state state;
    shard_board_read(view->board, &state, NULL);
    (void)snprintf(text, HEALTH_TEXT_BYTES, "%d shards are ours, 0 of them stand still",
                   (int)state.wanted);
}

static enum health_state look(const struct watchman *watchman, char text[HEALTH_TEXT_BYTES])
{
    const struct health_view *view = &watchman->options.view;
    struct text_writer lines;
    text_writer_init(&lines);
    enum health_state state = !health_is_live(view, false, &lines)    ? HEALTH_BAD
                              : !health_is_ready(view, false, &lines) ? HEALTH_UNREADY
                                                                      : HEALTH_OK;
    if (state == HEALTH_OK) count_shards(view, text);
    else first_line(&lines, text);
    text_writer_free(&lines);
    return state;
}

static void turn(struct watchman *watchman, int64_t now_us)
{
    char text[HEALTH_TEXT_BYTES];
    bool feeds = watchman->feed_every_us > 0 && now_us >= watchman->feed_us;
    if (!feeds && watchman->health == NULL) return;
    enum health_state state = look(watchman, text);
    if (watchman->health != NULL) health_answer(watchman->health, state, text);
    if (!feeds || state == HEALTH_BAD) return;
    watchman->feed_us = now_us + watchman->feed_every_us;
    notify_supervisor("WATCHDOG=1");
}

static void *run(void *argument)
{
    struct watchman *watchman = argument;
    const struct clock *clock = watchman->options.view.clock;
    while (!atomic_load(&watchman->stop)) {
        int64_t now_us = clock->monotonic_us(clock->opaque);
        loop_watch_tick(watchman->options.view.watch, now_us);
        turn(watchman, now_us);
        clock->sleep_ms(clock->opaque, LOOK_MS);
    }
    return NULL;
}

struct watchman *watchman_start(const struct watchman_options *options, struct error *error)
{
    assert(options != NULL && options->health_socket != NULL);
    struct watchman *watchman = memory_allocate(1, sizeof *watchman);
    watchman->options = *options;
    watchman->feed_every_us = asked_interval_us();
    if (options->health_socket[0] != '\0') {
        watchman->health = health_open(options->health_socket, error);
        if (watchman->health == NULL) goto failed;
    }
    int refused = pthread_create(&watchman->thread, NULL, run, watchman);
    if (refused == 0) {
        (void)pthread_setname_np(watchman->thread, "watchman");
        return watchman;
    }
    error_set(error, ERROR_RETRY, "no thread to watch the others: %s", strerror(refused));
    health_close(watchman->health);
failed:
    free(watchman);
    return NULL;
}

void watchman_stop(struct watchman *watchman)
{
    if (watchman == NULL) return;
    atomic_store(&watchman->stop, true);
    (void)pthread_join(watchman->thread, NULL);
    health_close(watchman->health);
    free(watchman);
}
