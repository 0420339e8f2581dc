/* What is printed: foreign text cannot steer a terminal, tables fit the screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/show/print_table.h"
#include "cli/show/print_text.h"
#include "tests/support/rows.h"

struct escape_case {
    const char *name;
    const char *text;
    size_t length; /* 0: strlen */
    const char *escaped;
};

static const struct escape_case escape_cases[] = {
    {"plain text stays", "invoice-7 \xc3\xbc", 0, "invoice-7 \xc3\xbc"},
    {"an escape sequence", "\x1b[2J", 0, "\\x1b[2J"},
    {"line ends and tabs", "a\nb\rc\td", 0, "a\\nb\\rc\\td"},
    {"a NUL byte", "a\0b", 3, "a\\x00b"},
    {"delete", "\x7f", 0, "\\x7f"},
    {"C1 control as UTF-8", "\xc2\x9b" "31m", 0, "\\x9b31m"},
    {"C1 control as a bare byte", "\x9b" "31m", 0, "\\x9b31m"},
    {"right-to-left override", "\xe2\x80\xae" "abc", 0, "\\u202eabc"},
    {"zero-width space", "a\xe2\x80\x8b" "b", 0, "a\\u200bb"},
    {"cut-off UTF-8", "a\xe2\x82", 0, "a\\xe2\\x82"},
    {"overlong slash", "\xc0\xaf", 0, "\\xc0\\xaf"},
    {"surrogate", "\xed\xa0\x80", 0, "\\xed\\xa0\\x80"},
    {"above Unicode", "\xf4\x90\x80\x80", 0, "\\xf4\\x90\\x80\\x80"},
    {"emoji stays", "\xf0\x9f\x94\x94", 0, "\xf0\x9f\x94\x94"},
};

static void check_escape(void **state)
{
    const struct escape_case *row = *state;
    struct text_writer out = {0};
    text_escape(&out, row->text, row->length == 0 ? strlen(row->text) : row->length);
    assert_string_equal(text_writer_terminated(&out), row->escaped);
    text_writer_free(&out);
}

static void counts_columns(void **state)
{
    (void)state;
    assert_int_equal(text_columns("abc", 3), 3);
    assert_int_equal(text_columns("\xc3\xbc", 2), 1);
    assert_int_equal(text_columns("e\xcc\x81", 3), 1);
    assert_int_equal(text_columns("\xe6\x97\xa5", 3), 2);
    assert_int_equal(text_fit("\xe6\x97\xa5\xe6\x97\xa5", 6, 3), 3);
    assert_int_equal(text_fit("abcdef", 6, 3), 3);
    assert_int_equal(text_fit("ab", 2, 10), 2);
}

static const struct table_column columns[] = {
    {"NAME", false, 6}, {"COUNT", true, 0}, {"STATE", false, 0}};

/* The table of some rows as text, owned by the caller. */
static char *table_text(size_t width, bool colour, const char *const rows[][3], size_t count)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    assert_non_null(stream);
    struct table *table = table_create(stream, columns, 3, width, colour);
    for (size_t i = 0; i < count; i++) {
        const struct table_cell cells[] = {{text_of(rows[i][0]), TONE_PLAIN},
                                           {text_of(rows[i][1]), TONE_PLAIN},
                                           {text_of(rows[i][2]), TONE_GOOD}};
        table_add(table, cells);
    }
    table_finish(table);
    (void)fclose(stream);
    return text;
}

static void aligns_columns(void **state)
{
    (void)state;
    static const char *const rows[][3] = {{"a", "7", "active"}, {"long-name", "1000", "x"}};
    char *text = table_text(0, false, rows, 2);
    assert_string_equal(text, "NAME       COUNT  STATE\n"
                              "a              7  active\n"
                              "long-name   1000  x\n");
    free(text);
}

static void fits_the_screen(void **state)
{
    (void)state;
    static const char *const rows[][3] = {{"a-very-long-name-indeed", "7", "active"}};
    char *text = table_text(24, false, rows, 1);
    assert_string_equal(text, "NAME       COUNT  STATE\n"
                              "a-very-l\xe2\x80\xa6      7  active\n");
    free(text);
}

/* On a terminal it is the same JSON without a byte that steers; elsewhere the same bytes. */
static void json_on_a_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {{"{\n\t\"a\":\"\xc3\xbc\"}", "{\n\t\"a\":\"\xc3\xbc\"}"},
                {"\"\xe2\x80\xae\"", "\"\\u202e\""}, {"\"\xc2\x9b\"", "\"\\u009b\""},
                {"\"\x1b\"", "\"\\u001b\""},         {"\"\xff\"", "\"\\ufffd\""},
                {"\"\xf3\xa0\x80\xa0\"", "\"\\udb40\\udc20\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int terminal = 0; terminal < 2; terminal++) {
            char *text = NULL;
            size_t bytes = 0;
            FILE *stream = open_memstream(&text, &bytes);
            assert_true(print_json(stream, rows[i].text, strlen(rows[i].text), terminal == 1));
            (void)fclose(stream);
            assert_string_equal(text, terminal == 1 ? rows[i].shown : rows[i].text);
            free(text);
        }
    }
}

static void leaves_out_the_last_columns(void **state)
{
    (void)state;
    static const char *const rows[][3] = {{"a-very-long-name-indeed", "7", "active"}};
    char *text = table_text(15, false, rows, 1);
    assert_string_equal(text, "NAME    COUNT\n"
                              "a-ver\xe2\x80\xa6      7\n");
    free(text);
}

static void escapes_cells(void **state)
{
    (void)state;
    static const char *const rows[][3] = {{"\x1b]0;x\x07", "1", "s"}};
    char *text = table_text(0, false, rows, 1);
    assert_null(strchr(text, '\x1b'));
    assert_null(strchr(text, '\x07'));
    assert_non_null(strstr(text, "\\x1b]0;x\\x07"));
    free(text);
}

static void colours_only_when_asked(void **state)
{
    (void)state;
    static const char *const rows[][3] = {{"a", "1", "active"}};
    char *plain = table_text(80, false, rows, 1);
    char *coloured = table_text(80, true, rows, 1);
    assert_null(strchr(plain, '\x1b'));
    assert_non_null(strstr(coloured, "\x1b[32mactive\x1b[0m"));
    free(plain);
    free(coloured);
}

static void prints_more_rows_than_it_holds(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    struct table *table = table_create(stream, columns, 3, 0, false);
    const struct table_cell cells[] = {{text_of("a"), TONE_PLAIN}, {text_of("1"), TONE_PLAIN},
                                       {text_of("b"), TONE_PLAIN}};
    for (int i = 0; i < TABLE_ROWS_HELD + 5; i++) table_add(table, cells);
    table_finish(table);
    (void)fclose(stream);
    int lines = 0;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    assert_int_equal(lines, TABLE_ROWS_HELD + 6);
    free(text);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(escape_cases, check_escape)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(counts_columns),
        cmocka_unit_test(aligns_columns),
        cmocka_unit_test(fits_the_screen),
        cmocka_unit_test(escapes_cells),
        cmocka_unit_test(leaves_out_the_last_columns),
        cmocka_unit_test(json_on_a_terminal),
        cmocka_unit_test(colours_only_when_asked),
        cmocka_unit_test(prints_more_rows_than_it_holds),
    };
    return run_rows("cli print", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
