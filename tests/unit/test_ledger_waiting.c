/* What an edit makes of slots that wait for their delay. Times are seconds; the new definition
 * names each whole second, or one. Each slot is due 300 ms behind its nominal time. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/jobs/ledger.h"
#include "tests/support/rows.h"

enum { TEXT_BYTES = 256 };

struct row {
    const char *name;
    double waits[PENDING_MAX + 1]; /* up to the first 0 */
    double present;                /* 0: none */
    int once_s;                    /* the new definition is a one-shot; 0: it is not */
    int start_s;
    int end_s;
    const char *after; /* what waits then, and what was left out */
};

static const struct row rows[] = {
    {"named ones stay", {4, 5}, 0, 0, 4, 9, "4 5 |"},
    {"one before the new start does not", {4, 5}, 0, 0, 5, 9, "5 | 4"},
    {"nor one at the new end", {4, 5}, 0, 0, 4, 5, "4 | 5"},
    {"nor one that the new schedule has not", {4, 4.5}, 0, 0, 0, 9, "4 | 4.5"},
    {"the slot of the schedule that ends waits, too", {4}, 5, 0, 0, 9, "4 5 |"},
    {"and where it is the only one", {0}, 5, 0, 0, 9, "5 |"},
    {"but not where it is not named", {4}, 5, 0, 0, 5, "4 | 5"},
    {"there is room for four: the oldest", {1, 2, 3, 4}, 5, 0, 0, 9, "1 2 3 4 | 5"},
    {"one that goes makes room", {1.5, 2, 3, 4}, 5, 0, 0, 9, "2 3 4 5 | 1.5"},
    {"none stays", {1, 2}, 5, 0, 6, 9, "| 1 2 5"},
    {"a one-shot fires its instant itself", {4, 5}, 0, 5, 0, 9, "| 4 once"},
    {"also that of the schedule that ends", {4}, 5, 5, 0, 9, "| 4 once"},
    {"but not outside its bounds", {4, 5}, 0, 5, 0, 5, "| 4 5"},
    {"nothing waits", {0}, 0, 0, 0, 9, "|"},
};

static struct job_slot slot_at(double seconds)
{
    int64_t nominal_ms = (int64_t)(seconds * 1000);
    return (struct job_slot){nominal_ms, nominal_ms + 300};
}

static void say(char *text, const char *word)
{
    size_t length = strlen(text);
    (void)snprintf(text + length, TEXT_BYTES - length, "%s%s", length > 0 ? " " : "", word);
}

static void say_slot(char *text, struct job_slot slot)
{
    char word[32];
    assert_int_equal(slot.due_ms, slot.nominal_ms + 300); /* as it was */
    (void)snprintf(word, sizeof word, "%g", (double)slot.nominal_ms / 1000);
    say(text, word);
}

static void check_row(void **state)
{
    const struct row *row = *state;
    struct ledger ledger;
    struct job_slot slots[PENDING_MAX];
    size_t count = 0;
    ledger_init(&ledger);
    for (; row->waits[count] > 0; count++) slots[count] = slot_at(row->waits[count]);
    ledger_wait(&ledger, slots, count);
    struct schedule_spec spec = row->once_s > 0 ? schedule_from_at(row->once_s * INT64_C(1000))
                                                : schedule_from_every(1000, 0);
    struct naming naming = {&spec, row->start_s * INT64_C(1000), row->end_s * INT64_C(1000)};
    struct job_slot present = slot_at(row->present);
    struct waiting_edit edit =
        ledger_edit_waiting(&ledger, &naming, row->present > 0 ? &present : NULL);
    char text[TEXT_BYTES] = "";
    for (size_t i = 0; i < ledger_waiting(&ledger); i++)
        say_slot(text, ledger_waiting_slot(&ledger, i));
    say(text, "|");
    for (size_t i = 0; i < edit.left_out_count; i++) say_slot(text, edit.left_out[i]);
    if (edit.once) say(text, "once");
    assert_string_equal(text, row->after);
    assert_int_equal(ledger.waiting != NULL, ledger_waiting(&ledger) > 0); /* no memory for none */
    ledger_wait(&ledger, NULL, 0);
    ledger_free(&ledger);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(rows, check_row)};
    return run_rows("ledger, waiting", tables, COUNT_OF(tables), NULL, 0);
}
