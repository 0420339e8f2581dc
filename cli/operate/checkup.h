/* checkup.h - what belfry doctor finds out: its checks put their findings here, and leave for those
 * behind them what they have opened. */
#ifndef BELFRY_CLI_CHECKUP_H
#define BELFRY_CLI_CHECKUP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/words/settings.h"
#include "store/store.h"
#include "store/store_redis_health.h"

enum severity { FINE = 0, WARN, BAD };
enum {
    CHECK_CLOCK_TOLERANCE_MS = 1000,
    CHECK_TEXT_BYTES = 700,
    CHECK_NAMES_BYTES = 400,
    CLUSTER_ID_BYTES = 64
};

/* Jobs in Redis that something is the matter with. */
struct jobs_found {
    int64_t count;
    int named;
    char names[CHECK_NAMES_BYTES]; /* of the first ones, with since when */
};

struct checkup {
    const struct settings *settings;
    const char *check; /* the one under way */
    json_t *findings;  /* {"check","status","message","advice"} */
    int counts[BAD + 1];

    struct cli_kafka *client; /* NULL: Kafka does not answer */
    const struct rd_kafka_metadata *metadata; /* NULL likewise */
    bool embedded; /* belfryd --embedded: no administration, and no cluster id of its own */
    char kafka_cluster_id[CLUSTER_ID_BYTES];
    int32_t shards; /* as Kafka's topics say; 0 = not known */

    struct store *store; /* NULL: Redis does not answer, or is not this cluster's */
    int32_t store_shards; /* as Redis says; 0 likewise */
    struct shard_report *reports; /* of shards 0 to store_shards - 1; NULL likewise */

    bool jobs_read; /* all of them */
    struct jobs_found failing;
    struct jobs_found zoneless;

    json_t *answers; /* of all shards, to a ping; NULL: not asked */
    int64_t asked_ms;
};

/* Says what the check under way has found. `advice`: what to do about it, NULL where there is
 * nothing to do. */
void checkup_find(struct checkup *checkup, enum severity severity, const char *advice,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* How many findings of the check under way are not fine; with what there was when it began, whether
 * it has found anything. */
int checkup_troubles(const struct checkup *checkup);

/* As a table, and the sum of it on stderr; or as JSON. */
void checkup_print(const struct checkup *checkup);

typedef void check_function(struct checkup *checkup);
/* check_kafka.c */
check_function check_kafka;
check_function check_brokers;
check_function check_topics;
check_function check_dead_letters;
check_function check_kafka_rights;
/* check_redis.c */
check_function check_redis;
check_function check_redis_rights;
check_function check_jobs_failing;
check_function check_jobs_zoneless;
/* check_shards.c */
check_function check_answers;
check_function check_movement;
check_function check_clocks;
check_function check_checkpoint;
check_function check_tzdata;
check_function check_versions;
/* check_certificates.c */
check_function check_certificates;

#endif
