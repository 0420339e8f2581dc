#include "cli/read/run_history.h"

#include "cli/kafka/cli_kafka.h"
#include "cli/kafka/topic_scan.h"
#include "cli/read/open_runs.h"
#include "cli/read/run_join.h"

enum { OPEN_MOST = 1000 }; /* of one job no more are open */

static bool visit_reports(void *opaque, const rd_kafka_message_t *message)
{
    struct run_join *join = opaque;
    if (message->payload == NULL) return true;
    run_join_reports(join, (struct text){message->payload, message->len},
                     rd_kafka_message_timestamp(message, NULL));
    return true;
}

static void read_reports(struct run_join *join, const struct settings *settings,
                         const struct run_history_wanted *wanted, struct job_history *history)
{
    char topic[TOPIC_NAME_BYTES];
    const struct scan scan = {wanted->shard, wanted->from_ms, wanted->last};
    topic_name(topic, settings, "runs");
    job_history_scan(history, settings, topic, &scan, visit_reports, join);
}

static void read_open(struct run_history *runs, const struct settings *settings, int32_t shard,
                      struct job_history *history)
{
    struct open_runs open = {0};
    struct error error = {0};
    const struct run_selection selection = {.arguments = settings->arguments};
    const struct open_runs_wanted wanted = {.selection = &selection, .shard = shard,
                                            .late_ms = -1, .older_ms = -1, .most = OPEN_MOST};
    if (!open_runs_read(&open, settings, &wanted, &error)) job_history_note(history, &error);
    runs->open = json_incref(open.views);
    open_runs_free(&open);
}

void run_history_read(struct run_history *runs, const struct settings *settings,
                      const struct run_history_wanted *wanted, struct job_history *history)
{
    *runs = (struct run_history){0};
    struct run_join *join = run_join_create(wanted->most, wanted->outputs);
    run_join_incarnation(join, wanted->incarnation);
    if (history->more_fires) run_join_begin(join, json_array_get(history->fires, 0));
    for (size_t i = 0; i < json_array_size(history->fires); i++)
        run_join_fire(join, json_array_get(history->fires, i));
    /* Kafka that was just away is not waited for again. */
    if (history->whole) read_reports(join, settings, wanted, history);
    for (size_t i = 0; i < json_array_size(history->events); i++)
        run_join_event(join, json_array_get(history->events, i));
    read_open(runs, settings, wanted->shard, history);
    for (size_t i = 0; i < json_array_size(runs->open); i++)
        run_join_open(join, json_array_get(runs->open, i));
    runs->lines = run_join_finish(join);
    runs->cut = run_join_is_cut(join);
    run_join_destroy(join);
}

void run_history_free(struct run_history *runs)
{
    json_decref(runs->lines);
    json_decref(runs->open);
    *runs = (struct run_history){0};
}
