#include "cli/read/dead_letters.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/show/tail_line.h"
#include "lib/base/json_scan.h"
#include "lib/base/memory.h"

static const char *const kind_words[] = {
    [DEAD_COMMAND] = "command", [DEAD_REPORT] = "report", [DEAD_RUN] = "run"};
enum { KINDS = sizeof kind_words / sizeof kind_words[0] };

const char *dead_kind_word(enum dead_kind kind)
{
    assert((size_t)kind < KINDS);
    return kind_words[kind];
}

/* ---- which ones are meant ---- */

static bool read_place(struct dead_place *place, const char *word, struct error *error)
{
    char text[3][24] = {"", "", ""};
    int64_t numbers[3] = {0, 0, 0};
    char rest = '\0';
    int parts = sscanf(word, "%20[0-9]/%20[0-9]-%20[0-9]%c", text[0], text[1], text[2], &rest);
    bool read = parts == 3 || (parts == 2 && strspn(word, "0123456789/") == strlen(word));
    for (int i = 0; read && i < parts; i++)
        read = number_parse(text[i], 0, i == 0 ? INT32_MAX : INT64_MAX, &numbers[i]);
    *place = (struct dead_place){(int32_t)numbers[0], numbers[1],
                                 parts == 3 ? numbers[2] : numbers[1]};
    if (read && place->first <= place->last) return true;
    return error_invalid(error, CODE_USAGE, "\"%.60s\" is no PARTITION/OFFSET and no "
                         "PARTITION/FIRST-LAST; belfry dead list shows them", word);
}

static bool check_kind(const char *kind, struct error *error)
{
    for (int i = 0; i < KINDS; i++)
        if (kind == NULL || strcmp(kind, kind_words[i]) == 0) return true;
    return error_invalid(error, CODE_USAGE, "--kind %.40s: command, report or run", kind);
}

static bool read_ages(struct dead_filter *filter, const struct arguments *arguments,
                      int64_t now_ms, struct error *error)
{
    int64_t older_ms = -1;
    int64_t newer_ms = -1;
    if (!arguments_duration(arguments, "older", &older_ms, error) ||
        !arguments_duration(arguments, "newer", &newer_ms, error))
        return false;
    if (older_ms >= 0) filter->before_ms = now_ms - older_ms;
    if (newer_ms >= 0) filter->after_ms = now_ms - newer_ms;
    return true;
}

struct dead_filter dead_filter_any(void)
{
    return (struct dead_filter){.before_ms = INT64_MAX, .after_ms = INT64_MIN, .most = -1};
}

bool dead_filter_read(struct dead_filter *filter, struct dead_place **places,
                      const struct arguments *arguments, size_t first, int64_t now_ms,
                      struct error *error)
{
    *filter = dead_filter_any();
    filter->group = arguments_value(arguments, "group");
    filter->id = arguments_value(arguments, "id");
    filter->code = arguments_value(arguments, "code");
    filter->kind = arguments_value(arguments, "kind");
    filter->acknowledged = arguments_has(arguments, "acknowledged");
    *places = NULL;
    if (!check_kind(filter->kind, error) || !read_ages(filter, arguments, now_ms, error) ||
        !arguments_number(arguments, "count", 1, INT64_MAX, &filter->most, error))
        return false;
    size_t words = arguments->positional_count;
    if (words <= first) return true;
    *places = memory_allocate(words - first, sizeof **places);
    for (size_t i = first; i < words; i++)
        if (!read_place(&(*places)[i - first], arguments->positionals[i], error)) return false;
    filter->places = *places;
    filter->place_count = words - first;
    return true;
}

bool dead_filter_must_name(const struct dead_filter *filter, const struct arguments *arguments,
                           struct error *error)
{
    bool all = arguments_has(arguments, "all");
    bool some = filter->places != NULL || filter->group != NULL || filter->id != NULL ||
                filter->code != NULL || filter->kind != NULL || filter->before_ms != INT64_MAX ||
                filter->after_ms != INT64_MIN;
    if (all != some) return true;
    return error_invalid(error, CODE_USAGE, "which dead letters? PARTITION/OFFSET..., --group, "
                         "--id, --code, --kind, --older or --newer, or --all of them");
}

static bool is_at(const struct dead_place *places, size_t count, int32_t partition, int64_t offset)
{
    for (size_t i = 0; i < count; i++)
        if (places[i].partition == partition && places[i].first <= offset &&
            offset <= places[i].last)
            return true;
    return false;
}

static bool fits(const char *wanted, struct text text)
{
    return wanted == NULL || text_equal(text, text_of(wanted));
}

static bool is_wanted(const struct dead_filter *filter, const struct dead_row *row)
{
    if (filter->places != NULL &&
        !is_at(filter->places, filter->place_count, row->partition, row->offset))
        return false;
    return fits(filter->group, row->group) && fits(filter->id, row->id) &&
           fits(filter->code, row->code) && fits(filter->kind, text_of(kind_words[row->kind])) &&
           row->at_ms <= filter->before_ms && row->at_ms >= filter->after_ms;
}

/* ---- what a letter says ---- */

/* What a JSON string says; empty where it is none. */
static void put_string(struct text_writer *out, struct text value, struct text *said)
{
    size_t at = out->length;
    if (value.length >= 2 && value.bytes[0] == '"') {
        struct text plain = {value.bytes + 1, value.length - 2};
        json_t *parsed = memchr(plain.bytes, '\\', plain.length) == NULL
                             ? NULL
                             : json_loadb(value.bytes, value.length, JSON_DECODE_ANY, NULL);
        if (parsed != NULL)
            plain = (struct text){json_string_value(parsed), json_string_length(parsed)};
        text_writer_raw(out, plain);
        json_decref(parsed);
    }
    *said = (struct text){NULL, out->length - at};
}

/* Members of a run's letter, as they stand in it; found in one pass. */
struct run_parts {
    struct text group;
    struct text id;
    struct text run;
    struct text outcome;
    struct text exit_code;
    struct text signal;
    struct text error;
    struct text record;
};

static void find_parts(struct run_parts *parts, struct text value)
{
    struct text name;
    struct text found;
    const struct {
        const char *name;
        struct text *part;
    } members[] = {
        {"group", &parts->group},         {"id", &parts->id},         {"run", &parts->run},
        {"outcome", &parts->outcome},     {"signal", &parts->signal}, {"error", &parts->error},
        {"exit_code", &parts->exit_code}, {"record", &parts->record}};
    while (json_scan_pair(&value, &name, &found))
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            if (text_equal(name, text_of(members[i].name))) *members[i].part = found;
}

/* "exit code 2: no such table", "signal 9: killed", "worker host-1/4242". */
static void put_why(struct text_writer *out, const struct run_parts *parts, struct text *said)
{
    static const char *const members[] = {"code", "message"};
    size_t at = out->length;
    struct text text;
    if (parts->exit_code.length > 0)
        text_writer_format(out, "exit code %.*s", (int)parts->exit_code.length,
                           parts->exit_code.bytes);
    if (parts->signal.length > 0)
        text_writer_format(out, "signal %.*s", (int)parts->signal.length, parts->signal.bytes);
    for (size_t i = 0; i < 2 && parts->error.length > 0; i++) {
        struct text member = json_scan_member(parts->error, members[i]);
        if (member.length <= 2) continue;
        if (out->length > at) text_writer_words(out, ": ");
        put_string(out, member, &text);
    }
    if (out->length == at) {
        struct text claim = json_scan_member(parts->record, "claim");
        struct text worker = json_scan_member(claim, "worker");
        if (worker.length > 2) text_writer_words(out, "worker ");
        put_string(out, worker, &text);
    }
    *said = (struct text){NULL, out->length - at};
}

static void describe_run(struct dead_row *row, struct text value, struct text_writer *out)
{
    struct run_parts parts = {0};
    find_parts(&parts, value);
    put_string(out, parts.group, &row->group);
    put_string(out, parts.id, &row->id);
    put_string(out, parts.run, &row->run);
    put_string(out, parts.outcome, &row->code);
    put_why(out, &parts, &row->message);
}

/* "must be an integer (at /runnumber)"; returns its length. */
static size_t write_refusal(struct text_writer *out, const struct dead_record *record)
{
    size_t at = out->length;
    text_writer_raw(out, record->message);
    if (record->field.length > 0)
        text_writer_format(out, " (at %.*s)", (int)record->field.length, record->field.bytes);
    return out->length - at;
}

/* A run says what it is about; of what was refused the headers do. */
static void describe(struct dead_row *row, const struct dead_record *record,
                     struct text_writer *out)
{
    text_writer_reset(out);
    if (row->kind == DEAD_RUN) {
        describe_run(row, record->value, out);
    } else {
        row->group = record->key;
        row->code = record->code;
        text_writer_raw(out, record->key);
        text_writer_raw(out, record->code);
        row->message.length = write_refusal(out, record);
    }
    row->bytes = memory_copy_text(out->bytes == NULL ? "" : out->bytes, out->length);
    struct text *const texts[] = {&row->group, &row->id, &row->run, &row->code, &row->message};
    char *at = row->bytes;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        texts[i]->bytes = at;
        at += texts[i]->length;
    }
}

static enum dead_kind kind_of(const struct dead_record *record)
{
    if (text_equal(record->code, text_of("run_failed"))) return DEAD_RUN;
    struct text runs = text_of(".runs");
    struct text topic = record->topic;
    bool report = topic.length > runs.length &&
                  memcmp(topic.bytes + topic.length - runs.length, runs.bytes, runs.length) == 0;
    return report ? DEAD_REPORT : DEAD_COMMAND;
}

/* ---- those that are dealt with ---- */

static bool note_done(struct dead_list *list, const struct dead_record *record)
{
    if (record->code.length > 0) return false; /* the one way to say so without a look inside */
    struct text named = json_scan_member(record->value, "acknowledged");
    if (named.length == 0) return false;
    json_t *ranges = json_loadb(named.bytes, named.length, 0, NULL);
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        const json_t *range = json_array_get(ranges, i);
        list->done = memory_grow(list->done, &list->done_capacity, list->done_count + 1,
                                 sizeof *list->done);
        list->done[list->done_count++] = (struct dead_place){
            record->partition, json_integer_value(json_array_get(range, 0)),
            json_integer_value(json_array_get(range, 1))};
    }
    json_decref(ranges);
    return true;
}

static int compare_done(const void *left, const void *right)
{
    const struct dead_place *a = left;
    const struct dead_place *b = right;
    if (a->partition != b->partition) return a->partition < b->partition ? -1 : 1;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return (a->last > b->last) - (a->last < b->last);
}

static int compare_rows(const void *left, const void *right)
{
    const struct dead_row *a = left;
    const struct dead_row *b = right;
    if (a->partition != b->partition) return a->partition < b->partition ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

int dead_rows_by_place(const void *left, const void *right)
{
    return compare_rows(*(const struct dead_row *const *)left,
                        *(const struct dead_row *const *)right);
}

static int compare_ages(const void *left, const void *right)
{
    const struct dead_row *a = left;
    const struct dead_row *b = right;
    if (a->at_ms != b->at_ms) return a->at_ms < b->at_ms ? -1 : 1;
    return compare_rows(left, right);
}

/* Rows and what is done are walked side by side, both in the order of their places. */
static void mark_done(struct dead_list *list)
{
    size_t at = 0;
    int64_t done_to = -1; /* the last one that a range begun so far reaches */
    int32_t partition = -1;
    for (size_t i = 0; i < list->count; i++) {
        struct dead_row *row = &list->rows[i];
        if (row->partition != partition) done_to = -1;
        partition = row->partition;
        for (; at < list->done_count; at++) {
            const struct dead_place *done = &list->done[at];
            if (done->partition > partition) break;
            if (done->partition < partition) continue;
            if (done->first > row->offset) break;
            if (done->last > done_to) done_to = done->last;
        }
        row->acknowledged = row->offset <= done_to;
    }
}

/* ---- the list ---- */

void dead_list_note(struct dead_list *list, const struct dead_filter *filter,
                    const struct dead_record *record)
{
    struct dead_row row = {.partition = record->partition,
                           .offset = record->offset,
                           .at_ms = record->at_ms,
                           .kind = kind_of(record)};
    if (note_done(list, record)) return;
    describe(&row, record, &list->scratch);
    if (!is_wanted(filter, &row)) {
        free(row.bytes);
        return;
    }
    list->rows = memory_grow(list->rows, &list->capacity, list->count + 1, sizeof *list->rows);
    list->rows[list->count++] = row;
}

static void sort(void *items, size_t count, size_t bytes,
                 int (*compare)(const void *, const void *))
{
    if (count > 1) qsort(items, count, bytes, compare);
}

static void keep_first(struct dead_list *list, size_t count)
{
    for (size_t i = count; i < list->count; i++) free(list->rows[i].bytes);
    list->count = count;
}

void dead_list_settle(struct dead_list *list, const struct dead_filter *filter)
{
    size_t kept = 0;
    sort(list->done, list->done_count, sizeof *list->done, compare_done);
    sort(list->rows, list->count, sizeof *list->rows, compare_rows);
    mark_done(list);
    for (size_t i = 0; i < list->count; i++) {
        if (list->rows[i].acknowledged && !filter->acknowledged) free(list->rows[i].bytes);
        else list->rows[kept++] = list->rows[i];
    }
    list->count = kept;
    sort(list->rows, list->count, sizeof *list->rows, compare_ages);
    if (filter->most >= 0 && (uint64_t)filter->most < list->count)
        keep_first(list, (size_t)filter->most);
    list->places = memory_allocate(list->count, sizeof *list->places);
    for (size_t i = 0; i < list->count; i++) list->places[i] = &list->rows[i];
    sort(list->places, list->count, sizeof *list->places, dead_rows_by_place);
}

const struct dead_row *dead_list_find(const struct dead_list *list, int32_t partition,
                                      int64_t offset)
{
    const struct dead_row wanted = {.partition = partition, .offset = offset};
    const struct dead_row *key = &wanted;
    if (list->count == 0) return NULL;
    const struct dead_row **found =
        bsearch(&key, list->places, list->count, sizeof *list->places, dead_rows_by_place);
    return found == NULL ? NULL : *found;
}

void dead_list_free(struct dead_list *list)
{
    keep_first(list, 0);
    free(list->places);
    free(list->rows);
    free(list->done);
    text_writer_free(&list->scratch);
    *list = (struct dead_list){0};
}

/* ---- reading ---- */

struct dead_scan {
    struct dead_list *list;
    const struct dead_filter *filter;
};

/* A command may name its group elsewhere than in the record's key. */
static void find_group(struct dead_record *record, const rd_kafka_message_t *message,
                       const char *group)
{
    json_t *value = json_loadb(record->value.bytes, record->value.length, 0, NULL);
    if (json_is_object(value) && tail_is_of_group(message, value, group))
        record->key = text_of(group);
    json_decref(value);
}

static bool visit(void *opaque, const rd_kafka_message_t *message)
{
    struct dead_scan *scan = opaque;
    rd_kafka_timestamp_type_t type;
    struct dead_record record = {
        .partition = message->partition,
        .offset = message->offset,
        .at_ms = rd_kafka_message_timestamp(message, &type),
        .value = {message->payload, message->payload == NULL ? 0 : message->len},
        .key = {message->key, message->key == NULL ? 0 : message->key_len}};
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.at_ms = INT64_MIN;
    (void)record_header(message, "dlq_topic", &record.topic);
    (void)record_header(message, "dlq_code", &record.code);
    (void)record_header(message, "dlq_message", &record.message);
    (void)record_header(message, "dlq_field", &record.field);
    if (scan->filter->group != NULL && record.topic.length > 0 && record.value.length > 0)
        find_group(&record, message, scan->filter->group);
    dead_list_note(scan->list, scan->filter, &record);
    return true;
}

bool dead_list_read(struct dead_list *list, const struct settings *settings,
                    const struct dead_filter *filter, int64_t last, struct error *error)
{
    struct dead_scan dead_scan = {list, filter};
    struct scan scan = {SCAN_ALL, 0, last};
    struct scan_report report;
    char topic[TOPIC_NAME_BYTES];
    topic_name(topic, settings, "dead");
    if (!topic_scan(settings, topic, &scan, visit, &dead_scan, &report, error)) return false;
    dead_list_settle(list, filter);
    list->cut = report.cut;
    return true;
}

struct dead_look {
    const struct dead_list *list;
    dead_visitor *visitor;
    void *opaque;
};

static bool look(void *opaque, const rd_kafka_message_t *message)
{
    const struct dead_look *dead_look = opaque;
    const struct dead_row *row =
        dead_list_find(dead_look->list, message->partition, message->offset);
    return row == NULL || dead_look->visitor(dead_look->opaque, row, message);
}

bool dead_list_visit(const struct dead_list *list, const struct settings *settings,
                     dead_visitor *visitor, void *opaque, struct error *error)
{
    if (list->count == 0) return true;
    struct dead_look dead_look = {list, visitor, opaque};
    const struct dead_row *first = list->places[0];
    int64_t oldest_ms = list->rows[0].at_ms;
    /* No further back than the oldest of them, and only where they stand. */
    const struct scan scan = {
        .partition = list->places[list->count - 1]->partition == first->partition
                         ? first->partition
                         : SCAN_ALL,
        .from_ms = oldest_ms > 0 ? oldest_ms : 0};
    struct scan_report report;
    char topic[TOPIC_NAME_BYTES];
    topic_name(topic, settings, "dead");
    return topic_scan(settings, topic, &scan, look, &dead_look, &report, error);
}
