/* log.h - log lines in logfmt. */
#ifndef BELFRY_CONSUMER_LOG_H
#define BELFRY_CONSUMER_LOG_H

#include "consumer/consumer.h"
#include "lib/base/lines.h"

#pragma GCC visibility push(hidden)

/* The fields of one log event, built up in place; what does not fit is cut. Zero-initialise. */
struct belfry_fields {
    char text[1500];
    size_t length;
};

/* Appends name=value, the value quoted where logfmt asks for it and cut to 400 bytes. */
void belfry_fields_text(struct belfry_fields *fields, const char *name, const char *value);
void belfry_fields_number(struct belfry_fields *fields, const char *name, int64_t value);

/* Puts "ts=... level=... event=... fields" into the queue as one line, except of level debug. Never
 * waits. Thread-safe. */
void belfry_log_write(struct belfry_lines *lines, enum belfry_level level, const char *event,
                      const char *fields);

/* The queue for log lines on stderr, to be ended with belfry_lines_destroy(). NULL: memory or a
 * thread is short. */
struct belfry_lines *belfry_log_open(void) BELFRY_MUST_CHECK;

#pragma GCC visibility pop

#endif
