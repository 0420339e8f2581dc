/* Random commands and times, played in one memory, and again with memory rebuilt from the records
 * after every transaction and transactions cut at random sizes: job by job, both must say the
 * same. What a restart forgets, or does twice, is a line too few or too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/jobs/job.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "tests/support/shard_rig.h"
#include "tests/support/walks.h"

enum { HERD = 130, SEEDS = 300, STEPS = 60, JOBS = 8, JSON_BYTES = 1024, LINES_MAX = 200000 };

struct dice {
    uint64_t state;
};

static uint32_t roll(struct dice *dice, uint32_t sides)
{
    dice->state = dice->state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(dice->state >> 33) % sides;
}

static const char *pick(struct dice *dice, const char *const *words, uint32_t count)
{
    return words[roll(dice, count)];
}
#define PICK(dice, words) pick(dice, words, sizeof(words) / sizeof(words)[0])

static const char *const schedules[] = {
    "{\"cron\":\"* * * * *\"}",    "{\"cron\":\"*/7 3-5 * * *\"}", "{\"cron\":\"0 0 * * MON\"}",
    "{\"cron\":\"0 12 29 2 *\"}",  "{\"every\":\"90s\"}",          "{\"every\":\"7m\"}",
    "{\"every\":\"1h\",\"anchor\":\"epoch\"}",
    "{\"at\":\"2026-01-01T02:00:00Z\"}", "{\"at\":\"2025-12-31T23:59:00Z\"}",
    "{\"cron\":\"H H(0-5) * * *\",\"zone\":\"Europe/Berlin\"}",
    "{\"cron\":\"*/20 * * * *\",\"zone\":\"America/New_York\",\"dst\":\"vixie\"}",
    "{\"cron\":\"0,20,40 * * * *\",\"zone\":\"America/New_York\"}"};
static const char *const policies[] = {
    "", ",\"catchup\":{\"policy\":\"none\"}", ",\"catchup\":{\"policy\":\"all\"}",
    ",\"catchup\":{\"policy\":\"all\",\"window\":\"2h\",\"limit\":5}",
    ",\"catchup\":{\"policy\":\"latest\",\"window\":\"1h\"}",
    ",\"catchup\":{\"policy\":\"all\",\"misfire_grace\":\"0s\"}"};
static const char *const bounds[] = {"", "", ",\"jitter\":\"5m\"", ",\"max_fires\":3",
                                     ",\"end\":\"2026-01-01T05:00:00Z\"",
                                     ",\"start\":\"2026-01-01T01:00:00Z\"",
                                     ",\"keep_finished\":\"0s\"", ",\"keep_finished\":\"10m\""};
static const char *const traits[] = {
    "", "", "", ",\"jitter\":\"4m\"", ",\"jitter\":\"30s\"", ",\"topic\":\"other\"",
    ",\"key\":\"k\",\"headers\":{\"h\":\"1\"},\"format\":\"binary\"",
    ",\"labels\":{\"team\":\"red\"},\"super_group\":\"s\""};
static const char *const resumes[] = {"", ",\"from\":\"paused_at\"", ""};

/* One command as JSON; the ids overlap on purpose. */
static void make_command(struct dice *dice, int64_t now_ms, char *json)
{
    uint32_t job = roll(dice, JOBS);
    char until[INSTANT_TEXT_BYTES];
    instant_format(now_ms + 1000 * (int64_t)(1 + roll(dice, 7200)), until);
    switch (roll(dice, 12)) {
    case 0: case 1: case 2:
        (void)snprintf(json, JSON_BYTES,
                       "{\"op\":\"%s\",\"job\":{\"group\":\"g\",\"id\":\"%u\",\"schedule\":%s%s%s"
                       "%s}}", roll(dice, 2) ? "add" : "put", job, PICK(dice, schedules),
                       PICK(dice, policies), PICK(dice, bounds), PICK(dice, traits));
        return;
    case 3:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"],"
                       "\"ids\":[\"%u\"]},\"set\":{\"schedule\":%s%s%s}}", job,
                       PICK(dice, schedules), PICK(dice, policies), PICK(dice, traits));
        return;
    case 4:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"]},"
                       "\"set\":{\"payload\":%u}}", roll(dice, 1000));
        return;
    case 5:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"pause\",\"select\":{\"ids\":[\"%u\"]}%s%s%s}",
                       job, roll(dice, 2) ? "" : ",\"until\":\"", until, "\"");
        if (strstr(json, "until") == NULL)
            (void)snprintf(json, JSON_BYTES, "{\"op\":\"pause\",\"select\":{\"ids\":[\"%u\"]}}",
                           job);
        return;
    case 6:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"resume\",\"select\":{\"all\":true}%s}",
                       PICK(dice, resumes));
        return;
    case 7:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"delete\",\"select\":{\"ids\":[\"%u\"]}}", job);
        return;
    case 8:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"trigger\",\"select\":{\"groups\":[\"g\"],"
                       "\"ids\":[\"%u\"]}}", job);
        return;
    case 9:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"backfill\",\"select\":{\"all\":true},\"rate\":"
                       "1000,\"backfill_id\":\"%u\",\"from\":\"2025-12-31T2%u:00:00Z\",\"to\":"
                       "\"2025-12-31T23:59:00Z\"}", roll(dice, 4), roll(dice, 4));
        return;
    case 10:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"cancel_backfill\",\"select\":{\"all\":true},"
                       "\"backfill_id\":\"%u\"}", roll(dice, 4));
        return;
    default:
        (void)snprintf(json, JSON_BYTES, "{\"op\":\"pause\",\"select\":{\"all\":true}}");
    }
}

/* What is counted as jobs change is what a walk over all of them finds. */
static void check_census(const struct shard_rig *rig, uint64_t seed)
{
    struct census walked;
    struct census *kept = rig->census;
    int64_t oldest_ms = INSTANT_NONE;
    census_init(&walked);
    for (uint32_t slot = 0; slot < shard_slots(rig->shard); slot++) {
        const struct job *job = shard_job_at(rig->shard, slot);
        if (job == NULL) continue;
        struct job_record record;
        job_view_record(job, &record);
        bool finished = record.state.finished_ms != INSTANT_NONE;
        walked.finished += finished;
        walked.paused += !finished && record.definition.paused;
        if (!job_owes(job) || record.definition.paused) continue;
        walked.owing++;
        int64_t due_ms = shard_oldest_owed_ms(rig->shard, job);
        if (due_ms != INSTANT_NONE && (oldest_ms == INSTANT_NONE || due_ms < oldest_ms))
            oldest_ms = due_ms;
    }
    if (walked.finished != kept->finished || walked.paused != kept->paused ||
        walked.owing != kept->owing)
        fail_msg("seed %llu: finished %d, paused %d, owing %d; counted %d, %d, %d",
                 (unsigned long long)seed, (int)walked.finished, (int)walked.paused,
                 (int)walked.owing, (int)kept->finished, (int)kept->paused, (int)kept->owing);
    assert_int_equal(census_oldest_owed_ms(kept, rig->shard), oldest_ms);
}

/* Live steps of seconds to minutes, and now and then an outage of hours with commands inside. */
static void play(uint64_t seed, struct shard_rig *rig, struct text_writer *story)
{
    struct dice dice = {seed};
    int64_t now_ms = rig_instant("2026-01-01T00:00:00Z");
    char json[JSON_BYTES];
    char at[INSTANT_TEXT_BYTES];
    char now[INSTANT_TEXT_BYTES];
    for (int step = 0; step < STEPS; step++) {
        bool outage = roll(&dice, 8) == 0;
        int64_t passed_ms = 1000 * (int64_t)(1 + roll(&dice, outage ? 20000 : 200));
        uint32_t commands = roll(&dice, 3);
        instant_format(now_ms + passed_ms, now);
        for (uint32_t i = 0; i < commands; i++) {
            int64_t at_ms = now_ms + passed_ms * (i + 1) / (commands + 1);
            instant_format(at_ms, at);
            make_command(&dice, at_ms, json);
            rig_command(rig, at, now, json);
        }
        now_ms += passed_ms;
        rig_advance(rig, now);
        check_census(rig, seed);
        text_writer_words(story, rig_said(rig));
    }
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The lines in order of text: the lane takes jobs in an order that a restart may change. */
static size_t sorted_lines(struct text_writer *story, char **lines)
{
    size_t count = 0;
    text_writer_char(story, '\0');
    for (char *line = story->bytes; *line != '\0';) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(count < LINES_MAX);
        lines[count++] = line;
        *end = '\0';
        line = end + 1;
    }
    qsort(lines, count, sizeof *lines, by_text);
    return count;
}

static void compare(uint64_t seed, struct text_writer *plain, struct text_writer *restarted)
{
    char **expected = memory_allocate(LINES_MAX, sizeof *expected);
    char **said = memory_allocate(LINES_MAX, sizeof *said);
    size_t expected_count = sorted_lines(plain, expected);
    size_t said_count = sorted_lines(restarted, said);
    for (size_t i = 0; i < expected_count && i < said_count; i++)
        if (strcmp(expected[i], said[i]) != 0)
            fail_msg("seed %llu: in one memory\n%s\nrestarted\n%s", (unsigned long long)seed,
                     expected[i], said[i]);
    assert_int_equal(expected_count, said_count);
    free(expected);
    free(said);
}

static void restarts_change_nothing(void **state)
{
    (void)state;
    size_t lines = 0;
    uint64_t seeds = walks_of(SEEDS);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct shard_rig plain;
        struct shard_rig restarted;
        struct text_writer stories[2];
        text_writer_init(&stories[0]);
        text_writer_init(&stories[1]);
        rig_open(&plain, "2026-01-01T00:00:00Z");
        rig_open(&restarted, "2026-01-01T00:00:00Z");
        struct census census[2];
        plain.census = &census[0];
        restarted.census = &census[1];
        census_init(&census[0]);
        census_init(&census[1]);
        plain.allows_topics = true;
        restarted.allows_topics = true;
        restarted.restart_always = true;
        restarted.batch_max = 1 + seed % 5;
        play(seed, &plain, &stories[0]);
        play(seed, &restarted, &stories[1]);
        lines += stories[0].length;
        compare(seed, &stories[0], &stories[1]);
        rig_close(&plain);
        rig_close(&restarted);
        census_clear(&census[0]);
        census_clear(&census[1]);
        text_writer_free(&stories[0]);
        text_writer_free(&stories[1]);
    }
    assert_true(lines > 100000 * seeds / SEEDS); /* something has been said */
}

/* A herd in many groups, and commands that name many of them in many ways. */
static void play_herd(struct shard_rig *rig)
{
    struct text_writer add;
    text_writer_init(&add);
    text_writer_words(&add, "{\"op\":\"add\",\"jobs\":[");
    for (int i = 0; i < HERD; i++) {
        char job[200];
        (void)snprintf(job, sizeof job,
                       "%s{\"group\":\"g%d\",\"id\":\"h%d\",\"super_group\":\"s%d\","
                       "\"schedule\":{\"cron\":\"*/%d * * * *\"}}",
                       i == 0 ? "" : ",", i % 13, i % 40, i % 3, 1 + i % 7);
        text_writer_words(&add, job);
    }
    text_writer_words(&add, "]}");
    text_writer_char(&add, '\0');
    static const char *const commands[] = {
        "{\"op\":\"pause\",\"select\":{\"groups\":[\"g7\",\"g1\",\"g3\",\"g7\"]}}",
        "{\"op\":\"trigger\",\"select\":{\"ids\":[\"h3\",\"h1\",\"h2\",\"h9\",\"h8\",\"h7\",\"h6\","
        "\"h5\",\"h4\",\"h3\"]}}",
        "{\"op\":\"update\",\"select\":{\"super_groups\":[\"s2\",\"s0\"]},\"set\":{\"payload\":1}}",
        "{\"op\":\"delete\",\"select\":{\"ids\":[\"h3\",\"h11\"],"
        "\"groups\":[\"g11\",\"g3\",\"g2\"]}}",
        "{\"op\":\"resume\",\"select\":{\"all\":true},\"from\":\"paused_at\"}",
        "{\"op\":\"backfill\",\"select\":{\"ids\":[\"h30\",\"h31\"]},"
        "\"from\":\"2025-12-31T20:00:00Z\"}"};
    rig_command(rig, "2026-01-01T00:00:00Z", NULL, add.bytes);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char at[INSTANT_TEXT_BYTES];
        instant_format(rig_instant("2026-01-01T00:10:00Z") + 600000 * (int64_t)i, at);
        rig_command(rig, at, NULL, commands[i]);
        rig_advance(rig, at);
    }
    text_writer_free(&add);
}

/* Not sorted: byte for byte. */
static void keys_of_tables_change_nothing(void **state)
{
    (void)state;
    struct text_writer stories[2];
    for (int i = 0; i < 2; i++) {
        struct shard_rig rig;
        text_writer_init(&stories[i]);
        rig_open(&rig, "2026-01-01T00:00:00Z");
        rig.hash_key = (uint8_t)(17 + 100 * i);
        rig.batch_max = 7;
        rig_restart(&rig);
        play_herd(&rig);
        text_writer_words(&stories[i], rig_said(&rig));
        rig_close(&rig);
    }
    assert_true(stories[0].length > 10000);
    assert_true(text_equal(text_writer_text(&stories[0]), text_writer_text(&stories[1])));
    text_writer_free(&stories[0]);
    text_writer_free(&stories[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(restarts_change_nothing),
                                       cmocka_unit_test(keys_of_tables_change_nothing)};
    return cmocka_run_group_tests_name("shard, random", tests, NULL, NULL);
}
