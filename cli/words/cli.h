/* cli.h - the commands of `belfry`, as a table: what a row says serves dispatch and help. */
#ifndef BELFRY_CLI_CLI_H
#define BELFRY_CLI_CLI_H

#include <stdio.h>

#include "cli/words/exit_code.h"
#include "cli/words/options.h"
#include "cli/words/settings.h"
#include "lib/model/command_op.h"

struct cli_command;

/* One run of one command. Everything is borrowed for its time. */
struct invocation {
    const struct cli_command *commands; /* all there are; ends with a row without a name */
    const struct cli_command *command;
    const struct settings *settings;
    const struct arguments *arguments;
};

typedef enum exit_code command_run(const struct invocation *invocation);

struct cli_command {
    const char *name;
    const char *summary;  /* one line for the list of commands */
    const char *usage;    /* what follows "belfry NAME" */
    const char *details;  /* paragraphs, NULL = none */
    const char *examples; /* lines */
    const struct option_row *const *options; /* NULL-terminated list of tables */
    const char *words;    /* what its first word may be, separated by blanks; NULL = anything */
    command_run *run;
};

/* commands.c: all of them; ends with a row without a name. */
extern const struct cli_command cli_commands[];

/* NULL when there is no such command. */
const struct cli_command *cli_command_find(const struct cli_command *commands, const char *name);

/* What a command sends: commands are named as people write words, operations as JSON does.
 * OP_NONE: it sends nothing. */
enum command_op cli_command_op(const char *name);

/* Sets an error, code "usage", that suggests the nearest command. Returns false. */
bool cli_unknown_command(const struct cli_command *commands, const char *name,
                         struct error *error);

/* The whole program: reads argv, runs the command, returns the exit code. */
enum exit_code cli_main(const struct cli_command *commands, int argc, char *const *argv);

/* help.c: both are made from the tables alone. */
void help_print(FILE *stream, const struct cli_command *commands);
void help_print_command(FILE *stream, const struct cli_command *command);

command_run command_write;
command_run command_ping;
command_run command_list;
command_run command_get;
command_run command_next;
command_run command_validate;
command_run command_tail;
command_run command_dead;
command_run command_run_by_hand; /* belfry run */
command_run command_shards;
command_run command_status;
command_run command_top;
command_run dead_requeue; /* belfry dead requeue */
command_run dead_ack;     /* belfry dead ack */
command_run command_describe;
command_run command_runs;
command_run command_history;
command_run command_workers;
command_run command_export;
command_run command_import;
command_run command_diff;
command_run command_apply;
command_run command_verify;
command_run command_rebuild;
command_run command_recover;
command_run command_doctor;
command_run command_completion;
command_run command_manual;

extern const struct option_row options_select[];   /* what selects jobs */
extern const struct option_row options_define[];   /* group, labels ... of a new job */
extern const struct option_row options_schedule[]; /* --cron --every --at ... */
extern const struct option_row options_set[];      /* what an update may set besides */
extern const struct option_row options_job[];      /* payload, catch-up ... of add, put, update */
extern const struct option_row options_runs[];     /* lease, overlap, retry ... of them, too */
extern const struct option_row options_write[];    /* --wait --dry-run ... */
extern const struct option_row options_pause[];
extern const struct option_row options_resume[];
extern const struct option_row options_backfill[];
extern const struct option_row options_end_backfill[];
extern const struct option_row options_cancel[];
extern const struct option_row options_requeue[];
extern const struct option_row options_delete[];
extern const struct option_row options_trigger[];
extern const struct option_row options_list[]; /* from here on read_options.c */
extern const struct option_row options_get[];
extern const struct option_row options_describe[];
extern const struct option_row options_open[];     /* of belfry runs */
extern const struct option_row options_history[];
extern const struct option_row options_workers[];
extern const struct option_row options_name[];     /* --group --id of a schedule with H */
extern const struct option_row options_validate[];
extern const struct option_row options_next[];
extern const struct option_row options_tail[];
extern const struct option_row options_dead[];
extern const struct option_row options_run[];
extern const struct option_row options_status[];
extern const struct option_row options_top[];
extern const struct option_row options_watch[]; /* --watch */
extern const struct option_row options_ping[];
extern const struct option_row options_export[];
extern const struct option_row options_import[];
extern const struct option_row options_diff[];
extern const struct option_row options_apply[];
extern const struct option_row options_rebuild[];
extern const struct option_row options_recover[];

#endif
