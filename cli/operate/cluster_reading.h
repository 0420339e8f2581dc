/* cluster_reading.h - asks Redis, and Kafka if wanted, how a cluster is, for cluster_view.h. It
 * reads a report and a snapshot of each shard, however many jobs there are. */
#ifndef BELFRY_CLI_CLUSTER_READING_H
#define BELFRY_CLI_CLUSTER_READING_H

#include "cli/operate/cluster_view.h"
#include "cli/words/settings.h"
#include "lib/base/error.h"

struct cluster_reading {
    struct cluster_look look;
    struct shard_report *reports; /* owned */
    char kafka_fault[ERROR_MESSAGE_BYTES];
};

/* End it with cluster_reading_free() in any case. Errors: as redis_reader_open(). */
bool cluster_reading_redis(struct cluster_reading *reading, const struct settings *settings,
                           struct error *error) __attribute__((warn_unused_result));
void cluster_reading_free(struct cluster_reading *reading);

/* How many daemons are in the group, those without a shard, too; what Kafka does not answer is a
 * fault of the look. */
void cluster_reading_group(struct cluster_reading *reading, const struct settings *settings);

#endif
