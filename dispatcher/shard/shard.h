/* shard.h - the deterministic state machine of one shard: commands and the time go in, fires,
 * results, events and changed jobs come out through a sink. No clock, no I/O, no threads, no
 * randomness: the same calls give the same bytes.
 *
 * A call that takes a sink may stop early because the transaction is full: it returns false, the
 * caller commits, and calls again with the same arguments. What has been put out and what the
 * mark says always agree, so a crash between two transactions repeats nothing. */
#ifndef BELFRY_SHARD_SHARD_H
#define BELFRY_SHARD_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/runs/runs.h"
#include "lib/base/hash.h"
#include "lib/model/command.h"
#include "lib/model/job_record.h"
#include "lib/model/mark.h"
#include "lib/model/output.h"

struct shard;

struct shard_config {
    int32_t shard;  /* 0 .. shards - 1 */
    int32_t shards; /* 1 .. SHARDS_MAX */
    int64_t catchup_per_second; /* fires of the catch-up lane; at least 1 */
    size_t seen_max;
    int64_t seen_keep_ms;
    /* Of the tables that names and schedules from outside fill: who does not know it cannot choose
     * names that meet in one place. Nothing that is put out depends on it. */
    uint8_t hash_key[HASH_KEY_BYTES];
    struct runs_config runs;
};
void shard_config_defaults(struct shard_config *config);

struct shard *shard_create(const struct shard_config *config);
void shard_destroy(struct shard *shard);

/* ---- restoring: records in any order, the newest of a name last, then the mark ---- */
void shard_restore_job(struct shard *shard, const struct job_record *record);
void shard_restore_deleted(struct shard *shard, struct text group, struct text id);
void shard_restore_seen(struct shard *shard, int64_t sequence, const struct seen *seen);
void shard_restore_seen_expired(struct shard *shard, int64_t sequence);
/* Whether what was restored is all that the mark speaks of. False: it names what differs. */
bool shard_restore_fits(const struct shard *shard, const struct mark *mark, struct error *error);
/* In place of shard_restore_done() where the shard is only to be looked at, never stepped: no due
 * time is computed. */
void shard_restore_look(struct shard *shard);
/* From here on the shard can be stepped. */
void shard_restore_done(struct shard *shard, const struct mark *mark);

/* How many jobs are set aside because a time zone is missing, the first ones by name. */
size_t shard_name_zoneless(const struct shard *shard, char *text, size_t bytes);

/* ---- stepping ---- */

/* The instant at which a command with this log time acts. */
int64_t shard_effective_ms(const struct shard *shard, int64_t log_time_ms, int64_t now_ms);

/* Brings the watermark to the end of the instant to_ms: fires what came due and is not late as
 * judged against now_ms, lets late slots join their job's owed slots. to_ms <= now_ms. */
bool shard_advance(struct shard *shard, int64_t to_ms, int64_t now_ms, const struct sink *sink);

/* After an advance to now: the catch-up policy decides about what is owed. */
bool shard_decide(struct shard *shard, int64_t now_ms, const struct sink *sink);

/* When the lane has its next turn; INT64_MAX: it has nothing to do. */
int64_t shard_lane_due_ms(const struct shard *shard);
bool shard_lane_is_due(const struct shard *shard, int64_t now_ms);

/* Works off owed slots: late ones at the bounded rate, one of each job in turn, others at once. One
 * call is about 10 ms of work. */
void shard_run_lane(struct shard *shard, int64_t now_ms, const struct sink *sink);

/* Tries the next slot of failing jobs that are due for a retry, as many as the sink has room and a
 * turn for. False: nothing was tried, and there is nothing to try now; else commit what was said
 * and call again. */
bool shard_retry(struct shard *shard, int64_t now_ms, const struct sink *sink);

/* Applies a command that belongs to this shard, at effective_ms, to which the shard has been
 * advanced. shards_applying: how many shards get it. Puts out one result. */
struct application {
    const struct command *command;
    const struct source *source;
    int64_t effective_ms;
    int64_t now_ms;
    int64_t sequence; /* of the transaction it goes into */
    int32_t shards_applying;
    /* Whether a foreign topic exists, for a warning; NULL: not known. */
    bool (*topic_exists)(void *opaque, struct text topic);
    void *opaque;
    /* Set when the command turns out to be wrong whatever the state; NULL: not wanted. */
    struct error *rejection;
};
bool shard_apply(struct shard *shard, const struct application *application,
                 const struct sink *sink);

/* A command refused before it could be applied (unreadable, not allowed ...): its result. */
void shard_reject(struct shard *shard, const struct application *application,
                  const struct error *error, const struct sink *sink);

/* Ends the command that is half done: outcome partial, code interrupted, with the counts of what
 * was done. `why` says what became of the rest. */
void shard_interrupt(struct shard *shard, const struct application *application,
                     const struct error *why, const struct sink *sink);
/* Whether the command half done could be this one: it selects jobs. */
bool shard_can_continue(const struct command *command);

/* A fire that was put out could not be produced: its slot is owed again, the job is failing. */
struct failed_fire {
    uint32_t slot; /* of the job */
    struct incarnation incarnation;
    enum fire_kind kind;
    int64_t nominal_ms;
    int64_t due_ms;
    int64_t missed_count;
    int32_t attempt;
    char backfill_id[COMMAND_ID_BYTES_MAX + 1]; /* FIRE_BACKFILL */
    enum event_reason reason;
    char detail[ERROR_MESSAGE_BYTES];
    int64_t run_number; /* of the try that it was; 0: its job has no lease */
    bool is_requeued;
};
void shard_fire_failed(struct shard *shard, const struct failed_fire *failed, int64_t now_ms,
                       const struct sink *sink);

/* ---- runs ---- */

/* The newest record of run/<k>, before shard_restore_done(). */
void shard_restore_run(struct shard *shard, uint32_t k, const struct run_record *record);
void shard_restore_run_ended(struct shard *shard, uint32_t k);
/* After shard_restore_done(): fires of jobs with a lease open runs from here on. Of `start` all
 * but opaque and job_slot is given. */
void shard_follow_runs(struct shard *shard, const struct runs_start *start);
/* For what needs no sink: questions, ticks to be sent, waits, offsets; NULL: there was never
 * one. */
struct runs *shard_runs(const struct shard *shard);
/* As runs_look_recorded(), with the names of the run's job; also before shard_follow_runs(). */
bool shard_look_run(const struct shard *shard, uint32_t k, struct run_view *view);
size_t shard_open_runs(const struct shard *shard);
/* The same, and there is one from here on: of a shard that follows runs. */
struct runs *shard_begin_runs(struct shard *shard);
/* Reports were deleted unread, see runs_reports_lost(). Between steps of time and commands. */
bool shard_reports_lost(struct shard *shard, struct runs_now now, const struct sink *sink);
/* What the owner's clock that never steps shows now: before each step in which fires may go out. */
void shard_tell_steady(struct shard *shard, int64_t steady_ms);
/* As runs_report(), runs_tick() and runs_step(), and what waits for a run that ends goes on: as
 * much as the sink has room for, the rest in the next one. Between steps of time and commands. */
void shard_report(struct shard *shard, const struct runs_place *place,
                  const struct report *report, const struct sink *sink);
bool shard_tick(struct shard *shard, const struct runs_place *place, const struct run_tick *tick,
                const struct sink *sink);
bool shard_step_runs(struct shard *shard, struct runs_now now, const struct sink *sink);
/* Before it, jobs with open runs wait: workers may have reported their ends. The reports that were
 * in the log when the shard was taken over have been read; what waits goes on in the next steps. */
void shard_reports_caught_up(struct shard *shard);
/* Whether no fire of the job may go out now, though no run is in its way: reports are unread, or
 * as many runs are open as may be. */
bool shard_holds(const struct shard *shard, const struct job *job);
/* Whether a run of the job is open beside which its policy allows no other. */
bool shard_run_in_way(const struct shard *shard, const struct job *job);

/* Remembered command ids older than a day go. */
void shard_expire_seen(struct shard *shard, const struct sink *sink);

/* ---- looking ---- */

/* Fills what the shard knows of its mark: watermark, next_ordinal, in_command, shards. */
void shard_fill_mark(const struct shard *shard, struct mark *mark);
struct watermark shard_watermark(const struct shard *shard);
/* False: the shard has decided something when it was restored, which the next step of time writes
 * into records and events. A record kept elsewhere before that would have it said already. */
bool shard_is_written(const struct shard *shard);
/* When something will have to be done: a slot, an alarm, a decision, the lane's next turn, or what
 * waited for a run and can go on; INT64_MAX: nothing. now_ms or earlier: at once. */
int64_t shard_next_due_ms(const struct shard *shard, int64_t now_ms);
/* The same for live slots only: what the lane must not hold up. */
int64_t shard_next_live_ms(const struct shard *shard);
size_t shard_job_count(const struct shard *shard);
uint32_t shard_slots(const struct shard *shard);
struct job *shard_job_at(const struct shard *shard, uint32_t slot); /* NULL: an empty slot */
struct job *shard_find(const struct shard *shard, struct text group, struct text id);
const struct in_command *shard_in_command(const struct shard *shard);

/* Remembered command ids in order of sequence, one a call; *cursor starts at 0. */
bool shard_next_seen(const struct shard *shard, uint32_t *cursor, int64_t *sequence,
                     struct seen *seen);

/* The *cursor of the first one of this sequence or a later one. */
uint32_t shard_seen_from(const struct shard *shard, int64_t sequence);
/* How many transactions those are of: as many records as a store holds of them. */
size_t shard_seen_records(const struct shard *shard);

/* When the oldest slot that the job owes was due; INSTANT_NONE: it owes none. */
int64_t shard_oldest_owed_ms(const struct shard *shard, const struct job *job);

/* What the catch-up lane has to work off. Jobs it has not counted yet count as one slot each. */
struct shard_backlog {
    int64_t slots;
    int64_t drain_ms; /* until that is worked off at the lane's rate */
};
struct shard_backlog shard_backlog(const struct shard *shard);

/* How many jobs have a slot by until_ms, at least: a bounded number of schedules is looked at. */
int64_t shard_jobs_due_by(const struct shard *shard, int64_t until_ms);

struct shard_counts {
    size_t jobs;
    size_t paused;
    size_t failing;
    size_t owing;
    size_t seen;
    size_t alarms; /* those that nobody wants any more included */
    size_t heavy;  /* jobs with a part for what is unusual that holds nothing unusual */
};
void shard_count(const struct shard *shard, struct shard_counts *counts);

#endif
