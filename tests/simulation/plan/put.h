/* put.h - JSON of commands, put together piece by piece. */
#ifndef BELFRY_SIMULATION_PUT_H
#define BELFRY_SIMULATION_PUT_H

#include "tests/simulation/plan/plan.h"

enum { JSON_BYTES = 32 * 1024 };

struct text_out {
    char *bytes;
    size_t room;
    size_t length;
};

void put(struct text_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void put_instant(struct text_out *out, const char *name, int64_t at_ms);
/* 0 .. sides - 1 */
int64_t roll(struct random *dice, int64_t sides);
#define PICK(dice, words) (words)[roll(dice, (int64_t)(sizeof(words) / sizeof(words)[0]))]

/* ---- workload.c ---- */

/* The op, and what each command may have. */
void put_head(struct text_out *out, struct random *dice, const char *op, int64_t at_ms);
/* What a job may have besides name and schedule. */
void put_options(struct text_out *out, struct random *dice, const struct plan *plan, int64_t at_ms);

#endif
