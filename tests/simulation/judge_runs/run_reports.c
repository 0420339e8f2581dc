/* What was appended to `runs`, read with jansson and nothing of the product. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge_runs/run_judge.h"

static void copy_member(const json_t *object, const char *name, char *to, size_t bytes)
{
    const char *text = json_string_value(json_object_get(object, name));
    (void)snprintf(to, bytes, "%s", text == NULL ? "" : text);
}

/* As a number or as text. */
static int64_t number_member(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_string(value)) return strtoll(json_string_value(value), NULL, 10);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static void add(struct run_judge *judge, const struct run_appended *from, const json_t *object)
{
    const json_t *tick = json_object_get(object, "tick");
    const json_t *after = json_object_get(object, "retry_after");
    const char *word = json_string_value(json_object_get(object, "report"));
    judge->reports = memory_grow(judge->reports, &judge->report_capacity, judge->report_count + 1,
                                 sizeof *judge->reports);
    struct judged_report *report = &judge->reports[judge->report_count++];
    *report = (struct judged_report){.offset = from->offset,
                                     .time_ms = from->time_ms,
                                     .at_ms = from->at_ms,
                                     .read_ms = from->read_ms,
                                     .word = said_outcome(word == NULL ? "" : word),
                                     .tick = tick != NULL,
                                     .epoch = number_member(tick, "epoch", -1),
                                     .number = number_member(tick, "number", -1),
                                     .runnumber = number_member(object, "runnumber", -1),
                                     .partition = (int32_t)number_member(object, "partition", -1),
                                     .fire_offset = number_member(object, "offset", -1),
                                     .exit_code = number_member(object, "exit_code", -1),
                                     .retry_after_ms = -1};
    copy_member(object, "run", report->run, sizeof report->run);
    copy_member(object, "workers", report->workers, sizeof report->workers);
    copy_member(object, "topic", report->topic, sizeof report->topic);
    if (json_is_string(after))
        report->retry_after_ms = wanted_duration_ms(json_string_value(after));
}

static int by_number(const void *left, const void *right, void *opaque)
{
    const struct judged_report *reports = opaque;
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;
    if (reports[a].runnumber != reports[b].runnumber)
        return reports[a].runnumber > reports[b].runnumber ? 1 : -1;
    return (a > b) - (a < b);
}

/* The first whose run number is not below. */
static size_t first_from(const struct run_judge *judge, int64_t runnumber)
{
    size_t low = 0;
    size_t high = judge->report_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (judge->reports[judge->by_number[middle]].runnumber < runnumber) low = middle + 1;
        else high = middle;
    }
    return low;
}

size_t run_reports_of(const struct run_judge *judge, int64_t runnumber, size_t *first)
{
    *first = first_from(judge, runnumber);
    return first_from(judge, runnumber + 1) - *first;
}

void run_reports_read(struct run_judge *judge)
{
    const struct run_facts *facts = &judge->world->facts;
    for (size_t i = 0; i < facts->appended_count[judge->shard]; i++) {
        const struct run_appended *from = &facts->appended[judge->shard][i];
        json_t *root = json_loadb(from->text.bytes, from->text.length, 0, NULL);
        if (json_is_array(root))
            for (size_t j = 0; j < json_array_size(root); j++)
                add(judge, from, json_array_get(root, j));
        else if (root != NULL)
            add(judge, from, root);
        json_decref(root);
    }
    judge->by_number = memory_allocate(judge->report_count + 1, sizeof *judge->by_number);
    for (size_t i = 0; i < judge->report_count; i++) judge->by_number[i] = i;
    qsort_r(judge->by_number, judge->report_count, sizeof *judge->by_number, by_number,
            judge->reports);
}

bool run_report_is_of(const struct judged_report *report, const struct judged_run *run,
                      const struct judged_try *tried)
{
    return !report->tick && report->runnumber == tried->runnumber &&
           strcmp(report->run, run->id) == 0 && strcmp(report->workers, tried->workers) == 0;
}
