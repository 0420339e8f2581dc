/* The slots of a ledger that wait for their delay: what an edit, a pause and time make of them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/jobs/ledger.h"
#include "lib/base/memory.h"

void ledger_wait(struct ledger *ledger, const struct job_slot *slots, size_t count)
{
    assert(count <= PENDING_MAX);
    if (count == 0) {
        free(ledger->waiting);
        ledger->waiting = NULL;
    } else {
        if (ledger->waiting == NULL)
            ledger->waiting = memory_allocate(PENDING_MAX, sizeof *ledger->waiting);
        memmove(ledger->waiting, slots, count * sizeof *slots);
    }
    ledger->waiting_count = count;
}

bool ledger_waits_for(const struct ledger *ledger, int64_t due_ms)
{
    for (size_t i = 0; i < ledger->waiting_count; i++)
        if (ledger->waiting[i].due_ms == due_ms) return true;
    return false;
}

struct job_slot ledger_ring(struct ledger *ledger, int64_t due_ms)
{
    size_t at = 0;
    while (ledger->waiting[at].due_ms != due_ms) at++;
    assert(at < ledger->waiting_count);
    struct job_slot slot = ledger->waiting[at];
    size_t behind = ledger->waiting_count - at - 1;
    memmove(&ledger->waiting[at], &ledger->waiting[at + 1], behind * sizeof slot);
    ledger_wait(ledger, ledger->waiting, ledger->waiting_count - 1);
    return slot;
}

bool naming_has(const struct naming *naming, int64_t nominal_ms)
{
    return nominal_ms >= naming->start_ms && nominal_ms < naming->end_ms &&
           schedule_names(naming->spec, nominal_ms);
}

struct waiting_edit ledger_edit_waiting(struct ledger *ledger, const struct naming *naming,
                                        const struct job_slot *present)
{
    struct waiting_edit edit = {.once = false};
    struct job_slot kept[PENDING_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ledger->waiting_count + (present != NULL); i++) {
        struct job_slot slot = i < ledger->waiting_count ? ledger->waiting[i] : *present;
        bool named = naming_has(naming, slot.nominal_ms);
        if (named && naming->spec->kind == SCHEDULE_AT) edit.once = true;
        else if (named && count < PENDING_MAX) kept[count++] = slot;
        else edit.left_out[edit.left_out_count++] = slot;
    }
    ledger_wait(ledger, kept, count);
    return edit;
}

void ledger_forget_waiting(struct ledger *ledger, int64_t until_ms)
{
    struct job_slot kept[PENDING_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ledger->waiting_count; i++)
        if (ledger->waiting[i].due_ms > until_ms) kept[count++] = ledger->waiting[i];
    ledger_wait(ledger, kept, count);
}
