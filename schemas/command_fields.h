/* command_fields.h - the members of a command's object, once its op is known. */
#ifndef BELFRY_SCHEMAS_COMMAND_FIELDS_H
#define BELFRY_SCHEMAS_COMMAND_FIELDS_H

#include "lib/model/command.h"
#include "schemas/definition_json.h"

struct command_reader {
    struct definition_reader definition; /* raw = the text of the command's object */
    struct command *command;             /* op is set, the rest has its defaults */
    bool each;                           /* a bad job is listed, the others are read */
};

/* Reads and checks all members into reader->command. */
bool command_fields_read(const struct json_node *node, struct command_reader *reader,
                         struct error *error) __attribute__((warn_unused_result));

#endif
