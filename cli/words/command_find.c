/* Which command a word means. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/words/cli.h"
#include "lib/base/suggest.h"

enum { OP_WORD_BYTES = 64 };

const struct cli_command *cli_command_find(const struct cli_command *commands, const char *name)
{
    assert(name != NULL);
    for (const struct cli_command *command = commands; command->name != NULL; command++)
        if (strcmp(command->name, name) == 0) return command;
    return NULL;
}

bool cli_unknown_command(const struct cli_command *commands, const char *name,
                         struct error *error)
{
    struct suggestion near = {.word = name, .word_length = strlen(name)};
    for (const struct cli_command *command = commands; command->name != NULL; command++)
        suggestion_offer(&near, command->name);
    if (near.best == NULL)
        return error_invalid(error, CODE_USAGE,
                             "unknown command \"%.60s\"; belfry --help lists them", name);
    return error_invalid(error, CODE_USAGE, "unknown command \"%.60s\"; did you mean %s?",
                         name, near.best);
}

enum command_op cli_command_op(const char *name)
{
    char word[OP_WORD_BYTES];
    (void)snprintf(word, sizeof word, "%s", name);
    for (char *at = word; *at != '\0'; at++)
        if (*at == '-') *at = '_';
    return command_op_find(text_of(word));
}
