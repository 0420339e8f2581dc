#include "cli/show/report_line.h"

#include <assert.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/show/print_text.h"
#include "lib/time/instant.h"

enum { REASON_COLUMNS = 160 };

static void add(struct text_writer *line, const char *label, const char *text)
{
    if (text == NULL || text[0] == '\0') return;
    text_writer_words(line, label);
    text_escape(line, text, strlen(text));
}

/* A runnumber may be a number, too. */
static void add_runnumber(struct text_writer *line, const json_t *object)
{
    const json_t *number = json_object_get(object, "runnumber");
    add(line, "  runnumber ", json_string_value(number));
    if (json_is_integer(number))
        text_writer_format(line, "  runnumber %" JSON_INTEGER_FORMAT, json_integer_value(number));
}

static void add_time(struct text_writer *line, int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES] = "-";
    if (at_ms >= 0 && instant_in_range(at_ms)) instant_format(at_ms, text);
    text_writer_words(line, text);
}

void report_reason(struct text_writer *out, const json_t *report, size_t columns)
{
    const json_t *error = json_object_get(report, "error");
    const char *code = json_member_text(error, "code");
    const char *message = json_member_text(error, "message");
    json_int_t exit_code = json_member_number(report, "exit_code", 0);
    json_int_t number = json_member_number(report, "signal", 0);
    struct text_writer whole = {0};
    if (code == NULL) code = json_member_text(report, "error_code");
    if (message == NULL) message = json_member_text(report, "message");
    if (exit_code > 0) text_writer_format(&whole, "exit code %d", (int)exit_code);
    if (number > 0) text_writer_format(&whole, "signal %d", (int)number);
    add(&whole, whole.length > 0 ? ", " : "", code);
    add(&whole, code != NULL ? ": " : whole.length > 0 ? ", " : "", message);
    size_t fits = text_fit(whole.bytes, whole.length, columns);
    if (fits < whole.length) fits = text_fit(whole.bytes, whole.length, columns - 3);
    text_writer_bytes(out, whole.bytes, fits);
    if (fits < whole.length) text_writer_words(out, "...");
    text_writer_free(&whole);
}

static void add_report(struct text_writer *line, int64_t at_ms, const json_t *report)
{
    const char *word = json_member_text(report, "report");
    struct text_writer reason = {0};
    if (line->length > 0) text_writer_char(line, '\n');
    add_time(line, at_ms);
    add(line, "  ", word == NULL ? "-" : word);
    add(line, "  ", json_member_text(report, "run"));
    add_runnumber(line, report);
    add(line, "  worker ", json_member_text(report, "worker"));
    add(line, " of ", json_member_text(report, "workers"));
    report_reason(&reason, report, REASON_COLUMNS);
    if (reason.length > 0) text_writer_words(line, "  ");
    text_writer_raw(line, text_writer_text(&reason));
    text_writer_free(&reason);
}

static void add_tick(struct text_writer *line, int64_t at_ms, const json_t *tick)
{
    add_time(line, at_ms);
    add(line, "  tick of ", json_member_text(tick, "owner"));
    text_writer_format(line, "  epoch %" JSON_INTEGER_FORMAT ", number %" JSON_INTEGER_FORMAT,
                       json_member_number(tick, "epoch", 0), json_member_number(tick, "number", 0));
}

static void add_raw(struct text_writer *line, int64_t at_ms, struct text record)
{
    add_time(line, at_ms);
    text_writer_words(line, "  ");
    if (record.length == 0) text_writer_words(line, "-");
    text_escape(line, record.bytes, record.length);
}

static json_t *parse(struct text record)
{
    return record.length == 0 ? NULL : json_loadb(record.bytes, record.length, 0, NULL);
}

void report_lines(struct text_writer *out, int64_t at_ms, struct text record)
{
    json_t *value = parse(record);
    const json_t *tick = json_object_get(value, "tick");
    if (tick != NULL) add_tick(out, at_ms, tick);
    else if (json_is_object(value)) add_report(out, at_ms, value);
    else if (json_array_size(value) == 0) add_raw(out, at_ms, record);
    for (size_t i = 0; i < json_array_size(value); i++)
        add_report(out, at_ms, json_array_get(value, i));
    json_decref(value);
    assert(out->length > 0);
}

void cancel_line(struct text_writer *out, int64_t at_ms, struct text record)
{
    json_t *value = parse(record);
    if (json_is_object(value)) {
        add_time(out, at_ms);
        add(out, "  ", json_member_text(value, "group"));
        add(out, "/", json_member_text(value, "id"));
        add(out, "  stop ", json_member_text(value, "run"));
        add_runnumber(out, value);
    } else {
        add_raw(out, at_ms, record);
    }
    json_decref(value);
}

static struct text payload_of(const rd_kafka_message_t *message)
{
    return (struct text){message->payload, message->payload == NULL ? 0 : message->len};
}

void tail_line_reports(struct text_writer *line, const rd_kafka_message_t *message,
                       const json_t *value)
{
    (void)value;
    report_lines(line, rd_kafka_message_timestamp(message, NULL), payload_of(message));
}

void tail_line_cancel(struct text_writer *line, const rd_kafka_message_t *message,
                      const json_t *value)
{
    (void)value;
    cancel_line(line, rd_kafka_message_timestamp(message, NULL), payload_of(message));
}
