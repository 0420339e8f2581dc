/* Jitter: what a delayed slot is, and that a slot whose nominal time has passed and whose due time
 * has not survives restarts, edits and pauses. */
#include "lib/base/hash.h"
#include "lib/time/instant.h"
#include "lib/time/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"
#include "tests/support/shard_rig.h"

static const char start[] = "2026-01-01T00:00:30Z";

static uint64_t random_state = 88172645463325252ULL;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static struct schedule_spec jittered(const char *cron_text, const char *zone, uint32_t most_ms,
                                     int64_t offset)
{
    struct cron_options options = {.zone = text_of(zone), .zones = test_zones()};
    struct cron_reading reading;
    assert_true(cron_parse(cron_text, strlen(cron_text), &options, &reading, NULL));
    struct schedule_spec spec = schedule_from_cron(&reading.cron);
    spec.jitter = (struct schedule_jitter){
        .most_ms = most_ms,
        .incarnation = {.effective_ms = 1767225600123, .shard = 3, .offset = offset, .index = 7}};
    return spec;
}

/* The rule of docs/time.md, spelled out once more. */
static void the_delay_is_the_hash_of_the_id(void **state)
{
    (void)state;
    struct schedule_spec spec = jittered("0 * * * *", "UTC", 600000, 10422);
    const int64_t nominal_ms = 1767229200000;
    static const char id[] = "1767225600123-3.10422.7@1767229200000";
    static const uint8_t key[HASH_KEY_BYTES] = "belfry jitter v1";
    int64_t delay_ms = (int64_t)(hash_siphash(key, id, strlen(id)) % 600000);
    assert_int_equal(schedule_due(&spec, nominal_ms), nominal_ms + delay_ms);
    assert_int_equal(schedule_nominal(&spec, nominal_ms + delay_ms), nominal_ms);
    spec.jitter.most_ms = 24 * 3600 * 1000; /* the gap is an hour: never past the next slot */
    delay_ms = (int64_t)(hash_siphash(key, id, strlen(id)) % 3600000);
    assert_int_equal(schedule_due(&spec, nominal_ms), nominal_ms + delay_ms);
}

static void check_steps(const struct schedule_spec *spec, int64_t from_ms)
{
    enum { STEPS = 20 };
    struct schedule_spec plain = *spec;
    plain.jitter = (struct schedule_jitter){0};
    int64_t due_ms = from_ms;
    int64_t nominal_ms = schedule_bound(spec, from_ms) > from_ms ? from_ms - 1 : from_ms;
    int64_t dues[STEPS];
    int count = 0;
    while (count < STEPS && schedule_next(spec, due_ms, &due_ms)) dues[count++] = due_ms;
    for (int i = 0; i < count; i++) {
        int64_t nominal = schedule_nominal(spec, dues[i]);
        int64_t next_ms = INT64_MAX;
        assert_true(schedule_names(spec, nominal));
        assert_in_range(dues[i] - nominal, 0, spec->jitter.most_ms - 1);
        if (schedule_next(&plain, nominal, &next_ms)) assert_true(dues[i] < next_ms);
        if (i > 0) { /* no nominal instant is left out */
            assert_true(schedule_next(&plain, schedule_nominal(spec, dues[i - 1]), &next_ms));
            assert_int_equal(next_ms, nominal);
        }
        int64_t bound_ms = schedule_bound(spec, nominal);
        assert_true(bound_ms <= dues[i]);
        assert_true(i == 0 || bound_ms > dues[i - 1]);
    }
    if (count == 0) return;
    int64_t last_ms = 0;
    assert_true(schedule_last(spec, from_ms, dues[count - 1], &last_ms));
    assert_int_equal(last_ms, dues[count - 1]);
    assert_int_equal(schedule_count(spec, from_ms, dues[count - 1], UINT64_MAX), count);
    assert_int_equal(schedule_count(spec, dues[0], dues[count - 1] - 1, UINT64_MAX),
                     count < 2 ? 0 : count - 2);
    int64_t cut_ms = schedule_keep_newest(spec, from_ms, dues[count - 1], 3);
    assert_int_equal(schedule_count(spec, cut_ms, dues[count - 1], UINT64_MAX),
                     count < 3 ? count : 3);
    (void)nominal_ms;
}

static void delayed_slots_keep_their_order(void **state)
{
    (void)state;
    static const char *const crons[] = {"* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 L * *",
                                        "59 59 23 31 12 *", "0 12 * * 1-5"};
    static const char *const zones[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe"};
    for (int i = 0; i < 2000; i++) {
        struct schedule_spec spec = jittered(crons[draw(6)], zones[draw(3)],
                                             1 + (uint32_t)draw(24 * 3600 * 1000),
                                             (int64_t)draw(1000));
        check_steps(&spec, (int64_t)draw(INT64_C(4102444800000)));
    }
    struct schedule_spec once = schedule_from_at(1767229200000);
    once.jitter = (struct schedule_jitter){.most_ms = 60000};
    check_steps(&once, 1767229100000);
    struct schedule_spec last = jittered("59 59 23 31 12 *", "UTC", 60000, 1);
    assert_true(schedule_due(&last, INSTANT_MAX_MS / 1000 * 1000) <= INSTANT_MAX_MS);
}

/* ---- in a shard ---- */

struct delayed {
    struct shard_rig rig;
    struct schedule_spec spec; /* of job g/a */
};

static void open_delayed(struct delayed *delayed, const char *more)
{
    char command[400];
    rig_open(&delayed->rig, start);
    (void)snprintf(command, sizeof command,
                   "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"jitter\":\"10m\","
                   "\"schedule\":{\"cron\":\"0 * * * *\",\"zone\":\"UTC\"}%s}}", more);
    rig_command(&delayed->rig, start, NULL, command);
    assert_string_equal(rig_said(&delayed->rig), "result add applied matched=1 changed=1\n");
    const char *record = rig_record(&delayed->rig, "g/a");
    assert_non_null(record);
    const char *text = strstr(record, "\"incarnation\":\"");
    assert_non_null(text);
    text += strlen("\"incarnation\":\"");
    delayed->spec = jittered("0 * * * *", "UTC", 600000, 0);
    struct text name = {text, strcspn(text, "\"")};
    assert_true(incarnation_parse(name, &delayed->spec.jitter.incarnation));
}

static const char *at(int64_t instant_ms)
{
    static char text[INSTANT_TEXT_BYTES];
    instant_format(instant_ms, text);
    return text;
}

static const int64_t one_ms = 1767229200000; /* 2026-01-01T01:00:00Z */
static const char fired_at_one[] = "fire g/a 01-01T01:00:00 schedule\n";

/* Just before the due time nothing has come, at it the fire. */
static void expect_fire_at(struct delayed *delayed, int64_t due_ms, const char *fire)
{
    rig_advance(&delayed->rig, at(due_ms - 1));
    assert_string_equal(rig_said(&delayed->rig), "");
    rig_advance(&delayed->rig, at(due_ms));
    assert_string_equal(rig_said(&delayed->rig), fire);
}

static void a_slot_waits_for_its_due_time(void **state)
{
    struct delayed delayed;
    open_delayed(&delayed, "");
    int64_t due_ms = schedule_due(&delayed.spec, one_ms);
    assert_true(due_ms > one_ms + 2000);
    rig_advance(&delayed.rig, at(one_ms + 1000));
    if (*state != NULL) rig_restart(&delayed.rig);
    expect_fire_at(&delayed, due_ms, fired_at_one);
    rig_restart(&delayed.rig);
    rig_advance(&delayed.rig, at(one_ms + 3000000));
    assert_string_equal(rig_said(&delayed.rig), "");
    rig_close(&delayed.rig);
}

static void change(struct delayed *delayed, int64_t at_ms, const char *command)
{
    char when[INSTANT_TEXT_BYTES];
    instant_format(at_ms, when);
    rig_command(&delayed->rig, when, NULL, command);
}

#define SELECTED "\"select\":{\"groups\":[\"g\"]}"

static void a_payload_edit_leaves_it(void **state)
{
    (void)state;
    struct delayed delayed;
    open_delayed(&delayed, "");
    change(&delayed, one_ms + 1000, "{\"op\":\"update\"," SELECTED ",\"set\":{\"payload\":1}}");
    assert_string_equal(rig_said(&delayed.rig), "result update applied matched=1 changed=1\n");
    rig_restart(&delayed.rig);
    expect_fire_at(&delayed, schedule_due(&delayed.spec, one_ms), fired_at_one);
    rig_close(&delayed.rig);
}

static void an_edit_that_names_it_keeps_it(void **state)
{
    (void)state;
    struct delayed delayed;
    open_delayed(&delayed, "");
    change(&delayed, one_ms + 1000, "{\"op\":\"update\"," SELECTED ",\"set\":{\"schedule\":"
                                    "{\"cron\":\"0,59 * * * *\",\"zone\":\"UTC\"},"
                                    "\"jitter\":null}}");
    assert_string_equal(rig_said(&delayed.rig), "result update applied matched=1 changed=1\n");
    assert_non_null(strstr(rig_record(&delayed.rig, "g/a"),
                           "\"pending\":[{\"nominal\":\"2026-01-01T01:00:00.000Z\",\"due\":"));
    rig_restart(&delayed.rig);
    expect_fire_at(&delayed, schedule_due(&delayed.spec, one_ms), fired_at_one);
    assert_null(strstr(rig_record(&delayed.rig, "g/a"), "pending"));
    rig_restart(&delayed.rig);
    rig_advance(&delayed.rig, "2026-01-01T01:59:00Z");
    assert_string_equal(rig_said(&delayed.rig), "fire g/a 01-01T01:59:00 schedule\n");
    rig_close(&delayed.rig);
}

static void an_edit_that_does_not_name_it_says_so(void **state)
{
    (void)state;
    struct delayed delayed;
    open_delayed(&delayed, "");
    change(&delayed, one_ms + 1000, "{\"op\":\"update\"," SELECTED ",\"set\":{\"schedule\":"
                                    "{\"cron\":\"30 * * * *\",\"zone\":\"UTC\"}}}");
    assert_string_equal(rig_said(&delayed.rig),
                        "event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 "
                        "updated\nresult update applied matched=1 changed=1\n");
    rig_advance(&delayed.rig, at(one_ms + 1200000));
    assert_string_equal(rig_said(&delayed.rig), "");
    rig_close(&delayed.rig);
}

#define EDIT_TO(cron)                                                                              \
    "{\"op\":\"update\"," SELECTED ",\"set\":{\"schedule\":{\"cron\":\"" cron                      \
    "\",\"zone\":\"UTC\"}}}"
static const char applied[] = "result update applied matched=1 changed=1\n";

/* When the slot `after` seconds after 01:00 is due, by a schedule whose last of the day it is. */
static int64_t due_of_last(const struct delayed *delayed, int after)
{
    char cron_text[32];
    (void)snprintf(cron_text, sizeof cron_text, "0-%d 0 1 * * *", after);
    struct schedule_spec spec = jittered(after == 0 ? "0 0 1 * * *" : cron_text, "UTC", 600000, 0);
    spec.jitter.incarnation = delayed->spec.jitter.incarnation;
    return schedule_due(&spec, one_ms + after * 1000);
}

/* Each edit adds a second, and comes while the slots before it wait: the first one's by the first
 * schedule, the next one's by the second, and so on. */
static void edit_within_the_delay(struct delayed *delayed, int edits)
{
    static const char *const steps[] = {EDIT_TO("0-1 0 1 * * *"), EDIT_TO("0-2 0 1 * * *"),
                                        EDIT_TO("0-3 0 1 * * *"), EDIT_TO("0-4 0 1 * * *"),
                                        EDIT_TO("0-5 0 1 * * *")};
    for (int i = 0; i < edits; i++) {
        assert_true(due_of_last(delayed, i) > one_ms + 7000);
        change(delayed, one_ms + i * 1000 + 500, steps[i]);
    }
}

/* The slots of 01:00:00 to 01:00:0(count - 1) come once each, at their own due times. */
static void expect_each_once(struct delayed *delayed, int count)
{
    for (int fired = 0; fired < count; fired++) {
        int64_t due_ms = INT64_MAX;
        int next = 0;
        int64_t now_ms = delayed->rig.mark.watermark.instant_ms;
        for (int i = 0; i < count; i++) {
            int64_t its_ms = due_of_last(delayed, i);
            if (its_ms <= now_ms || its_ms >= due_ms) continue;
            due_ms = its_ms;
            next = i;
        }
        char line[80];
        (void)snprintf(line, sizeof line, "fire g/a 01-01T01:00:0%d schedule\n", next);
        expect_fire_at(delayed, due_ms, line);
    }
    rig_advance(&delayed->rig, "2026-01-01T02:00:00Z");
    assert_string_equal(rig_said(&delayed->rig), "");
    assert_null(strstr(rig_record(&delayed->rig, "g/a"), "pending"));
}

static void open_to_be_edited(struct delayed *delayed, bool restarted)
{
    open_delayed(delayed, "");
    delayed->rig.restart_always = restarted;
    change(delayed, one_ms - 1000, EDIT_TO("0 0 1 * * *"));
    assert_string_equal(rig_said(&delayed->rig), applied);
}

static void edits_within_one_delay_lose_nothing(void **state)
{
    struct delayed delayed;
    open_to_be_edited(&delayed, *state != NULL);
    edit_within_the_delay(&delayed, 3);
    assert_null(strstr(rig_said(&delayed.rig), "event"));
    const char *record = rig_record(&delayed.rig, "g/a");
    assert_non_null(strstr(record, "\"pending\":[{\"nominal\":\"2026-01-01T01:00:00.000Z\""));
    assert_non_null(strstr(record, "},{\"nominal\":\"2026-01-01T01:00:02.000Z\""));
    expect_each_once(&delayed, 4);
    rig_close(&delayed.rig);
}

static void more_edits_than_are_kept_say_so(void **state)
{
    struct delayed delayed;
    open_to_be_edited(&delayed, *state != NULL);
    edit_within_the_delay(&delayed, 4);
    assert_null(strstr(rig_said(&delayed.rig), "event"));
    change(&delayed, one_ms + 4500, EDIT_TO("0-4,30 0 1 * * *"));
    assert_string_equal(rig_said(&delayed.rig),
                        "event skipped g/a first=01-01T01:00:04 last=01-01T01:00:04 count=1 "
                        "updated\nresult update applied matched=1 changed=1\n");
    change(&delayed, one_ms + 5500, EDIT_TO("0-1 0 1 * * *"));
    assert_string_equal(rig_said(&delayed.rig),
                        "event skipped g/a first=01-01T01:00:02 last=01-01T01:00:02 count=1 "
                        "updated\nevent skipped g/a first=01-01T01:00:03 last=01-01T01:00:03 "
                        "count=1 updated\nresult update applied matched=1 changed=1\n");
    expect_each_once(&delayed, 2);
    rig_close(&delayed.rig);
}

static void a_delete_names_every_one(void **state)
{
    (void)state;
    struct delayed delayed;
    open_to_be_edited(&delayed, true);
    edit_within_the_delay(&delayed, 2);
    (void)rig_said(&delayed.rig);
    change(&delayed, one_ms + 2000, "{\"op\":\"delete\"," SELECTED "}");
    const char *said = rig_said(&delayed.rig);
    assert_non_null(strstr(said, "event skipped g/a first=01-01T01:00:00"));
    assert_non_null(strstr(said, "event skipped g/a first=01-01T01:00:01"));
    rig_close(&delayed.rig);
}

static int times_in(const char *text, const char *word)
{
    int times = 0;
    while ((text = strstr(text, word)) != NULL) {
        times++;
        text += strlen(word);
    }
    return times;
}

static void max_fires_holds_for_what_waits(void **state)
{
    (void)state;
    for (int max = 1; max <= 3; max++) {
        struct delayed delayed;
        char bound[32];
        (void)snprintf(bound, sizeof bound, ",\"max_fires\":%d", max);
        open_delayed(&delayed, bound);
        delayed.rig.restart_always = true;
        change(&delayed, one_ms - 1000, EDIT_TO("0 0 1 * * *"));
        edit_within_the_delay(&delayed, 3);
        (void)rig_said(&delayed.rig);
        rig_advance(&delayed.rig, "2026-01-01T01:00:08Z");
        for (int minute = 1; minute < 12; minute++)
            rig_advance(&delayed.rig, at(one_ms + minute * 60000));
        const char *said = rig_said(&delayed.rig);
        assert_int_equal(times_in(said, "fire g/a"), max);
        assert_in_range(times_in(said, " finished\n"), 3 - max, 4 - max);
        assert_int_equal(times_in(said, "event exhausted g/a"), 1);
        rig_close(&delayed.rig);
    }
}

static void max_fires_used_up_before_it_says_so(void **state)
{
    (void)state;
    struct delayed delayed;
    open_delayed(&delayed, ",\"max_fires\":1");
    delayed.rig.restart_always = true;
    change(&delayed, one_ms + 100, "{\"op\":\"update\"," SELECTED ",\"set\":{\"jitter\":null,"
                                   "\"schedule\":{\"cron\":\"* * * * * *\",\"zone\":\"UTC\"}}}");
    assert_string_equal(rig_said(&delayed.rig), applied);
    rig_advance(&delayed.rig, "2026-01-01T01:00:01Z");
    assert_string_equal(rig_said(&delayed.rig),
                        "fire g/a 01-01T01:00:01 schedule\n"
                        "event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 "
                        "finished\nevent exhausted g/a\n");
    rig_advance(&delayed.rig, "2026-01-01T02:00:00Z");
    assert_string_equal(rig_said(&delayed.rig), "");
    rig_close(&delayed.rig);
}

/* Its nominal time lies before `end`, its due time behind it. */
static void an_end_within_its_delay_leaves_it(void **state)
{
    (void)state;
    struct delayed delayed;
    open_to_be_edited(&delayed, true);
    change(&delayed, one_ms + 100, "{\"op\":\"update\"," SELECTED ",\"set\":{\"jitter\":null,"
                                   "\"end\":\"2026-01-01T01:00:03Z\",\"schedule\":{\"cron\":"
                                   "\"* * * * * *\",\"zone\":\"UTC\"}}}");
    assert_string_equal(rig_said(&delayed.rig), applied);
    rig_advance(&delayed.rig, "2026-01-01T01:00:06Z");
    assert_string_equal(rig_said(&delayed.rig), "fire g/a 01-01T01:00:01 schedule\n"
                                                "fire g/a 01-01T01:00:02 schedule\n");
    expect_fire_at(&delayed, due_of_last(&delayed, 0),
                   "fire g/a 01-01T01:00:00 schedule\nevent exhausted g/a\n");
    rig_close(&delayed.rig);
}

static void an_edit_in_a_pause_loses_nothing(void **state)
{
    struct delayed delayed;
    open_to_be_edited(&delayed, *state != NULL);
    change(&delayed, one_ms + 100, "{\"op\":\"pause\"," SELECTED "}");
    change(&delayed, one_ms + 200, EDIT_TO("0,30 0 1 2 1 *"));
    assert_non_null(strstr(rig_said(&delayed.rig), "event skipped g/a first=01-01T01:00:00"));
    rig_close(&delayed.rig);
    open_to_be_edited(&delayed, *state != NULL);
    change(&delayed, one_ms + 100, "{\"op\":\"pause\"," SELECTED "}");
    change(&delayed, one_ms + 200, EDIT_TO("0-1 0 1 * * *"));
    change(&delayed, one_ms + 300, "{\"op\":\"resume\"," SELECTED "}");
    (void)rig_said(&delayed.rig);
    expect_each_once(&delayed, 2);
    rig_close(&delayed.rig);
}

static void a_start_behind_it_says_so(void **state)
{
    (void)state;
    struct delayed delayed;
    open_to_be_edited(&delayed, true);
    edit_within_the_delay(&delayed, 1);
    (void)rig_said(&delayed.rig);
    change(&delayed, one_ms + 1600, "{\"op\":\"update\"," SELECTED
                                    ",\"set\":{\"start\":\"2026-01-01T01:00:00.500Z\"}}");
    assert_string_equal(rig_said(&delayed.rig),
                        "event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 "
                        "updated\nresult update applied matched=1 changed=1\n");
    change(&delayed, one_ms + 1700, "{\"op\":\"update\"," SELECTED
                                    ",\"set\":{\"start\":\"2026-01-01T12:00:00Z\"}}");
    assert_string_equal(rig_said(&delayed.rig),
                        "event skipped g/a first=01-01T01:00:01 last=01-01T01:00:01 count=1 "
                        "updated\nresult update applied matched=1 changed=1\n");
    rig_advance(&delayed.rig, "2026-01-01T02:00:00Z");
    assert_string_equal(rig_said(&delayed.rig), "");
    rig_close(&delayed.rig);
}

static void a_one_shot_takes_it_over_once(void **state)
{
    (void)state;
    struct delayed delayed;
    open_to_be_edited(&delayed, true);
    change(&delayed, one_ms + 500, "{\"op\":\"update\"," SELECTED ",\"set\":{\"schedule\":{\"at\":"
                                   "\"2026-01-01T01:00:00Z\"}}}");
    change(&delayed, one_ms + 1000, "{\"op\":\"update\"," SELECTED ",\"set\":{\"jitter\":\"5s\"}}");
    rig_advance(&delayed.rig, "2026-01-01T02:00:00Z");
    const char *fire = strstr(rig_said(&delayed.rig), "fire g/a 01-01T01:00:00");
    assert_non_null(fire);
    assert_null(strstr(fire + 1, "fire g/a"));
    rig_close(&delayed.rig);
}

static void an_edit_fires_nothing_before_it(void **state)
{
    (void)state;
    struct delayed delayed; /* the new schedule has the slot too, with a delay of its own */
    open_delayed(&delayed, "");
    int64_t due_ms = schedule_due(&delayed.spec, one_ms);
    change(&delayed, due_ms + 1, "{\"op\":\"update\"," SELECTED ",\"set\":{\"jitter\":\"30m\"}}");
    assert_string_equal(rig_said(&delayed.rig),
                        "fire g/a 01-01T01:00:00 schedule\n"
                        "result update applied matched=1 changed=1\n");
    rig_restart(&delayed.rig);
    rig_advance(&delayed.rig, "2026-01-01T01:59:59Z");
    assert_string_equal(rig_said(&delayed.rig), "");
    rig_close(&delayed.rig);
}

static void a_short_pause_leaves_it(void **state)
{
    (void)state;
    struct delayed delayed;
    open_delayed(&delayed, "");
    int64_t due_ms = schedule_due(&delayed.spec, one_ms);
    change(&delayed, one_ms + 500, "{\"op\":\"pause\"," SELECTED "}");
    rig_restart(&delayed.rig);
    change(&delayed, due_ms - 1000, "{\"op\":\"resume\"," SELECTED "}");
    rig_restart(&delayed.rig);
    (void)rig_said(&delayed.rig);
    expect_fire_at(&delayed, due_ms, fired_at_one);
    rig_close(&delayed.rig);
}

static void a_pause_over_its_due_time_leaves_it_out(void **state)
{
    (void)state;
    struct delayed delayed;
    open_delayed(&delayed, "");
    int64_t due_ms = schedule_due(&delayed.spec, one_ms);
    change(&delayed, one_ms + 500, "{\"op\":\"pause\"," SELECTED "}");
    change(&delayed, due_ms + 1000, "{\"op\":\"resume\"," SELECTED "}");
    (void)rig_said(&delayed.rig);
    rig_advance(&delayed.rig, "2026-01-01T01:59:59Z");
    assert_string_equal(rig_said(&delayed.rig), "");
    rig_close(&delayed.rig);
}

static void an_add_within_a_delay_fires_nothing_earlier(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:01Z"); /* the slot of midnight would still be to come */
    rig_command(&rig, "2026-01-01T00:00:01Z", NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"jitter\":\"24h\","
                "\"schedule\":{\"cron\":\"0 0 * * *\",\"zone\":\"UTC\"}}}");
    (void)rig_said(&rig);
    rig_restart(&rig);
    rig_advance(&rig, "2026-01-01T23:59:59Z");
    assert_string_equal(rig_said(&rig), "");
    rig_restart(&rig);
    rig_advance(&rig, "2026-01-02T23:59:59Z");
    assert_string_equal(rig_said(&rig), "fire g/a 01-02T00:00:00 catchup\n");
    rig_close(&rig);
}

static void end_goes_by_the_nominal_time(void **state)
{
    (void)state;
    struct delayed delayed;
    open_delayed(&delayed, ",\"end\":\"2026-01-01T01:00:01Z\"");
    expect_fire_at(&delayed, schedule_due(&delayed.spec, one_ms),
                   "fire g/a 01-01T01:00:00 schedule\nevent exhausted g/a\n");
    rig_close(&delayed.rig);
}

static void an_outage_catches_up_by_the_nominal_time(void **state)
{
    (void)state;
    struct delayed delayed;
    open_delayed(&delayed, ",\"catchup\":{\"policy\":\"all\"}");
    rig_advance(&delayed.rig, "2026-01-01T03:30:00Z");
    assert_string_equal(rig_said(&delayed.rig),
                        "event catchup_started g/a count=3\nfire g/a 01-01T01:00:00 catchup\n"
                        "fire g/a 01-01T02:00:00 catchup\nfire g/a 01-01T03:00:00 catchup\n"
                        "event catchup_finished g/a count=3\n");
    rig_close(&delayed.rig);
}

static void jobs_are_spread(void **state)
{
    (void)state;
    enum { JOBS = 200, BUCKETS = 4 };
    int seen[BUCKETS] = {0};
    for (int64_t i = 0; i < JOBS; i++) {
        struct schedule_spec spec = jittered("0 * * * *", "UTC", 600000, i);
        seen[(schedule_due(&spec, one_ms) - one_ms) / 150000]++;
    }
    for (int i = 0; i < BUCKETS; i++) assert_in_range(seen[i], 25, 85);
}

int main(void)
{
    static int restarted = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_is_the_hash_of_the_id),
        cmocka_unit_test(delayed_slots_keep_their_order),
        cmocka_unit_test(a_slot_waits_for_its_due_time),
        {"a_slot_waits_over_a_restart", a_slot_waits_for_its_due_time, NULL, NULL, &restarted},
        cmocka_unit_test(a_payload_edit_leaves_it),
        cmocka_unit_test(an_edit_that_names_it_keeps_it),
        cmocka_unit_test(an_edit_that_does_not_name_it_says_so),
        cmocka_unit_test(edits_within_one_delay_lose_nothing),
        {"edits_within_one_delay_over_restarts", edits_within_one_delay_lose_nothing, NULL, NULL,
         &restarted},
        cmocka_unit_test(more_edits_than_are_kept_say_so),
        {"more_edits_than_are_kept_over_restarts", more_edits_than_are_kept_say_so, NULL, NULL,
         &restarted},
        cmocka_unit_test(a_delete_names_every_one),
        cmocka_unit_test(max_fires_holds_for_what_waits),
        cmocka_unit_test(max_fires_used_up_before_it_says_so),
        cmocka_unit_test(an_end_within_its_delay_leaves_it),
        cmocka_unit_test(an_edit_in_a_pause_loses_nothing),
        {"an_edit_in_a_pause_over_restarts", an_edit_in_a_pause_loses_nothing, NULL, NULL,
         &restarted},
        cmocka_unit_test(a_start_behind_it_says_so),
        cmocka_unit_test(a_one_shot_takes_it_over_once),
        cmocka_unit_test(an_edit_fires_nothing_before_it),
        cmocka_unit_test(a_short_pause_leaves_it),
        cmocka_unit_test(a_pause_over_its_due_time_leaves_it_out),
        cmocka_unit_test(an_add_within_a_delay_fires_nothing_earlier),
        cmocka_unit_test(end_goes_by_the_nominal_time),
        cmocka_unit_test(an_outage_catches_up_by_the_nominal_time),
        cmocka_unit_test(jobs_are_spread),
    };
    return cmocka_run_group_tests_name("jitter", tests, NULL, NULL);
}
