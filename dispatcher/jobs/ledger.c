#include "dispatcher/jobs/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

/* ---- spans and terms ---- */

static struct span cut(struct span span, int64_t after_ms, int64_t until_ms)
{
    if (span.from_ms < after_ms) span.from_ms = after_ms;
    if (span.to_ms > until_ms) span.to_ms = until_ms;
    return span;
}

static bool first_slot(const struct schedule_spec *spec, struct span span, struct job_slot *slot)
{
    if (!schedule_next(spec, span.from_ms, &slot->due_ms) || slot->due_ms > span.to_ms)
        return false;
    slot->nominal_ms = schedule_nominal(spec, slot->due_ms);
    return true;
}

/* Lets a span end with its last slot; false: there is none in it. */
static bool end_with_slot(const struct schedule_spec *spec, struct span *span)
{
    return span->from_ms < span->to_ms &&
           schedule_last(spec, span->from_ms, span->to_ms, &span->to_ms);
}

/* Of one without a slot the count is 0, and the rest means nothing. */
static struct dropped slots_of(const struct schedule_spec *spec, struct span span)
{
    struct job_slot first;
    if (!first_slot(spec, span, &first) || !end_with_slot(spec, &span))
        return (struct dropped){0, INT64_MAX, INT64_MIN};
    return (struct dropped){(int64_t)schedule_count(spec, span.from_ms, span.to_ms, INT64_MAX),
                            first.nominal_ms, schedule_nominal(spec, span.to_ms)};
}

struct span terms_cut(const struct terms *terms, struct span span)
{
    return cut(span, terms->tail_after_ms, terms->until_ms);
}

int64_t terms_count(const struct terms *terms, struct span span)
{
    return (int64_t)schedule_count(terms->spec, span.from_ms, span.to_ms, INT64_MAX);
}

struct dropped terms_slots(const struct terms *terms, struct span span)
{
    return slots_of(terms->spec, span);
}

static struct dropped one_slot(int64_t nominal_ms)
{
    return (struct dropped){1, nominal_ms, nominal_ms};
}

/* Whether the present schedule has a slot due then that is the job's. */
static bool terms_name(const struct terms *terms, int64_t due_ms)
{
    return schedule_contains(terms->spec, due_ms) && terms->tail_after_ms < due_ms;
}

/* ---- one debt ---- */

static struct debt debt_of_slot(struct job_slot slot)
{
    return (struct debt){.kind = DEBT_SLOT, .slot = slot};
}

static struct debt debt_of_range(int64_t from_ms, int64_t to_ms)
{
    return (struct debt){.kind = DEBT_RANGE, .range = {from_ms, to_ms}};
}

/* Of a span of the present schedule that ends with a slot. One that is a single instant is that
 * slot for ever: what made it may have changed when its turn comes, its id must not. */
static struct debt debt_of_span(const struct schedule_spec *spec, struct span span)
{
    if (span.to_ms - span.from_ms > 1) return debt_of_range(span.from_ms, span.to_ms);
    return debt_of_slot((struct job_slot){schedule_nominal(spec, span.to_ms), span.to_ms});
}

struct debt debt_of_record(const struct owed_range *range, struct schedule *schedule,
                           const struct schedule_spec *present)
{
    struct debt debt = debt_of_range(range->from_ms, range->to_ms);
    if (range->to_ms - range->from_ms == 1 && range->delay_ms > 0)
        debt = debt_of_slot((struct job_slot){range->to_ms - range->delay_ms, range->to_ms});
    else if (range->to_ms - range->from_ms == 1)
        debt = debt_of_span(schedule != NULL ? &schedule->spec : present, debt.range);
    debt.missed_count = range->missed_count;
    debt.planned = range->planned;
    debt.schedule = schedule;
    return debt;
}

void debt_view(const struct debt *debt, struct owed_range *range)
{
    *range = (struct owed_range){.from_ms = debt_from_ms(debt),
                                 .to_ms = debt_to_ms(debt),
                                 .missed_count = debt->missed_count,
                                 .planned = debt->planned,
                                 .has_schedule = debt->schedule != NULL};
    if (debt->kind == DEBT_SLOT) range->delay_ms = debt->slot.due_ms - debt->slot.nominal_ms;
    if (debt->schedule == NULL) return;
    range->schedule = debt->schedule->spec;
    range->words = schedule_words_of(debt->schedule);
    range->jitter_ms = debt->schedule->spec.jitter.most_ms;
}

int64_t debt_from_ms(const struct debt *debt)
{
    return debt->kind == DEBT_SLOT ? debt->slot.due_ms - 1 : debt->range.from_ms;
}

int64_t debt_to_ms(const struct debt *debt)
{
    return debt->kind == DEBT_SLOT ? debt->slot.due_ms : debt->range.to_ms;
}

const struct schedule_spec *debt_spec(const struct debt *debt, const struct terms *terms)
{
    return debt->schedule != NULL ? &debt->schedule->spec : terms->spec;
}

/* What is left of a range. */
static struct span span_of(const struct debt *debt, const struct terms *terms)
{
    assert(debt->kind == DEBT_RANGE);
    if (debt->schedule != NULL) return debt->range;
    return cut(debt->range, terms->owed_after_ms, terms->until_ms);
}

bool debt_next(const struct debt *debt, const struct terms *terms, struct job_slot *slot)
{
    if (debt->kind == DEBT_SLOT) {
        *slot = debt->slot;
        return true;
    }
    if (debt->range.from_ms >= debt->range.to_ms) return false;
    return first_slot(debt_spec(debt, terms), span_of(debt, terms), slot);
}

struct dropped debt_left(const struct debt *debt, const struct terms *terms)
{
    if (debt->kind == DEBT_SLOT) return one_slot(debt->slot.nominal_ms);
    return slots_of(debt_spec(debt, terms), span_of(debt, terms));
}

void debt_pay(struct debt *debt, int64_t due_ms)
{
    int64_t to_ms = debt_to_ms(debt);
    debt->kind = DEBT_RANGE;
    debt->range = (struct span){due_ms, to_ms};
}

void debt_back(struct debt *debt, int64_t due_ms)
{
    debt_pay(debt, due_ms - 1);
}

/* ---- lists of debts ---- */

static void debts_init(struct debts *debts)
{
    debts->list = NULL;
    debts->tail_from_ms = INSTANT_NONE;
    debts->count = 0;
    debts->undecided = 0;
    debts->keeps = TAIL_KEEPS_ALL;
}

static void debts_insert(struct debts *debts, uint32_t at, struct debt debt)
{
    assert(debts->count < OWED_RANGES_MAX);
    assert(at <= debts->count);
    debts->list = memory_resize(debts->list, debts->count + 1, sizeof *debts->list);
    memmove(&debts->list[at + 1], &debts->list[at], (debts->count - at) * sizeof debt);
    debts->list[at] = debt;
    debts->count++;
}

static void debts_pop(struct debts *debts, struct timers *timers)
{
    assert(debts->count > 0);
    if (debts->list[0].schedule != NULL) timers_release(timers, debts->list[0].schedule);
    debts->count--;
    memmove(debts->list, debts->list + 1, debts->count * sizeof *debts->list);
}

static void debts_trim(struct debts *debts)
{
    if (debts->count > 0) return;
    free(debts->list);
    debts->list = NULL;
}

static void debts_clear(struct debts *debts, struct timers *timers)
{
    while (debts->count > 0) debts_pop(debts, timers);
    debts->tail_from_ms = INSTANT_NONE;
    debts->undecided = 0;
    debts->keeps = TAIL_KEEPS_ALL;
}

/* ---- a ledger ---- */

void ledger_init(struct ledger *ledger)
{
    debts_init(&ledger->owed);
    debts_init(&ledger->away);
    ledger->waiting = NULL;
    ledger->waiting_count = 0;
}

void ledger_free(struct ledger *ledger)
{
    free(ledger->owed.list);
    free(ledger->away.list);
    free(ledger->waiting);
}

void ledger_trim(struct ledger *ledger)
{
    debts_trim(&ledger->owed);
    debts_trim(&ledger->away);
}

void ledger_clear(struct ledger *ledger, struct timers *timers)
{
    debts_clear(&ledger->owed, timers);
}

void ledger_add(struct ledger *ledger, struct debt debt)
{
    debts_insert(&ledger->owed, ledger->owed.count, debt);
}

/* ---- the tail ---- */

void ledger_open_tail(struct ledger *ledger, int64_t from_ms, bool undecided)
{
    assert(from_ms != INSTANT_NONE);
    ledger->owed.tail_from_ms = from_ms;
    ledger->owed.undecided = undecided;
    ledger->owed.keeps = TAIL_KEEPS_ALL;
}

void ledger_end_tail(struct ledger *ledger)
{
    ledger->owed.tail_from_ms = INSTANT_NONE;
    ledger->owed.keeps = TAIL_KEEPS_ALL;
}

struct span ledger_tail(const struct ledger *ledger, const struct terms *terms, int64_t to_ms)
{
    assert(ledger->owed.tail_from_ms != INSTANT_NONE);
    return terms_cut(terms, (struct span){ledger->owed.tail_from_ms, to_ms});
}

void ledger_keep(struct ledger *ledger, enum tail_keeps keeps)
{
    assert(ledger->owed.tail_from_ms != INSTANT_NONE && !ledger->owed.undecided);
    ledger->owed.keeps = (uint16_t)keeps;
}

/* Those slots of the tail up to to_ms that are owed: an end of it. */
static struct span owed_tail(const struct ledger *ledger, const struct terms *terms, int64_t to_ms)
{
    struct span tail = ledger_tail(ledger, terms, to_ms);
    if (ledger->owed.keeps == TAIL_KEEPS_ALL) return tail;
    bool newest = ledger->owed.keeps == TAIL_KEEPS_NEWEST && end_with_slot(terms->spec, &tail);
    tail.from_ms = newest ? tail.to_ms - 1 : tail.to_ms;
    return tail;
}

struct dropped ledger_leave_out(struct ledger *ledger, const struct terms *terms, int64_t to_ms)
{
    struct span tail = ledger_tail(ledger, terms, to_ms);
    struct span owed = owed_tail(ledger, terms, to_ms);
    if (owed.from_ms > ledger->owed.tail_from_ms) ledger->owed.tail_from_ms = owed.from_ms;
    return slots_of(terms->spec, (struct span){tail.from_ms, owed.from_ms});
}

void ledger_keep_all(struct ledger *ledger, const struct terms *terms, int64_t to_ms)
{
    struct span owed = owed_tail(ledger, terms, to_ms);
    if (ledger->owed.count == 0 && !end_with_slot(terms->spec, &owed)) ledger_end_tail(ledger);
    else ledger_open_tail(ledger, owed.from_ms, false);
}

bool ledger_first_left_out(const struct ledger *ledger, const struct terms *terms, int64_t to_ms,
                           int64_t *due_ms)
{
    struct job_slot slot;
    if (!ledger_leaves_out(ledger)) return false;
    struct span tail = ledger_tail(ledger, terms, to_ms);
    bool found = first_slot(terms->spec, tail, &slot);
    if (found && ledger->owed.keeps == TAIL_KEEPS_NEWEST)
        found = first_slot(terms->spec, (struct span){slot.due_ms, tail.to_ms}, &slot);
    *due_ms = slot.due_ms;
    return found;
}

void ledger_decide(struct ledger *ledger, const struct terms *terms, struct span kept,
                   int64_t missed_count, int64_t planned, int64_t to_ms)
{
    struct debts *owed = &ledger->owed;
    assert(owed->undecided);
    if (end_with_slot(terms->spec, &kept)) {
        struct debt debt = debt_of_span(terms->spec, kept);
        debt.missed_count = missed_count;
        debt.planned = planned;
        ledger_add(ledger, debt);
    }
    owed->undecided = 0;
    owed->tail_from_ms = owed->count > 0 ? to_ms : INSTANT_NONE;
}

/* Whether the last debt may as well go on to the end of a span: nothing of the present schedule
 * lies between. */
static bool goes_on(const struct debt *last, const struct terms *terms, struct span span)
{
    int64_t last_ms = debt_to_ms(last);
    if (last->schedule != NULL || last->missed_count > 0 || last_ms > span.from_ms) return false;
    if (last->kind == DEBT_SLOT && !terms_name(terms, last_ms)) return false;
    struct span between = cut((struct span){last_ms, span.from_ms}, terms->owed_after_ms,
                              terms->until_ms);
    return !end_with_slot(terms->spec, &between);
}

bool ledger_close_tail(struct ledger *ledger, const struct terms *terms, int64_t to_ms,
                       struct dropped *dropped)
{
    struct debts *owed = &ledger->owed;
    assert(!owed->undecided && owed->keeps == TAIL_KEEPS_ALL);
    if (owed->tail_from_ms == INSTANT_NONE) return true;
    struct span span = ledger_tail(ledger, terms, to_ms);
    owed->tail_from_ms = INSTANT_NONE;
    if (!end_with_slot(terms->spec, &span)) return true;
    struct debt *last = owed->count > 0 ? &owed->list[owed->count - 1] : NULL;
    if (last != NULL && goes_on(last, terms, span)) {
        *last = (struct debt){.kind = DEBT_RANGE,
                              .range = {debt_from_ms(last), span.to_ms},
                              .planned = last->planned};
    } else if (owed->count == OWED_RANGES_MAX) {
        *dropped = slots_of(terms->spec, span);
        return false;
    } else {
        ledger_add(ledger, debt_of_span(terms->spec, span));
    }
    return true;
}

void ledger_fix(struct ledger *ledger, const struct terms *terms, struct schedule *schedule)
{
    for (uint32_t i = 0; i < ledger->owed.count; i++) {
        struct debt *debt = &ledger->owed.list[i];
        if (debt->schedule != NULL) continue;
        if (debt->kind == DEBT_RANGE) {
            debt->range = span_of(debt, terms);
            if (!end_with_slot(terms->spec, &debt->range)) debt->range.to_ms = debt->range.from_ms;
        }
        debt->schedule = timers_retain(schedule);
    }
}

/* ---- paying ---- */

static bool tail_next(const struct ledger *ledger, const struct terms *terms,
                      int64_t watermark_ms, struct job_slot *slot)
{
    if (ledger->owed.tail_from_ms == INSTANT_NONE) return false;
    return first_slot(terms->spec, owed_tail(ledger, terms, watermark_ms), slot);
}

enum ledger_next ledger_next(struct ledger *ledger, const struct terms *terms,
                             struct timers *timers, int64_t watermark_ms, struct job_slot *slot,
                             int64_t *planned)
{
    struct debts *owed = &ledger->owed;
    if (owed->count == 0)
        return tail_next(ledger, terms, watermark_ms, slot) ? LEDGER_SLOT : LEDGER_NOTHING;
    if (debt_next(&owed->list[0], terms, slot)) return LEDGER_SLOT;
    *planned = owed->list[0].planned;
    debts_pop(owed, timers);
    return LEDGER_DEBT_DONE;
}

bool ledger_front(const struct ledger *ledger, const struct terms *terms, int64_t watermark_ms,
                  struct job_slot *slot)
{
    for (uint32_t i = 0; i < ledger->owed.count; i++)
        if (debt_next(&ledger->owed.list[i], terms, slot)) return true;
    return tail_next(ledger, terms, watermark_ms, slot);
}

int64_t ledger_missed_count(const struct ledger *ledger)
{
    return ledger->owed.count > 0 ? ledger->owed.list[0].missed_count : 0;
}

void ledger_pay_of(struct ledger *ledger, uint32_t at, int64_t due_ms)
{
    assert(at < ledger->owed.count);
    debt_pay(&ledger->owed.list[at], due_ms);
}

void ledger_pay(struct ledger *ledger, int64_t due_ms)
{
    if (ledger->owed.count > 0) ledger_pay_of(ledger, 0, due_ms);
    else ledger->owed.tail_from_ms = due_ms;
}

/* Whether the slot, one of the present schedule's, is the one before all of the front. */
static bool goes_before(const struct debt *front, const struct terms *terms, int64_t due_ms)
{
    int64_t next_ms = 0;
    if (front->schedule != NULL || debt_from_ms(front) < due_ms) return false;
    if (front->kind == DEBT_SLOT && !terms_name(terms, debt_to_ms(front))) return false;
    return !schedule_next(terms->spec, due_ms, &next_ms) || next_ms > debt_from_ms(front);
}

/* Whether the slot is one of the front's schedule. */
static bool is_named(const struct debt *front, const struct terms *terms, struct job_slot slot)
{
    const struct schedule_spec *spec = debt_spec(front, terms);
    if (schedule_nominal(spec, slot.due_ms) != slot.nominal_ms) return false;
    return front->schedule != NULL ? schedule_contains(spec, slot.due_ms)
                                   : terms_name(terms, slot.due_ms);
}

bool ledger_back(struct ledger *ledger, const struct terms *terms, struct job_slot slot,
                 int64_t missed_count)
{
    struct debts *owed = &ledger->owed;
    struct debt *front = owed->count > 0 ? &owed->list[0] : NULL;
    if (front != NULL && is_named(front, terms, slot)) {
        bool last_paid = front->kind == DEBT_RANGE && front->range.from_ms == slot.due_ms;
        if (last_paid || (missed_count == 0 && goes_before(front, terms, slot.due_ms))) {
            debt_back(front, slot.due_ms);
            return true;
        }
    }
    if (owed->count == OWED_RANGES_MAX) return false;
    struct debt debt = debt_of_slot(slot);
    debt.missed_count = missed_count;
    debts_insert(owed, 0, debt);
    return true;
}

/* Before which debt a slot of that nominal time has its place. */
static uint32_t place_of(const struct debts *owed, const struct terms *terms, int64_t nominal_ms)
{
    struct job_slot next;
    uint32_t at = 0;
    while (at < owed->count &&
           (!debt_next(&owed->list[at], terms, &next) || next.nominal_ms < nominal_ms))
        at++;
    return at;
}

bool ledger_insert(struct ledger *ledger, const struct terms *terms, struct job_slot slot)
{
    struct debts *owed = &ledger->owed;
    return place_of(owed, terms, slot.nominal_ms) > 0 && ledger_put(ledger, terms, slot);
}

bool ledger_put(struct ledger *ledger, const struct terms *terms, struct job_slot slot)
{
    struct debts *owed = &ledger->owed;
    if (owed->count == OWED_RANGES_MAX) return false;
    debts_insert(owed, place_of(owed, terms, slot.nominal_ms), debt_of_slot(slot));
    return true;
}

bool ledger_owes_alone(const struct ledger *ledger, int64_t nominal_ms)
{
    for (uint32_t i = 0; i < ledger->owed.count; i++) {
        const struct debt *debt = &ledger->owed.list[i];
        if (debt->kind == DEBT_SLOT && debt->slot.nominal_ms == nominal_ms) return true;
    }
    return false;
}

bool ledger_end_plan(struct ledger *ledger, int64_t *planned)
{
    for (uint32_t i = 0; i < ledger->owed.count; i++) {
        struct debt *debt = &ledger->owed.list[i];
        *planned = debt->planned;
        debt->planned = 0;
        if (*planned > 0) return true;
    }
    return false;
}

/* ---- dropping ---- */

const struct schedule_spec *ledger_next_spec(const struct ledger *ledger,
                                             const struct terms *terms)
{
    return ledger->owed.count > 0 ? debt_spec(&ledger->owed.list[0], terms) : terms->spec;
}

struct dropped ledger_give_up(struct ledger *ledger, const struct terms *terms,
                              struct job_slot next, int64_t last_ms, int64_t watermark_ms)
{
    const struct debt *front = ledger->owed.count > 0 ? &ledger->owed.list[0] : NULL;
    const struct schedule_spec *spec = ledger_next_spec(ledger, terms);
    struct dropped dropped = one_slot(next.nominal_ms);
    struct span span = {next.due_ms - 1, next.due_ms};
    if (front == NULL || front->kind == DEBT_RANGE) {
        span.to_ms = front != NULL ? span_of(front, terms).to_ms
                                   : ledger_tail(ledger, terms, watermark_ms).to_ms;
        if (span.to_ms > last_ms) span.to_ms = last_ms;
        bool any = end_with_slot(spec, &span);
        assert(any);
        (void)any;
        dropped = slots_of(spec, span);
    }
    ledger_pay(ledger, span.to_ms);
    return dropped;
}

static void add_dropped(struct dropped *sum, struct dropped more)
{
    sum->count += more.count;
    if (more.first_ms < sum->first_ms) sum->first_ms = more.first_ms;
    if (more.last_ms > sum->last_ms) sum->last_ms = more.last_ms;
}

struct dropped ledger_left(const struct ledger *ledger, const struct terms *terms,
                           int64_t watermark_ms)
{
    struct dropped sum = {0, INT64_MAX, INT64_MIN};
    for (uint32_t i = 0; i < ledger->owed.count; i++)
        add_dropped(&sum, debt_left(&ledger->owed.list[i], terms));
    if (ledger->owed.tail_from_ms != INSTANT_NONE)
        add_dropped(&sum, slots_of(terms->spec, owed_tail(ledger, terms, watermark_ms)));
    return sum;
}

/* ---- taking away and giving back ---- */

static void debts_move(struct debts *to, struct debts *from)
{
    assert(to->count == 0);
    free(to->list);
    to->list = from->list;
    to->count = from->count;
    to->tail_from_ms = from->tail_from_ms;
    debts_init(from);
}

void ledger_take_away(struct ledger *ledger, struct timers *timers)
{
    ledger_forget_away(ledger, timers);
    debts_move(&ledger->away, &ledger->owed);
}

void ledger_take_tail_away(struct ledger *ledger, struct timers *timers, int64_t due_ms)
{
    ledger_forget_away(ledger, timers);
    ledger->away.tail_from_ms = due_ms;
}

void ledger_give_back(struct ledger *ledger)
{
    assert(!ledger_owes(ledger));
    debts_move(&ledger->owed, &ledger->away);
}

void ledger_forget_away(struct ledger *ledger, struct timers *timers)
{
    debts_clear(&ledger->away, timers);
    debts_trim(&ledger->away);
}
