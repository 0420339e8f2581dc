/* lines.c - two buffers: callers fill the one while the thread writes the other. */
#include "lib/base/lines.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/quiet_thread.h"

enum { LOOK_NS = 1000 * 1000 /* a millisecond */ };

struct belfry_lines {
    int descriptor;
    belfry_lines_missing *missing;
    void *opaque;
    atomic_bool busy; /* something is to be written or is being written */
    _Atomic uint64_t dropped_ever; /* those that found no room, and those nobody took */
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows; never held while something is written */
    pthread_cond_t changed;
    char *filling;
    size_t filled;
    uint64_t dropped; /* since the queue was full; nothing is taken before that was noticed */
    bool ending;
    bool left; /* the thread owns all this now */
    /* Of the thread. */
    char *writing;
    uint64_t unsaid; /* lines missing in the output, of which it says nothing yet */
    bool torn;       /* the output ends in the middle of a line */
};

/* False: the descriptor does not take it (a full disk, a reader that has gone). */
static bool write_all(struct belfry_lines *lines, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(lines->descriptor, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd room = {.fd = lines->descriptor, .events = POLLOUT};
            (void)poll(&room, 1, -1);
            continue;
        }
        if (written <= 0) return false;
        lines->torn = bytes[written - 1] != '\n';
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

/* The gap is named where it is, before anything that comes after it. */
static bool say_missing(struct belfry_lines *lines)
{
    char line[BELFRY_LINE_BYTES + 1] = "\n";
    assert(lines->unsaid > 0);
    size_t bytes = lines->missing(lines->opaque, lines->unsaid, line + 1);
    assert(bytes > 0 && bytes <= BELFRY_LINE_BYTES);
    bool said = lines->torn ? write_all(lines, line, bytes + 1) : write_all(lines, line + 1, bytes);
    if (said) lines->unsaid = 0;
    return said;
}

/* One write for each line, so that lines of several processes on one pipe never mix. */
static void write_lines(struct belfry_lines *lines, size_t bytes)
{
    const char *at = lines->writing;
    const char *end = at + bytes;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        assert(newline != NULL);
        size_t length = (size_t)(newline - at) + 1;
        bool whole = (lines->unsaid == 0 || say_missing(lines)) && write_all(lines, at, length);
        if (!whole) lines->unsaid++;
        if (!whole) atomic_fetch_add(&lines->dropped_ever, 1);
        at += length;
    }
}

static void lines_free(struct belfry_lines *lines)
{
    (void)pthread_cond_destroy(&lines->changed);
    (void)pthread_mutex_destroy(&lines->lock);
    free(lines->filling);
    free(lines->writing);
    free(lines);
}

static void *writer_main(void *argument)
{
    struct belfry_lines *lines = argument;
    (void)pthread_mutex_lock(&lines->lock);
    for (;;) {
        if (lines->filled == 0 && lines->dropped == 0) {
            atomic_store(&lines->busy, false);
            if (lines->ending) break;
            (void)pthread_cond_wait(&lines->changed, &lines->lock);
            continue;
        }
        size_t bytes = lines->filled;
        char *full = lines->filling;
        lines->filling = lines->writing;
        lines->writing = full;
        lines->filled = 0;
        /* With the buffer empty there is room again: what was dropped came after all of it. */
        uint64_t dropped = bytes == 0 ? lines->dropped : 0;
        lines->dropped -= dropped;
        (void)pthread_mutex_unlock(&lines->lock);
        write_lines(lines, bytes);
        lines->unsaid += dropped;
        if (dropped > 0) (void)say_missing(lines);
        (void)pthread_mutex_lock(&lines->lock);
    }
    bool left = lines->left;
    (void)pthread_mutex_unlock(&lines->lock);
    if (left) lines_free(lines);
    return NULL;
}

static bool thread_start(struct belfry_lines *lines)
{
    bool started = quiet_thread_start(&lines->thread, writer_main, lines) == 0;
    if (started) (void)pthread_setname_np(lines->thread, "log");
    return started;
}

struct belfry_lines *belfry_lines_create(int descriptor, belfry_lines_missing *missing,
                                         void *opaque)
{
    assert(descriptor >= 0 && missing != NULL);
    struct belfry_lines *lines = calloc(1, sizeof *lines);
    if (lines == NULL) return NULL;
    lines->descriptor = descriptor;
    lines->missing = missing;
    lines->opaque = opaque;
    atomic_init(&lines->busy, false);
    (void)pthread_mutex_init(&lines->lock, NULL); /* these two cannot fail on Linux */
    (void)pthread_cond_init(&lines->changed, NULL);
    lines->filling = malloc(BELFRY_LINES_BYTES);
    lines->writing = malloc(BELFRY_LINES_BYTES);
    if (lines->filling != NULL && lines->writing != NULL && thread_start(lines)) return lines;
    lines_free(lines);
    return NULL;
}

void belfry_lines_put(struct belfry_lines *lines, const char *line, size_t bytes)
{
    assert(lines != NULL);
    assert(bytes > 0 && bytes <= BELFRY_LINE_BYTES && line[bytes - 1] == '\n');
    (void)pthread_mutex_lock(&lines->lock);
    if (lines->dropped > 0 || bytes > BELFRY_LINES_BYTES - lines->filled) {
        lines->dropped++;
        atomic_fetch_add(&lines->dropped_ever, 1);
    } else {
        memcpy(lines->filling + lines->filled, line, bytes);
        lines->filled += bytes;
    }
    if (!atomic_exchange(&lines->busy, true)) (void)pthread_cond_signal(&lines->changed);
    (void)pthread_mutex_unlock(&lines->lock);
}

bool belfry_lines_flush(struct belfry_lines *lines, int64_t limit_ms)
{
    assert(lines != NULL);
    const struct timespec look = {.tv_nsec = LOOK_NS};
    for (int64_t left_ms = limit_ms; atomic_load(&lines->busy) && left_ms > 0; left_ms--)
        (void)nanosleep(&look, NULL);
    return !atomic_load(&lines->busy);
}

uint64_t belfry_lines_dropped(const struct belfry_lines *lines)
{
    return atomic_load(&lines->dropped_ever);
}

void belfry_lines_destroy(struct belfry_lines *lines, int64_t limit_ms)
{
    if (lines == NULL) return;
    bool written = belfry_lines_flush(lines, limit_ms);
    pthread_t thread = lines->thread;
    (void)pthread_mutex_lock(&lines->lock);
    lines->ending = true;
    lines->left = !written;
    (void)pthread_cond_signal(&lines->changed);
    (void)pthread_mutex_unlock(&lines->lock); /* a thread that is left may free them from here */
    if (written) {
        (void)pthread_join(thread, NULL);
        lines_free(lines);
    } else {
        (void)pthread_detach(thread);
    }
}
