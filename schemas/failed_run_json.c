#include "schemas/failed_run_json.h"

#include <assert.h>

#include "schemas/run_json.h"

static void write_text(struct text_writer *writer, const char *name, struct text text)
{
    if (text.length == 0) return;
    text_writer_member(writer, name);
    text_writer_string(writer, text);
}

static void write_instant(struct text_writer *writer, const char *name, int64_t instant_ms)
{
    text_writer_member(writer, name);
    text_writer_instant(writer, instant_ms);
}

/* All that the worker said: the record has it shortened. */
static void write_report(struct text_writer *writer, const struct report *report)
{
    if (report->exit_code >= 0) {
        text_writer_member(writer, "exit_code");
        text_writer_integer(writer, report->exit_code);
    }
    if (report->signal > 0) {
        text_writer_member(writer, "signal");
        text_writer_integer(writer, report->signal);
    }
    if (report->error_code.length > 0 || report->error_message.length > 0) {
        text_writer_member(writer, "error");
        text_writer_char(writer, '{');
        write_text(writer, "code", report->error_code);
        write_text(writer, "message", report->error_message);
        text_writer_char(writer, '}');
    }
    write_text(writer, "output", report->output);
    if (report->result.length == 0) return;
    text_writer_member(writer, "result");
    text_writer_raw(writer, report->result);
}

void failed_run_encode(struct text_writer *writer, const struct failed_run *failed)
{
    assert(writer != NULL && failed != NULL && failed->record != NULL);
    const struct run_record *record = failed->record;
    size_t start = writer->length;
    text_writer_char(writer, '{');
    write_text(writer, "run", failed->run);
    text_writer_words(writer, ",\"runnumber\":\""); /* text, as the fire has it */
    text_writer_integer(writer, record->runnumber);
    text_writer_char(writer, '"');
    write_text(writer, "group", record->group);
    write_text(writer, "id", record->id);
    write_text(writer, "outcome", text_of(run_outcome_word(failed->outcome)));
    write_instant(writer, "ended_at", failed->ended_ms);
    if (failed->report != NULL) write_report(writer, failed->report);
    text_writer_words(writer, ",\"record\":");
    run_record_encode(writer, record);
    text_writer_char(writer, '}');
    assert(writer->length - start <= FAILED_RUN_BYTES_MAX);
}
