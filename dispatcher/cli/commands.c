/* The table of commands. Dispatch, help and typo suggestions are made from it. */
#include <assert.h>
#include <string.h>

#include "dispatcher/cli/cli.h"

static const struct option_row options_list[] = {
    {"limit", 'n', OPTION_VALUE, "N", "show at most so many"},
    {0},
};

static const struct option_row options_next[] = {
    {"from", '\0', OPTION_VALUE, "TIME", "strictly after this time (default now)"},
    {"count", 'n', OPTION_VALUE, "N", "how many (default 5)"},
    {"batch", '\0', OPTION_FLAG, NULL, "read JSON lines, write one answer a line"},
    {0},
};

static const struct option_row options_tail[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "only of this group"},
    {"from-beginning", '\0', OPTION_FLAG, NULL, "from the oldest record kept, not from now on"},
    {"count", 'n', OPTION_VALUE, "N", "stop after so many"},
    {"no-follow", '\0', OPTION_FLAG, NULL, "stop at the end"},
    {"topic", '\0', OPTION_VALUE, "TOPIC", "read another topic of this kind"},
    {0},
};

static const struct option_row options_dead[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "only of this group"},
    {"count", 'n', OPTION_VALUE, "N", "stop after so many"},
    {0},
};

static const struct option_row options_get[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "group of the job"},
    {"id", '\0', OPTION_VALUE, "ID", "id of the job"},
    {0},
};

static const struct option_row options_ping[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "only the shard of this group"},
    {"wait", 'w', OPTION_OPTIONAL, "D", "how long to wait (default 10s)"},
    {0},
};

static const struct option_row *const of_add[] = {options_define, options_schedule, options_job,
                                                  options_write, NULL};
static const struct option_row *const of_update[] = {options_select, options_schedule,
                                                     options_set,    options_job,
                                                     options_write,  NULL};
static const struct option_row *const of_selector[] = {options_select, options_write, NULL};
static const struct option_row *const of_list[] = {options_select, options_list, NULL};
static const struct option_row *const of_get[] = {options_get, NULL};
static const struct option_row *const of_next[] = {options_schedule, options_next, NULL};
static const struct option_row *const of_tail[] = {options_tail, NULL};
static const struct option_row *const of_dead[] = {options_dead, NULL};
static const struct option_row *const of_ping[] = {options_ping, NULL};
static const struct option_row *const of_shards[] = {NULL};

const struct cli_command cli_commands[] = {
    {"add", "add jobs; refused when one of the name exists",
     "GROUP/ID (--cron EXPR | --every D | --at TIME) [options] | -f FILE",
     "A file holds a command, or jobs: objects, arrays, or one a line. Jobs of several shards, "
     "or more than 2,000, become several commands, each atomic by itself.",
     "belfry add billing/invoice --cron \"30 2 * * *\" --payload '{\"report\":7}' --wait\n"
     "belfry add --group billing --id ping --every 15m --label team=core\n"
     "belfry add -f jobs.json --wait=30s",
     of_add, command_write},
    {"put", "add jobs, or change those that exist to what is given",
     "GROUP/ID (--cron EXPR | --every D | --at TIME) [options] | -f FILE",
     "Fields left out return to their defaults. An equal definition changes nothing.",
     "belfry put billing/invoice --cron \"0 3 * * *\" --wait\n"
     "cat jobs.ndjson | belfry put -f - --wait",
     of_add, command_write},
    {"update", "change some fields of jobs",
     "(GROUP/ID... | selectors) [new values] | -f FILE",
     "Selectors: --group, --id, --super-group, --label, --paused; OR among the values of one, AND "
     "between them.",
     "belfry update billing/invoice --every 15m --wait\n"
     "belfry update --group billing --payload @new.json --expect 3 --wait",
     of_update, command_write},
    {"pause", "pause jobs: their slots are left out until resumed",
     "(GROUP/ID... | selectors) [--until TIME] [--reason TEXT] | -f FILE", NULL,
     "belfry pause --group billing --reason maintenance --until 2026-12-01T06:00:00Z\n"
     "belfry pause --label team=core --wait",
     of_selector, command_write},
    {"resume", "resume paused jobs",
     "(GROUP/ID... | selectors) [--from now|paused_at|TIME] | -f FILE",
     "--from says which slots of the pause are caught up: none (now, the default), all "
     "(paused_at), or those after a time.",
     "belfry resume --group billing --wait\n"
     "belfry resume billing/invoice --from paused_at",
     of_selector, command_write},
    {"delete", "delete jobs", "(GROUP/ID... | selectors) | -f FILE", NULL,
     "belfry delete billing/invoice --wait\n"
     "belfry delete --super-group finance --expect 12 --wait",
     of_selector, command_write},
    {"trigger", "fire jobs once, now, besides their schedule",
     "(GROUP/ID... | selectors) | -f FILE",
     "Also of paused and finished jobs; not counted in max_fires.",
     "belfry trigger billing/invoice --reason \"again, please\" --wait",
     of_selector, command_write},
    {"list", "list jobs", "[selectors] [-n N]",
     "Reads Redis. Sorted by group and id, up to 100,000 jobs; longer lists come unsorted.",
     "belfry list\n"
     "belfry list --group billing --paused=false\n"
     "belfry list --label team=core -o name",
     of_list, command_list},
    {"get", "show one job", "GROUP/ID", "Reads Redis.",
     "belfry get billing/invoice\n"
     "belfry get billing/invoice -o json",
     of_get, command_get},
    {"next", "show when a schedule is due",
     "(--cron EXPR | --every D | --at TIME) [--from TIME] [--count N] | --batch",
     "Asks nobody: it computes. --batch reads lines {\"id\",\"cron\"|\"every\"|\"at\",\"zone\","
     "\"from\",\"count\"} and answers each with {\"id\",\"next\":[...]} or "
     "{\"id\",\"error\",\"column\"}.",
     "belfry next --cron \"30 2 * * *\"\n"
     "belfry next --every 90s --from 2026-01-01T00:00:00Z --count 10 -o json",
     of_next, command_next},
    {"tail", "print fires, results or events as they come", "fires|results|events [options]",
     "Reads Kafka, committed records only, without a consumer group. -o json prints the values "
     "as they are.",
     "belfry tail fires --group billing\n"
     "belfry tail results --from-beginning --no-follow -o json\n"
     "belfry tail events -n 10",
     of_tail, command_tail},
    {"dead", "list dead letters: what could not be read or was refused", "list [options]",
     "Reads Kafka. -o json prints one object a line, with key, headers and value.",
     "belfry dead list\n"
     "belfry dead list --group billing -o json",
     of_dead, command_dead},
    {"shards", "show where the shards stand", "",
     "Reads the snapshots in Redis. LAG MS is how far the watermark is behind now; the one of an "
     "idle shard moves only now and then.",
     "belfry shards\n"
     "belfry shards -o json",
     of_shards, command_shards},
    {"ping", "ask shards to answer, through Kafka and back", "[--group GROUP] [--wait=D]", NULL,
     "belfry ping\n"
     "belfry ping --group billing",
     of_ping, command_ping},
    {0},
};

const struct cli_command *cli_command_find(const char *name)
{
    assert(name != NULL);
    for (const struct cli_command *command = cli_commands; command->name != NULL; command++)
        if (strcmp(command->name, name) == 0) return command;
    return NULL;
}
