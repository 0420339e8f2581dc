/* open_runs.h - the open runs of a cluster, as Redis has them: a fraction of a second behind their
 * shards, and a claim only when it is ten seconds old. */
#ifndef BELFRY_CLI_OPEN_RUNS_H
#define BELFRY_CLI_OPEN_RUNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/read/run_selection.h"
#include "cli/words/settings.h"
#include "lib/base/error.h"
#include "lib/base/limits.h"
#include "lib/model/run_record.h"

enum { OPEN_RUNS_ALL = -1 };

struct open_runs_wanted {
    const struct run_selection *selection; /* NULL: of every job */
    int32_t shard;     /* only of this one, or OPEN_RUNS_ALL */
    int64_t late_ms;   /* only late ones, see open_run_is_late(); -1: all */
    int64_t older_ms;  /* only those that have been open for so long; -1: all */
    bool workers_only; /* only those that a worker has, or whose last try was lost with one */
    size_t most;       /* keep the oldest so many, > 0 */
};

struct open_runs {
    json_t *views;      /* array of open_run_view(), the oldest first; owned */
    int64_t matched;    /* how many there are, also those that are not kept */
    int64_t unreadable; /* records that this version cannot read */
};

/* Memory is bounded by `most`. open_runs_free() ends it, also on false.
 *   errors  those of Redis; CODE_NOT_WHOLE: a part is lost, and what is there was read */
bool open_runs_read(struct open_runs *runs, const struct settings *settings,
                    const struct open_runs_wanted *wanted, struct error *error)
    __attribute__((warn_unused_result));
void open_runs_free(struct open_runs *runs);

/* Where the open run with this id is. */
struct open_run_found {
    int32_t shard;
    char group[NAME_BYTES_MAX + 1];
    char id[NAME_BYTES_MAX + 1];
    char workers[WORKERS_BYTES_MAX + 1];
    int64_t runnumber; /* of its newest try */
    enum run_state state;
};

/* An id does not say where its run is.
 *   shard   where to look, or OPEN_RUNS_ALL
 *   errors  code "not_found": no open run has the id; those of Redis */
bool open_runs_find(const struct settings *settings, const char *run, int32_t shard,
                    struct open_run_found *found, struct error *error)
    __attribute__((warn_unused_result));

#endif
