/* bench_reports - what a report costs that changes nothing: bench_reports [reports]. No servers;
 * one line for each kind, in processor time of one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dispatcher/runs/runs.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "schemas/arena.h"
#include "schemas/report_json.h"

enum { REPORTS_DEFAULT = 1000000, ARRAY = 500, REPORT_BYTES = 512 };
#define FIRST_RUN (INT64_C(1) << 32)
#define NOW_MS INT64_C(1795290000000)

struct kind {
    const char *what;
    const char *report;
};

static const struct kind kinds[] = {
    {"of a run that never was",
     "{\"run\": \"1-a1b2c3d4.5.17@1795290000000\", \"runnumber\": \"99\", \"report\": \"failure\", "
     "\"token\": \"t\", \"worker\": \"bulk\", \"workers\": \"bench-workers\"}"},
    {"a failure of a try that is over",
     "{\"run\": \"1-a1b2c3d4.5.17@1795290000000\", \"runnumber\": \"4294967300\", \"report\": "
     "\"failure\", \"token\": \"t\", \"worker\": \"bulk\", \"workers\": \"bench-workers\"}"},
    {"a sign of life of a try that is over",
     "{\"run\": \"1-a1b2c3d4.5.17@1795290000000\", \"runnumber\": \"4294967300\", \"report\": "
     "\"running\", \"token\": \"t\", \"worker\": \"bulk\", \"workers\": \"bench-workers\"}"},
    {"one that cannot be read", "{\"run\": \"1-a1b2c3d4.5.17@1795290000000\", \"runnumber\": 0}"},
};

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "bench_reports: %s\n", what);
    exit(1);
}

static void ignore_report(void *opaque, const struct report *report) { (void)opaque, (void)report; }

/* A record of ARRAY reports of the kind. */
static struct text write_record(const struct kind *kind)
{
    char *text = memory_allocate(ARRAY, REPORT_BYTES);
    char *at = text;
    for (int i = 0; i < ARRAY; i++)
        at += snprintf(at, REPORT_BYTES, "%s%s", i == 0 ? "[" : ", ", kind->report);
    *at++ = ']';
    return (struct text){text, (size_t)(at - text)};
}

static void read_record(struct runs *runs, struct text value, const struct runs_place *place,
                        struct arena *arena, const struct runs_sink *sink)
{
    struct report_reader reader;
    struct report report;
    struct error why = {0};
    if (!reports_open(value, &reader, &why)) fail(why.message);
    for (;;) {
        while (reports_glance(&reader, &report) && runs_pass_over(runs, place, &report))
            reports_pass(&reader);
        if (!reports_next(&reader, arena, &report, &why)) return;
        if (why.kind == ERROR_NONE) runs_report(runs, place, &report, sink);
        else (void)runs_may_letter(runs, place->now);
    }
}

static void bench_kind(const struct kind *kind, int64_t reports, struct arena *arena)
{
    struct runs_config config = {.open_max = 1, .append_times = true};
    struct runs_start start = {.generation = 1, .epoch = 1, .owner = text_of("bench"),
                               .next_runnumber = FIRST_RUN + 1000};
    struct runs_sink sink = {.unknown = ignore_report, .zombie = ignore_report};
    struct runs *runs = runs_create(&config);
    struct text value = write_record(kind);
    runs_start(runs, &start);
    int64_t began_ns = now_ns();
    for (int64_t i = 0; i < reports / ARRAY; i++) {
        struct runs_place place = {.offset = i, .log_ms = NOW_MS, .now = {NOW_MS, MINUTES_MS}};
        read_record(runs, value, &place, arena, &sink);
    }
    double each_ns = (double)(now_ns() - began_ns) / (double)reports;
    printf("  %-40s %7.0f ns, %zu bytes  (%.2f million/s)\n", kind->what, each_ns,
           value.length / ARRAY, 1000.0 / each_ns);
    runs_destroy(runs);
    free((void *)value.bytes);
}

int main(int argc, char **argv)
{
    int64_t reports = argc > 1 ? strtoll(argv[1], NULL, 10) : REPORTS_DEFAULT;
    struct arena *arena = arena_create();
    if (reports < ARRAY) fail("500 reports or more");
    printf("%" PRId64 " reports of each kind, %d in a record\n", reports, ARRAY);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        bench_kind(&kinds[i], reports, arena);
    arena_destroy(arena);
    return 0;
}
