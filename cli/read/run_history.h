/* run_history.h - the tries of one job's runs, of what its topics and Redis tell. */
#ifndef BELFRY_CLI_RUN_HISTORY_H
#define BELFRY_CLI_RUN_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/read/job_history.h"
#include "cli/words/settings.h"
#include "lib/base/error.h"

struct run_history_wanted {
    const char *incarnation; /* of the job's present life; NULL: it is not known */
    int32_t shard;
    int64_t from_ms; /* only records from then on, 0 = all */
    int64_t last;    /* at most so many records of the partition */
    size_t most;     /* keep the newest so many lines, at least 1 */
    bool outputs;    /* with the tails of what programs wrote */
};

struct run_history {
    json_t *lines; /* of run_join_finish(), the oldest first; owned */
    json_t *open;  /* array of open_run_view(), the oldest first; owned */
    bool cut;      /* there are more lines */
};

/* Joins the job's fires and events, which `history` holds, with the reports of its shard and with
 * Redis; what could not be read, and how far back was looked, it notes in `history`, too. The job
 * is the one that the arguments of the settings name. run_history_free() ends it. */
void run_history_read(struct run_history *runs, const struct settings *settings,
                      const struct run_history_wanted *wanted, struct job_history *history);
void run_history_free(struct run_history *runs);

#endif
