/* Expressions that are refused: each row of invalid_cron.tsv names the dialect, the column, words
 * of the message and the zone given beside the expression. */
#include "lib/time/cron.h"

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
                 strstr(error.message, column[SAYS]) != NULL && error.code != CODE_NONE;
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

enum { FIELDS = 6, HIGHEST = 60 };

/* "range 7-2 runs backwards; write it as 0-2, ..." and "... write it as two, 3-6,0-2". */
static bool hint_of(const char *message, char *hint, size_t bytes)
{
    static const char before[] = "write it as ";
    const char *at = strstr(message, before);
    if (at == NULL) return false;
    at += sizeof before - 1;
    if (strncmp(at, "two, ", 5) == 0) at += 5;
    size_t length = strspn(at, "0123456789-,");
    if (length > 0 && at[length - 1] == ',') length--;
    assert_true(length > 0 && length < bytes);
    memcpy(hint, at, length);
    hint[length] = '\0';
    return true;
}

static bool parse_with(int field, const char *value, int fields, enum cron_dialect dialect,
                       struct error *error)
{
    char text[LINE_BYTES] = "";
    struct cron_options options = {.dialect = dialect};
    struct cron_reading reading;
    size_t length = 0;
    for (int i = 0; i < fields; i++) {
        const char *other = dialect == CRON_QUARTZ && i == 5 && field != 5 ? "?" : "*";
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", i > 0 ? " " : "",
                                   i == field ? value : other);
    }
    return cron_parse(text, length, &options, &reading, error);
}

/* Whoever does what a refusal says is not refused again. */
static void every_hint_is_taken(void **state)
{
    (void)state;
    static const enum cron_dialect dialects[] = {CRON_STANDARD, CRON_SECONDS, CRON_QUARTZ};
    int hints = 0;
    for (size_t d = 0; d < sizeof dialects / sizeof dialects[0]; d++) {
        int fields = dialects[d] == CRON_STANDARD ? FIELDS - 1 : FIELDS;
        for (int number = 0; number < fields * HIGHEST * HIGHEST; number++) {
            char range[32], hint[64];
            struct error error = {0}, again = {0};
            int field = number / (HIGHEST * HIGHEST);
            (void)snprintf(range, sizeof range, "%d-%d", number / HIGHEST % HIGHEST,
                           number % HIGHEST);
            if (parse_with(field, range, fields, dialects[d], &error) ||
                !hint_of(error.message, hint, sizeof hint))
                continue;
            hints++;
            if (!parse_with(field, hint, fields, dialects[d], &again))
                fail_msg("%s: %s; but %s: %s", range, error.message, hint, again.message);
        }
    }
    assert_true(hints > 5000);
}

static void every_nickname_that_is_named_is_taken(void **state)
{
    (void)state;
    struct cron_options options = {0};
    struct cron_reading reading;
    struct error error = {0};
    int taken = 0;
    assert_false(cron_parse("@dayly", 6, &options, &reading, &error));
    for (const char *at = strchr(strstr(error.message, "allowed"), '@'); at != NULL;
         at = strchr(at + 1, '@')) {
        char name[32];
        struct error again = {0};
        size_t length = strcspn(at, " ,");
        assert_true(length < sizeof name - 4);
        (void)snprintf(name, sizeof name, "%.*s%s", (int)length, at,
                       strncmp(at, "@every", 6) == 0 ? " 1h" : "");
        if (!cron_parse(name, strlen(name), &options, &reading, &again))
            fail_msg("%s; but %s: %s", error.message, name, again.message);
        taken++;
    }
    assert_true(taken >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_refused_where_it_says),
        cmocka_unit_test(every_hint_is_taken),
        cmocka_unit_test(every_nickname_that_is_named_is_taken),
    };
    return cmocka_run_group_tests_name("cron invalid", tests, NULL, NULL);
}
