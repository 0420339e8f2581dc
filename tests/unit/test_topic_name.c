#include "lib/base/topic_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_are_cluster_and_suffix(void **state)
{
    (void)state;
    char name[TOPIC_NAME_BYTES];
    char cluster[TOPIC_NAME_BYTES] = "";
    assert_true(topic_name_of("belfry", "control", name));
    assert_string_equal(name, "belfry.control");
    memset(cluster, 'c', TOPIC_BYTES_MAX - strlen(".fires"));
    assert_true(topic_name_of(cluster, "fires", name));
    assert_int_equal(strlen(name), TOPIC_BYTES_MAX);
    assert_false(topic_name_of(cluster, "fires2", name));
}

static void kafka_takes_it_or_not(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "orders.v1", "A-z_0.9", "_a", "...", ".a"};
    static const char *const bad[] = {"",    ".",   "..", "__consumer_offsets",
                                      "a b", "a/b", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!topic_name_is_valid(text_of(good[i]))) fail_msg("refused %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (topic_name_is_valid(text_of(bad[i]))) fail_msg("took %s", bad[i]);
    char name[TOPIC_BYTES_MAX + 2] = "";
    memset(name, 'a', TOPIC_BYTES_MAX);
    assert_true(topic_name_is_valid(text_of(name)));
    name[TOPIC_BYTES_MAX] = 'a';
    assert_false(topic_name_is_valid(text_of(name)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_cluster_and_suffix),
        cmocka_unit_test(kafka_takes_it_or_not),
    };
    return cmocka_run_group_tests_name("topic name", tests, NULL, NULL);
}
