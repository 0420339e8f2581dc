/* Words of a command line: tables of what is read and what is refused, with the hint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/words/cli.h"
#include "cli/words/options.h"
#include "cli/words/schedule_options.h"
#include "cli/words/settings.h"
#include "lib/base/suggest.h"
#include "lib/time/schedule.h"
#include "tests/support/rows.h"

static const struct option_row test_rows[] = {
    {"group", 'g', OPTION_LIST, "GROUP", "a list"},
    {"cron", '\0', OPTION_VALUE, "EXPR", "a value"},
    {"output", 'o', OPTION_LAST, "FORM", "a value, the last counts"},
    {"all", '\0', OPTION_FLAG, NULL, "a flag"},
    {"wait", 'w', OPTION_OPTIONAL, "D", "an optional value"},
    {0},
};
static const struct option_row *const option_tables[] = {test_rows, NULL};

enum { WORDS_MAX = 8 };

struct refusal {
    const char *name;
    const char *words[WORDS_MAX];
    const char *message; /* must be part of it */
};

static const struct refusal refusals[] = {
    {"unknown, with a hint", {"--gruop", "x"}, "unknown option --gruop; did you mean --group?"},
    {"unknown, nothing near", {"--zebra"}, "unknown option --zebra; --help"},
    {"unknown letter", {"-z"}, "unknown option -z"},
    {"the hint knows the part before =", {"--al=1"}, "did you mean --all?"},
    {"value missing at the end", {"--cron"}, "--cron needs a value: --cron EXPR"},
    {"value missing before an option", {"--cron", "--all"}, "write --cron=--all"},
    {"a flag takes no value", {"--all=yes"}, "--all takes no value"},
    {"given twice", {"--cron", "a", "--cron", "b"}, "--cron is given twice"},
    {"optional given twice", {"--wait", "--wait=1s"}, "--wait is given twice"},
};

static int count_words(const char *const *words)
{
    int count = 0;
    while (count < WORDS_MAX && words[count] != NULL) count++;
    return count;
}

static bool parse(struct arguments *arguments, const char *const *words, enum options_stop stop,
                  int *at, struct error *error)
{
    char *argv[WORDS_MAX];
    int argc = count_words(words);
    *at = 0;
    for (int i = 0; i < argc; i++) argv[i] = (char *)(uintptr_t)words[i];
    return arguments_parse(arguments, option_tables, argc, argv, at, stop, error);
}

static void check_refusal(void **state)
{
    const struct refusal *row = *state;
    struct arguments arguments = {0};
    struct error error = {0};
    int at = 0;
    assert_false(parse(&arguments, row->words, STOP_AT_END, &at, &error));
    if (strstr(error.message, row->message) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", row->message, error.message);
    assert_int_equal(exit_code_of(&error), CLI_USAGE);
    arguments_free(&arguments);
}

static void reads_every_form(void **state)
{
    (void)state;
    const char *const words[WORDS_MAX] = {"-ga", "--group=b", "x/y", "--cron", "* *", "--wait",
                                          "-o", "json"};
    struct arguments arguments = {0};
    struct error error = {0};
    int at = 0;
    size_t next = 0;
    assert_true(parse(&arguments, words, STOP_AT_END, &at, &error));
    assert_int_equal(at, WORDS_MAX);
    assert_string_equal(arguments_next(&arguments, "group", &next), "a");
    assert_string_equal(arguments_next(&arguments, "group", &next), "b");
    assert_null(arguments_next(&arguments, "group", &next));
    assert_string_equal(arguments_value(&arguments, "cron"), "* *");
    assert_string_equal(arguments_value(&arguments, "wait"), "");
    assert_string_equal(arguments_value(&arguments, "output"), "json");
    assert_false(arguments_has(&arguments, "all"));
    assert_int_equal(arguments.positional_count, 1);
    assert_string_equal(arguments.positionals[0], "x/y");
    arguments_free(&arguments);
}

static void the_last_counts(void **state)
{
    (void)state;
    const char *const words[WORDS_MAX] = {"-o", "json", "--output=name"};
    struct arguments arguments = {0};
    struct error error = {0};
    int at = 0;
    assert_true(parse(&arguments, words, STOP_AT_END, &at, &error));
    assert_int_equal(arguments.count, 1);
    assert_string_equal(arguments_value(&arguments, "output"), "name");
    arguments_free(&arguments);
}

static void stops_at_the_command(void **state)
{
    (void)state;
    const char *const words[WORDS_MAX] = {"-o", "json", "list", "--unknown"};
    struct arguments arguments = {0};
    struct error error = {0};
    int at = 0;
    assert_true(parse(&arguments, words, STOP_AT_WORD, &at, &error));
    assert_int_equal(at, 2);
    arguments_free(&arguments);
}

static void dashes_end_the_options(void **state)
{
    (void)state;
    const char *const words[WORDS_MAX] = {"--", "--all", "-"};
    struct arguments arguments = {0};
    struct error error = {0};
    int at = 0;
    assert_true(parse(&arguments, words, STOP_AT_END, &at, &error));
    assert_int_equal(arguments.positional_count, 2);
    assert_string_equal(arguments.positionals[0], "--all");
    assert_false(arguments_has(&arguments, "all"));
    arguments_free(&arguments);
}

static void reads_whole_numbers_only(void **state)
{
    (void)state;
    int64_t number = 7;
    assert_true(number_parse("0", 0, 10, &number));
    assert_int_equal(number, 0);
    assert_true(number_parse("-3", -5, 10, &number));
    assert_int_equal(number, -3);
    static const char *const wrong[] = {"", "x", "1x", " 1", "+1", "11", "-1",
                                        "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (number_parse(wrong[i], 0, 10, &number)) fail_msg("\"%s\" was taken", wrong[i]);
    assert_int_equal(number, -3);
}

static void takes_text_only(void **state)
{
    (void)state;
    static const char *const good[] = {"--cron", "\xc3\xa4", NULL};
    static const char *const bad[] = {"--cron", "a\xff", NULL};
    struct arguments arguments = {0};
    struct error error = {0};
    const char *value = "";
    int at = 0;
    assert_true(parse(&arguments, good, STOP_AT_END, &at, &error));
    assert_true(arguments_text(&arguments, "cron", &value, &error));
    assert_string_equal(value, "\xc3\xa4");
    assert_true(arguments_text(&arguments, "output", &value, &error));
    assert_null(value);
    arguments_free(&arguments);
    arguments = (struct arguments){0};
    at = 0;
    assert_true(parse(&arguments, bad, STOP_AT_END, &at, &error));
    assert_false(arguments_text(&arguments, "cron", &value, &error));
    assert_string_equal(error.message, "--cron: it is not valid UTF-8");
    arguments_free(&arguments);
}

static void checks_names(void **state)
{
    (void)state;
    assert_true(name_valid("a.b_c:d@e-9", 11, false));
    assert_true(name_valid("a/b", 3, true));
    assert_false(name_valid("a/b", 3, false));
    assert_false(name_valid("", 0, true));
    assert_false(name_valid("-a", 2, true));
    assert_false(name_valid("a b", 3, true));
    assert_false(name_valid("a\0b", 3, true));
    char longest[201];
    memset(longest, 'a', sizeof longest);
    assert_true(name_valid(longest, 200, false));
    assert_false(name_valid(longest, 201, false));
}

static void suggests_the_nearest(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"lsit", "list"}, {"pasue", "pause"}, {"udpate", "update"}, {"trig", "trigger"},
        {"delet", "delete"}, {"xyzzy", NULL}, {"a", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct suggestion near = {.word = cases[i][0], .word_length = strlen(cases[i][0])};
        for (const struct cli_command *command = cli_commands; command->name != NULL; command++)
            suggestion_offer(&near, command->name);
        if (cases[i][1] == NULL) assert_null(near.best);
        else assert_string_equal(near.best, cases[i][1]);
    }
    assert_int_equal(edit_distance("ca", 2, "ac", 2), 1);
    assert_int_equal(edit_distance("kitten", 6, "sitting", 7), 3);
    assert_int_equal(edit_distance("", 0, "abc", 3), 3);
}

static void a_verb_takes_its_own_options(void **state)
{
    (void)state;
    static const struct verb_option rows[] = {{"all", "send mark"}, {"wait", "send"},
                                              {NULL, NULL}};
    static const struct {
        const char *verb;
        const char *option;
        const char *message; /* NULL: it is taken */
    } cases[] = {
        {"send", "--wait", NULL},
        {"mark", "--all", NULL},
        {"list", "--cron=a", NULL},
        {"list", "--all",
         "--all does not go with belfry post list, which takes --group --cron --output"},
        {"mark", "--wait=1s",
         "--wait does not go with belfry post mark, which takes --group --cron --output --all"},
        {"sen", "--wait",
         "--wait does not go with belfry post sen, which takes --group --cron --output"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arguments arguments = {0};
        struct error error = {0};
        const char *const words[] = {cases[i].option, NULL};
        int at = 0;
        assert_true(parse(&arguments, words, STOP_AT_END, &at, &error));
        bool taken = verb_options_check(&arguments, "post", cases[i].verb, option_tables, rows,
                                        &error);
        assert_int_equal(taken, cases[i].message == NULL);
        assert_string_equal(error.message, taken ? "" : cases[i].message);
        arguments_free(&arguments);
    }
}

/* No two options of a command, the global ones included, may share a name or a letter. */
static void tables_are_consistent(void **state)
{
    (void)state;
    for (const struct cli_command *command = cli_commands; command->name != NULL; command++) {
        const struct option_row *seen[128];
        size_t count = 0;
        assert_non_null(command->summary);
        assert_non_null(command->usage);
        assert_non_null(command->examples);
        for (size_t t = 0;; t++) {
            bool last = command->options[t] == NULL;
            const struct option_row *row = last ? settings_options : command->options[t];
            for (; row->name != NULL; row++) {
                for (size_t i = 0; i < count; i++) {
                    if (strcmp(seen[i]->name, row->name) == 0)
                        fail_msg("%s: --%s twice", command->name, row->name);
                    if (row->letter != '\0' && row->letter == seen[i]->letter)
                        fail_msg("%s: -%c twice", command->name, row->letter);
                }
                assert_true(row->kind == OPTION_FLAG || row->argument != NULL);
                assert_non_null(row->help);
                assert_true(count < sizeof seen / sizeof seen[0]);
                seen[count++] = row;
            }
            if (last) break;
        }
    }
}

/* Every kind of schedule is an option of its name, and the first of them. */
static void each_kind_of_schedule_is_an_option(void **state)
{
    (void)state;
    const char *const *kinds = schedule_kind_words();
    size_t count = 0;
    for (; kinds[count] != NULL; count++)
        assert_string_equal(options_schedule[count].name, kinds[count]);
    assert_int_equal(count, 3);
    assert_string_equal(SCHEDULE_USAGE, "--cron EXPR | --every D | --at TIME");
    assert_string_equal(SCHEDULE_WAYS, "--cron EXPR, --every D or --at TIME");
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(refusals, check_refusal)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(the_last_counts),
        cmocka_unit_test(stops_at_the_command),
        cmocka_unit_test(dashes_end_the_options),
        cmocka_unit_test(reads_whole_numbers_only),
        cmocka_unit_test(takes_text_only),
        cmocka_unit_test(checks_names),
        cmocka_unit_test(suggests_the_nearest),
        cmocka_unit_test(a_verb_takes_its_own_options),
        cmocka_unit_test(tables_are_consistent),
        cmocka_unit_test(each_kind_of_schedule_is_an_option),
    };
    return run_rows("cli options", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
