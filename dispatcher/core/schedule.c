#include "dispatcher/core/schedule.h"

#include "dispatcher/core/duration.h"
#include "dispatcher/core/hash.h"
#include "dispatcher/core/instant.h"

#include <assert.h>
#include <string.h>

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
    return error_invalid(error, "bad_value", "every: %s is not in %s-%s; give a longer interval",
                         given, least, most);
}

bool schedule_spec_equal(const struct schedule_spec *left, const struct schedule_spec *right)
{
    assert(left != NULL);
    assert(right != NULL);
    if (left->kind != right->kind) return false;
    switch (left->kind) {
    case SCHEDULE_CRON: return cron_equal(&left->cron, &right->cron);
    case SCHEDULE_EVERY:
        return left->every_ms == right->every_ms && left->anchor_ms == right->anchor_ms;
    case SCHEDULE_AT: return left->at_ms == right->at_ms;
    }
    assert(false);
    return false;
}

uint64_t schedule_spec_hash(const struct schedule_spec *spec)
{
    assert(spec != NULL);
    static const uint8_t key[HASH_KEY_BYTES] = "belfry schedules";
    uint64_t words[6] = {(uint64_t)spec->kind};
    switch (spec->kind) {
    case SCHEDULE_CRON:
        words[1] = spec->cron.seconds;
        words[2] = spec->cron.minutes;
        words[3] = spec->cron.hours;
        words[4] = spec->cron.days;
        words[5] = (uint64_t)spec->cron.months << 16 | (uint64_t)spec->cron.weekdays << 8 |
                   spec->cron.flags;
        break;
    case SCHEDULE_EVERY:
        words[1] = (uint64_t)spec->every_ms;
        words[2] = (uint64_t)spec->anchor_ms;
        break;
    case SCHEDULE_AT: words[1] = (uint64_t)spec->at_ms; break;
    }
    assert(words[0] >= SCHEDULE_CRON && words[0] <= SCHEDULE_AT);
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

bool schedule_next(const struct schedule_spec *spec, int64_t after_ms, int64_t *next_ms)
{
    assert(spec != NULL);
    assert(next_ms != NULL);
    int64_t next = 0;
    bool found = false;
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
    uint64_t count = 0;
    switch (spec->kind) {
    case SCHEDULE_CRON: count = cron_count(&spec->cron, from_ms, to_ms); break;
    case SCHEDULE_EVERY:
        count = (uint64_t)(every_through(spec, to_ms) - every_through(spec, from_ms));
        break;
    case SCHEDULE_AT: count = spec->at_ms > from_ms && spec->at_ms <= to_ms; break;
    }
    return count < limit ? count : limit;
}

/* The newest instant in (from_ms, to_ms] after leaving out the `skip` newest. */
static bool newest(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms, uint64_t skip,
                   int64_t *instant_ms)
{
    assert(spec != NULL);
    assert(instant_ms != NULL);
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
