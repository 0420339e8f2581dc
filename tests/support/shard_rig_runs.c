/* Of the rig what concerns runs that the shard follows. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/memory.h"
#include "schemas/run_json.h"
#include "tests/support/shard_rig.h"

static void on_run_changed(void *opaque, uint32_t k, const struct run_record *record)
{
    struct shard_rig *rig = opaque;
    char key[64];
    struct text_writer writer;
    text_writer_init(&writer);
    run_record_encode(&writer, record);
    (void)snprintf(key, sizeof key, "run/%u", k);
    rig_keep(rig, key, memory_copy_text(writer.bytes, writer.length));
    text_writer_free(&writer);
}

static void on_run_ended(void *opaque, uint32_t k)
{
    char key[64];
    (void)snprintf(key, sizeof key, "run/%u", k);
    rig_keep(opaque, key, NULL);
}

static void on_run_letter(void *opaque, const struct report *report, enum error_code code)
{
    struct shard_rig *rig = opaque;
    text_writer_format(&rig->log, "letter %.*s %s\n", (int)report->run.length, report->run.bytes,
                       error_code_word(code));
}

static void on_run_failed(void *opaque, struct text run, const struct run_record *record,
                          enum run_outcome outcome, const struct report *report)
{
    (void)run;
    struct shard_rig *rig = opaque;
    (void)report;
    text_writer_format(&rig->log, "dead %.*s/%.*s %s after %d\n", (int)record->group.length,
                       record->group.bytes, (int)record->id.length, record->id.bytes,
                       run_outcome_word(outcome), record->counted);
}

static void on_run_cancel(void *opaque, const struct run_cancel *cancel)
{
    struct shard_rig *rig = opaque;
    text_writer_format(&rig->log, "cancel %.*s/%.*s %.*s\n", (int)cancel->group.length,
                       cancel->group.bytes, (int)cancel->id.length, cancel->id.bytes,
                       (int)cancel->run.length, cancel->run.bytes);
}

void rig_runs_sink(struct sink *sink)
{
    sink->run_changed = on_run_changed;
    sink->run_ended = on_run_ended;
    sink->run_letter = on_run_letter;
    sink->run_failed = on_run_failed;
    sink->run_cancel = on_run_cancel;
}

void rig_step_runs(struct shard_rig *rig, const char *now)
{
    struct sink sink = rig_test_sink(rig);
    rig_advance(rig, now);
    struct runs_now runs_now = {rig->now_ms, rig->now_ms};
    while (!shard_step_runs(rig->shard, runs_now, &sink)) rig_test_commit(rig);
    rig_test_commit(rig);
}

/* The oldest open run; false: none is. */
static bool oldest_run(const struct shard_rig *rig, struct run_view *oldest)
{
    const struct runs *runs = shard_runs(rig->shard);
    struct run_view view;
    bool found = false;
    for (uint32_t k = 0; runs != NULL && k < runs_top(runs); k++) {
        if (!runs_look(runs, k, &view)) continue;
        if (!found || view.record.first_runnumber < oldest->record.first_runnumber)
            *oldest = view;
        found = true;
    }
    return found;
}

void rig_report(struct shard_rig *rig, const char *now, const char *word)
{
    struct sink sink = rig_test_sink(rig);
    struct run_view view;
    rig_advance(rig, now);
    bool found = oldest_run(rig, &view);
    assert(found);
    struct report report = {.run = text_of(view.id),
                            .runnumber = view.record.runnumber,
                            .token = text_of("t"),
                            .workers = view.record.workers,
                            .topic = text_of("work"),
                            .exit_code = -1,
                            .retry_after_ms = -1};
    bool known = report_find(text_of(word), &report.kind, &report.outcome);
    assert(known);
    struct runs_place place = {
        .offset = rig->runs_read_to, .log_ms = rig->now_ms, .now = {rig->now_ms, rig->now_ms}};
    shard_report(rig->shard, &place, &report, &sink);
    runs_read(shard_runs(rig->shard), place.offset);
    rig_test_commit(rig);
}
