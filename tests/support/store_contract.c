#include "tests/support/store_contract.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CASES_MAX = 64 };

struct bound_case {
    const struct store_case *what;
    const struct backend *backend;
    struct backend_state *state;
    char name[96];
};

static void run_case(void **state)
{
    const struct bound_case *bound = *state;
    struct store_fixture fixture = {.backend = bound->backend, .state = bound->state};
    bound->backend->empty(bound->state);
    fixture.a = bound->backend->connect(bound->state);
    fixture.b = bound->backend->connect(bound->state);
    bound->what->run(&fixture);
    fixture.a->operations->destroy(fixture.a);
    fixture.b->operations->destroy(fixture.b);
}

int run_store_cases(const char *name, const struct store_case *cases, size_t count)
{
    struct CMUnitTest tests[BACKENDS * CASES_MAX];
    static struct bound_case bound[BACKENDS * CASES_MAX];
    struct backend_state states[BACKENDS];
    assert(count > 0 && count <= CASES_MAX);
    memset(states, 0, sizeof states);
    memset(tests, 0, sizeof tests);
    for (int i = 0; i < BACKENDS; i++)
        if (!store_backend(i)->open(&states[i])) return 1;
    /* As many rows as there are; the rest of the array stays without a test function. */
    for (size_t i = 0; i < BACKENDS * count; i++) {
        struct bound_case *row = &bound[i];
        row->what = &cases[i % count];
        row->backend = store_backend((int)(i / count));
        row->state = &states[i / count];
        (void)snprintf(row->name, sizeof row->name, "%s: %s", row->backend->name,
                       row->what->name);
        tests[i] = (struct CMUnitTest){.name = row->name, .test_func = run_case,
                                       .initial_state = row};
    }
    int failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
    for (int i = 0; i < BACKENDS; i++) store_backend(i)->close(&states[i]);
    return failed;
}
