/* Expressions that are refused: each row of invalid_cron.tsv names the dialect, the column, words
 * of the message and the zone given beside the expression. */
#include "dispatcher/core/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cron_case.h"

enum { LINE_BYTES = 512, COLUMNS = 5, ROWS_LEAST = 300 };
enum { DIALECT, COLUMN, SAYS, ZONE, TEXT };

static enum cron_dialect dialect_of(const char *name)
{
    if (strcmp(name, "quartz") == 0) return CRON_QUARTZ;
    return strcmp(name, "seconds") == 0 ? CRON_SECONDS : CRON_STANDARD;
}

static void put_tabs(char *text)
{
    for (char *at = strstr(text, "\\t"); at != NULL; at = strstr(at, "\\t")) {
        *at = '\t';
        memmove(at + 1, at + 2, strlen(at + 2) + 1);
    }
}

static int check_row(char *const *column)
{
    struct cron_options options = {.dialect = dialect_of(column[DIALECT]),
                                   .zone = text_of(column[ZONE]),
                                   .zones = test_zones()};
    struct cron_reading reading;
    struct error error = {0};
    if (cron_parse(column[TEXT], strlen(column[TEXT]), &options, &reading, &error)) {
        print_error("'%s' was taken\n", column[TEXT]);
        return 1;
    }
    bool right = error.kind == ERROR_INVALID && error.column == strtol(column[COLUMN], NULL, 10) &&
                 strstr(error.message, column[SAYS]) != NULL && error.code[0] != '\0';
    if (!right)
        print_error("'%s': column %s \"%s\" expected, but column %d: %s\n", column[TEXT],
                    column[COLUMN], column[SAYS], error.column, error.message);
    return right ? 0 : 1;
}

static void each_row_is_refused_where_it_says(void **state)
{
    (void)state;
    FILE *file = fopen("tests/unit/invalid_cron.tsv", "re");
    char line[LINE_BYTES];
    int wrong = 0;
    int rows = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *column[COLUMNS] = {line};
        if (line[0] == '#') continue;
        line[strcspn(line, "\n")] = '\0';
        for (int i = 1; i < COLUMNS; i++) {
            char *tab = strchr(column[i - 1], '\t');
            assert_non_null(tab);
            *tab = '\0';
            column[i] = tab + 1;
        }
        put_tabs(column[TEXT]);
        wrong += check_row(column);
        rows++;
    }
    (void)fclose(file);
    assert_int_equal(wrong, 0);
    assert_true(rows >= ROWS_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_row_is_refused_where_it_says)};
    return cmocka_run_group_tests_name("cron invalid", tests, NULL, NULL);
}
