/* command_op.h - the operations of the control topic, a row each. Its number, its word in
 * commands, results and messages, and what it acts on come from here; what it does to a job is a
 * row of dispatcher/shard/operation.c, what people read about it one of cli/words/commands.c. */
#ifndef BELFRY_MODEL_COMMAND_OP_H
#define BELFRY_MODEL_COMMAND_OP_H

#include "lib/base/text.h"

enum op_target {
    TARGET_NONE,    /* it only answers */
    TARGET_GIVEN,   /* the jobs that stand in the command */
    TARGET_SELECTED /* the jobs that a selector matches, one by one */
};

#define COMMAND_OPS(row)                                                                           \
    row(ADD, "add", TARGET_GIVEN)                                                                  \
    row(PUT, "put", TARGET_GIVEN)                                                                  \
    row(UPDATE, "update", TARGET_SELECTED)                                                         \
    row(PAUSE, "pause", TARGET_SELECTED)                                                           \
    row(RESUME, "resume", TARGET_SELECTED)                                                         \
    row(DELETE, "delete", TARGET_SELECTED)                                                         \
    row(TRIGGER, "trigger", TARGET_SELECTED)                                                       \
    row(BACKFILL, "backfill", TARGET_SELECTED)                                                     \
    row(CANCEL_BACKFILL, "cancel_backfill", TARGET_SELECTED)                                       \
    row(CANCEL, "cancel", TARGET_SELECTED)                                                         \
    row(REQUEUE, "requeue", TARGET_SELECTED)                                                       \
    row(PING, "ping", TARGET_NONE)

#define COMMAND_OP_NUMBER(name, word, target) OP_##name,
enum command_op {
    OP_NONE = 0, /* not readable */
    COMMAND_OPS(COMMAND_OP_NUMBER)
};
#undef COMMAND_OP_NUMBER

#define COMMAND_OP_ONE(name, word, target) +1
enum { COMMAND_OP_COUNT = 0 COMMAND_OPS(COMMAND_OP_ONE) }; /* they are 1 .. COMMAND_OP_COUNT */
#undef COMMAND_OP_ONE

const char *command_op_word(enum command_op op); /* "add" ...; OP_NONE: "" */
enum op_target command_op_target(enum command_op op); /* not of OP_NONE */

/* OP_NONE: there is no such word. */
enum command_op command_op_find(struct text word);

/* All words in order; ends with NULL. */
const char *const *command_op_words(void);

#endif
