/* Any bytes as a record of the control topic. The first byte chooses the headers.
 * Build: clang -fsanitize=fuzzer,address,undefined; seeds: schemas/examples. */
#include <stdint.h>
#include <stdlib.h>

#include "schemas/command_json.h"
#include "schemas/utf8.h"

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
    limits.topic_allowed = allow;
    limits.reply_to_allowed = allow;
    struct source source = {.origin_partition = 3, .origin_offset = 10422};
    struct arena *arena = arena_create();
    struct command command;
    struct error error = {0};
    bool read = command_decode(value, headers, count, &source, &limits, arena, &command, &error);
    require(read == (error.kind == ERROR_NONE));
    require(read || error.kind == ERROR_INVALID);
    require(read || (error.code[0] != '\0' && error.message[0] != '\0'));
    require(command.command_id.length > 0);
    require(utf8_valid_length(command.command_id) == command.command_id.length);
    require(!read || command.op != OP_NONE);
    for (size_t i = 0; read && i < command.job_count; i++) {
        require(command.jobs[i].group.length > 0 && command.jobs[i].id.length > 0);
        require(command.jobs[i].schedule.kind != 0);
    }
    arena_destroy(arena);
    return 0;
}
