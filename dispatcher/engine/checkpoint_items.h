/* checkpoint_items.h - what a shard has in memory as items of the store. */
#ifndef BELFRY_ENGINE_CHECKPOINT_ITEMS_H
#define BELFRY_ENGINE_CHECKPOINT_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/checkpoint_notes.h"
#include "dispatcher/jobs/job.h"
#include "dispatcher/shard/shard.h"
#include "schemas/text_writer.h"
#include "store/store_group.h"

/* The writer is a buffer. */
void checkpoint_add_job(struct store_group *group, struct text_writer *writer,
                        const struct job *job);

/* All open runs: what a rewrite begins with. */
void checkpoint_flag_runs(struct slot_bits *dirty, const struct shard *shard);

/* The runs that are flagged, from *from on, and the places that are free by now, until the group
 * has items_max items or CHECKPOINT_RUN_BYTES_MAX. *from: where to go on. False: more are left. */
enum { CHECKPOINT_RUN_BYTES_MAX = 4 * 1024 * 1024 };
bool checkpoint_add_runs(struct store_group *group, struct text_writer *writer,
                         const struct shard *shard, struct checkpoint_flags *flags,
                         size_t items_max, uint32_t *from);

/* Remembered command ids, one item for each sequence, from *from on, until the group has items_max
 * of them or CHECKPOINT_SEEN_BYTES_MAX. *from: where to go on. False: more are left. */
enum { CHECKPOINT_SEEN_BYTES_MAX = 1024 * 1024 };
bool checkpoint_add_seen(struct store_group *group, struct text_writer *writer,
                         const struct shard *shard, size_t items_max, int64_t *from);

#endif
