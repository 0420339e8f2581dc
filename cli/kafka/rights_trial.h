/* rights_trial.h - tries whether a user may do to the topics of a cluster what a daemon and the
 * command line do, without doing it. */
#ifndef BELFRY_CLI_RIGHTS_TRIAL_H
#define BELFRY_CLI_RIGHTS_TRIAL_H

#include <stdbool.h>

#include "cli/words/settings.h"
#include "lib/base/error.h"

enum { RIGHTS_TEXT_BYTES = 400 };

struct rights_trial {
    int tried;
    int unanswered; /* of those */
    /* "write belfry.state, read belfry.dead"; "": nothing was refused. */
    char refused_own[RIGHTS_TEXT_BYTES];    /* what the command line itself needs */
    char refused_daemon[RIGHTS_TEXT_BYTES]; /* what only a daemon needs */
};

/* A record is offered to each topic under terms that no broker accepts (acks=2), which it says only
 * to those who may write; each is read at its end; the positions of the group are asked for, which
 * has none; a producer with an id of the daemons' prefix is opened. Nothing is written.
 * Errors: ERROR_RETRY Kafka does not answer; code "usage" -X. */
bool rights_try(const struct settings *settings, struct rights_trial *trial, struct error *error)
    __attribute__((warn_unused_result));

#endif
