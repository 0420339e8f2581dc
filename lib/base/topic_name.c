#include "lib/base/topic_name.h"

#include <assert.h>
#include <stdio.h>

bool topic_name_of(const char *cluster, const char *suffix, char name[TOPIC_NAME_BYTES])
{
    assert(cluster != NULL && suffix != NULL);
    int length = snprintf(name, TOPIC_NAME_BYTES, "%s.%s", cluster, suffix);
    return length > 0 && length < TOPIC_NAME_BYTES;
}

bool topic_name_is_valid(struct text name)
{
    if (name.length == 0 || name.length > TOPIC_BYTES_MAX) return false;
    if (text_equal(name, text_of(".")) || text_equal(name, text_of(".."))) return false;
    if (name.length >= 2 && memcmp(name.bytes, "__", 2) == 0) return false;
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                      (byte >= '0' && byte <= '9');
        if (!letter && memchr("._-", byte, 3) == NULL) return false;
    }
    return true;
}
