/* Fires that go out. That of a job with a lease opens a run, or is the next try of one; what the
 * open runs say goes on to the sink of the shard. A run that is over stays in the way until the
 * shard is between steps of time and commands: what it lets go on must not fire amid them. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/memory.h"

/* ---- what the open runs say ---- */

struct job *shard_job_of_run(const struct shard *shard, const struct run_view *run)
{
    return shard_job_of(shard, (struct job_reference){.ordinal = run->record.ordinal,
                                                      .slot = run->job_slot});
}

static bool is_full(void *opaque)
{
    const struct runs_turn *turn = opaque;
    return turn->sink->full(turn->sink->opaque);
}

static enum run_job say_job(void *opaque, int64_t ordinal, uint32_t job_slot,
                            struct run_terms *terms)
{
    const struct runs_turn *turn = opaque;
    struct definition definition;
    const struct job *job = shard_job_of(
        turn->shard, (struct job_reference){.ordinal = ordinal, .slot = job_slot});
    if (job == NULL) return RUN_JOB_GONE;
    job_view(job, &definition);
    *terms = definition.runs;
    return (job->flags & JOB_STANDS_STILL) != 0 ? RUN_JOB_PAUSED : RUN_JOB_ACTIVE;
}

/* With the names of its job, which are in the view where the job is gone. */
static struct run_record record_of(const struct runs_turn *turn, const struct run_view *run)
{
    struct run_record record = run->record;
    const struct job *job = shard_job_of_run(turn->shard, run);
    if (job != NULL) {
        record.group = job_group(job);
        record.id = job_id(job);
    }
    return record;
}

static void take_changed(void *opaque, const struct run_view *run)
{
    const struct runs_turn *turn = opaque;
    struct run_record record = record_of(turn, run);
    turn->sink->run_changed(turn->sink->opaque, run->k, &record);
}

static void run_event_init(const struct runs_turn *turn, struct event *event,
                           enum event_kind kind, const struct run_view *run, char *incarnation)
{
    struct run_record record = record_of(turn, run);
    event_init(event, kind, turn->now.now_ms);
    event->group = record.group;
    event->id = record.id;
    event->incarnation.bytes = incarnation;
    event->incarnation.length = incarnation_format(&run->record.incarnation, incarnation);
    event->run = text_of(run->id);
    event->run_number = run->record.runnumber;
}

/* Whose slots the run was in the way of: its job's, or those of one that was added again under the
 * name. NULL: nobody's, its job is being deleted or gone. */
static const struct job *job_behind(const struct runs_turn *turn, const struct run_view *run)
{
    if (run->job_slot != UINT32_MAX) return shard_job_of_run(turn->shard, run);
    const struct job *job =
        job_table_find(turn->shard->jobs, run->record.group, run->record.id);
    return job != NULL && job->life.ordinal != run->record.ordinal ? job : NULL;
}

static void say_failed(const struct runs_turn *turn, const struct run_end *end)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    struct run_record record = record_of(turn, end->run);
    run_event_init(turn, &event, EVENT_RUN_FAILED, end->run, incarnation);
    event.detail = text_of(run_outcome_word(end->outcome));
    turn->sink->event(turn->sink->opaque, &event);
    turn->sink->run_failed(turn->sink->opaque, text_of(end->run->id), &record, end->outcome,
                           end->report);
}

static bool take_ended(void *opaque, const struct run_end *end)
{
    const struct runs_turn *turn = opaque;
    struct shard *shard = turn->shard;
    if (end->is_failed) say_failed(turn, end);
    turn->sink->run_ended(turn->sink->opaque, end->run->k);
    const struct job *job = job_behind(turn, end->run);
    if (job == NULL) return false;
    shard->ended = memory_grow(shard->ended, &shard->ended_capacity, shard->ended_count + 1,
                               sizeof *shard->ended);
    shard->ended[shard->ended_count++] = (struct ended_run){
        .job = job_reference_of(job),
        .k = end->run->k,
        .run_number = end->run->record.runnumber,
        .outcome = end->outcome,
        .is_failed = end->is_failed,
        .is_own = end->run->job_slot != UINT32_MAX};
    return true;
}

static void take_withdrawn(void *opaque, const struct run_view *run)
{
    const struct runs_turn *turn = opaque;
    turn->sink->run_ended(turn->sink->opaque, run->k);
}

static void take_fire(void *opaque, const struct run_view *run, struct runs_now now)
{
    const struct runs_turn *turn = opaque;
    struct job *job = shard_job_of_run(turn->shard, run);
    assert(job != NULL && (job->flags & JOB_STANDS_STILL) == 0);
    struct fire_run try = fire_run_of(run);
    struct fire fire = {.job = job,
                        .kind = run->record.kind,
                        .nominal_ms = run->record.nominal_ms,
                        .due_ms = run->record.due_ms,
                        .now_ms = now.now_ms,
                        .attempt = 1,
                        .trigger_id = run->record.trigger_id,
                        .run = &try};
    job->life.fired++;
    turn->sink->fire(turn->sink->opaque, &fire);
}

static void take_event(void *opaque, enum run_event kind, const struct run_view *run,
                       const struct report *report)
{
    (void)report;
    const struct runs_turn *turn = opaque;
    char incarnation[INCARNATION_TEXT_BYTES];
    struct event event;
    run_event_init(turn, &event,
                   kind == RUN_EVENT_DOUBLED ? EVENT_RUN_DOUBLED : EVENT_LATE_SUCCESS, run,
                   incarnation);
    turn->sink->event(turn->sink->opaque, &event);
}

static void take_unknown(void *opaque, const struct report *report)
{
    const struct runs_turn *turn = opaque;
    turn->sink->run_letter(turn->sink->opaque, report, CODE_UNKNOWN_RUN);
}

static void take_cancel(void *opaque, const struct run_view *run)
{
    const struct runs_turn *turn = opaque;
    struct run_record record = record_of(turn, run);
    struct run_cancel cancel = {.group = record.group,
                                .id = record.id,
                                .run = text_of(run->id),
                                .runnumber = record.runnumber,
                                .at_ms = turn->now.now_ms};
    turn->sink->run_cancel(turn->sink->opaque, &cancel);
}

static void take_zombie(void *opaque, const struct report *report)
{
    const struct runs_turn *turn = opaque;
    struct run_cancel cancel = {
        .run = report->run, .runnumber = report->runnumber, .at_ms = turn->now.now_ms};
    turn->sink->run_cancel(turn->sink->opaque, &cancel);
}

struct runs_sink shard_runs_sink(struct runs_turn *turn)
{
    return (struct runs_sink){.opaque = turn,
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
}

struct fire_run fire_run_of(const struct run_view *run)
{
    const struct run_record *record = &run->record;
    return (struct fire_run){.lease_ms = record->lease_ms,
                             .expires_ms = record->expiry_ms,
                             .run_number = record->runnumber,
                             .try_number = record->number,
                             .workers = record->workers,
                             .cursor = record->cursor};
}

/* ---- fires ---- */

/* The runs of a shard whose jobs may have some; made when the first one does. */
struct runs *shard_begin_runs(struct shard *shard)
{
    if (shard->open == NULL && shard->follows_runs) {
        shard->open = runs_create(&shard->config.runs);
        runs_start(shard->open, &shard->runs_start);
    }
    return shard->open;
}

static void open_run(struct shard *shard, const struct fire *fire, const struct sink *sink,
                     struct run_view *view)
{
    struct definition definition;
    struct job *job = fire->job;
    const struct incarnation *import = job_import(job);
    job_view(job, &definition);
    struct run_opening opening = {.ordinal = job->life.ordinal,
                                  .job_slot = job->slot,
                                  .incarnation = job->life.incarnation,
                                  .kind = fire->kind,
                                  .nominal_ms = fire->nominal_ms,
                                  .due_ms = fire->due_ms,
                                  .trigger_id = fire->trigger_id,
                                  .import = {.effective_ms = INCARNATION_NONE_MS},
                                  .terms = &definition.runs};
    if (fire->kind == FIRE_BACKFILL && import != NULL) opening.import = *import;
    struct runs_turn turn = {
        .shard = shard, .sink = sink, .now = {fire->now_ms, shard->steady_ms}};
    const struct runs_sink runs_sink = shard_runs_sink(&turn);
    runs_open(shard->open, &opening, turn.now, &runs_sink, view);
}

/* Apart, so that the fire of a job without a lease does not make room for all this. */
__attribute__((noinline)) static void fire_first_try(struct shard *shard, struct fire *fire,
                                                     const struct sink *sink)
{
    struct run_view view;
    open_run(shard, fire, sink, &view);
    struct fire_run try = fire_run_of(&view);
    fire->run = &try;
    sink->fire(sink->opaque, fire);
    fire->run = NULL;
}

void shard_fire(struct shard *shard, struct fire *fire, const struct sink *sink)
{
    if ((fire->job->flags & JOB_LEASE) == 0 || shard_begin_runs(shard) == NULL)
        sink->fire(sink->opaque, fire);
    else
        fire_first_try(shard, fire, sink);
}

void job_fire(struct shard *shard, struct job *job, enum fire_kind kind, struct job_slot slot,
              int64_t now_ms, int64_t missed_count, int32_t attempt, const struct sink *sink)
{
    job->life.fired++;
    job->life.last_due_ms = slot.nominal_ms;
    struct fire fire = {.job = job,
                        .kind = kind,
                        .nominal_ms = slot.nominal_ms,
                        .due_ms = slot.due_ms,
                        .now_ms = now_ms,
                        .missed_count = missed_count,
                        .attempt = attempt};
    shard_fire(shard, &fire, sink);
}

bool shard_undo_try(struct shard *shard, const struct job *job, int64_t run_number,
                    int64_t retry_ms, int64_t now_ms, const struct sink *sink)
{
    struct runs_turn turn = {.shard = shard, .sink = sink, .now = {now_ms, shard->steady_ms}};
    const struct runs_sink runs_sink = shard_runs_sink(&turn);
    struct run_view view;
    if (shard->open == NULL) return false;
    uint32_t k = shard_runs_in_way(shard, job).own;
    for (; k != UINT32_MAX; k = runs_next_in_way(shard->open, job->life.ordinal, k)) {
        if (!runs_look(shard->open, k, &view) || view.record.runnumber != run_number) continue;
        runs_unfire(shard->open, k, retry_ms, turn.now, &runs_sink);
        return view.record.number > 1;
    }
    return false;
}

/* ---- what happens to jobs ---- */

void shard_stop_run(struct shard *shard, uint32_t k, int64_t now_ms, const struct sink *sink)
{
    struct runs_turn turn = {.shard = shard, .sink = sink, .now = {now_ms, shard->steady_ms}};
    const struct runs_sink runs_sink = shard_runs_sink(&turn);
    (void)runs_cancel(shard->open, k, turn.now, &runs_sink);
}

void shard_runs_of_deleted(struct shard *shard, const struct job *job, int64_t now_ms,
                           const struct sink *sink)
{
    if (shard->open == NULL) return;
    struct runs_turn turn = {.shard = shard, .sink = sink, .now = {now_ms, shard->steady_ms}};
    const struct runs_sink runs_sink = shard_runs_sink(&turn);
    runs_job_deleted(shard->open, job->life.ordinal, job_group(job), job_id(job), turn.now,
                     &runs_sink);
}

void shard_runs_of_resumed(struct shard *shard, const struct job *job)
{
    if (shard->open != NULL) runs_job_resumed(shard->open, job->life.ordinal);
}
