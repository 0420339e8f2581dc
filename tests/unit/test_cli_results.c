/* Waiting for the results of a command that goes to several shards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/write/result_wait.h"

static void accounts_for_every_shard_once(void **state)
{
    (void)state;
    struct result_account *account = calloc(1, sizeof *account);
    json_t *first = json_loads("{\"shard\":2,\"shards\":2}", 0, NULL);
    json_t *second = json_loads("{\"shard\":0,\"shards\":2}", 0, NULL);
    json_t *wrong = json_loads("{\"shard\":-1,\"shards\":2}", 0, NULL);
    assert_false(result_account_complete(account));
    assert_true(result_account_note(account, first));
    assert_false(result_account_complete(account));
    assert_false(result_account_note(account, first));
    assert_false(result_account_note(account, wrong));
    assert_false(result_account_complete(account));
    assert_true(result_account_note(account, second));
    assert_true(result_account_complete(account));
    json_decref(first);
    json_decref(second);
    json_decref(wrong);
    free(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(accounts_for_every_shard_once)};
    return cmocka_run_group_tests_name("cli view", tests, NULL, NULL);
}
