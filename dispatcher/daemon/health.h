/* health.h - whether this daemon does its work, asked over a Unix socket: its own loop answers, so
 * that one which is stopped or stuck does not. Bounded on both sides. */
#ifndef BELFRY_DAEMON_HEALTH_H
#define BELFRY_DAEMON_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/limits.h"

enum { HEALTH_TEXT_BYTES = 200, HEALTH_LIMIT_MS = 2000 };

struct health;

/* Listens at a path, or at "@name", which is no file (the abstract namespace).
 *   errors  ERROR_FATAL: somebody listens there, or it cannot be made */
struct health *health_open(const char *place, struct error *error)
    __attribute__((warn_unused_result));
void health_close(struct health *health); /* NULL is allowed */

/* Answers whoever has asked since the last time: "ok TEXT" or "bad TEXT". Never waits. */
void health_answer(struct health *health, bool well, const char *text);

/* Asks, HEALTH_LIMIT_MS at most. `text` gets the answer, or why there is none.
 *   returns  whether the answer is ok */
bool health_ask(const char *place, char text[HEALTH_TEXT_BYTES]);

#endif
