/* Files of stories that are not understood, each with the line that says so; and what is said of a
 * story that goes otherwise than it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/story_play.h"

#define FILE_NAME "x.story"
#define README "tests/stories/README.md"
#define STORY "story: one\n"
#define PING "at 00:00:01 {\"op\": \"ping\"}\n  > result ping applied matched=0 changed=0\n"

static const struct fault_case {
    const char *text;
    const char *message;
} fault_cases[] = {
    {"", "0: no story"},
    {"# nothing\n\n", "2: no story"},
    {"story:\n", "1: a story without a name"},
    {STORY, "1: nothing happens in this story"},
    {STORY "\nstory: two\n" PING, "1: nothing happens in this story"},
    {STORY PING "\n" STORY, "5: this story was told in line 1"},
    {"at 00:00:01 pause g\n", "1: not understood: 'at 00:00:01 pause g'"},
    {STORY "then 00:00:01\n", "2: not understood: 'then 00:00:01'"},
    {STORY PING "allows topics\n", "4: not understood: 'allows topics'"},
    {STORY PING "then 00:00:01\n", "4: not understood: 'then 00:00:01'"},
    {STORY "not restarted:\n" PING, "2: not understood: 'not restarted:'"},
    {STORY "transactions of many\n" PING, "2: a number is expected, not 'many'"},
    {"begins today\n" STORY PING, "1: a time is expected, not 'today'"},
    {STORY "now 25:00:00\n", "2: a time is expected, not '25:00:00'"},
    {STORY "now\n", "2: a time is expected, not ''"},
    {STORY "now 00:00:01 2\n", "2: a time is expected, not '2'"},
    {STORY "at noon pause g\n", "2: a time is expected, not 'noon'"},
    {STORY "at 00:00:01 now soon pause g\n", "2: a time is expected, not 'soon'"},
    {STORY "at 00:00:01\n", "2: its JSON, or what it stands for, is missing"},
    {STORY "at 00:00:01\n  > fire\n", "2: its JSON, or what it stands for, is missing"},
    {STORY "at 00:00:01 pause\n", "2: pause: of which job or group?"},
    {STORY "at 00:00:01 add g {}\n", "2: add: group/id is missing"},
    {STORY "at 00:00:01 {\"op\": \"ping\"\nnow 00:00:02\n", "2: a JSON object is expected: "},
    {STORY "at 00:00:01 pause g {\"n\":\n  1\nnow 00:00:02\n", "2: a JSON object is expected: "},
    {STORY "at 00:00:01 pause g [1]\n", "2: a JSON object is expected: "},
    {STORY "at 00:00:01 pause \"g\"\n", "2: a JSON object is expected: "},
    {STORY PING "  fire\n", "4: what is said begins with >, a step in the first column"},
    {STORY "now 00:00:01\n  fire\n", "3: what is said begins with >, a step in the first column"},
    {STORY "  > fire\n", "2: this belongs to no step"},
    {STORY "\tnow 00:00:01\n", "2: a tab"},
    {STORY "record g/a is\n", "2: has it, or lacks it, and what?"},
    {STORY "record g/a has\n", "2: has it, or lacks it, and what?"},
    {STORY "mark is gone\n", "2: has it, or lacks it, and what?"},
    {STORY "record g/a becomes\n", "2: its JSON, or what it stands for, is missing"},
    {STORY "record g/a becomes {\n", "2: a JSON object is expected: "},
    {STORY "record g/a becomes {}\n  > fire\n", "3: nothing is said to this step"},
    {STORY "restart at once\n", "2: a time is expected, not 'once'"},
    {STORY "record g/a is gone now\n", "2: not understood: 'now'"},
    {STORY "record g/a is gone\n  > fire\n", "3: nothing is said to this step"},
    {STORY "restart with care\n", "2: not understood: 'with care'"},
    {STORY "failing some\n", "2: a number is expected, not 'some'"},
    {STORY "at 00:00:01 retry later on\n", "2: not understood: 'on'"},
    {STORY "at 00:00:01 lane 1\n", "2: not understood: '1'"},
    {STORY "at 00:00:01 failed g/a\n", "2: a time is expected, not ''"},
    {STORY "at 00:00:01 failed g/a 00:00:01 schedule twice\n", "2: not understood: 'twice'"},
    {STORY "at 00:00:01 failed g/a 00:00:01 schedule attempt=x\n", "2: a number is expected"},
};
enum { FAULT_CASES = sizeof fault_cases / sizeof fault_cases[0] };

static void faults_have_their_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAULT_CASES; i++) {
        const struct fault_case *row = &fault_cases[i];
        struct stories stories;
        struct error error = {0};
        stories_open(&stories);
        bool good = stories_read_text(&stories, FILE_NAME, row->text, &error);
        assert_int_equal(stories.count, 0);
        stories_close(&stories);
        const char *message = error.message + strlen(FILE_NAME ":");
        if (good || strncmp(message, row->message, strlen(row->message)) != 0)
            fail_msg("%s\nsays '%s', not '%s'", row->text, error.message, row->message);
    }
}

static void a_file_that_is_not_there(void **state)
{
    (void)state;
    struct stories stories;
    struct error error = {0};
    stories_open(&stories);
    assert_false(stories_read(&stories, "tests/stories/no-such.story", &error));
    assert_string_equal(error.message, "tests/stories/no-such.story: cannot be opened");
    stories_close(&stories);
}

/* Stories of a text that is understood. */
static void open_stories(struct stories *stories, const char *file, const char *text)
{
    struct error error = {0};
    stories_open(stories);
    if (!stories_read_text(stories, file, text, &error)) fail_msg("%s\n%s", text, error.message);
}

static void commands_in_short_words(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        const char *json;
    } rows[] = {
        {"add g/a", "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\"}}"},
        {"put g/a {\"n\": 1}", "{\"op\":\"put\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"n\": 1}}"},
        {"update g {\"n\": {\"m\": 1}}",
         "{\"op\":\"update\",\"select\":{\"groups\":[\"g\"]},\"set\":{\"n\": {\"m\": 1}}}"},
        {"update *\n  {\"n\":\n   1}",
         "{\"op\":\"update\",\"select\":{\"all\":true},\"set\":{\"n\":\n1}}"},
        {"pause /a", "{\"op\":\"pause\",\"select\":{\"ids\":[\"a\"]}}"},
        {"delete g/a {}", "{\"op\":\"delete\",\"select\":{\"groups\":[\"g\"],\"ids\":[\"a\"]}}"},
        {"resume g {\"from\": \"x\"}",
         "{\"op\":\"resume\",\"select\":{\"groups\":[\"g\"]},\"from\": \"x\"}"},
        {"\n  {\"op\": \"ping\"}", "{\"op\": \"ping\"}"},
        {"broken {\"op\"", "{\"op\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stories stories;
        struct text_writer text;
        text_writer_init(&text);
        text_writer_format(&text, STORY "at 00:00:01 %s\n", rows[i].words);
        open_stories(&stories, FILE_NAME, text_writer_terminated(&text));
        assert_string_equal(stories.list[0].steps[0].text, rows[i].json);
        assert_string_equal(stories.list[0].steps[0].at, "2026-01-01T00:00:01Z");
        stories_close(&stories);
        text_writer_free(&text);
    }
}

/* Each story goes wrong in its last step. */
static const struct wrong_case {
    const char *text;
    const char *fault;
} wrong_cases[] = {
    {STORY PING "now 00:00:02\n  > fire g/a\n",
     "x.story:4: one: expected (-) and said (+) differ\n  - fire g/a\n"},
    {STORY "at 00:00:01 add g/a {\"schedule\": {\"every\": \"1s\"}}\n"
     "  > result add applied matched=1 changed=1\nnow 00:00:03\n"
     "  > fire g/a 01-01T00:00:02 schedule\n  > fire g/a 01-01T00:00:04 schedule\n",
     "x.story:4: one: expected (-) and said (+) differ\n    fire g/a 01-01T00:00:02 schedule\n"
     "  - fire g/a 01-01T00:00:04 schedule\n  + fire g/a 01-01T00:00:03 schedule\n"},
    {STORY "at 00:00:01 add g/a {\"schedule\": {\"every\": \"1s\"}}\n"
     "  > result add applied matched=1 changed=1\nnow 00:00:03\n"
     "  > fire g/a 01-01T00:00:03 schedule\n",
     "x.story:4: one: expected (-) and said (+) differ\n  + fire g/a 01-01T00:00:02 schedule\n"
     "    fire g/a 01-01T00:00:03 schedule\n"},
    {STORY PING "record g/a has x\n", "x.story:4: one: there is no record\n"},
    {STORY "at 00:00:01 failed g/a 00:00:01 schedule\n", "x.story:2: one: there is no such job\n"},
    {STORY "at 00:00:01 retry never\n", "x.story:2: one: there is no such answer to a retry\n"},
    {STORY PING "mark lacks \"generation\":1\n", "x.story:4: one: {"},
    {STORY PING "failing 1\n", "x.story:4: one: 0 jobs are failing\n"},
    {STORY "at 00:00:01 add g/a {\"schedule\": {\"every\": \"1s\"}}\n"
     "  > result add applied matched=1 changed=1\nat 00:00:01 failed g/a 00:00:01 scheduled\n",
     "x.story:4: one: there is no such kind of fire\n"},
    {STORY "at 00:00:01 add g/a {\"schedule\": {\"every\": \"1s\"}}\n"
     "  > result add applied matched=1 changed=1\nrecord g/a is gone\n",
     "x.story:4: one: there is a record\n"},
    /* A restart forgets that the topic took nothing. */
    {STORY "at 00:00:01 add g/a {\"schedule\": {\"every\": \"1s\"}}\n"
     "  > result add applied matched=1 changed=1\n"
     "now 00:00:02\n  > fire g/a 01-01T00:00:02 schedule\n"
     "at 00:00:02 failed g/a 00:00:02 schedule\n"
     "  > event fire_failed g/a first=01-01T00:00:02 last=01-01T00:00:02 count=1 topic_missing\n"
     "at 00:00:03 retry later\n  > nothing is tried\n"
     "at 00:00:03.999 retry\n  > nothing is tried\n",
     "x.story:10: one, restarted after each transaction: expected (-) and said (+) differ\n"
     "  - nothing is tried\n  + fire g/a 01-01T00:00:02 retry attempt=2\n"},
    /* A turn of the lane is one transaction. */
    {STORY "not restarted: a test\nat 00:00:01 add g/a {\"schedule\": {\"cron\": \"0 * * * *\"}}\n"
     "  > result add applied matched=1 changed=1\n"
     "at 00:00:01 backfill g {\"backfill_id\": \"b\", \"rate\": 1000,\n"
     "  \"from\": \"2025-12-31T20:30:00Z\", \"to\": \"2025-12-31T23:30:00Z\"}\n"
     "  > event backfill_started g/a first=12-31T21:00:00 last=12-31T23:00:00 count=3 b\n"
     "  > result backfill applied matched=1 changed=1\n"
     "at 00:00:01 lane\n  > fire g/a 12-31T21:00:00 backfill\n"
     "at 00:00:01.1 lane\n  > fire g/a 12-31T22:00:00 backfill\n"
     "  > fire g/a 12-31T23:00:00 backfill\n",
     "x.story:11: one, in transactions of one output: expected (-) and said (+) differ\n"
     "    fire g/a 12-31T22:00:00 backfill\n  - fire g/a 12-31T23:00:00 backfill\n"},
};

static void what_goes_otherwise_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_cases / sizeof wrong_cases[0]; i++) {
        struct stories stories;
        struct text_writer fault;
        text_writer_init(&fault);
        open_stories(&stories, FILE_NAME, wrong_cases[i].text);
        assert_int_equal(story_play(&stories.list[0], &fault), 0);
        const char *said = text_writer_terminated(&fault);
        if (strncmp(said, wrong_cases[i].fault, strlen(wrong_cases[i].fault)) != 0)
            fail_msg("%s\nsays '%s', not '%s'", wrong_cases[i].text, said, wrong_cases[i].fault);
        stories_close(&stories);
        text_writer_free(&fault);
    }
}

static void ways_may_be_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int ways;
    } rows[] = {{"", 4}, {"not restarted: a test\n", 2}, {"not cut: a test\n", 2},
                {"not cut: a test\nnot restarted: a test\n", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stories stories;
        struct text_writer text;
        text_writer_init(&text);
        text_writer_format(&text, "%s" STORY PING "story: two\n%s" PING, rows[i].head,
                           rows[i].head);
        open_stories(&stories, FILE_NAME, text_writer_terminated(&text));
        assert_int_equal(stories.count, 2);
        assert_int_equal(story_play(&stories.list[0], &text), rows[i].ways);
        assert_int_equal(story_play(&stories.list[1], &text), rows[i].ways);
        stories_close(&stories);
        text_writer_free(&text);
    }
}

/* The first block of the page is a story that goes as told. */
static void check_example(const char *page)
{
    struct stories stories;
    struct text_writer text;
    const char *begin = strstr(page, "```\n");
    assert_non_null(begin);
    const char *end = strstr(begin + 4, "```\n");
    assert_non_null(end);
    text_writer_init(&text);
    text_writer_bytes(&text, begin + 4, (size_t)(end - begin - 4));
    open_stories(&stories, README, text_writer_terminated(&text));
    if (story_play(&stories.list[0], &text) == 0) fail_msg("%s", text_writer_terminated(&text));
    stories_close(&stories);
    text_writer_free(&text);
}

/* The row begins with a step or a line of a head. */
static void check_row(const char *row)
{
    struct stories stories;
    struct text_writer text;
    text_writer_init(&text);
    text_writer_format(&text, STORY "%.*s\n" PING, (int)strcspn(row, "`"), row);
    open_stories(&stories, README, text_writer_terminated(&text));
    stories_close(&stories);
    text_writer_free(&text);
}

static void the_page_is_true(void **state)
{
    (void)state;
    enum { PAGE_BYTES = 1 << 16, ROWS_LEAST = 20 };
    static char page[PAGE_BYTES];
    FILE *file = fopen(README, "re");
    int rows = 0;
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    (void)fclose(file);
    check_example(page);
    for (const char *row = page; (row = strstr(row, "\n| `")) != NULL; row += 4) {
        if (strncmp(row + 4, "add", 3) == 0) break; /* commands come between steps and heads */
        check_row(row + 4);
        rows++;
    }
    const char *heads = strstr(page, "## The head");
    assert_non_null(heads);
    for (const char *row = heads; (row = strstr(row, "\n| `")) != NULL; row += 4, rows++)
        check_row(row + 4);
    assert_true(rows >= ROWS_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_have_their_line),
        cmocka_unit_test(a_file_that_is_not_there),
        cmocka_unit_test(commands_in_short_words),
        cmocka_unit_test(what_goes_otherwise_is_said),
        cmocka_unit_test(ways_may_be_left_out),
        cmocka_unit_test(the_page_is_true),
    };
    return cmocka_run_group_tests_name("stories, their reader", tests, NULL, NULL);
}
