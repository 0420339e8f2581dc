#include "dispatcher/kafka/kafka_foreign.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/kafka/kafka_admin.h"
#include "dispatcher/kafka/kafka_client.h"
#include "lib/base/memory.h"

#define REMEMBERED_US INT64_C(60000000)
enum { LOOK_WAIT_MS = 1000 }; /* fires of all other jobs wait meanwhile */

struct entry {
    struct kafka_foreign_topic topic;
    int64_t looked_up_us;
    bool doubtful; /* the producer was replaced since: ask again */
    char *name;
};

struct kafka_foreign {
    rd_kafka_t *lookup;
    const struct kafka_options *options;
    struct entry **entries; /* ascending by name */
    size_t count;
    size_t capacity;
};

struct kafka_foreign *kafka_foreign_create(rd_kafka_t *lookup,
                                           const struct kafka_options *options)
{
    assert(lookup != NULL);
    assert(options != NULL);
    struct kafka_foreign *foreign = memory_allocate(1, sizeof *foreign);
    foreign->lookup = lookup;
    foreign->options = options;
    return foreign;
}

void kafka_foreign_destroy(struct kafka_foreign *foreign)
{
    if (foreign == NULL) return;
    kafka_foreign_cool(foreign);
    for (size_t i = 0; i < foreign->count; i++) {
        free(foreign->entries[i]->name);
        free(foreign->entries[i]);
    }
    free(foreign->entries);
    free(foreign);
}

void kafka_foreign_cool(struct kafka_foreign *foreign)
{
    assert(foreign != NULL);
    for (size_t i = 0; i < foreign->count; i++) {
        struct kafka_foreign_topic *topic = &foreign->entries[i]->topic;
        if (topic->handle != NULL) rd_kafka_topic_destroy(topic->handle);
        topic->handle = NULL;
        foreign->entries[i]->doubtful = true;
    }
}

/* Where `name` is or belongs. */
static size_t place(const struct kafka_foreign *foreign, const char *name, bool *found)
{
    size_t low = 0, high = foreign->count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(foreign->entries[middle]->name, name);
        if (order == 0) *found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    assert(low <= foreign->count);
    return low;
}

static bool look_up(struct kafka_foreign *foreign, const char *name, struct topic_info *info,
                    struct error *error)
{
    struct kafka_topic_facts facts;
    if (!kafka_admin_look_up_within(foreign->lookup, name, LOOK_WAIT_MS, &facts, error))
        return false;
    *info = (struct topic_info){.exists = facts.exists, .partitions = facts.partitions};
    if (!facts.exists || foreign->options->mock) return true;
    struct error unseen = {0};
    if (!kafka_admin_size_limit(foreign->lookup, name, LOOK_WAIT_MS, &info->max_message_bytes,
                                &unseen))
        kafka_client_log(&foreign->options->log, 4, "topic %s: size limit not known: %s", name,
                         unseen.message);
    return true;
}

struct kafka_foreign_topic *kafka_foreign_find(struct kafka_foreign *foreign, const char *name,
                                               bool fresh, struct error *error)
{
    assert(foreign != NULL);
    assert(name != NULL && name[0] != '\0');
    const struct clock *clock = foreign->options->clock;
    bool found = false;
    size_t at = place(foreign, name, &found);
    struct entry *entry = found ? foreign->entries[at] : NULL;
    if (entry != NULL && !fresh) return &entry->topic;
    int64_t now_us = clock->monotonic_us(clock->opaque);
    if (entry != NULL && entry->topic.info.exists && !entry->doubtful &&
        now_us - entry->looked_up_us < REMEMBERED_US)
        return &entry->topic;
    struct topic_info info = {0};
    if (!look_up(foreign, name, &info, error)) return NULL;
    if (entry == NULL) {
        foreign->entries = memory_grow(foreign->entries, &foreign->capacity, foreign->count + 1,
                                       sizeof *foreign->entries);
        memmove(&foreign->entries[at + 1], &foreign->entries[at],
                (foreign->count - at) * sizeof *foreign->entries);
        entry = memory_allocate(1, sizeof *entry);
        entry->name = memory_copy_text(name, strlen(name));
        foreign->entries[at] = entry;
        foreign->count++;
    }
    entry->topic.info = info;
    entry->looked_up_us = now_us;
    entry->doubtful = false;
    return &entry->topic;
}

bool kafka_foreign_warm(struct kafka_foreign_topic *topic, const char *name, rd_kafka_t *producer,
                        struct error *error)
{
    assert(topic != NULL && topic->info.exists);
    assert(producer != NULL);
    if (topic->handle != NULL) return true;
    topic->handle = rd_kafka_topic_new(producer, name, NULL);
    if (topic->handle == NULL)
        return error_set(error, ERROR_INVALID, "topic %s: librdkafka refuses the name", name);
    struct kafka_topic_facts facts;
    bool known = kafka_admin_look_up_within(producer, name, LOOK_WAIT_MS, &facts, error);
    if (known && facts.exists) return true;
    if (known) {
        topic->info.exists = false;
        error_invalid(error, CODE_TOPIC_MISSING, "topic %s has gone, or we may not see it", name);
    }
    rd_kafka_topic_destroy(topic->handle);
    topic->handle = NULL;
    return false;
}
