/* The checkpointer's last words at a shutdown keep to the time they were given. */
#include "dispatcher/engine/checkpointer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A store that never answers, and a clock that goes on with each look: encoding takes time. */
struct slow_store {
    struct checkpoint_port port; /* first: the port's pointer is ours */
    int64_t now_us;
    int submitted;
    int64_t limit_least_ms;
};

static void submit(struct checkpoint_port *port, struct store_group *group)
{
    ((struct slow_store *)port)->submitted++;
    store_group_destroy(group);
}

static enum checkpoint_state poll_outcome(struct checkpoint_port *port, int32_t *next_part,
                                          struct error *error)
{
    (void)next_part;
    (void)error;
    return ((struct slow_store *)port)->submitted == 0 ? CHECKPOINT_IDLE : CHECKPOINT_BUSY;
}

static enum checkpoint_state wait_outcome(struct checkpoint_port *port, int64_t limit_ms,
                                          int32_t *next_part, struct error *error)
{
    struct slow_store *store = (struct slow_store *)port;
    (void)next_part;
    (void)error;
    if (limit_ms < store->limit_least_ms) store->limit_least_ms = limit_ms;
    store->now_us += limit_ms > 0 ? limit_ms * 1000 : 0;
    return CHECKPOINT_BUSY;
}

static int64_t look(void *opaque)
{
    struct slow_store *store = opaque;
    store->now_us += 70000;
    return store->now_us;
}

static bool end_of_log(void *opaque, int64_t *offset)
{
    (void)opaque;
    *offset = 0;
    return true;
}

static void no_line(void *opaque, enum observer_level level, const char *event, int32_t shard,
                    const char *fields)
{
    (void)opaque;
    (void)level;
    (void)event;
    (void)shard;
    (void)fields;
}

/* Asked again and again, whenever in a tick the time is over: no wait is asked for that has an end
 * in the past, which the writer would take for a fault. */
static void a_drain_never_waits_for_less_than_nothing(void **state)
{
    (void)state;
    static const struct checkpoint_operations operations = {
        .submit = submit, .poll = poll_outcome, .wait = wait_outcome};
    struct mark mark = {.generation = 1, .epoch = 1, .sequence = 7, .shards = 1};
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    for (int64_t given_us = 0; given_us < 1000000; given_us += 10000) {
        struct slow_store store = {.port = {&operations}, .limit_least_ms = INT64_MAX};
        struct clock clock = {.opaque = &store, .now_ms = look, .monotonic_us = look};
        struct observer observer = {.lowest = LEVEL_ERROR, .line = no_line};
        struct shard *shard = shard_create(&config);
        struct checkpointer *checkpointer = checkpointer_create(&(struct checkpointer_options){
            .port = &store.port, .clock = &clock, .observer = &observer});
        assert_false(checkpointer_drain(checkpointer, shard, &mark, end_of_log, NULL, given_us));
        assert_true(store.limit_least_ms >= 0);
        checkpointer_destroy(checkpointer);
        shard_destroy(shard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drain_never_waits_for_less_than_nothing),
    };
    return cmocka_run_group_tests_name("checkpointer", tests, NULL, NULL);
}
