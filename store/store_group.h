/* store_group.h - a group of writes as one thing with its own copy of all bytes, so that a shard
 * can hand a checkpoint to the writer's thread and go on changing its jobs. */
#ifndef BELFRY_STORE_STORE_GROUP_H
#define BELFRY_STORE_STORE_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* Texts of a part; one item larger than this goes alone. */
enum { STORE_PART_BYTES_MAX = 1024 * 1024 };

struct store_group;

struct store_group_options {
    int32_t shard;
    enum store_mode mode;
    int64_t generation;
    int64_t epoch;
    int64_t follows_sequence; /* STORE_CHANGE */
    int32_t first_part;       /* 0, or store_result.next_part to go on with an unfinished group:
                               * a large rewrite need not be in memory at once */
    uint64_t token;           /* as in store_write */
    uint64_t token_before;    /* of its first part */
    size_t part_items_max;    /* 0: STORE_CALL_JOBS_MAX */
};

/* An empty group; end it with store_group_destroy() or give it to store_writer_submit(). */
struct store_group *store_group_create(const struct store_group_options *options);
void store_group_destroy(struct store_group *group);

/* Copies the item, behind those already there. Before store_group_finish(). */
void store_group_add(struct store_group *group, const struct store_item *item);

/* Ends the group with its snapshot, or with NULL where another one goes on after it (which needs
 * at least one item). Nothing can be added any more. */
void store_group_finish(struct store_group *group, const struct snapshot *snapshot);

int32_t store_group_shard(const struct store_group *group);
size_t store_group_item_count(const struct store_group *group);
/* Bytes of names and texts held. */
size_t store_group_bytes(const struct store_group *group);

/* The calls the group is made of, in order. After store_group_finish(); the write borrows from
 * the group. index: 0 to store_group_part_count() - 1. */
size_t store_group_part_count(const struct store_group *group);
void store_group_part(const struct store_group *group, size_t index, struct store_write *write);

#endif
