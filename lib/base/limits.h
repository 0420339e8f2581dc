/* limits.h - every bound of the product, with its reason. Config may lower most, raise few. */
#ifndef BELFRY_BASE_LIMITS_H
#define BELFRY_BASE_LIMITS_H

enum {
    NAME_BYTES_MAX = 200,             /* group, super_group, id */
    JOB_NAME_BYTES_MAX = 401,         /* group/id */
    COMMAND_ID_BYTES_MAX = 128,
    TEXT_FIELD_BYTES_MAX = 1024,      /* reason, actor, correlation_id */
    TOPIC_BYTES_MAX = 249,            /* Kafka's own limit */
    KEY_BYTES_MAX = 1024,
    CRON_TEXT_BYTES_MAX = 256,
    LABELS_MAX = 64,
    HEADERS_MAX = 64,
    RECORD_BYTES_MAX = 1024 * 1024,   /* one control record: its value */
    RECORD_KEY_BYTES_MAX = 4 * 1024,  /* its key: copied to dead letters and forwards, as it is */
    RECORD_HEADERS_BYTES_MAX = 64 * 1024, /* names and values of its headers, likewise */
    PAYLOAD_BYTES_MAX = 256 * 1024,   /* one job's payload */
    JSON_DEPTH_MAX = 32,
    JSON_MEMBERS_MAX = 1000,          /* of one object */
    COMMAND_JOBS_MAX = 2000,
    COMMAND_SELECTOR_NAMES_MAX = 2000,
    RESULT_JOBS_MAX = 100,            /* lists in a result are cut here; totals are exact */
    RESULT_ERRORS_MAX = 100,
    RESULT_NEXT_DUE_MAX = 5,
    RESULT_DST_DAYS_MAX = 8,
    SEEN_MAX = 1000000,               /* remembered command ids a shard */
    SHARDS_MAX = 1024,
    SHARDS_DEFAULT = 16,
    CATCHUP_LIMIT_DEFAULT = 1000,
    BACKFILLS_MAX = 8,                /* of one job at one time */
    BACKFILL_IDS_MAX = 1000,          /* of one life of a job: 8 bytes each, 16 in its record */
    BACKFILL_RATE_DEFAULT = 10,       /* fires a second of one job */
    BACKFILL_RATE_MAX = 1000,
    DIFFERENCE_FIRES_MAX = 10000,     /* a dry run compares so many fires of a job */
    DEAD_COPY_BYTES_MAX = 256 * 1024, /* larger dead letters keep their first DEAD_CUT_BYTES */
    DEAD_CUT_BYTES = 4 * 1024,
    BATCH_OUTPUTS_MAX = 15000,        /* records a transaction: more gains nothing */
    BATCH_BYTES_MAX = 8 * 1024 * 1024,
    FORWARD_BYTES_MAX = 32 * 1024 * 1024, /* of one command, to all its shards together */
    STORE_CALL_JOBS_MAX = 500,        /* jobs in one Lua call */
    OWNER_BYTES_MAX = 96,
    UNIX_PLACE_BYTES_MAX = 107,       /* of a Unix socket: sun_path and its end */
    STATE_LAYOUT = 2                  /* version of records in belfry.state and Redis */
};

#define SECONDS_MS INT64_C(1000)
#define MINUTES_MS (60 * SECONDS_MS)
#define HOURS_MS (60 * MINUTES_MS)
#define DAYS_MS (24 * HOURS_MS)

#define SEEN_KEEP_MS DAYS_MS
#define DIFFERENCE_SPAN_MS (7 * DAYS_MS) /* what a dry run looks ahead */
#define MISFIRE_GRACE_DEFAULT_MS (30 * SECONDS_MS)
#define CATCHUP_WINDOW_DEFAULT_MS (24 * HOURS_MS)
#define KEEP_FINISHED_DEFAULT_MS (24 * HOURS_MS)
#define KEEP_FINISHED_FOREVER_MS INT64_MAX

#endif
