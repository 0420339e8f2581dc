/* Any bytes as a record of a state log that was whole before: of a job (first byte's lowest bits 0
 * and 1), of remembered commands (2), or as the mark (3); with bit 3 set of an open run, in a shard
 * that follows runs. An engine takes the shard over, lives on it, and another one an hour later:
 * the record may be refused, which fails the shard, and no assertion may end the process. Behind a
 * job or a run stands a mark as `belfry recover` writes it, so that it is lived with; a mark keeps
 * the places it must have. Seeds: schemas/examples. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "schemas/job_json.h"
#include "schemas/run_json.h"
#include "tests/support/memory_cluster.h"

#define NOW_MS INT64_C(1795290000000)
#define COUNT_END INT64_C(900000000000000)

enum { LIFE_MS = 3000, LATER_MS = 3600000, KEY_BYTES = 1100 };
enum { A_SEEN = 2, OTHER_MARK = 3, A_RUN = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append(struct cluster *cluster, enum broker_topic topic, struct text key,
                   struct text value)
{
    (void)cluster_append(&cluster->logs[topic], key, value, cluster->now_ms);
    cluster->logs[topic].committed = cluster->logs[topic].count;
}

static const char add[] =
    "{\"op\":\"add\",\"command_id\":\"one\",\"jobs\":[{\"group\":\"billing\",\"id\":\"a\","
    "\"schedule\":{\"every\":\"1s\"},\"catchup\":{\"policy\":\"all\"}},{\"group\":\"billing\","
    "\"id\":\"invoice-nightly\",\"schedule\":{\"cron\":\"30 2 * * *\"},\"jitter\":\"5m\"},"
    "{\"group\":\"once\",\"id\":\"far\",\"schedule\":{\"at\":\"2030-01-01T00:00:00Z\"}}]}";
static const char pause_one[] = "{\"op\":\"pause\",\"select\":{\"ids\":[\"once/far\"]}}";
static const char backfill[] =
    "{\"op\":\"backfill\",\"select\":{\"ids\":[\"billing/invoice-nightly\"]},"
    "\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-06-01T00:00:00Z\",\"rate\":1}";
/* Jobs that find the run in their way, if it has the name of one. */
static const char trigger_all[] = "{\"op\":\"trigger\",\"select\":{\"all\":true}}";
static const char add_leased[] =
    "{\"op\":\"put\",\"jobs\":[{\"group\":\"billing\",\"id\":\"a\",\"schedule\":{\"every\":\"1s\"},"
    "\"lease\":\"10s\",\"workers\":\"crew\",\"overlap\":\"skip\",\"retry\":{\"attempts\":3}}]}";
static const char resume_all[] = "{\"op\":\"resume\",\"select\":{\"all\":true}}";

/* A shard with jobs of each kind, a pause, a backfill, a remembered id. */
static void live_before(struct cluster *cluster)
{
    struct error error = {0};
    append(cluster, TOPIC_CONTROL, text_of("billing"), text_of(add));
    append(cluster, TOPIC_CONTROL, text_of("billing"), text_of(pause_one));
    append(cluster, TOPIC_CONTROL, text_of("billing"), text_of(backfill));
    require(cluster_live(cluster, "first", LIFE_MS, &error) && cluster->jobs == 3);
}

/* A count that one more fire takes beyond what a record may say; no job lives so long. */
static bool counts_end(const struct job_record *record)
{
    bool end = record->life.fired > COUNT_END || record->life.missed > COUNT_END ||
               record->state.counted_fires > COUNT_END;
    for (size_t i = 0; i < record->owed_count; i++)
        end = end || record->owed[i].missed_count > COUNT_END;
    for (size_t i = 0; i < record->backfill_count; i++)
        end = end || record->backfills[i].fired > COUNT_END;
    return end;
}

/* The key that belongs to a record of a job; false: it is not one to live with, and nobody here
 * follows runs. */
static bool job_key(struct text value, char key[KEY_BYTES])
{
    struct arena *arena = arena_create();
    struct error error = {0};
    struct job_record record;
    bool read = job_record_decode(value, arena, NULL, &record, &error) && !counts_end(&record) &&
                run_terms_are_usual(&record.definition.runs);
    if (read)
        (void)snprintf(key, KEY_BYTES, "job/%.*s/%.*s", (int)record.definition.group.length,
                       record.definition.group.bytes, (int)record.definition.id.length,
                       record.definition.id.bytes);
    arena_destroy(arena);
    return read;
}

/* As `belfry recover` leaves it: any number of jobs and runs, any ordinal. */
static void append_mark(struct cluster *cluster, struct mark mark)
{
    mark.jobs = MARK_JOBS_UNKNOWN;
    mark.runs = MARK_RUNS_UNKNOWN;
    mark.sequence++;
    mark.next_ordinal = INT64_MAX / 2;
    cluster_append_mark(cluster, &mark);
}

/* A mark of this shard and of the place where it stands, with the rest from the input. */
static bool append_other_mark(struct cluster *cluster, const struct mark *before,
                              struct text value)
{
    struct mark mark;
    struct error error = {0};
    if (!mark_decode(value, &mark, &error)) return false;
    mark.shards = before->shards;
    mark.epoch = before->epoch;
    mark.sequence = before->sequence + 1;
    memcpy(mark.inputs, before->inputs, INPUTS_COMMANDS * sizeof mark.inputs[0]);
    if (mark.jobs != MARK_JOBS_UNKNOWN) mark.jobs = before->jobs;
    cluster_append_mark(cluster, &mark);
    return true;
}

static bool add_record(struct cluster *cluster, int kind, struct text value)
{
    char key[KEY_BYTES];
    struct mark mark = cluster_last_mark(cluster);
    if (kind == OTHER_MARK) return append_other_mark(cluster, &mark, value);
    if (kind == A_RUN) (void)snprintf(key, sizeof key, "run/3");
    else (void)snprintf(key, sizeof key, "seen/%lld", (long long)mark.sequence);
    if (kind < A_SEEN && !job_key(value, key)) return false;
    append(cluster, TOPIC_STATE, text_of(key), value);
    append_mark(cluster, mark);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct cluster *cluster = cluster_create(NOW_MS);
    struct error error = {0};
    int kind = (data[0] & A_RUN) != 0 ? A_RUN : data[0] & 3;
    cluster->runs = kind == A_RUN;
    cluster->append_times = kind == A_RUN;
    live_before(cluster);
    if (add_record(cluster, kind, (struct text){(const char *)data + 1, size - 1}) &&
        cluster_live(cluster, "second", LIFE_MS, &error)) {
        append(cluster, TOPIC_CONTROL, text_of("billing"), text_of(resume_all));
        if (kind == A_RUN) {
            append(cluster, TOPIC_CONTROL, text_of("billing"), text_of(add_leased));
            append(cluster, TOPIC_CONTROL, text_of("billing"), text_of(trigger_all));
        }
        cluster->now_ms += LATER_MS;
        if (data[0] & 4) store_image_empty(cluster->image);
        bool lives = cluster_live(cluster, "third", LIFE_MS, &error);
        require(lives || kind == OTHER_MARK); /* what it says of a command shows with the next */
    }
    cluster_destroy(cluster);
    return 0;
}
