#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/show/print_text.h"
#include "cli/show/report_line.h"
#include "cli/show/tail_line.h"
#include "cli/words/cli.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"
#include "lib/base/suggest.h"

enum { POLL_MS = 200 };

static const struct {
    const char *name;
    tail_formatter *format;
} streams[] = {
    {"fires", tail_line_fire},
    {"results", tail_line_result},
    {"events", tail_line_event},
    {"runs", tail_line_reports},
    {"cancels", tail_line_cancel},
};
enum { STREAMS = sizeof streams / sizeof streams[0] };

struct tail {
    const struct settings *settings;
    char topic[TOPIC_NAME_BYTES];
    tail_formatter *format;
    const char *group;   /* NULL = all */
    enum read_from from;
    bool follow;         /* go on at the end */
    int64_t count;       /* stop after so many, -1 = never */
};

static void print_record(const struct tail *tail, const rd_kafka_message_t *message,
                         const json_t *value)
{
    const struct settings *settings = tail->settings;
    struct text_writer line = {0};
    bool json = settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON;
    assert(message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
    if (json) {
        (void)print_json(stdout, message->payload, message->len, settings->width > 0);
    } else {
        if (settings->output == OUTPUT_NAME) tail_name(&line, message, value);
        else tail->format(&line, message, value);
        if (line.length > 0) (void)fwrite(line.bytes, 1, line.length, stdout);
    }
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    text_writer_free(&line);
}

/* True when the record was wanted and printed. */
static bool take(const struct tail *tail, const rd_kafka_message_t *message)
{
    json_t *value = message->len == 0 ? NULL : json_loadb(message->payload, message->len, 0, NULL);
    if (value != NULL && !json_is_object(value)) {
        json_decref(value);
        value = NULL;
    }
    bool wanted = tail->group == NULL || tail_is_of_group(message, value, tail->group);
    if (wanted) print_record(tail, message, value);
    json_decref(value);
    return wanted;
}

static bool read_records(const struct tail *tail, struct cli_kafka *reader, int32_t partitions,
                         struct error *error)
{
    assert(partitions > 0);
    bool *ended = memory_allocate((size_t)partitions, sizeof *ended);
    int32_t ended_count = 0;
    int64_t printed = 0;
    int64_t heard_ms = monotonic_ms();
    bool ok = true;
    while (ok && printed != tail->count && (tail->follow || ended_count < partitions) &&
           ferror(stdout) == 0) {
        rd_kafka_message_t *message = NULL;
        ok = cli_kafka_next(reader, POLL_MS, &message, error);
        if (message == NULL && !tail->follow &&
            monotonic_ms() - heard_ms > tail->settings->timeout_ms)
            ok = error_set(error, ERROR_RETRY, "%s: Kafka does not answer", tail->topic);
        if (message == NULL) continue;
        heard_ms = monotonic_ms();
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            printed += take(tail, message);
        } else if (message->partition >= 0 && message->partition < partitions &&
                   !ended[message->partition]) {
            ended[message->partition] = true;
            ended_count++;
        }
        rd_kafka_message_destroy(message);
    }
    free(ended);
    assert(ok || error->kind != ERROR_NONE);
    return ok;
}

static enum exit_code run(const struct tail *tail)
{
    struct error error = {0};
    int32_t partitions = 0;
    assert(tail->format != NULL);
    struct cli_kafka *reader = cli_kafka_create(tail->settings, CLI_READER, &error);
    bool ok = reader != NULL &&
              cli_kafka_partitions(reader, tail->topic, &partitions, &error) &&
              cli_kafka_read(reader, tail->topic, partitions, tail->from, &error) &&
              read_records(tail, reader, partitions, &error);
    cli_kafka_destroy(reader);
    return ok ? CLI_OK : exit_with(&error);
}

static bool read_stream(struct tail *tail, const struct invocation *invocation,
                        struct error *error)
{
    const struct arguments *arguments = invocation->arguments;
    if (arguments->positional_count != 1)
        return error_invalid(error, CODE_USAGE, "which stream? belfry tail "
                             "fires|results|events|runs|cancels");
    const char *name = arguments->positionals[0];
    struct suggestion near = {.word = name, .word_length = strlen(name)};
    for (int i = 0; i < STREAMS; i++) {
        suggestion_offer(&near, streams[i].name);
        if (strcmp(name, streams[i].name) == 0) tail->format = streams[i].format;
    }
    if (tail->format == NULL)
        return error_invalid(error, CODE_USAGE, "\"%.40s\" is not fires, results, events, runs "
                             "or cancels%s%s",
                             name, near.best == NULL ? "" : "; did you mean ",
                             near.best == NULL ? "" : near.best);
    const char *topic = arguments_value(arguments, "topic");
    if (topic != NULL && (topic[0] == '\0' || strlen(topic) >= sizeof tail->topic))
        return error_invalid(error, CODE_USAGE, "--topic: 1 to 249 bytes");
    if (topic != NULL) (void)snprintf(tail->topic, sizeof tail->topic, "%s", topic);
    else topic_name(tail->topic, tail->settings, name);
    return true;
}

enum exit_code command_tail(const struct invocation *invocation)
{
    const struct arguments *arguments = invocation->arguments;
    struct error error = {0};
    struct tail tail = {
        .settings = invocation->settings,
        .group = arguments_value(arguments, "group"),
        .from = arguments_has(arguments, "from-beginning") ? READ_FROM_BEGINNING : READ_FROM_END,
        .follow = !arguments_has(arguments, "no-follow"),
        .count = -1,
    };
    if (!read_stream(&tail, invocation, &error) ||
        !arguments_number(arguments, "count", 1, INT64_MAX, &tail.count, &error))
        return exit_with(&error);
    return run(&tail);
}
