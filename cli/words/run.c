#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/words/cli.h"
#include "lib/base/version.h"
#include "lib/time/zone_files.h"

enum { OPTION_TABLES_MAX = 12 };

/* Global options may stand after the command, too. */
static bool parse_command(const struct cli_command *command, struct arguments *arguments, int argc,
                          char *const *argv, int *at, struct error *error)
{
    const struct option_row *tables[OPTION_TABLES_MAX] = {0};
    size_t count = 0;
    for (; command->options[count] != NULL; count++) {
        assert(count + 2 < OPTION_TABLES_MAX);
        tables[count] = command->options[count];
    }
    tables[count] = settings_options;
    return arguments_parse(arguments, tables, argc, argv, at, STOP_AT_END, error);
}

/* `belfry help` and `belfry help COMMAND`. */
static enum exit_code run_help(const struct cli_command *commands, int argc, char *const *argv,
                               int at)
{
    struct error error = {0};
    assert(at <= argc);
    if (at >= argc) {
        help_print(stdout, commands);
        return CLI_OK;
    }
    const struct cli_command *command = cli_command_find(commands, argv[at]);
    if (command == NULL) {
        (void)cli_unknown_command(commands, argv[at], &error);
        return exit_with(&error);
    }
    help_print_command(stdout, command);
    return CLI_OK;
}

static enum exit_code run_command(const struct cli_command *commands,
                                  const struct cli_command *command,
                                  const struct arguments *arguments)
{
    struct error error = {0};
    struct settings settings;
    if (arguments_has(arguments, "help")) {
        help_print_command(stdout, command);
        return CLI_OK;
    }
    if (!settings_read(&settings, arguments, &error)) {
        settings_free(&settings);
        return exit_with(&error);
    }
    struct zone_files *zones = zone_files_create(NULL);
    settings.zones = zone_files_lookup(zones);
    struct invocation invocation = {commands, command, &settings, arguments};
    enum exit_code code = command->run(&invocation);
    zone_files_destroy(zones);
    settings_free(&settings);
    return code;
}

static enum exit_code dispatch(const struct cli_command *commands, struct arguments *arguments,
                               int argc, char *const *argv)
{
    static const struct option_row *const global[] = {settings_options, NULL};
    struct error error = {0};
    int at = 1;
    assert(argc >= 1);
    if (!arguments_parse(arguments, global, argc, argv, &at, STOP_AT_WORD, &error))
        return exit_with(&error);
    if (arguments_has(arguments, "version")) {
        (void)printf("belfry %s\n", BELFRY_VERSION);
        return CLI_OK;
    }
    if (at >= argc && arguments_has(arguments, "help")) {
        help_print(stdout, commands);
        return CLI_OK;
    }
    if (at >= argc) {
        help_print(stderr, commands);
        return CLI_USAGE;
    }
    const char *name = argv[at++];
    if (strcmp(name, "help") == 0) return run_help(commands, argc, argv, at);
    const struct cli_command *command = cli_command_find(commands, name);
    if (command == NULL) (void)cli_unknown_command(commands, name, &error);
    if (command == NULL || !parse_command(command, arguments, argc, argv, &at, &error)) {
        enum exit_code code = exit_with(&error);
        if (command != NULL)
            (void)fprintf(stderr, "belfry %s --help shows how to use it\n", command->name);
        return code;
    }
    return run_command(commands, command, arguments);
}

enum exit_code cli_main(const struct cli_command *commands, int argc, char *const *argv)
{
    struct arguments arguments = {0};
    json_object_seed(0);
    enum exit_code code = dispatch(commands, &arguments, argc, argv);
    arguments_free(&arguments);
    assert(code <= CLI_PARTLY);
    /* A full disk or a closed pipe must not look like success. An earlier write may have failed:
     * the stream remembers. */
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return code;
    (void)fputs("belfry: stdout does not take what is printed (a full disk?): it is not whole\n",
                stderr);
    return code == CLI_OK ? CLI_FAILED : code;
}
