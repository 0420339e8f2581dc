/* process_figures.h - what the kernel says of this process: processor time, memory, descriptors. */
#ifndef BELFRY_METRICS_PROCESS_FIGURES_H
#define BELFRY_METRICS_PROCESS_FIGURES_H

#include <stdint.h>

/* What cannot be read is 0. */
struct process_figures {
    int64_t cpu_us;
    int64_t resident_bytes;
    int64_t virtual_bytes;
    int64_t threads;
    int64_t open_fds;
    int64_t max_fds; /* INT64_MAX: no limit */
    int64_t started_ms; /* since 1970, by the clock of when the machine started */
};
void process_figures_read(struct process_figures *figures);

#endif
