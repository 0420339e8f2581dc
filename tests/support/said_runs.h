/* said_runs.h - what steps of tests/said give to those behind them, and the steps about runs. */
#ifndef BELFRY_TESTS_SAID_RUNS_H
#define BELFRY_TESTS_SAID_RUNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "schemas/text_writer.h"

enum { FILE_NAME_BYTES = 64, EVENT_ID_BYTES = 64 };

/* What the steps of a case have given to those behind them. */
struct said_given {
    char *file_text; /* of the file that stands in the working folder; NULL: none does */
    char file_name[FILE_NAME_BYTES];
    char *present;
    char event_id[EVENT_ID_BYTES];
    json_t *record, *fires, *events, *open, *members;
    char workers[64]; /* the consumer group of the members */
    struct text_writer reports; /* a time and a record of `runs` a line */
    int64_t watermark_ms;
};

/* What a case needs that is written wrong ends the program. */
void said_require(bool condition);
json_t *said_json(const char *text);
int64_t said_instant(const char *text);

void said_report(void *context, const char *text, struct text_writer *said);
void said_open(void *context, const char *text, struct text_writer *said);
void said_history(void *context, const char *text, struct text_writer *said);
void said_told(void *context, const char *text, struct text_writer *said);
void said_members(void *context, const char *text, struct text_writer *said);
void said_workers(void *context, const char *text, struct text_writer *said);
void said_tail_runs(void *context, const char *text, struct text_writer *said);
void said_tail_cancels(void *context, const char *text, struct text_writer *said);

#endif
