#include "lib/model/retry_delay.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/hash.h"

static const uint8_t retry_key[HASH_KEY_BYTES] = "belfry retries 1";

int64_t retry_delay_base(const struct retry_terms *retry, int32_t n)
{
    assert(retry != NULL && n >= 1);
    assert(retry->factor_hundredths >= RETRY_FACTOR_MIN_HUNDREDTHS);
    int64_t base_ms = retry->initial_ms;
    for (int32_t k = 1; k < n && base_ms > 0 && base_ms < retry->max_ms; k++) {
        if (base_ms > INT64_MAX / retry->factor_hundredths) return retry->max_ms;
        int64_t next_ms = base_ms * retry->factor_hundredths / 100;
        if (next_ms == base_ms) break; /* it will not grow any more */
        base_ms = next_ms;
    }
    return base_ms < retry->max_ms ? base_ms : retry->max_ms;
}

int64_t retry_delay(const struct retry_terms *retry, struct text id, int32_t n)
{
    assert(id.length > 0 && id.length <= RUN_ID_BYTES_MAX);
    char text[RUN_ID_BYTES_MAX + 16];
    int length = snprintf(text, sizeof text, "%.*s/%d", (int)id.length, id.bytes, n);
    assert(length > 0 && (size_t)length < sizeof text);
    int64_t base_ms = retry_delay_base(retry, n);
    uint64_t hash = hash_siphash(retry_key, text, (size_t)length);
    int64_t spread_ms = (int64_t)(hash % ((uint64_t)(base_ms / 4) + 1));
    return base_ms > INT64_MAX - spread_ms ? INT64_MAX : base_ms + spread_ms;
}
