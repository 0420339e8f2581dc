/* From records to open runs: whoever takes a shard over has the same ones. */
#include "dispatcher/runs/runs_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

static char *copy_of(struct text text)
{
    return text.length == 0 ? NULL : memory_copy_text(text.bytes, text.length);
}

/* Its fingerprint stands there, see run_fingerprint(). */
static uint64_t token_of(struct text token)
{
    uint64_t value = 0;
    for (size_t i = 0; i < token.length && i < 16; i++) {
        char digit = token.bytes[i];
        if (digit >= '0' && digit <= '9') value = value << 4 | (uint64_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f') value = value << 4 | (uint64_t)(digit - 'a' + 10);
        else return run_fingerprint(token);
    }
    return value;
}

/* No record of ours has more; one that has is not to end the process. */
static uint8_t at_most(int32_t value, int32_t most)
{
    return (uint8_t)(value < 0 ? 0 : value > most ? most : value);
}

static uint32_t between(int64_t from_ms, int64_t to_ms, int64_t most_ms)
{
    if (to_ms <= from_ms) return 0;
    return (uint32_t)(to_ms - from_ms < most_ms ? to_ms - from_ms : most_ms);
}

static void restore_claim(struct runs *runs, struct run *run, const struct run_claim *claim)
{
    run->token = token_of(claim->token);
    run->worker = text_pool_take(&runs->table.texts, claim->worker);
    run->topic = text_pool_take(&runs->table.texts, claim->topic);
    run->fire_partition = claim->partition;
    run->fire_offset = claim->offset;
    run->sign_ms = claim->sign_ms;
    int64_t after_ms = claim->started_ms - run->fired_ms;
    run->started_after_ms = after_ms < INT32_MIN   ? INT32_MIN
                            : after_ms > INT32_MAX ? INT32_MAX
                                                   : (int32_t)after_ms;
    if (run->token != 0 && claim->sign_ms != claim->started_ms)
        run->flags |= RUN_PROVEN | RUN_RAN; /* a `running` came behind `started` */
}

static void restore_more(struct run *run, const struct run_record *record)
{
    struct run_more *more = run_more(run);
    more->trigger_id = copy_of(record->trigger_id);
    more->group = copy_of(record->group);
    more->id = copy_of(record->id);
    more->cursor = copy_of(record->cursor);
    more->cursor_length = record->cursor.length;
    more->import = record->import;
    more->opened_ms = record->opened_ms;
    more->first_runnumber = record->first_runnumber;
    for (size_t i = 0; i < record->try_count; i++) run_keep_try(run, &record->tries[i]);
}

static void restore_try(struct runs *runs, struct run *run, const struct run_record *record)
{
    run->runnumber = record->runnumber;
    run->fired_ms = record->fired_ms;
    run->number = at_most(record->number, UINT8_MAX - 1);
    run->counted = at_most(record->counted, RETRY_ATTEMPTS_MAX);
    run->released = at_most(record->released, RUN_RELEASED_MAX);
    run->lost_in_a_row = at_most(record->lost_in_a_row, UINT8_MAX - 1);
    run->state = (uint8_t)record->state;
    run->mode = (uint8_t)record->mode;
    run->lease_ms = (uint32_t)record->lease_ms;
    run->workers = text_pool_take(&runs->table.texts, record->workers);
    run->start_within_ms =
        record->expiry_ms == INSTANT_NONE
            ? (uint32_t)RUNS_UNCLAIMED_MS
            : between(record->fired_ms, record->expiry_ms, START_WITHIN_MAX_MS);
    run->at = record->retry_at_ms;
    if (record->cancel_asked) run->flags |= RUN_CANCEL;
}

void runs_restore_ended(struct runs *runs, uint32_t k)
{
    struct run *run = run_table_at(&runs->table, k);
    if (run != NULL) run_table_close(&runs->table, run);
}

void runs_restore(struct runs *runs, uint32_t k, const struct run_record *record)
{
    assert(runs != NULL && record != NULL);
    runs_restore_ended(runs, k);
    struct run *run = run_table_open_at(&runs->table, k);
    run->ordinal = record->ordinal;
    run->incarnation = record->incarnation;
    run->kind = (uint8_t)record->kind;
    run->nominal_ms = record->nominal_ms;
    run->delay_ms = between(record->nominal_ms, record->due_ms, UINT32_MAX);
    restore_try(runs, run, record);
    restore_more(run, record);
    if (record->state == RUN_STATE_CLAIMED) restore_claim(runs, run, &record->claim);
}

/* A lease begins anew, whatever its length: that a live worker shows life within it needs no clock
 * but ours, and what is left of it by append times would need those of brokers. */
static void start_try(const struct run_call *call, struct run *run)
{
    if (run->state == RUN_STATE_WAITING)
        run_table_queue(&call->runs->table, run, RUN_QUEUE_RETRY, run->at);
    else if (run->runnumber >> 32 < call->runs->generation)
        return; /* runs_step() ends it */
    else if (run->state == RUN_STATE_CLAIMED) run_begin_lease(call, run);
    else run_await(call, run);
}

static void start_run(const struct run_call *call, const struct runs_start *start,
                      struct run *run)
{
    struct runs *runs = call->runs;
    run_fill_view(runs, run, &runs->view);
    run->job_slot = start->job_slot(start->opaque, &runs->view.record);
    if (run->job_slot == UINT32_MAX) {
        run->flags |= RUN_ORPHAN;
    } else {
        free(run->more->group);
        free(run->more->id);
        run->more->group = NULL;
        run->more->id = NULL;
    }
    run_lighten(run);
    run_table_link(&runs->table, run);
    start_try(call, run);
}

static int by_opening(const void *left, const void *right)
{
    int64_t a = run_first_runnumber(*(struct run *const *)left);
    int64_t b = run_first_runnumber(*(struct run *const *)right);
    return (a > b) - (a < b);
}

/* In the order in which they were opened each joins its job's others as the last one, which a
 * thousand of them in another order would look for one by one. */
static void start_all(const struct run_call *call, const struct runs_start *start)
{
    struct runs *runs = call->runs;
    struct run **all = memory_allocate(runs->table.count, sizeof(struct run *));
    size_t count = 0;
    for (uint32_t k = 0; k < run_table_top(&runs->table); k++) {
        struct run *run = run_table_at(&runs->table, k);
        if (run == NULL) continue;
        if (runs->next_runnumber <= run->runnumber) runs->next_runnumber = run->runnumber + 1;
        all[count++] = run;
    }
    number_index_reserve(&runs->table.by_id, (uint32_t)count);
    qsort(all, count, sizeof(struct run *), by_opening);
    for (size_t i = 0; i < count; i++) start_run(call, start, all[i]);
    free(all);
}

void runs_start(struct runs *runs, const struct runs_start *start)
{
    assert(runs != NULL && start != NULL);
    assert(start->owner.length > 0 && start->owner.length <= OWNER_BYTES_MAX);
    const struct run_call call = {.runs = runs, .now = start->now};
    runs->generation = start->generation;
    runs->epoch = start->epoch;
    memcpy(runs->owner, start->owner.bytes, start->owner.length);
    runs->owner[start->owner.length] = '\0';
    runs->next_runnumber = start->next_runnumber;
    if (runs->next_runnumber <= start->generation << 32)
        runs->next_runnumber = (start->generation << 32) + 1;
    runs->read_to = start->read_to;
    runs->letters_since_ms = start->now.steady_ms;
    start_all(&call, start);
    runs->sweep_at = 0;
}
