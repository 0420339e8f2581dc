#include "dispatcher/runs/runs_state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint8_t token_key[HASH_KEY_BYTES] = "belfry run token";

uint64_t run_fingerprint(struct text token)
{
    if (token.length == 0) return 0;
    uint64_t hash = hash_siphash(token_key, token.bytes, token.length);
    return hash == 0 ? 1 : hash;
}

int64_t run_expiry_ms(const struct run *run)
{
    return run->fired_ms + run->start_within_ms;
}

static void fill_claim(const struct runs *runs, const struct run *run, struct run_view *view)
{
    struct run_claim *claim = &view->record.claim;
    snprintf(view->token, sizeof view->token, "%016" PRIx64, run->token);
    claim->token = text_of(run->token == 0 ? NULL : view->token);
    claim->worker = text_pool_at(&runs->table.texts, run->worker);
    claim->topic = text_pool_at(&runs->table.texts, run->topic);
    claim->partition = run->fire_partition;
    claim->offset = run->fire_offset;
    claim->started_ms = run->fired_ms + run->started_after_ms;
    claim->sign_ms = run->sign_ms;
}

static void fill_more(const struct run_more *more, struct run_record *record)
{
    record->trigger_id = text_of(more->trigger_id);
    record->import = more->import;
    record->group = text_of(more->group);
    record->id = text_of(more->id);
    record->cursor = (struct text){more->cursor, more->cursor_length};
    record->try_count = more->try_count;
    for (uint32_t i = 0; i < more->try_count; i++) record->tries[i] = more->tries[i]->said;
}

static void fill_try(const struct runs *runs, const struct run *run, struct run_record *record)
{
    record->state = (enum run_state)run->state;
    record->runnumber = run->runnumber;
    record->number = run->number;
    record->counted = run->counted;
    record->lost_in_a_row = run->lost_in_a_row;
    record->released = run->released;
    record->fired_ms = run->fired_ms;
    record->retry_at_ms = run->state == RUN_STATE_WAITING ? run->at : INSTANT_NONE;
    record->expiry_ms = runs->config.append_times ? run_expiry_ms(run) : INSTANT_NONE;
    record->lease_ms = run->lease_ms;
    record->mode = (enum lease_mode)run->mode;
    record->workers = text_pool_at(&runs->table.texts, run->workers);
    record->cancel_asked = (run->flags & RUN_CANCEL) != 0;
}

void run_count_span(int64_t spans[RUN_SPAN_COUNT], int64_t *sum_ms, int64_t span_ms)
{
#define BOUND(bound_ms) bound_ms,
    static const int64_t bounds_ms[] = {RUN_SPANS(BOUND) INT64_MAX};
#undef BOUND
    size_t at = 0;
    while (span_ms > bounds_ms[at]) at++;
    spans[at]++;
    if (span_ms > 0) *sum_ms += span_ms;
}

void run_fill_view(const struct runs *runs, const struct run *run, struct run_view *view)
{
    assert(run != NULL && view != NULL);
    view->k = run->k;
    view->job_slot = run->job_slot;
    run_id_of(run, view->id);
    struct run_record *record = &view->record;
    run_record_defaults(record);
    record->incarnation = run->incarnation;
    record->ordinal = run->ordinal;
    record->kind = (enum fire_kind)run->kind;
    record->nominal_ms = run->nominal_ms;
    record->due_ms = run->nominal_ms + run->delay_ms;
    record->opened_ms = run_opened_ms(run);
    record->first_runnumber = run_first_runnumber(run);
    fill_try(runs, run, record);
    if (run->state == RUN_STATE_CLAIMED) fill_claim(runs, run, view);
    if (run->more != NULL) fill_more(run->more, record);
}

const struct run_view *run_viewed(struct runs *runs, const struct run *run)
{
    run_fill_view(runs, run, &runs->view);
    return &runs->view;
}
