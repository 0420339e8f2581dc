/* progress.h - a bar on stderr while something long goes on; nothing where stderr is no
 * terminal. */
#ifndef BELFRY_CLI_PROGRESS_H
#define BELFRY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    const char *what; /* "importing" */
    size_t total;     /* 0 = not known */
    size_t done;
    int64_t start_ms;
    int64_t shown_ms;
    bool terminal;
    size_t width;
};

void progress_start(struct progress *progress, const char *what, size_t total);

/* Notes how far it is, and shows it, at most ten times a second. */
void progress_show(struct progress *progress, size_t done);

/* Takes the bar away, so that other lines can follow. */
void progress_end(struct progress *progress);

/* The line itself, without its end: "importing  [#####.....]  50%  50,000 of 100,000  9,000/s".
 * Pure; fits into `width` columns. */
void progress_line(const struct progress *progress, int64_t now_ms, char *line, size_t bytes);

/* 1234567 as "1,234,567". */
enum { GROUPED_BYTES = 32 };
void number_grouped(uint64_t number, char text[GROUPED_BYTES]);

#endif
