/* store_script.h - short words for tests of struct store: writes and what the store then holds. */
#ifndef BELFRY_TESTS_SUPPORT_STORE_SCRIPT_H
#define BELFRY_TESTS_SUPPORT_STORE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"
#include "store/store_filter.h"

enum { NOT_LAST = -1, DUMP_BYTES = 16384 };

/* Items from words: "+group/id=text@super" puts a job, "-group/id" deletes one, "s7=text" and
 * "x7" put and delete a remembered record, "k7=text" and "e7" an open run. Up to 16, separated by
 * blanks. */
struct items {
    struct store_item items[16];
    size_t count;
    int64_t jobs; /* that must be there; -1: not said */
    int64_t seen;
    int64_t runs;
    uint64_t token; /* 0: not said */
    uint64_t token_before;
    char text[1024];
};
void items_parse(struct items *items, const char *words);

/* A snapshot with every field told from the others. */
struct snapshot snapshot_at(int64_t generation, int64_t epoch, int64_t sequence);

/* Where generation 1 stands in shard 3: "whole seq=5 token=7 part=2 done=6". */
const char *look_at_store(struct store *store, int64_t epoch);

/* One write to shard 3. `sequence`: of its snapshot, or NOT_LAST. The words may end with what must
 * be there after the last part: "j2" jobs, "r1" remembered records, "o1" open runs; and with the
 * group's token: "t8", or "t8<7" where the parts before had another one. Returns "WRITTEN", "GAP",
 * "STALE", "DAMAGED", or the name of the error's kind, which it prints. */
const char *write_words(struct store *store, enum store_mode mode, int64_t generation,
                        int64_t epoch, int64_t follows, int32_t part, int64_t sequence,
                        const char *words);

/* What shard 3 holds and should hold: "jobs 3/3 seen 1/1 groups 3/3 runs 0/0", first what is there;
 * a missing count reads -1. "none" without a snapshot. */
const char *count_store(struct store *store);

/* What shard 3 holds: "seq=5 a/1=x b/2=y k0=w s7=z", sorted; "none" without a snapshot and items.
 * An error reads "error ...". The text is static, valid until the next call. */
const char *dump_store(struct store *store);

typedef bool list_function(struct store *store, int32_t shards, const struct store_filter *filter,
                           store_item_visitor *visitor, void *opaque, struct error *error);

/* The jobs a filter finds in shards 0 to 7: "a/1 b/2", sorted. Names separated by blanks. */
const char *list_store(list_function *list, struct store *store, const char *groups,
                       const char *super_groups);

#endif
