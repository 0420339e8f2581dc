/* A transaction is as large as what is sent, not as what is kept: copies count each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dispatcher/engine/outbox.h"
#include "lib/base/memory.h"

enum { VALUE_BYTES = 1024 * 1024 };

static void copies_are_kept_once_and_counted_each_time(void **state)
{
    (void)state;
    struct foreign foreign = {0};
    struct outbox *outbox = outbox_create(text_of("belfry"), 0, 1000, &foreign, NULL);
    outbox_begin(outbox, 1);
    char *bytes = memory_allocate(VALUE_BYTES, 1);
    struct record_header header = {text_of("h"), text_of("v")};
    outbox_add(outbox, TOPIC_FORWARD, 1, text_of("k"), (struct text){bytes, VALUE_BYTES},
               &header, 1);
    for (int32_t shard = 2; shard < 9; shard++) {
        assert_false(outbox_is_full(outbox));
        outbox_add_copy(outbox, shard);
    }
    assert_true(outbox_is_full(outbox));
    assert_true(outbox_kept_bytes(outbox) < 2 * VALUE_BYTES);
    for (size_t i = 0; i < 8; i++) {
        struct broker_record record;
        struct broker_header headers[BROKER_RECORD_HEADERS_MAX];
        assert_true(outbox_record(outbox, i, &record, headers));
        assert_int_equal(record.partition, i + 1);
        assert_int_equal(record.value.length, VALUE_BYTES);
        assert_int_equal(record.header_count, 1);
    }
    outbox_begin(outbox, 2);
    assert_false(outbox_is_full(outbox));
    assert_int_equal(outbox_bytes(outbox), 0);
    free(bytes);
    outbox_destroy(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_kept_once_and_counted_each_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
