/* A shard between its steps: when it has to be called next, what it restores, how much it owes at
 * most, and which of a command's jobs are its own. */
#include "dispatcher/jobs/job.h"
#include "lib/model/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schemas/command_json.h"
#include "tests/support/cron_case.h"
#include "tests/support/shard_rig.h"

#define AT(clock) "2026-01-01T" clock "Z"
#define ALL "\"select\":{\"all\":true}"
#define HOURLY "{\"cron\":\"0 * * * *\",\"zone\":\"Europe/Berlin\"}"

static void add_job(struct shard_rig *rig, const char *at, const char *id, const char *rest)
{
    char json[512];
    (void)snprintf(json, sizeof json, "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"%s\",%s}}",
                   id, rest);
    rig_command(rig, at, NULL, json);
    assert_string_equal(rig_said(rig), "result add applied matched=1 changed=1\n");
}

static int64_t next_due(const struct shard_rig *rig, const char *now)
{
    return shard_next_due_ms(rig->shard, rig_instant(now));
}

/* ---- when ---- */

static void nothing_to_do(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, AT("00:00:00"));
    assert_int_equal(next_due(&rig, AT("00:00:01")), INT64_MAX);
    assert_int_equal(shard_next_live_ms(rig.shard), INT64_MAX);
    shard_run_lane(rig.shard, rig_instant(AT("00:00:01")), NULL); /* says nothing: no sink used */
    rig_close(&rig);
    shard_destroy(NULL);
}

static void the_earlier_of_slot_and_alarm(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, AT("00:00:00"));
    add_job(&rig, AT("00:00:00"), "a", "\"schedule\":{\"every\":\"1h\"}");
    assert_int_equal(next_due(&rig, AT("00:00:01")), rig_instant(AT("01:00:00")));
    add_job(&rig, AT("00:00:00"), "b", "\"schedule\":{\"every\":\"1h\"},\"paused\":true");
    rig_command(&rig, AT("00:00:01"), NULL, "{\"op\":\"pause\",\"select\":{\"ids\":[\"b\"]},"
                                            "\"until\":\"" AT("00:30:00") "\"}");
    assert_int_equal(next_due(&rig, AT("00:00:02")), rig_instant(AT("00:30:00")));
    rig_command(&rig, AT("00:00:02"), NULL, "{\"op\":\"pause\",\"select\":{\"ids\":[\"b\"]},"
                                            "\"until\":\"" AT("02:00:00") "\"}");
    assert_int_equal(shard_next_live_ms(rig.shard), rig_instant(AT("00:30:00"))); /* a stale one */
    rig_advance(&rig, AT("00:30:00"));
    assert_int_equal(shard_next_live_ms(rig.shard), rig_instant(AT("01:00:00")));
    rig_close(&rig);
}

static void decisions_and_the_lane_are_due_soon(void **state)
{
    (void)state;
    struct shard_rig rig;
    int64_t now_ms = rig_instant(AT("05:30:00"));
    rig_open(&rig, AT("00:00:00"));
    struct sink sink = rig_test_sink(&rig);
    add_job(&rig, AT("00:00:00"), "a",
            "\"schedule\":{\"every\":\"1h\"},\"catchup\":{\"policy\":\"all\"}");
    assert_true(shard_advance(rig.shard, now_ms, now_ms, &sink));
    assert_int_equal(next_due(&rig, AT("05:30:00")), now_ms); /* undecided */
    rig.batch_max = 1;
    rig.batch = 1;
    assert_false(shard_decide(rig.shard, now_ms, &sink)); /* no room in the transaction */
    rig_test_commit(&rig);
    assert_true(shard_decide(rig.shard, now_ms, &sink));
    rig_test_commit(&rig);
    assert_true(next_due(&rig, AT("05:30:00")) <= now_ms); /* the lane has not run yet */
    shard_run_lane(rig.shard, now_ms, &sink);
    int64_t turn_ms = next_due(&rig, AT("05:30:00"));
    assert_in_range(turn_ms, now_ms + 1, now_ms + 1000);
    rig_test_commit(&rig);
    (void)rig_said(&rig);
    shard_run_lane(rig.shard, turn_ms - 1, &sink); /* not its turn yet */
    assert_string_equal(rig_said(&rig), "");
    shard_run_lane(rig.shard, turn_ms, &sink);
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T02:00:00 catchup\n");
    rig_test_commit(&rig);
    shard_run_lane(rig.shard, now_ms - 5000, &sink); /* the clock was set back */
    assert_string_equal(rig_said(&rig), "fire g/a 01-01T03:00:00 catchup\n");
    rig_close(&rig);
}

/* A job decided about, then paused or deleted before its turn, fires nothing. */
static void the_lane_passes_over_what_changed(void **state)
{
    (void)state;
    static const char *const commands[] = {"{\"op\":\"pause\"," ALL "}",
                                           "{\"op\":\"delete\"," ALL "}"};
    for (size_t i = 0; i < 2; i++) {
        struct shard_rig rig;
        int64_t now_ms = rig_instant(AT("05:30:00"));
        rig_open(&rig, AT("00:00:00"));
        struct sink sink = rig_test_sink(&rig);
        add_job(&rig, AT("00:00:00"), "a",
                "\"schedule\":{\"every\":\"1h\"},\"catchup\":{\"policy\":\"all\"}");
        assert_true(shard_advance(rig.shard, now_ms, now_ms, &sink));
        assert_true(shard_decide(rig.shard, now_ms, &sink));
        rig_command(&rig, AT("05:30:00"), NULL, commands[i]);
        (void)rig_said(&rig);
        shard_run_lane(rig.shard, now_ms, &sink);
        assert_string_equal(rig_said(&rig), "");
        rig_close(&rig);
    }
}

/* With a fire whose fate is not known yet, the shard does not go on to the next instant. */
static void uncertain_fires_hold_the_watermark(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, AT("00:00:00"));
    add_job(&rig, AT("00:00:00"), "a", "\"schedule\":{\"every\":\"1s\"}");
    rig.fires_uncertain = true;
    struct sink sink = rig_test_sink(&rig);
    int64_t now_ms = rig_instant(AT("00:00:03"));
    for (int second = 1; second <= 2; second++) {
        assert_false(shard_advance(rig.shard, now_ms, now_ms, &sink));
        assert_int_equal(shard_watermark(rig.shard).instant_ms, now_ms - 3000 + second * 1000);
        rig_test_commit(&rig);
    }
    assert_true(shard_advance(rig.shard, now_ms, now_ms, &sink));
    rig_close(&rig);
}

/* ---- how much is owed ---- */

struct tally {
    int64_t fires;
    int64_t missed;
    int64_t crowded; /* of the missed: for want of ranges */
};

static void count_lines(const char *said, struct tally *tally)
{
    for (const char *line = said; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        const char *count = strstr(line, "count=");
        const char *crowded = strstr(line, "too_many_ranges");
        if (strncmp(line, "fire ", 5) == 0) tally->fires++;
        if (strncmp(line, "event missed ", 13) != 0) continue;
        int64_t slots = strtoll(count + 6, NULL, 10);
        tally->missed += slots;
        if (crowded != NULL && crowded < end) tally->crowded += slots;
    }
}

/* An outage with more pauses inside than ranges can be kept: each slot outside the pauses is
 * fired or named, none twice. */
static void more_ranges_than_there_is_room(void **state)
{
    enum { PAUSES = 20, PAUSE_MINUTES = 10, SLOTS = PAUSES * PAUSE_MINUTES + 200 };
    struct shard_rig rig;
    struct tally tally = {0};
    rig_open(&rig, AT("00:00:00"));
    rig.restart_always = *state != NULL;
    add_job(&rig, AT("00:00:00"), "a",
            "\"schedule\":{\"every\":\"1m\"},\"catchup\":{\"policy\":\"all\"}");
    for (int i = 0; i < 2 * PAUSES; i++) {
        int minute = PAUSE_MINUTES * (i + 1);
        char at[32];
        (void)snprintf(at, sizeof at, AT("%02d:%02d:00"), minute / 60, minute % 60);
        bool last = i == 2 * PAUSES - 1;
        rig_command(&rig, at, AT("10:00:00"),
                    i % 2 == 0 ? "{\"op\":\"pause\"," ALL "}"
                    : last     ? "{\"op\":\"resume\"," ALL ",\"from\":\"paused_at\"}"
                               : "{\"op\":\"resume\"," ALL "}");
        count_lines(rig_said(&rig), &tally);
    }
    rig_advance(&rig, AT("10:00:00"));
    count_lines(rig_said(&rig), &tally);
    assert_true(tally.crowded > 0);
    assert_int_equal(tally.missed, tally.crowded);
    assert_int_equal(tally.fires + tally.missed, SLOTS + PAUSE_MINUTES);
    rig_close(&rig);
}

/* A pause without a slot in it: what is owed before and after it is one range. */
static void ranges_side_by_side_join(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, AT("00:00:00"));
    add_job(&rig, AT("00:00:00"), "a",
            "\"schedule\":{\"every\":\"1h\"},\"catchup\":{\"policy\":\"all\"}");
    int64_t now_ms = rig_instant(AT("03:30:00"));
    struct sink sink = rig_test_sink(&rig);
    assert_true(shard_advance(rig.shard, now_ms, now_ms, &sink));
    assert_true(shard_decide(rig.shard, now_ms, &sink));
    /* Not worked off; the slots of 04:00 and 05:00 come in time and wait behind. */
    now_ms = rig_instant(AT("04:00:01"));
    assert_true(shard_advance(rig.shard, now_ms, now_ms, &sink));
    rig_command(&rig, AT("04:00:02"), NULL, "{\"op\":\"pause\"," ALL "}");
    rig_command(&rig, AT("04:30:00"), NULL, "{\"op\":\"resume\"," ALL "}");
    const struct job *job = shard_find(rig.shard, text_of("g"), text_of("a"));
    assert_int_equal(ledger_count(&job->extra->ledger), 1);
    assert_int_equal(debt_to_ms(ledger_debt(&job->extra->ledger, 0)), rig_instant(AT("04:00:00")));
    (void)rig_said(&rig);
    rig_restart(&rig);
    rig_advance(&rig, AT("05:00:01"));
    struct tally tally = {0};
    count_lines(rig_said(&rig), &tally);
    assert_int_equal(tally.fires, 5);
    rig_close(&rig);
}

/* ---- restoring ---- */

static void the_newest_record_counts(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, AT("00:00:00"));
    add_job(&rig, AT("00:00:00"), "a", "\"schedule\":{\"cron\":\"0 * * * *\"}");
    rig_command(&rig, AT("00:00:01"), NULL,
                "{\"op\":\"backfill\"," ALL ",\"backfill_id\":\"b\",\"from\":"
                "\"2025-12-31T20:30:00Z\",\"to\":\"2025-12-31T23:30:00Z\"}");
    struct job_record record;
    job_view_record(shard_find(rig.shard, text_of("g"), text_of("a")), &record);
    assert_int_equal(record.backfill_count, 1);
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    struct shard *restored = shard_create(&config);
    shard_restore_deleted(restored, text_of("g"), text_of("a")); /* a tombstone of nothing */
    shard_restore_job(restored, &record);
    record.revision = 7;
    shard_restore_job(restored, &record);
    assert_int_equal(shard_job_count(restored), 1);
    struct job *job = shard_find(restored, text_of("g"), text_of("a"));
    assert_int_equal(job->revision, 7);
    assert_int_equal(job->extra->backfill_count, 1);
    shard_restore_deleted(restored, text_of("g"), text_of("a"));
    assert_int_equal(shard_job_count(restored), 0);
    shard_restore_done(restored, &rig.mark);
    assert_int_equal(shard_next_due_ms(restored, rig.mark.watermark.instant_ms), INT64_MAX);
    shard_destroy(restored);
    rig_close(&rig);
}

/* Each thing a record may hold besides the definition comes back by itself. */
static void a_record_comes_back_whole(void **state)
{
    (void)state;
    static const size_t fields[] = {
        offsetof(struct job_record, state.schedule_edited_ms),
        offsetof(struct job_record, state.paused_ms),
        offsetof(struct job_record, state.until_ms),
        offsetof(struct job_record, state.finished_ms),
        offsetof(struct job_record, tail_from_ms),
        offsetof(struct job_record, state.failing_since_ms),
        offsetof(struct job_record, state.counted_fires),
        offsetof(struct job_record, state.failed_runs),
        offsetof(struct job_record, state.earlier_due_ms),
        offsetof(struct job_record, state.zone_missing_ms),
        offsetof(struct job_record, state.zone_data_ms)};
    enum { FIELDS = sizeof fields / sizeof fields[0] };
    for (size_t i = 0; i <= FIELDS; i++) {
        struct job_record record;
        struct job_record again;
        job_record_defaults(&record);
        record.definition.group = text_of("g");
        record.definition.id = text_of("a");
        record.definition.schedule = schedule_from_at(5000);
        record.revision = 1;
        if (i < FIELDS) memcpy((char *)&record + fields[i], &(int64_t){4000}, sizeof(int64_t));
        else record.state.attempts = 3;
        struct shard_config config;
        shard_config_defaults(&config);
        struct shard *shard = shard_create(&config);
        shard_restore_job(shard, &record);
        job_view_record(shard_find(shard, text_of("g"), text_of("a")), &again);
        if (i == FIELDS) assert_int_equal(again.state.attempts, 3);
        for (size_t j = 0; j < FIELDS; j++)
            assert_memory_equal((char *)&again + fields[j], (char *)&record + fields[j],
                                sizeof(int64_t));
        shard_destroy(shard);
    }
}

/* What was restored is compared with what the last mark speaks of. */
static void a_restore_that_lacks_something_is_seen(void **state)
{
    (void)state;
    struct shard_rig rig;
    struct error error = {0};
    rig_open(&rig, AT("00:00:00"));
    struct job_record record;
    job_record_defaults(&record);
    record.definition.group = text_of("g");
    record.definition.id = text_of("a");
    record.definition.schedule = schedule_from_at(5000);
    record.revision = 1;
    record.life.ordinal = 17;
    shard_restore_job(rig.shard, &record);
    struct mark mark = {.jobs = 1, .next_ordinal = 18};
    assert_true(shard_restore_fits(rig.shard, &mark, &error));
    mark.jobs = MARK_JOBS_UNKNOWN; /* layout 1 */
    assert_true(shard_restore_fits(rig.shard, &mark, &error));
    mark.jobs = 300;
    assert_false(shard_restore_fits(rig.shard, &mark, &error));
    assert_non_null(strstr(error.message, "1 jobs were restored, the last mark says 300"));
    mark.jobs = 1;
    mark.next_ordinal = 17; /* the job is younger than the mark */
    error_clear(&error);
    assert_false(shard_restore_fits(rig.shard, &mark, &error));
    mark = (struct mark){.jobs = 1, .next_ordinal = 18, .watermark = {7000, 17}};
    error_clear(&error);
    assert_true(shard_restore_fits(rig.shard, &mark, &error));
    mark.in_command.active = true; /* a command waits until the instant is done to its end */
    assert_false(shard_restore_fits(rig.shard, &mark, &error));
    assert_non_null(strstr(error.message, "within an instant and within a command"));
    rig_close(&rig);
}

/* A command that takes several transactions goes on after a change of owner: first the slots are
 * named that other zone data leaves out, or its records would say that they were. */
static void other_zone_data_in_the_middle_of_a_command(void **state)
{
    (void)state;
    struct shard_rig rig;
    const int64_t changed_ms = rig_instant(AT("01:00:00.001"));
    rig_open(&rig, AT("00:00:30"));
    add_job(&rig, AT("00:00:30"), "a", "\"jitter\":\"24h\",\"schedule\":" HOURLY);
    add_job(&rig, AT("00:00:30"), "b", "\"jitter\":\"24h\",\"schedule\":" HOURLY);
    rig_advance(&rig, AT("01:00:00.001"));
    (void)rig_said(&rig);
    rig.mark.tz_changed_ms = changed_ms;
    rig.mark.in_command = (struct in_command){.active = true, .offset = rig.offset, .ordinal = -1,
                                              .effective_ms = changed_ms, .matched = 2};
    rig.batch_max = 1;
    rig.restart_always = true;
    rig_restart(&rig);
    rig_command(&rig, AT("01:00:00.001"), NULL,
                "{\"op\":\"update\"," ALL ",\"set\":{\"payload\":1}}");
    rig_advance(&rig, AT("01:59:59.999"));
    assert_string_equal(rig_said(&rig),
                        "event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 "
                        "zone_data\n"
                        "event skipped g/b first=01-01T01:00:00 last=01-01T01:00:00 count=1 "
                        "zone_data\n"
                        "result update applied matched=2 changed=2\n");
    rig_close(&rig);
}

static void remembered_ids_come_back(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, AT("00:00:00"));
    const struct seen first = {.hash = 1, .at_ms = 10};
    const struct seen second = {.hash = 2, .at_ms = 20};
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    struct shard *shard = shard_create(&config);
    shard_restore_seen(shard, 8, &second);
    shard_restore_seen(shard, 5, &first);
    shard_restore_seen_expired(shard, 8);
    shard_restore_done(shard, &rig.mark);
    uint32_t cursor = 0;
    int64_t sequence = 0;
    struct seen seen;
    assert_true(shard_next_seen(shard, &cursor, &sequence, &seen));
    assert_int_equal(sequence, 5);
    assert_int_equal(seen.hash, 1);
    assert_false(shard_next_seen(shard, &cursor, &sequence, &seen));
    rig.batch_max = 1;
    rig.batch = 1;
    struct sink sink = rig_test_sink(&rig);
    shard_expire_seen(shard, &sink); /* no room: later */
    struct shard_counts counts;
    shard_count(shard, &counts);
    assert_int_equal(counts.seen, 1);
    shard_destroy(shard);
    rig_close(&rig);
}

/* ---- a command that concerns several shards ---- */

enum { SHARDS = 3 };

static bool topic_is_allowed(void *opaque, struct text topic)
{
    (void)opaque;
    return topic.length > 0;
}

static bool topic_is_known(void *opaque, struct text topic)
{
    (void)opaque;
    return text_equal(topic, text_of("known"));
}

/* A shard with this number, to which the command is applied. */
static void apply_as_shard(struct shard_rig *rig, int32_t number, const char *json)
{
    struct shard_config config;
    struct command_limits limits;
    struct command command;
    struct error error = {0};
    struct source source = {.log_time_ms = rig_instant(AT("00:00:00"))};
    rig_open(rig, AT("00:00:00"));
    rig->speaks_json = true;
    shard_destroy(rig->shard);
    shard_config_defaults(&config);
    config.shards = SHARDS;
    config.shard = number;
    rig->shard = shard_create(&config);
    rig->mark.shards = SHARDS;
    shard_restore_done(rig->shard, &rig->mark);
    struct sink sink = rig_test_sink(rig);
    command_limits_defaults(&limits);
    limits.zones = test_zones();
    limits.topic_allowed = topic_is_allowed;
    assert_true(command_decode(text_of(json), NULL, 0, &source, &limits, rig->arena, &command,
                               &error));
    struct application application = {.command = &command, .source = &source,
                                      .effective_ms = source.log_time_ms,
                                      .now_ms = source.log_time_ms, .sequence = 1,
                                      .shards_applying = SHARDS,
                                      .topic_exists = topic_is_known};
    assert_true(shard_apply(rig->shard, &application, &sink));
}

static void each_shard_adds_its_own(void **state)
{
    (void)state;
    static const char json[] =
        "{\"op\":\"add\",\"mode\":\"each\",\"jobs\":["
        "{\"group\":\"a\",\"id\":\"1\",\"topic\":\"known\",\"schedule\":{\"every\":\"1h\"}},"
        "{\"group\":\"b\",\"id\":\"1\",\"topic\":\"gone\",\"schedule\":{\"every\":\"1h\"}},"
        "{\"group\":\"c\",\"id\":\"1\",\"schedule\":{\"cron\":\"nonsense\"}},"
        "{\"group\":\"d\",\"id\":\"1\",\"schedule\":{\"every\":\"1h\"}}]}";
    static const char *const groups[] = {"a", "b", "c", "d"};
    size_t added = 0;
    size_t refused = 0;
    size_t warned = 0;
    for (int32_t i = 0; i < SHARDS; i++) {
        struct shard_rig rig;
        apply_as_shard(&rig, i, json);
        for (size_t g = 0; g < 4; g++) {
            bool mine = shard_of_group(text_of(groups[g]), SHARDS) == i;
            assert_int_equal(shard_find(rig.shard, text_of(groups[g]), text_of("1")) != NULL,
                             mine && g != 2);
        }
        added += shard_job_count(rig.shard);
        const char *said = rig_said(&rig);
        refused += strstr(said, "\"bad_cron\"") != NULL;
        warned += strstr(said, "topic gone does not exist") != NULL;
        assert_null(strstr(said, "topic known"));
        rig_close(&rig);
    }
    assert_int_equal(added, 3);
    assert_int_equal(refused, 1);
    assert_int_equal(warned, 1);
}

int main(void)
{
    static int restarted = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do),
        cmocka_unit_test(the_earlier_of_slot_and_alarm),
        cmocka_unit_test(decisions_and_the_lane_are_due_soon),
        cmocka_unit_test(the_lane_passes_over_what_changed),
        cmocka_unit_test(uncertain_fires_hold_the_watermark),
        cmocka_unit_test(more_ranges_than_there_is_room),
        {"more_ranges_than_there_is_room, restarted", more_ranges_than_there_is_room, NULL, NULL,
         &restarted},
        cmocka_unit_test(ranges_side_by_side_join),
        cmocka_unit_test(the_newest_record_counts),
        cmocka_unit_test(a_record_comes_back_whole),
        cmocka_unit_test(a_restore_that_lacks_something_is_seen),
        cmocka_unit_test(other_zone_data_in_the_middle_of_a_command),
        cmocka_unit_test(remembered_ids_come_back),
        cmocka_unit_test(each_shard_adds_its_own),
    };
    return cmocka_run_group_tests_name("shard, between its steps", tests, NULL, NULL);
}
