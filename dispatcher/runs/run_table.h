/* run_table.h - the open runs of a shard in memory, without any rule: by k, by the id of their
 * fire, by job in the order in which they were opened, and in the queue in which each stands.
 *
 * The lowest free k is given first, so that which k a run has follows from what is open and from
 * nothing else, and keys stay short and few: never more of them than runs were open at one time. */
#ifndef BELFRY_RUNS_RUN_TABLE_H
#define BELFRY_RUNS_RUN_TABLE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/runs/number_index.h"
#include "dispatcher/runs/run_queue.h"
#include "dispatcher/runs/text_pool.h"
#include "lib/model/run_id.h"
#include "lib/model/run_record.h"

enum { RUNS_A_PAGE = 64, RUN_BYTES_MAX = 160 };

enum run_flag {
    RUN_PROVEN = 1 << 0, /* its fire is committed: a worker runs it, or the group said so */
    RUN_RAN = 1 << 1,    /* the worker with the token has reported that it runs */
    RUN_DOUBLED = 1 << 2,     /* two have: that was said */
    RUN_CANCEL = 1 << 3,      /* its worker is asked to stop */
    RUN_LAPSED = 1 << 4,      /* its lease is over: the coordinator is asked */
    RUN_UNCOMMITTED = 1 << 5, /* and has said since that the offset is not committed */
    RUN_UNRECORDED = 1 << 6,  /* its claim is not in its record yet */
    RUN_ORPHAN = 1 << 7,      /* its job is deleted */
    RUN_DIRTY = 1 << 8,       /* its record is to be written at the end of the call */
    RUN_ENDED = 1 << 9,       /* it is in the way still, and nothing else */
    RUN_ASKED_SHIFT = 13      /* above: how often it was asked, 0 .. RUN_ASKED_MAX */
};
enum { RUN_ASKED_MAX = 7 };

/* Where a try stands that ended. */
struct kept_try {
    struct run_try said; /* its texts are behind it */
    bool is_late; /* its late success was said */
    char bytes[];
};

/* What most runs do not have. */
struct run_more {
    char *trigger_id; /* NULL: none, as the next two */
    char *group;
    char *id;
    char *cursor;
    size_t cursor_length;
    int64_t cursor_kept_ms; /* steady; INSTANT_NONE: not by this owner */
    int64_t cancel_said_ms; /* the same */
    struct incarnation import;
    int64_t opened_ms; /* of a run of several tries, as the next */
    int64_t first_runnumber;
    uint32_t try_count;
    struct kept_try *tries[RUN_TRIES_KEPT]; /* oldest first */
};

struct run {
    int64_t ordinal; /* of the job */
    int64_t runnumber;
    struct incarnation incarnation;
    int64_t nominal_ms;
    int64_t fired_ms;
    int64_t at; /* where it stands in its queue: an instant, or the number of a tick */
    uint64_t token; /* fingerprint of the claim's; 0: none */
    int64_t fire_offset;
    int64_t sign_ms; /* append time of the newest sign of life */
    struct run_more *more; /* NULL: nothing unusual */
    uint32_t k;
    uint32_t queue_at;
    uint32_t next; /* of the same job: a ring in order of opening */
    uint32_t previous;
    uint32_t job_slot;
    uint32_t lease_ms;
    uint32_t start_within_ms;
    uint32_t delay_ms; /* due time - nominal time */
    int32_t started_after_ms; /* append time of `started` - fired_ms */
    int32_t fire_partition;
    uint32_t workers; /* these are numbers of the pool */
    uint32_t topic;   /* 0: it is not known where the fire stands */
    uint32_t worker;
    uint16_t flags;
    uint16_t ring_count; /* of the ring's first run: how many there are */
    uint8_t number;
    uint8_t counted;
    uint8_t released;
    uint8_t lost_in_a_row;
    uint8_t kind;  /* enum fire_kind */
    uint8_t state; /* enum run_state */
    uint8_t mode;  /* enum lease_mode */
    uint8_t queue; /* enum run_queue_kind */
};
static_assert(sizeof(struct run) <= RUN_BYTES_MAX, "an open run is to take 200 bytes in all");

struct run_table {
    struct run **pages; /* of RUNS_A_PAGE runs each */
    size_t page_capacity;
    uint32_t page_count;
    uint64_t *used; /* a bit for each k */
    uint32_t free_from; /* the words before it have no free k */
    uint32_t count; /* those that are open */
    struct number_index by_id;
    struct number_index by_job; /* first runs of rings */
    struct run_queue queues[RUN_QUEUES];
    struct text_pool texts;
    uint8_t key[HASH_KEY_BYTES];
};

void run_table_init(struct run_table *table, const uint8_t key[HASH_KEY_BYTES]);
void run_table_free(struct run_table *table);

/* The run under the lowest free k, or under this one, which must be free: nothing but its k is set,
 * and it is in no index. */
struct run *run_table_open(struct run_table *table);
struct run *run_table_open_at(struct run_table *table, uint32_t k);
/* It is over, but keeps k and its place among the runs of its job until it is closed. */
void run_table_end(struct run_table *table, struct run *run);
static inline bool run_has_ended(const struct run *run)
{
    return (run->flags & RUN_ENDED) != 0;
}
/* Out of its queue and of the indexes in which it is; k is free. */
void run_table_close(struct run_table *table, struct run *run);
/* NULL: k is free. */
struct run *run_table_at(const struct run_table *table, uint32_t k);
uint32_t run_table_top(const struct run_table *table); /* all k are below it */

/* Its identity, job, name and first runnumber are set: it can be found from now on. */
void run_table_link(struct run_table *table, struct run *run);
void run_table_unlink(struct run_table *table, struct run *run);
struct run *run_table_find(const struct run_table *table, struct text id);
/* The oldest run of a living job, and of the deleted ones of a name; NULL: none. */
struct run *run_table_of_job(const struct run_table *table, int64_t ordinal);
struct run *run_table_of_name(const struct run_table *table, struct text group, struct text id);
/* The next one of its ring; NULL: it is the last. */
struct run *run_table_next(const struct run_table *table, const struct run *run);

/* Out of its queue, and into that one. */
void run_table_queue(struct run_table *table, struct run *run, enum run_queue_kind queue,
                     int64_t at);
struct run *run_table_first(const struct run_table *table, enum run_queue_kind queue);

/* Its part for what is unusual, made when missing; given back when nothing is. */
struct run_more *run_more(struct run *run);
void run_lighten(struct run *run);

void run_identify(const struct run *run, struct run_identity *identity);
size_t run_id_of(const struct run *run, char *text); /* as run_id_format() */
int64_t run_first_runnumber(const struct run *run);
int64_t run_opened_ms(const struct run *run);

#endif
