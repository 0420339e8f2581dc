/* group_lag.h - how far a consumer group is behind in a topic. */
#ifndef BELFRY_CLI_GROUP_LAG_H
#define BELFRY_CLI_GROUP_LAG_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/words/settings.h"
#include "lib/base/error.h"

/* Of those behind the group's committed offsets, committed records are counted one by one, since
 * each transaction leaves a marker that takes an offset, too: up to so many. */
enum { LAG_COUNTED_MAX = 10000 };

struct group_lag {
    int32_t partitions;
    int32_t begun;       /* partitions of which the group has committed an offset; the others count
                          * from their oldest record */
    int64_t records;
    bool more;           /* there are more than LAG_COUNTED_MAX: `offsets` is the bound */
    int64_t offsets;     /* markers included */
    int64_t oldest_ms;   /* time of the oldest of these records; -1: none */
};

/* Errors: ERROR_RETRY Kafka does not answer; ERROR_FATAL no such topic, or no right to ask. */
bool group_lag_read(const struct settings *settings, const char *group, const char *topic,
                    struct group_lag *lag, struct error *error) __attribute__((warn_unused_result));

#endif
