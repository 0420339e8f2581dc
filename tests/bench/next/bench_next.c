/* bench_next.c - how long one next due time takes, for the expressions of expressions.txt in five
 * zones, and how long reading an expression takes. Writes lines for bench_next. */
#include "lib/time/cron.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"
#include "lib/time/zone_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_BYTES = 256, STEPS = 1000, ROUNDS = 15, PARSES = 2000 };
static const char *const zones[] = {"UTC", "America/New_York", "Europe/Berlin",
                                    "Australia/Lord_Howe", "Asia/Kolkata"};
enum { ZONES = sizeof zones / sizeof zones[0] };
static const int64_t start_ms = INT64_C(1767225600000); /* 2026-01-01T00:00:00Z */

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The fastest round counts: the others were disturbed. */
static double time_next(const struct cron *cron, uint64_t *sum)
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t at_ms = start_ms;
        double from = now_ns();
        for (int step = 0; step < STEPS; step++) {
            if (!cron_next(cron, at_ms, &at_ms)) at_ms = start_ms;
            *sum += (uint64_t)at_ms;
        }
        double took = (now_ns() - from) / STEPS;
        if (took < best) best = took;
    }
    return best;
}

static double time_parse(const char *text, const struct cron_options *options, uint64_t *sum)
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double from = now_ns();
        for (int i = 0; i < PARSES; i++) {
            struct cron_reading reading;
            if (!cron_parse(text, strlen(text), options, &reading, NULL)) exit(1);
            *sum += reading.cron.minutes;
        }
        double took = (now_ns() - from) / PARSES;
        if (took < best) best = took;
    }
    return best;
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "re") : NULL;
    if (file == NULL) return 1;
    struct zone_files *files = zone_files_create(NULL);
    char line[LINE_BYTES];
    uint64_t sum = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *text = strchr(line, '\t');
        if (line[0] == '#' || text == NULL) continue;
        *text++ = '\0';
        text[strcspn(text, "\t")] = '\0';
        for (int i = 0; i < ZONES; i++) {
            struct cron_options options = {.zone = text_of(zones[i]),
                                           .zones = zone_files_lookup(files)};
            struct cron_reading reading;
            if (!cron_parse(text, strlen(text), &options, &reading, NULL)) return 1;
            (void)printf("next\t%s\t%s\t%s\t%.2f\n", zones[i], line, text,
                         time_next(&reading.cron, &sum));
            (void)printf("parse\t%s\t%s\t%s\t%.2f\n", zones[i], line, text,
                         time_parse(text, &options, &sum));
        }
    }
    (void)fprintf(stderr, "checksum %llx\n", (unsigned long long)sum);
    (void)fclose(file);
    zone_files_destroy(files);
    return 0;
}
