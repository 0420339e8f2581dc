/* belfry dead requeue: sends refused commands again, after what refused them was changed. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/kafka/topic_scan.h"
#include "cli/read/result_view.h"
#include "cli/show/print_text.h"
#include "cli/show/tail_line.h"
#include "cli/words/cli.h"
#include "cli/write/dead_command.h"
#include "cli/write/write_session.h"
#include "lib/base/memory.h"

enum { WAIT_DEFAULT_MS = 10000 };

struct place {
    int32_t partition;
    int64_t offset;
    bool found;
};

struct requeue {
    const struct settings *settings;
    const char *group; /* NULL = any */
    struct place *places;
    size_t place_count;
    int64_t most; /* -1 = any number */
    char control[TOPIC_NAME_BYTES];
    struct write_plan plan;
    char **keys; /* of the plan's records */
    size_t refused;
};

static bool read_places(struct requeue *requeue, const struct arguments *arguments,
                        struct error *error)
{
    assert(arguments->positional_count > 0);
    requeue->place_count = arguments->positional_count - 1;
    requeue->places = memory_allocate(requeue->place_count + 1, sizeof *requeue->places);
    for (size_t i = 0; i < requeue->place_count; i++) {
        const char *word = arguments->positionals[i + 1];
        const char *slash = strchr(word, '/');
        char partition[16] = "";
        int64_t number = 0;
        if (slash != NULL && slash - word < (ptrdiff_t)sizeof partition)
            memcpy(partition, word, (size_t)(slash - word));
        if (slash == NULL || !number_parse(partition, 0, INT32_MAX, &number) ||
            !number_parse(slash + 1, 0, INT64_MAX, &requeue->places[i].offset))
            return error_invalid(error, CODE_USAGE, "\"%.60s\" is no PARTITION/OFFSET; belfry "
                                 "dead list shows them", word);
        requeue->places[i].partition = (int32_t)number;
    }
    bool all = arguments_has(arguments, "all");
    bool some = requeue->place_count > 0;
    if (some + all + (requeue->group != NULL) == 1) return true;
    return error_invalid(error, CODE_USAGE, "which dead letters? PARTITION/OFFSET..., "
                         "--group GROUP, or --all");
}

static bool is_wanted(struct requeue *requeue, const rd_kafka_message_t *message)
{
    if (requeue->most >= 0 && requeue->plan.count >= (size_t)requeue->most) return false;
    for (size_t i = 0; i < requeue->place_count; i++) {
        struct place *place = &requeue->places[i];
        if (place->partition != message->partition || place->offset != message->offset) continue;
        place->found = true;
        return true;
    }
    if (requeue->place_count > 0) return false;
    if (requeue->group == NULL) return true;
    json_t *value = json_loadb(message->payload == NULL ? "" : message->payload, message->len, 0,
                               NULL);
    bool wanted = tail_is_of_group(message, value, requeue->group);
    json_decref(value);
    return wanted;
}

static void say_cannot(struct requeue *requeue, const rd_kafka_message_t *message,
                       const char *why)
{
    requeue->refused++;
    (void)fprintf(stderr, "belfry: %" PRId32 "/%" PRId64 " cannot be requeued: ",
                  message->partition, message->offset);
    print_safe(stderr, why, strlen(why));
    (void)fputc('\n', stderr);
}

static bool visit(void *opaque, const rd_kafka_message_t *message)
{
    struct requeue *requeue = opaque;
    struct text header;
    struct error error = {0};
    if (!is_wanted(requeue, message)) return true;
    struct text value = {message->payload, message->payload == NULL ? 0 : message->len};
    if (record_header(message, "dlq_truncated", &header)) {
        say_cannot(requeue, message, "it was too large to be kept whole");
        return true;
    }
    struct text_writer command = {0};
    struct text event_id = {NULL, 0};
    (void)record_header(message, "ce_id", &event_id);
    if (!dead_command_write(value, event_id, message->partition, message->offset, &command,
                            &error)) {
        say_cannot(requeue, message, error.message);
        text_writer_free(&command);
        return true;
    }
    struct write_plan *plan = &requeue->plan;
    requeue->keys = memory_resize(requeue->keys, plan->count + 1, sizeof *requeue->keys);
    requeue->keys[plan->count] =
        message->key == NULL ? NULL : memory_copy_text(message->key, message->key_len);
    plan->records = memory_grow(plan->records, &plan->capacity, plan->count + 1,
                                sizeof *plan->records);
    struct write_record *record = &plan->records[plan->count];
    *record = (struct write_record){.partition = ANY_PARTITION,
                                    .key = requeue->keys[plan->count],
                                    .value = command};
    (void)snprintf(record->command_id, sizeof record->command_id, "requeue-%" PRId32 "-%" PRId64,
                   message->partition, message->offset);
    plan->count++;
    return true;
}

static enum exit_code send_plan(struct requeue *requeue, int64_t wait_ms,
                                struct error *error)
{
    assert(requeue->plan.count > 0);
    struct write_session session;
    json_t *results = NULL;
    enum exit_code code = CLI_OK;
    bool sent = write_session_open(&session, requeue->settings, NULL, true, error) &&
                write_session_send(&session, &requeue->plan, wait_ms, &results, error);
    if (results != NULL) results_print(requeue->settings, results);
    if (sent) {
        code = results_exit(results, false, false);
        if (code == CLI_OK && requeue->refused > 0) code = CLI_PARTLY;
    } else {
        code = exit_with(error);
        (void)fputs("belfry: the same can be requeued again: it is done once\n", stderr);
    }
    json_decref(results);
    write_session_close(&session);
    return code;
}

static void print_plan(const struct requeue *requeue)
{
    for (size_t i = 0; i < requeue->plan.count; i++) {
        const struct write_record *record = &requeue->plan.records[i];
        (void)print_json(stdout, record->value.bytes, record->value.length,
                         requeue->settings->width > 0);
        (void)fputc('\n', stdout);
    }
    (void)fflush(stdout);
    (void)fprintf(stderr, "belfry: %zu commands would be sent\n", requeue->plan.count);
}

static enum exit_code run(struct requeue *requeue, int64_t wait_ms)
{
    struct error error = {0};
    char dead[TOPIC_NAME_BYTES];
    struct scan scan = {SCAN_ALL, 0, 0};
    struct scan_report report;
    topic_name(dead, requeue->settings, "dead");
    if (!topic_scan(requeue->settings, dead, &scan, visit, requeue, &report, &error))
        return exit_with(&error);
    for (size_t i = 0; i < requeue->place_count; i++) {
        if (requeue->places[i].found) continue;
        (void)error_invalid(&error, CODE_NOT_FOUND, "there is no dead letter %d/%lld",
                            (int)requeue->places[i].partition,
                            (long long)requeue->places[i].offset);
        return exit_with(&error);
    }
    if (requeue->plan.count == 0) {
        if (requeue->refused > 0) return CLI_FAILED;
        (void)fputs("belfry: no dead letter matches\n", stderr);
        return arguments_has(requeue->settings->arguments, "all") ? CLI_OK : CLI_NOT_FOUND;
    }
    if (arguments_has(requeue->settings->arguments, "dry-run")) {
        print_plan(requeue);
        return CLI_OK;
    }
    return send_plan(requeue, wait_ms, &error);
}

enum exit_code dead_requeue(const struct invocation *invocation)
{
    const struct arguments *arguments = invocation->arguments;
    struct error error = {0};
    int64_t wait_ms = WAIT_DEFAULT_MS;
    struct requeue requeue = {.settings = invocation->settings,
                              .group = arguments_value(arguments, "group"),
                              .most = -1};
    bool read = read_places(&requeue, arguments, &error) &&
                arguments_number(arguments, "count", 1, INT64_MAX, &requeue.most, &error) &&
                arguments_duration(arguments, "wait", &wait_ms, &error);
    enum exit_code code = read ? run(&requeue, wait_ms) : exit_with(&error);
    for (size_t i = 0; i < requeue.plan.count; i++) free(requeue.keys[i]);
    free(requeue.keys);
    free(requeue.places);
    write_plan_free(&requeue.plan);
    return code;
}
