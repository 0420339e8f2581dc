#include "dispatcher/metrics/process_figures.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STAT_BYTES = 1024 };

/* Of a small file of /proc; "" where it cannot be read. */
static void read_file(const char *path, char text[STAT_BYTES])
{
    text[0] = '\0';
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    ssize_t got = read(descriptor, text, STAT_BYTES - 1);
    (void)close(descriptor);
    text[got > 0 ? got : 0] = '\0';
}

/* Without the entries . and .., and without the one that is open to count them. */
static int64_t count_descriptors(void)
{
    int64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) return 0;
    while (readdir(folder) != NULL) count++;
    (void)closedir(folder);
    return count > 3 ? count - 3 : 0;
}

static int64_t boot_ms(void)
{
    char text[4 * STAT_BYTES];
    int64_t boot_s = 0;
    int descriptor = open("/proc/stat", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    /* The line stands behind those of the processors, which may be many. */
    ssize_t kept = 0;
    ssize_t got = 0;
    while ((got = read(descriptor, text + kept, sizeof text - 1 - (size_t)kept)) > 0) {
        text[kept + got] = '\0';
        const char *line = strstr(text, "btime ");
        if (line != NULL && strchr(line, '\n') != NULL) {
            (void)sscanf(line, "btime %" SCNd64, &boot_s);
            break;
        }
        size_t length = strlen(text);
        size_t tail = length < 64 ? length : 64;
        memmove(text, text + length - tail, tail);
        kept = (ssize_t)tail;
    }
    (void)close(descriptor);
    return boot_s * 1000;
}

void process_figures_read(struct process_figures *figures)
{
    char text[STAT_BYTES];
    struct rlimit limit;
    int64_t user = 0, kernel = 0, threads = 0, started = 0, virtual_bytes = 0, pages = 0;
    int64_t ticks = sysconf(_SC_CLK_TCK);
    *figures = (struct process_figures){.open_fds = count_descriptors()};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        figures->max_fds = limit.rlim_cur == RLIM_INFINITY ? INT64_MAX : (int64_t)limit.rlim_cur;
    read_file("/proc/self/stat", text);
    const char *behind_name = strrchr(text, ')'); /* which may have blanks in it */
    if (behind_name == NULL || ticks <= 0) return;
    int read = sscanf(behind_name + 1,
                      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNd64 " %" SCNd64
                      " %*d %*d %*d %*d %" SCNd64 " %*d %" SCNd64 " %" SCNd64 " %" SCNd64,
                      &user, &kernel, &threads, &started, &virtual_bytes, &pages);
    if (read != 6) return;
    figures->cpu_us = (user + kernel) * 1000000 / ticks;
    figures->threads = threads;
    figures->virtual_bytes = virtual_bytes;
    figures->resident_bytes = pages * sysconf(_SC_PAGESIZE);
    figures->started_ms = boot_ms() + started * 1000 / ticks;
}
