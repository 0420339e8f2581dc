/* What a transaction says, in numbers: counted as it fills, forgotten when it begins anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/engine/tally.h"
#include "dispatcher/jobs/job.h"
#include "tests/support/shard_rig.h"

enum { GRACE_MS = 30000 };
#define DUE_MS INT64_C(1767225660000)

struct own {
    struct shard_rig rig;
    struct tally *tally;
};

static void add(struct own *own, const char *group, const char *id)
{
    char json[200];
    (void)snprintf(json, sizeof json, "{\"op\":\"add\",\"job\":{\"group\":\"%s\",\"id\":\"%s\","
                   "\"schedule\":{\"cron\":\"* * * * *\"}}}", group, id);
    rig_command(&own->rig, "2026-01-01T00:00:00Z", NULL, json);
}

static struct job *find(struct own *own, const char *group, const char *id)
{
    struct job *job = shard_find(own->rig.shard, text_of(group), text_of(id));
    assert_non_null(job);
    return job;
}

static uint32_t fire(struct own *own, const char *group, const char *id, int64_t due_ms,
                     int64_t late_ms)
{
    struct fire fire = {.job = find(own, group, id), .kind = FIRE_SCHEDULE, .nominal_ms = due_ms,
                        .due_ms = due_ms, .now_ms = due_ms + late_ms, .attempt = 1};
    return tally_fire(own->tally, &fire);
}

static void open_own(struct own *own)
{
    *own = (struct own){.tally = tally_create(GRACE_MS)};
    rig_open(&own->rig, "2026-01-01T00:00:00Z");
    add(own, "a", "1");
    add(own, "a", "2");
    add(own, "b", "1");
}

static void close_own(struct own *own)
{
    tally_destroy(own->tally);
    rig_close(&own->rig);
}

static void assert_due(const struct tally *tally, size_t i, const char *group, int64_t due_ms,
                       uint32_t fires)
{
    assert_true(i + 1 < tally->due_count);
    const struct tally_due *due = &tally->dues[i + 1];
    assert_true(text_equal(tally_group(tally, due), text_of(group)));
    assert_int_equal(due->due_ms, due_ms);
    assert_int_equal(due->fires, fires);
}

static void fires_are_counted_by_group_and_instant(void **state)
{
    (void)state;
    struct own own;
    open_own(&own);
    fire(&own, "a", "1", DUE_MS, 5);
    fire(&own, "b", "1", DUE_MS, 5);
    fire(&own, "a", "2", DUE_MS, 5); /* groups in turn: still one number for each */
    fire(&own, "a", "2", DUE_MS + 1, 5);
    assert_int_equal(own.tally->due_count, 1 + 3);
    assert_due(own.tally, 0, "a", DUE_MS, 2);
    assert_due(own.tally, 1, "b", DUE_MS, 1);
    assert_due(own.tally, 2, "a", DUE_MS + 1, 1);
    assert_int_equal(own.tally->numbers.fires[FIRE_SCHEDULE], 4);
    tally_begin(own.tally);
    assert_int_equal(own.tally->due_count, 1);
    assert_int_equal(own.tally->numbers.fires[FIRE_SCHEDULE], 0);
    fire(&own, "a", "1", DUE_MS, 5);
    assert_int_equal(own.tally->due_count, 1 + 1);
    assert_due(own.tally, 0, "a", DUE_MS, 1);
    close_own(&own);
}

static void a_fire_that_leaves_the_transaction_is_not_counted(void **state)
{
    (void)state;
    struct own own;
    open_own(&own);
    fire(&own, "a", "1", DUE_MS, GRACE_MS);
    uint32_t late = fire(&own, "a", "2", DUE_MS, GRACE_MS + 1);
    assert_int_equal(own.tally->numbers.late, 1);
    assert_string_not_equal(own.tally->late_example.id, "");
    tally_fire_back(own.tally, late, FIRE_SCHEDULE);
    assert_int_equal(own.tally->numbers.late, 0);
    assert_string_equal(own.tally->late_example.id, "");
    assert_int_equal(own.tally->numbers.fires[FIRE_SCHEDULE], 1);
    assert_due(own.tally, 0, "a", DUE_MS, 1);
    close_own(&own);
}

/* The number of a group that is gone is another's in the same transaction. */
static void a_number_that_is_used_again_is_another_group(void **state)
{
    (void)state;
    struct own own;
    open_own(&own);
    uint16_t number = find(&own, "b", "1")->group_number;
    fire(&own, "b", "1", DUE_MS, 5);
    tally_job_gone(own.tally, find(&own, "b", "1"));
    rig_command(&own.rig, "2026-01-01T00:00:00Z", NULL,
                "{\"op\":\"delete\",\"select\":{\"groups\":[\"b\"]}}");
    add(&own, "c", "1");
    assert_int_equal(find(&own, "c", "1")->group_number, number);
    fire(&own, "c", "1", DUE_MS, 5);
    assert_due(own.tally, 0, "b", DUE_MS, 1);
    assert_due(own.tally, 1, "c", DUE_MS, 1);
    close_own(&own);
}

static struct event event_of(enum event_kind kind, enum event_reason reason, int64_t count)
{
    struct event event;
    event_init(&event, kind, DUE_MS);
    event.incarnation = text_of("1767225600000-3.17.2");
    event.reason = reason;
    event.count = count;
    event.first_ms = event.last_ms = DUE_MS;
    return event;
}

static void events_count_slots_by_reason(void **state)
{
    (void)state;
    struct tally *tally = tally_create(GRACE_MS);
    struct event missed = event_of(EVENT_MISSED, REASON_WINDOW, 7);
    struct event skipped = event_of(EVENT_SKIPPED, REASON_PAUSED, 2);
    struct event unknown = event_of(EVENT_SKIPPED, REASON_ZONE_MISSING, EVENT_FIELD_NONE);
    struct event failed = event_of(EVENT_FIRE_FAILED, REASON_TOO_LARGE, 1);
    tally_event(tally, &missed);
    tally_event(tally, &missed);
    tally_event(tally, &skipped);
    tally_event(tally, &unknown);
    tally_event(tally, &failed);
    assert_int_equal(tally->numbers.missed[REASON_WINDOW], 14);
    assert_int_equal(tally->numbers.skipped[REASON_PAUSED], 2);
    assert_int_equal(tally->numbers.skipped[REASON_ZONE_MISSING], 0);
    assert_int_equal(tally->numbers.failed[REASON_TOO_LARGE], 1);
    assert_int_equal(tally->numbers.events[EVENT_MISSED], 2);
    assert_int_equal(tally->numbers.events[EVENT_SKIPPED], 2);
    assert_string_equal(tally->missed_example.id, "1767225600000-3.17.2@1767225660000");
    assert_int_equal(tally->missed_example.reason, REASON_WINDOW);
    assert_string_equal(tally->failed_example.id, "1767225600000-3.17.2@1767225660000");
    tally_destroy(tally);
}

static void results_count_by_operation_and_outcome(void **state)
{
    (void)state;
    struct tally *tally = tally_create(GRACE_MS);
    struct result done = {.op = OP_PAUSE, .outcome = OUTCOME_APPLIED};
    struct result refused = {.op = OP_NONE, .outcome = OUTCOME_REJECTED};
    tally_result(tally, &done);
    tally_result(tally, &done);
    tally_result(tally, &refused);
    assert_int_equal(tally->numbers.results[OP_PAUSE][OUTCOME_APPLIED], 2);
    assert_int_equal(tally->numbers.results[OP_NONE][OUTCOME_REJECTED], 1);
    tally_destroy(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_are_counted_by_group_and_instant),
        cmocka_unit_test(a_fire_that_leaves_the_transaction_is_not_counted),
        cmocka_unit_test(a_number_that_is_used_again_is_another_group),
        cmocka_unit_test(events_count_slots_by_reason),
        cmocka_unit_test(results_count_by_operation_and_outcome)};
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
