/* log.h - log lines in logfmt. */
#ifndef BELFRY_CONSUMER_LOG_H
#define BELFRY_CONSUMER_LOG_H

#include "consumer/consumer.h"

#pragma GCC visibility push(hidden)

/* The fields of one log event, built up in place; what does not fit is cut. Zero-initialise. */
struct belfry_fields {
    char text[1500];
    size_t length;
};

/* Appends name=value, quoted and escaped where logfmt needs it, at most 400 bytes of the value. */
void belfry_fields_text(struct belfry_fields *fields, const char *name, const char *value);
void belfry_fields_number(struct belfry_fields *fields, const char *name, int64_t value);

/* Writes "ts=... level=... event=... fields" as one line on stderr, by one write(), except of
 * level debug. Thread-safe. */
void belfry_log_stderr(enum belfry_level level, const char *event, const char *fields,
                       void *opaque);

#pragma GCC visibility pop

#endif
