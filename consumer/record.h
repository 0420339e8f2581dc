/* record.h - a Kafka record before it is decoded: its bounds, its mode and its headers. */
#ifndef BELFRY_CONSUMER_RECORD_H
#define BELFRY_CONSUMER_RECORD_H

#include "consumer/consumer.h"

enum {
    BELFRY_RECORD_BYTES_MAX = 4 << 20, /* twice what Belfry's topics take */
    BELFRY_HEADERS_MAX = 256
};

#pragma GCC visibility push(hidden)

/* Whether the record is within its bounds and says that it is a CloudEvent.
 *   structured  set on true; false: binary */
bool belfry_record_mode(const struct belfry_record *record, bool *structured,
                        struct belfry_error *error);

/* The first header of the name, NULL: there is none. All headers have names. */
const struct belfry_header *belfry_header_find(const struct belfry_record *record,
                                               const char *name);

#pragma GCC visibility pop

#endif
