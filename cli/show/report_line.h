/* report_line.h - records of <cluster>.runs and <cluster>.cancels as lines for people. Foreign
 * bytes are escaped, long texts cut. */
#ifndef BELFRY_CLI_REPORT_LINE_H
#define BELFRY_CLI_REPORT_LINE_H

#include "cli/show/tail_line.h"

tail_formatter tail_line_reports;
tail_formatter tail_line_cancel;

/* What these write, of a record that was appended at at_ms: a line for each report, but for the end
 * of the last one; of a tick, and of what cannot be read, one line. */
void report_lines(struct text_writer *out, int64_t at_ms, struct text record);
void cancel_line(struct text_writer *out, int64_t at_ms, struct text record);

/* "exit code 2, E42: no such table": how a try ended, of the members exit_code, signal and error of
 * a report, or error_code and message of a try in a record. Nothing where there is none of them.
 * Escaped, at most `columns` wide. */
void report_reason(struct text_writer *out, const json_t *report, size_t columns);

#endif
