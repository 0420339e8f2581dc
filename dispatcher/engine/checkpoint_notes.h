/* checkpoint_notes.h - what the store is to be told: jobs and runs that changed, names that are
 * gone, remembered records that came and that went. What a group took is not forgotten before the
 * store holds a position with it: until then it may have to be sent again. */
#ifndef BELFRY_ENGINE_CHECKPOINT_NOTES_H
#define BELFRY_ENGINE_CHECKPOINT_NOTES_H

#include "dispatcher/engine/name_list.h"
#include "dispatcher/engine/slot_bits.h"

/* By the slot of a job, by the k of a run. */
struct checkpoint_flags {
    struct slot_bits dirty;     /* what is kept of it changed */
    struct slot_bits in_flight; /* in the group under way */
    struct slot_bits sent;      /* in groups of the position under way that were written */
};

/* Zero-initialised = empty; end it with checkpoint_notes_free(). */
struct checkpoint_notes {
    struct checkpoint_flags jobs;
    struct checkpoint_flags runs; /* also of one that is over: its k is to be free in the store */
    struct name_list deleted;
    struct name_list seen; /* "<sequence> <record>" */
    struct name_list seen_gone;
};

static inline bool checkpoint_notes_dirty(const struct checkpoint_notes *notes)
{
    return notes->jobs.dirty.set > 0 || notes->runs.dirty.set > 0;
}

/* A job of this slot is no more; its name is for the caller to note. */
void checkpoint_notes_drop_slot(struct checkpoint_notes *notes, uint32_t slot);
/* All names and records that were not written go into the group. */
void checkpoint_notes_put(struct checkpoint_notes *notes, struct store_group *group);
/* The group was written; what it took may still have to be sent again. */
void checkpoint_notes_written(struct checkpoint_notes *notes);
/* It was not, as far as is known. */
void checkpoint_notes_take_back(struct checkpoint_notes *notes);
/* What was written cannot be relied on: all is to be sent again. */
void checkpoint_notes_take_all_back(struct checkpoint_notes *notes);
/* Forgets what was written. */
void checkpoint_notes_settle(struct checkpoint_notes *notes);
/* Forgets all but the jobs and runs that changed. */
void checkpoint_notes_forget(struct checkpoint_notes *notes);
void checkpoint_notes_free(struct checkpoint_notes *notes);

#endif
