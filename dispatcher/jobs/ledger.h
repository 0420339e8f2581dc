/* ledger.h - what a job owes: slots whose time has come and that have not been fired. Debts are
 * paid from the front; each is one slot, fixed for ever when it is put in, or a closed range of a
 * schedule's slots. Behind them is the tail, open as long as time passes: the present schedule's
 * slots up to the watermark; as long as a run of the job is in their way maybe none of them is
 * owed, or the newest only. Beside them are slots that wait for their delay: not owed yet.
 *
 * Pure: no shard, no clock, and nothing is said here. What is dropped is counted, the caller says
 * the event. A debt's schedule is a reference held, which is why some calls take the timers. */
#ifndef BELFRY_JOBS_LEDGER_H
#define BELFRY_JOBS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/jobs/timers.h"
#include "lib/model/job_record.h"

/* Which instants of the job's present schedule are its slots, as far as its add, its edits, its
 * start and its end say. All are bounds on due times. */
struct terms {
    const struct schedule_spec *spec;
    int64_t owed_after_ms; /* slots up to it are not the job's; INT64_MIN: no such bound */
    int64_t tail_after_ms; /* the same of the tail, which other zone data may bound, too */
    int64_t until_ms;      /* slots after it are not the job's; INT64_MAX: no such bound */
};

/* Slots of a schedule: those due in (from_ms, to_ms]. */
struct span {
    int64_t from_ms;
    int64_t to_ms;
};

enum debt_kind { DEBT_SLOT = 1, DEBT_RANGE };

struct debt {
    enum debt_kind kind;
    union {
        struct job_slot slot;
        struct span range; /* ends with a slot, or has none left */
    };
    int64_t missed_count; /* policy latest: slots its one fire stands for besides its own */
    int64_t planned;      /* fires planned when it was decided; for catchup_finished */
    struct schedule *schedule; /* names its slots; NULL: the job's present one, by its terms */
};

/* Slots that are dropped, by nominal time. */
struct dropped {
    int64_t count;
    int64_t first_ms;
    int64_t last_ms;
};

struct debts {
    struct debt *list;
    int64_t tail_from_ms; /* INSTANT_NONE: no tail */
    uint32_t count;       /* at most OWED_RANGES_MAX */
    uint16_t undecided;   /* 1: the catch-up policy has not decided about the tail */
    uint16_t keeps;       /* enum tail_keeps */
};

struct ledger {
    struct debts owed;
    /* Taken away when the fire went out that used up max_fires, to be given back if that fire
     * fails. Not kept over restarts: the fire's fate is known within its step. */
    struct debts away;
    struct job_slot *waiting; /* in order of nominal time; NULL: none */
    size_t waiting_count;     /* at most PENDING_MAX */
};

/* ---- one debt: of a ledger, or a backfill ---- */

/* A range; one that is a single instant is that slot. Takes the reference over. */
struct debt debt_of_record(const struct owed_range *range, struct schedule *schedule,
                           const struct schedule_spec *present);
/* Without its schedule. */
void debt_view(const struct debt *debt, struct owed_range *range);
/* Its slots are those due after the one and up to the other. */
int64_t debt_from_ms(const struct debt *debt);
int64_t debt_to_ms(const struct debt *debt);
const struct schedule_spec *debt_spec(const struct debt *debt, const struct terms *terms);
/* Its next slot; false: it is paid. `terms` may be NULL where it has a schedule of its own. */
bool debt_next(const struct debt *debt, const struct terms *terms, struct job_slot *slot);
/* How many slots are left. */
struct dropped debt_left(const struct debt *debt, const struct terms *terms);
/* Its slots up to due_ms have been fired, or will not be. */
void debt_pay(struct debt *debt, int64_t due_ms);
/* A slot due at due_ms, one of its schedule's and the last that was paid, is owed again. */
void debt_back(struct debt *debt, int64_t due_ms);

/* ---- a ledger ---- */

/* Owes nothing. Field by field, so that two of them are equal byte by byte. */
void ledger_init(struct ledger *ledger);
/* Frees its memory; the schedules have been given back. */
void ledger_free(struct ledger *ledger);
/* Lists that have become empty keep no memory. */
void ledger_trim(struct ledger *ledger);
/* Owes nothing any more; what was taken away and what waits stays. */
void ledger_clear(struct ledger *ledger, struct timers *timers);
/* Another debt behind the others, and before the tail. There must be room. */
void ledger_add(struct ledger *ledger, struct debt debt);

/* Whether slots are owed: the job's own new slots queue behind them. */
static inline bool ledger_owes(const struct ledger *ledger)
{
    return ledger->owed.count > 0 || ledger->owed.tail_from_ms != INSTANT_NONE;
}

static inline uint32_t ledger_count(const struct ledger *ledger)
{
    return ledger->owed.count;
}

static inline bool ledger_has_room(const struct ledger *ledger, uint32_t debts)
{
    return ledger->owed.count + debts <= OWED_RANGES_MAX;
}

static inline const struct debt *ledger_debt(const struct ledger *ledger, uint32_t at)
{
    return &ledger->owed.list[at];
}

static inline int64_t ledger_tail_from_ms(const struct ledger *ledger)
{
    return ledger->owed.tail_from_ms;
}

static inline bool ledger_is_undecided(const struct ledger *ledger)
{
    return ledger->owed.undecided != 0;
}

static inline enum tail_keeps ledger_tail_keeps(const struct ledger *ledger)
{
    return (enum tail_keeps)ledger->owed.keeps;
}

/* Whether there is a tail of which not all slots are owed. */
static inline bool ledger_leaves_out(const struct ledger *ledger)
{
    return ledger->owed.keeps != TAIL_KEEPS_ALL;
}

/* ---- the tail ---- */

/* The slots due after from_ms are owed as they come.
 *   undecided  first the catch-up policy decides about those up to the watermark */
void ledger_open_tail(struct ledger *ledger, int64_t from_ms, bool undecided);
/* No slot comes after what is owed. */
void ledger_end_tail(struct ledger *ledger);
/* Of the tail's slots, those that have come included, only these are owed. There must be a tail
 * that is decided. */
void ledger_keep(struct ledger *ledger, enum tail_keeps keeps);
/* Those of the tail up to to_ms that are left out are not the tail's any more. */
struct dropped ledger_leave_out(struct ledger *ledger, const struct terms *terms, int64_t to_ms);
/* Behind to_ms all slots of the tail are owed again, if anything is; else there is no tail. What is
 * left out up to there has been taken out. */
void ledger_keep_all(struct ledger *ledger, const struct terms *terms, int64_t to_ms);
/* When the first slot was due that the tail leaves out for certain, up to to_ms. False: there is
 * none. */
bool ledger_first_left_out(const struct ledger *ledger, const struct terms *terms, int64_t to_ms,
                           int64_t *due_ms);
/* The tail up to to_ms, as far as it is the job's. There must be one. */
struct span ledger_tail(const struct ledger *ledger, const struct terms *terms, int64_t to_ms);
/* What of a span is the job's, and the slots that its present schedule has in one that is. */
struct span terms_cut(const struct terms *terms, struct span span);
int64_t terms_count(const struct terms *terms, struct span span);
struct dropped terms_slots(const struct terms *terms, struct span span);
/* The policy has decided about the tail up to to_ms: `kept` are its slots that are owed, maybe
 * none. Behind them, if anything is owed, the tail goes on. */
void ledger_decide(struct ledger *ledger, const struct terms *terms, struct span kept,
                   int64_t missed_count, int64_t planned, int64_t to_ms);
/* The tail up to to_ms becomes a range: a pause or an edit follows. False: there was no room, and
 * what is dropped is in *dropped. */
bool ledger_close_tail(struct ledger *ledger, const struct terms *terms, int64_t to_ms,
                       struct dropped *dropped) __attribute__((warn_unused_result));
/* Nothing that is owed changes with the job's definition any more: `schedule` is its present one,
 * which the debts keep. */
void ledger_fix(struct ledger *ledger, const struct terms *terms, struct schedule *schedule);

/* ---- paying ---- */

enum ledger_next {
    LEDGER_SLOT,     /* that one is next */
    LEDGER_DEBT_DONE, /* the front was paid and is gone; ask again */
    LEDGER_NOTHING   /* nothing is owed up to the watermark */
};

/* The slot that is to be fired next; slots of the tail up to watermark_ms.
 *   planned  of the debt that is done */
enum ledger_next ledger_next(struct ledger *ledger, const struct terms *terms,
                             struct timers *timers, int64_t watermark_ms, struct job_slot *slot,
                             int64_t *planned);
/* The same, to be looked at only: nothing that was paid goes. False: nothing is owed. */
bool ledger_front(const struct ledger *ledger, const struct terms *terms, int64_t watermark_ms,
                  struct job_slot *slot);
/* How many slots the next fire stands for besides its own. */
int64_t ledger_missed_count(const struct ledger *ledger);
/* The next slot, due at due_ms, has been fired. */
void ledger_pay(struct ledger *ledger, int64_t due_ms);
/* The same of slots of the debt that is number `at`. */
void ledger_pay_of(struct ledger *ledger, uint32_t at, int64_t due_ms);
/* A slot that had been paid failed: it is the next again. False: there is no room. */
bool ledger_back(struct ledger *ledger, const struct terms *terms, struct job_slot slot,
                 int64_t missed_count) __attribute__((warn_unused_result));
/* A slot of an earlier schedule is owed, in its place among the debts. False: nothing older is
 * owed, or there is no room. */
bool ledger_insert(struct ledger *ledger, const struct terms *terms, struct job_slot slot)
    __attribute__((warn_unused_result));
/* The same where it may be the first, too. False: there is no room. */
bool ledger_put(struct ledger *ledger, const struct terms *terms, struct job_slot slot)
    __attribute__((warn_unused_result));
/* Whether a slot of that nominal time is owed by itself: it fires, whatever the schedule says. */
bool ledger_owes_alone(const struct ledger *ledger, int64_t nominal_ms);
/* Catch-up that was announced ends here: the next debt with a plan, of which it has none any more.
 * False: there is none. */
bool ledger_end_plan(struct ledger *ledger, int64_t *planned);

/* ---- dropping ---- */

/* The schedule that names the next slot. */
const struct schedule_spec *ledger_next_spec(const struct ledger *ledger,
                                             const struct terms *terms);
/* The next slot, and those behind it in its debt that are due up to last_ms, are not owed any
 * more. */
struct dropped ledger_give_up(struct ledger *ledger, const struct terms *terms,
                              struct job_slot next, int64_t last_ms, int64_t watermark_ms);
/* All that is owed up to the watermark; it stays. */
struct dropped ledger_left(const struct ledger *ledger, const struct terms *terms,
                           int64_t watermark_ms);

/* ---- taking away and giving back ---- */

/* What is owed is taken away, in place of what was. */
void ledger_take_away(struct ledger *ledger, struct timers *timers);
/* The same of a job that owes nothing, whose slots after due_ms would have been live. */
void ledger_take_tail_away(struct ledger *ledger, struct timers *timers, int64_t due_ms);
/* What was taken away is owed again. Nothing may be owed. */
void ledger_give_back(struct ledger *ledger);
/* What was taken away will not be given back. */
void ledger_forget_away(struct ledger *ledger, struct timers *timers);

/* ---- waiting ---- */

/* These wait for their due time, in place of those that did.
 *   count  at most PENDING_MAX */
void ledger_wait(struct ledger *ledger, const struct job_slot *slots, size_t count);
static inline size_t ledger_waiting(const struct ledger *ledger)
{
    return ledger->waiting_count;
}

static inline struct job_slot ledger_waiting_slot(const struct ledger *ledger, size_t at)
{
    return ledger->waiting[at];
}

/* Whether one is due at due_ms. */
bool ledger_waits_for(const struct ledger *ledger, int64_t due_ms);
/* Takes out the one that is. */
struct job_slot ledger_ring(struct ledger *ledger, int64_t due_ms);
/* Which instants a definition names, as far as its schedule, start and end say: nominal times. */
struct naming {
    const struct schedule_spec *spec;
    int64_t start_ms; /* the first allowed */
    int64_t end_ms;   /* the first no longer allowed */
};
bool naming_has(const struct naming *naming, int64_t nominal_ms);

/* What becomes of slots that wait when their job is edited. */
struct waiting_edit {
    bool once; /* one is the instant of the new one-shot, which fires it with its own delay */
    size_t left_out_count;
    struct job_slot left_out[PENDING_MAX + 1]; /* they wait no more */
};
/* Those stay that the new definition names, the oldest if there are too many.
 *   present  one of the schedule that ends, later than those that wait; NULL: none */
struct waiting_edit ledger_edit_waiting(struct ledger *ledger, const struct naming *naming,
                                        const struct job_slot *present);
/* Those due up to until_ms do not wait any more. */
void ledger_forget_waiting(struct ledger *ledger, int64_t until_ms);

#endif
