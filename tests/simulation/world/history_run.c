/* What an output says of a run: attributes of a fire, members of an event, of run/<k>, of a request
 * to stop, of the letter of a run that has failed. */
#include <stdio.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/history.h"
#include "tests/simulation/world/json_scan.h"

const struct run_said *history_run(const struct history *history, const struct output *output)
{
    return output->run == 0 ? NULL : &history->runs[output->run - 1];
}

static void copy(char *to, size_t bytes, struct text text)
{
    (void)snprintf(to, bytes, "%.*s", (int)text.length, text.length == 0 ? "" : text.bytes);
}

/* "5m", "90s", "1500ms", "1h30m": the units of a record. */
static int64_t duration_ms(struct text text)
{
    int64_t total_ms = 0;
    size_t at = 0;
    while (at < text.length) {
        int64_t number = 0;
        for (; at < text.length && text.bytes[at] >= '0' && text.bytes[at] <= '9'; at++)
            number = number * 10 + (text.bytes[at] - '0');
        if (at == text.length) break;
        bool milli = text.bytes[at] == 'm' && at + 1 < text.length && text.bytes[at + 1] == 's';
        char unit = milli ? 'i' : text.bytes[at];
        at += milli ? 2 : 1;
        int64_t factor_ms = 1;
        if (unit == 's') factor_ms = 1000;
        if (unit == 'm') factor_ms = 60000;
        if (unit == 'h') factor_ms = 3600000;
        if (unit == 'd') factor_ms = 86400000;
        total_ms += number * factor_ms;
    }
    return total_ms;
}

/* A number as it stands, or as text. */
static int64_t number_of(struct text value, const char *mark)
{
    struct text rest = scan_after(value, mark);
    if (rest.length > 0 && rest.bytes[0] == '"')
        rest = (struct text){rest.bytes + 1, rest.length - 1};
    return rest.length == 0 ? 0 : scan_number(rest, "", 0);
}

static int64_t instant_of(struct text value, const char *mark)
{
    int64_t at_ms = scan_instant(value, mark);
    return at_ms == INT64_MIN ? 0 : at_ms;
}

/* The newest of those that have ended is the last. */
static void read_tries(struct run_said *run, struct text tries)
{
    struct text last = {NULL, 0};
    for (struct text rest = tries; (rest = scan_after(rest, "{\"runnumber\":")).length > 0;)
        last = rest;
    if (last.length == 0) return;
    run->ended_runnumber = scan_number(last, "", 0);
    run->ended_ms = instant_of(last, "\"ended_at\":\"");
    run->ended_released = scan_after(last, "\"released\":true").length > 0;
    copy(run->outcome, sizeof run->outcome, scan_text(last, "\"outcome\":\""));
}

static void read_record(struct run_said *run, struct text value)
{
    run->free = scan_after(value, "\"free\":true").length > 0;
    struct text tries = scan_after(value, "\"tries\":[");
    struct text head = {value.bytes, value.length - tries.length};
    copy(run->state, sizeof run->state, scan_text(head, "\"state\":\""));
    copy(run->workers, sizeof run->workers, scan_text(head, "\"workers\":\""));
    run->first_runnumber = number_of(head, "\"first_runnumber\":");
    run->runnumber = number_of(head, ",\"runnumber\":");
    run->number = number_of(head, "\"try\":");
    run->counted = number_of(head, "\"counted\":");
    run->released = number_of(head, "\"released\":");
    run->lost_in_a_row = number_of(head, "\"lost_in_a_row\":");
    run->fired_ms = instant_of(head, "\"fired_at\":\"");
    run->retry_ms = instant_of(head, "\"retry_at\":\"");
    run->expiry_ms = instant_of(head, "\"expires_at\":\"");
    run->lease_ms = duration_ms(scan_text(head, "\"lease\":\""));
    run->cancel_asked = scan_after(head, "\"cancel_asked\":true").length > 0;
    read_tries(run, tries);
}

/* A payload stands behind all of it. */
static void read_fire(struct run_said *run, struct text value)
{
    struct text head = {value.bytes, value.length - scan_after(value, "\"data\":").length};
    copy(run->id, sizeof run->id, scan_text(head, "\"id\":\""));
    copy(run->workers, sizeof run->workers, scan_text(head, "\"workers\":\""));
    run->runnumber = number_of(head, "\"runnumber\":");
    run->lease_ms = number_of(head, "\"leasems\":");
    run->expiry_ms = instant_of(head, "\"expirytime\":\"");
    run->number = number_of(head, "\"try\":");
}

/* "failure, exit code 2: no such table", or the word alone */
static void read_event(struct run_said *run, struct text value)
{
    struct text detail = scan_text(value, "\"detail\":\"");
    for (size_t i = 0; i < detail.length; i++)
        if (detail.bytes[i] == ',' || detail.bytes[i] == ':') detail.length = i;
    copy(run->id, sizeof run->id, scan_text(value, "\"run\":\""));
    copy(run->outcome, sizeof run->outcome, detail);
    run->runnumber = number_of(value, "\"runnumber\":");
}

static void read_letter(struct run_said *run, struct text value)
{
    struct text record = scan_after(value, "\"record\":");
    struct text head = {value.bytes, value.length - record.length};
    copy(run->id, sizeof run->id, scan_text(head, "\"run\":\""));
    copy(run->outcome, sizeof run->outcome, scan_text(head, "\"outcome\":\""));
    run->runnumber = number_of(head, "\"runnumber\":");
}

void history_read_run(struct history *history, struct output *output, struct text value)
{
    struct run_said run = {0};
    switch (output->kind) {
    case OUTPUT_RUN: read_record(&run, value); break;
    case OUTPUT_FIRE: read_fire(&run, value); break;
    case OUTPUT_EVENT: read_event(&run, value); break;
    default: read_letter(&run, value); break;
    }
    if (run.runnumber == 0 && output->kind != OUTPUT_RUN) return;
    history->runs = memory_grow(history->runs, &history->run_capacity, history->run_count + 1,
                                sizeof *history->runs);
    history->runs[history->run_count++] = run;
    output->run = (uint32_t)history->run_count;
}
