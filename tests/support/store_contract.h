/* store_contract.h - runs cases of the store's contract on every back end. */
#ifndef BELFRY_TESTS_SUPPORT_STORE_CONTRACT_H
#define BELFRY_TESTS_SUPPORT_STORE_CONTRACT_H

#include <stddef.h>

#include "tests/support/store_backend.h"

/* What a case gets: an empty back end with two connections. */
struct store_fixture {
    const struct backend *backend;
    struct backend_state *state;
    struct store *a;
    struct store *b;
};

struct store_case {
    const char *name;
    void (*run)(struct store_fixture *fixture);
};

/* Each case on each back end as a test of its own, "redis: what it shows". Returns how many
 * failed, for main(). */
int run_store_cases(const char *name, const struct store_case *cases, size_t count);

#endif
