/* Jobs that are added with the incarnation they had elsewhere: the ids of their fires stay the
 * same, and nothing that was due before the add is fired. */
#include "dispatcher/core/incarnation.h"
#include "dispatcher/core/instant.h"
#include "dispatcher/core/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

static const int64_t one_ms = 1767229200000; /* 2026-01-01T01:00:00Z */
static const int64_t hour_ms = 3600000;

static const char *at(int64_t instant_ms)
{
    static char text[INSTANT_TEXT_BYTES];
    instant_format(instant_ms, text);
    return text;
}

/* Adds a job of this id, due each full hour, with this incarnation. */
static void add(struct shard_rig *rig, int64_t at_ms, const char *id, const char *incarnation,
                const char *more)
{
    char command[400];
    (void)snprintf(command, sizeof command,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"%s\",\"schedule\":"
                   "{\"every\":\"1h\",\"anchor\":\"epoch\"},\"incarnation\":\"%s\"%s}}", id,
                   incarnation, more);
    rig_command(rig, at(at_ms), NULL, command);
}

static void ids_and_record_go_on(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:30Z");
    add(&rig, one_ms + 60000, "a", "1735689600000-3.10422.7", "");
    assert_string_equal(rig_said(&rig), "result add applied matched=1 changed=1\n");
    const char *record = rig_record(&rig, "g/a");
    assert_non_null(strstr(record, "\"incarnation\":\"1735689600000-3.10422.7\""));
    assert_non_null(strstr(record, "\"created_at\":\"2025-01-01T00:00:00.000Z\""));
    assert_non_null(strstr(record, "\"updated_at\":\"2026-01-01T01:01:00.000Z\""));
    rig_restart(&rig);
    rig.speaks_json = true;
    rig_advance(&rig, at(one_ms + hour_ms));
    assert_non_null(strstr(rig_said(&rig), "1735689600000-3.10422.7@1767232800000"));
    rig_close(&rig);
}

/* The pause of a job that comes paused begins with the add, not with its life. */
static void a_paused_one_is_paused_from_now_on(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:30Z");
    add(&rig, one_ms + 60000, "a", "1735689600000-3.10422.7", ",\"paused\":true");
    const char *record = rig_record(&rig, "g/a");
    assert_non_null(strstr(record, "\"paused_at\":\"2026-01-01T01:01:00.000Z\""));
    rig_close(&rig);
}

/* The incarnation whose delay of the slot at one o'clock is five minutes at least. */
static struct schedule_spec slow_slot(void)
{
    struct schedule_spec spec = schedule_from_every(hour_ms, 0);
    spec.jitter = (struct schedule_jitter){
        .most_ms = 600000,
        .incarnation = {.effective_ms = 1735689600000, .shard = 3, .offset = 0, .index = 7}};
    while (schedule_due(&spec, one_ms) < one_ms + 300000) spec.jitter.incarnation.offset++;
    return spec;
}

static void the_slot_under_way_belongs_to_who_had_the_job(void **state)
{
    (void)state;
    struct shard_rig rig;
    char incarnation[INCARNATION_TEXT_BYTES];
    struct schedule_spec spec = slow_slot();
    (void)incarnation_format(&spec.jitter.incarnation, incarnation);
    rig_open(&rig, "2026-01-01T00:00:30Z");
    add(&rig, one_ms + 1000, "a", incarnation, ",\"jitter\":\"10m\"");
    assert_string_equal(rig_said(&rig), "result add applied matched=1 changed=1\n");
    rig_advance(&rig, at(one_ms + 120000));
    rig_restart(&rig);
    int64_t due_ms = schedule_due(&spec, one_ms + hour_ms);
    rig_advance(&rig, at(due_ms - 1));
    assert_string_equal(rig_said(&rig), "");
    rig_advance(&rig, at(due_ms));
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T02:00:00 schedule\n");
    rig_close(&rig);
}

/* One walk over the shard finds who has it, wherever it stands in the order. */
static void another_name_may_not_have_it(void **state)
{
    (void)state;
    struct shard_rig rig;
    char incarnation[INCARNATION_TEXT_BYTES];
    char id[16];
    rig_open(&rig, "2026-01-01T00:00:30Z");
    for (int i = 0; i < 20; i++) {
        (void)snprintf(incarnation, sizeof incarnation, "1735689600000-3.10422.%d", i);
        (void)snprintf(id, sizeof id, "j%d", i);
        add(&rig, one_ms + i, id, incarnation, "");
        assert_string_equal(rig_said(&rig), "result add applied matched=1 changed=1\n");
    }
    for (int i = 0; i < 20; i++) {
        (void)snprintf(incarnation, sizeof incarnation, "1735689600000-3.10422.%d", i);
        add(&rig, one_ms + 100 + i, "k", incarnation, "");
        assert_non_null(strstr(rig_said(&rig), "result add conflict exists"));
    }
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_record_go_on),
        cmocka_unit_test(a_paused_one_is_paused_from_now_on),
        cmocka_unit_test(the_slot_under_way_belongs_to_who_had_the_job),
        cmocka_unit_test(another_name_may_not_have_it),
    };
    return cmocka_run_group_tests_name("imported", tests, NULL, NULL);
}
