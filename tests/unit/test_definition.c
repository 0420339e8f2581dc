/* Definitions: merging, packing into a job and viewing again, telling two apart. */
#include "dispatcher/jobs/job.h"
#include "dispatcher/jobs/timers.h"
#include "lib/base/limits.h"
#include "lib/model/definition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"

/* Every field other than its default. They need not go together here. */
static struct run_terms full_runs(void)
{
    return (struct run_terms){.lease_ms = 60000,
                              .workers = text_of("w"),
                              .mode = LEASE_FIXED,
                              .overlap = OVERLAP_CANCEL_OTHER,
                              .start_within_ms = 20000,
                              .overlap_limit = 7,
                              .pause_after_failures = 8,
                              .retry = {.attempts = 9,
                                        .factor_hundredths = 150,
                                        .initial_ms = 1000,
                                        .max_ms = 2000,
                                        .within_ms = 3000,
                                        .on = 1U << RUN_FAILURE,
                                        .poison_after = 5,
                                        .not_on_exit_count = 2,
                                        .not_on_exit = {2, 255}}};
}

static struct definition full_definition(void)
{
    struct definition full;
    struct cron cron;
    struct error error = {0};
    definition_defaults(&full);
    if (!cron_read("0 12 * * *", 10, &cron, NULL, &error)) fail_msg("%s", error.message);
    full.given = GIVEN_ANCHOR;
    full.group = text_of("g");
    full.id = text_of("a");
    full.super_group = text_of("s");
    full.schedule = schedule_from_cron(&cron);
    full.cron_text = text_of("0 12 * * *");
    full.zone = text_of("UTC");
    full.dialect = CRON_SECONDS;
    full.dst = CRON_DST_VIXIE;
    full.start_ms = 1000;
    full.end_ms = 2000;
    full.max_fires = 3;
    full.keep_finished_ms = 4000;
    full.catchup = (struct catchup){CATCHUP_ALL, 5000, 6, 7000};
    full.payload = text_of("\"p\"");
    full.payload_binary = true;
    full.content_type = text_of("text/plain");
    full.topic = text_of("t");
    full.key = text_of("k");
    full.format = FIRE_BINARY;
    full.labels = (struct text){"l\0v\0", 4};
    full.headers = (struct text){"h\0w\0", 4};
    full.runs = full_runs();
    return full;
}

static void expect_same_texts(const struct definition *left, const struct definition *right)
{
    assert_true(text_equal(left->super_group, right->super_group));
    assert_true(text_equal(left->payload, right->payload));
    assert_true(text_equal(left->content_type, right->content_type));
    assert_true(text_equal(left->topic, right->topic));
    assert_true(text_equal(left->key, right->key));
    assert_true(text_equal(left->labels, right->labels));
    assert_true(text_equal(left->headers, right->headers));
    assert_int_equal(left->payload_binary, right->payload_binary);
    assert_int_equal(left->format, right->format);
}

static void expect_same_runs(const struct run_terms *left, const struct run_terms *right)
{
    assert_int_equal(left->lease_ms, right->lease_ms);
    assert_true(text_equal(left->workers, right->workers));
    assert_int_equal(left->mode, right->mode);
    assert_int_equal(left->overlap, right->overlap);
    assert_int_equal(left->start_within_ms, right->start_within_ms);
    assert_int_equal(left->overlap_limit, right->overlap_limit);
    assert_int_equal(left->pause_after_failures, right->pause_after_failures);
    assert_true(retry_equal(&left->retry, &right->retry));
}

static void expect_same_numbers(const struct definition *left, const struct definition *right)
{
    expect_same_runs(&left->runs, &right->runs);
    assert_int_equal(left->start_ms, right->start_ms);
    assert_int_equal(left->end_ms, right->end_ms);
    assert_int_equal(left->max_fires, right->max_fires);
    assert_int_equal(left->keep_finished_ms, right->keep_finished_ms);
    assert_int_equal(left->catchup.policy, right->catchup.policy);
    assert_int_equal(left->catchup.window_ms, right->catchup.window_ms);
    assert_int_equal(left->catchup.limit, right->catchup.limit);
    assert_int_equal(left->catchup.grace_ms, right->catchup.grace_ms);
}

static void merging_takes_what_is_given(void **state)
{
    (void)state;
    struct definition change = full_definition();
    struct definition defaults;
    struct definition target;
    definition_defaults(&defaults);
    target = defaults;
    change.given = 0;
    definition_merge(&target, &change);
    expect_same_texts(&target, &defaults);
    expect_same_numbers(&target, &defaults);
    change.given = UINT32_MAX;
    definition_merge(&target, &change);
    expect_same_texts(&target, &change);
    expect_same_numbers(&target, &change);
}

/* One field at a time: only that one changes. */
static void merging_takes_nothing_else(void **state)
{
    (void)state;
    static const struct {
        uint32_t given;
        size_t at;
    } rows[] = {{GIVEN_TOPIC, offsetof(struct definition, topic)},
                {GIVEN_KEY, offsetof(struct definition, key)},
                {GIVEN_HEADERS, offsetof(struct definition, headers)},
                {GIVEN_LABELS, offsetof(struct definition, labels)},
                {GIVEN_CONTENT_TYPE, offsetof(struct definition, content_type)},
                {GIVEN_SUPER_GROUP, offsetof(struct definition, super_group)}};
    enum { ROWS = sizeof rows / sizeof rows[0] };
    for (size_t i = 0; i < ROWS; i++) {
        struct definition change = full_definition();
        struct definition target;
        definition_defaults(&target);
        change.given = rows[i].given;
        definition_merge(&target, &change);
        for (size_t j = 0; j < ROWS; j++) {
            const struct text *text = (const struct text *)((const char *)&target + rows[j].at);
            assert_int_equal(text->length > 0, i == j);
        }
        assert_int_equal(target.format, FIRE_STRUCTURED);
        assert_int_equal(target.catchup.grace_ms, MISFIRE_GRACE_DEFAULT_MS);
    }
}

/* The same of what a job says about its runs, and of the members of `retry`. */
static void merging_takes_one_of_the_run_fields(void **state)
{
    (void)state;
    static const struct {
        uint32_t given, retry_given;
        size_t at, bytes;
    } rows[] = {
#define RUN(given, member)                                                                         \
    {given, 0, offsetof(struct run_terms, member), sizeof((struct run_terms *)NULL)->member}
#define RETRY(given, member)                                                                       \
    {GIVEN_RETRY, given, offsetof(struct run_terms, retry.member),                                 \
     sizeof((struct run_terms *)NULL)->retry.member}
        RUN(GIVEN_LEASE, lease_ms),
        RUN(GIVEN_WORKERS, workers),
        RUN(GIVEN_LEASE_MODE, mode),
        RUN(GIVEN_START_WITHIN, start_within_ms),
        RUN(GIVEN_OVERLAP, overlap),
        RUN(GIVEN_OVERLAP_LIMIT, overlap_limit),
        RUN(GIVEN_PAUSE_AFTER_FAILURES, pause_after_failures),
        RETRY(GIVEN_RETRY_ATTEMPTS, attempts),
        RETRY(GIVEN_RETRY_INITIAL, initial_ms),
        RETRY(GIVEN_RETRY_FACTOR, factor_hundredths),
        RETRY(GIVEN_RETRY_MAX, max_ms),
        RETRY(GIVEN_RETRY_ON, on),
        RETRY(GIVEN_RETRY_NOT_ON_EXIT, not_on_exit_count),
        RETRY(GIVEN_RETRY_NOT_ON_EXIT, not_on_exit),
        RETRY(GIVEN_RETRY_WITHIN, within_ms),
        RETRY(GIVEN_RETRY_POISON_AFTER, poison_after),
#undef RUN
#undef RETRY
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    for (size_t i = 0; i < ROWS; i++) {
        struct definition change = full_definition();
        struct definition target;
        struct definition defaults;
        definition_defaults(&target);
        definition_defaults(&defaults);
        change.given = rows[i].given;
        change.retry_given = rows[i].retry_given;
        definition_merge(&target, &change);
        for (size_t j = 0; j < ROWS; j++) {
            bool taken = rows[j].given == rows[i].given &&
                         rows[j].retry_given == rows[i].retry_given;
            const struct run_terms *from = taken ? &change.runs : &defaults.runs;
            assert_memory_equal((const char *)&target.runs + rows[j].at,
                                (const char *)from + rows[j].at, rows[j].bytes);
        }
        assert_true(target.topic.length == 0 && target.max_fires == 0);
    }
}

static struct job *job_of(struct timers *timers, const struct definition *definition)
{
    struct schedule_words words = definition_words(definition);
    return job_create(definition, timers_intern(timers, &definition->schedule, &words));
}

static void drop_job(struct timers *timers, struct job *job)
{
    timers_release(timers, job->schedule);
    job_destroy(job);
}

static void a_job_gives_back_its_definition(void **state)
{
    (void)state;
    struct timers *timers = timers_create((const uint8_t[HASH_KEY_BYTES]){1});
    struct definition full = full_definition();
    struct job *job = job_of(timers, &full);
    struct definition seen;
    job_view(job, &seen);
    assert_true(text_equal(job_name(job), text_of("g/a")));
    assert_true(text_equal(job_topic(job), full.topic));
    expect_same_texts(&seen, &full);
    expect_same_numbers(&seen, &full);
    assert_int_equal(seen.given, GIVEN_ANCHOR);
    assert_int_equal(seen.dialect, CRON_SECONDS);
    assert_int_equal(seen.dst, CRON_DST_VIXIE);
    drop_job(timers, job);
    job_destroy(NULL);
    timers_destroy(timers);
    timers_destroy(NULL);
}

/* What a plain fire needs no further look for. */
static void which_jobs_are_plain(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        const char *key;
        struct text labels;
        bool binary_format;
        bool binary_payload;
        bool plain;
    } rows[] = {{NULL, NULL, {NULL, 0}, false, false, true},
                {NULL, NULL, {"l\0v\0", 4}, false, false, true},
                {"t", NULL, {NULL, 0}, false, false, false},
                {NULL, "k", {NULL, 0}, false, false, false},
                {NULL, NULL, {NULL, 0}, true, false, false},
                {NULL, NULL, {NULL, 0}, false, true, false}};
    struct timers *timers = timers_create((const uint8_t[HASH_KEY_BYTES]){1});
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct definition definition;
        definition_defaults(&definition);
        definition.group = text_of("g");
        definition.id = text_of("a");
        definition.schedule = schedule_from_at(1000);
        definition.topic = text_of(rows[i].topic);
        definition.key = text_of(rows[i].key);
        definition.labels = rows[i].labels;
        definition.format = rows[i].binary_format ? FIRE_BINARY : FIRE_STRUCTURED;
        definition.payload_binary = rows[i].binary_payload;
        struct job *job = job_of(timers, &definition);
        assert_int_equal(job_is_plain(job), rows[i].plain);
        assert_int_equal(job_topic(job).length, definition.topic.length);
        drop_job(timers, job);
    }
    timers_destroy(timers);
}

static void set_run_field(struct run_terms *terms, int field)
{
    switch (field) {
    case 0: terms->lease_ms = 70000; break;
    case 1: terms->workers = text_of("v"); break;
    case 2: terms->mode = LEASE_HEARTBEAT; break;
    case 3: terms->overlap = OVERLAP_SKIP; break;
    case 4: terms->start_within_ms = 1; break;
    case 5: terms->overlap_limit = 1; break;
    case 6: terms->pause_after_failures = 1; break;
    case 7: terms->retry.attempts = 2; break;
    case 8: terms->retry.factor_hundredths = 300; break;
    case 9: terms->retry.initial_ms = 1; break;
    case 10: terms->retry.max_ms = 1; break;
    case 11: terms->retry.within_ms = 1; break;
    case 12: terms->retry.on = 1U << RUN_TIMEOUT; break;
    case 13: terms->retry.poison_after = 1; break;
    case 14: terms->retry.not_on_exit_count = 1; terms->retry.not_on_exit[1] = 0; break;
    case 15: terms->retry.not_on_exit[1] = 3; break;
    default: run_terms_defaults(terms); break;
    }
}

/* Each of them makes another definition, is packed, and is seen again. */
static void run_fields_count(void **state)
{
    (void)state;
    struct timers *timers = timers_create((const uint8_t[HASH_KEY_BYTES]){1});
    struct definition full = full_definition();
    struct job *job = job_of(timers, &full);
    assert_true(job_same_definition(job, &full));
    for (int field = 0; field <= 16; field++) {
        struct definition other = full_definition();
        struct definition seen;
        set_run_field(&other.runs, field);
        assert_false(job_same_definition(job, &other));
        struct job *changed = job_of(timers, &other);
        job_view(changed, &seen);
        expect_same_runs(&seen.runs, &other.runs);
        assert_int_equal(run_terms_are_usual(&seen.runs), field == 16);
        job_redefine(changed, &full);
        assert_true(job_same_definition(changed, &full));
        drop_job(timers, changed);
    }
    drop_job(timers, job);
    timers_destroy(timers);
}

/* A job whose runs are followed has more to say in its fires; one whose ends are counted has not.
 * Neither has what makes the catch-up look closer. */
static void what_runs_make_of_a_job(void **state)
{
    (void)state;
    struct timers *timers = timers_create((const uint8_t[HASH_KEY_BYTES]){1});
    for (int i = 0; i < 3; i++) {
        struct definition definition;
        definition_defaults(&definition);
        definition.group = text_of("g");
        definition.id = text_of("a");
        definition.schedule = schedule_from_at(1000);
        if (i == 1) definition.runs.mode = LEASE_NONE;
        if (i == 2) definition.runs.lease_ms = 60000;
        if (i == 2) definition.runs.workers = text_of("w");
        struct job *job = job_of(timers, &definition);
        assert_int_equal(job_is_plain(job), i != 2);
        assert_false(job_has_options(job));
        drop_job(timers, job);
    }
    timers_destroy(timers);
}

/* Other words for the same instants are another definition, and another interned schedule. */
static void words_count(void **state)
{
    (void)state;
    struct definition variants[8];
    for (size_t i = 0; i < 8; i++) variants[i] = full_definition();
    variants[1].cron_text = text_of("00 12 * * *");
    variants[2].zone = text_of("Etc/UTC");
    variants[3].dialect = CRON_STANDARD;
    variants[4].dst = CRON_DST_SKIP_REPEAT;
    variants[5].schedule = schedule_from_at(5000);
    variants[6].payload = text_of("\"q\"");
    variants[7].hashed = true;
    struct timers *timers = timers_create((const uint8_t[HASH_KEY_BYTES]){1});
    struct job *job = job_of(timers, &variants[0]);
    assert_true(job_same_definition(job, &variants[0]));
    for (size_t i = 1; i < 8; i++) {
        struct job *other = job_of(timers, &variants[i]);
        assert_int_equal(other->schedule == job->schedule, i == 6);
        if (i < 7) assert_false(job_same_definition(job, &variants[i]));
        drop_job(timers, other);
    }
    drop_job(timers, job);
    timers_destroy(timers);
}

/* More distinct schedules than the index starts with: each is still found. */
static void many_schedules_are_interned(void **state)
{
    (void)state;
    enum { SCHEDULES = 5000 };
    static struct schedule *schedules[SCHEDULES];
    struct timers *timers = timers_create((const uint8_t[HASH_KEY_BYTES]){1});
    const struct schedule_words words = {0};
    for (int64_t i = 0; i < SCHEDULES; i++) {
        struct schedule_spec spec = schedule_from_at(1000 + i);
        schedules[i] = timers_intern(timers, &spec, &words);
    }
    for (int64_t i = 0; i < SCHEDULES; i++) {
        struct schedule_spec spec = schedule_from_at(1000 + i);
        assert_ptr_equal(timers_intern(timers, &spec, &words), schedules[i]);
        timers_release(timers, schedules[i]);
        timers_release(timers, schedules[i]);
    }
    timers_destroy(timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_takes_what_is_given),
        cmocka_unit_test(merging_takes_nothing_else),
        cmocka_unit_test(merging_takes_one_of_the_run_fields),
        cmocka_unit_test(a_job_gives_back_its_definition),
        cmocka_unit_test(which_jobs_are_plain),
        cmocka_unit_test(run_fields_count),
        cmocka_unit_test(what_runs_make_of_a_job),
        cmocka_unit_test(words_count),
        cmocka_unit_test(many_schedules_are_interned),
    };
    return cmocka_run_group_tests_name("definition", tests, NULL, NULL);
}
