/* store.h - the queryable checkpoint of the shards: jobs, remembered command ids, snapshot.
 *
 * A store is never asked whether something may fire: it can be empty, old, away or rolled back,
 * and the state log mends it. So the contract is narrow: a write changes nothing unless the store
 * holds exactly the position the write follows; only the last write of a group moves the
 * snapshot. Calls block, for at most the store's time limit until the next answer comes, of which
 * reads of many items and write_parts await several. One thread per store object.
 * docs/store.md says what happens at each failure. */
#ifndef BELFRY_STORE_STORE_H
#define BELFRY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/model/mark.h"

/* How many there are of each thing that belongs to a shard; -1: not counted. */
struct store_counts {
    int64_t jobs;
    int64_t seen;         /* remembered records */
    int64_t groups;       /* of the index: as many as jobs */
    int64_t super_groups; /* of the index: jobs that have one */
    int64_t runs;         /* open ones */
};

/* What the store knows of a shard: everything with a lower state offset is in it. */
struct snapshot {
    struct mark mark;
    int64_t state_offset; /* first record of belfry.state/<shard> that may be missing here */
    int64_t written_at_ms;
    int64_t job_count;  /* as it was written; of a write: what must be there, -1: unknown */
    int64_t seen_count; /* likewise; -1 also where layout 1 wrote it */
    int64_t run_count;  /* likewise; of a snapshot that was read: what the store holds */
    /* Of a snapshot that was read. The store counts with each part of a write what it holds, so
     * that a key or a field which it lost is seen: snapshot_check_whole(), store_whole.h. */
    struct store_counts held;
    struct store_counts there;
};

enum store_item_kind {
    STORE_JOB_PUT,     /* name, text, super_group */
    STORE_JOB_DELETE,  /* name */
    STORE_SEEN_PUT,    /* name = decimal sequence, text */
    STORE_SEEN_DELETE, /* name = decimal sequence */
    STORE_RUN_PUT,     /* name = decimal k, text: an open run */
    STORE_RUN_DELETE   /* name = decimal k, which may be free there, too */
};

/* Borrowed bytes, valid for the call. `name` of a job is group/id (the first '/' separates). */
struct store_item {
    enum store_item_kind kind;
    const char *name;
    size_t name_bytes;
    const char *text;
    size_t text_bytes;
    const char *super_group; /* NULL = none */
    size_t super_group_bytes;
};

enum store_mode {
    STORE_CHANGE, /* items on top of what is there */
    STORE_REWRITE /* the whole shard anew, beside the old one; replaces it with the last part */
};

/* One call: at most STORE_CALL_JOBS_MAX items, applied in their order. A group of calls has parts
 * 0, 1, 2 ... and ends with the one that carries a snapshot; all its parts go through one store
 * object. Part 0 may come at any time and begins the group anew, by the same owner or a newer
 * one, so the new group must cover all that the abandoned one did:
 *   - the same owner after an ERROR_RETRY: what it sent stays dirty until a group is WRITTEN;
 *   - a new owner: everything the state log says from the snapshot's state_offset on. One that
 *     did not take the jobs from this store begins with STORE_REWRITE.
 * A later part is a GAP unless it is exactly the next one of the group under way. The first
 * write to an empty store is a STORE_REWRITE: nothing can be followed there. */
struct store_write {
    int32_t shard;
    enum store_mode mode;
    int64_t generation; /* guard: a store written to, in whatever part, by a newer (generation, */
    int64_t epoch;      /* epoch) answers STALE. 0 to 2^53, as the sequence */
    int64_t follows_sequence; /* STORE_CHANGE: the sequence the store must hold */
    int32_t part;             /* the part the store must expect next, within this group */
    uint64_t token;           /* of the group, another one for each that this owner begins; > 0.
                               * So a part delayed on a dead connection cannot slip into the group
                               * that replaced its own */
    uint64_t token_before;    /* of the parts before, where the group goes on under a new token
                               * after an unknown outcome, so that what is still on its way is
                               * refused; 0: the same */
    const struct store_item *items;
    size_t item_count;
    const struct snapshot *snapshot; /* last part only; else NULL. Of this generation and epoch */
};

enum store_outcome {
    STORE_WRITTEN,
    STORE_GAP,   /* nothing changed: the store is not where this write follows, or this is not the
                   * next part; look() tells whether to go on, to send again or to rewrite */
    STORE_STALE, /* nothing changed: a newer owner has written; we are not the owner any more */
    STORE_DAMAGED /* the snapshot has not moved: the store has lost something of the shard, or holds
                   * not as much as the last part says, or has never counted; rewrite */
};

/* Where the store stands for the groups of one owner, written through this store object. */
struct store_position {
    bool whole;       /* nothing of the shard is lost */
    int64_t sequence; /* of the snapshot; -1: there is none that can be used */
    bool of_epoch;    /* which is of this very generation and epoch */
    uint64_t token;   /* of the group under way; 0: none, or another owner's */
    int32_t part;     /* the one it is to go on with */
    uint64_t done;    /* the token of the last group whose last part came; 0 likewise */
};

typedef bool store_item_visitor(void *opaque, const struct store_item *item, struct error *error);

/* What the cluster is, written once by the first daemon: another value later is refused. */
struct store_meta {
    int32_t layout;
    int32_t shards;
    char kafka_cluster_id[64];
};

struct store;
struct store_operations {
    /* Reads the meta record, writing `wanted` where none is. *found is what holds then; it is
     * for the caller to compare. ERROR_FATAL: a newer layout. */
    bool (*claim_meta)(struct store *store, const struct store_meta *wanted,
                       struct store_meta *found, struct error *error);
    /* *found false: the store knows nothing of the shard. ERROR_INVALID: what it holds is
     * unreadable: warn and go on as if nothing were there; a rewrite mends it. */
    bool (*read_snapshot)(struct store *store, int32_t shard, struct snapshot *snapshot,
                          bool *found, struct error *error);
    /* Visits every job (STORE_JOB_PUT), remembered record (STORE_SEEN_PUT) and open run
     * (STORE_RUN_PUT), in no order, an item perhaps twice, super_group always NULL (the text has
     * it); a fuzzy read while another writes, which the state log's tail mends. Stops with the
     * visitor's error when it returns false. The visitor must not call the store. */
    bool (*read_items)(struct store *store, int32_t shard, store_item_visitor *visitor,
                       void *opaque, struct error *error);
    /* Atomic. Errors are ERROR_RETRY (away, time-out: it may have been applied; the next write's
     * guard tells) or ERROR_FATAL (a newer layout, a wrong type of key). */
    bool (*write)(struct store *store, const struct store_write *write, enum store_outcome *outcome,
                  struct error *error);
    /* The same for the next parts of one group in one go: stops at the first that is not
     * WRITTEN, *written of them being before it. Optional (NULL): then call write for each. */
    bool (*write_parts)(struct store *store, const struct store_write *writes, size_t count,
                        size_t *written, enum store_outcome *outcome, struct error *error);
    /* After an outcome that is not known: what became of the group. ERROR_RETRY. */
    bool (*look)(struct store *store, int32_t shard, int64_t generation, int64_t epoch,
                 struct store_position *position, struct error *error);
    void (*destroy)(struct store *store);
};
struct store {
    const struct store_operations *operations;
};

#endif
