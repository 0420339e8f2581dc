#include "cli/show/progress.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/monotonic.h"

enum { BAR_COLUMNS_MAX = 40, SHOW_EVERY_MS = 100, WIDTH_DEFAULT = 80, LINE_BYTES = 256 };

void number_grouped(uint64_t number, char text[GROUPED_BYTES])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t at = 0;
    assert(length > 0);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    assert(at < GROUPED_BYTES);
}

void progress_start(struct progress *progress, const char *what, size_t total)
{
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    *progress = (struct progress){.what = what,
                                  .total = total,
                                  .start_ms = monotonic_ms(),
                                  .terminal = isatty(STDERR_FILENO) == 1,
                                  .width = known ? size.ws_col : WIDTH_DEFAULT};
}

void progress_line(const struct progress *progress, int64_t now_ms, char *line, size_t bytes)
{
    assert(bytes > 1);
    char done[GROUPED_BYTES];
    char total[GROUPED_BYTES];
    char rate[GROUPED_BYTES];
    char bar[BAR_COLUMNS_MAX + 1] = "";
    int64_t took_ms = now_ms > progress->start_ms ? now_ms - progress->start_ms : 1;
    number_grouped(progress->done, done);
    number_grouped((uint64_t)progress->done * 1000 / (uint64_t)took_ms, rate);
    if (progress->total == 0) {
        (void)snprintf(line, bytes, "%s  %s  %s/s", progress->what, done, rate);
        return;
    }
    size_t reached = progress->done > progress->total ? progress->total : progress->done;
    number_grouped(progress->total, total);
    int rest = snprintf(line, bytes, "%s  []  100%%  %s of %s  %s/s", progress->what, done, total,
                        rate);
    size_t taken = rest > 0 ? (size_t)rest + 1 : 1;
    size_t columns = progress->width > taken ? progress->width - taken : 0;
    if (columns > BAR_COLUMNS_MAX) columns = BAR_COLUMNS_MAX;
    memset(bar, '.', columns);
    memset(bar, '#', columns * reached / progress->total);
    bar[columns] = '\0';
    (void)snprintf(line, bytes, "%s  [%s]  %3zu%%  %s of %s  %s/s", progress->what, bar,
                   reached * 100 / progress->total, done, total, rate);
}

void progress_show(struct progress *progress, size_t done)
{
    assert(done >= progress->done);
    progress->done = done;
    int64_t now_ms = monotonic_ms();
    if (!progress->terminal || now_ms - progress->shown_ms < SHOW_EVERY_MS) return;
    char line[LINE_BYTES];
    progress_line(progress, now_ms, line, sizeof line);
    (void)fprintf(stderr, "\r%s\x1b[K", line);
    (void)fflush(stderr);
    progress->shown_ms = now_ms;
}

void progress_end(struct progress *progress)
{
    assert(progress->what != NULL);
    if (progress->terminal && progress->shown_ms > 0) (void)fputs("\r\x1b[K", stderr);
    progress->terminal = false;
}
