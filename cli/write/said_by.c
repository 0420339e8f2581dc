#include "cli/write/said_by.h"

#include <assert.h>

bool said_by_read(struct said_by *said_by, const struct arguments *arguments, struct error *error)
{
    return arguments_text(arguments, "reason", &said_by->reason, error) &&
           arguments_text(arguments, "actor", &said_by->actor, error);
}

static void write_text(struct text_writer *out, const char *name, const char *value)
{
    if (value == NULL) return;
    text_writer_member(out, name);
    text_writer_string(out, text_of(value));
}

void said_by_write(struct text_writer *out, const struct said_by *said_by)
{
    assert(out->length > 0);
    write_text(out, "reason", said_by->reason);
    write_text(out, "actor", said_by->actor);
}
