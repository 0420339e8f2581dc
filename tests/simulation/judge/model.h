/* model.h - what the jobs should be: a fold of the commands, and for each life of a job the
 * stretches of time in which its schedule counted, what was fired and what was announced. */
#ifndef BELFRY_TESTS_MODEL_H
#define BELFRY_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/simulation/judge/asked.h"
#include "tests/simulation/judge/notices.h"
#include "tests/simulation/judge_runs/wanted_runs.h"
#include "tests/simulation/world/history.h"
#include "tests/simulation/world/slots.h"

struct zones;

#define NEVER_MS INT64_MIN
#define ALWAYS_MS INT64_MAX

enum slow_policy { SLOW_LATEST = 0, SLOW_NONE, SLOW_ALL };
enum { MODEL_TEXT_BYTES = 80, COMMAND_JOBS_MOST = 30, COMMAND_NAMES_MOST = 8 };

struct wanted { /* a job as a command describes it */
    bool bad; /* cannot be read: refused alone in mode each */
    char group[12];
    char id[12];
    char super_group[12];
    char cron[64];
    char zone[16];  /* as the field says */
    char place[16]; /* of the field or the prefix */
    char dst[12];
    bool fixed;     /* a fixed time, where clocks change by the usual rule */
    char payload[MODEL_TEXT_BYTES];
    char topic[12];
    char incarnation[HISTORY_LIFE_BYTES]; /* of an import; "": a new one */
    struct slow_schedule schedule;
    bool anchor_given;
    enum slow_policy policy;
    int64_t window_ms;
    int64_t limit;
    int64_t grace_ms;
    int64_t start_ms; /* NEVER_MS: none */
    int64_t end_ms;   /* ALWAYS_MS: none */
    int64_t max_fires;
    int64_t keep_ms;  /* ALWAYS_MS: for ever */
    bool paused;
    struct wanted_runs runs;
    unsigned given;   /* of an update */
};
enum {
    SET_SCHEDULE = 1, SET_PAYLOAD = 2, SET_MAX_FIRES = 4, SET_POLICY = 8, SET_SUPER_GROUP = 16,
    SET_JITTER = 256
};

enum sent_op {
    SENT_UNREADABLE = 0, SENT_ADD, SENT_PUT, SENT_UPDATE, SENT_PAUSE, SENT_RESUME, SENT_DELETE,
    SENT_TRIGGER, SENT_BACKFILL, SENT_CANCEL_BACKFILL, SENT_CANCEL, SENT_REQUEUE,
    SENT_PING
};

struct sent_command {
    enum sent_op op;
    char command_id[24];
    char own_id[HISTORY_LIFE_BYTES]; /* that, or where the command stands */
    bool each;
    bool dry_run;
    bool beside; /* a trigger or a requeue that may meet a run */
    bool cancel_runs; /* of a delete */
    char run[HISTORY_RUN_BYTES]; /* of a cancel or a requeue; "": all of the jobs' */
    struct wanted jobs[COMMAND_JOBS_MOST];
    int job_count;
    bool all;
    char groups[COMMAND_NAMES_MOST][12];
    int group_count;
    char ids[COMMAND_NAMES_MOST][12];
    int id_count;
    char super_groups[COMMAND_NAMES_MOST][12];
    int super_group_count;
    int paused; /* -1: any */
    struct wanted set;
    int64_t until_ms;
    bool from_paused;
    int64_t from_ms; /* NEVER_MS: now */
    int64_t to_ms;   /* of a backfill; ALWAYS_MS: until the command acts */
    int64_t rate;
    char backfill_id[24];
    int64_t not_after_ms;
    int64_t expected_revision;
    int64_t expect;
};

/* Reads what a client sent; SENT_UNREADABLE where it must be refused whatever the state. */
void sent_read(const char *json, struct sent_command *command);
/* The same of a command in the control topic. */
struct sent;
void sent_read_whole(const struct sent *sent, struct sent_command *command);
/* Bit s: the command concerns shard s. */
uint32_t sent_shards(const struct sent_command *command, int32_t sent_to, int32_t shards);

struct stretch_of_time { /* see stretches.h */
    struct slow_schedule schedule;
    int64_t from_ms;
    int64_t to_ms;
    int64_t start_ms;
    int64_t end_ms;
    int64_t due_after_ms;
    int64_t due_until_ms;
    bool waiting; /* one slot whose delay an edit of the schedule fell into */
    bool named;   /* an event names it */
    bool paused;  /* closed by a pause that may leave it over */
};

struct reckoned { /* owed slots that were counted anew by other rules: from_ms < t <= to_ms */
    int64_t from_ms;
    int64_t to_ms;
    struct slow_schedule after;
};

struct announced {
    int64_t first_ms;
    int64_t last_ms;
    int64_t count;
    bool off_schedule; /* a one-shot skipped with its pause, or because an earlier schedule may
                        * have fired it: of no stretch */
};

struct fired {
    int64_t nominal_ms;
    int64_t time_ms;
};

struct stands_for { /* the newest of the slots a policy decided about, and how many it dropped */
    int64_t nominal_ms;
    int64_t count;
};

struct failure { /* a fire that could not be delivered; other slots of the job wait behind it */
    int64_t nominal_ms;
    int64_t from_ms;
    int64_t to_ms; /* ALWAYS_MS: still */
};

struct streak { /* runs of a job that have failed, one after the other */
    int64_t failed;
    bool unsure; /* a command came in between */
};

/* What a requeue finds: */
enum run_again {
    AGAIN_CONFLICT = 0,
    AGAIN_PERHAPS,  /* what the result says */
    AGAIN_ANEW,     /* a run that is over comes again */
    AGAIN_HASTENED, /* one that waits for its next try */
    AGAIN_DUE       /* and that is due already */
};

struct life { /* one incarnation of a job */
    char name[HISTORY_NAME_BYTES];
    char id[HISTORY_LIFE_BYTES];
    char import[HISTORY_LIFE_BYTES]; /* where the add stood that brought the id; "": none did */
    bool lacking;  /* the shard's owner lacks the zone that may be missing */
    bool left_out; /* an event names an interval, but not which slots */
    bool there; /* not deleted */
    bool meets_run; /* as the command that is applied does, if it is a trigger */
    bool stops_runs;      /* if it is a cancel: it has some to stop */
    enum run_again again; /* if it is a requeue */
    struct streak streak;
    int64_t run_since_ms; /* of its name one is open at the end: what came due since its fire may
                           * not be named yet; NEVER_MS */
    int64_t run_over_ms; /* the last of its name ended no earlier; NEVER_MS: there was none */
    struct wanted wanted;
    int64_t revision;
    int64_t paused_ms; /* NEVER_MS: not paused */
    int64_t until_ms;  /* ALWAYS_MS: none */
    int64_t edited_ms; /* of the schedule; NEVER_MS */
    int64_t touched_ms; /* by a command that changed it */
    struct stands_for *stands_for;
    size_t stands_for_count;
    size_t stands_for_capacity;
    int64_t since_ms;  /* the add or the last edit of the schedule */
    int64_t finished_ms; /* NEVER_MS: running */
    struct stretch_of_time *stretches;
    size_t stretch_count;
    size_t stretch_capacity;
    int64_t over_ms;    /* a one-shot that an event has called already due; NEVER_MS */
    bool one_shot_over; /* it is not due at its own time: before the edit, or it waits */
    bool jittered; /* one of them has a delay */
    struct reckoned *reckoned;
    size_t reckoned_count;
    size_t reckoned_capacity;
    struct announced *announced;
    size_t announced_count;
    size_t announced_capacity;
    struct fired *fired;
    size_t fired_count;
    size_t fired_capacity;
    int64_t counted; /* fires while max_fires was set */
    int64_t last_nominal_ms;
    struct asked asked;
    struct notices notices;
    struct failure *failures;
    size_t failure_count;
    size_t failure_capacity;
    const struct step *gave_up; /* the last step in which it gave up failed slots */
    int gave_up_events;         /* that named them */
    bool ended_by_count;
    bool ended_by_rules; /* of zone data that has been replaced since */
    int64_t ordinal; /* by its last record; 0: none seen */
    bool overslept; /* a pause was still there after its end */
};

struct model {
    const struct zones *zones;
    int version; /* of the zone data */
    int32_t shard;
    int32_t shards;
    struct life **lives;
    size_t count;
    size_t capacity;
    size_t *table; /* hash of life -> index + 1 */
    size_t table_size;
};

void model_open(struct model *model, int32_t shard, int32_t shards);
void model_close(struct model *model);
/* The newest of that id: a deleted job may be imported again. */
struct life *model_find_life(const struct model *model, const char *id);
/* The one that is there now; NULL: none. */
struct life *model_find(const struct model *model, const char *name);

struct expected_answer {
    const char *outcome;
    int64_t matched;
    int64_t changed;
};

/* Gives the command's schedules the zones as the shard's owner knows them. */
void model_resolve(const struct model *model, struct sent_command *command);
/* The shard has an owner with another version of the zone data; due_ms by life: the last instant
 * whose slots are done. */
void model_change_zones(struct model *model, int version, int64_t watermark_ms, int64_t ordinal);

/* Applies the command as of effective_ms; says what the result must say. */
struct expected_answer model_apply(struct model *model, const struct sent_command *command,
                                   int64_t effective_ms, int32_t partition, int64_t offset);
bool model_selects(const struct sent_command *command, const struct life *life);

/* What time does to a job. */
void life_finish(struct life *life, int64_t at_ms);
void life_resume(struct life *life, int64_t at_ms, int64_t from_ms);
void life_end(struct life *life, int64_t at_ms);
/* Whether its schedule is in the zone that the owner lacks. */
bool life_is_zoneless(const struct life *life);
/* A command ended what was owed for a zone that was missing. */
void life_leave_out(struct life *life, int64_t from_ms, int64_t to_ms);
bool life_is_over(const struct life *life, int64_t at_ms);
/* By a command, or for its failures. */
void life_pause(struct life *life, int64_t at_ms);
bool life_has_slot_after(const struct life *life, int64_t after_ms);
void life_add_fired(struct life *life, int64_t nominal_ms, int64_t time_ms);
void life_announce(struct life *life, const struct announced *announced);
void life_failed(struct life *life, const struct failure *failure);
/* The job's slots go out again. */
void life_fires_again(struct life *life, int64_t at_ms);
/* Whether the slot came due behind the oldest run that is open at the end. */
bool life_waits_for_run(const struct life *life, int64_t nominal_ms);

#endif
