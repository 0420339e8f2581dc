#include "dispatcher/engine/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/jobs/job_groups.h"
#include "lib/base/memory.h"

#define FIRE_LATE (UINT32_C(1) << 31) /* in what tally_fire() returns, beside the due */

struct tally *tally_create(int64_t grace_ms)
{
    struct tally *tally = memory_allocate(1, sizeof *tally);
    tally->last_due = memory_allocate((size_t)GROUP_NUMBERS_MAX + 1, sizeof *tally->last_due);
    tally->grace_ms = grace_ms;
    tally->dues = memory_grow(NULL, &tally->due_capacity, 1, sizeof *tally->dues);
    tally->dues[0] = (struct tally_due){.due_ms = INT64_MIN};
    tally->due_count = 1;
    return tally;
}

void tally_destroy(struct tally *tally)
{
    if (tally == NULL) return;
    free(tally->dues);
    free(tally->names);
    free(tally->last_due);
    free(tally);
}

void tally_begin(struct tally *tally)
{
    for (size_t i = 1; i < tally->due_count; i++)
        tally->last_due[tally->dues[i].group_number] = 0;
    tally->due_count = 1;
    tally->names_length = 0;
    tally->numbers = (struct tally_numbers){0};
    tally->late_example.id[0] = '\0';
    tally->missed_example.id[0] = '\0';
    tally->failed_example.id[0] = '\0';
}

struct text tally_group(const struct tally *tally, const struct tally_due *due)
{
    if (due->group_number == 0) return text_of("");
    assert(due->name_at + due->name_length <= tally->names_length);
    return (struct text){tally->names + due->name_at, due->name_length};
}

/* ---- fires ---- */

static void add_due(struct tally *tally, const struct fire *fire)
{
    struct text group = job_group(fire->job);
    uint16_t number = fire->job->group_number;
    tally->dues = memory_grow(tally->dues, &tally->due_capacity, tally->due_count + 1,
                              sizeof *tally->dues);
    tally->last_due[number] = (uint32_t)tally->due_count;
    struct tally_due *due = &tally->dues[tally->due_count++];
    *due = (struct tally_due){.due_ms = fire->due_ms, .group_number = number};
    if (number == 0) return;
    tally->names = memory_grow(tally->names, &tally->names_capacity,
                               tally->names_length + group.length, 1);
    memcpy(tally->names + tally->names_length, group.bytes, group.length);
    due->name_at = (uint32_t)tally->names_length;
    due->name_length = (uint16_t)group.length;
    tally->names_length += group.length;
}

static void add_late(struct tally *tally, const struct fire *fire, int64_t late_ms)
{
    struct tally_example *example = &tally->late_example;
    tally->numbers.late++;
    if (fire->trigger_id.length > 0) return; /* not a slot: its id is another one */
    (void)fire_id_format(&fire->job->life.incarnation, fire->nominal_ms, example->id);
    example->value = (double)late_ms / 1000.0;
}

uint32_t tally_unusual_fire(struct tally *tally, const struct fire *fire)
{
    uint32_t last = tally->last_due[fire->job->group_number];
    int64_t late_ms = fire->now_ms - fire->due_ms;
    uint32_t late = late_ms > tally->grace_ms ? FIRE_LATE : 0;
    if (late != 0) add_late(tally, fire, late_ms);
    if (tally->dues[last].due_ms != fire->due_ms) {
        last = (uint32_t)tally->due_count;
        add_due(tally, fire);
    }
    tally->numbers.fires[fire->kind]++;
    tally->dues[last].fires++;
    return last | late;
}

void tally_fire_back(struct tally *tally, uint32_t fire, enum fire_kind kind)
{
    struct tally_due *due = &tally->dues[fire & ~FIRE_LATE];
    assert(due->fires > 0 && tally->numbers.fires[kind] > 0);
    due->fires--;
    tally->numbers.fires[kind]--;
    if ((fire & FIRE_LATE) == 0) return;
    tally->numbers.late--;
    tally->late_example.id[0] = '\0'; /* it may have been this one */
}

void tally_job_gone(struct tally *tally, const struct job *job)
{
    tally->last_due[job->group_number] = 0;
}

/* ---- the rest ---- */

static void set_example(struct tally_example *example, const struct event *event, double value)
{
    struct incarnation incarnation;
    bool slot = event->backfill_id.length == 0 && event->first_ms != EVENT_FIELD_NONE;
    if (!slot || !incarnation_parse(event->incarnation, &incarnation)) return;
    (void)fire_id_format(&incarnation, event->first_ms, example->id);
    example->value = value;
    example->reason = event->reason;
}

void tally_event(struct tally *tally, const struct event *event)
{
    struct tally_numbers *numbers = &tally->numbers;
    int64_t slots = event->count == EVENT_FIELD_NONE ? 0 : event->count;
    numbers->events[event->kind]++;
    if (event->kind == EVENT_MISSED) {
        numbers->missed[event->reason] += slots;
        set_example(&tally->missed_example, event, (double)slots);
    } else if (event->kind == EVENT_SKIPPED) {
        numbers->skipped[event->reason] += slots;
    } else if (event->kind == EVENT_FIRE_FAILED) {
        numbers->failed[event->reason]++;
        set_example(&tally->failed_example, event, 1.0);
    }
}

void tally_result(struct tally *tally, const struct result *result)
{
    tally->numbers.results[result->op][result->outcome]++;
}

/* ---- runs ---- */

/* Reports that change nothing make no transaction: they are told with the next one. */
void tally_runs(struct tally *tally, struct runs *runs)
{
    if (runs == NULL) tally->runs = (struct runs_numbers){0};
    else runs_take_numbers(runs, &tally->runs);
}
