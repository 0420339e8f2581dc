/* rows.h - one test for each row of a table, named by the row's first member. */
#ifndef BELFRY_TESTS_ROWS_H
#define BELFRY_TESTS_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct row_table {
    const void *rows; /* structs whose first member is a const char *, the name of the test */
    size_t count;
    size_t row_bytes;
    CMUnitTestFunction check; /* *state: the row */
};

#define ROW_TABLE(rows, check) {rows, sizeof rows / sizeof rows[0], sizeof rows[0], check}

/* Runs all as one group, the rows of the tables first. `others` may be NULL.
 * Returns how many tests have failed. */
int run_rows(const char *group, const struct row_table *tables, size_t table_count,
             const struct CMUnitTest *others, size_t other_count);

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

#endif
