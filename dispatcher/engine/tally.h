/* tally.h - what the transaction under way says, in numbers: counted while the outbox fills, handed
 * to the observer when Kafka has taken it (observer.h, committed), forgotten when it has not. So a
 * transaction that is produced again counts once, one that is thrown away not at all. Pure. */
#ifndef BELFRY_ENGINE_TALLY_H
#define BELFRY_ENGINE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/jobs/job.h"
#include "dispatcher/runs/runs.h"
#include "lib/model/output.h"

/* Fires of one group that were due at one instant. */
struct tally_due {
    int64_t due_ms;
    uint32_t fires;
    uint32_t name_at;      /* of the group, in the tally's names */
    uint16_t name_length;
    uint16_t group_number; /* 0: groups without a number, together and without a name */
};

/* One fire that counts stand for; id "": none. */
struct tally_example {
    char id[FIRE_ID_BYTES];
    double value; /* how late it is, in seconds, or how many slots its event names */
    enum event_reason reason;
};

/* Nothing but int64_t: it may be read as an array of them. */
struct tally_numbers {
    int64_t fires[FIRE_KIND_COUNT];
    int64_t late; /* decided later than the grace after they were due */
    int64_t missed[EVENT_REASON_COUNT + 1]; /* slots */
    int64_t skipped[EVENT_REASON_COUNT + 1];
    int64_t failed[EVENT_REASON_COUNT + 1]; /* fires */
    int64_t events[EVENT_KIND_COUNT];
    int64_t results[COMMAND_OP_COUNT + 1][OUTCOME_COUNT];
    int64_t forwarded;
    int64_t dead;
};
enum { TALLY_NUMBERS = sizeof(struct tally_numbers) / sizeof(int64_t) };

struct tally {
    struct tally_numbers numbers;
    struct runs_numbers runs; /* what has happened to runs since the transaction before */
    struct tally_example late_example;
    struct tally_example missed_example;
    struct tally_example failed_example;
    struct tally_due *dues; /* the first is nobody's: no instant, no fires */
    size_t due_count;       /* with it */
    size_t due_capacity;
    char *names;
    size_t names_length;
    size_t names_capacity;
    uint32_t *last_due; /* by the group's number: the newest of its dues; 0: none */
    int64_t grace_ms;
};

/* grace_ms: so late a fire counts as late. */
struct tally *tally_create(int64_t grace_ms) __attribute__((returns_nonnull));
void tally_destroy(struct tally *tally); /* NULL is allowed */
/* Nothing has been said yet. */
void tally_begin(struct tally *tally);

/* The slow half of tally_fire(): the first of its group and instant, or a late one. */
uint32_t tally_unusual_fire(struct tally *tally, const struct fire *fire);

/* A fire was put out. Returns what tally_fire_back() wants to know. */
static inline uint32_t tally_fire(struct tally *tally, const struct fire *fire)
{
    uint32_t last = tally->last_due[fire->job->group_number];
    struct tally_due *due = &tally->dues[last];
    bool usual = due->due_ms == fire->due_ms && fire->now_ms - fire->due_ms <= tally->grace_ms;
    if (__builtin_expect(!usual, 0)) return tally_unusual_fire(tally, fire);
    tally->numbers.fires[fire->kind]++;
    due->fires++;
    return last;
}

/* It leaves the transaction again. */
void tally_fire_back(struct tally *tally, uint32_t fire, enum fire_kind kind);
void tally_event(struct tally *tally, const struct event *event);
void tally_result(struct tally *tally, const struct result *result);
/* The transaction is out: what the runs have done up to it. NULL: none is followed. */
void tally_runs(struct tally *tally, struct runs *runs);
/* A job is gone, and maybe its group: another may get its number. */
void tally_job_gone(struct tally *tally, const struct job *job);

struct text tally_group(const struct tally *tally, const struct tally_due *due);

#endif
