#include "cli/kafka/topic_scan.h"

#include <assert.h>
#include <stdlib.h>

#include "cli/kafka/cli_kafka.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"

enum { POLL_MS = 200 };

/* By partition. */
struct reading {
    int32_t partitions;
    int64_t *starts; /* -1: it holds nothing of the scan, or that is read */
    bool *first_due; /* it was cut, and its first record has not come yet */
};

static bool find_starts(struct cli_kafka *reader, const char *topic, const struct scan *scan,
                        struct reading *reading, struct scan_report *report, struct error *error)
{
    assert(reading->partitions > 0);
    /* The stand-in of the embedded mode knows no offset of a time: there all is read. */
    bool by_time = scan->from_ms > 0 && !cli_kafka_reads_embedded(reader);
    for (int32_t p = 0; p < reading->partitions; p++) {
        int64_t oldest = 0;
        int64_t end = 0;
        reading->starts[p] = -1;
        if (scan->partition != SCAN_ALL && scan->partition != p) continue;
        if (!cli_kafka_bounds(reader, topic, p, &oldest, &end, error)) return false;
        int64_t start = oldest;
        if (by_time && end > oldest &&
            !cli_kafka_offset_at(reader, topic, p, scan->from_ms, end, &start, error))
            return false;
        if (scan->last > 0 && end - start > scan->last) {
            start = end - scan->last;
            reading->first_due[p] = true;
            report->cut = true;
        }
        if (start < end) reading->starts[p] = start;
    }
    return true;
}

/* The first record of each partition is its oldest. */
static void note_visit(struct scan_report *report, const rd_kafka_message_t *message,
                       int64_t at_ms, struct reading *reading)
{
    report->visited++;
    if (!reading->first_due[message->partition]) return;
    reading->first_due[message->partition] = false;
    if (at_ms > report->back_to_ms) report->back_to_ms = at_ms;
}

static bool read_all(struct cli_kafka *reader, const struct settings *settings, const char *topic,
                     struct reading *reading, int32_t open, int64_t from_ms, scan_visitor *visitor,
                     void *opaque, struct scan_report *report, struct error *error)
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
            int64_t at_ms = rd_kafka_message_timestamp(message, NULL);
            if (at_ms < 0 || at_ms >= from_ms) {
                note_visit(report, message, at_ms, reading);
                going = visitor(opaque, message);
            }
        } else if (reading->starts[message->partition] >= 0) {
            reading->starts[message->partition] = -1;
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
    struct reading reading = {0};
    *report = (struct scan_report){.back_to_ms = INT64_MIN};
    struct cli_kafka *reader = cli_kafka_create(settings, CLI_READER, error);
    bool ok = reader != NULL && cli_kafka_partitions(reader, topic, &reading.partitions, error);
    if (ok) {
        reading.starts = memory_allocate((size_t)reading.partitions, sizeof *reading.starts);
        reading.first_due = memory_allocate((size_t)reading.partitions, sizeof *reading.first_due);
        ok = find_starts(reader, topic, scan, &reading, report, error);
    }
    int32_t open = 0;
    for (int32_t p = 0; ok && p < reading.partitions; p++) open += reading.starts[p] >= 0;
    if (ok && open > 0)
        ok = cli_kafka_read_at(reader, topic, reading.partitions, reading.starts, error) &&
             read_all(reader, settings, topic, &reading, open, scan->from_ms, visitor, opaque,
                      report, error);
    free(reading.starts);
    free(reading.first_due);
    cli_kafka_destroy(reader);
    return ok;
}
