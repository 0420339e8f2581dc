/* Any bytes as a record of the control topic, decoded and, if that can be, applied twice to a shard
 * that has a few jobs. The first byte chooses the headers.
 * Build: clang -fsanitize=fuzzer,address,undefined; seeds: schemas/examples. */
#include <stdint.h>
#include <stdlib.h>

#include "dispatcher/shard/shard.h"
#include "lib/base/utf8.h"
#include "schemas/command_json.h"
#include "schemas/result_json.h"

#define NOW_MS INT64_C(1795290000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool allow(void *opaque, struct text topic)
{
    (void)opaque;
    return topic.length % 2 == 0;
}

static void require(bool condition)
{
    if (!condition) abort();
}

static void check_result(void *opaque, const struct result *result)
{
    struct text_writer writer;
    text_writer_init(&writer);
    result_encode(&writer, result, text_of("belfry.control"));
    require(utf8_valid_length(text_writer_text(&writer)) == writer.length);
    for (size_t i = 0; i < writer.length; i++) require((unsigned char)writer.bytes[i] >= 0x20);
    text_writer_free(&writer);
    (*(int *)opaque)++;
}

static void ignore_fire(void *opaque, const struct fire *fire) { (void)opaque, (void)fire; }
static void ignore_event(void *opaque, const struct event *event) { (void)opaque, (void)event; }
static void ignore_job(void *opaque, const struct job *job) { (void)opaque, (void)job; }
static void ignore_seen(void *opaque, const struct seen *seen) { (void)opaque, (void)seen; }
static void ignore_number(void *opaque, int64_t number) { (void)opaque, (void)number; }
static bool answer_no(void *opaque) { return opaque == NULL; }

static void apply(struct shard *shard, const struct command *command, const struct sink *sink)
{
    struct source source = {.log_time_ms = NOW_MS};
    struct application application = {.command = command,
                                      .source = &source,
                                      .effective_ms = NOW_MS,
                                      .now_ms = NOW_MS,
                                      .sequence = 1,
                                      .shards_applying = 1};
    require(shard_apply(shard, &application, sink));
}

static void apply_text(struct shard *shard, const char *json, const struct sink *sink)
{
    struct command_limits limits;
    struct source source = {.origin_offset = 1};
    struct command command;
    struct error error = {0};
    struct arena *arena = arena_create();
    command_limits_defaults(&limits);
    limits.runs = true;
    require(command_decode(text_of(json), NULL, 0, &source, &limits, arena, &command, &error));
    apply(shard, &command, sink);
    arena_destroy(arena);
}

static void play(const struct command *command)
{
    int results = 0;
    /* No run is followed, and each retry is tried at once. */
    struct sink sink = {.opaque = &results,
                        .fire = ignore_fire,
                        .event = ignore_event,
                        .result = check_result,
                        .job_changed = ignore_job,
                        .job_deleted = ignore_job,
                        .seen = ignore_seen,
                        .seen_expired = ignore_number,
                        .full = answer_no,
                        .uncertain = answer_no};
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    struct shard *shard = shard_create(&config);
    struct mark mark = {.shards = 1, .next_ordinal = 1,
                        .watermark = {NOW_MS - 1000, WATERMARK_WHOLE}};
    shard_restore_done(shard, &mark);
    require(shard_advance(shard, NOW_MS, NOW_MS, &sink));
    apply_text(shard, "{\"op\":\"add\",\"jobs\":[{\"group\":\"billing\",\"id\":\"a\",\"schedule\":"
                      "{\"every\":\"1h\"}},{\"group\":\"billing\",\"id\":\"invoice-nightly\","
                      "\"schedule\":{\"cron\":\"30 2 * * *\"},\"paused\":true}]}", &sink);
    apply(shard, command, &sink);
    apply(shard, command, &sink);
    require(shard_advance(shard, NOW_MS + 5000, NOW_MS + 5000, &sink));
    require(shard_decide(shard, NOW_MS + 5000, &sink));
    shard_run_lane(shard, NOW_MS + 5000, &sink);
    require(results == 3);
    shard_destroy(shard);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct text value = {(const char *)data + 1, size - 1};
    struct text type = text_of(data[0] % 3 == 0 ? "application/cloudevents+json" : "text/json");
    struct text version = text_of(data[0] % 3 == 1 ? "1.0" : "0.9");
    struct record_header headers[] = {{text_of("content-type"), type},
                                      {text_of("ce_specversion"), version},
                                      {text_of("ce_source"), text_of("s")},
                                      {text_of("ce_type"), text_of("t")},
                                      {text_of("ce_id"), {value.bytes, value.length % 200}}};
    size_t count = data[0] % 3 == 2 ? 0 : 5;
    struct command_limits limits;
    command_limits_defaults(&limits);
    limits.runs = true;
    limits.topic_allowed = allow;
    limits.reply_to_allowed = allow;
    struct source source = {.origin_partition = 3, .origin_offset = 10422};
    struct arena *arena = arena_create();
    struct command command;
    struct error error = {0};
    bool read = command_decode(value, headers, count, &source, &limits, arena, &command, &error);
    require(read == (error.kind == ERROR_NONE));
    require(read || error.kind == ERROR_INVALID);
    require(read || (error.code != CODE_NONE && error.message[0] != '\0'));
    require(command.command_id.length > 0);
    require(utf8_valid_length(command.command_id) == command.command_id.length);
    require(!read || command.op != OP_NONE);
    for (size_t i = 0; read && i < command.job_count; i++) {
        require(command.jobs[i].group.length > 0 && command.jobs[i].id.length > 0);
        require(command.jobs[i].schedule.kind != 0);
    }
    if (read) play(&command);
    arena_destroy(arena);
    return 0;
}
