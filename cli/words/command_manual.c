/* Manual pages in the man macros, made from the table of commands. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/words/cli.h"
#include "lib/base/version.h"

/* Text in which nothing is a request, an escape or a hyphen that could be broken at. */
static void print_roff(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool begins = i == 0 || text[i - 1] == '\n';
        if (begins && (text[i] == '.' || text[i] == '\'')) (void)fputs("\\&", stdout);
        if (text[i] == '-') (void)fputs("\\-", stdout);
        else if (text[i] == '\\') (void)fputs("\\e", stdout);
        else if (text[i] == '\'') (void)fputs("\\(aq", stdout);
        else (void)putchar(text[i]);
    }
}

static void print_line(const char *text)
{
    print_roff(text, strlen(text));
    (void)putchar('\n');
}

static void print_option(const struct option_row *row)
{
    assert(row->name != NULL);
    (void)fputs(".TP\n.B ", stdout);
    if (row->letter != '\0') (void)printf("\\-%c\\fR, \\fB", row->letter);
    (void)fputs("\\-\\-", stdout);
    print_roff(row->name, strlen(row->name));
    if (row->kind == OPTION_OPTIONAL) (void)fputs("\\fR[=\\fI", stdout);
    else if (row->kind != OPTION_FLAG) (void)fputs("\\fR \\fI", stdout);
    if (row->kind != OPTION_FLAG) print_roff(row->argument, strlen(row->argument));
    (void)fputs(row->kind == OPTION_OPTIONAL ? "\\fR]\n" : "\n", stdout);
    print_line(row->help);
}

static void print_exit_codes(void)
{
    (void)fputs(".SH EXIT STATUS\n", stdout);
    for (const struct exit_code_row *row = exit_code_rows; row->meaning != NULL; row++) {
        (void)printf(".TP\n.B %d\n", (int)row->code);
        print_line(row->meaning);
    }
}

static void print_whole(const struct cli_command *commands)
{
    (void)printf(".TH BELFRY 1 \"\" \"Belfry %s\" \"Belfry\"\n.SH NAME\n", BELFRY_VERSION);
    print_line("belfry - the command line of the Belfry job dispatcher");
    (void)fputs(".SH SYNOPSIS\n.B belfry\n[global options] \\fICOMMAND\\fR [options]\n"
                ".SH DESCRIPTION\n", stdout);
    print_line("Writes become commands on the control topic of Kafka and are answered by the "
               "daemons; reads ask Redis. Each command has a page of its own: belfry-add(1) and "
               "so on.");
    (void)fputs(".SH COMMANDS\n", stdout);
    for (const struct cli_command *row = commands; row->name != NULL; row++) {
        (void)fputs(".TP\n.B ", stdout);
        print_line(row->name);
        print_line(row->summary);
    }
    (void)fputs(".SH OPTIONS\n", stdout);
    for (const struct option_row *row = settings_options; row->name != NULL; row++)
        print_option(row);
    print_exit_codes();
}

static void print_examples(const char *examples)
{
    (void)fputs(".SH EXAMPLES\n.nf\n", stdout);
    while (*examples != '\0') {
        size_t line = strcspn(examples, "\n");
        print_roff(examples, line);
        (void)putchar('\n');
        examples += line;
        examples += *examples == '\n';
    }
    (void)fputs(".fi\n", stdout);
}

static void print_command(const struct cli_command *command)
{
    (void)fputs(".TH BELFRY\\-", stdout);
    for (const char *at = command->name; *at != '\0'; at++)
        (void)putchar(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    (void)printf(" 1 \"\" \"Belfry %s\" \"Belfry\"\n.SH NAME\n", BELFRY_VERSION);
    (void)printf("belfry\\-");
    print_roff(command->name, strlen(command->name));
    (void)fputs(" \\- ", stdout);
    print_line(command->summary);
    (void)fputs(".SH SYNOPSIS\n.B belfry ", stdout);
    print_line(command->name);
    if (command->usage[0] != '\0') print_line(command->usage);
    if (command->details != NULL) {
        (void)fputs(".SH DESCRIPTION\n", stdout);
        print_line(command->details);
    }
    (void)fputs(".SH OPTIONS\n", stdout);
    for (const struct option_row *const *table = command->options; *table != NULL; table++)
        for (const struct option_row *row = *table; row->name != NULL; row++) print_option(row);
    print_line("The global options are described in belfry(1).");
    print_exit_codes();
    print_examples(command->examples);
    (void)fputs(".SH SEE ALSO\n.BR belfry (1)\n", stdout);
}

enum exit_code command_manual(const struct invocation *invocation)
{
    struct error error = {0};
    const struct arguments *arguments = invocation->arguments;
    if (arguments->positional_count > 1) {
        (void)error_invalid(&error, CODE_USAGE, "one page at a time: belfry manual [COMMAND]");
        return exit_with(&error);
    }
    if (arguments->positional_count == 0) {
        print_whole(invocation->commands);
        return CLI_OK;
    }
    const char *name = arguments->positionals[0];
    const struct cli_command *command = cli_command_find(invocation->commands, name);
    if (command == NULL) {
        (void)cli_unknown_command(invocation->commands, name, &error);
        return exit_with(&error);
    }
    print_command(command);
    return CLI_OK;
}
