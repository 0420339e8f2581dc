/* Jobs that are added with the incarnation they had elsewhere, where it takes many: no two have the
 * same, and what is remembered of backfills is bounded. More: tests/stories/imports.story. */
#include "lib/time/instant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

static const int64_t one_ms = 1767229200000; /* 2026-01-01T01:00:00Z */

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
        cmocka_unit_test(another_name_may_not_have_it),
        cmocka_unit_test(ids_of_backfills_are_bounded),
    };
    return cmocka_run_group_tests_name("imported", tests, NULL, NULL);
}
