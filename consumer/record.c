#include "consumer/record.h"

#include <assert.h>
#include <string.h>

#include "consumer/attribute.h"
#include "consumer/fail.h"
#include "consumer/fire.h"
#include "consumer/text.h"

const struct belfry_header *belfry_header_find(const struct belfry_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        assert(record->headers[i].name != NULL);
        if (strcmp(record->headers[i].name, name) == 0) return &record->headers[i];
    }
    return NULL;
}

bool belfry_record_mode(const struct belfry_record *record, bool *structured,
                        struct belfry_error *error)
{
    assert(record != NULL && structured != NULL);
    if (record->value_bytes > BELFRY_RECORD_BYTES_MAX) {
        return belfry_fail(error, BELFRY_ERROR_INVALID,
                           "not a fire: %zu bytes, at most %d are "
                           "allowed",
                           record->value_bytes, BELFRY_RECORD_BYTES_MAX);
    }
    if (record->header_count > BELFRY_HEADERS_MAX)
        return belfry_not_fire(error, "the record", "has more than 256 headers");
    for (size_t i = 0; i < record->header_count; i++)
        if (record->headers[i].name == NULL)
            return belfry_not_fire(error, "a header", "has no name");
    const struct belfry_header *type = belfry_header_find(record, "content-type");
    *structured = type != NULL && type->value != NULL &&
                  belfry_media_is(type->value, type->value_bytes, "application/cloudevents+json");
    if (!*structured && belfry_header_find(record, "ce_specversion") == NULL) {
        return belfry_not_fire(error, "the record",
                               "has neither the header content-type "
                               "application/cloudevents+json nor ce_specversion");
    }
    return true;
}
