#include "dispatcher/runs/run_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

enum { WORD_BITS = 64 };

/* ---- by id, by job ---- */

static uint32_t hash_of_bytes(const struct run_table *table, const void *bytes, size_t length)
{
    return (uint32_t)hash_siphash(table->key, bytes, length);
}

static uint32_t hash_of_id(const void *owner, uint32_t k)
{
    char id[RUN_ID_BYTES_MAX + 1];
    size_t length = run_id_of(run_table_at(owner, k), id);
    return hash_of_bytes(owner, id, length);
}

static bool has_id(const void *owner, uint32_t k, const void *wanted)
{
    const struct text *id = wanted;
    char text[RUN_ID_BYTES_MAX + 1];
    size_t length = run_id_of(run_table_at(owner, k), text);
    return text_equal((struct text){text, length}, *id);
}

struct run_name {
    int64_t ordinal; /* where the job lives, the texts are empty then */
    struct text group;
    struct text id;
};

static struct run_name name_of(const struct run *run)
{
    if ((run->flags & RUN_ORPHAN) == 0) return (struct run_name){.ordinal = run->ordinal};
    return (struct run_name){.group = text_of(run->more->group), .id = text_of(run->more->id)};
}

static uint32_t hash_of_name(const struct run_table *table, const struct run_name *name)
{
    if (name->group.length == 0)
        return hash_of_bytes(table, &name->ordinal, sizeof name->ordinal);
    return hash_of_bytes(table, name->group.bytes, name->group.length) ^
           hash_of_bytes(table, name->id.bytes, name->id.length) * 31;
}

static uint32_t hash_of_job(const void *owner, uint32_t k)
{
    struct run_name name = name_of(run_table_at(owner, k));
    return hash_of_name(owner, &name);
}

static bool is_of_job(const void *owner, uint32_t k, const void *wanted)
{
    const struct run_name *name = wanted;
    struct run_name own = name_of(run_table_at(owner, k));
    return own.ordinal == name->ordinal && text_equal(own.group, name->group) &&
           text_equal(own.id, name->id);
}

static struct run *first_of(const struct run_table *table, const struct run_name *name)
{
    uint32_t k = number_index_find(&table->by_job, hash_of_name(table, name), is_of_job, name);
    return k == NUMBER_NONE ? NULL : run_table_at(table, k);
}

struct run *run_table_of_job(const struct run_table *table, int64_t ordinal)
{
    struct run_name name = {.ordinal = ordinal};
    return first_of(table, &name);
}

struct run *run_table_of_name(const struct run_table *table, struct text group, struct text id)
{
    assert(group.length > 0);
    struct run_name name = {.group = group, .id = id};
    return first_of(table, &name);
}

struct run *run_table_find(const struct run_table *table, struct text id)
{
    uint32_t hash = hash_of_bytes(table, id.bytes, id.length);
    uint32_t k = number_index_find(&table->by_id, hash, has_id, &id);
    return k == NUMBER_NONE ? NULL : run_table_at(table, k);
}

/* ---- life ---- */

void run_table_init(struct run_table *table, const uint8_t key[HASH_KEY_BYTES])
{
    *table = (struct run_table){
        .by_id = {.hash_of = hash_of_id, .owner = table},
        .by_job = {.hash_of = hash_of_job, .owner = table},
    };
    memcpy(table->key, key, sizeof table->key);
    text_pool_init(&table->texts, key);
}

static void free_more(struct run *run)
{
    struct run_more *more = run->more;
    if (more == NULL) return;
    for (uint32_t i = 0; i < more->try_count; i++) free(more->tries[i]);
    free(more->trigger_id);
    free(more->group);
    free(more->id);
    free(more->cursor);
    free(more);
    run->more = NULL;
}

void run_table_free(struct run_table *table)
{
    for (uint32_t k = 0; k < run_table_top(table); k++)
        if (run_table_at(table, k) != NULL) free_more(run_table_at(table, k));
    for (uint32_t i = 0; i < table->page_count; i++) free(table->pages[i]);
    free(table->pages);
    free(table->used);
    number_index_free(&table->by_id);
    number_index_free(&table->by_job);
    for (int i = 0; i < RUN_QUEUES; i++) run_queue_free(&table->queues[i]);
    text_pool_free(&table->texts);
}

uint32_t run_table_top(const struct run_table *table)
{
    return table->page_count * RUNS_A_PAGE;
}

struct run *run_table_at(const struct run_table *table, uint32_t k)
{
    if (k >= run_table_top(table)) return NULL;
    if ((table->used[k / WORD_BITS] >> (k % WORD_BITS) & 1) == 0) return NULL;
    return &table->pages[k / RUNS_A_PAGE][k % RUNS_A_PAGE];
}

/* A page is a word of the bits. */
static void reach(struct run_table *table, uint32_t k)
{
    static_assert((int)RUNS_A_PAGE == (int)WORD_BITS, "they grow together");
    while (run_table_top(table) <= k) {
        size_t capacity = table->page_capacity;
        table->pages = memory_grow(table->pages, &table->page_capacity, table->page_count + 1,
                                   sizeof *table->pages);
        if (capacity != table->page_capacity)
            table->used = memory_resize(table->used, table->page_capacity, sizeof *table->used);
        table->pages[table->page_count] = memory_allocate(RUNS_A_PAGE, sizeof(struct run));
        table->used[table->page_count++] = 0;
    }
}

struct run *run_table_open_at(struct run_table *table, uint32_t k)
{
    reach(table, k);
    assert(run_table_at(table, k) == NULL);
    table->used[k / WORD_BITS] |= UINT64_C(1) << (k % WORD_BITS);
    table->count++;
    struct run *run = run_table_at(table, k);
    *run = (struct run){.k = k, .next = NUMBER_NONE, .previous = NUMBER_NONE};
    return run;
}

struct run *run_table_open(struct run_table *table)
{
    while (table->free_from < table->page_count && table->used[table->free_from] == UINT64_MAX)
        table->free_from++;
    uint32_t k = table->free_from * WORD_BITS;
    if (table->free_from < table->page_count)
        while (run_table_at(table, k) != NULL) k++;
    return run_table_open_at(table, k);
}

void run_table_end(struct run_table *table, struct run *run)
{
    assert(run_table_at(table, run->k) == run && !run_has_ended(run));
    run_table_queue(table, run, RUN_QUEUE_NONE, 0);
    number_index_remove(&table->by_id, run->k);
    run->flags |= RUN_ENDED;
    table->count--;
}

void run_table_close(struct run_table *table, struct run *run)
{
    assert(run_table_at(table, run->k) == run);
    run_table_queue(table, run, RUN_QUEUE_NONE, 0);
    if (!run_has_ended(run)) table->count--;
    if (run->next != NUMBER_NONE) run_table_unlink(table, run);
    text_pool_drop(&table->texts, run->workers);
    text_pool_drop(&table->texts, run->topic);
    text_pool_drop(&table->texts, run->worker);
    free_more(run);
    uint32_t word = run->k / WORD_BITS;
    table->used[word] &= ~(UINT64_C(1) << (run->k % WORD_BITS));
    if (word < table->free_from) table->free_from = word;
}

/* ---- rings: the runs of a job, the oldest of which is in the index ---- */

static void join_between(struct run_table *table, struct run *run, struct run *before,
                         struct run *behind)
{
    run->previous = before->k;
    run->next = behind->k;
    before->next = run->k;
    behind->previous = run->k;
    assert(run_table_at(table, run->k) == run);
}

static void join_ring(struct run_table *table, struct run *run, struct run *first)
{
    struct run *behind = first;
    struct run *before = run_table_at(table, first->previous);
    while (run_first_runnumber(before) > run_first_runnumber(run) && before != first) {
        behind = before;
        before = run_table_at(table, before->previous);
    }
    if (before != first || run_first_runnumber(first) < run_first_runnumber(run)) {
        join_between(table, run, before, behind);
        first->ring_count++;
        return;
    }
    uint16_t count = first->ring_count;
    number_index_remove(&table->by_job, first->k);
    join_between(table, run, run_table_at(table, first->previous), first);
    run->ring_count = (uint16_t)(count + 1);
    number_index_add(&table->by_job, run->k);
}

void run_table_link(struct run_table *table, struct run *run)
{
    assert(run->next == NUMBER_NONE);
    number_index_add(&table->by_id, run->k);
    struct run_name name = name_of(run);
    struct run *first = first_of(table, &name);
    if (first != NULL) {
        join_ring(table, run, first);
        return;
    }
    run->next = run->k;
    run->previous = run->k;
    run->ring_count = 1;
    number_index_add(&table->by_job, run->k);
}

void run_table_unlink(struct run_table *table, struct run *run)
{
    struct run_name name = name_of(run);
    struct run *first = first_of(table, &name);
    struct run *next = run_table_at(table, run->next);
    assert(first != NULL && next != NULL);
    uint16_t left = (uint16_t)(first->ring_count - 1);
    if (run == first) number_index_remove(&table->by_job, run->k);
    if (!run_has_ended(run)) number_index_remove(&table->by_id, run->k);
    next->previous = run->previous;
    run_table_at(table, run->previous)->next = run->next;
    run->next = NUMBER_NONE;
    run->previous = NUMBER_NONE;
    if (left == 0) return;
    if (run == first) number_index_add(&table->by_job, next->k);
    (run == first ? next : first)->ring_count = left;
}

struct run *run_table_next(const struct run_table *table, const struct run *run)
{
    struct run *next = run_table_at(table, run->next);
    return run_first_runnumber(next) > run_first_runnumber(run) ? next : NULL;
}

/* ---- queues ---- */

void run_table_queue(struct run_table *table, struct run *run, enum run_queue_kind queue,
                     int64_t at)
{
    if (run->queue != RUN_QUEUE_NONE) run_queue_take(&table->queues[run->queue], run);
    run->queue = (uint8_t)queue;
    if (queue == RUN_QUEUE_NONE) return;
    run->at = at;
    run_queue_put(&table->queues[queue], run);
}

struct run *run_table_first(const struct run_table *table, enum run_queue_kind queue)
{
    return table->queues[queue].count == 0 ? NULL : table->queues[queue].runs[0];
}

/* ---- one run ---- */

struct run_more *run_more(struct run *run)
{
    if (run->more == NULL) {
        run->more = memory_allocate(1, sizeof *run->more);
        run->more->import.effective_ms = INCARNATION_NONE_MS;
        run->more->cursor_kept_ms = INSTANT_NONE;
        run->more->cancel_said_ms = INSTANT_NONE;
        run->more->opened_ms = run->fired_ms;
        run->more->first_runnumber = run->runnumber;
    }
    return run->more;
}

void run_lighten(struct run *run)
{
    const struct run_more *more = run->more;
    if (more == NULL || run->number > 1 || more->try_count > 0) return;
    if (more->trigger_id != NULL || more->group != NULL || more->cursor != NULL) return;
    if ((run->flags & RUN_CANCEL) == 0) free_more(run);
}

void run_identify(const struct run *run, struct run_identity *identity)
{
    *identity = (struct run_identity){.incarnation = run->incarnation,
                                      .kind = (enum fire_kind)run->kind,
                                      .nominal_ms = run->nominal_ms,
                                      .import = {.effective_ms = INCARNATION_NONE_MS}};
    if (run->more == NULL) return;
    identity->trigger_id = text_of(run->more->trigger_id);
    identity->import = run->more->import;
}

size_t run_id_of(const struct run *run, char *text)
{
    assert(run != NULL);
    struct run_identity identity;
    run_identify(run, &identity);
    return run_id_format(&identity, text);
}

int64_t run_first_runnumber(const struct run *run)
{
    return run->more != NULL ? run->more->first_runnumber : run->runnumber;
}

int64_t run_opened_ms(const struct run *run)
{
    return run->more != NULL ? run->more->opened_ms : run->fired_ms;
}
