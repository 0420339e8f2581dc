/* watch.h - a command again and again: --watch, and belfry top. On a terminal each time takes the
 * place of the one before; the terminal is given back as it was, however it ends. */
#ifndef BELFRY_CLI_WATCH_H
#define BELFRY_CLI_WATCH_H

#include <stdint.h>

#include "cli/words/cli.h"

enum { WATCH_DEFAULT_MS = 2000, WATCH_LEAST_MS = 100, WATCH_MOST_MS = 3600000 };

/* Once, or with --watch[=D] until it is ended; `once` prints to stdout and stderr. With -o json
 * each time is one JSON document. Errors: code "usage" -o ndjson and name, and a table where stdout
 * is no terminal. */
enum exit_code watch_or_once(const struct invocation *invocation, command_run *once);

/* On a terminal, from now on until q, Ctrl-C or a signal.
 *   heading  a line of when it is and how it ends goes before what `once` prints
 *   returns  CLI_OK after q and Ctrl-C, what `once` returned where that failed the first time */
enum exit_code watch_terminal(const struct invocation *invocation, command_run *once,
                              int64_t every_ms, bool heading);

/* A duration, or a number of seconds. */
bool watch_every(const struct arguments *arguments, const char *option, int64_t *every_ms,
                 struct error *error) __attribute__((warn_unused_result));

#endif
