#include "lib/base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ITEMS = 500, ROUNDS = 200 };

struct item {
    uint32_t rank;
    size_t at; /* its place, as the heap says */
};

static bool before(const void *left, const void *right)
{
    return (*(struct item *const *)left)->rank < (*(struct item *const *)right)->rank;
}

static void placed(const void *item, size_t at)
{
    (*(struct item *const *)item)->at = at;
}

static const struct heap_kind kind = {.item_bytes = sizeof(struct item *), .before = before,
                                      .placed = placed};

struct filled {
    struct item items[ITEMS];
    struct item *heap[ITEMS];
    size_t count;
};

static void fill(struct filled *filled, uint32_t *random)
{
    for (filled->count = 0; filled->count < ITEMS;) {
        *random = *random * 1664525 + 1013904223;
        struct item *item = &filled->items[filled->count];
        item->rank = *random >> 24; /* with many equal ones */
        filled->heap[filled->count] = item;
        heap_rise(&kind, filled->heap, filled->count++);
    }
}

static void take_at(struct filled *filled, size_t at)
{
    struct item *moved = filled->heap[--filled->count];
    if (at == filled->count) return;
    filled->heap[at] = moved;
    heap_rise(&kind, filled->heap, at);
    heap_sink(&kind, filled->heap, filled->count, moved->at);
}

static void comes_out_in_order(void **state)
{
    (void)state;
    static struct filled filled;
    uint32_t random = 1;
    for (int round = 0; round < ROUNDS; round++) {
        fill(&filled, &random);
        for (int i = 0; i < round; i++) take_at(&filled, (random >> 8) % filled.count);
        for (size_t i = 0; i < filled.count; i++) assert_int_equal(filled.heap[i]->at, i);
        uint32_t last = 0;
        while (filled.count > 0) {
            assert_true(filled.heap[0]->rank >= last);
            last = filled.heap[0]->rank;
            take_at(&filled, 0);
        }
    }
}

static bool number_before(const void *left, const void *right)
{
    return *(const int *)left < *(const int *)right;
}

static void nobody_need_be_told(void **state)
{
    (void)state;
    static const struct heap_kind numbers = {.item_bytes = sizeof(int), .before = number_before};
    int heap[] = {5, 3, 8, 1, 9, 2};
    size_t count = sizeof heap / sizeof heap[0];
    for (size_t i = count / 2; i-- > 0;) heap_sink(&numbers, heap, count, i);
    int last = 0;
    while (count > 0) {
        assert_true(heap[0] > last);
        last = heap[0];
        heap[0] = heap[--count];
        if (count > 0) heap_sink(&numbers, heap, count, 0);
    }
    assert_int_equal(last, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_in_order),
        cmocka_unit_test(nobody_need_be_told),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
