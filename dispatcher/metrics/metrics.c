#include "dispatcher/metrics/metrics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/metrics/metrics_state.h"
#include "dispatcher/metrics/rows.h"
#include "lib/base/memory.h"

/* Below this level nothing is counted: it is told for those who look closer. */
static const enum observer_level counted_from = LEVEL_INFO;

struct metrics *metrics_create(const struct metrics_options *options)
{
    assert(options->next != NULL && options->shards >= 1);
    struct metrics *metrics = memory_allocate(1, sizeof *metrics);
    metrics->options = *options;
    metrics->groups = groups_create(options->shards, options->hash_key);
    (void)pthread_mutex_init(&metrics->examples_lock, NULL);
    return metrics;
}

void metrics_destroy(struct metrics *metrics)
{
    if (metrics == NULL) return;
    groups_destroy(metrics->groups);
    (void)pthread_mutex_destroy(&metrics->examples_lock);
    free(metrics);
}

static void add(_Atomic int64_t *number, int64_t by)
{
    atomic_fetch_add_explicit(number, by, memory_order_relaxed);
}

/* ---- what the log is told ---- */

/* The place of a word in a list that ends with NULL; the last one: it is not there. */
static size_t place_of(const char *const *words, const char *word)
{
    size_t at = 0;
    while (words[at + 1] != NULL && strcmp(words[at], word) != 0) at++;
    return at;
}

/* The kinds of errors (lib/base/error.h) in the order of enum transaction_end. */
static enum transaction_end end_of(const char *kind)
{
    static const char *const kinds[] = {"none", "abort", "unknown", "fenced", "invalid", "", NULL};
    return kind == NULL ? TRANSACTION_FAILED : (enum transaction_end)place_of(kinds, kind);
}

static enum settled_end settled_of(const char *outcome)
{
#define WORD(name, word) word,
    static const char *const outcomes[] = {SETTLED_ENDS(WORD) NULL};
#undef WORD
    return (enum settled_end)place_of(outcomes, outcome);
}

static void count(struct metrics *metrics, enum observed_kind kind, const struct observed *said)
{
    add(&metrics->told[kind], 1);
    if (kind == OBSERVED_COMMIT_FAILED) {
        add(&metrics->transactions[end_of(said->kind)], 1);
    } else if (kind == OBSERVED_COMMIT_SETTLED) {
        add(&metrics->settled[settled_of(said->outcome)], 1);
    } else if (kind == OBSERVED_SHARD_TAKEN) {
        histogram_count(&histogram_of_duration, &metrics->takeovers, said->took_ms * 1000, 1);
    }
}

static void told(void *opaque, enum observed_kind kind, enum observer_level level, int32_t shard,
                 const struct observed *said)
{
    struct metrics *metrics = opaque;
    if (level >= counted_from) count(metrics, kind, said);
    observe_at(metrics->options.next, level, kind, shard, said);
}

/* ---- what Kafka has taken ---- */

static void note_lateness(struct metrics *metrics, int32_t shard, const struct taken *taken)
{
    const struct tally *tally = taken->tally;
    struct histogram_numbers all = {.sum_us = 0};
    groups_enter(metrics->groups, shard);
    for (size_t i = 1; i < tally->due_count; i++) {
        const struct tally_due *due = &tally->dues[i];
        int64_t late_us = (taken->at_ms - due->due_ms) * 1000;
        if (due->fires == 0) continue;
        histogram_note(&histogram_of_lateness, &all, late_us, due->fires);
        groups_note(metrics->groups, shard, tally_group(tally, due), late_us, due->fires);
    }
    groups_leave(metrics->groups, shard);
    histogram_add(&metrics->lateness, &all);
}

static void keep_example(struct example *example, const struct tally_example *fire, int64_t at_ms)
{
    if (fire->id[0] != '\0') *example = (struct example){*fire, at_ms};
}

static void keep_examples(struct metrics *metrics, const struct taken *taken)
{
    const struct tally *tally = taken->tally;
    bool any = tally->late_example.id[0] != '\0' || tally->missed_example.id[0] != '\0' ||
               tally->failed_example.id[0] != '\0';
    if (!any || pthread_mutex_trylock(&metrics->examples_lock) != 0) return;
    keep_example(&metrics->examples.late, &tally->late_example, taken->at_ms);
    keep_example(&metrics->examples.missed, &tally->missed_example, taken->at_ms);
    keep_example(&metrics->examples.failed, &tally->failed_example, taken->at_ms);
    (void)pthread_mutex_unlock(&metrics->examples_lock);
}

static void add_all(_Atomic int64_t *to, const void *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t number;
        memcpy(&number, (const char *)numbers + i * sizeof number, sizeof number);
        if (number != 0) add(&to[i], number);
    }
}

static void committed(void *opaque, int32_t shard, const struct taken *taken)
{
    struct metrics *metrics = opaque;
    static_assert(sizeof metrics->taken == sizeof taken->tally->numbers, "nothing but int64_t");
    static_assert(sizeof metrics->runs == sizeof taken->tally->runs, "nothing but int64_t");
    add_all(metrics->taken, &taken->tally->numbers, TALLY_NUMBERS);
    add_all(metrics->runs, &taken->tally->runs, RUNS_NUMBERS);
    if (taken->tally->due_count > 1) note_lateness(metrics, shard, taken);
    keep_examples(metrics, taken);
    histogram_count(&histogram_of_duration, &metrics->commits, taken->took_us, 1);
    add(&metrics->transactions[TRANSACTION_COMMITTED], 1);
    const struct observer *next = metrics->options.next;
    if (next->committed != NULL) next->committed(next->opaque, shard, taken);
}

struct observer metrics_observer(struct metrics *metrics)
{
    enum observer_level lowest = metrics->options.next->lowest;
    return (struct observer){.opaque = metrics,
                             .lowest = lowest < counted_from ? lowest : counted_from,
                             .told = told,
                             .committed = committed};
}

/* ---- the page ---- */

enum metrics_state metrics_state_find(const char *word)
{
    return (enum metrics_state)place_of(metrics_state_words, word);
}

struct metrics_page metrics_page(struct metrics *metrics, const struct metrics_view *view,
                                 const char *accept)
{
    struct page page = {.open_metrics = page_wants_open_metrics(accept)};
    struct reading *reading = memory_allocate(1, sizeof *reading);
    text_writer_init(&page.writer);
    groups_turn(metrics->groups, view->now_us);
    reading_take(metrics, view, reading);
    rows_put(&page, reading);
    page_end(&page);
    free(reading);
    return (struct metrics_page){.content_type = page_content_type(page.open_metrics),
                                 .body = page.writer.bytes,
                                 .length = page.writer.length};
}
