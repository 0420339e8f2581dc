/* text.c - the small text forms inside a fire. */
#include "consumer/text.h"
#include "lib/base/number.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

bool belfry_integer_parse(const char *text, size_t bytes, int64_t *number)
{
    assert(text != NULL || bytes == 0);
    assert(number != NULL);
    struct text digits = {text, bytes};
    if (bytes > 0 && text[0] == '-') digits = (struct text){text + 1, bytes - 1};
    bool zero_first = digits.length > 0 && digits.bytes[0] == '0';
    if (zero_first && bytes > 1) return false; /* no "-0", no leading zeros */
    return number_read((struct text){text, bytes}, number);
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
