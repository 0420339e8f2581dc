#include "tests/support/rows.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

static struct CMUnitTest test_of(const struct row_table *table, size_t index)
{
    const char *row = (const char *)table->rows + index * table->row_bytes;
    struct CMUnitTest test = {.test_func = table->check, .initial_state = (void *)(uintptr_t)row};
    memcpy(&test.name, row, sizeof test.name);
    return test;
}

int run_rows(const char *group, const struct row_table *tables, size_t table_count,
             const struct CMUnitTest *others, size_t other_count)
{
    size_t count = other_count;
    for (size_t i = 0; i < table_count; i++) count += tables[i].count;
    struct CMUnitTest *tests = memory_allocate(count, sizeof *tests);
    size_t at = 0;
    for (size_t i = 0; i < table_count; i++)
        for (size_t row = 0; row < tables[i].count; row++) tests[at++] = test_of(&tables[i], row);
    if (other_count > 0) memcpy(&tests[at], others, other_count * sizeof *others);
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    free(tests);
    return failed;
}
