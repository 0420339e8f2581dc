/* partitions.c - the partitions of the current assignment and how far each is finished. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/state.h"
#include "lib/base/monotonic.h"

enum { STORE_EVERY_MS = BELFRY_TICK_MS };

struct belfry_partition *belfry_partition_find(struct belfry_consumer *consumer, const char *topic,
                                               int32_t partition)
{
    for (size_t i = 0; i < consumer->partition_count; i++) {
        struct belfry_partition *candidate = &consumer->partitions[i];
        if (candidate->partition == partition && strcmp(candidate->topic, topic) == 0)
            return candidate;
    }
    return NULL;
}

void belfry_partitions_store(struct belfry_consumer *consumer)
{
    consumer->stored_ms = monotonic_ms();
    if (consumer->closing) return;
    rd_kafka_topic_partition_list_t *list = NULL;
    for (size_t i = 0; i < consumer->partition_count; i++) {
        struct belfry_partition *partition = &consumer->partitions[i];
        if (partition->position == partition->stored) continue;
        if (list == NULL) list = rd_kafka_topic_partition_list_new((int)consumer->partition_count);
        rd_kafka_topic_partition_list_add(list, partition->topic, partition->partition)->offset =
            partition->position;
        partition->stored = partition->position;
    }
    if (list == NULL) return;
    /* If this is refused, the commit at the revocation or the drain still has the positions. */
    (void)rd_kafka_offsets_store(consumer->kafka, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void belfry_partition_finish(struct belfry_consumer *consumer, struct belfry_partition *partition,
                             int64_t offset)
{
    uint32_t before = partition->offsets.count;
    int64_t position = belfry_offsets_finish(&partition->offsets, offset);
    assert(consumer->statistics.uncommitted >= before - partition->offsets.count);
    consumer->statistics.uncommitted -= before - partition->offsets.count;
    if (position == BELFRY_OFFSET_NONE) return;
    partition->position = position;
    if (monotonic_ms() - consumer->stored_ms >= STORE_EVERY_MS) belfry_partitions_store(consumer);
}

void belfry_partitions_clear(struct belfry_consumer *consumer)
{
    assert(consumer->partition_count == 0 || consumer->partitions != NULL);
    for (size_t i = 0; i < consumer->partition_count; i++) {
        belfry_offsets_clear(&consumer->partitions[i].offsets);
        free(consumer->partitions[i].topic);
    }
    free(consumer->partitions);
    consumer->partitions = NULL;
    consumer->partition_count = 0;
    consumer->statistics.uncommitted = 0;
    consumer->here = 0;
    consumer->assignment++;
}

/* The same one whenever the partition comes back to this process. */
static uint64_t row_of(const struct belfry_consumer *consumer,
                       const struct belfry_partition *partition)
{
    struct hash_128 topic =
        belfry_dedupe_hash(consumer->window, partition->topic, strlen(partition->topic));
    return topic.low + (uint32_t)partition->partition * UINT64_C(0x9E3779B97F4A7C15);
}

bool belfry_partitions_take(struct belfry_consumer *consumer,
                            const rd_kafka_topic_partition_list_t *list)
{
    assert(list->cnt >= 0);
    belfry_partitions_clear(consumer);
    if (list->cnt == 0) return true;
    consumer->partitions = calloc((size_t)list->cnt, sizeof *consumer->partitions);
    if (consumer->partitions == NULL) return false;
    for (int i = 0; i < list->cnt; i++) {
        struct belfry_partition *partition = &consumer->partitions[i];
        partition->topic = strdup(list->elems[i].topic);
        if (partition->topic == NULL) return false;
        partition->partition = list->elems[i].partition;
        partition->row = row_of(consumer, partition);
        partition->position = BELFRY_OFFSET_NONE;
        partition->stored = BELFRY_OFFSET_NONE;
        consumer->partition_count++;
    }
    assert(consumer->partition_count == (size_t)list->cnt);
    return true;
}
