/* What a loop is at, and when it is late: by a clock in which a stopped process has not lived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/daemon/health_rules.h"
#include "dispatcher/daemon/watch_ports.h"

enum { SHARDS = 3, REDIS_LIMIT_MS = 2000, TICK_US = 100 * 1000, LINES_BYTES = 4096 };

struct rig {
    int64_t now_us;
    struct clock clock;
    struct health_view view;
    char text[LINES_BYTES];
};

static int64_t monotonic_us(void *opaque)
{
    return ((struct rig *)opaque)->now_us;
}

static int make_rig(void **state)
{
    static struct rig rig;
    rig = (struct rig){.now_us = 1000000, .clock = {.opaque = &rig, .monotonic_us = monotonic_us}};
    rig.view = (struct health_view){loop_watch_create(SHARDS, REDIS_LIMIT_MS),
                                    shard_board_create(SHARDS), &rig.clock};
    loop_watch_tick(rig.view.watch, rig.now_us);
    *state = &rig;
    return 0;
}

static int drop_rig(void **state)
{
    struct rig *rig = *state;
    loop_watch_destroy(rig->view.watch);
    shard_board_destroy(rig->view.board);
    return 0;
}

/* The watchman looks all the while. */
static void pass_s(struct rig *rig, int64_t seconds)
{
    for (int64_t end_us = rig->now_us + seconds * 1000000; rig->now_us < end_us;) {
        rig->now_us += TICK_US;
        loop_watch_tick(rig->view.watch, rig->now_us);
    }
}

typedef bool rule(const struct health_view *view, bool all, struct text_writer *lines);

static bool asked(struct rig *rig, rule *is_well, bool all)
{
    struct text_writer lines;
    text_writer_init(&lines);
    bool well = is_well(&rig->view, all, &lines);
    (void)snprintf(rig->text, sizeof rig->text, "%s", text_writer_terminated(&lines));
    text_writer_free(&lines);
    return well;
}

static void check_a_call_within_its_bound_is_well(void **state)
{
    struct rig *rig = *state;
    struct loop *loop = loop_watch_shard(rig->view.watch, 1);
    assert_true(asked(rig, health_is_live, false));
    assert_string_equal(rig->text, "");
    loop_enter(loop, LOOP_COMMIT);
    pass_s(rig, 30); /* a commit that comes to an end takes no longer */
    assert_true(asked(rig, health_is_live, true));
    assert_non_null(strstr(rig->text, "ok shard 1: a commit or an abort for 30000 ms, 60000 are"));
    assert_null(strstr(rig->text, "shard 2"));
    loop_enter(loop, LOOP_STEP);
    pass_s(rig, 59);
    assert_true(asked(rig, health_is_live, false));
}

static void check_a_call_beyond_its_bound_is_not(void **state)
{
    struct rig *rig = *state;
    struct loop *loop = loop_watch_shard(rig->view.watch, 2);
    loop_enter(loop, LOOP_QUESTION);
    pass_s(rig, 21);
    assert_false(asked(rig, health_is_live, false));
    assert_string_equal(rig->text,
                        "bad shard 2: a question to Kafka for 21000 ms, 20000 are its bound\n");
    loop_enter(loop, LOOP_STEP);
    assert_true(asked(rig, health_is_live, false));
}

/* However long it was stopped: nothing was late while it could not move. */
static void check_a_stopped_process_has_not_lived(void **state)
{
    struct rig *rig = *state;
    loop_enter(loop_watch_daemon(rig->view.watch), LOOP_TURN);
    rig->now_us += INT64_C(600) * 1000000;
    loop_watch_tick(rig->view.watch, rig->now_us);
    assert_true(asked(rig, health_is_live, false));
    pass_s(rig, 80); /* now it can */
    assert_false(asked(rig, health_is_live, false));
    assert_non_null(strstr(rig->text, "bad daemon: its own work for 81000 ms, 76000"));
}

static void check_who_waits_for_work_is_not_late(void **state)
{
    struct rig *rig = *state;
    struct loop *loop = loop_watch_writer(rig->view.watch);
    loop_enter(loop, LOOP_STORE);
    loop_rest(loop);
    pass_s(rig, 100000);
    assert_true(asked(rig, health_is_live, true));
    assert_non_null(strstr(rig->text, "ok redis writer: waits for work\n"));
}

/* A longer time limit of Redis makes longer calls. */
static void check_the_bound_of_a_call_of_redis_follows_its_limit(void **state)
{
    struct rig *rig = *state;
    loop_enter(loop_watch_writer(rig->view.watch), LOOP_STORE);
    pass_s(rig, 35);
    assert_true(asked(rig, health_is_live, false));
    pass_s(rig, 2);
    assert_false(asked(rig, health_is_live, false));
    assert_non_null(strstr(rig->text, "36000 are its bound"));
}

static void check_a_watchman_who_sleeps_is_seen(void **state)
{
    struct rig *rig = *state;
    rig->now_us += INT64_C(10001) * 1000;
    assert_false(asked(rig, health_is_live, false));
    assert_string_equal(rig->text, "bad watchman: looked 10001 ms ago, 10000 are its bound\n");
}

static void check_who_waits_for_its_group_is_not_ready(void **state)
{
    struct rig *rig = *state;
    struct board_state board = {.owner = "o"};
    assert_false(asked(rig, health_is_ready, false));
    assert_string_equal(rig->text, "bad group: waits for Kafka and its group\n");
    board.ready = true;
    shard_board_publish(rig->view.board, &board, NULL);
    assert_true(asked(rig, health_is_ready, false));
    board.aside = true;
    shard_board_publish(rig->view.board, &board, NULL);
    assert_false(asked(rig, health_is_ready, false));
    assert_non_null(strstr(rig->text, "was left for a while"));
    board.ending = true;
    shard_board_publish(rig->view.board, &board, NULL);
    assert_false(asked(rig, health_is_ready, true));
    assert_string_equal(rig->text, "bad group: the daemon ends\n");
}

/* ---- the ports stamp what their thread is at ---- */

struct seen_broker {
    struct broker broker; /* first */
    struct loop *loop;
    char seen[64];
};

static void note(struct broker *broker)
{
    struct seen_broker *seen = (struct seen_broker *)broker;
    (void)snprintf(seen->seen, sizeof seen->seen, "%s", loop_late(seen->loop).call);
}

static bool seen_commit(struct broker *broker, struct broker_receipt *receipt, struct error *error)
{
    (void)receipt;
    (void)error;
    note(broker);
    return false;
}

static bool seen_open(struct broker *broker, struct error *error)
{
    (void)error;
    note(broker);
    return true;
}

static void seen_destroy(struct broker *broker)
{
    (void)broker;
}

static void check_a_port_says_which_call_its_thread_is_in(void **state)
{
    struct rig *rig = *state;
    static const struct broker_operations operations = {
        .commit = seen_commit, .open_producer = seen_open, .destroy = seen_destroy};
    struct loop *loop = loop_watch_shard(rig->view.watch, 0);
    struct fault no_fault = {0};
    struct seen_broker inner = {.broker = {&operations}, .loop = loop};
    struct broker *broker = watch_broker_create(&inner.broker, loop, &no_fault);
    /* Whatever the port has can be asked through the watch: pointers, and nothing else. */
    for (size_t at = 0; at < sizeof *broker->operations; at += sizeof(void *))
        assert_non_null(*(void *const *)(const void *)((const char *)broker->operations + at));
    assert_false(broker->operations->commit(broker, NULL, NULL));
    assert_string_equal(inner.seen, "a commit or an abort");
    assert_string_equal(loop_late(loop).call, "the rules of a shard");
    assert_true(broker->operations->open_producer(broker, NULL));
    assert_string_equal(inner.seen, "opening or closing a producer");
    assert_string_equal(loop_late(loop).call, "the rules of a shard");
    broker->operations->destroy(broker);
}

/* What a loop is at, one word after the other. */
struct calls {
    struct loop *loop;
    char text[200];
};

static void note_call(struct calls *seen)
{
    const char *call = loop_late(seen->loop).call;
    size_t length = strlen(seen->text);
    (void)snprintf(seen->text + length, sizeof seen->text - length, "%s, ",
                   call == NULL ? "nothing" : call);
}

struct seen_checkpoint {
    struct checkpoint_port port; /* first */
    struct calls *seen;
};

static bool seen_snapshot(struct checkpoint_port *port, struct snapshot *snapshot, bool *found,
                          struct error *error)
{
    (void)snapshot;
    (void)found;
    (void)error;
    note_call(((struct seen_checkpoint *)port)->seen);
    return true;
}

static bool seen_items(struct checkpoint_port *port, store_item_visitor *visitor, void *opaque,
                       struct error *error)
{
    note_call(((struct seen_checkpoint *)port)->seen);
    bool done = visitor(opaque, NULL, error);
    note_call(((struct seen_checkpoint *)port)->seen);
    return done;
}

static bool visit(void *opaque, const struct store_item *item, struct error *error)
{
    (void)item;
    (void)error;
    note_call(opaque);
    return true;
}

static void check_reading_a_checkpoint_is_a_call_and_what_is_read_is_not(void **state)
{
    struct rig *rig = *state;
    static const struct checkpoint_operations operations = {.read_snapshot = seen_snapshot,
                                                            .read_items = seen_items};
    struct calls seen = {.loop = loop_watch_shard(rig->view.watch, 0)};
    struct fault no_fault = {0};
    struct seen_checkpoint inner = {{&operations}, &seen};
    struct checkpoint_port *port = watch_checkpoint_create(&inner.port, seen.loop, &no_fault);
    assert_true(port->operations->read_snapshot(port, NULL, NULL, NULL));
    note_call(&seen);
    assert_string_equal(seen.text, "a call of Redis, the rules of a shard, ");
    seen.text[0] = '\0';
    assert_true(port->operations->read_items(port, visit, &seen, NULL));
    note_call(&seen);
    assert_string_equal(seen.text, "a call of Redis, the rules of a shard, a call of Redis, "
                                   "the rules of a shard, ");
    watch_checkpoint_destroy(port);
}

struct seen_store {
    struct store store; /* first */
    struct calls *seen;
};

static bool seen_write(struct store *store, const struct store_write *writes, size_t count,
                       size_t *written, enum store_outcome *outcome, struct error *error)
{
    (void)writes;
    (void)count;
    (void)written;
    (void)outcome;
    (void)error;
    note_call(((struct seen_store *)store)->seen);
    return true;
}

static bool seen_look(struct store *store, int32_t shard, int64_t generation, int64_t epoch,
                      struct store_position *found, struct error *error)
{
    (void)shard;
    (void)generation;
    (void)epoch;
    (void)found;
    (void)error;
    note_call(((struct seen_store *)store)->seen);
    return true;
}

static void forget_store(struct store *store)
{
    (void)store;
}

static void check_the_writer_of_redis_rests_between_two_calls(void **state)
{
    struct rig *rig = *state;
    static const struct store_operations operations = {
        .write_parts = seen_write, .look = seen_look, .destroy = forget_store};
    struct calls seen = {.loop = loop_watch_writer(rig->view.watch)};
    struct seen_store inner = {{&operations}, &seen};
    struct store *store = watch_store_create(&inner.store, seen.loop);
    assert_true(store->operations->write_parts(store, NULL, 0, NULL, NULL, NULL));
    note_call(&seen);
    assert_true(store->operations->look(store, 0, 0, 0, NULL, NULL));
    note_call(&seen);
    assert_string_equal(seen.text, "a call of Redis, nothing, a call of Redis, nothing, ");
    store->operations->destroy(store);
}

#define IN_A_RIG(check) cmocka_unit_test_setup_teardown(check, make_rig, drop_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_RIG(check_a_call_within_its_bound_is_well),
        IN_A_RIG(check_a_call_beyond_its_bound_is_not),
        IN_A_RIG(check_a_stopped_process_has_not_lived),
        IN_A_RIG(check_who_waits_for_work_is_not_late),
        IN_A_RIG(check_the_bound_of_a_call_of_redis_follows_its_limit),
        IN_A_RIG(check_a_watchman_who_sleeps_is_seen),
        IN_A_RIG(check_who_waits_for_its_group_is_not_ready),
        IN_A_RIG(check_a_port_says_which_call_its_thread_is_in),
        IN_A_RIG(check_reading_a_checkpoint_is_a_call_and_what_is_read_is_not),
        IN_A_RIG(check_the_writer_of_redis_rests_between_two_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
