/* replay.h - records of jobs, of open runs and of remembered command ids put back into memory:
 * those of the store, and those of the state log behind it. */
#ifndef BELFRY_ENGINE_REPLAY_H
#define BELFRY_ENGINE_REPLAY_H

#include "dispatcher/engine/engine_state.h"

enum { REPLAY_POLL_MS = 50 };
#define REPLAY_SILENCE_US INT64_C(30000000) /* no record and no end for so long: retry */

struct replay {
    int64_t first; /* offset of the log */
    int64_t from; /* records before it have been applied by the snapshot */
    int64_t end;
    const struct mark *snapshot; /* NULL: there is none */
    struct mark mark;            /* the last one */
    bool found;
    bool proven;       /* a mark before the snapshot's place is of its past */
    bool other_branch; /* the snapshot was not taken of this log, or that cannot be seen any more */
    int64_t records;
};

/* A store_item_visitor; opaque is the engine. */
bool replay_store_item(void *opaque, const struct store_item *item, struct error *error);
/* "job/", "run/" and "seen/" before the rest of a key; false: it begins otherwise, or there is no
 * rest. */
bool replay_key_rest(struct text key, const char *prefix, struct text *rest);
/* The k of "run/<k>" in the log and of the store's field. False: not as it is written, without
 * zeros before it; or so large that nobody gave it, and each k below costs memory. */
bool replay_run_place(const struct engine *engine, struct text name, uint32_t *k);
/* The two parts of "group/id"; false: it has no slash. */
bool replay_split_name(struct text name, struct text *group, struct text *id);

/* Visits the records of the state log from `start` to `end`, which was its end a moment ago, or
 * until *enough. A record the visitor cannot read ends it with ERROR_FATAL, naming the record. */
typedef bool replay_visitor(struct engine *engine, const struct broker_input *input, void *opaque,
                            bool *enough, struct error *error);
bool replay_read_log(struct engine *engine, int64_t start, int64_t end, replay_visitor *visitor,
                     void *opaque, struct error *error);

/* The log from replay->from to replay->end. Stops where it finds that the snapshot is of another
 * branch: replay->other_branch. ERROR_FATAL: a record that cannot be read. */
bool replay_state_log(struct engine *engine, struct replay *replay, struct error *error);
/* Whether the mark is of the snapshot's own past, or its own. What a snapshot has applied must be:
 * Kafka may have lost the end of the log and another owner may have gone on from there;
 * or the snapshot is from an owner that did not know yet that it had been followed. */
bool replay_precedes(const struct mark *mark, const struct mark *snapshot);

#endif
