/* Files of jobs: how they compare with records, what a dead letter becomes, what is shown of a
 * long work, and what the tables of options tell a shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/show/job_text.h"
#include "cli/show/progress.h"
#include "cli/words/cli.h"
#include "cli/words/option_words.h"
#include "cli/write/dead_command.h"
#include "cli/write/job_file.h"
#include "schemas/job_json.h"

struct compare_case {
    const char *name;
    const char *present;     /* a job as a file had it */
    const char *wanted;
    const char *differences; /* "member from -> to;" of each */
};

#define JOB "\"group\":\"g\",\"id\":\"i\""
static const struct compare_case compare_cases[] = {
    {"equal", "{" JOB ",\"schedule\":{\"cron\":\"@daily\"}}",
     "{\"schedule\":{\"cron\":\"@daily\"}," JOB "}", ""},
    {"written in another way",
     "{" JOB ",\"schedule\":{\"at\":\"2027-01-01T00:00:00Z\"},\"catchup\":{\"window\":\"60m\"}}",
     "{" JOB ",\"schedule\":{\"at\":\"2027-01-01T01:00:00+01:00\"},"
     "\"catchup\":{\"window\":\"1h\",\"policy\":\"latest\"},\"payload\":null}", ""},
    {"whether it is paused is no difference",
     "{" JOB ",\"schedule\":{\"cron\":\"@daily\"},\"paused\":true}",
     "{" JOB ",\"schedule\":{\"cron\":\"@daily\"}}", ""},
    {"an interval keeps the anchor it has",
     "{" JOB ",\"schedule\":{\"every\":\"1h\",\"anchor\":\"2026-01-01T00:00:07Z\"}}",
     "{" JOB ",\"schedule\":{\"every\":\"60m\"}}", ""},
    {"another anchor",
     "{" JOB ",\"schedule\":{\"every\":\"1h\",\"anchor\":\"2026-01-01T00:00:07Z\"}}",
     "{" JOB ",\"schedule\":{\"every\":\"1h\",\"anchor\":\"2026-01-01T00:00:08Z\"}}",
     "schedule {\"every\":\"1h\",\"anchor\":\"2026-01-01T00:00:07.000Z\"} -> "
     "{\"every\":\"1h\",\"anchor\":\"2026-01-01T00:00:08.000Z\"};"},
    {"a new period shows no anchor that nobody gave",
     "{" JOB ",\"schedule\":{\"every\":\"1h\",\"anchor\":\"2026-01-01T00:00:07Z\"}}",
     "{" JOB ",\"schedule\":{\"every\":\"2h\"}}",
     "schedule {\"every\":\"1h\",\"anchor\":\"2026-01-01T00:00:07.000Z\"} -> "
     "{\"every\":\"2h\"};"},
    {"an interval in place of a cron expression",
     "{" JOB ",\"schedule\":{\"cron\":\"@daily\"}}",
     "{" JOB ",\"schedule\":{\"every\":\"2h\"},\"super_group\":\"s\"}",
     "schedule {\"cron\":\"@daily\"} -> {\"every\":\"2h\"};super_group  -> \"s\";"},
    {"changed, gone and new",
     "{" JOB ",\"schedule\":{\"cron\":\"@daily\"},\"payload\":1,\"labels\":{\"a\":\"b\"}}",
     "{" JOB ",\"schedule\":{\"cron\":\"@daily\"},\"payload\":2,\"super_group\":\"s\"}",
     "payload 1 -> 2;labels {\"a\":\"b\"} -> ;super_group  -> \"s\";"},
    {"digits count", "{" JOB ",\"schedule\":{\"cron\":\"@daily\"},\"payload\":1.0}",
     "{" JOB ",\"schedule\":{\"cron\":\"@daily\"},\"payload\":1.00}", "payload 1.0 -> 1.00;"},
};
enum { COMPARE_CASES = sizeof compare_cases / sizeof compare_cases[0] };

static void note(void *opaque, struct text name, struct text present, struct text wanted)
{
    text_writer_format(opaque, "%.*s %.*s -> %.*s;", (int)name.length, name.bytes,
                       (int)present.length, present.bytes, (int)wanted.length, wanted.bytes);
}

static void check_compare(void **state)
{
    const struct compare_case *row = *state;
    struct error error = {0};
    struct definition definitions[2];
    struct arena *arena = arena_create();
    struct text_writer told = {0};
    const char *texts[2] = {row->present, row->wanted};
    json_t *jobs[2];
    for (int i = 0; i < 2; i++) {
        jobs[i] = json_loads(texts[i], 0, NULL);
        assert_non_null(jobs[i]);
        if (!job_text_read(jobs[i], text_of(texts[i]), arena, &definitions[i], &error))
            fail_msg("%s", error.message);
    }
    size_t count = job_text_compare(&definitions[0], &definitions[1], note, &told);
    assert_string_equal(text_writer_terminated(&told), row->differences);
    assert_true((count == 0) == (told.length == 0));
    text_writer_free(&told);
    json_decref(jobs[0]);
    json_decref(jobs[1]);
    arena_destroy(arena);
}

/* What export writes is read back as the same job. */
static void a_written_job_reads_as_itself(void **state)
{
    (void)state;
    const char *text = "{\"group\":\"g\",\"id\":\"a/b\",\"super_group\":\"s\","
                       "\"schedule\":{\"cron\":\"30 2 * * *\"},\"payload\":{\"n\":1.50},"
                       "\"labels\":{\"k\":\"v\"},\"paused\":true}";
    struct error error = {0};
    struct definition definition;
    struct arena *arena = arena_create();
    json_t *job = json_loads(text, 0, NULL);
    assert_true(job_text_read(job, text_of(text), arena, &definition, &error));
    struct text_writer writer;
    text_writer_init(&writer);
    job_text_write(&writer, &definition);
    text_writer_char(&writer, '\0');
    assert_string_equal(writer.bytes, text);
    text_writer_free(&writer);
    json_decref(job);
    arena_destroy(arena);
}

struct file_case {
    const char *name;
    const char *text;
    const char *message; /* NULL: it is well written */
};

static const struct file_case file_cases[] = {
    {"lines", "{" JOB ",\"schedule\":{\"every\":\"1h\"}}\n", NULL},
    {"a bad job", "{" JOB ",\"schedule\":{\"cron\":\"61 * * * *\"}}", "1 of 1 jobs have faults"},
    {"an unknown field", "{" JOB ",\"schedule\":{\"every\":\"1h\"},\"color\":1}", "have faults"},
    {"twice", "{" JOB ",\"schedule\":{\"every\":\"1h\"}}{" JOB ",\"schedule\":{\"every\":\"2h\"}}",
     "g/i is in it twice"},
    {"a command", "{\"op\":\"put\",\"command_id\":\"c\",\"job\":{" JOB
     ",\"schedule\":{\"every\":\"1h\"}}}", "belfry put -f sends it"},
    {"nothing", "", "no job in it"},
    {"no JSON", "{", "line 1"},
};
enum { FILE_CASES = sizeof file_cases / sizeof file_cases[0] };

static void check_file(void **state)
{
    const struct file_case *row = *state;
    char path[] = "/tmp/belfry-test-jobs-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, row->text, strlen(row->text)), strlen(row->text));
    (void)close(descriptor);
    struct job_file file;
    struct error error = {0};
    bool read = job_file_read(&file, path, &error);
    (void)unlink(path);
    assert_int_equal(read, row->message == NULL);
    if (!read && strstr(error.message, row->message) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", row->message, error.message);
    if (read) assert_string_equal(file.names[0], "g/i");
    job_file_free(&file);
}

struct dead_case {
    const char *name;
    const char *value;
    const char *command; /* NULL: it cannot be requeued */
    const char *event_id; /* its header ce_id; NULL: none */
};

static const struct dead_case dead_cases[] = {
    {"the id becomes the correlation id", "{\"op\":\"ping\",\"command_id\":\"c\"}",
     "{\"command_id\":\"requeue-3-17\",\"op\":\"ping\",\"correlation_id\":\"c\"}", NULL},
    {"unless there is one", "{\"command_id\":\"c\",\"correlation_id\":\"d\",\"op\":\"ping\"}",
     "{\"command_id\":\"requeue-3-17\",\"correlation_id\":\"d\",\"op\":\"ping\"}", NULL},
    {"digits and order stay", " {\"op\":\"add\",\"job\":{\"payload\":1.10}} ",
     "{\"command_id\":\"requeue-3-17\",\"op\":\"add\",\"job\":{\"payload\":1.10}}", NULL},
    {"an event is taken out of its envelope",
     "{\"specversion\":\"1.0\",\"id\":\"e\",\"data\":{\"op\":\"ping\"}}",
     "{\"command_id\":\"requeue-3-17\",\"correlation_id\":\"e\",\"op\":\"ping\"}", NULL},
    {"a binary event's id is in its header", "{\"op\":\"ping\"}",
     "{\"command_id\":\"requeue-3-17\",\"correlation_id\":\"e\\\"1\",\"op\":\"ping\"}", "e\"1"},
    {"the command's own id is the sender's word for it",
     "{\"op\":\"ping\",\"command_id\":\"c\"}",
     "{\"command_id\":\"requeue-3-17\",\"op\":\"ping\",\"correlation_id\":\"c\"}", "e"},
    {"an id that is no text is left out", "{\"op\":\"ping\"}",
     "{\"command_id\":\"requeue-3-17\",\"op\":\"ping\"}", "\xff"},
    {"an empty object", "{}", "{\"command_id\":\"requeue-3-17\"}", NULL},
    {"no object", "[1]", NULL, NULL},
    {"no JSON", "pause all", NULL, NULL},
    {"nothing", "", NULL, NULL},
};
enum { DEAD_CASES = sizeof dead_cases / sizeof dead_cases[0] };

static void check_dead(void **state)
{
    const struct dead_case *row = *state;
    struct text_writer out = {0};
    struct error error = {0};
    struct text event_id = text_of(row->event_id == NULL ? "" : row->event_id);
    bool written = dead_command_write(text_of(row->value), event_id, 3, 17, &out, &error);
    assert_int_equal(written, row->command != NULL);
    if (written) assert_string_equal(text_writer_terminated(&out), row->command);
    else assert_non_null(strstr(error.message, "mend it"));
    text_writer_free(&out);
}

static void progress_fits_the_terminal(void **state)
{
    (void)state;
    struct progress progress = {.what = "importing", .total = 100000, .done = 50000, .width = 80};
    char line[200];
    progress_line(&progress, 2000, line, sizeof line);
    assert_string_equal(line, "importing  [###############................]   50%  "
                              "50,000 of 100,000  25,000/s");
    for (size_t width = 1; width < 200; width++) {
        progress.width = width;
        progress_line(&progress, 2000, line, sizeof line);
        if (width > 52) assert_true(strlen(line) < width);
    }
    progress.done = progress.total;
    progress_line(&progress, 2000, line, sizeof line);
    assert_non_null(strstr(line, "]  100%"));
    progress.total = 0;
    progress_line(&progress, 2000, line, sizeof line);
    assert_string_equal(line, "importing  100,000  50,000/s");
}

static void numbers_are_grouped(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *text;
    } rows[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"},
                {UINT64_MAX, "18,446,744,073,709,551,615"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[GROUPED_BYTES];
        number_grouped(rows[i].number, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void words_of_options(void **state)
{
    (void)state;
    static const struct {
        const char *argument;
        const char *words;
    } rows[] = {{"atomic|each", "atomic each"}, {"now|paused_at|TIME", "now paused_at"},
                {"D|forever", "forever"},      {"JSON|@FILE", ""},
                {"GROUP", ""},                 {"FILE|-", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct option_row row = {"x", '\0', OPTION_VALUE, rows[i].argument, ""};
        char words[64];
        assert_int_equal(option_words(&row, words, sizeof words), rows[i].words[0] != '\0');
        assert_string_equal(words, rows[i].words);
        assert_int_equal(option_is_file(&row), strcmp(rows[i].argument, "FILE|-") == 0);
    }
}

enum { OTHERS = 4, TESTS_MAX = COMPARE_CASES + FILE_CASES + DEAD_CASES + OTHERS };

int main(void)
{
    struct CMUnitTest tests[TESTS_MAX] = {
        cmocka_unit_test(a_written_job_reads_as_itself),
        cmocka_unit_test(progress_fits_the_terminal),
        cmocka_unit_test(numbers_are_grouped),
        cmocka_unit_test(words_of_options),
    };
    size_t count = OTHERS;
    for (size_t i = 0; i < COMPARE_CASES; i++)
        tests[count++] = (struct CMUnitTest){
            .name = compare_cases[i].name, .test_func = check_compare,
            .initial_state = (void *)(uintptr_t)&compare_cases[i]};
    for (size_t i = 0; i < FILE_CASES; i++)
        tests[count++] = (struct CMUnitTest){.name = file_cases[i].name, .test_func = check_file,
                                             .initial_state = (void *)(uintptr_t)&file_cases[i]};
    for (size_t i = 0; i < DEAD_CASES; i++)
        tests[count++] = (struct CMUnitTest){.name = dead_cases[i].name, .test_func = check_dead,
                                             .initial_state = (void *)(uintptr_t)&dead_cases[i]};
    return cmocka_run_group_tests_name("jobs of files", tests, NULL, NULL);
}
