/* Jobs that are added with the incarnation they had elsewhere: the ids of their fires stay the
 * same. What is fired is told in tests/stories/imports.story. */
#include "lib/time/instant.h"

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

static void fire_of_backfill(struct shard_rig *rig, int64_t at_ms, char id[200])
{
    rig->speaks_json = true;
    rig_command(rig, at(at_ms), NULL,
                "{\"op\":\"backfill\",\"select\":{\"all\":true},\"backfill_id\":\"x\",\"from\":"
                "\"2025-12-31T23:59:59Z\",\"to\":\"2026-01-01T00:00:00Z\"}");
    rig_advance(rig, at(at_ms + 60000));
    const char *fire = strstr(rig_said(rig), "fire 1735689600000-3.10422.7@");
    if (fire == NULL) fail_msg("%s", rig_said(rig));
    (void)snprintf(id, 200, "%.*s", (int)strcspn(fire, "\n"), fire);
}

/* Deleted and imported again: the backfill has its old name, and its fire another id. */
static void backfills_of_two_lives_have_other_ids(void **state)
{
    (void)state;
    struct shard_rig rig;
    char first[200];
    char second[200];
    rig_open(&rig, "2026-01-01T00:00:30Z");
    add(&rig, one_ms + 60000, "a", "1735689600000-3.10422.7", "");
    fire_of_backfill(&rig, one_ms + 120000, first);
    rig_command(&rig, at(one_ms + 240000), NULL,
                "{\"op\":\"delete\",\"select\":{\"all\":true}}");
    add(&rig, one_ms + 240000, "a", "1735689600000-3.10422.7", "");
    rig_restart(&rig);
    fire_of_backfill(&rig, one_ms + 300000, second);
    assert_non_null(strstr(first, "@i:1767229260000-"));
    assert_non_null(strstr(second, "@i:1767229440000-"));
    assert_non_null(strstr(second, ":x:1767225600000 backfill"));
    rig_close(&rig);
}

static void an_id_of_a_backfill_is_taken_once(void **state)
{
    (void)state;
    struct shard_rig rig;
    char id[200];
    rig_open(&rig, "2026-01-01T00:00:30Z");
    add(&rig, one_ms + 60000, "a", "1735689600000-3.10422.7", "");
    fire_of_backfill(&rig, one_ms + 120000, id);
    rig_restart(&rig);
    rig.speaks_json = false;
    (void)rig_said(&rig);
    rig_command(&rig, at(one_ms + 240000), NULL,
                "{\"op\":\"backfill\",\"select\":{\"all\":true},\"backfill_id\":\"x\",\"from\":"
                "\"2025-12-31T22:59:59Z\"}");
    assert_non_null(strstr(rig_said(&rig), "result backfill conflict exists"));
    assert_non_null(strstr(rig_record(&rig, "g/a"), "\"backfills_had\":\""));
    rig_close(&rig);
}

static void ids_of_backfills_are_bounded(void **state)
{
    (void)state;
    struct shard_rig rig;
    char command[300];
    rig_open(&rig, "2026-01-01T00:00:30Z");
    add(&rig, one_ms, "a", "1735689600000-3.10422.7", ",\"paused\":true");
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(command, sizeof command,
                       "{\"op\":\"backfill\",\"select\":{\"all\":true},\"backfill_id\":\"x%d\","
                       "\"from\":\"2025-12-31T23:59:59Z\"}", i);
        rig_command(&rig, at(one_ms + i), NULL, command);
        (void)snprintf(command, sizeof command,
                       "{\"op\":\"cancel_backfill\",\"select\":{\"all\":true},\"backfill_id\":"
                       "\"x%d\"}", i);
        rig_command(&rig, at(one_ms + i), NULL, command);
    }
    assert_null(strstr(rig_said(&rig), "conflict"));
    rig_restart(&rig);
    rig_command(&rig, at(one_ms + 2000), NULL,
                "{\"op\":\"backfill\",\"select\":{\"all\":true},\"backfill_id\":\"more\",\"from\":"
                "\"2025-12-31T23:59:59Z\"}");
    assert_non_null(strstr(rig_said(&rig), "result backfill conflict too_many"));
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_and_record_go_on),
        cmocka_unit_test(another_name_may_not_have_it),
        cmocka_unit_test(backfills_of_two_lives_have_other_ids),
        cmocka_unit_test(an_id_of_a_backfill_is_taken_once),
        cmocka_unit_test(ids_of_backfills_are_bounded),
    };
    return cmocka_run_group_tests_name("imported", tests, NULL, NULL);
}
