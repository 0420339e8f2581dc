/* run_lines.h - the tries of a job's runs, one a line, for people. */
#ifndef BELFRY_CLI_RUN_LINES_H
#define BELFRY_CLI_RUN_LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum run_line_cell {
    RUN_LINE_DUE,
    RUN_LINE_FIRED,   /* how long after it was due */
    RUN_LINE_CLAIMED, /* how long after its fire */
    RUN_LINE_OUTCOME, /* with a question mark: nobody said so, it follows from the next try */
    RUN_LINE_DURATION,
    RUN_LINE_TRY,
    RUN_LINE_WORKER,
    RUN_LINE_ENDED,
    RUN_LINE_WHY,
    RUN_LINE_RUNNUMBER,
    RUN_LINE_CELLS
};
enum { RUN_LINE_BYTES = 1024 };

/* What stands in each column; of slots that were left out, too. Foreign texts are not escaped.
 *   line  of run_join_finish() */
void run_line_cells(const json_t *line, char cells[RUN_LINE_CELLS][RUN_LINE_BYTES]);

/* All of them under headings; "-" where there is none.
 *   width, colour  as table_create() */
void run_lines_print(FILE *stream, const json_t *lines, size_t width, bool colour);

/* "3h12m", "4.210s", "-12ms": the first two units of a length of time. */
enum { SPAN_TEXT_BYTES = 48 };
void span_text(int64_t span_ms, char text[SPAN_TEXT_BYTES]);

#endif
