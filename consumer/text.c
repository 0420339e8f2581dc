/* text.c - the small text forms inside a fire. */
#include "consumer/text.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

bool belfry_integer_parse(const char *text, size_t bytes, int64_t *number)
{
    assert(text != NULL || bytes == 0);
    assert(number != NULL);
    size_t i = 0;
    bool negative = bytes > 0 && text[0] == '-';
    if (negative) i = 1;
    if (i == bytes) return false;
    if (text[i] == '0' && bytes > 1) return false; /* no "-0", no leading zeros */
    int64_t value = 0; /* kept negative: that side reaches one further */
    for (; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        int digit = text[i] - '0';
        if (value < (INT64_MIN + digit) / 10) return false;
        value = value * 10 - digit;
    }
    if (!negative && value == INT64_MIN) return false;
    *number = negative ? value : -value;
    return true;
}

bool belfry_media_is(const char *media_type, size_t bytes, const char *name)
{
    assert(media_type != NULL || bytes == 0);
    assert(name != NULL);
    size_t length = 0;
    while (length < bytes && media_type[length] != ';' && media_type[length] != ' ') length++;
    return length == strlen(name) && strncasecmp(media_type, name, length) == 0;
}

bool belfry_media_is_json(const char *media_type)
{
    assert(media_type != NULL);
    size_t length = strcspn(media_type, "; ");
    if (length >= 5 && strncasecmp(media_type + length - 5, "+json", 5) == 0) return true;
    return belfry_media_is(media_type, length, "application/json") ||
           belfry_media_is(media_type, length, "text/json");
}
