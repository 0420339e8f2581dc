/* outbox_runs.c - what a shard says of runs becomes records: open runs, requests to stop, dead
 * letters of reports and of runs that failed. */
#include "dispatcher/engine/outbox_state.h"

#include <assert.h>
#include <stdio.h>

#include "schemas/cancel_json.h"
#include "schemas/failed_run_json.h"
#include "schemas/run_json.h"

/* ---- open runs ---- */

static struct outbox_record *add_run(struct outbox *outbox, uint32_t k)
{
    checkpointer_run_changed(outbox->checkpointer, k);
    struct outbox_record *record = outbox_add_record(outbox, TOPIC_STATE);
    size_t at = outbox->arena.length;
    text_writer_words(&outbox->arena, "run/");
    text_writer_integer(&outbox->arena, k);
    record->key = outbox_stretch_from(outbox, at);
    return record;
}

static void sink_run_changed(void *opaque, uint32_t k, const struct run_record *run)
{
    struct outbox *outbox = opaque;
    struct outbox_record *record = add_run(outbox, k);
    size_t at = outbox->arena.length;
    run_record_encode(&outbox->arena, run);
    record->value = outbox_stretch_from(outbox, at);
}

static void sink_run_ended(void *opaque, uint32_t k)
{
    struct outbox *outbox = opaque;
    struct outbox_record *record = add_run(outbox, k);
    size_t at = outbox->arena.length;
    run_record_encode_free(&outbox->arena);
    record->value = outbox_stretch_from(outbox, at);
}

static void sink_run_cancel(void *opaque, const struct run_cancel *cancel)
{
    struct outbox *outbox = opaque;
    struct outbox_record *record = outbox_add_record(outbox, TOPIC_CANCELS);
    struct text key = cancel->group;
    if (key.length == 0 && outbox->reading != NULL) key = outbox->reading->record->key;
    if (key.length > NAME_BYTES_MAX) key.length = 0; /* none of ours */
    record->key = outbox_put_text(outbox, key);
    size_t at = outbox->arena.length;
    run_cancel_encode(&outbox->arena, cancel);
    record->value = outbox_stretch_from(outbox, at);
    record->header_first = HEADERS_SHARED_JSON;
}

/* ---- dead letters ---- */

void outbox_reads(struct outbox *outbox, const struct outbox_report *report)
{
    outbox->reading = report;
}

static size_t own_headers(const struct broker_input *input, struct record_header *headers)
{
    for (size_t i = 0; i < input->header_count; i++)
        headers[i] = (struct record_header){.name = text_of(input->headers[i].name),
                                            .value = input->headers[i].value};
    return input->header_count;
}

void outbox_add_letter(struct outbox *outbox, const struct error *error)
{
    assert(outbox->reading != NULL);
    const struct broker_input *input = outbox->reading->record;
    struct record_header originals[BROKER_INPUT_HEADERS_MAX];
    outbox_bury(outbox, INPUT_RUNS,
                (struct dead_letter){.partition = outbox->shard,
                                     .offset = input->offset,
                                     .key = input->key,
                                     .value = outbox->reading->value,
                                     .error = error,
                                     .headers = originals,
                                     .header_count = own_headers(input, originals)});
}

static void sink_run_letter(void *opaque, const struct report *report, enum error_code code)
{
    struct error error = {0};
    (void)error_invalid(&error, code, "this shard has had no try with the runnumber %lld",
                        (long long)report->runnumber);
    outbox_add_letter(opaque, &error);
}

static void sink_run_failed(void *opaque, struct text run, const struct run_record *record,
                            enum run_outcome outcome, const struct report *report)
{
    struct outbox *outbox = opaque;
    struct text_writer value;
    char message[120];
    assert(record->try_count > 0);
    const struct failed_run failed = {.run = run,
                                      .record = record,
                                      .outcome = outcome,
                                      .ended_ms = record->tries[record->try_count - 1].ended_ms,
                                      .report = report};
    (void)snprintf(message, sizeof message, "the run has ended as %s, tries that count: %d",
                   run_outcome_word(outcome), (int)record->counted);
    const struct record_header headers[] = {
        {text_of("dlq_code"), text_of(error_code_word(CODE_RUN_FAILED))},
        {text_of("dlq_message"), text_of(message)},
        {text_of("content-type"), text_of("application/json")}};
    text_writer_init(&value);
    failed_run_encode(&value, &failed);
    outbox_add(outbox, TOPIC_DEAD, outbox->shard, record->group, text_writer_text(&value), headers,
               sizeof headers / sizeof headers[0]);
    text_writer_free(&value);
}

void outbox_runs_sink(struct sink *sink)
{
    sink->run_changed = sink_run_changed;
    sink->run_ended = sink_run_ended;
    sink->run_letter = sink_run_letter;
    sink->run_failed = sink_run_failed;
    sink->run_cancel = sink_run_cancel;
}
