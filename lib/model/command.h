/* command.h - one record of the control topic, decoded. All texts are borrowed from its arena. */
#ifndef BELFRY_MODEL_COMMAND_H
#define BELFRY_MODEL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/model/command_op.h"
#include "lib/model/definition.h"
#include "lib/model/mark.h"

enum command_mode { MODE_ATOMIC = 0, MODE_EACH };

enum resume_from { RESUME_NOW = 0, RESUME_PAUSED_AT, RESUME_INSTANT };

enum paused_filter { PAUSED_ANY = 0, PAUSED_YES, PAUSED_NO };

/* OR within a list, AND between them. A list of no items does not filter. */
struct selector {
    bool given;
    bool all;
    const struct text *ids;
    size_t id_count;
    const struct text *groups;
    size_t group_count;
    const struct text *super_groups;
    size_t super_group_count;
    struct text labels; /* pairs; all must match */
    enum paused_filter paused;
};

/* Where a record stands in Kafka, and for a forwarded one where its original stood. */
struct source {
    enum input input;
    int32_t partition;
    int64_t offset;
    int64_t log_time_ms;
    int32_t origin_partition; /* of the control record; = partition unless forwarded */
    int64_t origin_offset;
};

/* A job of a command in mode `each` that could not be read; the others are done. */
struct refused_job {
    struct text group; /* empty: not readable either */
    struct text id;
    struct error error; /* its field is the place in the command */
};

struct command {
    enum command_op op;
    struct text command_id; /* always set after decoding; given or <partition>/<offset> */
    bool command_id_given;  /* only a given one is remembered */
    enum command_mode mode;
    const struct definition *jobs; /* add, put */
    size_t job_count;
    const uint32_t *positions; /* of each of them in the command as it was sent */
    bool single;               /* sent as 'job', not in 'jobs' */
    const struct refused_job *refused; /* mode each */
    size_t refused_count;
    struct selector select;
    struct definition set; /* update */
    int64_t expect;            /* -1 = not given */
    int64_t expected_revision; /* -1 = not given */
    int64_t not_after_ms;      /* INT64_MAX = not given */
    int64_t until_ms;          /* pause; INT64_MAX = not given */
    enum resume_from from;
    int64_t from_ms; /* RESUME_INSTANT; backfill: exclusive */
    int64_t to_ms;   /* backfill: inclusive; INT64_MAX = not given: until the command acts */
    int64_t rate;    /* backfill: fires a second of one job */
    struct text backfill_id; /* empty = not given: the command id */
    struct text run;         /* cancel, requeue: the id of its fire; empty = not given */
    bool cancel_runs;        /* delete: the job's open runs are asked to stop */
    bool overlap_allowed;    /* trigger, requeue: also beside a run that is in the way */
    bool dry_run;
    struct text reason;
    struct text actor;
    struct text reply_to;
    struct text correlation_id;
    struct text traceparent; /* empty = none */
};

#endif
