#include "dispatcher/daemon/log.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/logfmt.h"
#include "tests/support/rows.h"

#define STAMP "2026-11-21T20:57:54.123Z"

static int64_t fixed_now(void *opaque)
{
    (void)opaque;
    return INT64_C(1795294674123);
}

static const struct clock fixed_clock = {.now_ms = fixed_now};

static struct log log_of(enum log_format format)
{
    return (struct log){.lowest = LEVEL_INFO, .format = format, .clock = &fixed_clock};
}

struct line_case {
    const char *name;
    enum log_format format;
    int shard;
    enum observed_kind kind;
    struct observed said;
    const char *line;
};

static const struct line_case line_cases[] = {
    {"logfmt", LOG_LOGFMT, 3, OBSERVED_SHARD_COMMITTED,
     {.sequence = 17, .records = 0, .fires = -2, .took_us = INT64_MAX},
     "ts=" STAMP " level=warn event=shard.committed shard=3 sequence=17 records=0 fires=-2 "
     "took_us=9223372036854775807\n"},
    {"the whole process", LOG_LOGFMT, -1, OBSERVED_GROUP_BACK, {.jobs = 1},
     "ts=" STAMP " level=warn event=group.back\n"},
    {"text is quoted", LOG_LOGFMT, -1, OBSERVED_STORE_IGNORED,
     {.message = "a \"b\" c=d", .reason = "away"},
     "ts=" STAMP " level=warn event=store.ignored reason=away message=\"a \\\"b\\\" c=d\"\n"},
    {"what is not said is left out", LOG_LOGFMT, -1, OBSERVED_SHARD_NOT_STARTED,
     {.kind = "retry", .message = ""},
     "ts=" STAMP " level=warn event=shard.not_started kind=retry message=\"\"\n"},
    {"a line break in a bare value", LOG_LOGFMT, -1, OBSERVED_DAEMON_SIGNAL, {.signal = "a\nb"},
     "ts=" STAMP " level=warn event=daemon.signal signal=a?b\n"},
    {"json", LOG_JSON, 0, OBSERVED_SHARD_RESTORED,
     {.jobs = 17, .from_store = true, .log_records = -1, .sequence = 8},
     "{\"ts\":\"" STAMP "\",\"level\":\"warn\",\"event\":\"shard.restored\",\"shard\":0,"
     "\"jobs\":17,\"from_store\":\"yes\",\"log_records\":-1,\"sequence\":8}\n"},
    {"json, words and text", LOG_JSON, -1, OBSERVED_STORE_IGNORED,
     {.reason = "true", .message = "a \"b\" c=d"},
     "{\"ts\":\"" STAMP "\",\"level\":\"warn\",\"event\":\"store.ignored\",\"reason\":true,"
     "\"message\":\"a \\\"b\\\" c=d\"}\n"},
    {"json, numbers that are none", LOG_JSON, -1, OBSERVED_DAEMON_READY,
     {.cluster = "007", .owner = "1.5", .shards = INT64_C(1234567890123456), .assigned = 1,
      .kafka_cluster_id = "-"},
     "{\"ts\":\"" STAMP "\",\"level\":\"warn\",\"event\":\"daemon.ready\",\"cluster\":\"007\","
     "\"owner\":\"1.5\",\"shards\":\"1234567890123456\",\"assigned\":1,"
     "\"kafka_cluster_id\":\"-\"}\n"},
    {"json, no value", LOG_JSON, -1, OBSERVED_STORE_IGNORED, {.reason = ""},
     "{\"ts\":\"" STAMP "\",\"level\":\"warn\",\"event\":\"store.ignored\",\"reason\":\"\"}\n"},
    {"json, quotes in a bare value", LOG_JSON, -1, OBSERVED_DAEMON_SIGNAL, {.signal = "a\"\\b"},
     "{\"ts\":\"" STAMP "\",\"level\":\"warn\",\"event\":\"daemon.signal\","
     "\"signal\":\"a??b\"}\n"},
};

static void check_line(void **state)
{
    const struct line_case *row = *state;
    struct log log = log_of(row->format);
    char line[LOG_LINE_BYTES + 1];
    size_t length = log_format_line(&log, row->kind, LEVEL_WARN, row->shard, &row->said, line);
    line[length] = '\0';
    assert_string_equal(line, row->line);
}

/* Says something for each key there is. */
static struct observed everything(void)
{
    struct observed said = {0};
#define NUMBER(key, member) said.member = 7;
#define ANSWER(key, member) said.member = true;
#define WORD(key, member) said.member = "word";
#define TEXT(key, member) said.member = "a \"text\"";
    OBSERVED_KEYS(NUMBER, ANSWER, WORD, TEXT)
#undef NUMBER
#undef ANSWER
#undef WORD
#undef TEXT
    return said;
}

/* Those who read the log rely on it: a line that changes its form is a change of the contract. */
static void each_event_keeps_the_form_of_its_line(void **state)
{
    (void)state;
    struct log log = log_of(LOG_LOGFMT);
    struct observed said = everything();
    FILE *file = fopen("tests/unit/log_lines.txt", "r");
    assert_non_null(file);
    for (enum observed_kind kind = 0; kind < OBSERVED_KINDS; kind++) {
        char kept[512] = "";
        char line[LOG_LINE_BYTES + 1];
        enum observer_level level = observed_row(kind)->level;
        size_t length = log_format_line(&log, kind, level == LEVEL_AS_SAID ? LEVEL_INFO : level, 3,
                                        &said, line);
        line[length] = '\0';
        if (fgets(kept, sizeof kept, file) == NULL || strcmp(strstr(line, "level="), kept) != 0)
            fail_msg("tests/unit/log_lines.txt:%d has another line than\n%s", (int)kind + 1,
                     strstr(line, "level="));
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

/* And the same keys in JSON, and in the words of the command line. */
static void each_event_says_the_same_in_every_form(void **state)
{
    (void)state;
    struct observed said = everything();
    for (enum observed_kind kind = 0; kind < OBSERVED_KINDS; kind++) {
        struct log log = log_of(LOG_JSON);
        char line[LOG_LINE_BYTES + 1];
        char fields[OBSERVED_FIELDS_BYTES];
        size_t length = log_format_line(&log, kind, LEVEL_WARN, 3, &said, line);
        line[length] = '\0';
        json_t *read = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (read == NULL) fail_msg("no JSON: %s", line);
        size_t keys = 0;
        while (keys < OBSERVED_KEYS_MOST && observed_row(kind)->keys[keys] != KEY_NONE) keys++;
        assert_int_equal(json_object_size(read), 4 + keys);
        json_decref(read);
        log.format = LOG_LOGFMT;
        length = log_format_line(&log, kind, LEVEL_WARN, 3, &said, line);
        line[length - 1] = '\0';
        (void)observed_fields(kind, &said, fields);
        const char *after = strstr(line, " shard=3") + strlen(" shard=3");
        assert_string_equal(keys > 0 ? after + 1 : after, fields);
    }
}

/* The line without its end, if nothing were cut; returns what stands between its fields. */
static char long_line(enum log_format format, const char *word, char whole[3 * LOG_LINE_BYTES])
{
    const char *form =
        format == LOG_JSON
            ? "{\"ts\":\"%s\",\"level\":\"warn\",\"event\":\"daemon.ready\",\"shard\":1,"
              "\"cluster\":\"c\",\"owner\":\"%s\",\"shards\":12,\"assigned\":345,"
              "\"kafka_cluster_id\":\"abc\""
            : "ts=%s level=warn event=daemon.ready shard=1 cluster=c owner=%s shards=12 "
              "assigned=345 kafka_cluster_id=abc";
    (void)snprintf(whole, 3 * LOG_LINE_BYTES, form, STAMP, word);
    return format == LOG_JSON ? ',' : ' ';
}

static void a_long_line_is_cut_at_a_field(void **state)
{
    (void)state;
    static char word[LOG_LINE_BYTES], whole[3 * LOG_LINE_BYTES];
    bool cut_seen[2] = {false}, whole_seen[2] = {false};
    for (size_t room = LOG_LINE_BYTES - 300; room < LOG_LINE_BYTES - 1; room++) {
        memset(word, 'w', room);
        word[room] = '\0';
        struct observed said = {.cluster = "c", .owner = word, .shards = 12, .assigned = 345,
                                .kafka_cluster_id = "abc"};
        for (enum log_format format = LOG_LOGFMT; format <= LOG_JSON; format++) {
            struct log log = log_of(format);
            char line[LOG_LINE_BYTES + 1];
            char between = long_line(format, word, whole);
            const char *end = format == LOG_JSON ? ",\"cut\":true}\n" : " cut=true\n";
            size_t length = log_format_line(&log, OBSERVED_DAEMON_READY, LEVEL_WARN, 1, &said,
                                            line);
            assert_true(length <= LOG_LINE_BYTES);
            line[length] = '\0';
            bool cut = strcmp(line + length - strlen(end), end) == 0;
            size_t kept = length - (cut ? strlen(end) : format == LOG_JSON ? 2 : 1);
            assert_memory_equal(line, whole, kept);
            assert_int_equal(whole[kept], cut ? between : '\0');
            if (cut) { /* the next one would not have fitted */
                size_t next = strcspn(whole + kept + 1, (char[]){between, '\0'}) + 1;
                assert_true(kept + next + strlen(end) > LOG_LINE_BYTES - 10);
            }
            cut_seen[format] |= cut;
            whole_seen[format] |= !cut;
        }
    }
    assert_true(cut_seen[0] && cut_seen[1] && whole_seen[0] && whole_seen[1]);
}

/* Whatever the text: one value in quotes, which JSON reads back, of at most the bytes given. */
static void quoting_is_safe_for_every_byte_and_length(void **state)
{
    (void)state;
    char text[64];
    for (int seed = 0; seed < 4096; seed++) {
        size_t length = (size_t)seed % sizeof text;
        for (size_t i = 0; i < length; i++)
            text[i] = (char)(1 + (seed * 31 + (int)i * 17) % 126); /* ASCII with controls */
        text[length] = '\0';
        for (size_t bytes = 3; bytes < 70; bytes += 13) {
            char quoted[128];
            memset(quoted, 'x', sizeof quoted);
            assert_ptr_equal(logfmt_quote(quoted, bytes, text_of(text)), quoted);
            assert_true(strlen(quoted) < bytes);
            json_t *value = json_loads(quoted, JSON_DECODE_ANY, NULL);
            if (value == NULL) fail_msg("not a JSON string: %s", quoted);
            json_decref(value);
        }
    }
}

static void quoting_cuts_between_characters(void **state)
{
    (void)state;
    char quoted[64];
    for (size_t bytes = 3; bytes < 20; bytes++) {
        (void)logfmt_quote(quoted, bytes, text_of("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94z"));
        json_t *value = json_loads(quoted, JSON_DECODE_ANY, NULL);
        if (value == NULL) fail_msg("%zu bytes: %s", bytes, quoted);
        json_decref(value);
    }
    assert_string_equal(quoted, "\"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x94z\"");
}

static void quotes_stand_where_they_are_needed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {{"a/b:c", "a/b:c"},
                {"", "\"\""},
                {"a b", "\"a b\""},
                {"a=b", "\"a=b\""},
                {"\xc3\xa4", "\xc3\xa4"},
                {"say \"x\"\\", "\"say \\\"x\\\"\\\\\""},
                {"1\n2\r\t\x1b\x7f", "\"1\\n2\\r\\t??\""},
                {"0123456789abcdefgh", "0123456789abcde"},
                {"0123456789abcd\xc3\xa4", "0123456789abcd"},
                {"0123456789abc \xc3\xa4", "\"0123456789abc\""},
                {"0123456789 b\xc3\xa4", "\"0123456789 b\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char shown[16];
        assert_string_equal(logfmt_value(shown, sizeof shown, text_of(rows[i].text)),
                            rows[i].shown);
    }
}

static void levels_below_the_lowest_are_dropped(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log log = log_of(LOG_LOGFMT);
    struct error error = {0};
    assert_true(log_start(&log, ends[1], &error));
    struct observer observer = observer_of_log(&log);
    observe(&observer, OBSERVED_SHARD_COMMITTED, -1, &(struct observed){.sequence = 1});
    observe_at(&observer, LEVEL_DEBUG, OBSERVED_SHARD_STUCK, 6, NULL);
    observe(&observer, OBSERVED_CLOCK_STEPPED, 7, &(struct observed){.by_ms = 2});
    char line[256];
    ssize_t length = read(ends[0], line, sizeof line - 1);
    assert_true(length > 0);
    line[length] = '\0';
    assert_string_equal(line, "ts=" STAMP " level=warn event=clock.stepped shard=7 by_ms=2\n");
    belfry_lines_destroy(log.lines, 1000);
    close(ends[0]);
    close(ends[1]);
}

static void dropped_lines_are_named(void **state)
{
    (void)state;
    enum { COUNT = 1200, TAKEN = 65536 };
    static char taken[TAKEN];
    char text[1001];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct log log = log_of(LOG_JSON);
    struct error error = {0};
    assert_true(log_start(&log, ends[1], &error));
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    struct observer observer = observer_of_log(&log);
    for (int i = 0; i < COUNT; i++)
        observe(&observer, OBSERVED_KAFKA_TOPIC, -1, &(struct observed){.message = text});
    unsigned written = 0, dropped = 0;
    FILE *file = fdopen(ends[0], "r");
    while (written + dropped < COUNT && fgets(taken, sizeof taken, file) != NULL) {
        json_t *line = json_loads(taken, 0, NULL);
        assert_non_null(line);
        if (strcmp(json_string_value(json_object_get(line, "event")), "log.dropped") == 0)
            dropped += (unsigned)json_integer_value(json_object_get(line, "count"));
        else
            written++;
        json_decref(line);
    }
    assert_true(dropped > 0);
    assert_int_equal(written + dropped, COUNT);
    belfry_lines_destroy(log.lines, 1000);
    fclose(file);
    close(ends[1]);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(line_cases, check_line)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(each_event_keeps_the_form_of_its_line),
        cmocka_unit_test(each_event_says_the_same_in_every_form),
        cmocka_unit_test(a_long_line_is_cut_at_a_field),
        cmocka_unit_test(quoting_is_safe_for_every_byte_and_length),
        cmocka_unit_test(quoting_cuts_between_characters),
        cmocka_unit_test(quotes_stand_where_they_are_needed),
        cmocka_unit_test(levels_below_the_lowest_are_dropped),
        cmocka_unit_test(dropped_lines_are_named),
    };
    return run_rows("log", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
