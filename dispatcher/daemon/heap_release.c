#include "dispatcher/daemon/heap_release.h"

#include <assert.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

enum { LOOK_EVERY_US = 5 * 1000 * 1000, IDLE_BYTES_MAX = 16 * 1024 * 1024 };

/* Memory the process holds and the program does not use; 0 when the system does not tell. */
static int64_t idle_bytes(void)
{
    int64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    int found = fscanf(file, "%*d %" SCNd64, &pages);
    (void)fclose(file);
    if (found != 1) return 0;
    struct mallinfo2 heap = mallinfo2();
    int64_t idle = pages * sysconf(_SC_PAGESIZE) - (int64_t)(heap.uordblks + heap.hblkhd);
    return idle < 0 ? 0 : idle;
}

void heap_release_tend(struct heap_release *release, int64_t now_us)
{
    assert(release != NULL);
    if (now_us < release->look_us) return;
    release->look_us = now_us + LOOK_EVERY_US;
    int64_t idle = idle_bytes();
    if (idle < release->left_bytes) release->left_bytes = idle;
    if (idle - release->left_bytes < IDLE_BYTES_MAX) return;
    (void)malloc_trim(0);
    release->left_bytes = idle_bytes();
    assert(release->left_bytes >= 0);
}
