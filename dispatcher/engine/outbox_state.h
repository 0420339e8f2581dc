/* outbox_state.h - the inside of an outbox, shared by outbox.c (one transaction), outbox_sink.c
 * and outbox_runs.c (what a shard says), outbox_mend.c (what Kafka refuses) and no other file. */
#ifndef BELFRY_ENGINE_OUTBOX_STATE_H
#define BELFRY_ENGINE_OUTBOX_STATE_H

#include "dispatcher/engine/outbox.h"
#include "schemas/fire_json.h"
#include "schemas/text_writer.h"

/* Bytes in the outbox's arena. */
struct stretch {
    uint32_t at;
    uint32_t length;
};

struct outbox_header {
    struct stretch name; /* terminated there */
    struct stretch value;
};

enum outbox_kind {
    OUTBOX_RECORD = 0,
    OUTBOX_FOREIGN_FIRE, /* goes to a topic that is not ours: may be taken out */
    OUTBOX_EXHAUSTED,    /* event of a job whose last fire may be taken out */
    OUTBOX_REMOVED
};

enum { HEADERS_SHARED_FIRE = -1, HEADERS_SHARED_JSON = -2 };

struct outbox_record {
    enum outbox_kind kind;
    enum broker_topic topic;
    int32_t partition;
    struct stretch key;
    struct stretch value; /* length 0: a tombstone */
    int32_t header_first; /* in headers, or HEADERS_SHARED_... */
    int32_t header_count;
    int32_t failure;      /* index of what to tell when it is taken out; -1: none */
    bool cut;             /* a small one is there in its place */
    uint32_t tallied;     /* of a fire: as what it was counted */
    const char *foreign_topic;
};

struct outbox {
    struct checkpointer *checkpointer; /* takes note of what changes */
    struct tally *tally;   /* NULL: nobody counts what is said */
    struct census *census; /* NULL: nor jobs */
    struct foreign *foreign;
    struct text cluster;
    struct text control_topic;
    char key_buffer[512];
    int32_t shard;
    struct fire_encoder encoder;
    struct text_writer arena;
    struct outbox_record *records;
    size_t count;
    size_t capacity;
    struct outbox_header *headers;
    size_t header_count;
    size_t header_capacity;
    struct failed_fire *failures; /* of foreign fires put out */
    size_t failure_count;
    size_t failure_capacity;
    struct failed_fire *refused; /* fires not put out at all: to be told to the shard */
    size_t refused_count;
    size_t refused_capacity;
    struct seen *seen;
    size_t seen_count;
    size_t seen_capacity;
    struct outbox_refusal *refusals; /* of the last try */
    size_t refusal_count;
    size_t refusal_capacity;
    struct outbox_command *commands;
    size_t command_count;
    size_t command_capacity;
    size_t foreign_count;         /* fires */
    size_t foreign_results;
    size_t repeated_bytes; /* produced, but not in the arena: of copies */
    size_t outputs_max; /* of one transaction */
    int64_t sequence; /* of this transaction */
    int64_t fires;
    int64_t results;
    bool last_fire_refused;
    int32_t last_failure;         /* of the last fire, where it went to a foreign topic; -1 */
    struct incarnation last_life; /* whose it was, refused or not, where it was not a plain one */
    const struct outbox_report *reading; /* NULL: no report */
    struct foreign_topic *probe; /* the suspect topic that this transaction tries; NULL: none */
};

/* ---- outbox_runs.c ---- */

void outbox_runs_sink(struct sink *sink);

/* ---- outbox.c ---- */

/* What was put into the arena since it had `at` bytes. */
struct stretch outbox_stretch_from(const struct outbox *outbox, size_t at);
struct stretch outbox_put_text(struct outbox *outbox, struct text text);
struct stretch outbox_put_seen_key(struct outbox *outbox, int64_t sequence);
/* Of our shard's partition; its key, value and headers are the caller's. */
struct outbox_record *outbox_add_record(struct outbox *outbox, enum broker_topic topic);
void outbox_add_headers(struct outbox *outbox, struct outbox_record *record,
                        const struct record_header *headers, size_t count);

#endif
