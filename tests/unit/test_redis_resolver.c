/* A host is found within the limit, or not: whatever the system's resolver does. */
#include "store/redis_resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/monotonic.h"

enum { SHORT_MS = 50, PATIENCE_MS = 20000 };

static atomic_int asked;
static atomic_bool slow;

static void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Answers when it is told to, with how often it was asked. */
static bool resolve(const char *host, struct redis_addresses *addresses, char trouble[128])
{
    int number = atomic_fetch_add(&asked, 1) + 1;
    while (atomic_load(&slow)) sleep_ms(1);
    if (strcmp(host, "nowhere") == 0) {
        (void)snprintf(trouble, 128, "not known");
        return false;
    }
    addresses->count = 1;
    (void)snprintf(addresses->texts[0], REDIS_ADDRESS_BYTES, "10.0.0.%d", number);
    return true;
}

static void a_slow_resolver_holds_nobody(void **state)
{
    (void)state;
    struct redis_resolver *resolver = redis_resolver_create("somewhere", resolve);
    struct redis_addresses addresses;
    struct error error = {0};
    int64_t begin_ms = monotonic_ms();
    atomic_store(&asked, 0);
    atomic_store(&slow, true);
    assert_false(redis_resolver_find(resolver, SHORT_MS, &addresses, &error));
    assert_int_equal(error.kind, ERROR_RETRY);
    assert_non_null(strstr(error.message, "somewhere"));
    assert_false(redis_resolver_find(resolver, SHORT_MS, &addresses, &error));
    assert_true(monotonic_ms() - begin_ms < PATIENCE_MS);
    assert_int_equal(atomic_load(&asked), 1); /* no second thread beside the first */
    atomic_store(&slow, false);
    assert_true(redis_resolver_find(resolver, PATIENCE_MS, &addresses, &error));
    assert_string_equal(addresses.texts[0], "10.0.0.1"); /* found late is found */
    assert_true(redis_resolver_find(resolver, PATIENCE_MS, &addresses, &error));
    assert_string_equal(addresses.texts[0], "10.0.0.2"); /* an address may change */
    redis_resolver_destroy(resolver);
}

static void destroyed_while_asking(void **state)
{
    (void)state;
    struct redis_resolver *resolver = redis_resolver_create("somewhere", resolve);
    struct redis_addresses addresses;
    struct error error = {0};
    atomic_store(&slow, true);
    assert_false(redis_resolver_find(resolver, 0, &addresses, &error));
    redis_resolver_destroy(resolver);
    atomic_store(&slow, false);
    sleep_ms(SHORT_MS); /* the thread frees what is left */
}

static void what_the_system_says(void **state)
{
    (void)state;
    struct redis_addresses addresses;
    struct error error = {0};
    struct redis_resolver *resolver = redis_resolver_create("localhost", NULL);
    assert_true(redis_resolver_find(resolver, PATIENCE_MS, &addresses, &error));
    assert_true(addresses.count >= 1);
    redis_resolver_destroy(resolver);
    resolver = redis_resolver_create("nowhere", resolve);
    assert_false(redis_resolver_find(resolver, PATIENCE_MS, &addresses, &error));
    assert_non_null(strstr(error.message, "not known"));
    redis_resolver_destroy(resolver);
    atomic_store(&asked, 0);
    resolver = redis_resolver_create("fe80::1", resolve);
    assert_true(redis_resolver_find(resolver, 0, &addresses, &error));
    assert_string_equal(addresses.texts[0], "fe80::1");
    assert_int_equal(atomic_load(&asked), 0); /* it is an address */
    redis_resolver_destroy(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_resolver_holds_nobody),
        cmocka_unit_test(destroyed_while_asking),
        cmocka_unit_test(what_the_system_says),
    };
    return cmocka_run_group_tests_name("redis resolver", tests, NULL, NULL);
}
