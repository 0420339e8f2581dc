#include "lib/base/number.h"

#include <assert.h>

bool number_read(struct text text, int64_t *number)
{
    assert(text.bytes != NULL || text.length == 0);
    assert(number != NULL);
    bool negative = text.length > 0 && text.bytes[0] == '-';
    size_t at = negative ? 1 : 0;
    int64_t value = 0; /* kept negative: that side reaches one further */
    if (at == text.length) return false;
    for (; at < text.length; at++) {
        if (text.bytes[at] < '0' || text.bytes[at] > '9') return false;
        int digit = text.bytes[at] - '0';
        if (value < (INT64_MIN + digit) / 10) return false;
        value = value * 10 - digit;
    }
    if (!negative && value == INT64_MIN) return false;
    *number = negative ? value : -value;
    return true;
}
