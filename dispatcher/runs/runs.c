#include "dispatcher/runs/runs_state.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/memory.h"

struct runs *runs_create(const struct runs_config *config)
{
    assert(config != NULL && config->open_max >= 1);
    struct runs *runs = memory_allocate(1, sizeof *runs);
    runs->config = *config;
    runs->next_runnumber = 1;
    runs->tick_sent_ms = INSTANT_NONE;
    runs->sweep_at = UINT32_MAX;
    runs->lost_at = UINT32_MAX;
    runs->round_oldest_ms = INSTANT_NONE;
    runs->oldest_ms = INSTANT_NONE;
    run_table_init(&runs->table, config->hash_key);
    return runs;
}

void runs_destroy(struct runs *runs)
{
    if (runs == NULL) return;
    run_table_free(&runs->table);
    free(runs->claims.list);
    free(runs->gone_out);
    free(runs->zombies);
    free(runs);
}

/* ---- opening ---- */

uint32_t runs_room(const struct runs *runs)
{
    uint32_t most = runs->config.open_max;
    return runs->table.count < most ? most - runs->table.count : 0;
}

uint32_t runs_room_of(const struct runs *runs, int64_t ordinal)
{
    const struct run *first = run_table_of_job(&runs->table, ordinal);
    uint32_t open = first == NULL ? 0 : first->ring_count;
    uint32_t room = runs_room(runs);
    uint32_t own = open < RUNS_OF_JOB_MAX ? RUNS_OF_JOB_MAX - open : 0;
    return own < room ? own : room;
}

void runs_open(struct runs *runs, const struct run_opening *opening, struct runs_now now,
               const struct runs_sink *sink, struct run_view *view)
{
    assert(runs_room_of(runs, opening->ordinal) > 0);
    assert(opening->due_ms >= opening->nominal_ms);
    assert(opening->due_ms - opening->nominal_ms <= UINT32_MAX);
    const struct run_call call = {.runs = runs, .now = now, .sink = sink};
    struct run *run = run_table_open(&runs->table);
    run->ordinal = opening->ordinal;
    run->job_slot = opening->job_slot;
    run->incarnation = opening->incarnation;
    run->kind = (uint8_t)opening->kind;
    run->nominal_ms = opening->nominal_ms;
    run->delay_ms = (uint32_t)(opening->due_ms - opening->nominal_ms);
    run->runnumber = runs->next_runnumber++;
    runs->numbers.opened++;
    run->fired_ms = now.now_ms;
    run->number = 1;
    run->counted = 1;
    run_take_terms(runs, run, opening->terms);
    if (opening->trigger_id.length > 0) {
        struct run_more *more = run_more(run);
        more->trigger_id =
            memory_copy_text(opening->trigger_id.bytes, opening->trigger_id.length);
        more->import = opening->import;
    }
    run_table_link(&runs->table, run);
    run_await(&call, run);
    run->flags |= RUN_DIRTY;
    run_settle(&call, run);
    run_fill_view(runs, run, view);
}

/* ---- how far was read ---- */

void runs_read(struct runs *runs, int64_t offset)
{
    if (offset >= runs->read_to) runs->read_to = offset + 1;
}

int64_t runs_read_to(const struct runs *runs)
{
    return runs->read_to;
}

int64_t runs_read_again_from(struct runs *runs)
{
    const struct run_claimed *claimed = run_claims_first(&runs->claims, &runs->table);
    return claimed == NULL || claimed->offset > runs->read_to ? runs->read_to : claimed->offset;
}

int64_t runs_next_runnumber(const struct runs *runs)
{
    return runs->next_runnumber;
}

/* ---- looking ---- */

struct runs_in_way runs_in_way(const struct runs *runs, int64_t ordinal, struct text group,
                               struct text id)
{
    struct runs_in_way in_way = {.oldest = UINT32_MAX, .own = UINT32_MAX};
    if (runs->table.by_job.count == 0) return in_way; /* also without a hash */
    const struct run *earlier = run_table_of_name(&runs->table, group, id);
    const struct run *own = run_table_of_job(&runs->table, ordinal);
    const struct run *oldest = earlier != NULL ? earlier : own;
    if (own != NULL) in_way.own = own->k;
    if (own != NULL) in_way.count = own->ring_count;
    if (earlier != NULL) in_way.count += earlier->ring_count;
    if (oldest != NULL) in_way.oldest = oldest->k;
    return in_way;
}

uint32_t runs_next_in_way(const struct runs *runs, int64_t ordinal, uint32_t k)
{
    const struct run *run = run_table_at(&runs->table, k);
    if (run == NULL) return UINT32_MAX;
    const struct run *next = run_table_next(&runs->table, run);
    if (next == NULL && (run->flags & RUN_ORPHAN) != 0)
        next = run_table_of_job(&runs->table, ordinal);
    return next == NULL ? UINT32_MAX : next->k;
}

void runs_view(const struct runs *runs, uint32_t k, struct run_view *view)
{
    const struct run *run = run_table_at(&runs->table, k);
    assert(run != NULL);
    run_fill_view(runs, run, view);
}

void runs_let_go(struct runs *runs, uint32_t k, int64_t runnumber)
{
    struct run *run = run_table_at(&runs->table, k);
    if (run != NULL && run_has_ended(run) && run->runnumber == runnumber)
        run_table_close(&runs->table, run);
}

bool runs_is_open(const struct runs *runs, uint32_t k)
{
    const struct run *run = run_table_at(&runs->table, k);
    return run != NULL && !run_has_ended(run);
}

bool runs_look(const struct runs *runs, uint32_t k, struct run_view *view)
{
    if (!runs_is_open(runs, k)) return false;
    run_fill_view(runs, run_table_at(&runs->table, k), view);
    return true;
}

bool runs_look_recorded(const struct runs *runs, uint32_t k, struct run_view *view)
{
    if (!runs_look(runs, k, view)) return false;
    if ((run_table_at(&runs->table, k)->flags & RUN_UNRECORDED) == 0) return true;
    view->record.state = RUN_STATE_OPEN;
    view->record.claim = (struct run_claim){0};
    return true;
}

uint32_t runs_find(const struct runs *runs, struct text id)
{
    const struct run *run = run_table_find(&runs->table, id);
    return run == NULL ? UINT32_MAX : run->k;
}

uint32_t runs_top(const struct runs *runs)
{
    return run_table_top(&runs->table);
}

uint32_t runs_open_count(const struct runs *runs)
{
    return runs->table.count;
}

void runs_take_numbers(struct runs *runs, struct runs_numbers *numbers)
{
    *numbers = runs->numbers;
    runs->numbers = (struct runs_numbers){0};
}

static void take_oldest(int64_t *oldest_ms, int64_t opened_ms)
{
    if (*oldest_ms == INSTANT_NONE || opened_ms < *oldest_ms) *oldest_ms = opened_ms;
}

int64_t runs_oldest_ms(struct runs *runs)
{
    uint32_t top = run_table_top(&runs->table);
    for (int looked = 0; looked < RUNS_LOOKED_AT && runs->oldest_at < top; looked++) {
        const struct run *run = run_table_at(&runs->table, runs->oldest_at++);
        if (run != NULL && !run_has_ended(run))
            take_oldest(&runs->round_oldest_ms, run_opened_ms(run));
    }
    if (runs->oldest_at >= top) {
        runs->oldest_ms = runs->round_oldest_ms;
        runs->round_oldest_ms = INSTANT_NONE;
        runs->oldest_at = 0;
    }
    return runs->oldest_ms;
}
