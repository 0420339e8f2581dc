/* What is shown of a long work, and what the tables of options tell a shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/show/progress.h"
#include "cli/words/cli.h"
#include "cli/words/option_words.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_fits_the_terminal),
        cmocka_unit_test(numbers_are_grouped),
        cmocka_unit_test(words_of_options),
    };
    return cmocka_run_group_tests_name("progress and words", tests, NULL, NULL);
}
