/* job.h - one job in memory: a small fixed part, its packed definition, and a part that only
 * jobs with something unusual have (paused, owing slots, counting fires, failing, finished).
 * A million of them must fit in a few hundred megabytes. */
#ifndef BELFRY_JOBS_JOB_H
#define BELFRY_JOBS_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/jobs/job_past.h"
#include "dispatcher/jobs/ledger.h"
#include "dispatcher/jobs/timers.h"
#include "lib/model/job_record.h"

struct job_backfill {
    char *id;
    int64_t rate;  /* fires a second */
    int64_t fired;
    int64_t due_us;   /* when its rate allows the next; not kept over restarts */
    int64_t retry_ms; /* INSTANT_NONE: not failing; not kept over restarts */
    int32_t attempts;
    struct debt debt; /* always with a schedule of its own */
};

struct job_extra {
    struct job_state state;
    struct ledger ledger; /* what it owes */
    int64_t zone_data_says_ms; /* the slot left out that an event is to name; INSTANT_NONE: none */
    char *pause_reason; /* as the command gave it; NULL: none */
    struct job_backfill *backfills;
    uint32_t backfill_count;
    bool in_lane : 1;      /* queued in the catch-up lane */
    bool lane_counted : 1; /* lane_slots holds what it owes */
    bool in_undecided : 1; /* queued for the catch-up policy */
    bool in_backfill : 1;  /* queued to have its backfills worked off */
    bool is_held : 1;      /* by its own runs, or in one of the next two queues, see held.c */
    bool in_roomless : 1;
    bool in_unread : 1;
    bool asks_later : 1;   /* the runs in its way are to be asked to stop */
    uint8_t alarms_seen; /* scratch of job_alarms.c, else 0 */
    int64_t lane_slots; /* owed, while it is in the lane */
};

struct packed_definition; /* job.c */

enum job_flag {
    JOB_PAUSED = 1 << 0,
    JOB_FINISHED = 1 << 1,
    JOB_BOUNDED = 1 << 2, /* has start, end or max_fires: look at the definition before firing */
    JOB_FOREIGN = 1 << 3, /* names a topic of its own */
    JOB_ZONELESS = 1 << 4, /* set aside: a time zone of its is not there, see zoneless.c */
    JOB_OVERLAP = 1 << 5, /* says what its slots do while a run of it is open: not `allow` */
    JOB_LEASE = 1 << 6, /* its runs are followed */
    JOB_STANDS_STILL = JOB_PAUSED | JOB_ZONELESS
};

struct job {
    struct packed_definition *packed;
    struct schedule *schedule; /* interned; a reference held */
    struct job_extra *extra;   /* NULL: nothing unusual */
    struct job_past *past;     /* NULL: neither imported nor ever backfilled */
    struct job_life life;
    uint32_t revision;    /* not in life: its padding would cost 16 bytes a job of malloc's */
    uint32_t slot;        /* in the job table */
    uint32_t name_hash;
    uint32_t timer_index; /* in its schedule's list of jobs; TIMER_INDEX_NONE = not due at all */
    uint32_t group_next;  /* of job_groups.c: the slot of the next job of its group */
    uint16_t group_number; /* of its group, as long as that has jobs; 0: it has none */
    uint8_t flags;
};

/* A job with the definition, not yet in any table. `schedule` is taken over (one reference). */
struct job *job_create(const struct definition *definition, struct schedule *schedule);
/* Frees the job; the caller has released its schedule references. */
void job_destroy(struct job *job);
/* Replaces the definition; identity and state stay. Frees the old one. */
void job_redefine(struct job *job, const struct definition *definition);
/* Whether the packed definitions are the same, `paused` and anchors set by us aside. */
bool job_same_definition(const struct job *job, const struct definition *definition);

/* The definition as a view into the job; valid until it is redefined or destroyed. */
void job_view(const struct job *job, struct definition *definition);
/* The whole record as a view, for the codecs. */
void job_view_record(const struct job *job, struct job_record *record);

struct text job_group(const struct job *job);
struct text job_id(const struct job *job);
struct text job_name(const struct job *job); /* group/id */
struct text job_super_group(const struct job *job);
struct text job_payload(const struct job *job);
struct text job_topic(const struct job *job); /* empty = the fires topic */
/* True when every option a fire depends on is at its default: format, content type, key, topic,
 * headers, trace, bytes payload. The fast path of the encoder. */
bool job_is_plain(const struct job *job);

/* Whether any numeric option (window, limit, grace, start ...) differs from its default. */
bool job_has_options(const struct job *job);

/* Keeps why the job is paused; empty: no reason. */
void job_set_pause_reason(struct job *job, struct text reason);

/* Gives the extra part back when nothing in it is unusual any more. Nobody may hold it. */
void job_lighten(struct job *job);
/* Whether it has one and could be without. */
bool job_extra_is_idle(const struct job *job);
/* The extra part, made when missing. */
struct job_extra *job_extra(struct job *job);
/* Whether slots are owed: the job's own new slots queue behind them. */
bool job_owes(const struct job *job);
/* Whether any is, beside those that are left out. */
bool job_owes_slots(const struct job *job);
/* Whether the catch-up policy has to decide about some of them first. */
bool job_is_undecided(const struct job *job);
bool job_is_failing(const struct job *job);
bool job_has_pending(const struct job *job);
/* Replaces the pending slots.
 *   count  at most PENDING_MAX; 0: none are left */
void job_set_pending(struct job *job, const struct job_slot *slots, size_t count);
int64_t job_paused_ms(const struct job *job);

#endif
