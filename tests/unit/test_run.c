/* The words of runs, what a job's fields about them have to say together, and which outcomes are
 * tried again. */
#include "lib/base/limits.h"
#include "lib/model/run.h"
#include "lib/model/run_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void words_are_found(void **state)
{
    (void)state;
    int said_by_workers = 0;
    for (int i = 0; i < RUN_OUTCOME_COUNT; i++) {
        enum run_outcome outcome = (enum run_outcome)i;
        enum run_outcome found = RUN_SUCCESS;
        enum report_kind kind = REPORT_STARTED;
        struct text word = text_of(run_outcome_word(outcome));
        assert_true(run_outcome_find(word, &found));
        assert_int_equal(found, outcome);
        bool says = run_outcome_sayer(outcome) == RUN_SAID_BY_WORKER;
        said_by_workers += says;
        assert_int_equal(report_find(word, &kind, &found), says);
        if (!says) continue;
        assert_int_equal(kind, REPORT_ENDED);
        assert_int_equal(found, outcome);
        assert_string_equal(report_word(kind, outcome), word.bytes);
    }
    assert_int_equal(said_by_workers, 6);
    enum run_outcome none = RUN_POISON;
    assert_false(run_outcome_find(text_of("done"), &none));
    assert_false(run_outcome_find(text_of(""), &none));
    assert_int_equal(none, RUN_POISON);
}

static void reports_that_end_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        enum report_kind kind;
    } rows[] = {{"started", REPORT_STARTED},
                {"running", REPORT_RUNNING},
                {"released", REPORT_RELEASED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum report_kind kind = REPORT_ENDED;
        enum run_outcome outcome = RUN_POISON;
        assert_true(report_find(text_of(rows[i].word), &kind, &outcome));
        assert_int_equal(kind, rows[i].kind);
        assert_int_equal(outcome, RUN_POISON); /* left alone */
        assert_string_equal(report_word(kind, outcome), rows[i].word);
    }
    enum report_kind kind = REPORT_RUNNING;
    enum run_outcome outcome = RUN_POISON;
    assert_false(report_find(text_of(""), &kind, &outcome));
    assert_false(report_find(text_of("lost"), &kind, &outcome));
    assert_int_equal(kind, REPORT_RUNNING);
}

static void lists_of_words(void **state)
{
    (void)state;
    static const char *const overlaps[] = {"allow", "skip", "buffer_one", "buffer_all",
                                           "cancel_other"};
    static const char *const modes[] = {"heartbeat", "fixed", "none"};
    static const char *const states[] = {"open", "claimed", "waiting"};
    for (int i = 0; i < 5; i++) {
        assert_string_equal(overlap_words()[i], overlaps[i]);
        assert_string_equal(overlap_word((enum overlap)i), overlaps[i]);
    }
    for (int i = 0; i < 3; i++) {
        assert_string_equal(lease_mode_words()[i], modes[i]);
        assert_string_equal(lease_mode_word((enum lease_mode)i), modes[i]);
        assert_string_equal(run_state_words()[i], states[i]);
        assert_string_equal(run_state_word((enum run_state)i), states[i]);
    }
    assert_null(overlap_words()[5]);
    assert_null(lease_mode_words()[3]);
    assert_null(run_state_words()[3]);
}

static struct run_terms terms_with_lease(void)
{
    struct run_terms terms;
    run_terms_defaults(&terms);
    terms.lease_ms = 5 * MINUTES_MS;
    terms.workers = text_of("billing-workers");
    return terms;
}

static void expect_fault(const struct run_terms *terms, enum error_code code, const char *object,
                         const char *member)
{
    struct run_terms_fault fault = {0};
    if (run_terms_check(terms, &fault)) fail_msg("nothing is wrong with %s", member);
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.member, member);
    assert_int_equal(fault.object == NULL, object == NULL);
    if (object != NULL) assert_string_equal(fault.object, object);
    assert_non_null(strstr(fault.sentence, member));
}

static void expect_good(const struct run_terms *terms)
{
    struct run_terms_fault fault = {0};
    if (!run_terms_check(terms, &fault)) fail_msg("%s: %s", fault.member, fault.sentence);
}

/* Sets the field of that number to a value that is not its default. */
static const char *set_field(struct run_terms *terms, int field, const char **object)
{
    *object = field < 5 ? NULL : "retry";
    switch (field) {
    case 0: terms->mode = LEASE_FIXED; return "lease_mode";
    case 1: terms->overlap = OVERLAP_SKIP; return "overlap";
    case 2: terms->start_within_ms = MINUTES_MS; return "start_within";
    case 3: terms->pause_after_failures = 1; return "pause_after_failures";
    case 4: terms->workers = text_of("w"); return "workers";
    case 5: terms->retry.attempts = 2; return "attempts";
    case 6: terms->retry.initial_ms = 1000; return "initial";
    case 7: terms->retry.factor_hundredths = 100; return "factor";
    case 8: terms->retry.max_ms = 2 * HOURS_MS; return "max";
    case 9: terms->retry.within_ms = HOURS_MS; return "within";
    case 10: terms->retry.on = 1U << RUN_FAILURE; return "on";
    case 11: terms->retry.poison_after = 1; return "poison_after";
    case 12:
        terms->retry.not_on_exit_count = 1;
        terms->retry.not_on_exit[0] = 2;
        return "not_on_exit";
    default: return NULL;
    }
}

/* What is usual is known by two of the fields: so none of the others may be there alone. */
static void nothing_goes_without_a_lease(void **state)
{
    (void)state;
    struct run_terms usual;
    run_terms_defaults(&usual);
    expect_good(&usual);
    assert_true(run_terms_are_usual(&usual));
    const char *object = NULL;
    int field = 0;
    for (;; field++) {
        struct run_terms terms = usual;
        struct run_terms with = terms_with_lease();
        const char *member = set_field(&terms, field, &object);
        if (member == NULL) break;
        expect_fault(&terms, CODE_LEASE_REQUIRED, NULL, object == NULL ? member : "retry");
        (void)set_field(&with, field, &object);
        expect_good(&with);
        assert_false(run_terms_are_usual(&with));
        if (field == 0 || field == 4) continue;
        terms.mode = LEASE_NONE;
        expect_fault(&terms, CODE_LEASE_REQUIRED, NULL, object == NULL ? member : "retry");
    }
    assert_int_equal(field, 13);
    usual.overlap_limit = 5;
    expect_fault(&usual, CODE_BAD_VALUE, NULL, "overlap_limit");
}

static void what_goes_together(void **state)
{
    (void)state;
    struct run_terms terms = terms_with_lease();
    expect_good(&terms);
    terms.workers = text_of(NULL);
    expect_fault(&terms, CODE_MISSING_FIELD, NULL, "workers");
    terms = terms_with_lease();
    terms.mode = LEASE_NONE;
    expect_fault(&terms, CODE_BAD_VALUE, NULL, "lease_mode");
    terms.lease_ms = 0;
    expect_good(&terms); /* reports of that group alone are counted */
    assert_false(run_terms_are_usual(&terms));
    terms.workers = text_of(NULL);
    expect_good(&terms);
    terms = terms_with_lease();
    terms.mode = LEASE_FIXED;
    expect_good(&terms);
    terms.start_within_ms = HOURS_MS;
    expect_fault(&terms, CODE_BAD_VALUE, NULL, "start_within");
    terms = terms_with_lease();
    terms.overlap_limit = 7;
    expect_fault(&terms, CODE_BAD_VALUE, NULL, "overlap_limit");
    terms.overlap = OVERLAP_BUFFER_ALL;
    expect_good(&terms);
    terms.overlap = OVERLAP_BUFFER_ONE;
    expect_fault(&terms, CODE_BAD_VALUE, NULL, "overlap_limit");
}

static void what_goes_together_in_retry(void **state)
{
    (void)state;
    struct run_terms terms = terms_with_lease();
    terms.retry.max_ms = terms.retry.initial_ms;
    expect_good(&terms);
    terms.retry.max_ms--;
    expect_fault(&terms, CODE_BAD_VALUE, "retry", "max");
    terms = terms_with_lease();
    terms.retry.within_ms = terms.retry.initial_ms;
    expect_good(&terms);
    terms.retry.within_ms--;
    expect_fault(&terms, CODE_BAD_VALUE, "retry", "within");
    terms = terms_with_lease();
    terms.retry.not_on_exit_count = 1;
    terms.retry.not_on_exit[0] = 2;
    expect_good(&terms);
    terms.retry.on &= ~(1U << RUN_FAILURE);
    expect_fault(&terms, CODE_BAD_VALUE, "retry", "not_on_exit");
}

static void which_outcomes_are_tried_again(void **state)
{
    (void)state;
    struct run_terms terms;
    run_terms_defaults(&terms);
    struct retry_terms *retry = &terms.retry;
    for (int i = 0; i < RUN_OUTCOME_COUNT; i++) {
        enum run_outcome outcome = (enum run_outcome)i;
        bool never = outcome == RUN_SUCCESS || outcome == RUN_CANCELLED || outcome == RUN_POISON;
        assert_int_equal(retry_is_on(retry, outcome, -1), !never);
    }
    retry->not_on_exit_count = 2;
    retry->not_on_exit[0] = 2;
    retry->not_on_exit[1] = 78;
    assert_true(retry_is_on(retry, RUN_FAILURE, -1));
    assert_true(retry_is_on(retry, RUN_FAILURE, 1));
    assert_false(retry_is_on(retry, RUN_FAILURE, 2));
    assert_false(retry_is_on(retry, RUN_FAILURE, 78));
    assert_true(retry_is_on(retry, RUN_FAILURE, 0)); /* the rest of the list is no code */
    assert_true(retry_is_on(retry, RUN_TIMEOUT, 2));
    retry->on = 1U << RUN_LOST | 1U << RUN_LOST_LEASE;
    assert_false(retry_is_on(retry, RUN_FAILURE, 1));
    assert_true(retry_is_on(retry, RUN_LOST_LEASE, -1));
}

static void a_run_begins_with_its_first_try(void **state)
{
    (void)state;
    struct run_record record;
    run_record_defaults(&record);
    assert_int_equal(record.number, 1);
    assert_int_equal(record.counted, 1);
    assert_int_equal(record.state, RUN_STATE_OPEN);
    assert_true(record.retry_at_ms == INSTANT_NONE && record.expiry_ms == INSTANT_NONE);
    assert_true(record.import.effective_ms == INCARNATION_NONE_MS);
    assert_int_equal(record.try_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found),
        cmocka_unit_test(reports_that_end_nothing),
        cmocka_unit_test(lists_of_words),
        cmocka_unit_test(nothing_goes_without_a_lease),
        cmocka_unit_test(what_goes_together),
        cmocka_unit_test(what_goes_together_in_retry),
        cmocka_unit_test(which_outcomes_are_tried_again),
        cmocka_unit_test(a_run_begins_with_its_first_try),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
