/* fire.h - what the library keeps behind a struct belfry_fire. */
#ifndef BELFRY_CONSUMER_FIRE_H
#define BELFRY_CONSUMER_FIRE_H

#include <jansson.h>

#include "consumer/consumer.h"

enum { BELFRY_FIRE_DEPTH_MAX = 64 };

/* The fire comes first, so that its address is the holder's. */
struct belfry_holder {
    struct belfry_fire fire;
    /* By belfry_fire_decode_plain(): topic, raw and data are in the holder's own block, and in raw
     * a NUL stands for the closing quote of each text, and one behind the data. */
    bool plain;
    char data_end;      /* of a plain one: what stood in raw behind the data */
    json_t *attributes; /* owns the texts, NULL in a plain one */
    char *topic;
    char *raw;          /* the record's value in structured mode, else NULL */
    size_t raw_bytes;
    char *data;         /* NULL in a plain one, where it is a part of raw */
};

#pragma GCC visibility push(hidden)

/* fire.c: what is a fire; takes all that is one. The record and its topic are not NULL. */
struct belfry_fire *belfry_fire_decode_tree(const struct belfry_record *record,
                                            struct belfry_error *error);

/* fire_plain.c: the same for most of what belfryd writes, in one pass and one allocation.
 *   returns  NULL: ask belfry_fire_decode_tree() */
struct belfry_fire *belfry_fire_decode_plain(const struct belfry_record *record);

#pragma GCC visibility pop

#endif
