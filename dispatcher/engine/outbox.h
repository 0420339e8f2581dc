/* outbox.h - everything one transaction is to hold, encoded, in order. It is kept until the
 * outcome of the transaction is known, so that the same can be produced again. */
#ifndef BELFRY_ENGINE_OUTBOX_H
#define BELFRY_ENGINE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/engine/census.h"
#include "dispatcher/engine/checkpointer.h"
#include "dispatcher/engine/foreign.h"
#include "dispatcher/engine/tally.h"
#include "dispatcher/shard/shard.h"
#include "schemas/dead_letter.h"
#include "schemas/record_header.h"

struct outbox;

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

/* The checkpointer takes note of what its sink is told: jobs that changed, names that are gone. */
struct outbox *outbox_create(struct text cluster, int32_t shard, size_t outputs_max,
                             struct foreign *foreign, struct checkpointer *checkpointer);
void outbox_destroy(struct outbox *outbox); /* NULL: nothing */

/* Its sink counts here, too. Both outlive it; NULL: not there. */
void outbox_count_in(struct outbox *outbox, struct tally *tally, struct census *census);

/* Empty, for the transaction with this sequence. */
void outbox_begin(struct outbox *outbox, int64_t sequence);
/* Gives back the room that earlier transactions needed; only while it is empty. */
void outbox_shrink(struct outbox *outbox);
struct sink outbox_sink(struct outbox *outbox);
bool outbox_is_empty(const struct outbox *outbox);
/* Empty, and without a refused fire that its shard is to be told of. */
bool outbox_says_nothing(const struct outbox *outbox);
bool outbox_is_full(const struct outbox *outbox);
/* Of the transaction, copies counted each time. */
size_t outbox_bytes(const struct outbox *outbox);
/* Of these in memory: copies are kept once. */
size_t outbox_kept_bytes(const struct outbox *outbox);
size_t outbox_count(const struct outbox *outbox); /* records */
int64_t outbox_fires(const struct outbox *outbox);
int64_t outbox_results(const struct outbox *outbox);
int64_t outbox_sequence(const struct outbox *outbox); /* of this transaction */
/* Whether any of it goes to topics that are not ours. */
bool outbox_goes_abroad(const struct outbox *outbox);

/* A record that does not come from the core: forwarded commands, dead letters, shard events. */
void outbox_add(struct outbox *outbox, enum broker_topic topic, int32_t partition,
                struct text key, struct text value, const struct record_header *headers,
                size_t header_count);

/* Copies a record of this input to the dead letters. Of the letter all but its topic is given. */
void outbox_bury(struct outbox *outbox, enum input input, struct dead_letter letter);

/* The record added last again, for another partition; its bytes are kept once. */
void outbox_add_copy(struct outbox *outbox, int32_t partition);

/* Before producing: the remembered command ids of this transaction become their record. */
void outbox_finish(struct outbox *outbox);

/* What is added between the two comes from this command. */
void outbox_command(struct outbox *outbox, enum input input, int64_t offset);
void outbox_command_ends(struct outbox *outbox);

/* Of the commands so far, in order. */
size_t outbox_command_count(const struct outbox *outbox);
const struct outbox_command *outbox_command_at(const struct outbox *outbox, size_t i);

/* A try to produce it begins: no byte moves before its mark is made. */
void outbox_begin_try(struct outbox *outbox);
/* Record i as the broker wants it; `headers` has room for BROKER_RECORD_HEADERS_MAX. False:
 * taken out. */
bool outbox_record(const struct outbox *outbox, size_t index, struct broker_record *record,
                   struct broker_header *headers);
/* The last record of the try. */
struct broker_record outbox_mark(struct outbox *outbox, const struct mark *mark);
/* The transaction is committed: a suspect topic that it tried has proved itself. */
void outbox_went_out(struct outbox *outbox);

/* A fire that was not put out, the last one first, so that several slots of one job are owed again
 * in their order. False: none is left. */
bool outbox_next_refused(struct outbox *outbox, struct failed_fire *failed);

/* ---- outbox_runs.c: what a shard says of runs ---- */

/* A report, or what cannot be read as one, and the record in which it stands. */
struct outbox_report {
    const struct broker_input *record;
    struct text value;
};
/* What is said from here on answers it; NULL: none. */
void outbox_reads(struct outbox *outbox, const struct outbox_report *report);
/* It becomes a dead letter. */
void outbox_add_letter(struct outbox *outbox, const struct error *error);

/* ---- outbox_mend.c: what becomes of records that Kafka refuses ---- */

/* Record i was refused in the try under way; the message says why. */
void outbox_refuse(struct outbox *outbox, size_t i, const char *message);
/* Of this try; after what became of each, they are forgotten. */
size_t outbox_refusal_count(const struct outbox *outbox);
const struct outbox_refusal *outbox_refusal_at(const struct outbox *outbox, size_t i);
void outbox_forget_refusals(struct outbox *outbox);

/* What becomes of a record that is refused. */
enum outbox_outcome {
    OUTBOX_TAKEN_OUT, /* a fire for a topic of others: its job is to be told */
    OUTBOX_MOVED,     /* a result for one: to our own topic, as an answer must arrive somewhere */
    OUTBOX_CUT,       /* one of ours: a small one that says so stands in its place */
    OUTBOX_UNFIT      /* it has none, or is one */
};
enum outbox_outcome outbox_mend(struct outbox *outbox, const struct outbox_refusal *refusal)
    __attribute__((warn_unused_result));

/* All that goes to topics of others leaves it: fires and results. Returns how many; *moved of them
 * are results. */
size_t outbox_take_foreign_out(struct outbox *outbox, const char *detail, size_t *moved);

/* Cuts the largest, and all that are at least half as large. Returns how many. */
size_t outbox_cut_largest(struct outbox *outbox);

/* The command that record i comes from; NULL: from none. */
const struct outbox_command *outbox_command_of(const struct outbox *outbox, size_t i);

#endif
