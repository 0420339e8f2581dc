/* backlog.h - the fires in memory: those handed out, those that may be, and those that wait for an
 * other one of their row. A row is what is handled one after the other: the fires of a record
 * key, or of a partition. Not thread-safe; no memory is allocated after the start. */
#ifndef BELFRY_CONSUMER_BACKLOG_H
#define BELFRY_CONSUMER_BACKLOG_H

#include "consumer/consumer.h"
#include "lib/base/hash.h"

#pragma GCC visibility push(hidden)

struct belfry_delivery {
    struct belfry_fire *fire;
    struct hash_128 id;  /* of the fire's id */
    uint64_t row;       /* two rows of one number are one row */
    bool alone;          /* of no row: it waits for none */
    bool out;            /* handed out and not ended */
    uint32_t partition;  /* of the assignment, its index */
    uint64_t assignment; /* which assignment its record belongs to */
    int64_t offset;      /* of its record in that assignment */
    int64_t bytes;       /* that it takes */
    /* Of the backlog: */
    struct belfry_delivery *next_id;   /* in the same bucket */
    struct belfry_delivery *next_out;  /* in the same bucket */
    struct belfry_delivery *next_row; /* in the same bucket: of another row */
    struct belfry_delivery *behind;    /* of the same row */
    struct belfry_delivery *last;      /* of the row; of its first delivery only */
    struct belfry_delivery *next;      /* of the ready ones, or of a list that was given back */
};

struct belfry_backlog {
    struct belfry_delivery **ids; /* buckets: of all, */
    struct belfry_delivery **outs; /* of those handed out, by the fire's address, */
    struct belfry_delivery **rows; /* and of the first ones of rows */
    size_t mask; /* of each table's places */
    struct belfry_delivery *ready_first;
    struct belfry_delivery *ready_last;
    uint32_t ready; /* may be handed out */
    uint32_t waiting; /* ready or behind another one */
    uint32_t out;
    int64_t bytes; /* of all */
};

/*   most     deliveries at a time; more make it slower, not wrong
 *   returns  false: memory is short */
bool belfry_backlog_open(struct belfry_backlog *backlog, uint32_t most);
/* What is in it must have been taken out. */
void belfry_backlog_close(struct belfry_backlog *backlog);

/* Puts a delivery behind those of its row. It stays the caller's memory. */
void belfry_backlog_put(struct belfry_backlog *backlog, struct belfry_delivery *delivery);
/* The ready one that has waited longest, which is out from now on; NULL: none is ready. */
struct belfry_delivery *belfry_backlog_take(struct belfry_backlog *backlog);
/* The delivery whose fire is out; NULL: no such fire is. */
struct belfry_delivery *belfry_backlog_out(const struct belfry_backlog *backlog,
                                           const struct belfry_fire *fire);
/* The delivery of this id, out or waiting; NULL: none. */
struct belfry_delivery *belfry_backlog_find(const struct belfry_backlog *backlog,
                                            struct hash_128 id);
/* Takes out one that is out; the next one of its row is ready. */
void belfry_backlog_end(struct belfry_backlog *backlog, struct belfry_delivery *delivery);
/* Takes out all that are not out.
 *   returns  them, linked by `next` */
struct belfry_delivery *belfry_backlog_drop(struct belfry_backlog *backlog);

#pragma GCC visibility pop

#endif
