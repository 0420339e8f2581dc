/* outbox.h - everything one transaction is to hold, encoded, in order. It is kept until the
 * outcome of the transaction is known, so that the same can be produced again. */
#ifndef BELFRY_ENGINE_OUTBOX_H
#define BELFRY_ENGINE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/engine/foreign.h"
#include "dispatcher/shard/shard.h"
#include "schemas/fire_json.h"
#include "schemas/record_header.h"
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
    const char *foreign_topic;
};

/* One that the broker refused by name. */
struct outbox_refusal {
    size_t record;
    char message[ERROR_MESSAGE_BYTES];
};

/* The records of a command: [first, end). */
struct outbox_command {
    size_t first;
    size_t end; /* SIZE_MAX: there may be more */
    enum input input;
    int64_t offset;
};

/* What the outbox tells of as it grows, for the checkpoint: dirty jobs, gone names. */
struct outbox_listener {
    void *opaque;
    void (*job_changed)(void *opaque, const struct job *job);
    void (*job_fired)(void *opaque, const struct job *job);
    void (*job_deleted)(void *opaque, const struct job *job);
    void (*seen)(void *opaque, int64_t sequence, struct text text);
    void (*seen_expired)(void *opaque, int64_t sequence);
};

struct outbox {
    struct outbox_listener listener;
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
    bool last_fire_refused;
    int32_t last_failure;         /* of the last fire, where it went to a foreign topic; -1 */
    struct incarnation last_life; /* whose it was, refused or not, where it was not a plain one */
    struct foreign_topic *probe; /* the suspect topic that this transaction tries; NULL: none */
};

void outbox_init(struct outbox *outbox, struct text cluster, int32_t shard,
                 size_t outputs_max, struct foreign *foreign,
                 const struct outbox_listener *listener);
void outbox_clear(struct outbox *outbox); /* frees */

/* Empty, for the transaction with this sequence. */
void outbox_begin(struct outbox *outbox, int64_t sequence);
/* Gives back the room that earlier transactions needed; only while it is empty. */
void outbox_shrink(struct outbox *outbox);
struct sink outbox_sink(struct outbox *outbox);
bool outbox_is_empty(const struct outbox *outbox);
bool outbox_is_full(const struct outbox *outbox);
/* Of the transaction, copies counted each time. */
size_t outbox_bytes(const struct outbox *outbox);

/* A record that does not come from the core: forwarded commands, dead letters, shard events. */
void outbox_add(struct outbox *outbox, enum broker_topic topic, int32_t partition,
                struct text key, struct text value, const struct record_header *headers,
                size_t header_count);

/* The record added last again, for another partition; its bytes are kept once. */
void outbox_add_copy(struct outbox *outbox, int32_t partition);

/* Before producing: the remembered command ids of this transaction become their record. */
void outbox_finish(struct outbox *outbox);

/* What is added between the two comes from this command. */
void outbox_command(struct outbox *outbox, enum input input, int64_t offset);
void outbox_command_ends(struct outbox *outbox);

/* Record i as the broker wants it; `headers` has room for BROKER_INPUT_HEADERS_MAX. False: taken
 * out. */
bool outbox_record(const struct outbox *outbox, size_t index, struct broker_record *record,
                   struct broker_header *headers);

/* ---- outbox_mend.c: what becomes of records that Kafka refuses ---- */

/* Record i was refused; the message says why. */
void outbox_refuse(struct outbox *outbox, size_t i, const char *message);

/* Takes record i, which goes to a foreign topic, out and marks the topic suspect. A fire is moved
 * to `refused`; a result goes to our own topic. */
void outbox_take_out(struct outbox *outbox, size_t i, enum event_reason reason, const char *detail);

/* Puts a small record that says so in the place of record i. False: it has none, or is one. */
bool outbox_cut(struct outbox *outbox, size_t i);

/* Cuts the largest, and all that are at least half as large. Returns how many. */
size_t outbox_cut_largest(struct outbox *outbox);

/* The command that record i comes from; NULL: from none. */
const struct outbox_command *outbox_command_of(const struct outbox *outbox, size_t i);

#endif
