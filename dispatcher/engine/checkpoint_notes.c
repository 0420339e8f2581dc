#include "dispatcher/engine/checkpoint_notes.h"

#include <stdlib.h>

void checkpoint_notes_drop_slot(struct checkpoint_notes *notes, uint32_t slot)
{
    (void)slot_bits_take(&notes->jobs.dirty, slot);
    (void)slot_bits_take(&notes->jobs.sent, slot);
    (void)slot_bits_take(&notes->jobs.in_flight, slot);
}

/* A record that came and went since the last group: first that it came. Sequences are not used
 * again. */
void checkpoint_notes_put(struct checkpoint_notes *notes, struct store_group *group)
{
    name_list_put(&notes->deleted, group, STORE_JOB_DELETE);
    name_list_put(&notes->seen, group, STORE_SEEN_PUT);
    name_list_put(&notes->seen_gone, group, STORE_SEEN_DELETE);
}

void checkpoint_notes_written(struct checkpoint_notes *notes)
{
    slot_bits_merge(&notes->jobs.sent, &notes->jobs.in_flight);
    slot_bits_merge(&notes->runs.sent, &notes->runs.in_flight);
    notes->deleted.written = notes->deleted.sent;
    notes->seen.written = notes->seen.sent;
    notes->seen_gone.written = notes->seen_gone.sent;
}

void checkpoint_notes_take_back(struct checkpoint_notes *notes)
{
    slot_bits_merge(&notes->jobs.dirty, &notes->jobs.in_flight);
    slot_bits_merge(&notes->runs.dirty, &notes->runs.in_flight);
    notes->deleted.sent = notes->deleted.written;
    notes->seen.sent = notes->seen.written;
    notes->seen_gone.sent = notes->seen_gone.written;
}

void checkpoint_notes_take_all_back(struct checkpoint_notes *notes)
{
    slot_bits_merge(&notes->jobs.dirty, &notes->jobs.sent);
    slot_bits_merge(&notes->runs.dirty, &notes->runs.sent);
    notes->deleted.written = notes->seen.written = notes->seen_gone.written = 0;
    checkpoint_notes_take_back(notes);
}

void checkpoint_notes_settle(struct checkpoint_notes *notes)
{
    slot_bits_clear(&notes->jobs.sent);
    slot_bits_clear(&notes->runs.sent);
    name_list_drop_written(&notes->deleted);
    name_list_drop_written(&notes->seen);
    name_list_drop_written(&notes->seen_gone);
}

static void forget_sent(struct checkpoint_flags *flags)
{
    slot_bits_clear(&flags->sent);
    slot_bits_clear(&flags->in_flight);
}

void checkpoint_notes_forget(struct checkpoint_notes *notes)
{
    forget_sent(&notes->jobs);
    forget_sent(&notes->runs);
    name_list_free(&notes->deleted);
    name_list_free(&notes->seen);
    name_list_free(&notes->seen_gone);
}

static void free_flags(struct checkpoint_flags *flags)
{
    free(flags->dirty.words);
    free(flags->sent.words);
    free(flags->in_flight.words);
}

void checkpoint_notes_free(struct checkpoint_notes *notes)
{
    checkpoint_notes_forget(notes);
    free_flags(&notes->jobs);
    free_flags(&notes->runs);
}
