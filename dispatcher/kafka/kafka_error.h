/* kafka_error.h - what librdkafka says about a failure, as what the engine should do next. */
#ifndef BELFRY_KAFKA_ERROR_H
#define BELFRY_KAFKA_ERROR_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "lib/base/error.h"

enum kafka_operation {
    KAFKA_OPEN = 0, /* create a client, init_transactions */
    KAFKA_BEGIN,
    KAFKA_PRODUCE, /* one record */
    KAFKA_COMMIT,  /* and the flush before it */
    KAFKA_ABORT,
    KAFKA_PROVE, /* the offset commit of the group member */
    KAFKA_READ,
    KAFKA_LOOK_UP /* metadata, offsets, admin requests */
};

struct kafka_failure {
    enum kafka_operation operation;
    rd_kafka_resp_err_t code;
    bool fatal;          /* the client is of no more use */
    bool retriable;      /* librdkafka: the same call may be made again */
    bool requires_abort; /* librdkafka: the transaction can only be aborted */
    bool flush_clean;    /* before a commit: every record was acknowledged */
};

/* The one place that judges error codes. Pure; never ERROR_NONE.
 * ERROR_RETRY of a commit or an abort means "the same call again"; who gives that up when its time
 * is over makes it ERROR_UNKNOWN. */
enum error_kind kafka_error_kind(const struct kafka_failure *failure);

/* Sets `error` from what librdkafka returned for `what` ("commit"), with its text. Takes
 * `cause`: it is destroyed. `client` gives the reason behind a fatal error. Returns the kind. */
enum error_kind kafka_error_take(rd_kafka_t *client, enum kafka_operation operation,
                                 bool flush_clean, rd_kafka_error_t *cause, const char *what,
                                 struct error *error);

/* As kafka_error_take() for calls that return only a code. CODE_REFUSED is set where the code is
 * that of a record which the broker will never take. */
enum error_kind kafka_error_code(rd_kafka_t *client, enum kafka_operation operation,
                                 rd_kafka_resp_err_t code, const char *what,
                                 struct error *error);

#endif
