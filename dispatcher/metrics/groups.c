#include "dispatcher/metrics/groups.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"

enum {
    CELLS_ALL = 65536, /* of all shards, at most so many for one, and at least so many */
    CELLS_SHARD_MAX = 16384,
    CELLS_SHARD_MIN = 256,
    WAYS = 4,          /* cells that a group may be in */
    CHANGES_MOST = 20, /* of names in one turn */
    BUSIER_TIMES = 2
};

enum series_state {
    SERIES_OFFERED = 0, /* in a cell, or to be had; nothing is counted in it */
    SERIES_NAMED,
    SERIES_LEAVING /* taken from its cell; the shard may still be counting in it */
};

struct series {
    _Atomic int state;
    char name[NAME_BYTES_MAX + 1]; /* written before it is named */
    struct histogram histogram;
    /* Of the reader. */
    int32_t shard; /* whose it was, while it is leaving */
    uint64_t left_at;
};

/* Written by the shard's thread, but for `series`, which the reader gives and takes. */
struct cell {
    _Atomic uint64_t hash; /* 0: empty */
    _Atomic uint64_t fires;
    _Atomic(struct series *) series; /* NULL: it counts among the others */
};

struct group_shard {
    size_t mask; /* of sets of WAYS cells */
    struct cell *cells;
    uint64_t *fires_before; /* of the reader: by cell, at its last turn */
    uint64_t *hashes_before;
    struct histogram_numbers others; /* not added yet */
    _Atomic uint64_t passages; /* odd: the shard's thread is counting */
};

struct groups {
    uint8_t key[HASH_KEY_BYTES];
    int32_t shards;
    size_t cells_each;
    _Atomic(struct group_shard *) *by_shard; /* NULL: it has never fired here */
    struct series series[GROUPS_NAMED];
    _Atomic size_t series_given; /* for the first time */
    struct histogram others;
    int64_t turned_us;
};

struct groups *groups_create(int32_t shards, const uint8_t key[HASH_KEY_BYTES])
{
    assert(shards >= 1);
    struct groups *groups = memory_allocate(1, sizeof *groups);
    memcpy(groups->key, key, HASH_KEY_BYTES);
    groups->shards = shards;
    groups->by_shard = memory_allocate((size_t)shards, sizeof *groups->by_shard);
    groups->cells_each = CELLS_SHARD_MAX;
    while (groups->cells_each > CELLS_SHARD_MIN &&
           groups->cells_each * (size_t)shards > CELLS_ALL)
        groups->cells_each /= 2;
    return groups;
}

void groups_destroy(struct groups *groups)
{
    if (groups == NULL) return;
    for (int32_t i = 0; i < groups->shards; i++) {
        struct group_shard *shard = atomic_load(&groups->by_shard[i]);
        if (shard == NULL) continue;
        free(shard->cells);
        free(shard->fires_before);
        free(shard->hashes_before);
        free(shard);
    }
    free(groups->by_shard);
    free(groups);
}

static struct group_shard *seen_shard(const struct groups *groups, int32_t number)
{
    return atomic_load_explicit(&groups->by_shard[number], memory_order_acquire);
}

/* ---- counting ---- */

static struct group_shard *shard_of(struct groups *groups, int32_t number)
{
    assert(number >= 0 && number < groups->shards);
    struct group_shard *shard = seen_shard(groups, number);
    if (shard != NULL) return shard;
    shard = memory_allocate(1, sizeof *shard);
    shard->mask = groups->cells_each / WAYS - 1;
    shard->cells = memory_allocate(groups->cells_each, sizeof *shard->cells);
    shard->fires_before = memory_allocate(groups->cells_each, sizeof *shard->fires_before);
    shard->hashes_before = memory_allocate(groups->cells_each, sizeof *shard->hashes_before);
    atomic_store_explicit(&groups->by_shard[number], shard, memory_order_release);
    return shard;
}

void groups_enter(struct groups *groups, int32_t shard)
{
    struct group_shard *own = shard_of(groups, shard);
    uint64_t before = atomic_fetch_add(&own->passages, 1);
    assert(before % 2 == 0);
    (void)before;
    own->others = (struct histogram_numbers){0};
}

void groups_leave(struct groups *groups, int32_t shard)
{
    struct group_shard *own = shard_of(groups, shard);
    histogram_add(&groups->others, &own->others);
    (void)atomic_fetch_add(&own->passages, 1);
}

static uint64_t load(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void store(_Atomic uint64_t *number, uint64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

/* The group's cell; one that has none gets that of the least busy nameless one where it may be.
 * NULL: all there have names. */
static struct cell *cell_of(struct group_shard *shard, uint64_t hash)
{
    struct cell *set = &shard->cells[(hash & shard->mask) * WAYS];
    struct cell *least = NULL;
    for (int i = 0; i < WAYS; i++) {
        struct cell *cell = &set[i];
        if (load(&cell->hash) == hash) return cell;
        if (atomic_load(&cell->series) != NULL) continue;
        if (least == NULL || load(&cell->fires) < load(&least->fires)) least = cell;
    }
    if (least == NULL) return NULL;
    store(&least->fires, 0);
    store(&least->hash, hash);
    return least;
}

/* One that nobody has had yet. */
static struct series *new_series(struct groups *groups)
{
    if (atomic_load_explicit(&groups->series_given, memory_order_relaxed) >= GROUPS_NAMED)
        return NULL;
    size_t at = atomic_fetch_add(&groups->series_given, 1);
    return at < GROUPS_NAMED ? &groups->series[at] : NULL;
}

static void name_series(struct series *series, struct text group)
{
    assert(group.length <= NAME_BYTES_MAX);
    memcpy(series->name, group.bytes, group.length);
    series->name[group.length] = '\0';
    int offered = SERIES_OFFERED; /* else it has just been taken away again */
    (void)atomic_compare_exchange_strong(&series->state, &offered, SERIES_NAMED);
}

static struct series *series_of(struct groups *groups, struct group_shard *shard,
                                struct text group, int64_t fires)
{
    if (group.length == 0 || text_equal(group, text_of(GROUPS_OTHER))) return NULL;
    uint64_t hash = hash_siphash(groups->key, group.bytes, group.length) | 1;
    struct cell *cell = cell_of(shard, hash);
    if (cell == NULL) return NULL;
    store(&cell->fires, load(&cell->fires) + (uint64_t)fires);
    struct series *series = atomic_load(&cell->series);
    if (series == NULL && (series = new_series(groups)) != NULL)
        atomic_store(&cell->series, series);
    if (series != NULL && atomic_load(&series->state) == SERIES_OFFERED)
        name_series(series, group);
    return series;
}

void groups_note(struct groups *groups, int32_t shard, struct text group, int64_t late_us,
                 int64_t fires)
{
    struct group_shard *own = shard_of(groups, shard);
    struct series *series = series_of(groups, own, group, fires);
    if (series != NULL) histogram_count(&histogram_of_groups, &series->histogram, late_us, fires);
    else histogram_note(&histogram_of_groups, &own->others, late_us, fires);
}

/* ---- reading ---- */

const char *groups_series(const struct groups *groups, size_t i,
                          struct histogram_numbers *numbers)
{
    assert(i < GROUPS_NAMED);
    const struct series *series = &groups->series[i];
    if (atomic_load_explicit(&series->state, memory_order_acquire) != SERIES_NAMED) return NULL;
    histogram_read(&series->histogram, numbers);
    return series->name;
}

void groups_other(const struct groups *groups, struct histogram_numbers *numbers)
{
    histogram_read(&groups->others, numbers);
}

/* ---- who has a name ---- */

/* A cell with how often its group has fired since the turn before. */
struct busy {
    struct cell *cell;
    int32_t shard;
    uint64_t fires;
};

struct turn {
    struct busy nameless[CHANGES_MOST]; /* the busiest, descending */
    struct busy named[CHANGES_MOST];    /* the least busy, ascending */
    size_t nameless_count;
    size_t named_count;
};

/* Keeps the list in order and as long as it may be. */
static void put(struct busy *list, size_t *count, struct busy busy, bool descending)
{
    size_t at = *count;
    while (at > 0 && (descending ? list[at - 1].fires < busy.fires
                                 : list[at - 1].fires > busy.fires))
        at--;
    if (at == CHANGES_MOST) return;
    size_t last = *count < CHANGES_MOST ? (*count)++ : CHANGES_MOST - 1;
    memmove(&list[at + 1], &list[at], (last - at) * sizeof *list);
    list[at] = busy;
}

/* How often since the turn before; 0 where another group had the cell then: it is new. */
static uint64_t fired_since(struct group_shard *shard, size_t i)
{
    uint64_t hash = load(&shard->cells[i].hash);
    uint64_t fires = load(&shard->cells[i].fires);
    bool same = hash == shard->hashes_before[i] && fires >= shard->fires_before[i];
    uint64_t since = same ? fires - shard->fires_before[i] : 0;
    shard->hashes_before[i] = hash;
    shard->fires_before[i] = fires;
    return since;
}

static void look(struct groups *groups, int32_t number, struct turn *turn)
{
    struct group_shard *shard = seen_shard(groups, number);
    if (shard == NULL) return;
    for (size_t i = 0; i < groups->cells_each; i++) {
        struct cell *cell = &shard->cells[i];
        if (load(&cell->hash) == 0) continue;
        struct busy busy = {cell, number, fired_since(shard, i)};
        if (atomic_load(&cell->series) != NULL)
            put(turn->named, &turn->named_count, busy, false);
        else if (busy.fires > 0)
            put(turn->nameless, &turn->nameless_count, busy, true);
    }
}

/* The shard's thread may be counting in it until it has passed. */
static void let_go(struct groups *groups, const struct busy *busy)
{
    struct series *series = atomic_exchange(&busy->cell->series, NULL);
    assert(series != NULL);
    series->shard = busy->shard;
    series->left_at = atomic_load(&seen_shard(groups, busy->shard)->passages);
    atomic_store(&series->state, SERIES_LEAVING);
}

static bool has_passed(const struct groups *groups, const struct series *series)
{
    uint64_t now = atomic_load(&seen_shard(groups, series->shard)->passages);
    return series->left_at % 2 == 0 || now != series->left_at;
}

/* Gives what was let go of the turn before to who is busiest now. */
static void give(struct groups *groups, const struct turn *turn)
{
    size_t next = 0;
    for (size_t i = 0; i < GROUPS_NAMED && next < turn->nameless_count; i++) {
        struct series *series = &groups->series[i];
        if (atomic_load(&series->state) != SERIES_LEAVING || !has_passed(groups, series))
            continue;
        histogram_clear(&series->histogram);
        atomic_store(&series->state, SERIES_OFFERED);
        atomic_store(&turn->nameless[next++].cell->series, series);
    }
}

/* Of the least busy named ones those that are clearly less so than who would get their names. */
static void take(struct groups *groups, const struct turn *turn)
{
    size_t pairs = turn->named_count < turn->nameless_count ? turn->named_count
                                                            : turn->nameless_count;
    for (size_t i = 0; i < pairs; i++) {
        if (turn->nameless[i].fires <= turn->named[i].fires * BUSIER_TIMES) return;
        let_go(groups, &turn->named[i]);
    }
}

void groups_turn(struct groups *groups, int64_t now_us)
{
    struct turn turn = {.nameless_count = 0};
    if (groups->turned_us != 0 && now_us - groups->turned_us < GROUPS_TURN_US) return;
    bool first = groups->turned_us == 0;
    groups->turned_us = now_us;
    for (int32_t shard = 0; shard < groups->shards; shard++) look(groups, shard, &turn);
    if (first) return; /* nothing to compare with */
    take(groups, &turn);
    give(groups, &turn);
}
