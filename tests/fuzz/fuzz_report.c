/* Any bytes as a record of <cluster>.runs (first byte even) or as a run's record (odd). A run or a
 * tick that is read and written is read again as the same; a report that is read is in bounds. */
#include <stdint.h>
#include <stdlib.h>

#include "schemas/report_json.h"
#include "schemas/run_json.h"
#include "schemas/run_tick_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

static void check_report(const struct report *report)
{
    bool ended = report->kind == REPORT_ENDED;
    require(report->run.length > 0 && report->run.length <= RUN_ID_BYTES_MAX);
    require(report->runnumber > 0);
    require(report->token.length <= RUN_TOKEN_BYTES_MAX);
    require(ended || (report->token.length > 0 && report->workers.length > 0));
    require(!ended || run_outcome_sayer(report->outcome) == RUN_SAID_BY_WORKER);
    require((report->kind == REPORT_STARTED) == (report->topic.length > 0));
    require(ended || (report->exit_code == -1 && report->signal == 0));
    require(report->exit_code == -1 || report->signal == 0);
    require(report->error_message.length <= RUN_ERROR_BYTES_MAX);
    require(report->output.length <= RUN_OUTPUT_BYTES_MAX);
    require(report->result.length <= RUN_RESULT_BYTES_MAX);
    require(report->cursor.length <= RUN_CURSOR_BYTES_MAX);
    require(report->retry_after_ms >= -1 && report->retry_after_ms <= RETRY_DELAY_MAX_MS);
}

/* A good report is what it seems at a glance. */
static void check_seen(const struct report *seen, const struct report *report)
{
    require(seen->kind == report->kind && seen->runnumber == report->runnumber);
    require(seen->kind != REPORT_ENDED || seen->outcome == report->outcome);
    require(text_equal(seen->run, report->run) && text_equal(seen->workers, report->workers));
}

static void read_reports(struct text value, struct arena *arena)
{
    struct report_reader reader;
    struct report report;
    struct error error = {0};
    size_t count = 0;
    if (!reports_open(value, &reader, &error)) {
        require(error.kind == ERROR_INVALID && error.code == CODE_BAD_REPORT);
        return;
    }
    for (;;) {
        struct report seen;
        bool is_clear = reports_glance(&reader, &seen);
        struct text behind = reader.behind;
        if (!reports_next(&reader, arena, &report, &error)) break;
        count++;
        if (is_clear && reader.array) require(reader.rest.bytes == behind.bytes);
        if (error.kind == ERROR_NONE && is_clear) check_seen(&seen, &report);
        if (error.kind == ERROR_NONE) check_report(&report);
        else require(error.code == CODE_BAD_REPORT && error.message[0] != '\0');
    }
    require(count > 0 && count <= REPORTS_MAX);
}

/* One round: reads `value`, writes it to `writer`; false when it is refused. */
static bool tick_trip(struct text value, struct arena *arena, struct text_writer *writer)
{
    struct error error = {0};
    struct run_tick tick;
    arena_reset(arena);
    bool read = run_tick_decode(value, arena, &tick, &error);
    require(read == (error.kind == ERROR_NONE));
    if (read) run_tick_encode(writer, &tick);
    return read;
}

static bool run_trip(struct text value, struct arena *arena, struct text_writer *writer)
{
    struct error error = {0};
    struct run_record record;
    bool open = false;
    arena_reset(arena);
    bool read = run_record_decode(value, arena, &record, &open, &error);
    require(read == (error.kind == ERROR_NONE));
    if (read && open) run_record_encode(writer, &record);
    if (read && !open) run_record_encode_free(writer);
    return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct text value = {(const char *)data + 1, size - 1};
    struct arena *arena = arena_create();
    struct text_writer first;
    struct text_writer second;
    text_writer_init(&first);
    text_writer_init(&second);
    bool is_run = data[0] % 2 == 1;
    bool (*trip)(struct text, struct arena *, struct text_writer *) = is_run ? run_trip : tick_trip;
    if (!is_run && !run_tick_is(value)) {
        read_reports(value, arena);
    } else if (trip(value, arena, &first)) {
        require(trip(text_writer_text(&first), arena, &second));
        require(text_equal(text_writer_text(&first), text_writer_text(&second)));
    }
    text_writer_free(&first);
    text_writer_free(&second);
    arena_destroy(arena);
    return 0;
}
