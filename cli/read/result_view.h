/* result_view.h - what the results of a write mean: for the exit code and for people. */
#ifndef BELFRY_CLI_RESULT_VIEW_H
#define BELFRY_CLI_RESULT_VIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/words/exit_code.h"
#include "cli/words/settings.h"

/* The exit code of all results together. Pure.
 *   selects  the command selected jobs: a shard where nothing matched has done nothing, and
 *            nothing matched anywhere is CLI_NOT_FOUND
 *   all      it meant every job: then nothing matched is well, too */
enum exit_code results_exit(const json_t *results, bool selects, bool all);

/* Sum of an integer member over all results. */
json_int_t results_total(const json_t *results, const char *member);

/* How many of the jobs that a command named are not there, by the totals of all its results.
 *   listed  count of them, set: those that it may be, because no result lists them as changed */
size_t results_missing(const json_t *results, const char *const *names, size_t count, bool *listed);

/* Data to stdout as settings say; what happened, errors and warnings to stderr. */
void results_print(const struct settings *settings, const json_t *results);

/* The jobs of results as a table or as names; of a dry run, how their due times would change. */
void result_jobs_print(const struct settings *settings, const json_t *results);

/* JSON to stdout: -o json indented, -o ndjson the items of an array one a line. */
void value_print(const struct settings *settings, const json_t *value);

/* An array of objects, when it is no table that is wanted: as value_print(), and of -o name the
 * member `name` of each that has it, one a line. */
void rows_print(const struct settings *settings, const json_t *rows, const char *name);

/* Whether it says that its command is done: now, or the last time that it was sent. Pure. */
bool result_is_done(const json_t *result);

#endif
