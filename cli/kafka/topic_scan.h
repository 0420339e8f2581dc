/* topic_scan.h - reads what a topic holds now, from a point on to its end. */
#ifndef BELFRY_CLI_TOPIC_SCAN_H
#define BELFRY_CLI_TOPIC_SCAN_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/words/settings.h"
#include "lib/base/error.h"

enum { SCAN_ALL = -1 };

struct scan {
    int32_t partition; /* SCAN_ALL, or this one */
    int64_t from_ms;   /* only records of this time and later; 0 = all */
    int64_t last;      /* only so many offsets before the end of each partition; 0 = all */
};

/* False stops the scan without an error. */
typedef bool scan_visitor(void *opaque, const rd_kafka_message_t *message);

/* Visits committed records of a topic in the order of each partition.
 *   visited  how many there were
 *   cut      true when `last` left out records that are kept
 *   back_to_ms  where it was cut: the time of the oldest record that was visited in that one of the
 *            cut partitions that reaches back least; INT64_MIN: there was none
 *   errors   ERROR_RETRY; ERROR_FATAL there is no such topic */
struct scan_report {
    int64_t visited;
    bool cut;
    int64_t back_to_ms;
};
bool topic_scan(const struct settings *settings, const char *topic, const struct scan *scan,
                scan_visitor *visitor, void *opaque, struct scan_report *report,
                struct error *error) __attribute__((warn_unused_result));

#endif
