#include "cli/kafka/topic_scan.h"

#include <assert.h>
#include <stdlib.h>

#include "cli/kafka/cli_kafka.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"

enum { POLL_MS = 200 };
#define FIRST_VISITED INT64_MAX /* of a start: its first record has come */

/* Where each partition is read from; -1: it holds nothing of the scan. */
static bool find_starts(struct cli_kafka *reader, const char *topic, const struct scan *scan,
                        int32_t partitions, int64_t *starts, struct scan_report *report,
                        struct error *error)
{
    assert(partitions > 0);
    for (int32_t p = 0; p < partitions; p++) {
        int64_t oldest = 0;
        int64_t end = 0;
        starts[p] = -1;
        if (scan->partition != SCAN_ALL && scan->partition != p) continue;
        if (!cli_kafka_bounds(reader, topic, p, &oldest, &end, error)) return false;
        int64_t start = oldest;
        if (scan->from_ms > 0 && end > oldest &&
            !cli_kafka_offset_at(reader, topic, p, scan->from_ms, end, &start, error))
            return false;
        if (scan->last > 0 && end - start > scan->last) {
            start = end - scan->last;
            report->cut = true;
        }
        if (start < end) starts[p] = start;
    }
    return true;
}

/* The first record of each partition is its oldest. */
static void note_first(struct scan_report *report, const rd_kafka_message_t *message,
                       int64_t *starts)
{
    int64_t at_ms = rd_kafka_message_timestamp(message, NULL);
    report->visited++;
    if (starts[message->partition] == FIRST_VISITED) return;
    starts[message->partition] = FIRST_VISITED;
    if (at_ms > report->back_to_ms) report->back_to_ms = at_ms;
}

/* `starts` become -1 as their partitions end. */
static bool read_all(struct cli_kafka *reader, const struct settings *settings, const char *topic,
                     int64_t *starts, int32_t open, scan_visitor *visitor, void *opaque,
                     struct scan_report *report, struct error *error)
{
    assert(open >= 0);
    int64_t heard_ms = monotonic_ms();
    bool going = true;
    while (going && open > 0) {
        rd_kafka_message_t *message = NULL;
        if (!cli_kafka_next(reader, POLL_MS, &message, error)) return false;
        if (message == NULL && monotonic_ms() - heard_ms > settings->timeout_ms)
            return error_set(error, ERROR_RETRY, "%s: Kafka does not answer", topic);
        if (message == NULL) continue;
        heard_ms = monotonic_ms();
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            note_first(report, message, starts);
            going = visitor(opaque, message);
        } else if (starts[message->partition] >= 0) {
            starts[message->partition] = -1;
            open--;
        }
        rd_kafka_message_destroy(message);
    }
    return true;
}

bool topic_scan(const struct settings *settings, const char *topic, const struct scan *scan,
                scan_visitor *visitor, void *opaque, struct scan_report *report,
                struct error *error)
{
    int32_t partitions = 0;
    int64_t *starts = NULL;
    *report = (struct scan_report){.back_to_ms = INT64_MIN};
    struct cli_kafka *reader = cli_kafka_create(settings, CLI_READER, error);
    bool ok = reader != NULL && cli_kafka_partitions(reader, topic, &partitions, error);
    if (ok) {
        starts = memory_allocate((size_t)partitions, sizeof *starts);
        ok = find_starts(reader, topic, scan, partitions, starts, report, error);
    }
    int32_t open = 0;
    for (int32_t p = 0; ok && p < partitions; p++) open += starts[p] >= 0;
    if (ok && open > 0)
        ok = cli_kafka_read_at(reader, topic, partitions, starts, error) &&
             read_all(reader, settings, topic, starts, open, visitor, opaque, report, error);
    free(starts);
    cli_kafka_destroy(reader);
    return ok;
}
