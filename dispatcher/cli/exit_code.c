#include "dispatcher/cli/exit_code.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/cli/print_text.h"

enum exit_code exit_code_of(const struct error *error)
{
    assert(error != NULL);
    assert(error->kind != ERROR_NONE);
    if (strcmp(error->code, CLI_CODE_USAGE) == 0) return CLI_USAGE;
    if (strcmp(error->code, CLI_CODE_NOT_FOUND) == 0) return CLI_NOT_FOUND;
    if (strcmp(error->code, CLI_CODE_TIMED_OUT) == 0) return CLI_TIMED_OUT;
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
