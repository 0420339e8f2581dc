/* belfry dead requeue: sends refused commands again, after what refused them was changed, and has
 * failed runs run once more. What is done is acknowledged. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/read/dead_letters.h"
#include "cli/read/result_view.h"
#include "cli/show/cli_clock.h"
#include "cli/show/json_text.h"
#include "cli/show/print_text.h"
#include "cli/show/progress.h"
#include "cli/show/tail_line.h"
#include "cli/words/cli.h"
#include "cli/write/dead_ack.h"
#include "cli/write/dead_command.h"
#include "cli/write/write_session.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"

enum { WAIT_DEFAULT_MS = 10000, RATE_DEFAULT = 100, RATE_MAX = 100000 };

struct requeue {
    const struct settings *settings;
    struct dead_filter filter;
    struct dead_place *places;
    struct dead_list list;
    int64_t wait_ms;
    int64_t rate; /* a second */
    const char *overlap;
    struct said_by said_by;
    struct write_plan plan;
    const struct dead_row **rows; /* of the plan's records */
    char **keys;                  /* likewise */
    size_t refused;
};

/* ---- what would be sent ---- */

static void say_cannot(struct requeue *requeue, const struct dead_row *row, const char *why)
{
    requeue->refused++;
    (void)fprintf(stderr, "belfry: %" PRId32 "/%" PRId64 " cannot be requeued: ", row->partition,
                  row->offset);
    print_safe(stderr, why, strlen(why));
    (void)fputc('\n', stderr);
}

static void write_run(const struct requeue *requeue, const struct dead_row *row,
                      struct text_writer *command)
{
    char command_id[DEAD_COMMAND_ID_BYTES];
    const struct dead_run run = {.group = row->group,
                                 .id = row->id,
                                 .run = row->run,
                                 .overlap = requeue->overlap,
                                 .said_by = requeue->said_by};
    dead_command_id(row->partition, row->offset, command_id);
    dead_run_write(&run, command_id, command);
}

static bool write_again(struct requeue *requeue, const struct dead_row *row,
                        const rd_kafka_message_t *message, struct text_writer *command)
{
    struct text header;
    struct error error = {0};
    struct text event_id = {NULL, 0};
    struct text value = {message->payload, message->payload == NULL ? 0 : message->len};
    if (row->kind == DEAD_REPORT) {
        say_cannot(requeue, row, "it is what a worker reported, and its time is over");
        return false;
    }
    if (row->kind == DEAD_RUN) {
        bool named = row->group.length > 0 && row->id.length > 0 && row->run.length > 0;
        if (named) write_run(requeue, row, command);
        else say_cannot(requeue, row, "it does not say which run it was");
        return named;
    }
    if (record_header(message, "dlq_truncated", &header)) {
        say_cannot(requeue, row, "it was too large to be kept whole");
        return false;
    }
    (void)record_header(message, "ce_id", &event_id);
    if (dead_command_write(value, event_id, row->partition, row->offset, command, &error))
        return true;
    say_cannot(requeue, row, error.message);
    return false;
}

static void plan_record(struct requeue *requeue, const struct dead_row *row,
                        const rd_kafka_message_t *message, struct text_writer command)
{
    struct write_plan *plan = &requeue->plan;
    bool run = row->kind == DEAD_RUN;
    requeue->keys[plan->count] =
        run ? memory_copy_text(row->group.bytes, row->group.length)
        : message->key == NULL ? NULL
                               : memory_copy_text(message->key, message->key_len);
    requeue->rows[plan->count] = row;
    struct write_record *record = &plan->records[plan->count];
    /* A run's dead letter stands in the partition of its shard. */
    *record = (struct write_record){.partition = run ? row->partition : ANY_PARTITION,
                                    .key = requeue->keys[plan->count],
                                    .value = command};
    dead_command_id(row->partition, row->offset, record->command_id);
    plan->count++;
}

static bool visit(void *opaque, const struct dead_row *row, const rd_kafka_message_t *message)
{
    struct requeue *requeue = opaque;
    struct text_writer command = {0};
    assert(requeue->plan.count < requeue->plan.capacity);
    if (write_again(requeue, row, message, &command)) plan_record(requeue, row, message, command);
    else text_writer_free(&command);
    return true;
}

static bool make_plan(struct requeue *requeue, struct error *error)
{
    size_t count = requeue->list.count;
    requeue->rows = memory_allocate(count, sizeof *requeue->rows);
    requeue->keys = memory_allocate(count, sizeof *requeue->keys);
    requeue->plan.records = memory_allocate(count, sizeof *requeue->plan.records);
    requeue->plan.capacity = count;
    return dead_list_visit(&requeue->list, requeue->settings, visit, requeue, error);
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
    (void)fprintf(stderr, "belfry: %zu %s would be sent\n", requeue->plan.count,
                  requeue->plan.count == 1 ? "command" : "commands");
}

/* ---- sending ---- */

/* What was answered to one command; *at moves past it: answers stand in the order of the plan. */
static bool is_dealt_with(const json_t *results, size_t *at, const char *command_id)
{
    bool done = true;
    size_t first = *at;
    for (; *at < json_array_size(results); (*at)++) {
        const json_t *result = json_array_get(results, *at);
        const char *of = json_member_text(result, "command_id");
        if (of == NULL || strcmp(of, command_id) != 0) break;
        done = done && result_is_done(result);
    }
    return done && *at > first;
}

/* Whoever ends between the answer and this requeues them again, which is done once. */
static bool acknowledge(struct requeue *requeue, struct write_session *session,
                        const struct write_plan *part, const json_t *results,
                        struct error *error)
{
    size_t count = 0;
    size_t at = 0;
    size_t first = (size_t)(part->records - requeue->plan.records);
    const struct dead_row **done = memory_allocate(part->count, sizeof *done);
    for (size_t i = 0; i < part->count; i++)
        if (is_dealt_with(results, &at, part->records[i].command_id))
            done[count++] = requeue->rows[first + i];
    if (count > 1) qsort(done, count, sizeof *done, dead_rows_by_place);
    bool sent = dead_ack_send(requeue->settings, session->producer, done, count,
                              &requeue->said_by, error);
    free(done);
    return sent;
}

/* A second's worth after the other, each when the one before is answered. */
static bool send_parts(struct requeue *requeue, struct write_session *session, json_t *all,
                       struct error *error)
{
    struct progress progress;
    size_t count = requeue->plan.count;
    bool sent = true;
    progress_start(&progress, "requeueing", count);
    for (size_t at = 0; sent && at < count;) {
        int64_t next_ms = monotonic_ms() + SECONDS_MS;
        size_t most = (size_t)requeue->rate;
        struct write_plan part = {.records = requeue->plan.records + at,
                                  .count = count - at < most ? count - at : most};
        json_t *results = NULL;
        sent = write_session_send(session, &part, requeue->wait_ms, &results, error);
        if (results != NULL) (void)json_array_extend(all, results);
        struct error unmarked = {0};
        bool marked = acknowledge(requeue, session, &part, results, sent ? error : &unmarked);
        sent = sent && marked;
        json_decref(results);
        at += part.count;
        progress_show(&progress, at);
        int left_ms = cli_left_ms(next_ms, SECONDS_MS - 1);
        if (sent && at < count && left_ms > 0) cli_pause_ms(left_ms);
    }
    progress_end(&progress);
    return sent;
}

static enum exit_code send_plan(struct requeue *requeue, struct error *error)
{
    assert(requeue->plan.count > 0);
    struct write_session session = {0};
    json_t *results = json_array();
    bool sent = write_session_open(&session, requeue->settings, NULL, true, error) &&
                send_parts(requeue, &session, results, error);
    enum exit_code code = CLI_OK;
    if (json_array_size(results) > 0) results_print(requeue->settings, results);
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

/* ---- the command ---- */

static enum exit_code nothing_matches(const struct requeue *requeue)
{
    if (requeue->refused > 0) return CLI_FAILED;
    return dead_none_left(requeue->settings->arguments);
}

static enum exit_code run(struct requeue *requeue)
{
    struct error error = {0};
    if (!dead_list_read(&requeue->list, requeue->settings, &requeue->filter, 0, &error) ||
        (requeue->list.count > 0 && !make_plan(requeue, &error)))
        return exit_with(&error);
    if (requeue->plan.count == 0) return nothing_matches(requeue);
    if (arguments_has(requeue->settings->arguments, "dry-run")) {
        print_plan(requeue);
        return CLI_OK;
    }
    return send_plan(requeue, &error);
}

static bool read_words(struct requeue *requeue, const struct arguments *arguments,
                       struct error *error)
{
    return requeue_overlap_read(arguments, &requeue->overlap, error) &&
           said_by_read(&requeue->said_by, arguments, error) &&
           dead_filter_read(&requeue->filter, &requeue->places, arguments, 1, cli_now_ms(),
                            error) &&
           dead_filter_must_name(&requeue->filter, arguments, error) &&
           arguments_number(arguments, "rate", 1, RATE_MAX, &requeue->rate, error) &&
           arguments_duration(arguments, "wait", &requeue->wait_ms, error);
}

enum exit_code dead_requeue(const struct invocation *invocation)
{
    struct error error = {0};
    struct requeue requeue = {.settings = invocation->settings,
                              .wait_ms = WAIT_DEFAULT_MS,
                              .rate = RATE_DEFAULT};
    bool read = read_words(&requeue, invocation->arguments, &error);
    enum exit_code code = read ? run(&requeue) : exit_with(&error);
    for (size_t i = 0; i < requeue.plan.count; i++) free(requeue.keys[i]);
    free(requeue.keys);
    free(requeue.rows);
    free(requeue.places);
    write_plan_free(&requeue.plan);
    dead_list_free(&requeue.list);
    return code;
}
