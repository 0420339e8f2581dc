/* The ledger without a shard: a table of (ledger, step) -> (ledger, next slot), and random steps
 * against a plain list of slots.
 *
 * In the table a ledger is a line of words. Times are seconds, the present schedule has a slot each
 * second, the earlier one each half.
 *   4      the slot of 4, owed by itself; 4+300 is due 300 ms later
 *   (4,7]  a range of the present schedule; (4,7]* of the earlier one
 *   m3 p5  behind one of these: it stands for 3 missed ones; 5 fires were planned
 *   9..    the tail from 9 on; 9?.. the policy has not decided about it
 *   away:  what follows has been taken away
 *   ~4+300 a slot that waits
 *   bounded: the job's slots are those due after 5 and up to 8; of its tail, those after 6 */
#include "dispatcher/jobs/ledger.h"

#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rows.h"

enum { SECOND = 1000, WATERMARK_MS = 20 * SECOND, TEXT_BYTES = 1024 };

static const struct terms no_bounds = {
    .owed_after_ms = INT64_MIN, .tail_after_ms = INT64_MIN, .until_ms = INT64_MAX};
static const struct terms bounds = {
    .owed_after_ms = 5 * SECOND, .tail_after_ms = 6 * SECOND, .until_ms = 8 * SECOND};

static const uint8_t hash_key[HASH_KEY_BYTES] = {7};
static const struct schedule_words no_words = {.anchor_given = true};

struct desk {
    struct timers *timers;
    struct schedule *present;
    struct schedule *earlier;
    struct terms terms;
    struct ledger ledger;
    char said[TEXT_BYTES];
};

static struct schedule *every(struct timers *timers, int64_t every_ms, uint32_t jitter_ms)
{
    struct schedule_spec spec = schedule_from_every(every_ms, 0);
    if (jitter_ms > 0)
        spec.jitter = (struct schedule_jitter){.most_ms = jitter_ms, .incarnation = {1, 2, 3, 4}};
    return timers_intern(timers, &spec, &no_words);
}

static void open_desk(struct desk *desk)
{
    desk->timers = timers_create(hash_key);
    desk->present = every(desk->timers, SECOND, 0);
    desk->earlier = every(desk->timers, SECOND / 2, 0);
    desk->terms = no_bounds;
    desk->terms.spec = &desk->present->spec;
    desk->said[0] = '\0';
    ledger_init(&desk->ledger);
}

/* Whatever was owed is given back, and then nothing unusual is left. */
static void close_desk(struct desk *desk)
{
    struct ledger nothing;
    ledger_init(&nothing);
    ledger_clear(&desk->ledger, desk->timers);
    ledger_forget_away(&desk->ledger, desk->timers);
    ledger_wait(&desk->ledger, NULL, 0);
    ledger_trim(&desk->ledger);
    assert_memory_equal(&desk->ledger, &nothing, sizeof nothing);
    ledger_free(&desk->ledger);
    assert_int_equal(desk->present->references, 1);
    assert_int_equal(desk->earlier->references, 1);
    timers_release(desk->timers, desk->present);
    timers_release(desk->timers, desk->earlier);
    timers_destroy(desk->timers);
}

/* ---- ledgers as words ---- */

static int64_t read_seconds(const char **at)
{
    char *end = NULL;
    int64_t ms = strtol(*at, &end, 10) * SECOND;
    if (end == *at) fail_msg("no number: %s", *at);
    *at = end;
    if (end[0] != '.' || !isdigit((unsigned char)end[1])) return ms;
    int64_t unit_ms = SECOND / 10;
    for (*at = end + 1; isdigit((unsigned char)**at); (*at)++, unit_ms /= 10)
        ms += (**at - '0') * unit_ms;
    return ms;
}

static bool took(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0) return false;
    *at += length;
    return true;
}

static struct job_slot read_slot(const char **at)
{
    struct job_slot slot;
    slot.nominal_ms = read_seconds(at);
    slot.due_ms = slot.nominal_ms;
    if (took(at, "+")) slot.due_ms += strtol(*at, (char **)(void *)at, 10);
    return slot;
}

static struct debt read_debt(struct desk *desk, const char **at)
{
    struct debt debt = {0};
    if (took(at, "(")) {
        debt.kind = DEBT_RANGE;
        debt.range.from_ms = read_seconds(at);
        assert_true(took(at, ","));
        debt.range.to_ms = read_seconds(at);
        assert_true(took(at, "]"));
    } else {
        debt.kind = DEBT_SLOT;
        debt.slot = read_slot(at);
    }
    if (took(at, "*")) debt.schedule = timers_retain(desk->earlier);
    if (took(at, "m")) debt.missed_count = strtol(*at, (char **)(void *)at, 10);
    if (took(at, "p")) debt.planned = strtol(*at, (char **)(void *)at, 10);
    return debt;
}

static void read_waiting(struct desk *desk, const char **at)
{
    struct job_slot slots[PENDING_MAX];
    size_t count = ledger_waiting(&desk->ledger);
    for (size_t i = 0; i < count; i++) slots[i] = ledger_waiting_slot(&desk->ledger, i);
    slots[count] = read_slot(at);
    ledger_wait(&desk->ledger, slots, count + 1);
}

static void read_tail(struct desk *desk, const char **at)
{
    int64_t from_ms = read_seconds(at);
    bool undecided = took(at, "?");
    assert_true(took(at, ".."));
    ledger_open_tail(&desk->ledger, from_ms, undecided);
}

static void read_ledger(struct desk *desk, const char *text)
{
    const char *at = text;
    bool away = took(&at, "away:");
    if (took(&at, "bounded:")) {
        desk->terms = bounds;
        desk->terms.spec = &desk->present->spec;
    }
    while (*at != '\0') {
        size_t length = strcspn(at, " ");
        if (took(&at, " ")) continue;
        if (took(&at, "~")) read_waiting(desk, &at);
        else if (at[length - 1] == '.') read_tail(desk, &at);
        else ledger_add(&desk->ledger, read_debt(desk, &at));
    }
    if (away) ledger_take_away(&desk->ledger, desk->timers);
}

static void say(struct desk *desk, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct desk *desk, const char *format, ...)
{
    size_t length = strlen(desk->said);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(desk->said + length, sizeof desk->said - length, format, arguments);
    va_end(arguments);
}

static void say_seconds(struct desk *desk, int64_t at_ms)
{
    say(desk, "%" PRId64, at_ms / SECOND);
    if (at_ms % SECOND == 0) return;
    say(desk, ".%03" PRId64, at_ms % SECOND);
    char *end = desk->said + strlen(desk->said);
    while (end[-1] == '0') *--end = '\0';
}

static void say_slot(struct desk *desk, struct job_slot slot)
{
    say_seconds(desk, slot.nominal_ms);
    if (slot.due_ms != slot.nominal_ms) say(desk, "+%" PRId64, slot.due_ms - slot.nominal_ms);
}

static void say_debt(struct desk *desk, const struct debt *debt)
{
    if (debt->kind == DEBT_SLOT) {
        say_slot(desk, debt->slot);
    } else {
        say(desk, "(");
        say_seconds(desk, debt->range.from_ms);
        say(desk, ",");
        say_seconds(desk, debt->range.to_ms);
        say(desk, "]");
    }
    if (debt->schedule == desk->earlier) say(desk, "*");
    if (debt->schedule == desk->present) say(desk, "=");
    if (debt->missed_count != 0) say(desk, "m%" PRId64, debt->missed_count);
    if (debt->planned != 0) say(desk, "p%" PRId64, debt->planned);
    say(desk, " ");
}

static void say_debts(struct desk *desk, const struct debts *debts)
{
    for (uint32_t i = 0; i < debts->count; i++) say_debt(desk, &debts->list[i]);
    if (debts->tail_from_ms == INSTANT_NONE) return;
    say_seconds(desk, debts->tail_from_ms);
    say(desk, debts->undecided ? "?.. " : ".. ");
}

static void check_said(struct desk *desk, const char *expected)
{
    size_t length = strlen(desk->said);
    if (length > 0 && desk->said[length - 1] == ' ') desk->said[length - 1] = '\0';
    assert_string_equal(desk->said, expected);
    desk->said[0] = '\0';
}

static void check_ledger(struct desk *desk, const char *expected)
{
    say_debts(desk, &desk->ledger.owed);
    if (desk->ledger.away.count > 0 || desk->ledger.away.tail_from_ms != INSTANT_NONE) {
        say(desk, "away: ");
        say_debts(desk, &desk->ledger.away);
    }
    for (size_t i = 0; i < ledger_waiting(&desk->ledger); i++) {
        say(desk, "~");
        say_slot(desk, ledger_waiting_slot(&desk->ledger, i));
        say(desk, " ");
    }
    check_said(desk, expected);
}

static void say_dropped(struct desk *desk, struct dropped dropped)
{
    say(desk, "%" PRId64, dropped.count);
    if (dropped.count == 0) return;
    say(desk, ": ");
    say_seconds(desk, dropped.first_ms);
    say(desk, "-");
    say_seconds(desk, dropped.last_ms);
}

/* ---- the table ---- */

static void step_pay(struct desk *desk, const char *at)
{
    ledger_pay(&desk->ledger, read_seconds(&at));
}

static void step_next(struct desk *desk, const char *at)
{
    struct job_slot slot = {0};
    int64_t planned = 0;
    (void)at;
    switch (ledger_next(&desk->ledger, &desk->terms, desk->timers, WATERMARK_MS, &slot,
                        &planned)) {
    case LEDGER_SLOT: say_slot(desk, slot); return;
    case LEDGER_DEBT_DONE: say(desk, "done p%" PRId64, planned); return;
    case LEDGER_NOTHING: say(desk, "nothing"); return;
    }
}

static void step_back(struct desk *desk, const char *at)
{
    struct job_slot slot = read_slot(&at);
    int64_t missed = took(&at, "m") ? strtol(at, NULL, 10) : 0;
    if (!ledger_back(&desk->ledger, &desk->terms, slot, missed)) say(desk, "no room");
}

static void step_insert(struct desk *desk, const char *at)
{
    if (!ledger_insert(&desk->ledger, &desk->terms, read_slot(&at))) say(desk, "not behind any");
}

static void step_close(struct desk *desk, const char *at)
{
    struct dropped dropped;
    if (!ledger_close_tail(&desk->ledger, &desk->terms, read_seconds(&at), &dropped))
        say_dropped(desk, dropped);
}

static void step_decide(struct desk *desk, const char *at)
{
    int64_t keep_from_ms = read_seconds(&at);
    int64_t to_ms = read_seconds(&at);
    struct span tail = ledger_tail(&desk->ledger, &desk->terms, to_ms);
    struct span kept = {keep_from_ms, tail.to_ms};
    int64_t count = terms_count(&desk->terms, kept);
    say_dropped(desk, terms_slots(&desk->terms, (struct span){tail.from_ms, keep_from_ms}));
    ledger_decide(&desk->ledger, &desk->terms, kept, 0, count, to_ms);
}

static void step_fix(struct desk *desk, const char *at)
{
    (void)at;
    ledger_fix(&desk->ledger, &desk->terms, desk->present);
}

static void step_give_up(struct desk *desk, const char *at)
{
    struct job_slot slot = {0};
    int64_t planned = 0;
    assert_int_equal(ledger_next(&desk->ledger, &desk->terms, desk->timers, WATERMARK_MS, &slot,
                                 &planned), LEDGER_SLOT);
    say_dropped(desk, ledger_give_up(&desk->ledger, &desk->terms, slot, read_seconds(&at),
                                     WATERMARK_MS));
}

static void step_left(struct desk *desk, const char *at)
{
    (void)at;
    say_dropped(desk, ledger_left(&desk->ledger, &desk->terms, WATERMARK_MS));
}

static void step_plan(struct desk *desk, const char *at)
{
    int64_t planned = 0;
    (void)at;
    while (ledger_end_plan(&desk->ledger, &planned)) say(desk, "p%" PRId64 " ", planned);
}

static void step_alone(struct desk *desk, const char *at)
{
    say(desk, ledger_owes_alone(&desk->ledger, read_seconds(&at)) ? "yes" : "no");
}

static void step_take_away(struct desk *desk, const char *at)
{
    (void)at;
    ledger_take_away(&desk->ledger, desk->timers);
}

static void step_take_tail_away(struct desk *desk, const char *at)
{
    ledger_take_tail_away(&desk->ledger, desk->timers, read_seconds(&at));
}

static void step_give_back(struct desk *desk, const char *at)
{
    (void)at;
    ledger_give_back(&desk->ledger);
}

static void step_clear(struct desk *desk, const char *at)
{
    (void)at;
    ledger_clear(&desk->ledger, desk->timers);
}

static void step_ring(struct desk *desk, const char *at)
{
    int64_t due_ms = read_seconds(&at);
    if (ledger_waits_for(&desk->ledger, due_ms)) say_slot(desk, ledger_ring(&desk->ledger, due_ms));
    else say(desk, "none");
}

static void step_forget(struct desk *desk, const char *at)
{
    ledger_forget_waiting(&desk->ledger, read_seconds(&at));
}

struct row {
    const char *name;
    const char *before;
    void (*step)(struct desk *desk, const char *at);
    const char *at;
    const char *after;
    const char *said; /* by the step; NULL: nothing */
    const char *next;
};

static const struct row rows[] = {
    {"nothing is owed", "", step_next, "", "", "nothing", "nothing"},
    {"a slot by itself", "4 9..", step_next, "", "4 9..", "4", "4"},
    {"a slot names itself, the schedule is not asked", "4.2+300", step_next, "", "4.2+300",
     "4.2+300", "4.2+300"},
    {"a range begins behind its from", "(4,7]", step_next, "", "(4,7]", "5", "5"},
    {"a range of an earlier schedule", "(4,7]*", step_next, "", "(4,7]*", "4.5", "4.5"},
    {"the tail ends at the watermark", "19..", step_pay, "20", "20..", NULL, "nothing"},
    {"an undecided tail has slots, too", "4?..", step_next, "", "4?..", "5", "5"},

    {"the tail waits behind debts", "4 9..", step_pay, "4", "(4,4] 9..", NULL, "done p0"},
    {"what is paid goes when it is asked for", "(4,4]p3 9..", step_next, "", "9..", "done p3",
     "10"},
    {"a range is paid slot by slot", "(4,7]", step_pay, "5", "(5,7]", NULL, "6"},
    {"a range is paid", "(6,7]", step_pay, "7", "(7,7]", NULL, "done p0"},
    {"the tail is paid", "9..", step_pay, "10", "10..", NULL, "11"},

    {"back into the range it came from", "(5,7]p3", step_back, "5", "(4.999,7]p3", NULL, "5"},
    {"back into the last place of a range", "(7,7] 9..", step_back, "7", "(6.999,7] 9..", NULL,
     "7"},
    {"back into a range of an earlier schedule", "(5.5,7]*", step_back, "5.5", "(5.499,7]*", NULL,
     "5.5"},
    {"back, by itself: the earlier schedule does not name it", "(5.2,7]*", step_back, "5.2",
     "5.2 (5.2,7]*", NULL, "5.2"},
    {"back before a slot of the same schedule", "6 9..", step_back, "5", "(4.999,6] 9..", NULL,
     "5"},
    {"back before a slot of nobody's schedule", "5.2", step_back, "5", "5 5.2", NULL, "5"},
    {"back before a slot a millisecond later", "5.001", step_back, "5m1", "5m1 5.001", NULL, "5"},
    {"back with a nominal time that the schedule does not give it", "(5,7]", step_back, "4.8+200",
     "4.8+200 (5,7]", NULL, "4.8+200"},
    {"back before a range that does not follow", "(6,8]", step_back, "5", "5 (6,8]", NULL, "5"},
    {"back before an earlier schedule's range", "(5.5,8]*", step_back, "5", "5 (5.5,8]*", NULL,
     "5"},
    {"back with what it stands for", "6", step_back, "5m2", "5m2 6", NULL, "5"},
    {"back with its delay", "9..", step_back, "5.2+300", "5.2+300 9..", NULL, "5.2+300"},
    {"back before the tail", "9..", step_back, "9", "9 9..", NULL, "9"},
    {"no room to come back", "1m1 2m1 3m1 4m1 5m1 6m1 7m1 8m1 1m1 2m1 3m1 4m1 5m1 6m1 7m1 8m1",
     step_back, "0.2", "1m1 2m1 3m1 4m1 5m1 6m1 7m1 8m1 1m1 2m1 3m1 4m1 5m1 6m1 7m1 8m1",
     "no room", "1"},

    {"a waiting slot goes behind what is older", "4 6", step_insert, "5.2+300", "4 5.2+300 6",
     NULL, "4"},
    {"by nominal times, not by delays", "4.2+900 6", step_insert, "4.5+100", "4.2+900 4.5+100 6",
     NULL, "4.2+900"},
    {"behind a range whose next is older", "(4,9]", step_insert, "6.2+300", "(4,9] 6.2+300", NULL,
     "5"},
    {"not behind a range whose next is newer", "(7,9]", step_insert, "6.2", "(7,9]",
     "not behind any", "8"},
    {"behind one that is paid", "(4,4] (7,9]", step_insert, "6.2", "(4,4] 6.2 (7,9]", NULL,
     "done p0"},
    {"not where nothing is owed", "9..", step_insert, "6.2", "9..", "not behind any", "10"},

    {"the tail becomes a range", "9..", step_close, "12.2", "(9,12]", NULL, "10"},
    {"a tail of one instant is that slot", "9..", step_close, "10", "(9,10]", NULL, "10"},
    {"a tail without a slot is none", "9..", step_close, "9.9", "", NULL, "nothing"},
    {"no tail", "4", step_close, "12", "4", NULL, "4"},
    {"the last range goes on", "(4,9]p5 9..", step_close, "12", "(4,12]p5", NULL, "5"},
    {"the last range goes on over what has no slot", "(4,9] 9..", step_close, "12", "(4,12]", NULL,
     "5"},
    {"a slot of the same schedule goes on", "9 9..", step_close, "12", "(8.999,12]", NULL, "9"},
    {"another's slot does not", "9.2 9.5..", step_close, "12", "9.2 (9.5,12]", NULL, "9.2"},
    {"what stands for others does not", "9m3 9..", step_close, "12", "9m3 (9,12]", NULL, "9"},
    {"a range does not go on over a slot between", "(4,7] 9..", step_close, "12", "(4,7] (9,12]",
     NULL, "5"},
    {"an earlier schedule's range does not go on", "(4,9]* 9..", step_close, "12",
     "(4,9]* (9,12]", NULL, "4.5"},
    {"no room: what is dropped is counted",
     "1m1 2m1 3m1 4m1 5m1 6m1 7m1 8m1 1m1 2m1 3m1 4m1 5m1 6m1 7m1 8m1 9..", step_close, "12",
     "1m1 2m1 3m1 4m1 5m1 6m1 7m1 8m1 1m1 2m1 3m1 4m1 5m1 6m1 7m1 8m1", "3: 10-12", "1"},

    {"all is kept", "9?..", step_decide, "9 12", "(9,12]p3 12..", "0", "10"},
    {"the newest two are kept", "9?..", step_decide, "10 12", "(10,12]p2 12..", "1: 10-10", "11"},
    {"the newest is kept", "9?..", step_decide, "11.999 12", "12p1 12..", "2: 10-11", "12"},
    {"none is kept", "9?..", step_decide, "12 12", "", "3: 10-12", "nothing"},
    {"none is kept behind older debts", "4 9?..", step_decide, "12 12", "4 12..", "3: 10-12", "4"},
    {"there was none", "9?..", step_decide, "9 9.9", "", "0", "nothing"},

    {"an edit fixes the schedule of debts", "4 (5,8] (8,9]*", step_fix, "", "4= (5,8]= (8,9]*",
     NULL, "4"},

    {"a slot is given up", "4 (5,8]", step_give_up, "6", "(4,4] (5,8]", "1: 4-4", "done p0"},
    {"the old part of a range is given up", "(4,9]", step_give_up, "6.5", "(6,9]", "2: 5-6", "7"},
    {"all of a range is given up", "(4,9] 10..", step_give_up, "15", "(9,9] 10..", "5: 5-9",
     "done p0"},
    {"the old part of an earlier schedule's range", "(4,6]*", step_give_up, "5.2", "(5,6]*",
     "2: 4.5-5", "5.5"},
    {"the old part of the tail is given up", "9..", step_give_up, "12", "12..", "3: 10-12", "13"},
    {"the tail is given up to the watermark", "9..", step_give_up, "99", "20..", "11: 10-20",
     "nothing"},

    {"nothing is left", "", step_left, "", "", "0", "nothing"},
    {"all that is left", "4.2+300 (5,8] (6,8]* 18..", step_left, "", "4.2+300 (5,8] (6,8]* 18..",
     "10: 4.2-20", "4.2+300"},
    {"the newest of all may be in an earlier debt", "(5,9] 7", step_left, "", "(5,9] 7", "5: 6-9",
     "6"},
    {"the ends of plans", "4p1 5 (5,8]p3", step_plan, "", "4 5 (5,8]", "p1 p3", "4"},
    {"owed by itself", "4.2+300 (5,8]", step_alone, "4.2", "4.2+300 (5,8]", "yes", "4.2+300"},
    {"owed in a range", "4.2+300 (5,8]", step_alone, "6", "4.2+300 (5,8]", "no", "4.2+300"},

    {"taken away", "4 (5,8]* 9..", step_take_away, "", "away: 4 (5,8]* 9..", NULL, "nothing"},
    {"the tail is taken away", "", step_take_tail_away, "6", "away: 6..", NULL, "nothing"},
    {"given back", "away: 4 (5,8]* 9..", step_give_back, "", "4 (5,8]* 9..", NULL, "4"},
    {"nothing was taken away", "", step_give_back, "", "", NULL, "nothing"},
    {"in place of what was taken away before", "away: 4 (5,8]* 9..", step_take_tail_away, "6",
     "away: 6..", NULL, "nothing"},
    {"what was taken away or waits stays", "away: 4 9.. ~4+300", step_clear, "",
     "away: 4 9.. ~4+300", NULL, "nothing"},
    {"all is forgotten", "4 (5,8]* 9?..", step_clear, "", "", NULL, "nothing"},

    {"what waits is not owed", "~4+300 ~5+200", step_next, "", "~4+300 ~5+200", "nothing",
     "nothing"},
    {"the delay is over", "~4+300 ~5+200", step_ring, "4.3", "~5+200", "4+300", "nothing"},
    {"the delay of the last is over", "~4+300", step_ring, "4.3", "", "4+300", "nothing"},
    {"nobody's delay is over", "~4+300", step_ring, "4", "~4+300", "none", "nothing"},
    {"a pause leaves out what waited in it", "~4+300 ~5+200", step_forget, "4.3", "~5+200", NULL,
     "nothing"},

    {"terms: a range", "bounded: (2,12]", step_left, "", "(2,12]", "3: 6-8", "6"},
    {"terms: not an earlier schedule's", "bounded: (2,12]*", step_left, "", "(2,12]*",
     "20: 2.5-12", "2.5"},
    {"terms: not a slot by itself", "bounded: 2", step_left, "", "2", "1: 2-2", "2"},
    {"terms: the tail", "bounded: 2..", step_left, "", "2..", "2: 7-8", "7"},
    {"terms: a closed tail", "bounded: 2..", step_close, "20", "(6,8]", NULL, "7"},
    {"fixed once and for all", "bounded: (2,12]", step_fix, "", "(5,8]=", NULL, "6"},
    {"fixed, and none in it", "bounded: (2,4]", step_fix, "", "(5,5]=", NULL, "done p0"},
    {"back, by itself: it is not the job's any more", "bounded: (6,8]", step_back, "6",
     "6 (6,8]", NULL, "6"},
    {"terms: given up", "bounded: (2,12]", step_give_up, "7", "(7,12]", "2: 6-7", "8"},
};

static void check_row(void **state)
{
    const struct row *row = *state;
    struct desk desk;
    open_desk(&desk);
    read_ledger(&desk, row->before);
    row->step(&desk, row->at);
    check_said(&desk, row->said != NULL ? row->said : "");
    check_ledger(&desk, row->after);
    step_next(&desk, "");
    check_said(&desk, row->next);
    close_desk(&desk);
}

/* ---- records ---- */

static void a_record_says_the_same_debt(void **state)
{
    static const struct {
        const char *debt;
        int64_t from_ms;
        int64_t to_ms;
        int64_t delay_ms;
    } cases[] = {
        {"4", 3999, 4000, 0},
        {"4.2+300m7", 4499, 4500, 300},
        {"(4,9]p5", 4000, 9000, 0},
        {"(4,9]*", 4000, 9000, 0},
        {"(4,4]", 4000, 4000, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk desk;
        struct owed_range range;
        const char *at = cases[i].debt;
        open_desk(&desk);
        struct debt debt = read_debt(&desk, &at);
        debt_view(&debt, &range);
        assert_int_equal(range.from_ms, cases[i].from_ms);
        assert_int_equal(range.to_ms, cases[i].to_ms);
        assert_int_equal(range.delay_ms, cases[i].delay_ms);
        assert_int_equal(range.has_schedule, debt.schedule != NULL);
        ledger_add(&desk.ledger, debt_of_record(&range, debt.schedule, desk.terms.spec));
        check_ledger(&desk, cases[i].debt);
        close_desk(&desk);
    }
}

/* Only jitter leaves a range so narrow: it is the slot that the schedule has there. */
static void a_range_of_a_millisecond_is_its_slot(void **state)
{
    (void)state;
    struct timers *timers = timers_create(hash_key);
    struct schedule *schedule = every(timers, SECOND, 900);
    int64_t due_ms = schedule_due(&schedule->spec, 4 * SECOND);
    assert_true(due_ms > 4 * SECOND);
    struct owed_range range = {.from_ms = due_ms - 1, .to_ms = due_ms};
    struct debt debt = debt_of_record(&range, NULL, &schedule->spec);
    assert_int_equal(debt.kind, DEBT_SLOT);
    assert_int_equal(debt.slot.nominal_ms, 4 * SECOND);
    debt_view(&debt, &range);
    assert_int_equal(range.delay_ms, due_ms - 4 * SECOND);
    timers_release(timers, schedule);
    timers_destroy(timers);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(rows, check_row)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_record_says_the_same_debt),
        cmocka_unit_test(a_range_of_a_millisecond_is_its_slot),
    };
    return run_rows("ledger", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
