/* What workers report of runs: read while somebody has use for it, and let act in the order in
 * which it stands in the log, between steps of time and commands. What cannot be read is a dead
 * letter, as many as runs_may_letter() allows. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "dispatcher/engine/engine_state.h"
#include "lib/model/route.h"
#include "schemas/report_json.h"
#include "schemas/run_tick_json.h"

enum {
    WORK_US = 20 * 1000, /* of one step: commands and slots have their turn, too */
    WAIT_LEAST_MS = 5    /* what runs wait for is not due to the millisecond */
};

void engine_forget_reports(struct engine *engine)
{
    run_inquiry_destroy(engine->reports.inquiry);
    engine->reports = (struct reports){0};
}

/* ---- from where on ---- */

/* Reports act only where no time and no command is half done. */
static bool may_act(const struct engine *engine)
{
    return shard_watermark(engine->shard).ordinal == WATERMARK_WHOLE &&
           !shard_in_command(engine->shard)->active;
}

static bool is_lost(const struct reports *reports)
{
    return reports->lost_from < reports->lost_to;
}

/* Runs are open: what was read of the last owner's signs of life is read again. */
static bool place_again(struct engine *engine, const struct mark *mark, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    struct reports *reports = &engine->reports;
    int64_t read_to = mark->inputs[INPUT_RUNS].offset;
    int64_t first = 0;
    int64_t end = 0;
    if (!broker->operations->offsets(broker, TOPIC_RUNS, &first, &end, error)) return false;
    if (end < read_to) return engine_say_cut(INPUT_RUNS, end, read_to, error);
    reports->placed = true;
    reports->applied = mark->runs_again;
    if (first <= reports->applied) return true;
    reports->lost_from = reports->applied;
    reports->lost_to = first;
    reports->applied = first;
    return true;
}

bool engine_begin_runs(struct engine *engine, const struct mark *mark, struct error *error)
{
    bool is_open = shard_open_runs(engine->shard) > 0;
    assert(!engine->reports.followed);
    if (!engine->options.runs) {
        assert(!is_open); /* restoring refuses them */
        return true;
    }
    struct runs_start start = {
        .generation = mark->generation,
        .epoch = mark->epoch + 1, /* of the mark that is to be written */
        .owner = text_of(engine->options.owner),
        .next_runnumber = (mark->generation << 32) + mark->next_run,
        .read_to = mark->inputs[INPUT_RUNS].offset,
        .now = engine_runs_now(engine, mark->watermark.instant_ms)};
    shard_follow_runs(engine->shard, &start);
    engine->reports.followed = true;
    if (is_open) return place_again(engine, mark, error);
    /* None: what was reported of those that are over has had its effect. */
    if (engine->census.leased == 0 || mark->next_run == 0) return true;
    (void)shard_begin_runs(engine->shard);
    return engine_place_reports(engine, error);
}

bool engine_follow_reports(struct engine *engine, struct error *error)
{
    struct reports *reports = &engine->reports;
    if (!reports->placed) return true;
    if (shard_open_runs(engine->shard) > 0 || engine->census.leased > 0)
        return engine->inputs.runs ||
               inputs_start_runs(&engine->inputs, reports->applied, error);
    inputs_stop_runs(&engine->inputs);
    reports->placed = false;
    return true;
}

/* ---- dead letters ---- */

/* Of what is read again it has been written. */
static void bury(struct engine *engine, const struct broker_input *input, struct text value,
                 const struct error *why, struct runs_now now)
{
    struct runs *runs = shard_runs(engine->shard);
    if (input->offset < runs_read_to(runs) || !runs_may_letter(runs, now)) return;
    const struct outbox_report report = {input, value};
    outbox_reads(engine->outbox, &report);
    outbox_add_letter(engine->outbox, why);
    outbox_reads(engine->outbox, NULL);
}

/* A report does not say of which shard its run is, but its record's key is the job's group. */
static bool check_partition(const struct engine *engine, const struct broker_input *input,
                            struct error *why)
{
    int32_t shard = engine->options.shard;
    if (input->key.length == 0) return true;
    int32_t meant = shard_of_group(input->key, engine->options.shards);
    return meant == shard ||
           error_invalid(why, CODE_WRONG_PARTITION, "the record's key is of shard %" PRId32 ", and "
                         "it stands in partition %" PRId32 ": reports go to the partition that "
                         "ends the fire's source", meant, shard);
}

/* ---- one record ---- */

static bool apply_tick(struct engine *engine, const struct broker_input *input,
                       const struct runs_place *place, struct error *error)
{
    struct run_tick tick;
    struct error why = {0};
    struct sink sink = outbox_sink(engine->outbox);
    arena_reset(engine->arena);
    if (!run_tick_decode(input->value, engine->arena, &tick, &why)) {
        bury(engine, input, input->value, &why, place->now);
        return true;
    }
    while (!shard_tick(engine->shard, place, &tick, &sink))
        if (!engine_commit(engine, error)) return false;
    return true;
}

/* What changes nothing is not read to its end: many such reports must not keep a good one waiting
 * for long. A record that is cut by a commit is read from its beginning by the next owner: what it
 * has closed is closed. */
static bool apply_each(struct engine *engine, const struct broker_input *input,
                       struct report_reader *reader, const struct runs_place *place,
                       struct error *error)
{
    struct report report;
    struct error why = {0};
    struct sink sink = outbox_sink(engine->outbox);
    for (;;) {
        while (reports_glance(reader, &report) &&
               runs_pass_over(shard_runs(engine->shard), place, &report))
            reports_pass(reader);
        if (!reports_next(reader, engine->arena, &report, &why)) return true;
        if (outbox_is_full(engine->outbox) && !engine_commit(engine, error)) return false;
        if (why.kind != ERROR_NONE) {
            bury(engine, input, reader->raw, &why, place->now);
            continue;
        }
        const struct outbox_report read = {input, reader->raw};
        outbox_reads(engine->outbox, &read);
        shard_report(engine->shard, place, &report, &sink);
        outbox_reads(engine->outbox, NULL);
    }
}

/* The time by which a report acts: never before what has been done. While our clock is not believed
 * it is the log's. */
static int64_t acts_ms(const struct engine *engine, const struct broker_input *input,
                       int64_t now_ms)
{
    int64_t done_ms = shard_watermark(engine->shard).instant_ms;
    if (engine->clock_refused)
        now_ms = engine->options.runs_append_times ? input->log_time_ms : done_ms;
    return now_ms > done_ms ? now_ms : done_ms;
}

static bool apply_record(struct engine *engine, const struct broker_input *input, int64_t now_ms,
                         struct error *error)
{
    struct report_reader reader;
    struct error why = {0};
    const struct runs_place place = {
        .offset = input->offset,
        .log_ms = input->log_time_ms,
        .now = engine_runs_now(engine, acts_ms(engine, input, now_ms))};
    if (outbox_is_full(engine->outbox) && !engine_commit(engine, error)) return false;
    if (run_tick_is(input->value)) return apply_tick(engine, input, &place, error);
    if (check_partition(engine, input, &why) && reports_open(input->value, &reader, &why))
        return apply_each(engine, input, &reader, &place, error);
    bury(engine, input, input->value, &why, place.now);
    return true;
}

static void has_acted(struct engine *engine, const struct broker_input *input)
{
    struct reports *reports = &engine->reports;
    assert(input->offset >= reports->applied);
    runs_read(shard_runs(engine->shard), input->offset);
    reports->applied = input->offset + 1;
    inputs_done(&engine->inputs, input);
    arena_reset(engine->arena);
}

/* ---- all that has been read ---- */

/* The event is of the transaction in which the mark steps over what was lost. */
static bool tell_lost(struct engine *engine, int64_t now_ms, struct error *error)
{
    struct reports *reports = &engine->reports;
    struct sink sink = outbox_sink(engine->outbox);
    struct event event;
    char text[100];
    while (!shard_reports_lost(engine->shard, engine_runs_now(engine, now_ms), &sink))
        if (!engine_commit(engine, error)) return false;
    (void)snprintf(text, sizeof text, "offsets %" PRId64 " to %" PRId64 " of runs: reports, or the "
                   "markers of transactions", reports->lost_from, reports->lost_to - 1);
    event_init(&event, EVENT_REPORTS_LOST, now_ms);
    event.count = reports->lost_to - reports->lost_from;
    event.detail = text_of(text);
    sink.event(sink.opaque, &event);
    observe(engine->ports.observer, OBSERVED_INPUT_CUT, engine->options.shard,
            &(struct observed){.topic = input_name(INPUT_RUNS), .from = reports->lost_from,
                               .to = reports->lost_to - 1,
                               .message = "deleted by retention before this shard had read them: "
                                          "reports, or the markers of transactions"});
    runs_read(shard_runs(engine->shard), reports->lost_to - 1);
    reports->lost_from = reports->lost_to;
    return true;
}

/* Behind the markers that follow the last one, too. */
static void read_to_end(struct engine *engine)
{
    struct reports *reports = &engine->reports;
    int64_t position = inputs_done_to(&engine->inputs, INPUT_RUNS);
    if (position <= reports->applied) return;
    runs_read(shard_runs(engine->shard), position - 1);
    reports->applied = position;
}

bool engine_apply_reports(struct engine *engine, int64_t now_ms, struct error *error)
{
    struct reports *reports = &engine->reports;
    const struct broker_input *input = NULL;
    int64_t began_us = engine_monotonic_us(engine);
    shard_tell_steady(engine->shard, began_us / 1000);
    if (!may_act(engine)) return true;
    if (now_ms < shard_watermark(engine->shard).instant_ms) /* our clock went back */
        now_ms = shard_watermark(engine->shard).instant_ms;
    if (is_lost(reports) && !tell_lost(engine, now_ms, error)) return false;
    while ((input = inputs_next_of(&engine->inputs, INPUT_RUNS)) != NULL) {
        if (engine_monotonic_us(engine) - began_us > WORK_US) return true;
        if (!apply_record(engine, input, now_ms, error)) return false;
        has_acted(engine, input);
    }
    if (engine->inputs.runs) read_to_end(engine);
    if (reports->caught_up || !inputs_runs_caught_up(&engine->inputs)) return true;
    reports->caught_up = true;
    shard_reports_caught_up(engine->shard);
    return true;
}

/* ---- questions, and waiting ---- */

void engine_ask_about_runs(struct engine *engine, int64_t now_ms)
{
    struct reports *reports = &engine->reports;
    assert(engine_rests(engine));
    if (!engine->inputs.runs || is_lost(reports)) return;
    if (reports->inquiry == NULL)
        reports->inquiry = run_inquiry_create(engine->ports.broker, engine->ports.observer,
                                              engine->options.shard);
    run_inquiry_look(reports->inquiry, shard_runs(engine->shard), engine_runs_now(engine, now_ms));
}

int64_t engine_reports_wait_ms(const struct engine *engine, int64_t now_ms)
{
    if (!engine->inputs.runs) return engine->reports.placed ? 0 : INT64_MAX; /* to be read */
    if (inputs_next_of(&engine->inputs, INPUT_RUNS) != NULL && may_act(engine)) return 0;
    int64_t wait_ms = runs_wait_ms(shard_runs(engine->shard), engine_runs_now(engine, now_ms));
    return wait_ms < WAIT_LEAST_MS ? WAIT_LEAST_MS : wait_ms;
}
