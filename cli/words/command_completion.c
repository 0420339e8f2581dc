/* Completion scripts, made from the table of commands. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/words/cli.h"
#include "cli/words/option_words.h"
#include "lib/base/suggest.h"

enum { WORDS_BYTES = 256 };

/* A text inside single quotes of a shell; zsh takes brackets and colons for its own. */
static void print_quoted(const char *text, bool zsh)
{
    (void)putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'') (void)fputs("'\\''", stdout);
        else if (zsh && strchr("[]:\\", *text) != NULL) (void)printf("\\%c", *text);
        else (void)putchar(*text);
    }
    (void)putchar('\'');
}

/* --- bash --- */

static void bash_word(void *opaque, const struct option_row *row)
{
    (void)opaque;
    assert(row->name != NULL);
    (void)printf(" --%s", row->name);
    if (row->letter != '\0') (void)printf(" -%c", row->letter);
}

static void bash_value(void *opaque, const struct option_row *row)
{
    const char *command = opaque;
    char words[WORDS_BYTES];
    bool file = option_is_file(row);
    if (!option_words(row, words, sizeof words) && !file) return;
    (void)printf("    %s:--%s", command, row->name);
    if (row->letter != '\0') (void)printf("|%s:-%c", command, row->letter);
    if (file) (void)printf(") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n");
    else (void)printf(") words='%s' ;;\n", words);
}

static void print_bash(const struct cli_command *commands)
{
    (void)fputs("# bash completion for belfry; made by `belfry completion bash`\n"
                "_belfry() {\n"
                "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                "    local command= words= at\n"
                "    for ((at = 1; at < COMP_CWORD; at++)); do\n"
                "        case ${COMP_WORDS[at]} in\n        ", stdout);
    for (const struct cli_command *row = commands; row->name != NULL; row++)
        (void)printf("%s%s", row == commands ? "" : "|", row->name);
    (void)fputs(") command=${COMP_WORDS[at]}; break ;;\n        esac\n    done\n"
                "    case $command in\n    '') words='help", stdout);
    for (const struct cli_command *row = commands; row->name != NULL; row++)
        (void)printf(" %s", row->name);
    static const struct option_row *const none[] = {NULL};
    options_each(none, bash_word, NULL);
    (void)fputs("' ;;\n", stdout);
    for (const struct cli_command *row = commands; row->name != NULL; row++) {
        (void)printf("    %s) words='%s", row->name, row->words == NULL ? "" : row->words);
        options_each(row->options, bash_word, NULL);
        (void)fputs("' ;;\n", stdout);
    }
    (void)fputs("    esac\n    case $command:$before in\n", stdout);
    char no_command[] = "";
    options_each(none, bash_value, no_command);
    for (const struct cli_command *row = commands; row->name != NULL; row++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s", row->name);
        options_each(row->options, bash_value, name);
    }
    (void)fputs("    esac\n"
                "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                "}\n"
                "complete -o default -F _belfry belfry\n", stdout);
}

/* --- zsh --- */

static void zsh_option(void *opaque, const struct option_row *row)
{
    (void)opaque;
    char words[WORDS_BYTES];
    char text[512];
    bool optional = row->kind == OPTION_OPTIONAL;
    bool value = row->kind != OPTION_FLAG;
    assert(row->help != NULL);
    (void)snprintf(text, sizeof text, "%s", row->help);
    (void)printf(" \\\n            %s'--%s%s['", row->kind == OPTION_LIST ? "'*'" : "", row->name,
                 optional ? "=-" : value ? "=" : "");
    print_quoted(text, true);
    (void)fputs("']", stdout);
    if (value) {
        (void)fputs(optional ? "::" : ":", stdout);
        if (option_words(row, words, sizeof words)) (void)printf("value:(%s)", words);
        else (void)printf("value:%s", option_is_file(row) ? "_files" : " ");
    }
    (void)putchar('\'');
}

static void print_zsh(const struct cli_command *commands)
{
    (void)fputs("#compdef belfry\n# zsh completion for belfry; made by `belfry completion zsh`\n"
                "_belfry() {\n    local -a commands\n    commands=(\n", stdout);
    for (const struct cli_command *row = commands; row->name != NULL; row++) {
        (void)printf("        '%s:'", row->name);
        print_quoted(row->summary, true);
        (void)fputc('\n', stdout);
    }
    (void)fputs("    )\n    local command word\n"
                "    for word in ${words[2,CURRENT-1]}; do\n"
                "        if (( ${commands[(I)$word:*]} )); then command=$word; break; fi\n"
                "    done\n"
                "    case $command in\n"
                "    '')\n        _arguments", stdout);
    static const struct option_row *const none[] = {NULL};
    options_each(none, zsh_option, NULL);
    (void)fputs("\n        _describe command commands ;;\n", stdout);
    for (const struct cli_command *row = commands; row->name != NULL; row++) {
        (void)printf("    %s)\n        _arguments", row->name);
        options_each(row->options, zsh_option, NULL);
        if (row->words != NULL) (void)printf(" \\\n            '*:word:(%s)'", row->words);
        else (void)fputs(" \\\n            '*:file or job:_files'", stdout);
        (void)fputs(" ;;\n", stdout);
    }
    (void)fputs("    esac\n}\ncompdef _belfry belfry\n", stdout);
}

/* --- fish --- */

static void fish_option(void *opaque, const struct option_row *row)
{
    const char *command = opaque;
    char words[WORDS_BYTES];
    assert(row->help != NULL);
    (void)fputs("complete -c belfry", stdout);
    if (command != NULL) (void)printf(" -n '__fish_seen_subcommand_from %s'", command);
    (void)printf(" -l %s", row->name);
    if (row->letter != '\0') (void)printf(" -s %c", row->letter);
    if (option_words(row, words, sizeof words)) (void)printf(" -x -a '%s'", words);
    else if (option_is_file(row)) (void)fputs(" -r -F", stdout);
    else if (row->kind != OPTION_FLAG && row->kind != OPTION_OPTIONAL) (void)fputs(" -x", stdout);
    (void)fputs(" -d ", stdout);
    print_quoted(row->help, false);
    (void)fputc('\n', stdout);
}

static void print_fish(const struct cli_command *commands)
{
    (void)fputs("# fish completion for belfry; made by `belfry completion fish`\n", stdout);
    static const struct option_row *const none[] = {NULL};
    options_each(none, fish_option, NULL);
    for (const struct cli_command *row = commands; row->name != NULL; row++) {
        (void)printf("complete -c belfry -n __fish_use_subcommand -f -a %s -d ", row->name);
        print_quoted(row->summary, false);
        (void)fputc('\n', stdout);
        if (row->words != NULL)
            (void)printf("complete -c belfry -n '__fish_seen_subcommand_from %s' -f -a '%s'\n",
                         row->name, row->words);
        char name[64];
        (void)snprintf(name, sizeof name, "%s", row->name);
        for (const struct option_row *const *table = row->options; *table != NULL; table++)
            for (const struct option_row *option = *table; option->name != NULL; option++)
                fish_option(name, option);
    }
}

enum exit_code command_completion(const struct invocation *invocation)
{
    static const struct {
        const char *shell;
        void (*print)(const struct cli_command *commands);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    struct error error = {0};
    const struct arguments *arguments = invocation->arguments;
    const char *wanted = arguments->positional_count == 1 ? arguments->positionals[0] : "";
    struct suggestion near = {.word = wanted, .word_length = strlen(wanted)};
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        suggestion_offer(&near, shells[i].shell);
        if (strcmp(wanted, shells[i].shell) != 0) continue;
        shells[i].print(invocation->commands);
        return CLI_OK;
    }
    (void)error_invalid(&error, CODE_USAGE, "which shell? belfry completion bash|zsh|fish%s%s",
                        near.best == NULL ? "" : "; did you mean ",
                        near.best == NULL ? "" : near.best);
    return exit_with(&error);
}
