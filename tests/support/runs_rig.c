#include "tests/support/runs_rig.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t rig_key[HASH_KEY_BYTES] = "runs of a rig";

void runs_rig_terms(struct run_terms *terms)
{
    run_terms_defaults(terms);
    terms->lease_ms = 60 * SECONDS_MS;
    terms->workers = text_of("crew");
    terms->start_within_ms = 100 * SECONDS_MS;
    terms->retry.attempts = 3;
}

/* ---- records ---- */

static void keep_text(char **at, struct text *text)
{
    if (text->length > 0) memcpy(*at, text->bytes, text->length);
    text->bytes = *at;
    *at += text->length;
}

static size_t list_texts(struct run_record *record, struct text **texts)
{
    struct text *fixed[] = {&record->group,        &record->id,           &record->trigger_id,
                            &record->workers,      &record->claim.token,  &record->claim.worker,
                            &record->claim.topic,  &record->cursor};
    size_t count = sizeof fixed / sizeof fixed[0];
    memcpy(texts, fixed, sizeof fixed);
    for (size_t i = 0; i < record->try_count; i++) {
        texts[count++] = &record->tries[i].worker;
        texts[count++] = &record->tries[i].error_code;
        texts[count++] = &record->tries[i].message;
    }
    return count;
}

static void forget_record(struct rig_record *record)
{
    free(record->texts);
    *record = (struct rig_record){0};
}

/* As the shard writes it: with the names of the job. */
static void keep_record(struct runs_rig *rig, const struct run_view *view)
{
    assert(view->k < RIG_RECORDS);
    struct rig_record *record = &rig->records[view->k];
    forget_record(record);
    record->is_there = true;
    record->view = *view;
    if (record->view.record.group.length == 0) {
        record->view.record.group = text_of("group");
        record->view.record.id = text_of(rig->jobs[view->record.ordinal].id);
    }
    struct text *texts[8 + 3 * RUN_TRIES_KEPT];
    size_t count = list_texts(&record->view.record, texts);
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++) bytes += texts[i]->length;
    record->texts = malloc(bytes);
    assert(record->texts != NULL);
    char *at = record->texts;
    for (size_t i = 0; i < count; i++) keep_text(&at, texts[i]);
}

/* ---- the sink ---- */

static void hear(struct runs_rig *rig, struct rig_heard heard)
{
    if (rig->room > 0) rig->room--;
    if (rig->heard != NULL) rig->heard(rig->opaque, &heard);
}

static bool is_full(void *opaque)
{
    const struct runs_rig *rig = opaque;
    return rig->room == 0;
}

static enum run_job say_job(void *opaque, int64_t ordinal, uint32_t job_slot,
                            struct run_terms *terms)
{
    const struct runs_rig *rig = opaque;
    assert(ordinal == job_slot && ordinal < RIG_JOBS);
    *terms = rig->jobs[ordinal].terms;
    return rig->jobs[ordinal].state;
}

static void take_changed(void *opaque, const struct run_view *run)
{
    keep_record(opaque, run);
    hear(opaque, (struct rig_heard){.word = RIG_CHANGED, .run = run});
}

static bool take_ended(void *opaque, const struct run_end *end)
{
    struct runs_rig *rig = opaque;
    forget_record(&rig->records[end->run->k]);
    hear(rig, (struct rig_heard){
                  .word = RIG_ENDED, .run = end->run, .end = end, .report = end->report});
    return false;
}

static void take_withdrawn(void *opaque, const struct run_view *run)
{
    struct runs_rig *rig = opaque;
    forget_record(&rig->records[run->k]);
    hear(rig, (struct rig_heard){.word = RIG_WITHDRAWN, .run = run});
}

static void take_fire(void *opaque, const struct run_view *run, struct runs_now now)
{
    const struct runs_rig *rig = opaque;
    assert(now.now_ms == rig->now.now_ms && now.steady_ms == rig->now.steady_ms);
    hear(opaque, (struct rig_heard){.word = RIG_FIRE, .run = run});
}

static void take_event(void *opaque, enum run_event event, const struct run_view *run,
                       const struct report *report)
{
    enum rig_word word = event == RUN_EVENT_DOUBLED ? RIG_DOUBLED : RIG_LATE;
    hear(opaque, (struct rig_heard){.word = word, .run = run, .report = report});
}

static void take_unknown(void *opaque, const struct report *report)
{
    hear(opaque, (struct rig_heard){.word = RIG_UNKNOWN, .report = report});
}

static void take_cancel(void *opaque, const struct run_view *run)
{
    hear(opaque, (struct rig_heard){.word = RIG_CANCEL, .run = run});
}

static void take_zombie(void *opaque, const struct report *report)
{
    hear(opaque, (struct rig_heard){.word = RIG_ZOMBIE, .report = report});
}

/* ---- owners ---- */

/* Jobs have their ordinal as their slot. */
static uint32_t find_job(void *opaque, const struct run_record *record)
{
    const struct runs_rig *rig = opaque;
    return rig->jobs[record->ordinal].state == RUN_JOB_GONE ? UINT32_MAX
                                                            : (uint32_t)record->ordinal;
}

static void own(struct runs_rig *rig, int64_t next_runnumber, int64_t read_to)
{
    rig->epoch++;
    rig->runs = runs_create(&rig->config);
    for (uint32_t k = 0; k < RIG_RECORDS; k++)
        if (rig->records[k].is_there) runs_restore(rig->runs, k, &rig->records[k].view.record);
    struct runs_start start = {.generation = rig->generation,
                               .epoch = rig->epoch,
                               .owner = text_of("rig"),
                               .next_runnumber = next_runnumber,
                               .read_to = read_to,
                               .now = rig->now,
                               .opaque = rig,
                               .job_slot = find_job};
    runs_start(rig->runs, &start);
}

void runs_rig_open(struct runs_rig *rig)
{
    memset(rig, 0, sizeof *rig);
    rig->config = (struct runs_config){.open_max = 1000, .append_times = true};
    memcpy(rig->config.hash_key, rig_key, sizeof rig_key);
    rig->sink = (struct runs_sink){.opaque = rig,
                                   .full = is_full,
                                   .job = say_job,
                                   .changed = take_changed,
                                   .ended = take_ended,
                                   .withdrawn = take_withdrawn,
                                   .fire = take_fire,
                                   .event = take_event,
                                   .unknown = take_unknown,
                                   .cancel = take_cancel,
                                   .zombie = take_zombie};
    rig->now = (struct runs_now){.now_ms = RIG_NOW_MS, .steady_ms = 5000};
    rig->generation = 1;
    rig->room = -1;
    rig->next_nominal_ms = RIG_NOW_MS;
    for (int i = 0; i < RIG_JOBS; i++) {
        rig->jobs[i].state = RUN_JOB_ACTIVE;
        runs_rig_terms(&rig->jobs[i].terms);
        snprintf(rig->jobs[i].id, sizeof rig->jobs[i].id, "job-%d", i);
    }
    own(rig, 1, 0);
}

void runs_rig_close(struct runs_rig *rig)
{
    runs_destroy(rig->runs);
    for (int k = 0; k < RIG_RECORDS; k++) forget_record(&rig->records[k]);
}

void runs_rig_pass(struct runs_rig *rig, int64_t ms)
{
    rig->now.now_ms += ms;
    rig->now.steady_ms += ms;
}

void runs_rig_fire(struct runs_rig *rig, int job, struct run_view *view)
{
    struct run_opening opening = {.ordinal = job,
                                  .job_slot = (uint32_t)job,
                                  .incarnation = {.effective_ms = 1, .index = (uint32_t)job},
                                  .nominal_ms = rig->next_nominal_ms,
                                  .due_ms = rig->next_nominal_ms + 7,
                                  .terms = &rig->jobs[job].terms};
    rig->next_nominal_ms += SECONDS_MS;
    runs_open(rig->runs, &opening, rig->now, &rig->sink, view);
}

/* ---- the log ---- */

static void read_report(struct runs_rig *rig, int64_t offset)
{
    struct rig_report *logged = &rig->log[offset];
    struct runs_place place = {.offset = offset, .log_ms = logged->log_ms, .now = rig->now};
    runs_report(rig->runs, &place, &logged->report, &rig->sink);
    runs_read(rig->runs, offset);
}

void runs_rig_report(struct runs_rig *rig, const struct report *report, int64_t log_ms)
{
    assert(rig->log_end < RIG_LOG);
    struct rig_report *logged = &rig->log[rig->log_end];
    logged->log_ms = log_ms;
    logged->report = *report;
    struct text *texts[] = {&logged->report.run, &logged->report.token, &logged->report.worker,
                            &logged->report.workers, &logged->report.cursor};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert(texts[i]->length < RIG_TEXT_BYTES);
        char *at = logged->texts[i];
        keep_text(&at, texts[i]);
    }
    read_report(rig, rig->log_end++);
}

/* Whoever has no room commits, and has room for two again. */
static bool has_committed(struct runs_rig *rig)
{
    if (rig->room == 0) rig->room = 2;
    return true;
}

void runs_rig_tick(struct runs_rig *rig, int64_t number, int64_t log_ms)
{
    struct run_tick tick = {.owner = text_of("rig"), .epoch = rig->epoch, .number = number};
    struct runs_place place = {.offset = rig->log_end, .log_ms = log_ms, .now = rig->now};
    rig->log[rig->log_end++] = (struct rig_report){.log_ms = INSTANT_NONE};
    while (!runs_tick(rig->runs, &place, &tick, &rig->sink) && has_committed(rig)) continue;
    runs_read(rig->runs, place.offset);
}

void runs_rig_step(struct runs_rig *rig)
{
    while (!runs_step(rig->runs, rig->now, &rig->sink) && has_committed(rig)) continue;
}

void runs_rig_take_over(struct runs_rig *rig, bool is_new_generation)
{
    int64_t read_to = runs_read_to(rig->runs);
    int64_t again_from = runs_read_again_from(rig->runs);
    int64_t next_runnumber = runs_next_runnumber(rig->runs);
    runs_destroy(rig->runs);
    rig->generation += is_new_generation;
    own(rig, next_runnumber, read_to);
    for (int64_t offset = again_from; offset < read_to; offset++)
        if (rig->log[offset].log_ms != INSTANT_NONE) read_report(rig, offset);
}
