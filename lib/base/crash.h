/* crash.h - the last log lines of a process that ends by abort() or a fault. For programs: the
 * library leaves the signals of its process alone. */
#ifndef BELFRY_BASE_CRASH_H
#define BELFRY_BASE_CRASH_H

#include "lib/base/lines.h"

/* From now on SIGABRT, SIGSEGV, SIGBUS, SIGFPE and SIGILL first wait, BELFRY_LINES_END_MS at most,
 * until the lines are written; then the process dies of them as it would have. Signals that have
 * a handler already (a sanitizer's) keep it. Once in a process; `lines` must live as long as it. */
void belfry_crash_flushes(struct belfry_lines *lines);

#endif
