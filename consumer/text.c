/* text.c - the small text forms inside a fire. */
#include "consumer/text.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "lib/base/json_scan.h"
#include "lib/base/number.h"

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

static void depth_at_least(struct belfry_outline *outline, size_t depth)
{
    if (depth > outline->depth) outline->depth = depth;
}

void belfry_outline_read(const char *text, size_t bytes, struct belfry_outline *outline)
{
    assert(text != NULL || bytes == 0);
    struct text rest = {text, bytes};
    struct text name;
    struct text value;
    *outline = (struct belfry_outline){0};
    while (json_scan_pair(&rest, &name, &value)) {
        bool brackets = value.length > 0 && (value.bytes[0] == '{' || value.bytes[0] == '[');
        depth_at_least(outline, 1 + (brackets ? json_scan_depth(value) : 0));
        if (memchr(name.bytes, '\\', name.length) != NULL) outline->escaped_name = true;
        if (rest.length == 0 || !text_equal(name, text_of("data"))) continue; /* cut off */
        outline->data = value.bytes;
        outline->data_bytes = value.length;
    }
    depth_at_least(outline, json_scan_depth(rest)); /* the end, or what is no object */
}

bool belfry_media_is(const char *media_type, size_t bytes, const char *name)
{
    assert(media_type != NULL || bytes == 0);
    size_t length = 0;
    while (length < bytes && media_type[length] != ';' && media_type[length] != ' ') length++;
    return length == strlen(name) && strncasecmp(media_type, name, length) == 0;
}

bool belfry_media_is_json(const char *media_type)
{
    size_t length = strcspn(media_type, "; ");
    if (length >= 5 && strncasecmp(media_type + length - 5, "+json", 5) == 0) return true;
    return belfry_media_is(media_type, length, "application/json") ||
           belfry_media_is(media_type, length, "text/json");
}
