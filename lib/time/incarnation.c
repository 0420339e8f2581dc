#include "lib/time/incarnation.h"

#include <assert.h>
#include <string.h>

/* Digits of a number that is not negative; snprintf is too slow for a million ids a second. */
static char *append_number(char *at, int64_t number)
{
    assert(number >= 0);
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) *at++ = digits[--count];
    return at;
}

size_t incarnation_format(const struct incarnation *incarnation, char *text)
{
    assert(incarnation != NULL);
    char *at = append_number(text, incarnation->effective_ms);
    *at++ = '-';
    at = append_number(at, incarnation->shard);
    *at++ = '.';
    at = append_number(at, incarnation->offset);
    *at++ = '.';
    at = append_number(at, incarnation->index);
    *at = '\0';
    assert((size_t)(at - text) < INCARNATION_TEXT_BYTES);
    return (size_t)(at - text);
}

/* Reads digits up to `stop` (or the end, for '\0'); the canonical form only. */
static bool take_number(struct text *rest, char stop, int64_t max, int64_t *number)
{
    int64_t value = 0;
    size_t at = 0;
    while (at < rest->length && rest->bytes[at] >= '0' && rest->bytes[at] <= '9') {
        int digit = rest->bytes[at] - '0';
        if (value > (max - digit) / 10) return false;
        value = value * 10 + digit;
        at++;
    }
    if (at == 0 || (at > 1 && rest->bytes[0] == '0')) return false;
    if (stop == '\0' ? at != rest->length : (at >= rest->length || rest->bytes[at] != stop))
        return false;
    size_t used = stop == '\0' ? at : at + 1;
    rest->bytes += used;
    rest->length -= used;
    *number = value;
    return true;
}

bool incarnation_parse(struct text text, struct incarnation *incarnation)
{
    assert(incarnation != NULL);
    int64_t shard = 0;
    int64_t index = 0;
    if (!take_number(&text, '-', INT64_MAX, &incarnation->effective_ms)) return false;
    if (!take_number(&text, '.', INT32_MAX, &shard)) return false;
    if (!take_number(&text, '.', INT64_MAX, &incarnation->offset)) return false;
    if (!take_number(&text, '\0', UINT32_MAX, &index)) return false;
    incarnation->shard = (int32_t)shard;
    incarnation->index = (uint32_t)index;
    return true;
}

static int compare_numbers(int64_t left, int64_t right)
{
    return (left > right) - (left < right);
}

int incarnation_compare(const struct incarnation *left, const struct incarnation *right)
{
    assert(left != NULL && right != NULL);
    int order = compare_numbers(left->effective_ms, right->effective_ms);
    if (order == 0) order = compare_numbers(left->shard, right->shard);
    if (order == 0) order = compare_numbers(left->offset, right->offset);
    return order != 0 ? order : compare_numbers(left->index, right->index);
}

size_t fire_id_format(const struct incarnation *incarnation, int64_t nominal_ms, char *text)
{
    size_t length = incarnation_format(incarnation, text);
    text[length++] = '@';
    char *end = append_number(text + length, nominal_ms);
    *end = '\0';
    return (size_t)(end - text);
}
