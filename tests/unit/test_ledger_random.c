/* Random steps of a ledger beside a plain list of slots: whatever is edited, paused, fails or is
 * dropped, the ledger owes the same slots in the same order, each with the nominal and the due time
 * that it had when it was put in. */
#include "dispatcher/jobs/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/walks.h"

enum { SLOTS_MOST = 4096, STEPS = 300, WALKS = 400, PAID_MOST = 8, SCHEDULES = 4 };

struct slots {
    struct job_slot list[SLOTS_MOST];
    size_t count;
};

struct books {
    struct timers *timers;
    struct schedule *schedules[SCHEDULES];
    struct schedule *schedule; /* the present one */
    struct terms terms;
    int64_t watermark_ms;
    struct ledger ledger;
    /* The plain list. */
    struct slots owed;
    int64_t tail_from_ms;
    enum tail_keeps keeps;
    struct slots away;
    int64_t away_tail_ms;
    struct job_slot paid[PAID_MOST]; /* that may fail yet, in order */
    size_t paid_count;
    uint64_t random;
};

static uint64_t draw(struct books *books, uint64_t below)
{
    return walk_draw(&books->random, below);
}

/* ---- the plain list ---- */

static void put(struct slots *slots, size_t at, struct job_slot slot)
{
    assert_true(slots->count < SLOTS_MOST);
    memmove(&slots->list[at + 1], &slots->list[at], (slots->count - at) * sizeof slot);
    slots->list[at] = slot;
    slots->count++;
}

static void take_out(struct slots *slots, size_t count)
{
    slots->count -= count;
    memmove(slots->list, slots->list + count, slots->count * sizeof slots->list[0]);
}

/* The present schedule's slots due in (from_ms, to_ms], one by one. */
static void list_slots(const struct books *books, int64_t from_ms, int64_t to_ms,
                       struct slots *slots)
{
    int64_t due_ms = from_ms;
    while (schedule_next(books->terms.spec, due_ms, &due_ms) && due_ms <= to_ms)
        if (due_ms > books->terms.tail_after_ms && due_ms <= books->terms.until_ms)
            put(slots, slots->count,
                (struct job_slot){schedule_nominal(books->terms.spec, due_ms), due_ms});
}

/* Of the slots from `at` on those go that a tail does not keep. */
static void drop_left_out(struct slots *slots, size_t at, enum tail_keeps keeps)
{
    if (keeps == TAIL_KEEPS_NONE) slots->count = at;
    if (keeps != TAIL_KEEPS_NEWEST || slots->count == at) return;
    slots->list[at] = slots->list[slots->count - 1];
    slots->count = at + 1;
}

/* All that is owed, the tail's slots up to the watermark too. */
static void list_all(const struct books *books, struct slots *slots)
{
    *slots = books->owed;
    if (books->tail_from_ms == INSTANT_NONE) return;
    list_slots(books, books->tail_from_ms, books->watermark_ms, slots);
    drop_left_out(slots, books->owed.count, books->keeps);
}

/* ---- the same of the ledger, which it does not change ---- */

static void list_ledger(const struct books *books, struct slots *slots)
{
    slots->count = 0;
    for (uint32_t i = 0; i < ledger_count(&books->ledger); i++) {
        struct debt debt = *ledger_debt(&books->ledger, i);
        struct job_slot slot;
        while (debt_next(&debt, &books->terms, &slot)) {
            put(slots, slots->count, slot);
            debt_pay(&debt, slot.due_ms);
        }
    }
    if (ledger_tail_from_ms(&books->ledger) == INSTANT_NONE) return;
    struct span tail = ledger_tail(&books->ledger, &books->terms, books->watermark_ms);
    size_t debts = slots->count;
    list_slots(books, tail.from_ms, tail.to_ms, slots);
    drop_left_out(slots, debts, ledger_tail_keeps(&books->ledger));
}

static void check_slots(const struct slots *left, const struct slots *right)
{
    assert_int_equal(left->count, right->count);
    assert_memory_equal(left->list, right->list, left->count * sizeof left->list[0]);
}

static void check_dropped(const struct slots *slots, size_t count, struct dropped dropped)
{
    assert_int_equal(dropped.count, count);
    int64_t first_ms = INT64_MAX;
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        if (slots->list[i].nominal_ms < first_ms) first_ms = slots->list[i].nominal_ms;
        if (slots->list[i].nominal_ms > last_ms) last_ms = slots->list[i].nominal_ms;
    }
    assert_int_equal(dropped.first_ms, first_ms);
    assert_int_equal(dropped.last_ms, last_ms);
}

static void check(const struct books *books)
{
    static struct slots expected;
    static struct slots found;
    list_all(books, &expected);
    list_ledger(books, &found);
    check_slots(&found, &expected);
    assert_int_equal(ledger_owes(&books->ledger), ledger_count(&books->ledger) > 0 ||
                                                      books->tail_from_ms != INSTANT_NONE);
    check_dropped(&expected, expected.count,
                  ledger_left(&books->ledger, &books->terms, books->watermark_ms));
}

/* ---- steps ---- */

/* Slots come due: of a job that owes nothing they are fired, sometimes too late for that. */
static void step_time(struct books *books)
{
    books->watermark_ms += (int64_t)draw(books, 4000);
    if (ledger_owes(&books->ledger) || draw(books, 2) == 0) return;
    books->tail_from_ms = books->watermark_ms - (int64_t)draw(books, 3000);
    ledger_open_tail(&books->ledger, books->tail_from_ms, false);
}

/* Slots that come meet a run: from here on the tail keeps so many. */
static void step_keep(struct books *books)
{
    if (books->tail_from_ms == INSTANT_NONE) {
        books->tail_from_ms = books->watermark_ms - (int64_t)draw(books, 3000);
        ledger_open_tail(&books->ledger, books->tail_from_ms, false);
    }
    books->keeps = 1 + (enum tail_keeps)draw(books, 2);
    ledger_keep(&books->ledger, books->keeps);
}

/* What is left out is named. */
static void step_leave_out(struct books *books)
{
    static struct slots tail;
    int64_t due_ms = 0;
    if (books->keeps == TAIL_KEEPS_ALL) return;
    tail.count = 0;
    list_slots(books, books->tail_from_ms, books->watermark_ms, &tail);
    size_t kept = books->keeps == TAIL_KEEPS_NEWEST && tail.count > 0;
    bool any = ledger_first_left_out(&books->ledger, &books->terms, books->watermark_ms, &due_ms);
    assert_int_equal(any, tail.count > kept);
    if (any) assert_int_equal(due_ms, tail.list[kept].due_ms);
    check_dropped(&tail, tail.count - kept,
                  ledger_leave_out(&books->ledger, &books->terms, books->watermark_ms));
    books->tail_from_ms = ledger_tail_from_ms(&books->ledger);
}

/* The run ends: the tail keeps all again. */
static void keep_all(struct books *books)
{
    static struct slots all;
    if (books->keeps == TAIL_KEEPS_ALL) return;
    step_leave_out(books);
    list_all(books, &all);
    ledger_keep_all(&books->ledger, &books->terms, books->watermark_ms);
    books->keeps = TAIL_KEEPS_ALL;
    books->tail_from_ms = ledger_tail_from_ms(&books->ledger);
    assert_int_equal(books->tail_from_ms == INSTANT_NONE,
                     ledger_count(&books->ledger) == 0 && all.count == 0);
}

static void pay_one(struct books *books)
{
    static struct slots expected;
    struct job_slot slot;
    int64_t planned = 0;
    enum ledger_next next;
    list_all(books, &expected);
    while ((next = ledger_next(&books->ledger, &books->terms, books->timers, books->watermark_ms,
                               &slot, &planned)) == LEDGER_DEBT_DONE)
        ;
    assert_int_equal(next == LEDGER_SLOT, expected.count > 0);
    if (next != LEDGER_SLOT) return;
    assert_memory_equal(&slot, &expected.list[0], sizeof slot);
    ledger_pay(&books->ledger, slot.due_ms);
    if (books->owed.count > 0) take_out(&books->owed, 1);
    else books->tail_from_ms = slot.due_ms;
    if (books->paid_count == PAID_MOST)
        memmove(books->paid, books->paid + 1, --books->paid_count * sizeof slot);
    books->paid[books->paid_count++] = slot;
}

static void step_pay(struct books *books)
{
    for (uint64_t count = 1 + draw(books, 8); count > 0; count--) pay_one(books);
}

/* They fail in reverse. */
static void step_back(struct books *books)
{
    if (books->paid_count == 0) return;
    struct job_slot slot = books->paid[--books->paid_count];
    if (!ledger_back(&books->ledger, &books->terms, slot, (int64_t)draw(books, 2))) return;
    put(&books->owed, 0, slot);
    if (books->tail_from_ms != INSTANT_NONE) return;
    books->tail_from_ms = books->watermark_ms;
    ledger_open_tail(&books->ledger, books->tail_from_ms, false);
}

static void close_tail(struct books *books)
{
    static struct slots tail;
    struct dropped dropped;
    tail.count = 0;
    if (books->tail_from_ms != INSTANT_NONE)
        list_slots(books, books->tail_from_ms, books->watermark_ms, &tail);
    books->tail_from_ms = INSTANT_NONE;
    if (!ledger_close_tail(&books->ledger, &books->terms, books->watermark_ms, &dropped)) {
        check_dropped(&tail, tail.count, dropped);
        return;
    }
    for (size_t i = 0; i < tail.count; i++) put(&books->owed, books->owed.count, tail.list[i]);
}

static void open_tail(struct books *books)
{
    if (!ledger_owes(&books->ledger)) return;
    books->tail_from_ms = books->watermark_ms;
    ledger_open_tail(&books->ledger, books->tail_from_ms, false);
}

static void step_pause(struct books *books)
{
    close_tail(books);
    books->watermark_ms += (int64_t)draw(books, 4000);
    open_tail(books);
}

/* Another schedule, or other bounds: nothing that is owed changes. */
static void step_edit(struct books *books)
{
    close_tail(books);
    ledger_fix(&books->ledger, &books->terms, books->schedule);
    books->schedule = books->schedules[draw(books, SCHEDULES)];
    const struct schedule_spec *spec = &books->schedule->spec;
    int64_t after_ms = schedule_bound(spec, books->watermark_ms + 1) - 1;
    books->terms = (struct terms){spec, after_ms, after_ms, INT64_MAX};
    if (draw(books, 4) == 0) books->terms.until_ms = books->watermark_ms + 20000;
    open_tail(books);
}

/* The newest of the tail's slots are kept, by the policy. */
static void step_decide(struct books *books)
{
    static struct slots tail;
    if (books->tail_from_ms == INSTANT_NONE || !ledger_has_room(&books->ledger, 1)) return;
    tail.count = 0;
    list_slots(books, books->tail_from_ms, books->watermark_ms, &tail);
    ledger_open_tail(&books->ledger, books->tail_from_ms, true);
    struct span span = ledger_tail(&books->ledger, &books->terms, books->watermark_ms);
    size_t left_out = tail.count == 0 ? 0 : draw(books, tail.count + 1);
    if (left_out > 0) span.from_ms = tail.list[left_out - 1].due_ms;
    if (draw(books, 2) == 0 && tail.count > left_out)
        span.from_ms = tail.list[left_out].due_ms - 1;
    ledger_decide(&books->ledger, &books->terms, span, 0, 0, books->watermark_ms);
    for (size_t i = left_out; i < tail.count; i++)
        put(&books->owed, books->owed.count, tail.list[i]);
    books->tail_from_ms = ledger_tail_from_ms(&books->ledger);
    assert_int_equal(books->tail_from_ms == INSTANT_NONE, ledger_count(&books->ledger) == 0);
}

/* The first slots of what is owed, as many as one debt has. */
static void step_give_up(struct books *books)
{
    static struct slots all;
    struct job_slot slot;
    int64_t planned = 0;
    list_all(books, &all);
    while (ledger_count(&books->ledger) > 0 &&
           ledger_next(&books->ledger, &books->terms, books->timers, books->watermark_ms, &slot,
                       &planned) == LEDGER_DEBT_DONE)
        ;
    if (all.count == 0) return;
    int64_t last_ms = all.list[0].due_ms + (int64_t)draw(books, 5000);
    struct dropped dropped = ledger_give_up(&books->ledger, &books->terms, all.list[0], last_ms,
                                            books->watermark_ms);
    assert_in_range(dropped.count, 1, all.count);
    size_t count = (size_t)dropped.count;
    check_dropped(&all, count, dropped);
    assert_true(all.list[count - 1].due_ms <= last_ms);
    size_t single = count < books->owed.count ? count : books->owed.count;
    take_out(&books->owed, single);
    if (single < count) books->tail_from_ms = all.list[count - 1].due_ms;
}

/* One that waited for its delay over an edit: the others stay in their order, one is before it. */
static void step_insert(struct books *books)
{
    static struct slots found;
    struct job_slot slot = {books->watermark_ms - (int64_t)draw(books, 5000), 0};
    slot.due_ms = slot.nominal_ms + (int64_t)draw(books, 3000);
    bool anywhere = draw(books, 2) == 0;
    if (!anywhere && !ledger_insert(&books->ledger, &books->terms, slot)) return;
    if (anywhere && !ledger_put(&books->ledger, &books->terms, slot)) return;
    list_ledger(books, &found);
    size_t at = 0;
    while (memcmp(&found.list[at], &slot, sizeof slot) != 0) at++;
    assert_true(at <= books->owed.count);
    if (at < books->owed.count) assert_true(books->owed.list[at].nominal_ms >= slot.nominal_ms);
    put(&books->owed, at, slot);
}

static void step_take_away(struct books *books)
{
    if (!ledger_owes(&books->ledger)) return;
    ledger_take_away(&books->ledger, books->timers);
    books->away = books->owed;
    books->away_tail_ms = books->tail_from_ms;
    books->owed.count = 0;
    books->tail_from_ms = INSTANT_NONE;
    if (draw(books, 2) == 0) {
        ledger_forget_away(&books->ledger, books->timers);
        return;
    }
    ledger_give_back(&books->ledger);
    books->owed = books->away;
    books->tail_from_ms = books->away_tail_ms;
}

/* As a restart does. */
static void step_restart(struct books *books)
{
    struct ledger read;
    ledger_init(&read);
    for (uint32_t i = 0; i < ledger_count(&books->ledger); i++) {
        struct owed_range range;
        const struct debt *debt = ledger_debt(&books->ledger, i);
        debt_view(debt, &range);
        struct schedule *schedule = debt->schedule == NULL ? NULL : timers_retain(debt->schedule);
        ledger_add(&read, debt_of_record(&range, schedule, books->terms.spec));
    }
    if (books->tail_from_ms != INSTANT_NONE) {
        ledger_open_tail(&read, books->tail_from_ms, false);
        ledger_keep(&read, books->keeps);
    }
    ledger_clear(&books->ledger, books->timers);
    ledger_free(&books->ledger);
    books->ledger = read;
}

static void step_drop(struct books *books)
{
    if (draw(books, 8) != 0) return;
    ledger_clear(&books->ledger, books->timers);
    books->owed.count = 0;
    books->tail_from_ms = INSTANT_NONE;
}

static void (*const steps[])(struct books *) = {
    step_time,    step_time,   step_pay,    step_pay,       step_pay,     step_back, step_back,
    step_pause,   step_pause,  step_edit,   step_decide,    step_give_up, step_insert,
    step_restart, step_drop,   step_take_away, keep_all,
};
/* What may happen while the tail does not keep all. */
static void (*const steps_in_way[])(struct books *) = {step_time, step_time, step_keep,
                                                       step_leave_out, step_restart};

static void open_books(struct books *books, uint64_t seed)
{
    static const int64_t every_ms[SCHEDULES] = {1000, 1000, 300, 700};
    static const uint32_t jitter_ms[SCHEDULES] = {0, 900, 250, 0};
    static const uint8_t hash_key[HASH_KEY_BYTES] = {7};
    static const struct schedule_words words = {.anchor_given = true};
    memset(books, 0, sizeof *books);
    books->random = seed * 0x9e3779b97f4a7c15U + 1;
    books->timers = timers_create(hash_key);
    for (int i = 0; i < SCHEDULES; i++) {
        struct schedule_spec spec = schedule_from_every(every_ms[i], 0);
        spec.jitter.most_ms = jitter_ms[i];
        spec.jitter.incarnation = (struct incarnation){(int64_t)seed, 2, 3, 4};
        books->schedules[i] = timers_intern(books->timers, &spec, &words);
    }
    books->schedule = books->schedules[draw(books, SCHEDULES)];
    books->terms = (struct terms){&books->schedule->spec, INT64_MIN, INT64_MIN, INT64_MAX};
    books->watermark_ms = 1000000;
    books->tail_from_ms = INSTANT_NONE;
    ledger_init(&books->ledger);
}

static void close_books(struct books *books)
{
    ledger_clear(&books->ledger, books->timers);
    ledger_forget_away(&books->ledger, books->timers);
    ledger_free(&books->ledger);
    for (int i = 0; i < SCHEDULES; i++) {
        assert_int_equal(books->schedules[i]->references, 1);
        timers_release(books->timers, books->schedules[i]);
    }
    timers_destroy(books->timers);
}

static void the_ledger_owes_what_the_list_does(void **state)
{
    static struct books books;
    (void)state;
    for (uint64_t seed = 1; seed <= WALKS; seed++) {
        open_books(&books, seed);
        for (int i = 0; i < STEPS && books.owed.count < SLOTS_MOST / 4; i++) {
            if (draw(&books, 4) == 0) {
                steps_in_way[draw(&books, sizeof steps_in_way / sizeof steps_in_way[0])](&books);
            } else {
                keep_all(&books);
                steps[draw(&books, sizeof steps / sizeof steps[0])](&books);
            }
            check(&books);
        }
        close_books(&books);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_ledger_owes_what_the_list_does)};
    return cmocka_run_group_tests_name("ledger, random steps", tests, NULL, NULL);
}
