/* The contract of struct store, held by both back ends: every case runs on each. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/limits.h"
#include "tests/support/store_backend.h"
#include "tests/support/store_contract.h"
#include "tests/support/store_script.h"

#define CHANGE(store, epoch, follows, part, sequence, words) \
    write_words(store, STORE_CHANGE, 1, epoch, follows, part, sequence, words)
#define REWRITE(store, epoch, part, sequence, words) \
    write_words(store, STORE_REWRITE, 1, epoch, 0, part, sequence, words)
#define EXPECT(expected, actual) assert_string_equal(actual, expected)

static void case_write_and_read(struct store_fixture *f)
{
    EXPECT("none", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one +g/2=two s4=ids"));
    EXPECT("seq=5 g/1=one g/2=two s4=ids", dump_store(f->b));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 7, "+g/1=uno -g/2 +h/3=tre s6=more x4"));
    EXPECT("seq=7 g/1=uno h/3=tre s6=more", dump_store(f->b));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 7, 0, 8, ""));
    EXPECT("seq=8 g/1=uno h/3=tre s6=more", dump_store(f->b));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 8, 0, 9, "-g/1 -h/3 -h/unknown x6"));
    EXPECT("seq=9", dump_store(f->b));
}

static void check_last(const struct last_read *got, const struct last_read *expected)
{
    assert_int_equal(got->known, expected->known);
    assert_true(got->offset == expected->offset && got->hash == expected->hash);
    assert_true(got->log_time_ms == expected->log_time_ms);
}

static void case_snapshot_keeps_every_field(struct store_fixture *f)
{
    struct snapshot expected = snapshot_at(1, 2, INT64_C(1) << 52), got;
    struct error error = {0};
    bool found = false;
    EXPECT("WRITTEN", write_words(f->a, STORE_REWRITE, 1, 2, 0, 0, INT64_C(1) << 52,
                                  "+g/1=one +g/2=two s3=ids"));
    memset(&got, 0xff, sizeof got);
    assert_true(f->b->operations->read_snapshot(f->b, 3, &got, &found, &error));
    assert_true(found);
    assert_memory_equal(&got.mark.watermark, &expected.mark.watermark, sizeof got.mark.watermark);
    assert_int_equal(got.mark.generation, 1);
    assert_int_equal(got.mark.epoch, 2);
    assert_true(got.mark.sequence == expected.mark.sequence);
    assert_int_equal(got.mark.next_ordinal, expected.mark.next_ordinal);
    for (int i = 0; i < INPUT_COUNT; i++)
        assert_int_equal(got.mark.inputs[i].offset, expected.mark.inputs[i].offset);
    assert_int_equal(got.mark.inputs[INPUT_RUNS].offset, -1);
    assert_int_equal(got.mark.runs_again, 32);
    assert_true(got.mark.next_run == INT64_C(1) << 33);
    assert_true(got.mark.in_command.active);
    assert_int_equal(got.mark.in_command.input, INPUT_FORWARD);
    assert_int_equal(got.mark.in_command.offset, 24);
    assert_int_equal(got.mark.in_command.ordinal, 25);
    assert_int_equal(got.mark.in_command.matched, 26);
    assert_int_equal(got.mark.in_command.changed, 27);
    assert_int_equal(got.mark.in_command.effective_ms, 28);
    assert_int_equal(got.mark.in_command.errors, 30);
    assert_true(got.mark.in_command.rejected);
    assert_string_equal(error_code_word(got.mark.in_command.code), "exists");
    assert_int_equal(got.mark.shards, expected.mark.shards);
    assert_int_equal(got.mark.layout, STATE_LAYOUT);
    assert_string_equal(got.mark.owner, expected.mark.owner);
    assert_string_equal(got.mark.tz_version, "2026b");
    assert_int_equal(got.mark.tz_changed_ms, 31);
    assert_true(got.state_offset == expected.state_offset);
    assert_int_equal(got.written_at_ms, -1);
    assert_int_equal(got.job_count, 2); /* which the store counts itself */
    assert_int_equal(got.seen_count, 1);
    assert_int_equal(got.mark.jobs, 2);
    for (int i = 0; i < INPUT_COUNT; i++)
        check_last(&got.mark.inputs[i].last, &expected.mark.inputs[i].last);
}

static void case_gap_changes_nothing(struct store_fixture *f)
{
    EXPECT("GAP", CHANGE(f->a, 1, 0, 0, 1, "+g/1=x"));
    EXPECT("none", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("GAP", CHANGE(f->a, 1, 4, 0, 6, "+g/1=x"));
    EXPECT("GAP", CHANGE(f->a, 1, 6, 0, 7, "+g/1=x"));
    EXPECT("GAP", CHANGE(f->a, 1, 5, 1, 7, "+g/1=x"));
    EXPECT("seq=5 g/1=one", dump_store(f->a));
}

static void case_stale_changes_nothing(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 4, 0, 5, "+g/1=one"));
    EXPECT("STALE", CHANGE(f->b, 3, 5, 0, 6, "+g/1=x"));
    EXPECT("STALE", REWRITE(f->b, 3, 0, 6, "+g/1=x"));
    EXPECT("seq=5 g/1=one", dump_store(f->a));
    EXPECT("WRITTEN", CHANGE(f->b, 5, 5, 0, 6, "+g/1=new"));
    EXPECT("WRITTEN", write_words(f->a, STORE_CHANGE, 2, 1, 6, 0, 7, "+g/1=generation"));
    EXPECT("STALE", CHANGE(f->b, 9, 7, 0, 8, "+g/1=x"));
    EXPECT("seq=7 g/1=generation", dump_store(f->a));
}

static void case_parts(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/2=two"));
    EXPECT("GAP", CHANGE(f->a, 1, 5, 2, 6, "+g/4=x"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 1, NOT_LAST, "+g/3=three"));
    EXPECT("GAP", CHANGE(f->a, 1, 5, 1, NOT_LAST, "+g/3=x"));
    EXPECT("seq=5 g/1=one g/2=two g/3=three", dump_store(f->a));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 2, 6, "-g/1"));
    EXPECT("seq=6 g/2=two g/3=three", dump_store(f->a));
    EXPECT("GAP", CHANGE(f->a, 1, 6, 3, 7, "+g/4=x"));
}

static void case_rewrite_replaces_all(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one@s +g/2=two@t s4=ids"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+h/1=a@s +h/2=b"));
    EXPECT("seq=5 g/1=one g/2=two s4=ids", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 1, NOT_LAST, "+h/1=aa@u -h/2 s9=z"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 2, 8, "+h/3=c"));
    EXPECT("seq=8 h/1=aa h/3=c s9=z", dump_store(f->a));
    EXPECT("", list_store(f->backend->list, f->a, "g", ""));
    EXPECT("", list_store(f->backend->list, f->a, "", "s t"));
    EXPECT("h/1", list_store(f->backend->list, f->a, "", "u"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 8, 0, 9, "-h/1"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 10, ""));
    EXPECT("seq=10", dump_store(f->a));
}

/* The store counts what it holds with each part, so that what it loses can be told. */
static void case_counts(struct store_fixture *f)
{
    EXPECT("none", count_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+g/1=one +g/2=two@s s4=ids"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 1, 5, "+g/3=three +g/1=uno j3 r1"));
    EXPECT("jobs 3/3 seen 1/1 groups 3/3 runs 0/0", count_store(f->a));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/4=four -g/1 -g/8 s5=x x9"));
    EXPECT("jobs 3/3 seen 2/2 groups 3/3 runs 0/0", count_store(f->a));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "-g/2 -g/3 -g/4 x4 x5 j0 r0"));
    EXPECT("jobs 0/0 seen 0/0 groups 0/0 runs 0/0", count_store(f->a));
}

/* Counting anew must not cover up a loss: only a rewrite mends it. */
static void case_lost_jobs_and_records(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one +g/2=two s4=ids"));
    f->backend->lose(f->state, STORE_JOB_PUT, "g/2");
    EXPECT("DAMAGED", CHANGE(f->a, 1, 5, 0, 6, ""));
    EXPECT("DAMAGED", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/2=two"));
    assert_memory_equal(count_store(f->a), "jobs 1/2 seen 1/1", 17);
    EXPECT("seq=5 g/1=one s4=ids", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 6, "+g/1=one +g/2=two s4=ids j2 r1"));
    f->backend->lose(f->state, STORE_SEEN_PUT, "4");
    EXPECT("DAMAGED", CHANGE(f->a, 1, 6, 0, 7, "s5=more"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 7, "+g/1=one +g/2=two s4=ids s5=more"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 7, 0, NOT_LAST, "+g/3=three"));
    f->backend->lose(f->state, STORE_JOB_PUT, "g/3");
    EXPECT("DAMAGED", CHANGE(f->a, 1, 7, 1, 8, ""));
    EXPECT("GAP", CHANGE(f->a, 1, 6, 0, 8, "")); /* what it follows is asked first */
}

static void case_lost_within_a_rewrite(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+g/1=one +g/2=two s4=ids"));
    f->backend->lose(f->state, STORE_JOB_PUT, "g/1");
    EXPECT("DAMAGED", REWRITE(f->a, 1, 1, NOT_LAST, "+g/3=three"));
    EXPECT("DAMAGED", REWRITE(f->a, 1, 1, 5, "+g/3=three"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+g/1=one +g/2=two s4=ids"));
    f->backend->lose(f->state, STORE_SEEN_PUT, "4");
    EXPECT("DAMAGED", REWRITE(f->a, 1, 1, 5, "+g/3=three"));
    EXPECT("none", count_store(f->a));
}

/* The writer says what must be there: another number is not called the shard's. */
static void case_other_numbers(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("DAMAGED", CHANGE(f->a, 1, 5, 0, 6, "+g/2=two j3"));
    EXPECT("DAMAGED", CHANGE(f->a, 1, 5, 0, 6, "+g/2=two s4=ids j2 r2"));
    EXPECT("seq=5 g/1=one g/2=two s4=ids", dump_store(f->a));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "+g/2=two s4=ids j2 r1"));
    EXPECT("DAMAGED", REWRITE(f->a, 1, 0, 7, "+g/1=one j2"));
    EXPECT("seq=6 g/1=one g/2=two s4=ids", dump_store(f->a));
}

static void case_rolled_back_between_parts(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    f->backend->save(f->state);
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/2=two"));
    f->backend->roll_back(f->state);
    EXPECT("GAP", CHANGE(f->a, 1, 5, 1, 6, "+g/3=three"));
    EXPECT("seq=5 g/1=one", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+g/1=one"));
    f->backend->save(f->state);
    EXPECT("WRITTEN", REWRITE(f->a, 1, 1, NOT_LAST, "+g/2=two"));
    f->backend->roll_back(f->state);
    EXPECT("GAP", REWRITE(f->a, 1, 2, 6, "+g/3=three"));
    EXPECT("seq=5 g/1=one", dump_store(f->a));
}

/* Rolled back into an abandoned group with as many parts as the one under way. */
static void case_rolled_back_into_another_group(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/1=old"));
    f->backend->save(f->state);
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/1=new"));
    f->backend->roll_back(f->state);
    EXPECT("GAP", CHANGE(f->a, 1, 5, 1, 6, "+g/2=two"));
}

static void case_rolled_back_between_groups(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    f->backend->save(f->state);
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "+g/2=two"));
    f->backend->roll_back(f->state);
    EXPECT("GAP", CHANGE(f->a, 1, 6, 0, 7, "+g/3=three"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 7, "+g/1=one +g/2=two +g/3=three"));
    EXPECT("seq=7 g/1=one g/2=two g/3=three", dump_store(f->a));
}

static void case_emptied_in_the_middle(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/2=two"));
    f->backend->empty(f->state);
    EXPECT("GAP", CHANGE(f->a, 1, 5, 1, 6, "+g/3=three"));
    EXPECT("none", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+g/1=one"));
    f->backend->empty(f->state);
    EXPECT("GAP", REWRITE(f->a, 1, 1, 6, "+g/2=two"));
    EXPECT("none", dump_store(f->a));
}

static void case_abandoned_rewrite(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+g/8=left@over s8=left"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "+g/2=two"));
    EXPECT("GAP", REWRITE(f->a, 1, 1, 7, "+g/9=x"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+g/8=left@over s8=left"));
    EXPECT("WRITTEN", REWRITE(f->b, 2, 0, NOT_LAST, "+g/1=one"));
    EXPECT("STALE", REWRITE(f->a, 1, 1, 9, "+g/9=x"));
    EXPECT("WRITTEN", REWRITE(f->b, 2, 1, 7, "+g/2=two"));
    EXPECT("seq=7 g/1=one g/2=two", dump_store(f->a));
    EXPECT("g/1 g/2", list_store(f->backend->list, f->a, "g", ""));
    EXPECT("", list_store(f->backend->list, f->a, "", "over"));
}

static void case_taken_over_in_the_middle(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/1=old +g/2=old"));
    EXPECT("WRITTEN", CHANGE(f->b, 2, 5, 0, NOT_LAST, "+g/1=new"));
    EXPECT("STALE", CHANGE(f->a, 1, 5, 1, 6, "+g/3=old"));
    EXPECT("STALE", CHANGE(f->a, 1, 5, 0, 6, "+g/3=old"));
    EXPECT("WRITTEN", CHANGE(f->b, 2, 5, 1, 8, "+g/2=new"));
    EXPECT("seq=8 g/1=new g/2=new", dump_store(f->a));
}

/* A time-out leaves open whether the write was applied; the same owner goes on either way. */
static void case_retry_after_unknown_outcome(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/2=two")); /* answer lost */
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/2=newer"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 1, 7, "+g/3=three")); /* answer lost */
    EXPECT("GAP", CHANGE(f->a, 1, 5, 0, 8, "+g/2=newest"));
    EXPECT("seq=7 g/1=one g/2=newer g/3=three", dump_store(f->a)); /* it got there */
    EXPECT("WRITTEN", CHANGE(f->a, 1, 7, 0, 8, "+g/2=newest"));
    EXPECT("seq=8 g/1=one g/2=newest g/3=three", dump_store(f->a));
}

/* Parts that lay on a dead connection arrive after the group that replaced theirs began. */
static void case_delayed_parts(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/1=old"));
    EXPECT("WRITTEN", CHANGE(f->b, 1, 5, 0, NOT_LAST, "+g/1=new"));
    EXPECT("GAP", CHANGE(f->a, 1, 5, 1, 6, "+g/2=old"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "+g/1=old"));
    EXPECT("GAP", CHANGE(f->b, 1, 5, 1, 7, "+g/2=new"));
    EXPECT("WRITTEN", REWRITE(f->b, 1, 0, 7, "+g/1=new +g/2=new"));
    EXPECT("GAP", REWRITE(f->a, 1, 0, 6, "+g/1=old"));
    EXPECT("GAP", CHANGE(f->a, 1, 5, 0, 6, "+g/1=old"));
    EXPECT("seq=7 g/1=new g/2=new", dump_store(f->a));
}

/* After an unknown outcome the store says what became of the group; it goes on under a new token,
 * and what was still on its way under the old one is refused. */
static void case_looked_at_and_gone_on(struct store_fixture *f)
{
    EXPECT("whole seq=-1 token=0 part=0 done=0", look_at_store(f->a, 1));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "t5 +g/1=one"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 1, NOT_LAST, "t5 +g/2=old s4=ids")); /* answer lost */
    EXPECT("whole seq=-1 token=5 part=2 done=0", look_at_store(f->a, 1));
    EXPECT("whole seq=-1 token=0 part=0 done=0", look_at_store(f->b, 1)); /* of another store */
    EXPECT("whole seq=-1 token=0 part=0 done=0", look_at_store(f->a, 2)); /* and owner */
    EXPECT("GAP", REWRITE(f->a, 1, 1, NOT_LAST, "t6<5 +g/2=new"));
    EXPECT("GAP", REWRITE(f->a, 1, 2, NOT_LAST, "t7<6 +g/2=new"));
    EXPECT("GAP", REWRITE(f->b, 1, 2, NOT_LAST, "t7<5 +g/2=new"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 2, NOT_LAST, "t7<5 +g/2=new"));
    EXPECT("GAP", REWRITE(f->a, 1, 3, NOT_LAST, "t5 +g/2=old")); /* it lay on a dead connection */
    EXPECT("whole seq=-1 token=7 part=3 done=0", look_at_store(f->a, 1));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 3, 9, "t7 +g/3=three j3 r1"));
    EXPECT("whole seq=9 ours token=0 part=0 done=7", look_at_store(f->a, 1));
    EXPECT("seq=9 g/1=one g/2=new g/3=three s4=ids", dump_store(f->b));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 9, 0, NOT_LAST, "t8 +g/4=four"));
    EXPECT("whole seq=9 ours token=8 part=1 done=7", look_at_store(f->a, 1));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 9, 1, 10, "t9<8 +g/5=five"));
    EXPECT("whole seq=10 ours token=0 part=0 done=9", look_at_store(f->a, 1));
    EXPECT("whole seq=10 token=0 part=0 done=0", look_at_store(f->a, 2)); /* an epoch before */
    f->backend->lose(f->state, STORE_JOB_PUT, "g/4");
    EXPECT("not_whole seq=10 ours token=0 part=0 done=9", look_at_store(f->a, 1));
    EXPECT("WRITTEN", REWRITE(f->a, 2, 0, NOT_LAST, "t1 +g/1=one"));
    EXPECT("not_whole seq=10 token=1 part=1 done=0", look_at_store(f->a, 2)); /* 9 was not its */
}

/* A group that was given up and comes late has changed jobs also where its numbers are wrong by
 * then: whoever looks is told of it. */
static void case_late_and_not_adding_up(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "t1 +g/1=one"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "t3 +g/1=new +g/2=new +g/3=new"));
    EXPECT("DAMAGED", CHANGE(f->a, 1, 5, 0, 6, "t2 +g/1=old +g/2=old j2"));
    EXPECT("whole seq=5 ours token=2 part=1 done=1", look_at_store(f->a, 1));
    EXPECT("GAP", CHANGE(f->a, 1, 5, 1, 7, "t3 +g/4=new j4"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 7, "t4 +g/1=new +g/2=new +g/4=new j4"));
    EXPECT("seq=7 g/1=new g/2=new g/3=new g/4=new", dump_store(f->a));
}

static void case_two_stores_alternate(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 0, "+g/1=0"));
    for (int64_t sequence = 1; sequence <= 20; sequence++) {
        char words[64], expected[64];
        struct store *store = sequence % 2 == 0 ? f->a : f->b;
        (void)snprintf(words, sizeof words, "+g/1=%" PRId64, sequence);
        (void)snprintf(expected, sizeof expected, "seq=%" PRId64 " g/1=%" PRId64, sequence,
                       sequence);
        EXPECT("WRITTEN", CHANGE(store, 1, sequence - 1, 0, sequence, words));
        EXPECT(expected, dump_store(f->a));
    }
}

static void case_items_apply_in_order(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one@s +g/2=two@s"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "-g/1 +g/1=again@t +g/2=x@u +g/2=y@v -g/2 +g/3=z "
                                               "-g/3 s1=a s1=b x1 s2=c +g/4=p@s +g/4=q@t"));
    EXPECT("seq=6 g/1=again g/4=q s2=c", dump_store(f->a));
    EXPECT("g/1 g/4", list_store(f->backend->list, f->a, "", "t"));
    EXPECT("", list_store(f->backend->list, f->a, "", "s u v"));
    EXPECT("g/1 g/4", list_store(f->backend->list, f->a, "g", ""));
}

static void case_indexes(struct store_fixture *f)
{
    list_function *list = f->backend->list;
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+a/1=x@s +a/2=x@t +a/3=x +a.b/1=x@s +a0/1=x "
                                             "+A/1/2=x@t +a/1/2=x@s-1"));
    EXPECT("a/1 a/1/2 a/2 a/3", list_store(list, f->a, "a", ""));
    EXPECT("a.b/1 a/1", list_store(list, f->a, "", "s"));
    EXPECT("A/1/2 a.b/1 a/1 a/2", list_store(list, f->a, "", "s t s"));
    EXPECT("a/1 a/2", list_store(list, f->a, "a a0 a", "s t"));
    EXPECT("", list_store(list, f->a, "b", ""));
    EXPECT("", list_store(list, f->a, "a0", "s"));
    EXPECT("A/1/2 a.b/1 a/1 a/1/2 a/2 a/3 a0/1", list_store(list, f->a, "", ""));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "+a/1=x@t +a/2=x +a/3=x@s -a.b/1"));
    EXPECT("a/3", list_store(list, f->a, "", "s"));
    EXPECT("A/1/2 a/1", list_store(list, f->a, "", "t"));
    EXPECT("a/1 a/1/2 a/2 a/3", list_store(list, f->a, "a", ""));
}

static void case_shards_are_apart(struct store_fixture *f)
{
    struct error error = {0};
    bool found = true;
    struct snapshot snapshot;
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    assert_true(f->a->operations->read_snapshot(f->a, SHARDS_MAX - 1, &snapshot, &found, &error));
    assert_false(found);
    assert_true(f->a->operations->read_snapshot(f->a, 0, &snapshot, &found, &error));
    assert_false(found);
}

static void case_meta_is_claimed_once(struct store_fixture *f)
{
    const struct store_meta first = {STATE_LAYOUT, 16, "cluster-A"};
    const struct store_meta second = {STATE_LAYOUT, 8, "cluster-B"};
    struct store_meta found;
    struct error error = {0};
    assert_true(f->a->operations->claim_meta(f->a, &first, &found, &error));
    assert_int_equal(found.shards, 16);
    assert_true(f->b->operations->claim_meta(f->b, &second, &found, &error));
    assert_int_equal(found.layout, STATE_LAYOUT);
    assert_int_equal(found.shards, 16);
    assert_string_equal(found.kafka_cluster_id, "cluster-A");
    f->backend->empty(f->state);
    assert_true(f->b->operations->claim_meta(f->b, &second, &found, &error));
    assert_string_equal(found.kafka_cluster_id, "cluster-B");
}

static const struct store_case cases[] = {
    {"what is written is read", case_write_and_read},
    {"the snapshot keeps every field", case_snapshot_keeps_every_field},
    {"a gap changes nothing", case_gap_changes_nothing},
    {"a stale owner changes nothing", case_stale_changes_nothing},
    {"parts come in order and the last moves the snapshot", case_parts},
    {"a rewrite replaces all with its last part", case_rewrite_replaces_all},
    {"what it holds is counted", case_counts},
    {"lost jobs and records", case_lost_jobs_and_records},
    {"lost within a rewrite", case_lost_within_a_rewrite},
    {"another number than the writer's", case_other_numbers},
    {"rolled back between two parts", case_rolled_back_between_parts},
    {"rolled back into an abandoned group", case_rolled_back_into_another_group},
    {"rolled back between two groups", case_rolled_back_between_groups},
    {"emptied in the middle", case_emptied_in_the_middle},
    {"an abandoned rewrite leaves nothing", case_abandoned_rewrite},
    {"taken over in the middle of a group", case_taken_over_in_the_middle},
    {"retry after an unknown outcome", case_retry_after_unknown_outcome},
    {"delayed parts of a replaced group", case_delayed_parts},
    {"looked at, and gone on", case_looked_at_and_gone_on},
    {"late, and its numbers are wrong", case_late_and_not_adding_up},
    {"two stores write in turn", case_two_stores_alternate},
    {"items apply in their order", case_items_apply_in_order},
    {"indexes by group and super group", case_indexes},
    {"shards are apart", case_shards_are_apart},
    {"the meta record is claimed once", case_meta_is_claimed_once},
};

int main(void)
{
    return run_store_cases("store contract", cases, sizeof cases / sizeof cases[0]);
}
