/* attribute.h - what a fire must and may say: one row for each attribute, however it is decoded. */
#ifndef BELFRY_CONSUMER_ATTRIBUTE_H
#define BELFRY_CONSUMER_ATTRIBUTE_H

#include "consumer/consumer.h"
#include "lib/base/text.h"

enum { BELFRY_ATTRIBUTES = 17, BELFRY_ATTRIBUTE_BYTES_MAX = 1024 };

enum belfry_attribute_kind {
    BELFRY_ATTRIBUTE_TEXT,
    BELFRY_ATTRIBUTE_INTEGER,
    BELFRY_ATTRIBUTE_INSTANT
};

struct belfry_attribute {
    const char *name;
    size_t name_bytes;
    enum belfry_attribute_kind kind;
    bool required;
    const char *exactly;  /* the only value allowed, NULL: any */
    size_t text_offset;   /* of a const char * in struct belfry_fire, SIZE_MAX: nowhere */
    size_t number_offset; /* of an int64_t, SIZE_MAX: nowhere */
    int64_t min;
};

#pragma GCC visibility push(hidden)

/* In the order in which belfryd writes them. */
extern const struct belfry_attribute belfry_attributes[BELFRY_ATTRIBUTES];

/* The row of that name, BELFRY_ATTRIBUTES: none. */
int belfry_attribute_find(struct text name);

/* Notes the value, which must be allowed, in the fire. The text is terminated, has no other NUL and
 * lives as long as the fire. */
bool belfry_attribute_text(const struct belfry_attribute *row, const char *text, size_t length,
                           struct belfry_fire *fire, struct belfry_error *error);
bool belfry_attribute_number(const struct belfry_attribute *row, int64_t number,
                             struct belfry_fire *fire, struct belfry_error *error);

/* After the last one, all required ones among them: what they must be to each other, and the
 * default of what was not given. */
bool belfry_attributes_end(struct belfry_fire *fire, struct belfry_error *error);

/* BELFRY_ERROR_INVALID: `name` is not as `wanted`. Returns false. */
bool belfry_not_fire(struct belfry_error *error, const char *name, const char *wanted);

#pragma GCC visibility pop

#endif
