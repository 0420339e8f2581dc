/* heap_release.h - gives memory that was freed back to the system: the C library keeps it, and
 * after loading a million jobs that is a quarter of what the process seems to use. */
#ifndef BELFRY_DAEMON_HEAP_RELEASE_H
#define BELFRY_DAEMON_HEAP_RELEASE_H

#include <stdint.h>

/* Starts zeroed; belongs to one thread. */
struct heap_release {
    int64_t look_us;    /* monotonic: not before */
    int64_t left_bytes; /* idle after the last release: what cannot be given back */
};

/* Looks every few seconds, and acts when much has become idle. Costs some milliseconds then. */
void heap_release_tend(struct heap_release *release, int64_t now_us);

#endif
