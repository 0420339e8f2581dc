/* run_report.h - what an operator reports in a worker's place: how a try ended. Pure. */
#ifndef BELFRY_CLI_RUN_REPORT_H
#define BELFRY_CLI_RUN_REPORT_H

#include "lib/base/text.h"
#include "lib/model/run.h"
#include "schemas/text_writer.h"

struct run_report {
    struct text run; /* the id of its fire */
    int64_t runnumber;
    struct text workers; /* the job's */
    enum run_outcome outcome; /* one that workers say */
    const char *message;      /* NULL: none */
    const char *result;       /* JSON; NULL: none */
    const char *actor;        /* NULL: nobody's name */
};

/* A record of <cluster>.runs, as report_json.h reads it. */
void run_report_write(const struct run_report *report, struct text_writer *out);

#endif
