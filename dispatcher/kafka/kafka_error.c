#include "dispatcher/kafka/kafka_error.h"

#include <assert.h>
#include <string.h>

enum { CAUSE_BYTES = 160 };

static bool is_fencing(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH: return true;
    default: return false;
    }
}

/* The group has given the member's place to another, or is about to. */
static bool is_membership_lost(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST: return true;
    default: return false;
    }
}

/* No waiting mends these: somebody has to change a setting or a right. */
static bool is_configuration(rd_kafka_resp_err_t code)
{
    static const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
        RD_KAFKA_RESP_ERR__NOT_CONFIGURED,
        RD_KAFKA_RESP_ERR__UNKNOWN_PROTOCOL,
        RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM,
        RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE,
        RD_KAFKA_RESP_ERR_SECURITY_DISABLED,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT,
        RD_KAFKA_RESP_ERR_INVALID_GROUP_ID,
        RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT,
        RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL,
        RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i] == code) return true;
    return false;
}

/* What produce() may say about one record and leave the transaction as it was. */
static bool is_record_refused(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED: return true;
    default: return false;
    }
}

/* What the delivery report of a record says when the broker will never take it. */
static bool is_record_unfit(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION: return true;
    default: return false;
    }
}

/* The coordinator no longer knows this producer as it knows itself: only a new one helps. */
static bool is_producer_lost(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_INVALID_TXN_STATE: return true;
    default: return false;
    }
}

static bool is_offset_gone(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE ||
           code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
}

static enum error_kind judge_transaction(const struct kafka_failure *failure)
{
    if (failure->fatal || is_producer_lost(failure->code)) return ERROR_UNKNOWN;
    switch (failure->operation) {
    case KAFKA_PRODUCE:
        if (failure->code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return ERROR_RETRY;
        return is_record_refused(failure->code) ? ERROR_INVALID : ERROR_UNKNOWN;
    case KAFKA_COMMIT:
        if (!failure->flush_clean) return ERROR_UNKNOWN;
        if (failure->requires_abort) return ERROR_ABORT;
        return failure->retriable ? ERROR_RETRY : ERROR_UNKNOWN;
    default:
        if (failure->requires_abort) return ERROR_UNKNOWN;
        return failure->retriable ? ERROR_RETRY : ERROR_UNKNOWN;
    }
}

enum error_kind kafka_error_kind(const struct kafka_failure *failure)
{
    assert(failure != NULL);
    assert(failure->code != RD_KAFKA_RESP_ERR_NO_ERROR);
    if (is_fencing(failure->code)) return ERROR_FENCED;
    if (is_configuration(failure->code)) return ERROR_FATAL;
    switch (failure->operation) {
    case KAFKA_OPEN:
        /* Nothing of ours can be under way in a producer that was never ready. */
        return ERROR_RETRY;
    case KAFKA_BEGIN:
    case KAFKA_PRODUCE:
    case KAFKA_COMMIT:
    case KAFKA_ABORT: return judge_transaction(failure);
    case KAFKA_PROVE:
        if (failure->fatal) return ERROR_FATAL;
        return is_membership_lost(failure->code) ? ERROR_FENCED : ERROR_RETRY;
    case KAFKA_READ:
        if (is_offset_gone(failure->code)) return ERROR_UNKNOWN; /* a take-over looks */
        return failure->fatal ? ERROR_FATAL : ERROR_RETRY;
    case KAFKA_LOOK_UP: return failure->fatal ? ERROR_FATAL : ERROR_RETRY;
    }
    return ERROR_UNKNOWN;
}

/* A fatal error hides behind _FATAL, or behind a failed call that only says "wrong state". */
static void look_behind(rd_kafka_t *client, struct kafka_failure *failure,
                        char text[CAUSE_BYTES])
{
    if (client == NULL) return;
    char reason[CAUSE_BYTES] = "";
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(client, reason, sizeof reason);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    failure->fatal = true;
    failure->code = code;
    memcpy(text, reason, CAUSE_BYTES);
}

static enum error_kind report(const struct kafka_failure *failure, const char *what,
                              const char *text, struct error *error)
{
    enum error_kind kind = kafka_error_kind(failure);
    (void)error_set(error, kind, "kafka: %s: %s (%s)", what, text,
                    rd_kafka_err2name(failure->code));
    return kind;
}

enum error_kind kafka_error_take(rd_kafka_t *client, enum kafka_operation operation,
                                 bool flush_clean, rd_kafka_error_t *cause, const char *what,
                                 struct error *error)
{
    assert(cause != NULL);
    assert(what != NULL);
    struct kafka_failure failure = {
        .operation = operation,
        .code = rd_kafka_error_code(cause),
        .fatal = rd_kafka_error_is_fatal(cause) != 0,
        .retriable = rd_kafka_error_is_retriable(cause) != 0,
        .requires_abort = rd_kafka_error_txn_requires_abort(cause) != 0,
        .flush_clean = flush_clean,
    };
    char text[CAUSE_BYTES] = "";
    strncpy(text, rd_kafka_error_string(cause), sizeof text - 1);
    rd_kafka_error_destroy(cause);
    look_behind(client, &failure, text);
    return report(&failure, what, text, error);
}

enum error_kind kafka_error_code(rd_kafka_t *client, enum kafka_operation operation,
                                 rd_kafka_resp_err_t code, const char *what,
                                 struct error *error)
{
    assert(code != RD_KAFKA_RESP_ERR_NO_ERROR);
    assert(what != NULL);
    struct kafka_failure failure = {.operation = operation, .code = code,
                                    .fatal = code == RD_KAFKA_RESP_ERR__FATAL};
    char text[CAUSE_BYTES] = "";
    strncpy(text, rd_kafka_err2str(code), sizeof text - 1);
    look_behind(client, &failure, text);
    enum error_kind kind = report(&failure, what, text, error);
    if (operation == KAFKA_COMMIT && kind == ERROR_UNKNOWN && is_record_unfit(code))
        error->code = CODE_REFUSED;
    return kind;
}
