/* open_runs.h - which runs are open, by the name of their job: those of a job that was deleted
 * stand in the way of one that is added again under its name. */
#ifndef BELFRY_JOBS_OPEN_RUNS_H
#define BELFRY_JOBS_OPEN_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"

struct open_run {
    struct text group; /* of its job */
    struct text id;
    int64_t number;    /* run number of its first try: of two the lower one is older */
    struct text fire;  /* the id of its fire */
};

struct open_runs;

/* `key` is copied. */
struct open_runs *open_runs_create(const uint8_t key[HASH_KEY_BYTES]);
void open_runs_destroy(struct open_runs *runs);

/* Its texts are copied. */
void open_runs_add(struct open_runs *runs, const struct open_run *run);
/* False: there is none of this number. */
bool open_runs_remove(struct open_runs *runs, struct text group, struct text id, int64_t number);
/* The oldest of a job that is newer than the run `above`; false: there is none. Its texts are
 * borrowed until the next change. */
bool open_runs_next(const struct open_runs *runs, struct text group, struct text id, int64_t above,
                    struct open_run *run);
/* Whether any is. */
bool open_runs_any(const struct open_runs *runs, struct text group, struct text id);

#endif
