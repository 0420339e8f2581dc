#include "cli/operate/cluster_reading.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/kafka/redis_reader.h"
#include "cli/show/cli_clock.h"
#include "dispatcher/kafka/kafka_admin.h"
#include "lib/base/memory.h"
#include "store/store_redis_query.h"
#include "store/store_whole.h"

static bool note_snapshot(void *opaque, int32_t shard, bool found, const struct snapshot *snapshot,
                          struct error *error)
{
    struct cluster_look *look = opaque;
    (void)shard;
    (void)error;
    if (!found) return true;
    look->snapshot_jobs += snapshot->job_count;
    look->shards_not_whole += !snapshot_check_whole(snapshot, &(struct error){0});
    return true;
}

bool cluster_reading_redis(struct cluster_reading *reading, const struct settings *settings,
                           struct error *error)
{
    struct redis_reader reader;
    *reading = (struct cluster_reading){0};
    if (!redis_reader_open(&reader, settings, error)) return false;
    reading->reports = memory_allocate((size_t)reader.shards, sizeof *reading->reports);
    struct cluster_look *look = &reading->look;
    look->shards = reader.shards;
    look->reports = reading->reports;
    look->group_members = FIGURE_UNKNOWN;
    bool read = store_redis_read_health(reader.store, reader.shards, reading->reports, error) &&
                store_redis_read_snapshots(reader.store, reader.shards, note_snapshot, look, error);
    look->now_ms = cli_now_ms();
    redis_reader_close(&reader);
    return read;
}

void cluster_reading_free(struct cluster_reading *reading)
{
    free(reading->reports);
    *reading = (struct cluster_reading){0};
}

void cluster_reading_group(struct cluster_reading *reading, const struct settings *settings)
{
    char control[TOPIC_NAME_BYTES];
    char first[KAFKA_MEMBER_TEXT_BYTES];
    int32_t partitions = 0;
    int32_t members = 0;
    struct error error = {0};
    topic_name(control, settings, "control");
    struct cli_kafka *client = cli_kafka_create(settings, CLI_READER, &error);
    bool asked = client != NULL && cli_kafka_partitions(client, control, &partitions, &error) &&
                 kafka_admin_group_members(cli_kafka_handle(client), settings->cluster, &members,
                                           first, &error);
    if (client != NULL) cli_kafka_destroy(client);
    reading->look.group_members = asked ? members : FIGURE_UNKNOWN;
    if (asked) return;
    (void)snprintf(reading->kafka_fault, sizeof reading->kafka_fault, "%s", error.message);
    reading->look.kafka_fault = reading->kafka_fault;
}
