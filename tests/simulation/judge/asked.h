/* asked.h - fires that commands ask for beside a job's schedule: triggers and backfills. What was
 * asked for, what came out, and at the end whether it is the same. */
#ifndef BELFRY_TESTS_ASKED_H
#define BELFRY_TESTS_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/simulation/world/history.h"
#include "tests/simulation/world/slots.h"

struct life;
struct sent_command;
struct world;

struct asked_thing { /* a trigger, or a run that is to come again */
    char id[HISTORY_RUN_BYTES]; /* the command's, or the run's */
    int64_t at_ms;              /* when the command acts, or something came of it */
};

struct asked_list {
    struct asked_thing *things;
    size_t count;
    size_t capacity;
};

struct asked_backfill { /* its slots t: from_ms < t <= to_ms */
    char id[HISTORY_LIFE_BYTES];
    struct slow_schedule schedule; /* as it was when the command acted */
    int64_t from_ms;
    int64_t to_ms;
    int64_t rate; /* fires a second */
    bool over;    /* finished, cancelled, or gone with its job */
    bool finished;
    bool reckoned; /* other zone data came meanwhile: which slots it has is not exactly known */
    int64_t unknown_ms; /* when it was ended without its zone, or NEVER_MS */
    int64_t told; /* slots that an event names because they will not fire */
    int64_t told_first_ms;
    int64_t told_last_ms;
    int64_t *fired; /* nominal times, in order of firing */
    size_t fired_count;
    size_t fired_capacity;
    const struct step *in_step; /* of its last fires, and how many there are */
    int64_t in_step_count;
};

struct asked {
    struct asked_list triggers;
    struct asked_list triggered; /* what came out */
    struct asked_list again;
    struct asked_list came_again;
    struct asked_list undelivered; /* runs of backfills */
    struct asked_backfill *backfills;
    size_t backfill_count;
    size_t backfill_capacity;
};

void asked_free(struct asked *asked);

/* ---- what commands say ---- */

void asked_trigger(struct life *life, const char *command_id, int64_t effective_ms);
void asked_again(struct life *life, const char *run, int64_t effective_ms);
enum asked_refusal { ASKED_WELL = 0, ASKED_REJECTED, ASKED_CONFLICT };
enum asked_refusal asked_check(const struct life *life, const struct sent_command *command,
                               int64_t effective_ms);
/* False: there is no slot in the range. `dry`: nothing is opened. */
bool asked_open(struct life *life, const struct sent_command *command, int64_t effective_ms,
                bool dry);
/* False: no backfill of that id is under way. */
bool asked_cancel(struct life *life, const struct sent_command *command, int64_t effective_ms,
                  bool dry);

/* Other zone data: from now on the slots of backfills in zones are others. */
void asked_change_zones(struct life *life);

/* ---- what came out; violations go to the world ---- */

/* A fire that is not of the job's schedule, of a committed step. */
void asked_fire(struct world *world, struct life *life, const struct output *fire,
                const struct step *step);
/* The first try of a run that has been there before. */
void asked_fire_again(struct life *life, const struct output *fire, const char *run);
/* An event that names a backfill. */
void asked_event(struct world *world, struct life *life, const struct output *event);
/* At rest. */
void asked_judge(struct world *world, const struct life *life);

#endif
