#include "tests/simulation/world/loans.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/world.h"

static struct loans *lent; /* all that have any */

static uint64_t sum_of(struct text value)
{
    uint64_t sum = value.length;
    size_t at = 0;
    for (; at + 8 <= value.length; at += 8) {
        uint64_t word;
        memcpy(&word, value.bytes + at, 8);
        sum = random_mix(sum, word);
    }
    for (; at < value.length; at++) sum = random_mix(sum, (unsigned char)value.bytes[at]);
    return sum;
}

/* Memory is freed: nobody may have it on loan. */
static void freed(void *opaque, const char *from, const char *to)
{
    (void)opaque;
    for (struct loans *loans = lent; loans != NULL; loans = loans->next)
        for (size_t i = 0; i < loans->count; i++) {
            struct loan *loan = &loans->items[i];
            if (loan->value.length == 0 || loan->value.bytes >= to ||
                loan->value.bytes + loan->value.length <= from)
                continue;
            world_violation(loans->world, "on loan: a value of %zu bytes is freed while a "
                            "producer may still read it", loan->value.length);
            loans->count = 0;
        }
}

static void give_back(struct loans *loans)
{
    struct loans **at = &lent;
    loans->count = 0;
    while (*at != NULL && *at != loans) at = &(*at)->next;
    if (*at != NULL) *at = loans->next;
    loans->next = NULL;
    if (lent == NULL) heap_watch(NULL, NULL);
}

void loans_add(struct loans *loans, struct world *world, struct text value)
{
    if (loans->count == 0) {
        loans->world = world;
        give_back(loans);
        loans->next = lent;
        lent = loans;
        heap_watch(freed, NULL);
    }
    struct heap *before = heap_enter(NULL);
    loans->items = memory_grow(loans->items, &loans->capacity, loans->count + 1,
                               sizeof *loans->items);
    (void)heap_enter(before);
    loans->items[loans->count++] = (struct loan){value, sum_of(value)};
}

static void read_again(const struct loans *loans)
{
    for (size_t i = 0; i < loans->count; i++)
        if (sum_of(loans->items[i].value) != loans->items[i].sum) {
            world_violation(loans->world, "on loan: a value of %zu bytes is changed while a "
                            "producer may still read it", loans->items[i].value.length);
            return;
        }
}

bool loans_over(struct loans *loans)
{
    read_again(loans);
    give_back(loans);
    return true;
}

void loans_free(struct loans *loans)
{
    struct heap *before = heap_enter(NULL);
    give_back(loans);
    free(loans->items);
    loans->items = NULL;
    (void)heap_enter(before);
}
