/* error_code.h - why something was refused or went wrong, where somebody decides by it: a row is a
 * code, its number and its stable word. */
#ifndef BELFRY_BASE_ERROR_CODE_H
#define BELFRY_BASE_ERROR_CODE_H

#include "lib/base/text.h"

#define ERROR_CODES(row)                                                                           \
    /* of results and dead letters */                                                              \
    row(INVALID_JSON, "invalid_json")                                                              \
    row(NOT_UTF8, "not_utf8")                                                                      \
    row(DUPLICATE_KEY, "duplicate_key")                                                            \
    row(TOO_LARGE, "too_large")                                                                    \
    row(TOO_DEEP, "too_deep")                                                                      \
    row(TOO_MANY, "too_many")                                                                      \
    row(MISSING_FIELD, "missing_field")                                                            \
    row(UNKNOWN_FIELD, "unknown_field")                                                            \
    row(WRONG_TYPE, "wrong_type")                                                                  \
    row(BAD_NAME, "bad_name")                                                                      \
    row(BAD_VALUE, "bad_value")                                                                    \
    row(BAD_TIME, "bad_time")                                                                      \
    row(BAD_DURATION, "bad_duration")                                                              \
    row(BAD_CRON, "bad_cron")                                                                      \
    row(NEVER_FIRES, "never_fires")                                                                \
    row(UNKNOWN_ZONE, "unknown_zone")                                                              \
    row(UNKNOWN_OP, "unknown_op")                                                                  \
    row(UNSUPPORTED_VERSION, "unsupported_version")                                                \
    row(EMPTY_SELECTOR, "empty_selector")                                                          \
    row(NOTHING_TO_UPDATE, "nothing_to_update")                                                    \
    row(EXISTS, "exists")                                                                          \
    row(NOT_FOUND, "not_found")                                                                    \
    row(COUNT_MISMATCH, "count_mismatch")                                                          \
    row(EXPECT_NEEDS_GROUPS, "expect_needs_groups")                                                \
    row(REVISION_MISMATCH, "revision_mismatch")                                                    \
    row(OVERLAP, "overlap")                                                                        \
    row(RUN_OPEN, "run_open")                                                                      \
    row(EXPIRED, "expired")                                                                        \
    row(FROM_BEFORE_PAUSE, "from_before_pause")                                                    \
    row(FROM_IN_FUTURE, "from_in_future")                                                          \
    row(TOPIC_NOT_ALLOWED, "topic_not_allowed")                                                    \
    row(TOPIC_MISSING, "topic_missing")                                                            \
    row(REPLY_TO_NOT_ALLOWED, "reply_to_not_allowed")                                              \
    row(RESERVED_HEADER, "reserved_header")                                                        \
    row(NOT_SUPPORTED, "not_supported")                                                            \
    row(LEASE_REQUIRED, "lease_required")                                                          \
    row(WRONG_SHARD, "wrong_shard")                                                                \
    row(INTERNAL, "internal")                                                                      \
    row(PARTLY_APPLIED, "partly_applied")                                                          \
    row(UNDELIVERABLE, "undeliverable")                                                            \
    row(INTERRUPTED, "interrupted")                                                                \
    /* of warnings in results, beside topic_missing */                                             \
    row(AT_LEAST_ONCE, "at_least_once")                                                            \
    row(CRON, "cron")                                                                              \
    row(ZONE_IS_UTC, "zone_is_utc")                                                                \
    /* of dead letters that are reports of workers */                                              \
    row(BAD_REPORT, "bad_report")                                                                  \
    row(UNKNOWN_RUN, "unknown_run")                                                                \
    row(WRONG_PARTITION, "wrong_partition")                                                        \
    row(RUN_FAILED, "run_failed") /* that is a run */                                              \
    /* between our own parts: what Kafka and the store hold, how the command line ends */          \
    row(NEWER_LAYOUT, "newer_layout")                                                              \
    row(REFUSED, "refused")                                                                        \
    row(KAFKA_AWAY, "kafka_away")                                                                  \
    row(NOT_WHOLE, "not_whole")                                                                    \
    row(USAGE, "usage")                                                                            \
    row(TIMED_OUT, "timed_out")

/* Numbers are stored nowhere: records and messages hold the words. */
#define ERROR_CODE_NUMBER(name, word) CODE_##name,
enum error_code { CODE_NONE = 0, ERROR_CODES(ERROR_CODE_NUMBER) };
#undef ERROR_CODE_NUMBER

enum { ERROR_CODE_BYTES = 32 }; /* of a word, with its terminator */

const char *error_code_word(enum error_code code); /* CODE_NONE: "" */

/* CODE_NONE for "" and for a word that is not known. */
enum error_code error_code_find(struct text word);

#endif
