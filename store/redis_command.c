#include "store/redis_command.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

void redis_command_start(struct redis_command *command, const char *name)
{
    assert(command != NULL);
    assert(name != NULL);
    command->count = 0;
    command->number_count = 0;
    redis_command_add_text(command, name);
}

void redis_command_add(struct redis_command *command, const char *bytes, size_t length)
{
    assert(bytes != NULL || length == 0);
    size_t needed = command->count + 1;
    command->arguments = memory_grow(command->arguments, &command->arguments_capacity, needed,
                                     sizeof command->arguments[0]);
    command->argument_bytes = memory_grow(command->argument_bytes, &command->bytes_capacity, needed,
                                          sizeof command->argument_bytes[0]);
    command->arguments[command->count] = bytes != NULL ? bytes : "";
    command->argument_bytes[command->count] = length;
    command->count = needed;
}

void redis_command_add_text(struct redis_command *command, const char *text)
{
    assert(text != NULL);
    redis_command_add(command, text, strlen(text));
}

void redis_command_add_number(struct redis_command *command, int64_t number)
{
    assert(command->number_count < REDIS_COMMAND_NUMBERS_MAX);
    char *text = command->numbers[command->number_count++];
    (void)snprintf(text, REDIS_NUMBER_BYTES, "%" PRId64, number);
    redis_command_add_text(command, text);
}

void redis_command_replace(struct redis_command *command, size_t index, const char *text)
{
    assert(index < command->count);
    assert(text != NULL);
    command->arguments[index] = text;
    command->argument_bytes[index] = strlen(text);
}

void redis_command_release(struct redis_command *command)
{
    assert(command != NULL);
    free(command->arguments);
    free(command->argument_bytes);
    memset(command, 0, sizeof *command);
}
