/* shard_state.h - the inside of a shard, shared by the files that make up its state machine:
 * shard.c (life, restoring), advance.c (slots coming due), lane.c (owed slots, which a ledger.h
 * keeps), backfill.c (past ranges), job_facts.c (what is asked about one job), job_change.c (what
 * can happen to it), overdue.c (what becomes of owed slots), held.c (fires that may not go out
 * yet), job_runs.c (runs that end), apply.c and apply_select.c (commands).
 * A file uses only those that do not use it, directly or over others. */
#ifndef BELFRY_SHARD_SHARD_STATE_H
#define BELFRY_SHARD_SHARD_STATE_H

#include "dispatcher/jobs/alarms.h"
#include "dispatcher/jobs/job.h"
#include "dispatcher/jobs/job_queue.h"
#include "dispatcher/jobs/job_table.h"
#include "dispatcher/jobs/timers.h"
#include "dispatcher/shard/seen_table.h"
#include "dispatcher/shard/shard.h"

struct due_list { /* a schedule with jobs due at the instant under way */
    struct schedule *schedule;
    uint32_t at; /* in its list of jobs */
    bool has_next;
    int64_t next_ms;
};

struct lane { /* how the catch-up lane stands; not kept over restarts */
    int64_t ran_ms;   /* up to when it has been given its rate */
    int64_t rest;     /* and thousandths of a late fire that it could not use */
    int64_t turn_ms;  /* when it had its last turn */
    bool goes_on;     /* that turn left work, or a run has ended since that a backfill waited for */
    int64_t joined;   /* slots that came due in time behind owed ones, not made up for yet */
    int64_t slots;    /* owed by the jobs in it, as far as they were counted */
    int64_t then_ms;  /* when this was noted; INSTANT_NONE: it had nothing to do */
    int64_t then_slots;
};

struct ended_run { /* it stays in the way until the shard is between steps */
    struct job_reference job;
    uint32_t k;
    int64_t run_number; /* of its last try */
    enum run_outcome outcome;
    bool is_failed;
    bool is_own; /* not one of a deleted job of the name */
};

struct shard {
    struct shard_config config;
    struct job_table *jobs;
    struct timers *timers;
    struct alarms alarms;  /* ends of pauses, ends of keeping */
    size_t alarms_tidy_at; /* with so many, those that nobody wants any more are dropped */
    struct alarms retries; /* of failing jobs */
    struct seen_table *seen;
    struct runs *open; /* NULL: no run was ever open */
    bool follows_runs;
    struct runs_start runs_start; /* of an owner who follows them */
    char runs_owner[OWNER_BYTES_MAX];
    int64_t steady_ms; /* of the step under way */
    struct ended_run *ended; /* runs that are over, what waited for them has not gone on yet */
    size_t ended_count;
    size_t ended_capacity;
    bool reports_unread; /* those that were in the log at the take-over */
    struct job_queue unread;   /* jobs whose slots wait for that */
    struct job_queue roomless; /* jobs that wait until fewer runs are open: one slot of each goes */
    struct watermark watermark;
    int64_t next_ordinal;
    struct job_queue lane;      /* jobs whose next owed slot is late: one slot of each in turn */
    struct job_queue lane_new;  /* jobs that the lane looks at first: some are not late at all */
    struct lane lane_state;
    struct job_queue undecided; /* jobs with owed slots the policy has to decide about */
    struct job_queue zoneless;  /* set aside or taken back just now: records have to say so */
    struct job_queue zone_data; /* jobs whose records have to say what other zone data leaves out */
    struct job_queue backfills; /* jobs with a backfill to be worked off */
    struct in_command in_command;
    struct job_reference *targets; /* jobs of the command under way, by ordinal */
    size_t target_count;
    size_t target_at;
    struct due_list *due; /* scratch of advance.c */
    size_t due_capacity;
    struct answer *answer; /* scratch of answer.c */
};

/* ---- job_facts.c ---- */

/* The job a reference names, or NULL when it is gone. */
struct job *shard_job_of(const struct shard *shard, struct job_reference reference);
struct job_reference job_reference_of(const struct job *job);
/* Up to where slots have come due. A half-done instant is walked again from its ordinal, so its
 * slots still count as to come. */
int64_t shard_slots_done_ms(const struct shard *shard);

/* The first slot after after_ms that start and end allow. */
bool job_next_slot(const struct definition *definition, int64_t after_ms, int64_t *next_ms);
/* Whether it is due once only, at an instant that has come. */
bool job_once_passed(const struct definition *definition, int64_t effective_ms);
/* The slots of a new job, its definition settled, are those due after the result: their nominal
 * time is later than effective_ms. */
int64_t job_new_slots_after_ms(const struct definition *definition, int64_t effective_ms);
/* Whether any slot is due after after_ms; a one-shot in the past is judged by the catch-up
 * policy. */
bool job_ever_fires(const struct definition *definition, int64_t after_ms);
/* Whether a slot is due after after_ms, a pending one included. */
bool job_has_slot_after(const struct job *job, int64_t after_ms);
/* Whether nothing more comes of it: neither paused nor finished, it owes nothing and has no slot
 * after after_ms. */
bool job_is_spent(const struct job *job, int64_t after_ms);
/* The add or import, or the last edit of the schedule: the job's slots here come after it. */
int64_t job_since_ms(const struct job *job);
/* The slots due after the result are those due after after_ms whose nominal time is later than the
 * add and the last edit of the schedule: jitter must not bring back what was before. Nor must other
 * zone data. */
int64_t job_slots_after_ms(const struct job *job, int64_t after_ms);
/* The same of a range that is owed: what other zone data leaves out has been cut off it. */
int64_t job_owed_after_ms(const struct job *job, int64_t after_ms);
/* Which instants of the present schedule are the job's, for its ledger. */
struct terms job_terms(const struct job *job);
bool job_has_max_fires(const struct job *job);
/* Whether max_fires has been reached. */
bool job_fires_used_up(const struct job *job);
/* Whether job_finish() leaves the job there for a while. */
bool job_keeps_when_finished(const struct shard *shard, const struct job *job);

/* Runs of the job, and those of deleted ones of its name: open, or ended since the shard was last
 * between steps. */
struct runs_in_way shard_runs_in_way(const struct shard *shard, const struct job *job);
bool shard_has_runs(const struct shard *shard, const struct job *job);

/* Whether slots are left out, as far as the schedule is known, because a run is in their way. */
bool job_leaves_out(const struct job *job);
/* When that is to be said at the latest; INSTANT_NONE: never. */
int64_t job_tell_ms(const struct job *job);

/* An event about a job, filled with its names. `incarnation_text` has to outlive the event. */
void job_event_init(struct event *event, enum event_kind kind, const struct job *job,
                    int64_t at_ms, char *incarnation_text);
/* Names slots that will not be published: missed or skipped. */
void job_announce(struct job *job, enum event_kind kind, int64_t at_ms, int64_t first_ms,
                  int64_t last_ms, int64_t count, enum event_reason reason,
                  const struct sink *sink);
/* Slots in (from_ms, at_ms], which nobody knows without the time zone, will not fire. The job's own
 * have no backfill_id. */
void job_announce_unknown(const struct job *job, int64_t from_ms, int64_t at_ms,
                          struct text backfill_id, const struct sink *sink);

/* ---- shard_fires.c ---- */

/* A call into the open runs: what they say goes to the shard's sink. */
struct runs_turn {
    struct shard *shard;
    const struct sink *sink;
    struct runs_now now;
};
struct runs_sink shard_runs_sink(struct runs_turn *turn);
struct fire_run fire_run_of(const struct run_view *run);
/* NULL: it is gone. */
struct job *shard_job_of_run(const struct shard *shard, const struct run_view *run);
/* Puts out a fire: that of a job with a lease opens a run. */
void shard_fire(struct shard *shard, struct fire *fire, const struct sink *sink);
/* The same of one slot, which is counted. */
void job_fire(struct shard *shard, struct job *job, enum fire_kind kind, struct job_slot slot,
              int64_t now_ms, int64_t missed_count, int32_t attempt, const struct sink *sink);
/* The fire of that try could not be produced. True: it was not the first of its run, which goes out
 * again at retry_ms; else the run has never been. */
bool shard_undo_try(struct shard *shard, const struct job *job, int64_t run_number,
                    int64_t retry_ms, int64_t now_ms, const struct sink *sink);
/* Asks an open run to stop; one that waits for a retry ends. */
void shard_stop_run(struct shard *shard, uint32_t k, int64_t now_ms, const struct sink *sink);
void shard_runs_of_deleted(struct shard *shard, const struct job *job, int64_t now_ms,
                           const struct sink *sink);
/* It does not stand still any more: retries that waited for that go out in the next step. */
void shard_runs_of_resumed(struct shard *shard, const struct job *job);

/* ---- job_change.c: each keeps timers, alarms, lane and records in agreement ---- */

/* Those that may end the job return what is left of it: NULL where it is gone.
 *
 * Adds a job at effective_ms; the caller has given an `every` its anchor.
 *   place  where the add stands: the job's incarnation, unless the definition brings one, which
 *          then goes on: no slot with a nominal time up to effective_ms is the job's here */
struct job *job_add(struct shard *shard, const struct definition *definition,
                    const struct incarnation *place, int64_t effective_ms,
                    const struct sink *sink) __attribute__((warn_unused_result));
/* Gives the job the merged definition, an `every` with its anchor; a changed schedule starts
 * after effective_ms. */
struct job *job_update(struct shard *shard, struct job *job, const struct definition *definition,
                       int64_t effective_ms, int64_t now_ms, const struct sink *sink)
    __attribute__((warn_unused_result));
void job_pause(struct shard *shard, struct job *job, int64_t effective_ms, int64_t until_ms,
               struct text reason, int64_t now_ms, const struct sink *sink);
/* from_ms: slots after it, missed in the pause, are owed; effective_ms for none of them. */
struct job *job_resume(struct shard *shard, struct job *job, int64_t effective_ms,
                       int64_t from_ms, int64_t now_ms, const struct sink *sink)
    __attribute__((warn_unused_result));
void job_delete(struct shard *shard, struct job *job, int64_t effective_ms,
                const struct sink *sink);
/* No slot will come any more: event, state finished, deleted when its keeping ends. */
struct job *job_finish(struct shard *shard, struct job *job, int64_t at_ms,
                       const struct sink *sink) __attribute__((warn_unused_result));
/* Its last fire has failed: slots come due again. */
void job_unfinish(struct shard *shard, struct job *job);
/* Takes it out of everything and frees it; says nothing. */
void job_remove(struct shard *shard, struct job *job);

/* Lists the job where its present state belongs: timers, alarms, lane. After restoring. */
void job_settle(struct shard *shard, struct job *job);

/* ---- job_alarms.c ---- */

/* Whether the alarm is still the job's. */
bool shard_alarm_holds(const struct shard *shard, const struct alarm *alarm);
/* The job is to be looked at when its pause or its keeping ends, a waiting slot is due, or what is
 * left out is to be named. */
void job_set_alarm(struct shard *shard, const struct job *job);
/* A job is gone; so are its alarms, where many are. */
void shard_alarms_of_gone(struct shard *shard);

/* ---- catchup.c ---- */

struct verdict {
    int64_t keep_from_ms; /* slots after it are fired */
    enum event_reason reason;   /* why those up to it are not */
};

/* A slot that is late by no more than misfire_grace is not late: it just fires, however old its
 * nominal time is by then. */
bool job_is_late(const struct job *job, int64_t due_ms, int64_t now_ms);
bool catchup_is_late(const struct catchup *catchup, int64_t due_ms, int64_t now_ms);
/* Late, and older than the job's window. */
bool catchup_is_too_old(const struct catchup *catchup, struct job_slot slot, int64_t now_ms);
/* The slots due up to the result are those that are too old. */
int64_t catchup_too_old_ms(const struct catchup *catchup, const struct schedule_spec *spec,
                           int64_t now_ms);
/* Judges the slots due in (from_ms, to_ms] as of now_ms. */
struct verdict catchup_judge(const struct definition *definition, int64_t from_ms, int64_t to_ms,
                             int64_t now_ms);

/* ---- pending.c ---- */

/* Whether the definition names the slot, too. */
bool pending_is_named(const struct definition *definition, struct job_slot slot);
/* Before an edit: the slot of the present schedule whose nominal time has come and whose due time
 * has not. There is one at most: no delay reaches the next slot. False: none. */
bool pending_at_edit(const struct job *job, int64_t effective_ms, struct job_slot *slot);
/* After it: what waits, and the `present` slot (NULL: none), go on as the ledger decides. True: one
 * is the new schedule's one-shot. */
bool pending_keep(struct job *job, const struct job_slot *present, int64_t effective_ms,
                  const struct sink *sink);
/* After an edit of start or end alone: the present schedule's slot stays in the timer index. */
void pending_recheck(struct job *job, const struct job_slot *present, int64_t effective_ms,
                     const struct sink *sink);
/* What still waits for its delay when the job ends is named, not fired. */
void pending_abandon(struct job *job, int64_t at_ms, enum event_reason reason,
                     const struct sink *sink);
/* Whether one of the job's pending slots is due at at_ms. */
bool shard_pending_rings(const struct job *job, int64_t at_ms);

/* ---- lane.c ---- */

/* A live slot that comes too late to just fire: it and all later ones are owed. */
void lane_owe(struct shard *shard, struct job *job, int64_t nominal_ms, const struct sink *sink);
/* A late slot of a job that owes already: judged apart from what was decided before. */
void lane_owe_more(struct shard *shard, struct job *job, int64_t nominal_ms,
                   const struct sink *sink);
/* The catch-up policy decides about the job's undecided tail, up to to_ms. */
void lane_decide(struct job *job, int64_t to_ms, int64_t now_ms, const struct sink *sink);
/* Opens a range the policy has to decide about at once (resume from, a past `at`). */
void lane_open(struct job *job, int64_t from_ms, int64_t to_ms, int64_t now_ms,
               const struct sink *sink);
/* The tail becomes a closed range up to to_ms, under the present schedule. Where there are too many
 * debts, an event at at_ms names what is dropped. */
void lane_close_tail(struct job *job, int64_t to_ms, int64_t at_ms, const struct sink *sink);
/* A pause follows: what the policy has not decided about up to to_ms is decided, and the tail ends
 * there. */
void lane_pause(struct job *job, int64_t to_ms, int64_t now_ms, const struct sink *sink);
/* An edit of the schedule, or of start or end, follows: nothing that is owed by to_ms changes with
 * it. The tail goes on behind, by what the job is then. */
void lane_edit(struct job *job, int64_t to_ms, int64_t now_ms, const struct sink *sink);
/* max_fires was lowered below what has been fired: one event names what is still owed. */
void lane_cut(struct shard *shard, struct job *job, int64_t at_ms, const struct sink *sink);
/* What is owed will not be fired: one event says so. */
void lane_drop(struct shard *shard, struct job *job, int64_t at_ms, enum event_reason reason,
               const struct sink *sink);
/* max_fires is used up: what is still owed is no longer due. Of a job whose last fire may yet fail
 * it is put aside until then. */
void lane_end(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink);
void lane_release(struct shard *shard, struct job *job); /* nothing is owed; says nothing */
void lane_enqueue(struct shard *shard, struct job *job);
/* The next decision looks at the job. */
void lane_ask(struct shard *shard, struct job *job);
/* The job's next owed slot; what has nothing left is dropped on the way. */
bool lane_next(struct shard *shard, struct job *job, int64_t now_ms, struct job_slot *slot,
               const struct sink *sink);
/* Catch-up that was announced ends here, before its last slot. */
void lane_finish_catchup(struct job *job, int64_t now_ms, const struct sink *sink);
/* The next owed slot is too old: one event names it and the others of its range that are. */
void lane_give_up(struct shard *shard, struct job *job, struct job_slot slot,
                  const struct catchup *catchup, enum event_reason reason, int64_t now_ms,
                  const struct sink *sink);
/* Fires the job's next owed slot; ends what max_fires ends. */
void lane_fire_slot(struct shard *shard, struct job *job, enum fire_kind kind,
                    struct job_slot slot, int64_t now_ms, const struct sink *sink);

/* The job has slots for the lane to fire; or what it owes has changed. */
void lane_enter(struct shard *shard, struct job *job);
/* A slot of a job that owes came due in time: it queues behind, and brings its own allowance. */
void lane_join(struct shard *shard, struct job *job);
/* Counts what the job owes; the lane has it from now on. */
void lane_count(struct shard *shard, struct job *job);
/* What the job owes is no longer the lane's. */
void lane_uncount(struct shard *shard, struct job *job);

/* ---- job_runs.c ---- */

/* Runs that are over are in nobody's way any more, and what waited for them goes on. Between steps
 * of time and commands. */
void shard_settle_ended(struct shard *shard, int64_t now_ms, const struct sink *sink);

/* ---- held.c ---- */

/* The ends of open runs of the job may stand in the log unread. */
bool shard_awaits_reports(const struct shard *shard, const struct job *job);
/* As many runs are open as may be, or other jobs wait for that already. */
bool shard_lacks_room(const struct shard *shard, const struct job *job);
/* Whether the job may open one more run, behind so many that will be opened before. */
bool shard_has_room(const struct shard *shard, const struct job *job, int64_t before);
/* The job has something to fire. True: it is held, and looked at again when that is over. */
bool shard_hold(struct shard *shard, struct job *job);
/* What waited for room may go on. */
bool shard_has_turns(const struct shard *shard);
/* Takes out the job whose turn it is; NULL: the next one is not there any more. */
struct job *shard_take_turn(struct shard *shard);

/* ---- overlap.c ---- */

/* A slot of the job has come due in time at due_ms. True: a run is in its way, it is owed or left
 * out. */
bool overlap_meets(struct shard *shard, struct job *job, int64_t due_ms, const struct sink *sink);
/* The same of one that has waited for its delay over an edit. */
bool overlap_meets_pending(struct shard *shard, struct job *job, struct job_slot slot, bool late,
                           int64_t now_ms, const struct sink *sink);
/* Asks the runs in the job's way to stop, if that was put off. */
void overlap_ask(struct shard *shard, struct job *job, int64_t now_ms, const struct sink *sink);
/* What is left out up to to_ms is named. True: the job has changed. */
bool overlap_tell(struct shard *shard, struct job *job, int64_t to_ms, int64_t at_ms,
                  const struct sink *sink);
/* The same, and what comes behind to_ms is not left out: the run in the way ends, or the job is
 * changed. */
bool overlap_settle(struct shard *shard, struct job *job, int64_t to_ms, int64_t at_ms,
                    const struct sink *sink);

/* ---- overdue.c ---- */

/* What has left the window while a run was in its way is not fired any more. */
void lane_give_up_old(struct shard *shard, struct job *job, int64_t now_ms,
                      const struct sink *sink);
/* The next slot that is owed goes out, if there is one; what is left is the lane's. */
struct job *lane_take_turn(struct shard *shard, struct job *job, int64_t now_ms,
                           const struct sink *sink) __attribute__((warn_unused_result));
/* No run is in the way of the job's slots any more: the same, or its turn is later.
 *   changed  its record has to be written in any case */
struct job *lane_go_on(struct shard *shard, struct job *job, bool changed, int64_t now_ms,
                       const struct sink *sink) __attribute__((warn_unused_result));
/* As in job_change.c, those that may end the job return what is left of it.
 *
 * Tries the failing job's next owed slot again, and lists the job if it owes more. */
struct job *lane_retry(struct shard *shard, struct job *job, int64_t now_ms,
                       const struct sink *sink) __attribute__((warn_unused_result));
/* Nothing is owed any more: the job's slots are live again. */
struct job *lane_leave(struct shard *shard, struct job *job, int64_t now_ms,
                       const struct sink *sink) __attribute__((warn_unused_result));
/* The pending slot due at due_ms is fired, or announced when it is too late for that. */
struct job *job_fire_pending(struct shard *shard, struct job *job, int64_t due_ms, int64_t now_ms,
                             const struct sink *sink) __attribute__((warn_unused_result));

/* ---- zoneless.c ---- */

/* After restoring: sets the job aside, or lets it owe what came due while it was. */
void zoneless_restore(struct shard *shard, struct job *job);
/* Records of jobs just set aside, before time passes. False: the transaction is full. */
bool zoneless_write(struct shard *shard, const struct sink *sink);
/* A command ends what the job owes: an event names the interval. What it owed before goes, too. */
void zoneless_end(struct shard *shard, struct job *job, int64_t at_ms, const struct sink *sink);
/* The same of an update to `next`, where that is another schedule or has other bounds in the time
 * that is not known. False: what is owed stays owed. */
bool zoneless_edit(struct shard *shard, struct job *job, const struct definition *next,
                   bool rescheduled, int64_t at_ms, const struct sink *sink);

/* ---- zone_data.c ---- */

/* The zone data by which the job's slots are computed is other than it was until changed_ms: one
 * that waits for its delay and may have fired by the other data does not fire. */
void zone_data_changed(struct shard *shard, struct job *job, int64_t changed_ms);
/* Names such slots and writes the records, before time passes. False: the transaction is full. */
bool zone_data_write(struct shard *shard, int64_t now_ms, const struct sink *sink);

/* ---- backfill.c ---- */

/* The id under which a backfill command works: its own, or the command's. */
struct text command_backfill_id(const struct command *command);
struct job_backfill *backfill_find(const struct job *job, struct text id); /* NULL: none */
bool backfill_is_full(const struct job *job); /* there is room for no further one */
/* Cuts (from, to] to the slots the job's schedule has there; false: there is none. */
bool backfill_range(const struct job *job, int64_t *from_ms, int64_t *to_ms);
/* How many slots there are in such a range: by nominal time, a backfill waits for no delay. */
int64_t backfill_slots(const struct job *job, int64_t from_ms, int64_t to_ms);
/* Opens the range (from, to], which ends with a slot. The id must be new. */
void backfill_open(struct shard *shard, struct job *job, const struct command *command,
                   int64_t from_ms, int64_t to_ms, int64_t at_ms, const struct sink *sink);
/* Adds an empty one, for restoring; the caller fills it. */
struct job_backfill *backfill_push(struct job *job, struct text id);
/* Ends one, or all: an event for each says what will not be fired. Without its time zone that is an
 * interval, also where one slot of it is known. */
void backfill_cancel(struct shard *shard, struct job *job, struct job_backfill *backfill,
                     int64_t at_ms, enum event_reason reason, const struct sink *sink);
void backfill_drop(struct shard *shard, struct job *job, int64_t at_ms, enum event_reason reason,
                   const struct sink *sink);
void backfill_release(struct shard *shard, struct job *job); /* frees them, says nothing */
void backfill_enqueue(struct shard *shard, struct job *job);
/* What kept it from firing is over; the alarm of a retry may have rung meanwhile. */
void backfill_resume(struct shard *shard, struct job *job);
/* A run of the job is over: a backfill that waited for it need not wait for a whole turn, too. */
void backfill_go_on(struct shard *shard, struct job *job);
/* Fires what the rates allow, at most *allowance, which shrinks. */
void backfill_run(struct shard *shard, int64_t now_ms, int64_t *allowance,
                  const struct sink *sink);
/* A fire could not be produced: its slot is fired again at retry_ms. */
void backfill_failed(struct shard *shard, struct job *job, const struct failed_fire *failed,
                     int64_t retry_ms, const struct sink *sink);
/* A backfill of the job that is to be retried at alarm_ms; NULL: none. */
struct job_backfill *backfill_to_retry(const struct job *job, int64_t alarm_ms);
/* Tries again what was to be retried at alarm_ms; false: nothing was. */
bool backfill_retry(struct shard *shard, struct job *job, int64_t alarm_ms, int64_t now_ms,
                    const struct sink *sink);

#endif
