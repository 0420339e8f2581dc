/* Any bytes as a record on their whole way: read from the control topic by an engine with a memory
 * store, stepped, committed, checkpointed; then the engine ends, and another life begins from the
 * state log alone. A record's value, its key, and names and values of headers are divided by NUL;
 * the first byte chooses how old it is, whether it comes twice, and whether the first life sees
 * it. Seeds: schemas/examples. */
#include <stdint.h>
#include <stdlib.h>

#include "tests/support/memory_cluster.h"

#define NOW_MS INT64_C(1795290000000)

enum { LIFE_MS = 5000, HEADER_NAME_MAX = 60 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text up to the next NUL; the rest is left in *rest. */
static struct text cut(struct text *rest, bool *there)
{
    const char *nul = rest->length == 0 ? NULL : memchr(rest->bytes, 0, rest->length);
    struct text part = {rest->bytes, nul == NULL ? rest->length : (size_t)(nul - rest->bytes)};
    *there = nul != NULL;
    *rest = nul == NULL ? (struct text){0}
                        : (struct text){nul + 1, rest->length - part.length - 1};
    return part;
}

/* Names are terminated by the NUL behind them, as librdkafka gives them. */
static void add_record(struct cluster *cluster, struct text input, int64_t log_time_ms,
                       bool structured)
{
    const struct broker_header envelope = {"content-type",
                                           text_of("application/cloudevents+json")};
    bool there = false;
    struct text value = cut(&input, &there);
    struct text key = there ? cut(&input, &there) : (struct text){0};
    struct cluster_record *record =
        cluster_append(&cluster->logs[TOPIC_CONTROL], key, value, log_time_ms);
    if (structured) record->headers[record->header_count++] = envelope;
    while (there && record->header_count < BROKER_INPUT_HEADERS_MAX) {
        struct text name = cut(&input, &there);
        if (!there || name.length == 0) break;
        record->headers[record->header_count++] =
            (struct broker_header){name.bytes, cut(&input, &there)};
    }
    cluster->logs[TOPIC_CONTROL].committed = cluster->logs[TOPIC_CONTROL].count;
}

static void add_text(struct cluster *cluster, const char *json)
{
    (void)cluster_append(&cluster->logs[TOPIC_CONTROL], text_of("billing"), text_of(json),
                         cluster->now_ms);
    cluster->logs[TOPIC_CONTROL].committed = cluster->logs[TOPIC_CONTROL].count;
}

/* How many jobs the shard then has. */
static int64_t live(struct cluster *cluster, const char *owner)
{
    struct error error = {0};
    require(cluster_live(cluster, owner, LIFE_MS, &error));
    return cluster->jobs;
}

/* Every record has been read, and each has one result. */
static void check_all_read(struct cluster *cluster)
{
    struct mark mark = cluster_last_mark(cluster);
    require((size_t)mark.inputs[INPUT_CONTROL].offset == cluster->logs[TOPIC_CONTROL].count);
    require(cluster->logs[TOPIC_RESULTS].committed + cluster->replies ==
            cluster->logs[TOPIC_CONTROL].count);
    require(cluster->logs[TOPIC_FORWARD].count == 0); /* there is one shard */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct text input = {(const char *)data + 1, size - 1};
    int64_t old_ms = data[0] & 1 ? INT64_C(120000) : 0;
    struct cluster *cluster = cluster_create(NOW_MS);
    add_text(cluster, "{\"op\":\"add\",\"jobs\":[{\"group\":\"billing\",\"id\":\"a\",\"schedule\":"
                      "{\"every\":\"1s\"},\"catchup\":{\"policy\":\"all\"}},{\"group\":\"billing\","
                      "\"id\":\"invoice-nightly\",\"schedule\":{\"cron\":\"30 2 * * *\"},"
                      "\"paused\":true}]}");
    if (data[0] & 4) (void)live(cluster, "first");
    int64_t at_ms = cluster->now_ms - (data[0] & 4 ? 0 : old_ms);
    if (at_ms < cluster->now_ms) cluster->logs[TOPIC_CONTROL].records[0].log_time_ms = at_ms;
    add_record(cluster, input, at_ms, data[0] & 8);
    if (data[0] & 2) add_record(cluster, input, cluster->now_ms, data[0] & 8);
    add_text(cluster, "{\"op\":\"ping\"}");
    int64_t jobs = live(cluster, "second");
    check_all_read(cluster);
    if (data[0] & 16) store_image_empty(cluster->image);
    require(live(cluster, "third") <= jobs); /* some may have been kept for their time */
    check_all_read(cluster);
    cluster_destroy(cluster);
    return 0;
}
