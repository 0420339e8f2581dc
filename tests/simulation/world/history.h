/* history.h - what has been committed, in order, shard by shard: the only thing the checker looks
 * at. Each output is kept as the few values that matter. */
#ifndef BELFRY_TESTS_HISTORY_H
#define BELFRY_TESTS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/simulation/world/cluster.h"

struct world;

enum output_kind {
    OUTPUT_FIRE,
    OUTPUT_EVENT,
    OUTPUT_RESULT,
    OUTPUT_DEAD,
    OUTPUT_FORWARD,
    OUTPUT_JOB,         /* a record of the state log */
    OUTPUT_JOB_DELETED, /* its tombstone */
    OUTPUT_SEEN,
    OUTPUT_SEEN_DELETED,
    OUTPUT_RUN,        /* run/<k> */
    OUTPUT_CANCEL,     /* a request to stop a try */
    OUTPUT_RUN_LETTER  /* of a run that has failed, or of a report */
};

enum {
    HISTORY_NAME_BYTES = 24,
    HISTORY_WORD_BYTES = 24,
    HISTORY_LIFE_BYTES = 56,
    HISTORY_RUN_BYTES = 2 * HISTORY_LIFE_BYTES
};

/* What an output says of a run: history_run.c. Numbers that are not said are 0. */
struct run_said {
    char id[HISTORY_RUN_BYTES]; /* of the fire; in a record it follows from the job: "" */
    int64_t runnumber;
    int64_t first_runnumber;
    int64_t lease_ms;
    int64_t expiry_ms;
    int64_t fired_ms;
    int64_t retry_ms;
    int64_t k;
    int64_t number; /* `try` */
    int64_t counted;
    int64_t released;
    int64_t lost_in_a_row;
    int64_t ended_runnumber; /* of the last try that a record says has ended */
    int64_t ended_ms;
    bool free;
    bool ended_released;
    bool again; /* found by the judge: a fire of a run that had been over before */
    bool cancel_asked;
    char state[HISTORY_WORD_BYTES];
    char outcome[HISTORY_WORD_BYTES]; /* record: of that try; event, letter: of the run */
    char workers[HISTORY_WORD_BYTES];
};

struct output {
    enum output_kind kind;
    int64_t time_ms;                 /* Kafka's when it was appended */
    char name[HISTORY_NAME_BYTES];   /* group/id of the job; "" for none */
    char life[HISTORY_LIFE_BYTES];   /* incarnation */
    char word[HISTORY_WORD_BYTES];   /* kind of fire or event, outcome of a result */
    char reason[HISTORY_WORD_BYTES]; /* of an event; the code of a result */
    char trigger[HISTORY_LIFE_BYTES]; /* fire: t:<command id>, b:<backfill> or
                                       * i:<import>:<backfill>; event: <backfill>; result: the
                                       * first outcome */
    int64_t at_ms;      /* event: at; result: effective_at; fire: nominal */
    int64_t first_ms;
    int64_t last_ms;    /* fire: hash of its data */
    int64_t count;      /* event: count; fire: missedcount; result: changed */
    int64_t from_ms;    /* fire: its time, when the shard put it out; job: paused at */
    int64_t to_ms;
    int64_t matched;    /* fire: attempt */
    int32_t partition;  /* result, forward: of the command's origin; job: the revision */
    int64_t offset;     /* job: its ordinal */
    uint32_t run;       /* what it says of a run, in the history's list, from 1; 0: nothing */
    int32_t target;     /* forward: the shard it went to; fire, result: the foreign topic or
                         * -1 */
};

struct step { /* one committed transaction of a shard */
    int64_t time_ms;
    struct mark_view {
        int64_t generation;
        int64_t epoch;
        int64_t sequence;
        int64_t watermark_ms;
        int64_t ordinal; /* INT64_MAX: the whole instant */
        int64_t control_offset;
        int64_t forward_offset;
        int64_t runs_offset;  /* reports before it have acted */
        int64_t runs_again;   /* a new owner reads from here */
        bool in_command;
        char owner[32];
        char tz_version[16];
    } mark;
    bool has_mark;
    bool counted; /* its owner has told how much is in it */
    bool gone; /* Kafka lost it, and a new owner went on from before it: it did not happen */
    size_t first; /* outputs, in the history's list */
    size_t count;
};

struct history {
    struct output *outputs;
    size_t output_count;
    size_t output_capacity;
    struct run_said *runs;
    size_t run_count;
    size_t run_capacity;
    struct step *steps[SIM_SHARDS_MAX];
    size_t step_count[SIM_SHARDS_MAX];
    size_t step_capacity[SIM_SHARDS_MAX];
};

/* What the output says of a run; NULL: nothing. */
const struct run_said *history_run(const struct history *history, const struct output *output);
/* history_run.c: of a record of these kinds; nothing is added where it is about no run. */
void history_read_run(struct history *history, struct output *output, struct text value);
/* What a fire carries; 0: nothing. */
int64_t history_data_hash(const char *bytes, size_t length);
void history_close(struct history *history);
/* Everything a shard has committed, for people. */
void history_write(const struct history *history, int32_t shard, FILE *file);
void history_commit(struct world *world, const struct transaction *transaction);

#endif
