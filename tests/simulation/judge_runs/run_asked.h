/* run_asked.h - what a command about runs should be told, and what it should have done by then: all
 * of it is asked when its result is walked. */
#ifndef BELFRY_TESTS_RUN_ASKED_H
#define BELFRY_TESTS_RUN_ASKED_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/simulation/judge/model.h"

struct run_judge;

/* Whether a cancel changes the job. Perhaps: something else may have stopped its runs. */
enum run_stop { STOP_NOTHING = 0, STOP_PERHAPS, STOP_SURELY };
enum run_stop run_asked_stop(const struct run_judge *judge, const struct life *life,
                             const struct sent_command *command, int64_t at_ms);
/* It has been carried out: no run of the job waits, and all have been asked to stop.
 *   begun  the first step of a command that took several; NULL: it took one */
void run_asked_stopped(struct run_judge *judge, const struct life *life,
                       const struct sent_command *command, const struct step *begun);

/* A delete that is to leave the runs alone has been carried out in one step. */
void run_asked_left(struct run_judge *judge, const struct life *life);

/* What a requeue is for the job. */
enum run_again run_asked_again(const struct run_judge *judge, const struct life *life,
                               const struct sent_command *command, const struct output *result);
/* It was applied to a run that waited: its try is due from here on. */
void run_asked_hastened(struct run_judge *judge, const struct life *life,
                        const struct sent_command *command, int64_t now_ms);

#endif
