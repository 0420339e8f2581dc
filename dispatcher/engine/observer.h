/* observer.h - port: what the engine tells operators. Real: the log (dispatcher/observe.c).
 * Simulated: counters. Calls come from shard threads and must not block. */
#ifndef BELFRY_ENGINE_OBSERVER_H
#define BELFRY_ENGINE_OBSERVER_H

#include <stdint.h>

enum observer_level { LEVEL_DEBUG = 0, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

struct observer {
    void *opaque;
    enum observer_level lowest; /* lines below it are not even formatted */
    /* One event, one line: event is noun.verb; fields is logfmt text (key=value ...), may be
     * empty; shard -1: the whole process. */
    void (*line)(void *opaque, enum observer_level level, const char *event, int32_t shard,
                 const char *fields);
};

/* fields is a printf format of logfmt text; quote free text with %s through observer_quote. */
void observe(const struct observer *observer, enum observer_level level, const char *event,
             int32_t shard, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Writes text as one logfmt value in double quotes, control characters escaped, cut to fit.
 * Returns quoted, for use as an argument. */
const char *observer_quote(char *quoted, unsigned long bytes, const char *text);

#endif
