#include "dispatcher/jobs/timers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/jobs/job.h"
#include "lib/base/heap.h"
#include "lib/base/memory.h"

enum { BUCKETS_INITIAL = 64 };

struct timers {
    struct schedule **heap; /* those with live jobs, the earliest next_ms at the root */
    size_t heap_count;
    size_t heap_capacity;
    struct schedule **buckets; /* all interned schedules by hash; a power of two */
    size_t bucket_count;
    size_t schedule_count;
    uint8_t key[HASH_KEY_BYTES];
};

struct timers *timers_create(const uint8_t key[HASH_KEY_BYTES])
{
    struct timers *timers = memory_allocate(1, sizeof *timers);
    memcpy(timers->key, key, sizeof timers->key);
    timers->buckets = memory_allocate(BUCKETS_INITIAL, sizeof *timers->buckets);
    timers->bucket_count = BUCKETS_INITIAL;
    return timers;
}

static void schedule_free(struct schedule *schedule)
{
    free(schedule->jobs);
    free(schedule->text);
    free(schedule);
}

void timers_destroy(struct timers *timers)
{
    if (timers == NULL) return;
    for (size_t i = 0; i < timers->bucket_count; i++) {
        struct schedule *next = NULL;
        for (struct schedule *schedule = timers->buckets[i]; schedule != NULL; schedule = next) {
            next = schedule->hash_next;
            schedule_free(schedule);
        }
    }
    free(timers->buckets);
    free(timers->heap);
    free(timers);
}

/* ---- interning ---- */

struct schedule_words schedule_words_of(const struct schedule *schedule)
{
    const char *text = schedule->text;
    return (struct schedule_words){
        .cron = text_of(text),
        .zone = text_of(text == NULL ? NULL : text + strlen(text) + 1),
        .dialect = (enum cron_dialect)schedule->dialect,
        .dst = (enum cron_dst)schedule->dst,
        .hashed = schedule->hashed,
        .anchor_given = schedule->anchor_given,
    };
}

static bool words_equal(const struct schedule_words *left, const struct schedule_words *right)
{
    return text_equal(left->cron, right->cron) && text_equal(left->zone, right->zone) &&
           left->dialect == right->dialect && left->dst == right->dst &&
           left->hashed == right->hashed && left->anchor_given == right->anchor_given;
}

static char *schedule_text(struct text cron_text, struct text zone)
{
    if (cron_text.length + zone.length == 0) return NULL; /* intervals and one-shots */
    char *text = memory_allocate(cron_text.length + zone.length + 2, 1);
    if (cron_text.length > 0) memcpy(text, cron_text.bytes, cron_text.length);
    if (zone.length > 0) memcpy(text + cron_text.length + 1, zone.bytes, zone.length);
    return text;
}

static void buckets_grow(struct timers *timers)
{
    if (timers->schedule_count < timers->bucket_count) return;
    size_t count = timers->bucket_count * 2;
    struct schedule **buckets = memory_allocate(count, sizeof *buckets);
    for (size_t i = 0; i < timers->bucket_count; i++) {
        struct schedule *next = NULL;
        for (struct schedule *schedule = timers->buckets[i]; schedule != NULL; schedule = next) {
            next = schedule->hash_next;
            schedule->hash_next = buckets[schedule->hash & (count - 1)];
            buckets[schedule->hash & (count - 1)] = schedule;
        }
    }
    free(timers->buckets);
    timers->buckets = buckets;
    timers->bucket_count = count;
}

struct schedule *timers_intern(struct timers *timers, const struct schedule_spec *spec,
                               const struct schedule_words *words)
{
    assert(timers != NULL);
    uint32_t hash = (uint32_t)schedule_spec_hash(spec, timers->key);
    struct schedule **bucket = &timers->buckets[hash & (timers->bucket_count - 1)];
    for (struct schedule *schedule = *bucket; schedule != NULL; schedule = schedule->hash_next) {
        if (schedule->hash != hash || !schedule_spec_equal(&schedule->spec, spec)) continue;
        struct schedule_words present = schedule_words_of(schedule);
        if (words_equal(&present, words)) return timers_retain(schedule);
    }
    buckets_grow(timers);
    bucket = &timers->buckets[hash & (timers->bucket_count - 1)];
    struct schedule *schedule = memory_allocate(1, sizeof *schedule);
    schedule->spec = *spec;
    schedule->heap_index = TIMER_INDEX_NONE;
    schedule->references = 1;
    schedule->hash = hash;
    schedule->anchor_given = words->anchor_given;
    schedule->hashed = words->hashed;
    schedule->dialect = (uint8_t)words->dialect;
    schedule->dst = (uint8_t)words->dst;
    schedule->text = schedule_text(words->cron, words->zone);
    schedule->hash_next = *bucket;
    *bucket = schedule;
    timers->schedule_count++;
    return schedule;
}

struct schedule *timers_retain(struct schedule *schedule)
{
    assert(schedule->references > 0);
    schedule->references++;
    return schedule;
}

void timers_release(struct timers *timers, struct schedule *schedule)
{
    assert(schedule->references > 0);
    if (--schedule->references > 0) return;
    assert(schedule->job_live == 0);
    assert(schedule->heap_index == TIMER_INDEX_NONE);
    struct schedule **link = &timers->buckets[schedule->hash & (timers->bucket_count - 1)];
    while (*link != schedule) link = &(*link)->hash_next;
    *link = schedule->hash_next;
    timers->schedule_count--;
    schedule_free(schedule);
}

/* ---- the heap of schedules by next instant ---- */

static bool before(const void *left, const void *right)
{
    return (*(struct schedule *const *)left)->next_ms < (*(struct schedule *const *)right)->next_ms;
}

static void placed(const void *item, size_t at)
{
    (*(struct schedule *const *)item)->heap_index = (uint32_t)at;
}

static const struct heap_kind kind = {.item_bytes = sizeof(struct schedule *), .before = before,
                                      .placed = placed};

static void insert(struct timers *timers, struct schedule *schedule)
{
    assert(schedule->heap_index == TIMER_INDEX_NONE);
    timers->heap = memory_grow(timers->heap, &timers->heap_capacity, timers->heap_count + 1,
                               sizeof *timers->heap);
    timers->heap[timers->heap_count] = schedule;
    heap_rise(&kind, timers->heap, timers->heap_count++);
}

static void take_out(struct timers *timers, struct schedule *schedule)
{
    size_t index = schedule->heap_index;
    assert(index < timers->heap_count && timers->heap[index] == schedule);
    struct schedule *moved = timers->heap[--timers->heap_count];
    schedule->heap_index = TIMER_INDEX_NONE;
    if (moved == schedule) return;
    timers->heap[index] = moved;
    heap_rise(&kind, timers->heap, index);
    heap_sink(&kind, timers->heap, timers->heap_count, moved->heap_index);
}

/* ---- jobs of a schedule ---- */

/* Whether the job's place in the sorted list is at its end. */
static bool comes_last(const struct schedule *schedule, const struct job *job)
{
    if (schedule->job_count == 0) return true;
    const struct job *last = schedule->jobs[schedule->job_count - 1];
    return last != NULL && last->life.ordinal < job->life.ordinal;
}

void timers_attach(struct timers *timers, struct job *job, int64_t after_ms)
{
    struct schedule *schedule = job->schedule;
    assert(job->timer_index == TIMER_INDEX_NONE);
    if (schedule->job_live == 0) {
        assert(schedule->heap_index == TIMER_INDEX_NONE);
        schedule->job_count = 0;
        schedule->sorted_count = 0;
        if (!schedule_next(&schedule->spec, after_ms, &schedule->next_ms)) return;
        insert(timers, schedule);
    }
    if (schedule->job_count == schedule->job_capacity) {
        uint32_t grown = schedule->job_capacity + schedule->job_capacity / 2 + 1;
        schedule->jobs = memory_resize(schedule->jobs, grown, sizeof *schedule->jobs);
        schedule->job_capacity = grown;
    }
    if (schedule->sorted_count == schedule->job_count && comes_last(schedule, job))
        schedule->sorted_count++;
    job->timer_index = schedule->job_count;
    schedule->jobs[schedule->job_count++] = job;
    schedule->job_live++;
}

void timers_detach(struct timers *timers, struct job *job)
{
    struct schedule *schedule = job->schedule;
    if (job->timer_index == TIMER_INDEX_NONE) return;
    assert(schedule->jobs[job->timer_index] == job);
    schedule->jobs[job->timer_index] = NULL;
    job->timer_index = TIMER_INDEX_NONE;
    schedule->job_live--;
    if (schedule->job_live == 0 && schedule->heap_index != TIMER_INDEX_NONE)
        take_out(timers, schedule);
}

static int by_ordinal(const void *left, const void *right)
{
    const struct job *a = *(struct job *const *)left;
    const struct job *b = *(struct job *const *)right;
    return (a->life.ordinal > b->life.ordinal) - (a->life.ordinal < b->life.ordinal);
}

/* Closes the holes among jobs [from, to), which move to `at`; returns where they end. */
static uint32_t close_holes(struct schedule *schedule, uint32_t from, uint32_t to, uint32_t at)
{
    for (uint32_t i = from; i < to; i++)
        if (schedule->jobs[i] != NULL) schedule->jobs[at++] = schedule->jobs[i];
    return at;
}

/* Jobs behind the first `sorted`, in whatever order, take their places among these: they are few,
 * or came in order themselves, so that a list of a million is walked once and not sorted. */
static void merge_late(struct schedule *schedule, uint32_t sorted, uint32_t count)
{
    uint32_t late = count - sorted;
    struct job **jobs = schedule->jobs;
    bool in_order = true;
    for (uint32_t i = sorted + 1; i < count && in_order; i++)
        in_order = jobs[i - 1]->life.ordinal < jobs[i]->life.ordinal;
    if (!in_order) qsort(&jobs[sorted], late, sizeof *jobs, by_ordinal);
    struct job **moved = memory_allocate(late, sizeof *moved);
    memcpy(moved, &jobs[sorted], late * sizeof *moved);
    for (uint32_t at = count; late > 0; at--) {
        bool from_sorted =
            sorted > 0 && jobs[sorted - 1]->life.ordinal > moved[late - 1]->life.ordinal;
        jobs[at - 1] = from_sorted ? jobs[--sorted] : moved[--late];
    }
    free(moved);
}

static void schedule_tidy(struct schedule *schedule)
{
    uint32_t count = schedule->job_count;
    if (schedule->sorted_count == count && schedule->job_live == count) return;
    uint32_t sorted = close_holes(schedule, 0, schedule->sorted_count, 0);
    uint32_t kept = close_holes(schedule, schedule->sorted_count, count, sorted);
    assert(kept == schedule->job_live);
    if (kept > sorted) merge_late(schedule, sorted, kept);
    schedule->job_count = kept;
    schedule->sorted_count = kept;
    for (uint32_t i = 0; i < kept; i++)
        if (schedule->jobs[i]->timer_index != i) schedule->jobs[i]->timer_index = i;
}

bool timers_earliest(const struct timers *timers, int64_t *due_ms)
{
    assert(timers != NULL);
    if (timers->heap_count == 0) return false;
    *due_ms = timers->heap[0]->next_ms;
    return true;
}

/* The next in a walk over the heap's tree that leaves out what is below `at`. */
static size_t leave(size_t at)
{
    while (at > 0 && at % 2 == 0) at = (at - 1) / 2; /* up from each right one */
    return at == 0 ? SIZE_MAX : at + 1;
}

int64_t timers_due_by(const struct timers *timers, int64_t until_ms, size_t looks_most)
{
    int64_t jobs = 0;
    size_t at = 0;
    for (size_t looks = 0; looks < looks_most && at != SIZE_MAX; looks++) {
        bool due = at < timers->heap_count && timers->heap[at]->next_ms <= until_ms;
        if (due) jobs += timers->heap[at]->job_live;
        at = due ? 2 * at + 1 : leave(at);
    }
    return jobs;
}

struct schedule *timers_pop(struct timers *timers, int64_t limit_ms)
{
    if (timers->heap_count == 0 || timers->heap[0]->next_ms > limit_ms) return NULL;
    struct schedule *schedule = timers->heap[0];
    take_out(timers, schedule);
    schedule_tidy(schedule);
    return schedule;
}

void timers_reinsert(struct timers *timers, struct schedule *schedule, bool has_next,
                     int64_t next_ms)
{
    assert(schedule->heap_index == TIMER_INDEX_NONE);
    if (!has_next) { /* its jobs stay listed nowhere: each has finished or owes its last slots */
        for (uint32_t i = 0; i < schedule->job_count; i++)
            if (schedule->jobs[i] != NULL) schedule->jobs[i]->timer_index = TIMER_INDEX_NONE;
        schedule->job_count = 0;
        schedule->sorted_count = 0;
        schedule->job_live = 0;
    }
    if (schedule->job_live == 0) return;
    schedule->next_ms = next_ms;
    insert(timers, schedule);
}

uint32_t schedule_first_above(const struct schedule *schedule, int64_t ordinal)
{
    assert(schedule->sorted_count == schedule->job_count);
    uint32_t low = 0;
    uint32_t high = schedule->job_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (schedule->jobs[middle]->life.ordinal <= ordinal) low = middle + 1;
        else high = middle;
    }
    return low;
}
