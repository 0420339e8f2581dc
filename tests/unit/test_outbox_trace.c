/* Which trace the record of a fire carries, and the record of a result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/engine/outbox.h"
#include "schemas/arena.h"
#include "schemas/command_json.h"

#define OF_JOB "00-11111111111111111111111111111111-1111111111111111-01"
#define OF_COMMAND "00-22222222222222222222222222222222-2222222222222222-01"
#define START_MS INT64_C(1795290000000)

struct bench {
    struct shard *shard;
    struct foreign foreign;
    struct checkpointer *checkpointer;
    struct outbox *outbox;
    int64_t offset;
};

static void open_bench(struct bench *bench)
{
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    *bench = (struct bench){.shard = shard_create(&config)};
    shard_restore_done(bench->shard, &(struct mark){.watermark = {START_MS, WATERMARK_WHOLE},
                                                    .shards = 1});
    bench->checkpointer = checkpointer_create(&(struct checkpointer_options){0});
    bench->outbox =
        outbox_create(text_of("belfry"), 0, 1000, &bench->foreign, bench->checkpointer);
}

static void close_bench(struct bench *bench)
{
    outbox_destroy(bench->outbox);
    checkpointer_destroy(bench->checkpointer);
    shard_destroy(bench->shard);
}

/* The outbox has what is said to this command alone. */
static void command(struct bench *bench, const char *json)
{
    struct arena *arena = arena_create();
    struct command_limits limits;
    command_limits_defaults(&limits);
    struct source source = {.offset = bench->offset, .origin_offset = bench->offset,
                            .log_time_ms = START_MS};
    struct command decoded;
    struct error error = {0};
    if (!command_decode(text_of(json), NULL, 0, &source, &limits, arena, &decoded, &error))
        fail_msg("%s at %s", error.message, error.field);
    struct application application = {.command = &decoded, .source = &source,
                                      .effective_ms = START_MS, .now_ms = START_MS,
                                      .sequence = 1, .shards_applying = 1};
    outbox_begin(bench->outbox, ++bench->offset);
    struct sink sink = outbox_sink(bench->outbox);
    assert_true(shard_apply(bench->shard, &application, &sink));
    arena_destroy(arena);
}

/* The first record of this topic. */
static struct broker_record record_of(struct bench *bench, enum broker_topic topic,
                                      struct broker_header *headers)
{
    struct broker_record record = {0};
    for (size_t i = 0; i < outbox_count(bench->outbox); i++)
        if (outbox_record(bench->outbox, i, &record, headers) && record.topic == topic)
            return record;
    fail_msg("nothing goes to topic %d", (int)topic);
    return record;
}

static bool says(struct text value, const char *words)
{
    return memmem(value.bytes, value.length, words, strlen(words)) != NULL;
}

/* `trace` in the event and as a header; NULL: in neither. */
static void check_fire(struct bench *bench, const char *trace)
{
    struct broker_header headers[BROKER_RECORD_HEADERS_MAX];
    struct broker_record fire = record_of(bench, TOPIC_FIRES, headers);
    char member[96];
    (void)snprintf(member, sizeof member, "\"traceparent\":\"%s\"", trace);
    assert_true(says(fire.value, trace != NULL ? member : "\"attempt\":1,\"data"));
    assert_int_equal(fire.header_count, trace != NULL ? 2 : 1);
    if (trace == NULL) return;
    assert_string_equal(fire.headers[1].name, "traceparent");
    assert_true(text_equal(fire.headers[1].value, text_of(trace)));
}

#define JOB(id) "\"group\":\"g\",\"id\":\"" id "\",\"schedule\":{\"every\":\"1h\"},\"payload\":1"
#define TRIGGER(id, more)                                                                          \
    "{\"op\":\"trigger\",\"select\":{\"groups\":[\"g\"],\"ids\":[\"" id "\"]}" more "}"

static void the_commands_wins_over_the_jobs(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    command(&bench, "{\"op\":\"add\",\"job\":{" JOB("plain") "}}");
    command(&bench, "{\"op\":\"add\",\"job\":{" JOB("traced") ",\"traceparent\":\"" OF_JOB "\"}}");
    command(&bench, TRIGGER("plain", ""));
    check_fire(&bench, NULL);
    command(&bench, TRIGGER("traced", ""));
    check_fire(&bench, OF_JOB);
    command(&bench, TRIGGER("traced", ",\"traceparent\":\"" OF_COMMAND "\""));
    check_fire(&bench, OF_COMMAND);
    command(&bench, TRIGGER("plain", ",\"traceparent\":\"" OF_COMMAND "\""));
    check_fire(&bench, OF_COMMAND);
    close_bench(&bench);
}

static void a_result_has_its_commands(void **state)
{
    (void)state;
    struct bench bench;
    struct broker_header headers[BROKER_RECORD_HEADERS_MAX];
    open_bench(&bench);
    command(&bench, "{\"op\":\"add\",\"job\":{" JOB("a") ",\"traceparent\":\"" OF_JOB "\"}}");
    assert_false(says(record_of(&bench, TOPIC_RESULTS, headers).value, "traceparent"));
    command(&bench, "{\"op\":\"add\",\"job\":{" JOB("a") "},\"traceparent\":\"" OF_COMMAND "\"}");
    struct broker_record result = record_of(&bench, TOPIC_RESULTS, headers);
    assert_true(says(result.value, "\"code\":\"exists\""));
    assert_true(says(result.value, "\"traceparent\":\"" OF_COMMAND "\""));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_commands_wins_over_the_jobs),
        cmocka_unit_test(a_result_has_its_commands),
    };
    return cmocka_run_group_tests_name("outbox, traces", tests, NULL, NULL);
}
