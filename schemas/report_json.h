/* report_json.h - what workers report: a record of <cluster>.runs is one report, or an array of at
 * most REPORTS_MAX. Each report is good or bad by itself; there is memory for one at a time. */
#ifndef BELFRY_SCHEMAS_REPORT_JSON_H
#define BELFRY_SCHEMAS_REPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/model/run.h"
#include "schemas/arena.h"

/* A record that is being read. */
struct report_reader {
    struct text rest;   /* what has not been read yet */
    struct text raw;    /* the text of the report that was read last */
    struct text behind; /* what follows the report that was glanced at */
    size_t index;       /* of the next report */
    bool array;
};

/* Looks at the record as a whole, and takes no memory.
 *   errors  ERROR_INVALID, bad_report: none of it can be read */
bool reports_open(struct text value, struct report_reader *reader, struct error *error)
    __attribute__((warn_unused_result));

/* The next report of a record that was opened. False: there is no more.
 *   arena   is reset first: what the report before it borrowed is gone
 *   report  is set where the error is none
 *   error   is cleared first; ERROR_INVALID, bad_report: this one cannot be read. Field is the JSON
 *           Pointer into the record */
bool reports_next(struct report_reader *reader, struct arena *arena, struct report *report,
                  struct error *error) __attribute__((warn_unused_result));

/* A glance at the next report, without reading it: takes no memory.
 *   seen  run, runnumber, kind, outcome and workers as they stand there; nothing else is set, and
 *         whether the report is good is not known
 * False: there is none, or only reports_next() can tell. */
bool reports_glance(struct report_reader *reader, struct report *seen);
/* Leaves out the one that was glanced at. */
void reports_pass(struct report_reader *reader);

#endif
