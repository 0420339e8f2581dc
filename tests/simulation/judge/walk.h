/* walk.h - one shard's way through everything it has committed, beside the model. checker.c walks;
 * walk_results.c judges what is said to commands. */
#ifndef BELFRY_TESTS_WALK_H
#define BELFRY_TESTS_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/simulation/judge/model.h"
#include "tests/simulation/judge_runs/run_judge.h"
#include "tests/simulation/world/world.h"

enum { WAITING_MAX = 4096 };

struct remembered {
    char command_id[24];
    char outcome[HISTORY_WORD_BYTES];
    int64_t sequence;
    int64_t at_ms;
    bool gone;
};

struct walk { /* through one shard */
    struct world *world;
    int32_t shard;
    struct model model;
    struct run_judge runs; /* of jobs that may have a lease */
    const struct output *outputs; /* all of the shard, in order */
    size_t count;
    size_t *next_result;          /* by output: the next result at or after it; count: none */
    const struct step **step_of;
    size_t waiting[WAITING_MAX];  /* outputs of the command whose result is to come */
    size_t waiting_count;
    struct remembered *remembered;
    size_t remembered_count;
    size_t remembered_capacity;
    int64_t watermark_ms; /* of the last step */
    int64_t effective_ms; /* of the last command */
    const struct step *half_done; /* the first with a part of the command whose result is to come */
    const struct step *last_step; /* before the outputs that are walked */
    int64_t live_ms[8][FOREIGN_TOPICS + 1]; /* by group, topic: due time of the last live fire */
    int64_t tz_told;      /* jobs that the step's tz_changed counts; -1: there is none */
    char tz_version[16];  /* of the last mark */
};

/* checker.c: an event that says why slots do not fire; `at` is its place among the outputs. */
void walk_announcement(struct walk *walk, struct life *life, size_t at);

/* ---- walk_results.c ---- */

void walk_result(struct walk *walk, const struct output *result, const struct step *step);
/* A remembered command id is forgotten. */
void walk_forgotten(struct walk *walk, size_t at);
/* Time has passed up to a command that went elsewhere, too. */
void walk_forward(struct walk *walk, const struct output *forward);
/* Events that came before the result of the command they belong to. */
void walk_settle(struct walk *walk);

#endif
