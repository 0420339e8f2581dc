/* The error table of the Kafka adapter: what each code means for each call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dispatcher/kafka/kafka_error.h"
#include "tests/support/rows.h"

#define CODE(suffix) RD_KAFKA_RESP_ERR_##suffix
enum { NONE = 0, FATAL = 1, RETRIABLE = 2, REQUIRES_ABORT = 4, CLEAN = 8 };

struct error_case {
    const char *name;
    enum kafka_operation operation;
    rd_kafka_resp_err_t code;
    unsigned flags;
    enum error_kind kind;
};

static const struct error_case cases[] = {
    {"commit: retriable after a clean flush is called again", KAFKA_COMMIT, CODE(_TIMED_OUT),
     RETRIABLE | CLEAN, ERROR_RETRY},
    {"commit: coordinator away is called again", KAFKA_COMMIT, CODE(COORDINATOR_NOT_AVAILABLE),
     RETRIABLE | CLEAN, ERROR_RETRY},
    {"commit: retriable with records in flight is unknown", KAFKA_COMMIT, CODE(_TIMED_OUT),
     RETRIABLE, ERROR_UNKNOWN},
    {"commit: asks for an abort after a clean flush", KAFKA_COMMIT, CODE(_INCONSISTENT),
     REQUIRES_ABORT | CLEAN, ERROR_ABORT},
    {"commit: asks for an abort with records in flight", KAFKA_COMMIT, CODE(_INCONSISTENT),
     REQUIRES_ABORT, ERROR_UNKNOWN},
    {"commit: fatal", KAFKA_COMMIT, CODE(_FATAL), FATAL | CLEAN, ERROR_UNKNOWN},
    {"commit: fatal wins over abort", KAFKA_COMMIT, CODE(_INCONSISTENT),
     FATAL | REQUIRES_ABORT | CLEAN, ERROR_UNKNOWN},
    {"commit: nothing said about it", KAFKA_COMMIT, CODE(UNKNOWN), CLEAN, ERROR_UNKNOWN},
    {"commit: wrong state", KAFKA_COMMIT, CODE(_STATE), CLEAN, ERROR_UNKNOWN},
    {"commit: fenced", KAFKA_COMMIT, CODE(_FENCED), FATAL | CLEAN, ERROR_FENCED},
    {"commit: fenced, the broker's code", KAFKA_COMMIT, CODE(PRODUCER_FENCED), FATAL | CLEAN,
     ERROR_FENCED},
    {"commit: fenced by epoch", KAFKA_COMMIT, CODE(INVALID_PRODUCER_EPOCH),
     REQUIRES_ABORT | CLEAN, ERROR_FENCED},
    {"commit: transactional id expired", KAFKA_COMMIT, CODE(INVALID_PRODUCER_ID_MAPPING),
     REQUIRES_ABORT | CLEAN, ERROR_UNKNOWN},
    {"commit: producer id forgotten", KAFKA_COMMIT, CODE(UNKNOWN_PRODUCER_ID),
     REQUIRES_ABORT | CLEAN, ERROR_UNKNOWN},
    {"commit: sequence broken", KAFKA_COMMIT, CODE(OUT_OF_ORDER_SEQUENCE_NUMBER),
     REQUIRES_ABORT | CLEAN, ERROR_UNKNOWN},
    {"commit: no right to the transactional id", KAFKA_COMMIT,
     CODE(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), FATAL | CLEAN, ERROR_FATAL},
    {"delivery: too large for the topic", KAFKA_COMMIT, CODE(MSG_SIZE_TOO_LARGE), NONE,
     ERROR_UNKNOWN},
    {"delivery: timed out", KAFKA_COMMIT, CODE(_MSG_TIMED_OUT), NONE, ERROR_UNKNOWN},
    {"delivery: no right to the topic", KAFKA_COMMIT, CODE(TOPIC_AUTHORIZATION_FAILED), NONE,
     ERROR_UNKNOWN},
    {"delivery: fenced", KAFKA_COMMIT, CODE(INVALID_PRODUCER_EPOCH), NONE, ERROR_FENCED},

    {"abort: retriable is called again", KAFKA_ABORT, CODE(_TIMED_OUT), RETRIABLE, ERROR_RETRY},
    {"abort: anything else", KAFKA_ABORT, CODE(_STATE), NONE, ERROR_UNKNOWN},
    {"abort: fenced", KAFKA_ABORT, CODE(_FENCED), FATAL, ERROR_FENCED},
    {"abort: asks for an abort", KAFKA_ABORT, CODE(_INCONSISTENT), REQUIRES_ABORT,
     ERROR_UNKNOWN},

    {"begin: wrong state", KAFKA_BEGIN, CODE(_STATE), NONE, ERROR_UNKNOWN},
    {"begin: retriable", KAFKA_BEGIN, CODE(_CONFLICT), RETRIABLE, ERROR_RETRY},
    {"begin: fenced", KAFKA_BEGIN, CODE(_FENCED), FATAL, ERROR_FENCED},

    {"produce: too large for the client", KAFKA_PRODUCE, CODE(MSG_SIZE_TOO_LARGE), NONE,
     ERROR_INVALID},
    {"produce: no such partition", KAFKA_PRODUCE, CODE(_UNKNOWN_PARTITION), NONE, ERROR_INVALID},
    {"produce: no such topic", KAFKA_PRODUCE, CODE(_UNKNOWN_TOPIC), NONE, ERROR_INVALID},
    {"produce: no such topic, the broker's code", KAFKA_PRODUCE, CODE(UNKNOWN_TOPIC_OR_PART),
     NONE, ERROR_INVALID},
    {"produce: no right to the topic", KAFKA_PRODUCE, CODE(TOPIC_AUTHORIZATION_FAILED), NONE,
     ERROR_INVALID},
    {"produce: queue full", KAFKA_PRODUCE, CODE(_QUEUE_FULL), NONE, ERROR_RETRY},
    {"produce: the transaction has failed", KAFKA_PRODUCE, CODE(_STATE), NONE, ERROR_UNKNOWN},
    {"produce: fatal hides the record's fault", KAFKA_PRODUCE, CODE(_UNKNOWN_TOPIC), FATAL,
     ERROR_UNKNOWN},
    {"produce: fenced", KAFKA_PRODUCE, CODE(_FENCED), FATAL, ERROR_FENCED},

    {"open: no answer", KAFKA_OPEN, CODE(_TIMED_OUT), RETRIABLE, ERROR_RETRY},
    {"open: predecessor still committing", KAFKA_OPEN, CODE(CONCURRENT_TRANSACTIONS), RETRIABLE,
     ERROR_RETRY},
    {"open: another producer was quicker", KAFKA_OPEN, CODE(_FENCED), FATAL, ERROR_FENCED},
    {"open: broker without transactions", KAFKA_OPEN, CODE(_UNSUPPORTED_FEATURE), FATAL,
     ERROR_FATAL},
    {"open: transaction.timeout.ms not allowed", KAFKA_OPEN, CODE(INVALID_TRANSACTION_TIMEOUT),
     FATAL, ERROR_FATAL},
    {"open: wrong password", KAFKA_OPEN, CODE(SASL_AUTHENTICATION_FAILED), NONE, ERROR_FATAL},

    {"proof: other generation", KAFKA_PROVE, CODE(ILLEGAL_GENERATION), NONE, ERROR_FENCED},
    {"proof: thrown out", KAFKA_PROVE, CODE(UNKNOWN_MEMBER_ID), NONE, ERROR_FENCED},
    {"proof: assignment lost", KAFKA_PROVE, CODE(_ASSIGNMENT_LOST), NONE, ERROR_FENCED},
    {"proof: rebalance under way", KAFKA_PROVE, CODE(REBALANCE_IN_PROGRESS), NONE, ERROR_RETRY},
    {"proof: no answer", KAFKA_PROVE, CODE(_TIMED_OUT), NONE, ERROR_RETRY},
    {"proof: no coordinator", KAFKA_PROVE, CODE(_WAIT_COORD), NONE, ERROR_RETRY},
    {"proof: same group.instance.id elsewhere", KAFKA_PROVE, CODE(FENCED_INSTANCE_ID), FATAL,
     ERROR_FATAL},
    {"proof: no right to the group", KAFKA_PROVE, CODE(GROUP_AUTHORIZATION_FAILED), NONE,
     ERROR_FATAL},

    {"read: offset gone", KAFKA_READ, CODE(_AUTO_OFFSET_RESET), NONE, ERROR_UNKNOWN},
    {"read: offset gone, the broker's code", KAFKA_READ, CODE(OFFSET_OUT_OF_RANGE), NONE,
     ERROR_UNKNOWN},
    {"read: broker away", KAFKA_READ, CODE(_TRANSPORT), NONE, ERROR_RETRY},
    {"look-up: no answer", KAFKA_LOOK_UP, CODE(_TIMED_OUT), NONE, ERROR_RETRY},
    {"look-up: wrong password", KAFKA_LOOK_UP, CODE(_AUTHENTICATION), NONE, ERROR_FATAL},
};

static void check_case(void **state)
{
    const struct error_case *row = *state;
    struct kafka_failure failure = {
        .operation = row->operation,
        .code = row->code,
        .fatal = (row->flags & FATAL) != 0,
        .retriable = (row->flags & RETRIABLE) != 0,
        .requires_abort = (row->flags & REQUIRES_ABORT) != 0,
        .flush_clean = (row->flags & CLEAN) != 0,
    };
    assert_string_equal(error_kind_name(kafka_error_kind(&failure)), error_kind_name(row->kind));
}

/* No code, known or not, may be taken for success, and only a clean flush may lead to an abort. */
static void check_every_code(void **state)
{
    (void)state;
    for (int operation = KAFKA_OPEN; operation <= KAFKA_LOOK_UP; operation++)
        for (int code = -250; code < 200; code++)
            for (unsigned flags = 0; flags < 16; flags++) {
                if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
                struct kafka_failure failure = {
                    (enum kafka_operation)operation, (rd_kafka_resp_err_t)code,
                    (flags & FATAL) != 0, (flags & RETRIABLE) != 0,
                    (flags & REQUIRES_ABORT) != 0, (flags & CLEAN) != 0};
                enum error_kind kind = kafka_error_kind(&failure);
                assert_int_not_equal(kind, ERROR_NONE);
                if (kind == ERROR_ABORT) assert_true(failure.flush_clean);
                if (kind == ERROR_ABORT) assert_int_equal(operation, KAFKA_COMMIT);
                if (kind == ERROR_INVALID) assert_int_equal(operation, KAFKA_PRODUCE);
            }
}

static void check_text(void **state)
{
    (void)state;
    struct error error = {0};
    rd_kafka_error_t *cause =
        rd_kafka_error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, "waited %d ms", 17);
    assert_int_equal(kafka_error_take(NULL, KAFKA_COMMIT, true, cause, "commit", &error),
                     ERROR_UNKNOWN);
    assert_string_equal(error.message, "kafka: commit: waited 17 ms (_TIMED_OUT)");
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(cases, check_case)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(check_every_code),
        cmocka_unit_test(check_text),
    };
    return run_rows("kafka error", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
