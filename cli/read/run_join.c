#include "cli/read/run_join.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "lib/base/arguments.h"
#include "lib/base/error.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/model/output.h"
#include "lib/model/run.h"
#include "lib/model/run_id.h"
#include "schemas/report_json.h"

enum {
    KEY_BYTES = RUN_ID_BYTES_MAX + 8,
    CLAIMS_KEPT = 8,      /* of one try: who said `started`, and perhaps got no further */
    MESSAGE_BYTES = 512,  /* of a line that shows no outputs */
    INCARNATIONS_MAX = 64
};

/* Members of a line that are for the join only. */
#define ORDER ".order"   /* when it was first heard of, ms */
#define CLAIMS ".claims" /* token -> {at, worker} */
#define TOKEN ".token"   /* whose the try is */
#define EXPIRY ".expiry" /* ms */

struct run_join {
    json_t *lines; /* key -> line */
    json_t *incarnations;
    struct arena *arena;
    size_t most;
    bool outputs;
    bool cut;
    int64_t cut_ms; /* no line is as old as this one */
    int64_t least;  /* runnumbers below it are of lines that were left out */
};

struct run_join *run_join_create(size_t most, bool outputs)
{
    assert(most > 0);
    struct run_join *join = memory_allocate(1, sizeof *join);
    *join = (struct run_join){.lines = json_object(), .incarnations = json_object(),
                              .arena = arena_create(), .most = most, .outputs = outputs,
                              .cut_ms = INT64_MIN};
    return join;
}

void run_join_destroy(struct run_join *join)
{
    if (join == NULL) return;
    json_decref(join->lines);
    json_decref(join->incarnations);
    arena_destroy(join->arena);
    free(join);
}

bool run_join_is_cut(const struct run_join *join)
{
    return join->cut;
}

/* ---- members ---- */

static void set_number(json_t *line, const char *name, int64_t number)
{
    (void)json_object_set_new(line, name, json_integer(number));
}

static void copy_member(json_t *line, const char *name, const json_t *source, const char *from)
{
    json_t *value = json_object_get(source, from);
    if (value != NULL && !json_is_null(value)) (void)json_object_set(line, name, value);
}

/* ---- lines ---- */

struct aged {
    int64_t order_ms;
    int64_t runnumber;
    const char *key;
};

static int compare_aged(const void *left, const void *right)
{
    const struct aged *a = left;
    const struct aged *b = right;
    if (a->order_ms != b->order_ms) return a->order_ms < b->order_ms ? -1 : 1;
    if (a->runnumber != b->runnumber) return a->runnumber < b->runnumber ? -1 : 1;
    return strcmp(a->key, b->key);
}

static int64_t runnumber_of(const json_t *line)
{
    int64_t number = 0;
    const char *text = json_member_text(line, "runnumber");
    return text != NULL && number_parse(text, 1, INT64_MAX, &number) ? number : 0;
}

/* All lines by age; the keys are borrowed. */
static struct aged *by_age(const struct run_join *join, size_t *count)
{
    struct aged *aged = memory_allocate(json_object_size(join->lines) + 1, sizeof *aged);
    const char *key = NULL;
    json_t *line = NULL;
    *count = 0;
    json_object_foreach(join->lines, key, line)
        aged[(*count)++] = (struct aged){json_member_number(line, ORDER, 0), runnumber_of(line),
                                         key};
    if (*count > 1) qsort(aged, *count, sizeof *aged, compare_aged);
    return aged;
}

/* Drops the oldest lines beyond `most`. */
static void cut_lines(struct run_join *join)
{
    size_t count = 0;
    struct aged *aged = by_age(join, &count);
    for (size_t i = 0; i + join->most < count; i++) {
        join->cut = true;
        if (aged[i].order_ms > join->cut_ms) join->cut_ms = aged[i].order_ms;
        if (aged[i].runnumber >= join->least) join->least = aged[i].runnumber + 1;
        (void)json_object_del(join->lines, aged[i].key);
    }
    free(aged);
}

/* The line of that key; a new one where there is none, but NULL for one that would be too old.
 *   runnumber  0: it is not a try's */
static json_t *line_of(struct run_join *join, const char *key, int64_t order_ms, int64_t runnumber)
{
    json_t *line = json_object_get(join->lines, key);
    if (line != NULL) return line;
    if (order_ms <= join->cut_ms || (runnumber > 0 && runnumber < join->least)) return NULL;
    if (json_object_size(join->lines) >= 2 * join->most + 64) cut_lines(join);
    line = json_object();
    set_number(line, ORDER, order_ms);
    (void)json_object_set_new(join->lines, key, line);
    return line;
}

/* A try is known by its runnumber, which no other of the shard has; a fire of a job without a
 * lease by its id. */
static void key_of(char key[KEY_BYTES], int64_t runnumber, const char *run)
{
    if (runnumber > 0) (void)snprintf(key, KEY_BYTES, "#%" PRId64, runnumber);
    else (void)snprintf(key, KEY_BYTES, "@%s", run);
}

static int64_t number_member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    int64_t number = 0;
    if (json_is_integer(value)) return json_integer_value(value);
    if (json_is_string(value)) (void)number_parse(json_string_value(value), 0, INT64_MAX, &number);
    return number;
}

void run_join_incarnation(struct run_join *join, const char *incarnation)
{
    if (incarnation == NULL || json_object_size(join->incarnations) >= INCARNATIONS_MAX) return;
    (void)json_object_set_new(join->incarnations, incarnation, json_true());
}

void run_join_begin(struct run_join *join, const json_t *fire)
{
    join->cut = true;
    join->least = number_member(fire, "runnumber");
}

/* ---- fires ---- */

void run_join_fire(struct run_join *join, const json_t *fire)
{
    char key[KEY_BYTES];
    const char *run = json_member_text(fire, "id");
    int64_t fired_ms = 0;
    int64_t expiry_ms = 0;
    int64_t runnumber = number_member(fire, "runnumber");
    if (run == NULL || strlen(run) > RUN_ID_BYTES_MAX || !json_member_ms(fire, "time", &fired_ms))
        return;
    run_join_incarnation(join, json_member_text(fire, "jobincarnation"));
    key_of(key, runnumber, run);
    json_t *line = line_of(join, key, fired_ms, runnumber);
    if (line == NULL) return;
    copy_member(line, "run", fire, "id");
    json_set_runnumber(line, runnumber);
    if (json_object_get(fire, "try") != NULL) set_number(line, "try", number_member(fire, "try"));
    copy_member(line, "kind", fire, "firekind");
    copy_member(line, "due", fire, "dueat");
    copy_member(line, "fired_at", fire, "time");
    copy_member(line, "workers", fire, "workers");
    if (json_member_ms(fire, "expirytime", &expiry_ms)) set_number(line, EXPIRY, expiry_ms);
}

/* ---- reports ---- */

/* Whether the run is one of the job's: it is of one of its lives. */
static bool is_ours(const struct run_join *join, const struct run_identity *identity)
{
    char incarnation[INCARNATION_TEXT_BYTES];
    (void)incarnation_format(&identity->incarnation, incarnation);
    return json_object_get(join->incarnations, incarnation) != NULL;
}

/* The line of the try that the report is about; NULL: it says nothing that counts here. */
static json_t *line_of_report(struct run_join *join, const struct report *report,
                              int64_t appended_ms)
{
    char key[KEY_BYTES];
    char run[RUN_ID_BYTES_MAX + 1];
    struct run_identity identity;
    if (report->run.length >= sizeof run || !run_id_parse(report->run, &identity) ||
        !is_ours(join, &identity))
        return NULL;
    memcpy(run, report->run.bytes, report->run.length);
    run[report->run.length] = '\0';
    key_of(key, 0, run);
    if (json_object_get(join->lines, key) == NULL) key_of(key, report->runnumber, run);
    json_t *line = line_of(join, key, appended_ms, report->runnumber);
    if (line == NULL) return NULL;
    const char *known = json_member_text(line, "run");
    const char *workers = json_member_text(line, "workers");
    if (known == NULL) {
        json_set_text(line, "run", report->run);
        json_set_runnumber(line, report->runnumber);
        json_set_text(line, "workers", report->workers);
        json_set_instant(line, "due", identity.nominal_ms); /* its fire may not be known any more */
    } else if (strcmp(known, run) != 0) {
        return NULL;
    }
    bool others = workers != NULL && report->workers.length > 0 &&
                  !text_equal(report->workers, text_of(workers));
    return others ? NULL : line;
}

static void note_started(json_t *line, const struct report *report, int64_t appended_ms)
{
    char token[RUN_TOKEN_BYTES_MAX + 1];
    json_t *claims = json_object_get(line, CLAIMS);
    const json_t *expiry = json_object_get(line, EXPIRY);
    bool late = expiry != NULL && appended_ms >= json_integer_value(expiry);
    if (late || report->token.length >= sizeof token) return;
    if (claims == NULL) {
        claims = json_object();
        (void)json_object_set_new(line, CLAIMS, claims);
    }
    (void)snprintf(token, sizeof token, "%.*s", (int)report->token.length, report->token.bytes);
    if (json_object_get(claims, token) != NULL || json_object_size(claims) >= CLAIMS_KEPT) return;
    json_t *claim = json_pack("{s:I}", "at", (json_int_t)appended_ms);
    json_set_text(claim, "worker", report->worker);
    (void)json_object_set_new(claims, token, claim);
    if (json_object_get(line, TOKEN) == NULL) json_set_text(line, "worker", report->worker);
}

static void set_said(const struct run_join *join, json_t *line, const struct report *report)
{
    struct text message = report->error_message;
    if (report->exit_code >= 0) set_number(line, "exit_code", report->exit_code);
    if (report->signal > 0) set_number(line, "signal", report->signal);
    if (!join->outputs && message.length > MESSAGE_BYTES) {
        message.length = MESSAGE_BYTES; /* not within a character */
        while (((unsigned char)message.bytes[message.length] & 0xc0) == 0x80) message.length--;
    }
    if (report->error_code.length > 0 || message.length > 0) {
        json_t *error = json_object();
        json_set_text(error, "code", report->error_code);
        json_set_text(error, "message", message);
        (void)json_object_set_new(line, "error", error);
    }
    if (join->outputs) json_set_text(line, "output", report->output);
}

/* The first end that is reported is the end. */
static void note_report(const struct run_join *join, json_t *line, const struct report *report,
                        int64_t appended_ms)
{
    if (json_object_get(line, "outcome") != NULL) return;
    if (report->kind == REPORT_STARTED) {
        note_started(line, report, appended_ms);
        return;
    }
    json_set_text(line, TOKEN, report->token);
    json_set_text(line, "worker", report->worker);
    if (report->kind == REPORT_RUNNING) return;
    json_set_text(line, "outcome", text_of(report_word(report->kind, report->outcome)));
    json_set_instant(line, "ended_at", appended_ms);
    set_said(join, line, report);
}

void run_join_reports(struct run_join *join, struct text record, int64_t appended_ms)
{
    struct report_reader reader;
    struct report report;
    struct error error = {0};
    if (!reports_open(record, &reader, &error)) return;
    while (reports_next(&reader, join->arena, &report, &error)) {
        if (error.kind != ERROR_NONE) continue;
        json_t *line = line_of_report(join, &report, appended_ms);
        if (line != NULL) note_report(join, line, &report, appended_ms);
    }
}

/* ---- the owner's word ---- */

/* `outcome` is said by the owner of the shard: it goes before what a report says. */
static void set_owners(json_t *line, const char *outcome, const char *from)
{
    const char *known = json_member_text(line, "outcome");
    if (known != NULL && strcmp(known, outcome) == 0) return;
    (void)json_object_set_new(line, "outcome", json_string(outcome));
    (void)json_object_set_new(line, "outcome_from", json_string(from));
}

/* "failure, exit code 2: ...": the first word, where it is an outcome of a try. */
static void set_outcome_of_detail(json_t *line, const json_t *event)
{
    const char *detail = json_member_text(event, "detail");
    enum run_outcome outcome;
    struct text word = {detail, detail == NULL ? 0 : strcspn(detail, " ,:;(")};
    if (word.length == 0 || !run_outcome_find(word, &outcome)) return;
    if (json_object_get(line, "ended_at") == NULL) copy_member(line, "ended_at", event, "at");
    set_owners(line, run_outcome_word(outcome == RUN_POISON ? RUN_LOST : outcome), "event");
}

static void add_skipped(struct run_join *join, const json_t *event)
{
    char key[KEY_BYTES];
    int64_t at_ms = 0;
    int64_t first_ms = 0;
    if (!json_member_ms(event, "at", &at_ms) || !json_member_ms(event, "first", &first_ms)) return;
    (void)snprintf(key, sizeof key, "-%" PRId64 "/%" PRId64, at_ms, first_ms);
    json_t *line = line_of(join, key, first_ms, 0);
    if (line == NULL) return;
    json_set_text(line, "outcome", text_of(event_kind_name(EVENT_SKIPPED)));
    copy_member(line, "reason", event, "reason");
    copy_member(line, "due", event, "first");
    copy_member(line, "last", event, "last");
    copy_member(line, "count", event, "count");
    copy_member(line, "run", event, "run");
}

static bool is_word(const char *word, const char *other)
{
    return word != NULL && strcmp(word, other) == 0;
}

void run_join_event(struct run_join *join, const json_t *event)
{
    char key[KEY_BYTES];
    const char *kind = json_member_text(event, "event");
    const char *reason = json_member_text(event, "reason");
    int64_t runnumber = number_member(event, "runnumber");
    if (is_word(kind, event_kind_name(EVENT_SKIPPED))) {
        if (is_word(reason, event_reason_word(REASON_OVERLAP)) ||
            is_word(reason, event_reason_word(REASON_BUFFER_FULL)))
            add_skipped(join, event);
        return;
    }
    if (runnumber == 0) return;
    key_of(key, runnumber, "");
    json_t *line = json_object_get(join->lines, key);
    if (line == NULL) return;
    if (is_word(kind, event_kind_name(EVENT_LATE_SUCCESS))) {
        (void)json_object_set_new(line, "late_success", json_true());
        set_owners(line, run_outcome_word(RUN_LOST), "event");
    }
    if (is_word(kind, event_kind_name(EVENT_RUN_DOUBLED)))
        (void)json_object_set_new(line, "doubled", json_true());
    if (!is_word(kind, event_kind_name(EVENT_RUN_FAILED))) return;
    (void)json_object_set_new(line, "failed", json_true());
    set_outcome_of_detail(line, event);
}

/* A try that has ended, as the record of its run has it. */
static void take_try(struct run_join *join, const json_t *tried)
{
    char key[KEY_BYTES];
    int64_t ended_ms = 0;
    const char *outcome = json_member_text(tried, "outcome");
    key_of(key, number_member(tried, "runnumber"), "");
    json_t *line = json_object_get(join->lines, key);
    if (line == NULL || outcome == NULL) return;
    set_owners(line, outcome, "record");
    if (json_object_get(line, "ended_at") == NULL && json_member_ms(tried, "ended_at", &ended_ms))
        copy_member(line, "ended_at", tried, "ended_at");
}

void run_join_open(struct run_join *join, const json_t *view)
{
    char key[KEY_BYTES];
    int64_t fired_ms = 0;
    const json_t *tries = json_object_get(view, "tries");
    for (size_t i = 0; i < json_array_size(tries); i++) take_try(join, json_array_get(tries, i));
    if (!json_member_ms(view, "fired_at", &fired_ms)) return;
    int64_t runnumber = number_member(view, "runnumber");
    key_of(key, runnumber, "");
    json_t *line = line_of(join, key, fired_ms, runnumber);
    if (line == NULL) return;
    static const char *const members[] = {"run", "runnumber", "try", "kind", "due", "fired_at",
                                          "workers"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        copy_member(line, members[i], view, members[i]);
    (void)json_object_set_new(line, "open", json_true());
    if (json_object_get(line, CLAIMS) == NULL) {
        copy_member(line, "worker", view, "worker");
        copy_member(line, "claimed_at", view, "started_at");
    }
}

/* ---- the end ---- */

/* Whose claim it was: of whoever reported more than `started`, else the last that did. */
static void settle_claim(json_t *line)
{
    const json_t *claims = json_object_get(line, CLAIMS);
    const char *token = json_member_text(line, TOKEN);
    const char *key = NULL;
    json_t *claim = NULL;
    json_t *chosen = token == NULL ? NULL : json_object_get(claims, token);
    if (token == NULL)
        json_object_foreach((json_t *)(uintptr_t)claims, key, claim)
            if (chosen == NULL || json_member_number(claim, "at", 0) >
                                      json_member_number(chosen, "at", 0))
                chosen = claim;
    if (chosen == NULL) return;
    json_set_instant(line, "claimed_at", json_member_number(chosen, "at", 0));
    copy_member(line, "worker", chosen, "worker");
}

static void settle_line(json_t *line)
{
    static const char *const inner[] = {ORDER, CLAIMS, TOKEN, EXPIRY};
    int64_t begun_ms = 0;
    int64_t ended_ms = 0;
    settle_claim(line);
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
        (void)json_object_del(line, inner[i]);
    bool begun = json_member_ms(line, "claimed_at", &begun_ms) ||
                 json_member_ms(line, "fired_at", &begun_ms);
    if (begun && json_member_ms(line, "ended_at", &ended_ms))
        set_number(line, "duration_ms", ended_ms - begun_ms);
}

/* A try of which nobody has said an end, and which was followed by another one of its run. */
static void infer_end(json_t *line, json_t *next_of_run)
{
    const char *run = json_member_text(line, "run");
    bool ended = json_object_get(line, "outcome") != NULL;
    if (run == NULL || runnumber_of(line) == 0) return;
    if (!ended && json_object_get(next_of_run, run) != NULL) {
        bool claimed = json_object_get(line, "claimed_at") != NULL;
        set_owners(line, run_outcome_word(claimed ? RUN_LOST : RUN_NOT_STARTED), "next_try");
    }
    (void)json_object_set_new(next_of_run, run, json_true());
}

json_t *run_join_finish(struct run_join *join)
{
    size_t count = 0;
    json_t *lines = json_array();
    json_t *next_of_run = json_object();
    cut_lines(join);
    struct aged *aged = by_age(join, &count);
    for (size_t i = 0; i < count; i++) settle_line(json_object_get(join->lines, aged[i].key));
    for (size_t i = count; i-- > 0;)
        infer_end(json_object_get(join->lines, aged[i].key), next_of_run);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append(lines, json_object_get(join->lines, aged[i].key));
    json_decref(next_of_run);
    free(aged);
    return lines;
}
