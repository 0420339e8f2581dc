/* health.h - how this daemon is, asked over a Unix socket: of the process itself, so that one which
 * is stopped does not answer. Bounded on both sides. */
#ifndef BELFRY_DAEMON_HEALTH_H
#define BELFRY_DAEMON_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/limits.h"

enum { HEALTH_TEXT_BYTES = 200, HEALTH_LIMIT_MS = 2000 };

enum health_state {
    HEALTH_OK = 0,
    HEALTH_UNREADY, /* alive, but it does not do its work yet, or not now */
    HEALTH_BAD
};

struct health;

/* Listens at a path, or at "@name", which is no file (the abstract namespace).
 *   errors  ERROR_FATAL: somebody listens there, or it cannot be made */
struct health *health_open(const char *place, struct error *error)
    __attribute__((warn_unused_result));
void health_close(struct health *health); /* NULL is allowed */

/* Answers whoever has asked since the last time: "ok TEXT", "unready TEXT" or "bad TEXT". Never
 * waits. */
void health_answer(struct health *health, enum health_state state, const char *text);

/* Asks, HEALTH_LIMIT_MS at most. `text` gets the answer, or why there is none.
 *   returns  HEALTH_BAD also where there is none */
enum health_state health_ask(const char *place, char text[HEALTH_TEXT_BYTES]);

#endif
