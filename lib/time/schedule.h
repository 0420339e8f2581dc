/* schedule.h - what a job's schedule says, and the instants it names.
 *
 * Every function here is pure: the same schedule and instants give the same answer. The instants
 * are due times: the nominal ones, or with jitter the nominal ones and their delays. They keep
 * their order, so ranges and counts mean the same slots either way. */
#ifndef BELFRY_TIME_SCHEDULE_H
#define BELFRY_TIME_SCHEDULE_H

#include "lib/base/error.h"
#include "lib/base/hash.h"
#include "lib/time/cron.h"
#include "lib/time/incarnation.h"

#include <stdbool.h>
#include <stdint.h>

/* A kind is a row: number, and the member of a schedule in JSON that names it. */
#define SCHEDULE_KINDS(row)                                                                        \
    row(CRON, 1, "cron")                                                                           \
    row(EVERY, 2, "every")                                                                         \
    row(AT, 3, "at")
#define SCHEDULE_KIND_NUMBER(name, number, word) SCHEDULE_##name = number,
enum schedule_kind { SCHEDULE_KINDS(SCHEDULE_KIND_NUMBER) };
#undef SCHEDULE_KIND_NUMBER

/* The words of all kinds in order; ends with NULL. */
const char *const *schedule_kind_words(void);

/* Shortest interval unless the configuration says otherwise, and the shortest it may say. */
enum {
    SCHEDULE_EVERY_MIN_MS = 1000,
    SCHEDULE_EVERY_FLOOR_MS = 100,
    SCHEDULE_JITTER_MAX_MS = 24 * 60 * 60 * 1000
};

/* A delay of each fire behind its nominal time, to spread a herd: never early, never past the next
 * slot, the same for the same fire for ever. */
struct schedule_jitter {
    uint32_t most_ms; /* 0 = none; at most SCHEDULE_JITTER_MAX_MS */
    struct incarnation incarnation; /* of the job: the delay comes from the fire's id */
};

/* A plain value without ownership; made by the schedule_from_ functions. */
struct schedule_spec {
    enum schedule_kind kind;
    struct schedule_jitter jitter; /* set for one job, see definition_settle() */
    union {
        struct cron cron; /* SCHEDULE_CRON */
        struct {          /* SCHEDULE_EVERY */
            int64_t every_ms;  /* SCHEDULE_EVERY_FLOOR_MS..DURATION_MAX_MS */
            int64_t anchor_ms; /* instants are anchor + k * every, k >= 1 */
        };
        int64_t at_ms; /* SCHEDULE_AT */
    };
};

/* A schedule as the user wrote it: what a record has to repeat. Texts are borrowed. */
struct schedule_words {
    struct text cron; /* empty unless SCHEDULE_CRON */
    struct text zone; /* empty: not named by the field */
    enum cron_dialect dialect;
    enum cron_dst dst;
    bool hashed;       /* the expression has H */
    bool anchor_given; /* SCHEDULE_EVERY: by the user */
};

/* `cron` comes from cron_parse(). */
struct schedule_spec schedule_from_cron(const struct cron *cron);

/* anchor_ms and at_ms must be instants in range. */
struct schedule_spec schedule_from_every(int64_t every_ms, int64_t anchor_ms);
struct schedule_spec schedule_from_at(int64_t at_ms);

/* Whether an interval is at least min_ms and at most DURATION_MAX_MS.
 *   errors  ERROR_INVALID, code bad_value */
bool schedule_check_every(int64_t every_ms, int64_t min_ms, struct error *error)
    __attribute__((warn_unused_result));

/* By what they mean, kind by kind: equal schedules may be interned as one. */
bool schedule_spec_equal(const struct schedule_spec *left, const struct schedule_spec *right);
uint64_t schedule_spec_hash(const struct schedule_spec *spec, const uint8_t key[HASH_KEY_BYTES]);

/* Whether it names one instant only, and which one: *nominal_ms is set only on true. */
bool schedule_once(const struct schedule_spec *spec, int64_t *nominal_ms);

/* Whether it is in a time zone that is not there: then it names no instants. */
bool schedule_is_unknown(const struct schedule_spec *spec);

/* First instant strictly after `after_ms`, which may be any number.
 *   next_ms  set only on true; INSTANT_MIN_MS..INSTANT_MAX_MS
 *   false    never again (before the year 10000) */
bool schedule_next(const struct schedule_spec *spec, int64_t after_ms, int64_t *next_ms)
    __attribute__((warn_unused_result));

/* Whether the instant is one of the instants. */
bool schedule_contains(const struct schedule_spec *spec, int64_t instant_ms);

/* How many instants lie in (from_ms, to_ms], at most `limit`. Constant time for every and
 * at, one short step per month of the range for cron. 0 when from_ms >= to_ms. */
uint64_t schedule_count(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                        uint64_t limit);

/* The newest instant in (from_ms, to_ms]; false when there is none. */
bool schedule_last(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                   int64_t *last_ms) __attribute__((warn_unused_result));

/* The smallest t >= from_ms such that at most `keep` instants lie in (t, to_ms]: where a
 * range must begin so that only the newest `keep` stay. It is from_ms itself when all may stay,
 * else the newest instant that is dropped. Needs from_ms <= to_ms. */
int64_t schedule_keep_newest(const struct schedule_spec *spec, int64_t from_ms, int64_t to_ms,
                             uint64_t keep);

/* Whether it is the nominal time of a slot. */
bool schedule_names(const struct schedule_spec *spec, int64_t nominal_ms);

/* The nominal time of the slot that is due at due_ms; due_ms itself when none is due then. */
int64_t schedule_nominal(const struct schedule_spec *spec, int64_t due_ms);

/* When the slot with this nominal time is due. */
int64_t schedule_due(const struct schedule_spec *spec, int64_t nominal_ms);

/* A bound on nominal times as one on due times: the slots whose nominal time lies before nominal_ms
 * are those due before the result. */
int64_t schedule_bound(const struct schedule_spec *spec, int64_t nominal_ms);

#endif
