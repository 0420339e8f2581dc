#include <assert.h>
#include <string.h>

#include "cli/words/cli.h"

enum { HELP_COLUMN = 34, LINE_COLUMNS = 88 };

/* Words wrapped at LINE_COLUMNS. */
static void print_wrapped(FILE *stream, const char *text)
{
    size_t used = 0;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (used > 0 && used + 1 + word > LINE_COLUMNS) {
            (void)fputc('\n', stream);
            used = 0;
        }
        if (used > 0) used += (size_t)fprintf(stream, " ");
        used += (size_t)fprintf(stream, "%.*s", (int)word, text);
        text += word;
        text += strspn(text, " ");
    }
    (void)fputc('\n', stream);
}

static void print_option(FILE *stream, const struct option_row *row)
{
    char left[96];
    assert(row->name != NULL);
    assert(row->kind == OPTION_FLAG || row->argument != NULL);
    char letter[8] = "    ";
    if (row->letter != '\0') (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
    if (row->kind == OPTION_FLAG)
        (void)snprintf(left, sizeof left, "  %s--%s", letter, row->name);
    else if (row->kind == OPTION_OPTIONAL)
        (void)snprintf(left, sizeof left, "  %s--%s[=%s]", letter, row->name, row->argument);
    else
        (void)snprintf(left, sizeof left, "  %s--%s %s", letter, row->name, row->argument);
    if (strlen(left) < HELP_COLUMN)
        (void)fprintf(stream, "%-*s%s\n", HELP_COLUMN, left, row->help);
    else
        (void)fprintf(stream, "%s\n%*s%s\n", left, HELP_COLUMN, "", row->help);
}

static void print_options(FILE *stream, const char *title, const struct option_row *rows)
{
    (void)fprintf(stream, "\n%s:\n", title);
    for (; rows->name != NULL; rows++) print_option(stream, rows);
}

static void print_examples(FILE *stream, const char *examples)
{
    (void)fputs("\nExamples:\n", stream);
    while (*examples != '\0') {
        size_t line = strcspn(examples, "\n");
        (void)fprintf(stream, "  %.*s\n", (int)line, examples);
        examples += line;
        examples += *examples == '\n';
    }
}

void help_print(FILE *stream, const struct cli_command *commands)
{
    (void)fputs("belfry - the command line of the Belfry job dispatcher\n\n"
                "Usage: belfry [global options] COMMAND [options]\n\nCommands:\n", stream);
    for (const struct cli_command *command = commands; command->name != NULL; command++) {
        assert(command->run != NULL);
        (void)fprintf(stream, "  %-15s %s\n", command->name, command->summary);
    }
    print_options(stream, "Global options, before or after the command", settings_options);
    (void)fputs("\nExit codes:\n", stream);
    for (const struct exit_code_row *row = exit_code_rows; row->meaning != NULL; row++)
        (void)fprintf(stream, "  %d  %s\n", (int)row->code, row->meaning);
    (void)fputs("\n`belfry COMMAND --help` says more about one command.\n", stream);
}

void help_print_command(FILE *stream, const struct cli_command *command)
{
    (void)fprintf(stream, "belfry %s - %s\n\nUsage: belfry %s %s\n", command->name,
                  command->summary, command->name, command->usage);
    if (command->details != NULL) {
        (void)fputc('\n', stream);
        print_wrapped(stream, command->details);
    }
    static const struct {
        const struct option_row *rows;
        const char *title;
    } titles[] = {
        {options_select, "Which jobs"},      {options_define, "The job"},
        {options_schedule, "When"},          {options_set, "New values"},
        {options_job, "What and how"},       {options_runs, "How its work is followed"},
        {options_write, "The command"},
        {options_pause, "How long"},         {options_resume, "What of the pause"},
        {options_backfill, "Which slots"},   {options_end_backfill, "Which backfill"},
        {options_cancel, "Which runs"},      {options_requeue, "Which run"},
        {options_delete, "Its runs"},        {options_trigger, "Its runs"},
    };
    for (const struct option_row *const *table = command->options; *table != NULL; table++) {
        const char *title = "Options";
        for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
            if (titles[i].rows == *table) title = titles[i].title;
        print_options(stream, title, *table);
    }
    print_examples(stream, command->examples);
    (void)fputs("\n`belfry --help` lists the global options and the exit codes.\n", stream);
}
