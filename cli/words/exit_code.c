#include "cli/words/exit_code.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/show/print_text.h"

const struct exit_code_row exit_code_rows[] = {
    {CLI_OK, "done"},
    {CLI_FAILED, "failed: rejected, expired, a file or schedule with a fault; diff: differences"},
    {CLI_USAGE, "usage: the words of the command line"},
    {CLI_NOT_FOUND, "not found: no such job, or a selector that matches nothing"},
    {CLI_CONFLICT, "conflict: it exists, or another number of jobs or revision than expected"},
    {CLI_TIMED_OUT, "timed out waiting: what happened is unknown; the command id is printed"},
    {CLI_UNREACHABLE, "Kafka or Redis cannot be reached"},
    {CLI_PARTLY, "partly done: some of the jobs named are not there, mode each, some shards did "
                 "their part and others refused, or a part could not be read"},
    {0},
};

enum exit_code exit_code_of(const struct error *error)
{
    assert(error->kind != ERROR_NONE);
    if (error->code == CODE_USAGE) return CLI_USAGE;
    if (error->code == CODE_NOT_FOUND) return CLI_NOT_FOUND;
    if (error->code == CODE_TIMED_OUT) return CLI_TIMED_OUT;
    if (error->code == CODE_NOT_WHOLE) return CLI_PARTLY;
    if (error->kind == ERROR_RETRY) return CLI_UNREACHABLE;
    return CLI_FAILED;
}

enum exit_code exit_with(const struct error *error)
{
    enum exit_code code = exit_code_of(error);
    (void)fputs("belfry: ", stderr);
    print_safe(stderr, error->message, strlen(error->message));
    (void)fputc('\n', stderr);
    return code;
}
