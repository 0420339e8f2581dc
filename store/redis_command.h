/* redis_command.h - one Redis command as an argument list. Values never pass through a format
 * string, so a name or payload with spaces, quotes or NUL bytes is only bytes. */
#ifndef BELFRY_STORE_REDIS_COMMAND_H
#define BELFRY_STORE_REDIS_COMMAND_H

#include <stddef.h>
#include <stdint.h>

enum { REDIS_COMMAND_NUMBERS_MAX = 64, REDIS_NUMBER_BYTES = 24 };

/* Borrows the bytes given to it until the command is sent. Zero-initialise before first use;
 * reusable by redis_command_start(). */
struct redis_command {
    const char **arguments;
    size_t *argument_bytes;
    size_t count;
    size_t arguments_capacity;
    size_t bytes_capacity;
    size_t number_count;
    char numbers[REDIS_COMMAND_NUMBERS_MAX][REDIS_NUMBER_BYTES];
};

/* Forgets the arguments and begins anew with the command's name. */
void redis_command_start(struct redis_command *command, const char *name);
void redis_command_add(struct redis_command *command, const char *bytes, size_t length);
void redis_command_add_text(struct redis_command *command, const char *text);
/* At most REDIS_COMMAND_NUMBERS_MAX numbers a command. */
void redis_command_add_number(struct redis_command *command, int64_t number);
/* Replaces an argument already there. */
void redis_command_replace(struct redis_command *command, size_t index, const char *text);
void redis_command_release(struct redis_command *command);

#endif
