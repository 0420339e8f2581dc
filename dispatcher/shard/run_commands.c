#include "dispatcher/shard/run_commands.h"

#include <assert.h>

#include "dispatcher/shard/shard_state.h"

static bool refuse(struct answer *answer, const struct job *job, enum error_code code,
                   const char *field, struct text run, const char *sentence)
{
    struct text name = job_name(job);
    answer_add_error(answer, job_group(job), job_id(job), false, code, field,
                     "%.*s: the run %.*s %s", (int)name.length, name.bytes, (int)run.length,
                     run.bytes, sentence);
    return false;
}

/* ---- cancel ---- */

/* An open run of the job, or of a deleted one of its name. */
static bool is_of(const struct job *job, const struct run_view *run)
{
    const struct run_record *record = &run->record;
    return record->ordinal == job->life.ordinal ||
           (text_equal(record->group, job_group(job)) && text_equal(record->id, job_id(job)));
}

/* What a cancel changes: one that waits ends, others are asked once. */
static bool is_to_stop(const struct shard *shard, const struct job *job, uint32_t k)
{
    struct run_view run;
    return runs_look(shard->open, k, &run) && is_of(job, &run) &&
           (run.record.state == RUN_STATE_WAITING || !run.record.cancel_asked);
}

/* The named one, or each that is in the way of the job's slots; UINT32_MAX: none. */
static uint32_t first_of(const struct shard *shard, const struct job *job, struct text run)
{
    if (shard->open == NULL) return UINT32_MAX;
    return run.length > 0 ? runs_find(shard->open, run) : shard_runs_in_way(shard, job).oldest;
}

static uint32_t next_of(const struct shard *shard, const struct job *job, struct text run,
                        uint32_t k)
{
    return run.length > 0 ? UINT32_MAX : runs_next_in_way(shard->open, job->life.ordinal, k);
}

bool runs_can_cancel(const struct shard *shard, const struct job *job, struct text run)
{
    uint32_t k = first_of(shard, job, run);
    while (k != UINT32_MAX && !is_to_stop(shard, job, k)) k = next_of(shard, job, run, k);
    return k != UINT32_MAX;
}

void runs_cancel_of(struct shard *shard, const struct job *job, struct text run, int64_t now_ms,
                    const struct sink *sink)
{
    uint32_t k = first_of(shard, job, run);
    while (k != UINT32_MAX) {
        uint32_t next = next_of(shard, job, run, k);
        if (is_to_stop(shard, job, k)) shard_stop_run(shard, k, now_ms, sink);
        k = next;
    }
}

/* ---- one run more ---- */

/* The oldest one of the job's name. One that is over, and has not been let go yet, is in the way of
 * slots alone. */
static bool find_open(const struct shard *shard, const struct job *job, struct run_view *run)
{
    uint32_t k = shard_runs_in_way(shard, job).oldest;
    while (k != UINT32_MAX && !runs_look(shard->open, k, run))
        k = runs_next_in_way(shard->open, job->life.ordinal, k);
    return k != UINT32_MAX;
}

bool runs_can_open(const struct shard *shard, struct answer *answer, const struct job *job,
                   const struct application *application, const struct job_plan *plan,
                   struct text run)
{
    struct text name = job_name(job);
    struct run_view in_way;
    if (plan->is_full) {
        answer_add_error(answer, job_group(job), job_id(job), false, CODE_TOO_MANY, "",
                         "%.*s: as many runs are open as may be, 1000 of a job and runs.open_max "
                         "of a shard; try again when one has ended",
                         (int)name.length, name.bytes);
        return false;
    }
    bool is_alone = (job->flags & JOB_OVERLAP) != 0 && !application->command->overlap_allowed;
    if (is_alone && find_open(shard, job, &in_way)) {
        answer_add_error(answer, job_group(job), job_id(job), false, CODE_OVERLAP, "/overlap",
                         "%.*s: the run %s is open, and the job's overlap policy allows no other "
                         "beside it; wait for its end, or say \"overlap\": \"allow\"",
                         (int)name.length, name.bytes, in_way.id);
        return false;
    }
    if (shard->open == NULL || runs_find(shard->open, run) == UINT32_MAX) return true;
    return refuse(answer, job, CODE_RUN_OPEN, "", run, "is open; wait for its end, or cancel it");
}

/* ---- requeue: is there anything to do ---- */

/* Whether that slot of a schedule is one of those due in (from_ms, to_ms]. */
static bool is_within(const struct schedule_spec *spec, int64_t nominal_ms, int64_t from_ms,
                      int64_t to_ms)
{
    if (schedule_is_unknown(spec) || !schedule_names(spec, nominal_ms)) return false;
    int64_t due_ms = schedule_due(spec, nominal_ms);
    return due_ms > from_ms && due_ms <= to_ms;
}

static bool is_owed(const struct job *job, int64_t nominal_ms)
{
    const struct ledger *ledger = &job->extra->ledger;
    struct terms terms = job_terms(job);
    for (size_t i = 0; i < ledger_waiting(ledger); i++)
        if (ledger_waiting_slot(ledger, i).nominal_ms == nominal_ms) return true;
    for (uint32_t i = 0; i < ledger_count(ledger); i++) {
        const struct debt *debt = ledger_debt(ledger, i);
        if (debt->kind == DEBT_SLOT ? debt->slot.nominal_ms == nominal_ms
                                    : is_within(debt_spec(debt, &terms), nominal_ms,
                                                debt_from_ms(debt), debt_to_ms(debt)))
            return true;
    }
    int64_t tail_ms = ledger_tail_from_ms(ledger);
    return tail_ms != INSTANT_NONE && ledger_tail_keeps(ledger) != TAIL_KEEPS_NONE &&
           is_within(terms.spec, nominal_ms, tail_ms, INT64_MAX);
}

/* Its own fire comes, or may: there would be two runs of one id. */
static bool is_to_come(const struct shard *shard, const struct job *job, int64_t nominal_ms)
{
    int64_t done_ms = shard_slots_done_ms(shard);
    if (nominal_ms > done_ms) return true;
    if ((job->flags & JOB_ZONELESS) != 0 && nominal_ms > job->extra->state.zone_missing_ms)
        return true;
    return is_within(&job->schedule->spec, nominal_ms, done_ms, INT64_MAX) ||
           (job->extra != NULL && is_owed(job, nominal_ms));
}

static bool same_import(const struct job *job, const struct incarnation *import)
{
    const struct incarnation *own = job_import(job);
    bool given = import->effective_ms != INCARNATION_NONE_MS;
    return own == NULL ? !given : given && incarnation_compare(own, import) == 0;
}

/* What its id says of a run that is not open. */
static bool check_identity(const struct shard *shard, struct answer *answer,
                           const struct job *job, struct text run,
                           const struct run_identity *identity)
{
    if (incarnation_compare(&identity->incarnation, &job->life.incarnation) != 0)
        return refuse(answer, job, CODE_NOT_FOUND, "/run", run,
                      "is of another job, or of an earlier life of this one");
    bool comes = false;
    if (identity->kind == FIRE_BACKFILL) {
        if (!job_has_had_backfill(job, backfill_hash(identity->trigger_id)) ||
            !same_import(job, &identity->import))
            return refuse(answer, job, CODE_NOT_FOUND, "/run", run,
                          "is of a backfill that the job has not had");
        const struct job_backfill *backfill = backfill_find(job, identity->trigger_id);
        comes = backfill != NULL && identity->nominal_ms > debt_from_ms(&backfill->debt) &&
                identity->nominal_ms <= debt_to_ms(&backfill->debt);
    } else if (identity->kind == FIRE_SCHEDULE) {
        comes = is_to_come(shard, job, identity->nominal_ms);
    }
    return !comes || refuse(answer, job, CODE_RUN_OPEN, "/run", run,
                            "has not begun: its slot is still to be fired");
}

bool requeue_check(const struct shard *shard, struct answer *answer, const struct job *job,
                   const struct application *application, struct job_plan *plan)
{
    struct text run = application->command->run;
    struct run_view open;
    bool parsed = run_id_parse(run, &plan->run);
    assert(parsed);
    (void)parsed;
    plan->run_k = shard->open == NULL ? UINT32_MAX : runs_find(shard->open, run);
    if (plan->run_k != UINT32_MAX && runs_look(shard->open, plan->run_k, &open) &&
        is_of(job, &open)) {
        plan->changes = open.record.retry_at_ms > application->now_ms;
        return open.record.state == RUN_STATE_WAITING ||
               refuse(answer, job, CODE_RUN_OPEN, "/run", run,
                      "is open, and a try of it is out; wait for its end, or cancel it");
    }
    if ((job->flags & JOB_LEASE) == 0)
        return refuse(answer, job, CODE_LEASE_REQUIRED, "", run,
                      "cannot come again: the job has no lease; trigger it instead");
    if (!check_identity(shard, answer, job, run, &plan->run)) return false;
    return runs_can_open(shard, answer, job, application, plan, run);
}

/* ---- requeue: doing it ---- */

void requeue(struct shard *shard, struct job *job, const struct job_plan *plan,
             const struct application *application, const struct sink *sink)
{
    const struct run_identity *run = &plan->run;
    if (plan->run_k != UINT32_MAX) {
        struct runs_turn turn = {
            .shard = shard, .sink = sink, .now = {application->now_ms, shard->steady_ms}};
        const struct runs_sink runs_sink = shard_runs_sink(&turn);
        runs_hasten(shard->open, plan->run_k, turn.now, &runs_sink);
        return;
    }
    int64_t nominal_ms =
        run->nominal_ms == INSTANT_NONE ? application->effective_ms : run->nominal_ms;
    struct fire fire = {.job = job,
                        .kind = run->kind,
                        .nominal_ms = nominal_ms,
                        .due_ms = nominal_ms,
                        .now_ms = application->now_ms,
                        .attempt = 1,
                        .trigger_id = run->trigger_id,
                        .is_requeued = true};
    job->life.fired++;
    shard_fire(shard, &fire, sink);
}
