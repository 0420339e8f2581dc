/* Of the rig what concerns runs that the shard follows. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
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
    struct shard_rig *rig = opaque;
    (void)report;
    text_writer_format(&rig->log, "dead %.*s/%.*s %s after %d", (int)record->group.length,
                       record->group.bytes, (int)record->id.length, record->id.bytes,
                       run_outcome_word(outcome), record->counted);
    if (rig->speaks_json)
        text_writer_format(&rig->log, " run=%" PRId64 " %.*s", record->runnumber, (int)run.length,
                           run.bytes);
    text_writer_char(&rig->log, '\n');
}

static void on_run_cancel(void *opaque, const struct run_cancel *cancel)
{
    struct shard_rig *rig = opaque;
    int64_t number = cancel->runnumber;
    rig->batch++;
    text_writer_format(&rig->log, "cancel %.*s/%.*s run=%" PRId64 "\n", (int)cancel->group.length,
                       cancel->group.bytes, (int)cancel->id.length, cancel->id.bytes,
                       rig->speaks_json ? number : number & RIG_RUN_MASK);
}

void rig_runs_sink(struct sink *sink)
{
    sink->run_changed = on_run_changed;
    sink->run_ended = on_run_ended;
    sink->run_letter = on_run_letter;
    sink->run_failed = on_run_failed;
    sink->run_cancel = on_run_cancel;
}

void rig_follow_runs(struct shard_rig *rig)
{
    struct runs_start start = {.generation = rig->generation,
                               .epoch = rig->epoch,
                               .owner = text_of("rig"),
                               .next_runnumber = rig->next_runnumber,
                               .read_to = rig->runs_read_to,
                               .now = {rig->now_ms, rig->now_ms}};
    shard_follow_runs(rig->shard, &start);
    if (!rig->reports_unread) shard_reports_caught_up(rig->shard);
}

void rig_reports_caught_up(struct shard_rig *rig, const char *now)
{
    rig->reports_unread = false;
    shard_reports_caught_up(rig->shard);
    rig_step_runs(rig, now);
}

void rig_step_runs(struct shard_rig *rig, const char *now)
{
    struct sink sink = rig_test_sink(rig);
    rig_advance(rig, now);
    struct runs_now runs_now = {rig->now_ms, rig->now_ms};
    while (!shard_step_runs(rig->shard, runs_now, &sink)) rig_test_commit(rig);
    rig_test_commit(rig);
    rig_work_off(rig, rig->now_ms);
}

/* The open run whose newest try has that number, or the oldest one; false: there is none. */
static bool find_run(const struct shard_rig *rig, int64_t number, struct run_view *found)
{
    const struct runs *runs = shard_runs(rig->shard);
    struct run_view view;
    bool any = false;
    for (uint32_t k = 0; runs != NULL && k < runs_top(runs); k++) {
        if (!runs_look(runs, k, &view)) continue;
        if (number != 0 && (view.record.runnumber & RIG_RUN_MASK) != number) continue;
        if (!any || view.record.first_runnumber < found->record.first_runnumber) *found = view;
        any = true;
    }
    return any;
}

int64_t rig_run_of(const struct shard_rig *rig, const char *name)
{
    const struct runs *runs = shard_runs(rig->shard);
    struct run_view view;
    int64_t number = 0;
    int64_t first = INT64_MAX;
    for (uint32_t k = 0; runs != NULL && k < runs_top(runs); k++) {
        if (!runs_look(runs, k, &view) || view.record.state == RUN_STATE_WAITING) continue;
        const struct job *job = view.job_slot == UINT32_MAX
                                    ? NULL : shard_job_at(rig->shard, view.job_slot);
        char whole[512];
        struct text group = job == NULL ? view.record.group : job_group(job);
        struct text id = job == NULL ? view.record.id : job_id(job);
        (void)snprintf(whole, sizeof whole, "%.*s/%.*s", (int)group.length, group.bytes,
                       (int)id.length, id.bytes);
        if (strcmp(whole, name) != 0 || view.record.first_runnumber >= first) continue;
        first = view.record.first_runnumber;
        number = view.record.runnumber & RIG_RUN_MASK;
    }
    return number;
}

size_t rig_open_runs(const struct shard_rig *rig)
{
    return shard_runs(rig->shard) == NULL ? 0 : runs_open_count(shard_runs(rig->shard));
}

int64_t rig_oldest_run(const struct shard_rig *rig)
{
    struct run_view view;
    return find_run(rig, 0, &view) ? view.record.runnumber & RIG_RUN_MASK : 0;
}

static void report(struct shard_rig *rig, const struct run_view *view, const char *word)
{
    struct sink sink = rig_test_sink(rig);
    struct report report = {.run = text_of(view->id),
                            .runnumber = view->record.runnumber,
                            .token = text_of("t"),
                            .workers = view->record.workers,
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
    rig_work_off(rig, rig->now_ms);
}

void rig_report_of(struct shard_rig *rig, int64_t number, const char *now, const char *word)
{
    struct run_view view;
    rig->now_ms = rig_instant(now);
    rig_step_to(rig, rig->now_ms, rig->now_ms);
    rig_test_commit(rig);
    bool found = find_run(rig, number, &view);
    assert(found);
    report(rig, &view, word);
}

void rig_report(struct shard_rig *rig, const char *now, const char *word)
{
    struct run_view view;
    rig_advance(rig, now);
    bool found = find_run(rig, 0, &view);
    assert(found);
    report(rig, &view, word);
}
