/* backlog.c - three tables with chains through the deliveries, and the queue of the ready ones. */
#include "consumer/backlog.h"

#include <assert.h>
#include <stdlib.h>

enum { PLACES_LEAST = 64 };

static size_t place_of_id(const struct belfry_backlog *backlog, struct hash_128 id)
{
    return (size_t)id.low & backlog->mask;
}

static size_t place_of_row(const struct belfry_backlog *backlog, uint64_t row)
{
    return (size_t)row & backlog->mask;
}

/* Addresses of allocations differ above their alignment. */
static size_t place_of_fire(const struct belfry_backlog *backlog, const struct belfry_fire *fire)
{
    uintptr_t address = (uintptr_t)fire;
    return (size_t)(address >> 4 ^ address >> 16) & backlog->mask;
}

bool belfry_backlog_open(struct belfry_backlog *backlog, uint32_t most)
{
    size_t places = PLACES_LEAST;
    while (places < most) places *= 2;
    *backlog = (struct belfry_backlog){.mask = places - 1};
    backlog->ids = calloc(places, sizeof(struct belfry_delivery *));
    backlog->outs = calloc(places, sizeof(struct belfry_delivery *));
    backlog->rows = calloc(places, sizeof(struct belfry_delivery *));
    if (backlog->ids != NULL && backlog->outs != NULL && backlog->rows != NULL) return true;
    belfry_backlog_close(backlog);
    return false;
}

void belfry_backlog_close(struct belfry_backlog *backlog)
{
    assert(backlog->out == 0 && backlog->waiting == 0);
    free(backlog->ids);
    free(backlog->outs);
    free(backlog->rows);
    *backlog = (struct belfry_backlog){0};
}

/* ---- rows ---- */

/* Where the first delivery of the row is, or would be, linked. */
static struct belfry_delivery **row_link(const struct belfry_backlog *backlog, uint64_t row)
{
    struct belfry_delivery **link = &backlog->rows[place_of_row(backlog, row)];
    while (*link != NULL && (*link)->row != row) link = &(*link)->next_row;
    return link;
}

static void make_ready(struct belfry_backlog *backlog, struct belfry_delivery *delivery)
{
    delivery->next = NULL;
    if (backlog->ready_first == NULL) backlog->ready_first = delivery;
    else backlog->ready_last->next = delivery;
    backlog->ready_last = delivery;
    backlog->ready++;
}

static void join_row(struct belfry_backlog *backlog, struct belfry_delivery *delivery)
{
    struct belfry_delivery **link = row_link(backlog, delivery->row);
    struct belfry_delivery *first = *link;
    delivery->behind = NULL;
    if (first != NULL) {
        first->last->behind = delivery;
        first->last = delivery;
        return;
    }
    delivery->last = delivery;
    delivery->next_row = NULL;
    *link = delivery;
    make_ready(backlog, delivery);
}

/* The first one of a row leaves it. */
static void leave_row(struct belfry_backlog *backlog, struct belfry_delivery *first)
{
    struct belfry_delivery **link = row_link(backlog, first->row);
    struct belfry_delivery *heir = first->behind;
    assert(*link == first);
    if (heir == NULL) {
        *link = first->next_row;
        return;
    }
    heir->last = first->last;
    heir->next_row = first->next_row;
    *link = heir;
    make_ready(backlog, heir);
}

/* ---- the tables ---- */

static void forget_id(struct belfry_backlog *backlog, const struct belfry_delivery *delivery)
{
    struct belfry_delivery **link = &backlog->ids[place_of_id(backlog, delivery->id)];
    while (*link != delivery) link = &(*link)->next_id;
    *link = delivery->next_id;
    assert(backlog->bytes >= delivery->bytes);
    backlog->bytes -= delivery->bytes;
}

void belfry_backlog_put(struct belfry_backlog *backlog, struct belfry_delivery *delivery)
{
    size_t place = place_of_id(backlog, delivery->id);
    delivery->out = false;
    delivery->next_id = backlog->ids[place];
    backlog->ids[place] = delivery;
    backlog->waiting++;
    backlog->bytes += delivery->bytes;
    if (delivery->alone) make_ready(backlog, delivery);
    else join_row(backlog, delivery);
}

struct belfry_delivery *belfry_backlog_take(struct belfry_backlog *backlog)
{
    struct belfry_delivery *delivery = backlog->ready_first;
    if (delivery == NULL) return NULL;
    size_t place = place_of_fire(backlog, delivery->fire);
    backlog->ready_first = delivery->next;
    if (backlog->ready_first == NULL) backlog->ready_last = NULL;
    delivery->next_out = backlog->outs[place];
    backlog->outs[place] = delivery;
    delivery->out = true;
    backlog->ready--;
    backlog->waiting--;
    backlog->out++;
    return delivery;
}

struct belfry_delivery *belfry_backlog_out(const struct belfry_backlog *backlog,
                                           const struct belfry_fire *fire)
{
    struct belfry_delivery *one = backlog->outs[place_of_fire(backlog, fire)];
    while (one != NULL && one->fire != fire) one = one->next_out;
    return one;
}

struct belfry_delivery *belfry_backlog_find(const struct belfry_backlog *backlog,
                                            struct hash_128 id)
{
    struct belfry_delivery *one = backlog->ids[place_of_id(backlog, id)];
    while (one != NULL && (one->id.low != id.low || one->id.high != id.high)) one = one->next_id;
    return one;
}

void belfry_backlog_end(struct belfry_backlog *backlog, struct belfry_delivery *delivery)
{
    struct belfry_delivery **link = &backlog->outs[place_of_fire(backlog, delivery->fire)];
    assert(delivery->out && backlog->out > 0);
    while (*link != delivery) link = &(*link)->next_out;
    *link = delivery->next_out;
    delivery->out = false;
    backlog->out--;
    forget_id(backlog, delivery);
    if (!delivery->alone) leave_row(backlog, delivery);
}

/* One that waits: its row is left without it. */
static void drop_one(struct belfry_backlog *backlog, struct belfry_delivery *delivery)
{
    if (delivery->alone) return;
    struct belfry_delivery **link = row_link(backlog, delivery->row);
    if (*link == delivery) *link = delivery->next_row;
}

struct belfry_delivery *belfry_backlog_drop(struct belfry_backlog *backlog)
{
    struct belfry_delivery *dropped = NULL;
    if (backlog->waiting == 0) return NULL;
    for (size_t place = 0; place <= backlog->mask; place++) {
        struct belfry_delivery **link = &backlog->ids[place];
        while (*link != NULL) {
            struct belfry_delivery *one = *link;
            if (one->out) { /* nobody is behind it any more */
                one->behind = NULL;
                one->last = one;
                link = &one->next_id;
                continue;
            }
            *link = one->next_id;
            drop_one(backlog, one);
            backlog->bytes -= one->bytes;
            backlog->waiting--;
            one->next = dropped;
            dropped = one;
        }
    }
    backlog->ready_first = NULL;
    backlog->ready_last = NULL;
    backlog->ready = 0;
    return dropped;
}
