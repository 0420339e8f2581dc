/* command.h - one record of the control topic, decoded. All texts are borrowed from its arena. */
#ifndef BELFRY_CORE_COMMAND_H
#define BELFRY_CORE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/core/definition.h"
#include "dispatcher/core/mark.h"
#include "dispatcher/core/text.h"

enum command_op {
    OP_NONE = 0, /* not readable */
    OP_ADD,
    OP_PUT,
    OP_UPDATE,
    OP_PAUSE,
    OP_RESUME,
    OP_DELETE,
    OP_TRIGGER,
    OP_PING
};

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
    enum source_topic topic;
    int32_t partition;
    int64_t offset;
    int64_t log_time_ms;
    int32_t origin_partition; /* of the control record; = partition unless forwarded */
    int64_t origin_offset;
};

struct command {
    enum command_op op;
    struct text command_id; /* always set after decoding; given or <partition>/<offset> */
    bool command_id_given;  /* only a given one is remembered */
    enum command_mode mode;
    const struct definition *jobs; /* add, put */
    size_t job_count;
    struct selector select;
    struct definition set; /* update */
    int64_t expect;            /* -1 = not given */
    int64_t expected_revision; /* -1 = not given */
    int64_t not_after_ms;      /* INT64_MAX = not given */
    int64_t until_ms;          /* pause; INT64_MAX = not given */
    enum resume_from from;
    int64_t from_ms; /* RESUME_INSTANT */
    bool dry_run;
    struct text reason;
    struct text actor;
    struct text reply_to;
    struct text correlation_id;
};

const char *command_op_name(enum command_op op); /* "add" ...; OP_NONE: "" */

#endif
