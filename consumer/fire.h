/* fire.h - what the library keeps behind a struct belfry_fire. */
#ifndef BELFRY_CONSUMER_FIRE_H
#define BELFRY_CONSUMER_FIRE_H

#include <jansson.h>

#include "consumer/consumer.h"

enum { BELFRY_FIRE_DEPTH_MAX = 64, BELFRY_HEADERS_MAX = 256 };

/* The fire comes first, so that its address is the holder's. */
struct belfry_holder {
    struct belfry_fire fire;
    json_t *attributes; /* owns the texts */
    char *topic;
    char *raw;          /* the record's value in structured mode, else NULL */
    size_t raw_bytes;
    char *data;
};

#endif
