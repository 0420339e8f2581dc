#include "cli/show/open_run_view.h"

#include <assert.h>
#include <string.h>

#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/print_table.h"
#include "cli/show/run_lines.h"
#include "lib/base/limits.h"
#include "lib/model/run_id.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"

static json_t *try_view(const struct run_try *tried)
{
    json_t *view = json_object();
    json_set_runnumber(view, tried->runnumber);
    (void)json_object_set_new(view, "try", json_integer(tried->number));
    json_set_text(view, "outcome",
                  text_of(tried->released ? "released" : run_outcome_word(tried->outcome)));
    json_set_instant(view, "ended_at", tried->ended_ms);
    json_set_text(view, "worker", tried->worker);
    if (tried->exit_code >= 0)
        (void)json_object_set_new(view, "exit_code", json_integer(tried->exit_code));
    if (tried->signal > 0) (void)json_object_set_new(view, "signal", json_integer(tried->signal));
    json_set_text(view, "error_code", tried->error_code);
    json_set_text(view, "message", tried->message);
    return view;
}

static void set_claim(json_t *view, const struct run_claim *claim)
{
    json_set_text(view, "worker", claim->worker);
    json_set_instant(view, "started_at", claim->started_ms);
    json_set_instant(view, "sign_at", claim->sign_ms);
}

json_t *open_run_view(const struct run_record *record, int32_t shard, int64_t now_ms)
{
    char id[RUN_ID_BYTES_MAX + 1];
    char lease[DURATION_TEXT_BYTES];
    json_t *view = json_object();
    assert(record != NULL);
    json_set_text(view, "run", (struct text){id, run_id_of_record(record, id)});
    json_set_runnumber(view, record->runnumber);
    json_set_text(view, "group", record->group);
    json_set_text(view, "id", record->id);
    (void)json_object_set_new(view, "shard", json_integer(shard));
    json_set_text(view, "state", text_of(run_state_word(record->state)));
    if (record->cancel_asked) (void)json_object_set_new(view, "cancel_asked", json_true());
    (void)json_object_set_new(view, "try", json_integer(record->number));
    json_set_text(view, "kind", text_of(fire_kind_name(record->kind)));
    json_set_instant(view, "due", record->due_ms);
    json_set_instant(view, "opened_at", record->opened_ms);
    (void)json_object_set_new(view, "age_ms", json_integer(now_ms - record->opened_ms));
    json_set_instant(view, "fired_at", record->fired_ms);
    json_set_instant(view, "expires_at", record->expiry_ms);
    json_set_instant(view, "retry_at", record->retry_at_ms);
    duration_format(record->lease_ms, lease);
    json_set_text(view, "lease", text_of(lease));
    if (record->mode != LEASE_HEARTBEAT)
        json_set_text(view, "lease_mode", text_of(lease_mode_word(record->mode)));
    json_set_text(view, "workers", record->workers);
    if (record->state == RUN_STATE_CLAIMED) set_claim(view, &record->claim);
    if (record->try_count == 0) return view;
    json_t *tries = json_array();
    for (size_t i = 0; i < record->try_count; i++)
        (void)json_array_append_new(tries, try_view(&record->tries[i]));
    (void)json_object_set_new(view, "tries", tries);
    return view;
}

static void write_time(struct text_writer *out, const char *before, const json_t *view,
                       const char *name)
{
    char text[JOB_VIEW_TIME_BYTES];
    time_shorten(json_member_text(view, name), text, sizeof text);
    text_writer_words(out, before);
    text_writer_words(out, text);
}

void open_run_state(struct text_writer *out, const json_t *view)
{
    const char *state = json_member_text(view, "state");
    const char *worker = json_member_text(view, "worker");
    assert(state != NULL);
    if (strcmp(state, run_state_word(RUN_STATE_CLAIMED)) == 0) {
        text_writer_words(out, worker == NULL ? "a worker without a name" : worker);
        write_time(out, " since ", view, "started_at");
    } else if (strcmp(state, run_state_word(RUN_STATE_WAITING)) == 0) {
        write_time(out, "retry due at ", view, "retry_at");
    } else if (json_member_text(view, "lease_mode") != NULL) {
        write_time(out, "not claimed (fixed), fired at ", view, "fired_at");
    } else {
        write_time(out, "waits for a worker since ", view, "fired_at");
    }
    if (json_is_true(json_object_get(view, "cancel_asked")))
        text_writer_words(out, ", asked to stop");
}

bool open_run_is_late(const struct run_record *record, int64_t late_ms, int64_t now_ms)
{
    assert(record != NULL && late_ms >= 0);
    switch (record->state) {
    case RUN_STATE_OPEN:
        return record->mode == LEASE_HEARTBEAT && now_ms - record->fired_ms >= late_ms;
    case RUN_STATE_WAITING:
        return record->retry_at_ms != INSTANT_NONE && now_ms - record->retry_at_ms >= late_ms;
    case RUN_STATE_CLAIMED: return false;
    }
    assert(false);
    return false;
}

/* ---- as a table ---- */

static struct text member(const json_t *object, const char *name)
{
    const char *text = json_member_text(object, name);
    return text_of(text == NULL ? "-" : text);
}

static enum table_tone state_tone(const json_t *view)
{
    const char *state = json_member_text(view, "state");
    if (json_is_true(json_object_get(view, "cancel_asked"))) return TONE_WARN;
    if (strcmp(state, run_state_word(RUN_STATE_CLAIMED)) == 0) return TONE_GOOD;
    return strcmp(state, run_state_word(RUN_STATE_WAITING)) == 0 ? TONE_WARN : TONE_PLAIN;
}

static void print_row(struct table *table, const json_t *view)
{
    char name[JOB_NAME_BYTES_MAX + 1];
    char age[SPAN_TEXT_BYTES];
    char due[JOB_VIEW_TIME_BYTES];
    char number[24];
    struct text_writer state = {0};
    (void)snprintf(name, sizeof name, "%s/%s", json_member_text(view, "group"),
                   json_member_text(view, "id"));
    span_text(json_member_number(view, "age_ms", 0), age);
    time_shorten(json_member_text(view, "due"), due, sizeof due);
    (void)snprintf(number, sizeof number, "%lld", (long long)json_member_number(view, "try", 0));
    open_run_state(&state, view);
    const struct table_cell cells[] = {
        {text_of(name), TONE_PLAIN},
        {text_writer_text(&state), state_tone(view)},
        {text_of(age), TONE_PLAIN},
        {text_of(number), TONE_PLAIN},
        {member(view, "kind"), TONE_PLAIN},
        {text_of(due), TONE_PLAIN},
        {member(view, "workers"), TONE_PLAIN},
        {member(view, "runnumber"), TONE_DIM},
        {member(view, "run"), TONE_DIM},
    };
    table_add(table, cells);
    text_writer_free(&state);
}

void open_runs_print(FILE *stream, const json_t *views, size_t width, bool colour)
{
    static const struct table_column columns[] = {
        {"JOB", false, 16},    {"STATE", false, 20},     {"AGE", true, 0},
        {"TRY", true, 0},      {"KIND", false, 0},       {"DUE", false, 0},
        {"WORKERS", false, 8}, {"RUNNUMBER", false, 10}, {"RUN", false, 12},
    };
    struct table *table =
        table_create(stream, columns, sizeof columns / sizeof columns[0], width, colour);
    for (size_t i = 0; i < json_array_size(views); i++) print_row(table, json_array_get(views, i));
    table_finish(table);
}
