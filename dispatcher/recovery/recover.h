/* recover.h - what an operator does to a shard that no daemon can take: its state written from the
 * store into the state log, or the state log put before the store; and the store written anew.
 *
 * The engine is one of engine_create() that is not run. Its broker's proof of ownership has to
 * say that no daemon is there; its producer fences what is left of one. Every call may be killed
 * and repeated: a state log under way says so in its mark (`recovering`): no daemon takes it. */
#ifndef BELFRY_RECOVERY_RECOVER_H
#define BELFRY_RECOVERY_RECOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/engine/engine.h"

enum recover_from { RECOVER_FROM_STORE = 0, RECOVER_FROM_LOG };

struct recover_options {
    enum recover_from from;
    bool same_kafka; /* the store was written by daemons on this Kafka */
    bool force;      /* also where something would be lost that need not be */
    bool missing[TOPIC_OWN_COUNT]; /* topics that are yet to be made: taken as empty */
    void *opaque;
    /* First offset of the shard's partition whose record is not older than at_ms; `end`: none. */
    bool (*offset_at)(void *opaque, enum broker_topic topic, int64_t at_ms, int64_t end,
                      int64_t *offset, struct error *error);
    /* Forgets all that the store holds of the shard. RECOVER_FROM_LOG. */
    bool (*drop_store)(void *opaque, struct error *error);
    /* How many of the shard's jobs are done; may be NULL. */
    void (*progress)(void *opaque, int64_t done);
};

enum recover_action {
    RECOVER_NOTHING = 0, /* a daemon can take it as it is */
    RECOVER_WRITE,
    RECOVER_REFUSE /* `reason` says why; `force` overrides it */
};

/* One topic the shard reads. */
struct recover_topic {
    int64_t first; /* kept */
    int64_t end;
    int64_t from;  /* where the shard will go on */
    bool kept;     /* as the old mark says */
    bool other;    /* it is not the topic that the old mark speaks of */
};

/* Where log and store stand, and what follows. */
struct recover_plan {
    enum recover_action action;
    const char *reason; /* one clause, lower case */
    bool log_cut; /* it holds no mark, but records of it were deleted */
    bool log_found;
    struct mark log; /* its last mark */
    int64_t log_time_ms;
    bool store_found;
    struct snapshot store;
    struct recover_topic inputs[INPUTS_COMMANDS];
    bool half_applied; /* a large command was under way and cannot be gone on with */
    struct mark mark;  /* RECOVER_WRITE: from here the shard goes on, but for epoch and sequence */
};

/* Looks only. */
bool recover_look(struct engine *engine, const struct recover_options *options,
                  struct recover_plan *plan, struct error *error);

struct recover_report {
    int64_t jobs;     /* the shard has now */
    int64_t runs;     /* that are open; their tries end as lost with the new generation */
    int64_t removed;  /* names, runs and remembered commands that only the log had */
    struct mark mark; /* committed last */
};

/* Looks again, behind the fence, and does it; RECOVER_NOTHING is done at once. *plan is what was
 * found then.
 *   errors  ERROR_FENCED: a daemon is there; ERROR_RETRY; ERROR_FATAL, ERROR_INVALID: a record
 *           cannot be read, or the plan is to be refused */
bool recover_run(struct engine *engine, const struct recover_options *options,
                 struct recover_plan *plan, struct recover_report *report, struct error *error);

/* Reads the state log and writes the whole shard to the store, at the position of its last mark.
 * Opens no producer. *report->jobs: written.
 *   errors  ERROR_FENCED: a daemon writes there, or has been further; ERROR_RETRY: a server does
 *           not answer for silence_ms; ERROR_FATAL: no mark, or an unfinished recover */
bool recover_rebuild(struct engine *engine, int64_t silence_ms,
                     const struct recover_options *options, struct recover_report *report,
                     struct error *error);

#endif
