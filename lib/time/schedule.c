#include "lib/time/schedule.h"

#include "lib/base/hash.h"
#include "lib/time/duration.h"
#include "lib/time/instant.h"

#include <assert.h>
#include <string.h>

const char *const *schedule_kind_words(void)
{
#define WORD(name, number, word) word,
    static const char *const words[] = {SCHEDULE_KINDS(WORD) NULL};
#undef WORD
    return words;
}

static_assert(sizeof(struct schedule_spec) <= 128, "a million distinct schedules are 128 MB");

struct schedule_spec schedule_from_cron(const struct cron *cron)
{
    assert(cron != NULL);
    assert(cron_fires(cron));
    struct schedule_spec spec = {.kind = SCHEDULE_CRON};
    spec.cron = *cron;
    return spec;
}

struct schedule_spec schedule_from_every(int64_t every_ms, int64_t anchor_ms)
{
    assert(every_ms >= SCHEDULE_EVERY_FLOOR_MS && every_ms <= DURATION_MAX_MS);
    assert(instant_in_range(anchor_ms));
    return (struct schedule_spec){
        .kind = SCHEDULE_EVERY, .every_ms = every_ms, .anchor_ms = anchor_ms};
}

struct schedule_spec schedule_from_at(int64_t at_ms)
{
    assert(instant_in_range(at_ms));
    return (struct schedule_spec){.kind = SCHEDULE_AT, .at_ms = at_ms};
}

bool schedule_once(const struct schedule_spec *spec, int64_t *nominal_ms)
{
    assert(spec != NULL && nominal_ms != NULL);
    if (spec->kind != SCHEDULE_AT) return false;
    *nominal_ms = spec->at_ms;
    return true;
}

bool schedule_check_every(int64_t every_ms, int64_t min_ms, struct error *error)
{
    assert(min_ms >= SCHEDULE_EVERY_FLOOR_MS);
    assert(min_ms <= DURATION_MAX_MS);
    if (every_ms >= min_ms && every_ms <= DURATION_MAX_MS) return true;
    char least[DURATION_TEXT_BYTES];
    char most[DURATION_TEXT_BYTES];
    char given[DURATION_TEXT_BYTES];
    duration_format(min_ms, least);
    duration_format(DURATION_MAX_MS, most);
    duration_format(every_ms > 0 ? every_ms : 0, given);
    return error_invalid(error, CODE_BAD_VALUE, "every: %s is not in %s-%s; give a longer interval",
                         given, least, most);
}

static bool jitter_equal(const struct schedule_jitter *left, const struct schedule_jitter *right)
{
    if (left->most_ms != right->most_ms) return false;
    return left->most_ms == 0 ||
           (left->incarnation.effective_ms == right->incarnation.effective_ms &&
            left->incarnation.offset == right->incarnation.offset &&
            left->incarnation.index == right->incarnation.index &&
            left->incarnation.shard == right->incarnation.shard);
}

bool schedule_spec_equal(const struct schedule_spec *left, const struct schedule_spec *right)
{
    assert(left != NULL);
    assert(right != NULL);
    if (left->kind != right->kind || !jitter_equal(&left->jitter, &right->jitter)) return false;
    switch (left->kind) {
    case SCHEDULE_CRON: return cron_equal(&left->cron, &right->cron);
    case SCHEDULE_EVERY:
        return left->every_ms == right->every_ms && left->anchor_ms == right->anchor_ms;
    case SCHEDULE_AT: return left->at_ms == right->at_ms;
    }
    assert(false);
    return false;
}

static uint64_t cron_hash(const struct cron *cron, const uint8_t key[HASH_KEY_BYTES])
{
    uint64_t words[9] = {cron->seconds,
                         cron->minutes,
                         cron->nth,
                         (uint64_t)cron->hours << 32 | cron->days,
                         (uint64_t)cron->nearest << 32 | cron->before_last,
                         (uint64_t)cron->months << 16 | (uint64_t)cron->weekdays << 8 | cron->flags,
                         (uint64_t)cron->years[0] << 32 | cron->years[1],
                         (uint64_t)cron->years[2] << 32 | cron->years[3],
                         (uint64_t)cron->years[4] << 32};
    uint64_t hash = hash_siphash(key, words, sizeof words);
    return cron->zone == NULL ? hash : hash ^ cron->zone->digest;
}

uint64_t schedule_spec_hash(const struct schedule_spec *spec, const uint8_t key[HASH_KEY_BYTES])
{
    assert(spec != NULL);
    uint64_t words[6] = {(uint64_t)spec->kind, spec->jitter.most_ms};
    switch (spec->kind) {
    case SCHEDULE_CRON: words[2] = cron_hash(&spec->cron, key); break;
    case SCHEDULE_EVERY:
        words[2] = (uint64_t)spec->every_ms;
        words[3] = (uint64_t)spec->anchor_ms;
        break;
    case SCHEDULE_AT: words[2] = (uint64_t)spec->at_ms; break;
    }
    assert(words[0] >= SCHEDULE_CRON && words[0] <= SCHEDULE_AT);
    if (spec->jitter.most_ms > 0) {
        words[4] = (uint64_t)spec->jitter.incarnation.offset;
        words[5] = (uint64_t)spec->jitter.incarnation.index;
    }
    return hash_siphash(key, words, sizeof words);
}

/* How many instants of an interval are at or before `instant_ms`. */
static int64_t every_through(const struct schedule_spec *spec, int64_t instant_ms)
{
    assert(spec->kind == SCHEDULE_EVERY);
    assert(spec->every_ms > 0);
    if (instant_ms < spec->anchor_ms) return 0;
    if (instant_ms > INSTANT_MAX_MS) instant_ms = INSTANT_MAX_MS;
    return (instant_ms - spec->anchor_ms) / spec->every_ms;
}

/* The k-th instant of an interval; false when it lies beyond the last instant there is. */
static bool every_instant(const struct schedule_spec *spec, int64_t k, int64_t *instant_ms)
{
    assert(spec->kind == SCHEDULE_EVERY);
    assert(k >= 1);
    if (k > (INSTANT_MAX_MS - spec->anchor_ms) / spec->every_ms) return false;
    *instant_ms = spec->anchor_ms + k * spec->every_ms;
    return true;
}

/* ---- nominal instants ---- */

bool schedule_is_unknown(const struct schedule_spec *spec)
{
    return spec->kind == SCHEDULE_CRON && spec->cron.zone != NULL && spec->cron.zone->missing;
}

static bool nominal_next(const struct schedule_spec *spec, int64_t after_ms, int64_t *next_ms)
{
    int64_t next = 0;
    bool found = false;
    if (schedule_is_unknown(spec)) return false;
    switch (spec->kind) {
    case SCHEDULE_CRON: found = cron_next(&spec->cron, after_ms, &next); break;
    case SCHEDULE_EVERY:
        found = every_instant(spec, every_through(spec, after_ms) + 1, &next);
        break;
    case SCHEDULE_AT:
        found = spec->at_ms > after_ms;
        next = spec->at_ms;
        break;
    }
    if (!found) return false;
    assert(next > after_ms);
    assert(instant_in_range(next));
    *next_ms = next;
    return true;
}

static uint64_t nominal_count(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms)
{
    if (from_ms >= to_ms || schedule_is_unknown(spec)) return 0;
    switch (spec->kind) {
    case SCHEDULE_CRON: return cron_count(&spec->cron, from_ms, to_ms);
    case SCHEDULE_EVERY:
        return (uint64_t)(every_through(spec, to_ms) - every_through(spec, from_ms));
    case SCHEDULE_AT: return spec->at_ms > from_ms && spec->at_ms <= to_ms;
    }
    assert(false);
    return 0;
}

/* The newest instant in (from_ms, to_ms] after leaving out the `skip` newest. */
static bool nominal_newest(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                           uint64_t skip, int64_t *instant_ms)
{
    assert(spec != NULL);
    assert(instant_ms != NULL);
    if (schedule_is_unknown(spec)) return false;
    switch (spec->kind) {
    case SCHEDULE_CRON: return cron_newest(&spec->cron, from_ms, to_ms, skip, instant_ms);
    case SCHEDULE_EVERY: {
        uint64_t through = (uint64_t)every_through(spec, to_ms);
        if (skip >= through) return false;
        int64_t instant = 0;
        bool exists = every_instant(spec, (int64_t)(through - skip), &instant);
        assert(exists);
        if (instant <= from_ms) return false;
        *instant_ms = instant;
        return true;
    }
    case SCHEDULE_AT:
        if (skip > 0 || spec->at_ms <= from_ms || spec->at_ms > to_ms) return false;
        *instant_ms = spec->at_ms;
        return true;
    }
    assert(false);
    return false;
}

/* ---- jitter ---- */

bool schedule_names(const struct schedule_spec *spec, int64_t nominal_ms)
{
    int64_t next_ms = 0;
    return instant_in_range(nominal_ms) && nominal_next(spec, nominal_ms - 1, &next_ms) &&
           next_ms == nominal_ms;
}

int64_t schedule_due(const struct schedule_spec *spec, int64_t nominal_ms)
{
    assert(instant_in_range(nominal_ms));
    if (spec->jitter.most_ms == 0) return nominal_ms;
    static const uint8_t key[HASH_KEY_BYTES] = "belfry jitter v1";
    char id[FIRE_ID_BYTES];
    size_t length = fire_id_format(&spec->jitter.incarnation, nominal_ms, id);
    int64_t span_ms = spec->jitter.most_ms;
    int64_t next_ms = 0;
    if (nominal_next(spec, nominal_ms, &next_ms) && next_ms - nominal_ms < span_ms)
        span_ms = next_ms - nominal_ms;
    if (INSTANT_MAX_MS - nominal_ms < span_ms) span_ms = INSTANT_MAX_MS - nominal_ms + 1;
    int64_t delay_ms = (int64_t)(hash_siphash(key, id, length) % (uint64_t)span_ms);
    return nominal_ms + delay_ms;
}

/* The newest slot with a nominal time up to instant_ms, if its delay may reach beyond it. */
static bool straddling(const struct schedule_spec *spec, int64_t instant_ms, int64_t *nominal_ms)
{
    if (spec->jitter.most_ms == 0 || instant_ms < INSTANT_MIN_MS) return false;
    if (instant_ms > INSTANT_MAX_MS) instant_ms = INSTANT_MAX_MS;
    return nominal_newest(spec, instant_ms - spec->jitter.most_ms, instant_ms, 0, nominal_ms);
}

/* The slots due up to due_ms are those with a nominal time up to the result. */
static int64_t nominal_through(const struct schedule_spec *spec, int64_t due_ms)
{
    int64_t nominal_ms = 0;
    if (!straddling(spec, due_ms, &nominal_ms)) return due_ms;
    return schedule_due(spec, nominal_ms) > due_ms ? nominal_ms - 1 : due_ms;
}

int64_t schedule_nominal(const struct schedule_spec *spec, int64_t due_ms)
{
    int64_t nominal_ms = 0;
    if (!straddling(spec, due_ms, &nominal_ms)) return due_ms;
    return schedule_due(spec, nominal_ms) == due_ms ? nominal_ms : due_ms;
}

int64_t schedule_bound(const struct schedule_spec *spec, int64_t nominal_ms)
{
    int64_t last_ms = 0;
    if (spec->jitter.most_ms == 0 || !straddling(spec, nominal_ms - 1, &last_ms)) return nominal_ms;
    int64_t due_ms = schedule_due(spec, last_ms);
    return due_ms >= nominal_ms ? due_ms + 1 : nominal_ms;
}

/* ---- due instants ---- */

bool schedule_next(const struct schedule_spec *spec, int64_t after_ms, int64_t *next_ms)
{
    assert(spec != NULL);
    assert(next_ms != NULL);
    if (spec->jitter.most_ms == 0) return nominal_next(spec, after_ms, next_ms);
    int64_t nominal_ms = 0;
    if (!nominal_next(spec, nominal_through(spec, after_ms), &nominal_ms)) return false;
    *next_ms = schedule_due(spec, nominal_ms);
    assert(*next_ms > after_ms);
    return true;
}

bool schedule_contains(const struct schedule_spec *spec, int64_t instant_ms)
{
    assert(spec != NULL);
    if (!instant_in_range(instant_ms)) return false;
    int64_t next = 0;
    bool found = schedule_next(spec, instant_ms - 1, &next);
    assert(!found || next >= instant_ms);
    return found && next == instant_ms;
}

uint64_t schedule_count(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                        uint64_t limit)
{
    assert(spec != NULL);
    if (from_ms >= to_ms) return 0;
    uint64_t count =
        nominal_count(spec, nominal_through(spec, from_ms), nominal_through(spec, to_ms));
    return count < limit ? count : limit;
}

/* The newest instant in (from_ms, to_ms] after leaving out the `skip` newest. */
static bool newest(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms, uint64_t skip,
                   int64_t *instant_ms)
{
    int64_t nominal_ms = 0;
    if (from_ms >= to_ms) return false;
    if (!nominal_newest(spec, nominal_through(spec, from_ms), nominal_through(spec, to_ms), skip,
                        &nominal_ms))
        return false;
    *instant_ms = schedule_due(spec, nominal_ms);
    return true;
}

bool schedule_last(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                   int64_t *last_ms)
{
    assert(last_ms != NULL);
    if (!newest(spec, from_ms, to_ms, 0, last_ms)) return false;
    assert(*last_ms > from_ms && *last_ms <= to_ms);
    return true;
}

int64_t schedule_keep_newest(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                             uint64_t keep)
{
    assert(spec != NULL);
    assert(from_ms <= to_ms);
    int64_t dropped_ms = 0;
    if (!newest(spec, from_ms, to_ms, keep, &dropped_ms)) return from_ms;
    assert(dropped_ms > from_ms && dropped_ms <= to_ms);
    return dropped_ms;
}
