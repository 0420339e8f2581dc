#include "lib/model/result_code.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* The order is part of nothing stored: records hold the words. */
static const char *const words[] = {
    "",                    "invalid_json",    "not_utf8",         "duplicate_key",
    "too_large",           "too_deep",        "too_many",         "missing_field",
    "unknown_field",       "wrong_type",      "bad_name",         "bad_value",
    "bad_time",            "bad_duration",    "bad_cron",         "never_fires",
    "unknown_zone",        "unknown_op",      "unsupported_version", "empty_selector",
    "nothing_to_update",   "exists",          "not_found",        "count_mismatch",
    "expect_needs_groups", "revision_mismatch", "expired",        "from_before_pause",
    "from_in_future",      "topic_not_allowed", "topic_missing",  "reply_to_not_allowed",
    "reserved_header",     "not_supported",   "wrong_shard",      "internal",
    "newer_layout",        "partly_applied",  "undeliverable",    "interrupted",
};
enum { WORDS = sizeof words / sizeof words[0] };
static_assert(WORDS <= UINT8_MAX, "an index is one byte");

uint8_t result_code_index(const char *code)
{
    assert(code != NULL);
    for (size_t i = 1; i < WORDS; i++)
        if (strcmp(words[i], code) == 0) return (uint8_t)i;
    return 0;
}

const char *result_code_word(uint8_t index)
{
    return index < WORDS ? words[index] : "";
}
