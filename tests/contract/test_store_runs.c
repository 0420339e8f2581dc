/* Open runs in a struct store: every case on each back end, and what the command line reads. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/store_redis_query.h"
#include "tests/support/store_backend.h"
#include "tests/support/store_contract.h"
#include "tests/support/store_script.h"

#define CHANGE(store, epoch, follows, part, sequence, words) \
    write_words(store, STORE_CHANGE, 1, epoch, follows, part, sequence, words)
#define REWRITE(store, epoch, part, sequence, words) \
    write_words(store, STORE_REWRITE, 1, epoch, 0, part, sequence, words)
#define EXPECT(expected, actual) assert_string_equal(actual, expected)

/* ---- on each back end ---- */

static void case_opened_changed_and_ended(struct store_fixture *f)
{
    struct snapshot snapshot;
    struct error error = {0};
    bool found = false;
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one k0=first k7=eighth s4=ids"));
    EXPECT("seq=5 g/1=one k0=first k7=eighth s4=ids", dump_store(f->b));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, NOT_LAST, "k7=claimed e0 e3"));
    assert_true(f->b->operations->read_snapshot(f->b, 3, &snapshot, &found, &error));
    assert_true(found && snapshot.run_count == 1 && snapshot.mark.runs == 1);
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 1, 6, "k0=another e0 k0=third o2"));
    EXPECT("seq=6 g/1=one k0=third k7=claimed s4=ids", dump_store(f->b));
    EXPECT("jobs 1/1 seen 1/1 groups 1/1 runs 2/2", count_store(f->a));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 6, 0, 7, "e0 e7 o0"));
    EXPECT("seq=7 g/1=one s4=ids", dump_store(f->b));
    EXPECT("jobs 1/1 seen 1/1 groups 1/1 runs 0/0", count_store(f->a));
}

static void case_rewritten_beside_the_old_ones(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "k0=old k1=old"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "k2=new k3=new"));
    EXPECT("seq=5 k0=old k1=old", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 1, NOT_LAST, "e2"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 2, 8, "k0=new o2"));
    EXPECT("seq=8 k0=new k3=new", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "k9=abandoned"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 8, 0, 9, "k1=more"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 10, "o0"));
    EXPECT("seq=10", dump_store(f->a));
}

static void case_lost_ones_are_told(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "t7 +g/1=one k0=first k1=second"));
    f->backend->lose(f->state, STORE_RUN_PUT, "1");
    EXPECT("jobs 1/1 seen 0/0 groups 1/1 runs 1/2", count_store(f->a));
    EXPECT("not_whole seq=5 ours token=0 part=0 done=7", look_at_store(f->a, 1));
    EXPECT("DAMAGED", CHANGE(f->a, 1, 5, 0, 6, ""));
    EXPECT("DAMAGED", CHANGE(f->a, 1, 5, 0, NOT_LAST, "k1=second"));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, NOT_LAST, "+g/1=one k0=first k1=second"));
    f->backend->lose(f->state, STORE_RUN_PUT, "0");
    EXPECT("DAMAGED", REWRITE(f->a, 1, 1, 6, ""));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 6, "+g/1=one k0=first k1=second o2"));
    EXPECT("DAMAGED", CHANGE(f->a, 1, 6, 0, 7, "k2=third o4"));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 6, 0, 7, "k2=third o3"));
}

static void case_rolled_back_and_emptied(struct store_fixture *f)
{
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "k0=first"));
    f->backend->save(f->state);
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "e0 k1=second"));
    f->backend->roll_back(f->state);
    EXPECT("GAP", CHANGE(f->a, 1, 6, 0, 7, "e1"));
    EXPECT("seq=5 k0=first", dump_store(f->a));
    f->backend->empty(f->state);
    EXPECT("GAP", CHANGE(f->a, 1, 5, 0, 7, "k1=second"));
    EXPECT("none", dump_store(f->a));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 7, "k1=second o1"));
    EXPECT("seq=7 k1=second", dump_store(f->a));
}

/* ---- Redis alone ---- */

static bool is_redis(const struct store_fixture *f)
{
    return strcmp(f->backend->name, "redis") == 0;
}

/* The hash as another program finds it. */
static void redis_command(struct store_fixture *f, const char *command)
{
    redisReply *reply = redisCommand(f->state->admin, command);
    assert_true(reply != NULL && reply->type != REDIS_REPLY_ERROR);
    freeReplyObject(reply);
}

struct seen_runs {
    char text[512];
    int stop_after; /* 0: never */
    int count;
};

static bool note_run(void *opaque, int32_t shard, int64_t k, struct text record,
                     struct error *error)
{
    struct seen_runs *seen = opaque;
    size_t length = strlen(seen->text);
    (void)snprintf(seen->text + length, sizeof seen->text - length, "%" PRId32 ":%" PRId64 "=%.*s ",
                   shard, k, (int)record.length, record.bytes);
    seen->count++;
    if (seen->stop_after == 0 || seen->count < seen->stop_after) return true;
    return error_set(error, ERROR_FATAL, "enough");
}

static const char *list_runs(struct store_fixture *f, int32_t first, int32_t shards, int stop_after)
{
    static struct seen_runs seen;
    struct error error = {0};
    seen = (struct seen_runs){.stop_after = stop_after};
    if (!store_redis_list_runs(f->b, first, shards, note_run, &seen, &error)) {
        size_t length = strlen(seen.text);
        (void)snprintf(seen.text + length, sizeof seen.text - length, "%s %s: %.57s",
                       error_kind_name(error.kind), error_code_word(error.code), error.message);
    }
    return seen.text;
}

static void case_listed(struct store_fixture *f)
{
    if (!is_redis(f)) return;
    EXPECT("", list_runs(f, 0, 8, 0));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one k17=open"));
    EXPECT("3:17=open ", list_runs(f, 0, 8, 0));
    EXPECT("3:17=open ", list_runs(f, 3, 1, 0));
    EXPECT("", list_runs(f, 4, 4, 0));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "k2=more"));
    EXPECT("fatal : enough", strchr(list_runs(f, 3, 1, 1), ' ') + 1);
    f->backend->lose(f->state, STORE_RUN_PUT, "17");
    EXPECT("3:2=more retry not_whole: Redis has lost a part of shard 3: it has 1 of 2 open runs",
           list_runs(f, 0, 8, 0));
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 7, "+g/1=one"));
    redis_command(f, "HSET belfry:{3}:runs seven x");
    redis_command(f, "HSET belfry:{3}:snapshot held_runs 1");
    EXPECT("invalid : Redis: shard 3: an open run named seven", list_runs(f, 0, 8, 0));
}

/* What a version wrote that knew no runs has no count of them, and none. */
static void case_snapshot_without_a_count(struct store_fixture *f)
{
    if (!is_redis(f)) return;
    EXPECT("WRITTEN", REWRITE(f->a, 1, 0, 5, "+g/1=one"));
    redis_command(f, "HDEL belfry:{3}:snapshot held_runs");
    EXPECT("jobs 1/1 seen 0/0 groups 1/1 runs 0/0", count_store(f->a));
    EXPECT("WRITTEN", CHANGE(f->a, 1, 5, 0, 6, "k0=first"));
    EXPECT("jobs 1/1 seen 0/0 groups 1/1 runs 1/1", count_store(f->a));
    redis_command(f, "HDEL belfry:{3}:snapshot held_runs");
    EXPECT("DAMAGED", CHANGE(f->a, 1, 6, 0, 7, "k1=second"));
}

static const struct store_case cases[] = {
    {"opened, changed and ended", case_opened_changed_and_ended},
    {"rewritten beside the old ones", case_rewritten_beside_the_old_ones},
    {"lost ones are told", case_lost_ones_are_told},
    {"rolled back and emptied", case_rolled_back_and_emptied},
    {"listed", case_listed},
    {"a snapshot without a count", case_snapshot_without_a_count},
};

int main(void)
{
    return run_store_cases("open runs in the store", cases, sizeof cases / sizeof cases[0]);
}
