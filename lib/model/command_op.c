#include "lib/model/command_op.h"

#include <assert.h>

#define WORD(name, word, target) [OP_##name] = word,
#define TARGET(name, word, target) [OP_##name] = target,
static const char *const words[COMMAND_OP_COUNT + 2] = {[OP_NONE] = "", COMMAND_OPS(WORD)};
static const enum op_target targets[] = {COMMAND_OPS(TARGET)};

const char *command_op_word(enum command_op op)
{
    assert((int)op <= COMMAND_OP_COUNT);
    return words[op];
}

enum op_target command_op_target(enum command_op op)
{
    assert(op != OP_NONE && (int)op <= COMMAND_OP_COUNT);
    return targets[op];
}

enum command_op command_op_find(struct text word)
{
    for (int op = COMMAND_OP_COUNT; op > OP_NONE; op--)
        if (text_equal(word, text_of(words[op]))) return (enum command_op)op;
    return OP_NONE;
}

const char *const *command_op_words(void)
{
    return words + 1;
}
