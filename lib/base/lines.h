/* lines.h - lines for a descriptor whose reader may stand still: who has a line puts it into a
 * bounded queue and goes on, one thread writes. Lines that find no room are dropped, counted, and
 * named by a line as soon as there is room again. Of libbelfry, belfry-worker and belfryd. */
#ifndef BELFRY_BASE_LINES_H
#define BELFRY_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum {
    BELFRY_LINE_BYTES = 4096,        /* of one line; a pipe takes as much in one piece */
    BELFRY_LINES_BYTES = 512 * 1024, /* that may wait */
    BELFRY_LINES_END_MS = 500        /* how long an ending waits for what is still to be written */
};

struct belfry_lines;

/* Makes the line that says how many are missing; from the thread that writes.
 *   returns  its length, with the newline */
typedef size_t belfry_lines_missing(void *opaque, uint64_t count, char line[BELFRY_LINE_BYTES]);

/* Starts the thread, which takes no signals. The descriptor is borrowed; what `opaque` points to
 * must live as long as the process, or be NULL.
 *   returns  the queue, the caller's; NULL: memory or a thread is short */
struct belfry_lines *belfry_lines_create(int descriptor, belfry_lines_missing *missing,
                                         void *opaque) __attribute__((warn_unused_result));

/* A whole line with its newline and no other one. Never waits for the reader. Any thread. */
void belfry_lines_put(struct belfry_lines *lines, const char *line, size_t bytes);

/* Waits until everything is written, or until the limit is over. Any thread; async-signal-safe.
 *   returns  whether all is written */
bool belfry_lines_flush(struct belfry_lines *lines, int64_t limit_ms);

/* How many lines have been dropped since the beginning. Any thread. */
uint64_t belfry_lines_dropped(const struct belfry_lines *lines);

/* Flushes within the limit and ends the thread; one that still waits for the reader is left to
 * itself. NULL is allowed. */
void belfry_lines_destroy(struct belfry_lines *lines, int64_t limit_ms);

#pragma GCC visibility pop

#endif
