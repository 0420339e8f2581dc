/* log.h - log lines on a descriptor: one event, one line, logfmt or JSON. A thread of its own
 * writes them (lib/base/lines.h), so whoever logs never waits for a reader. */
#ifndef BELFRY_DAEMON_LOG_H
#define BELFRY_DAEMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/clock.h"
#include "dispatcher/engine/observer.h"
#include "lib/base/error.h"
#include "lib/base/lines.h"

enum { LOG_LINE_BYTES = BELFRY_LINE_BYTES };
enum log_format { LOG_LOGFMT = 0, LOG_JSON };

/* Read only once it is in use; any thread. Lives as long as the process. */
struct log {
    struct belfry_lines *lines;
    enum observer_level lowest;
    enum log_format format;
    const struct clock *clock; /* borrowed */
};

const char *log_level_name(enum observer_level level);

/* Starts the thread that writes to the descriptor; the other fields of `log` are set. False:
 * ERROR_FATAL, no thread. */
bool log_start(struct log *log, int descriptor, struct error *error)
    __attribute__((warn_unused_result));

/* Waits until all lines are written, at most this long. Any thread. */
void log_flush(const struct log *log, int64_t limit_ms);

/* Makes the line of an event without writing it: `ts level event [shard] key=value ...`. Returns
 * its length with the newline.
 *   shard   -1: the whole process, no such field
 *   said    what does not fit a line of LOG_LINE_BYTES is cut at a whole field, and `cut=true`
 *           says so */
unsigned long log_format_line(const struct log *log, enum observed_kind kind,
                              enum observer_level level, int32_t shard,
                              const struct observed *said, char line[LOG_LINE_BYTES]);

/* An observer whose events are lines of the log. `log` is borrowed. */
struct observer observer_of_log(const struct log *log);

#endif
