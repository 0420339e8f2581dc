/* The table of commands. Dispatch, help and typo suggestions are made from it. */

#include "cli/words/cli.h"
#include "cli/words/schedule_options.h"

static const struct option_row *const of_add[] = {options_define, options_schedule, options_job,
                                                  options_runs, options_write, NULL};
static const struct option_row *const of_update[] = {options_select, options_schedule,
                                                     options_set,    options_job,
                                                     options_runs,   options_write, NULL};
static const struct option_row *const of_pause[] = {options_select, options_pause, options_write,
                                                    NULL};
static const struct option_row *const of_resume[] = {options_select, options_resume, options_write,
                                                     NULL};
static const struct option_row *const of_backfill[] = {options_select, options_backfill,
                                                       options_write, NULL};
static const struct option_row *const of_end_backfill[] = {
    options_select, options_end_backfill, options_write, NULL};
static const struct option_row *const of_cancel[] = {options_select, options_cancel, options_write,
                                                     NULL};
static const struct option_row *const of_requeue[] = {options_select, options_requeue,
                                                      options_write, NULL};
static const struct option_row *const of_delete[] = {options_select, options_delete, options_write,
                                                     NULL};
static const struct option_row *const of_trigger[] = {options_select, options_trigger,
                                                      options_write, NULL};
static const struct option_row *const of_describe[] = {options_get, options_describe, NULL};
static const struct option_row *const of_runs[] = {options_select, options_open, options_watch,
                                                   NULL};
static const struct option_row *const of_history[] = {options_get, options_history, NULL};
static const struct option_row *const of_workers[] = {options_workers, options_watch, NULL};
static const struct option_row *const of_export[] = {options_select, options_export, NULL};
static const struct option_row *const of_import[] = {options_import, NULL};
static const struct option_row *const of_diff[] = {options_select, options_diff, NULL};
static const struct option_row *const of_apply[] = {options_select, options_apply, NULL};
static const struct option_row *const of_list[] = {options_select, options_list, options_watch,
                                                   NULL};
static const struct option_row *const of_get[] = {options_get, NULL};
static const struct option_row *const of_next[] = {options_schedule, options_name, options_next,
                                                   NULL};
static const struct option_row *const of_validate[] = {options_schedule, options_name, options_runs,
                                                       options_validate, NULL};
static const struct option_row *const of_tail[] = {options_tail, NULL};
static const struct option_row *const of_dead[] = {options_dead, NULL};
static const struct option_row *const of_run[] = {options_run, NULL};
static const struct option_row *const of_status[] = {options_status, NULL};
static const struct option_row *const of_top[] = {options_top, NULL};
static const struct option_row *const of_shards[] = {options_watch, NULL};
static const struct option_row *const of_ping[] = {options_ping, NULL};
static const struct option_row *const of_rebuild[] = {options_rebuild, NULL};
static const struct option_row *const of_recover[] = {options_recover, NULL};
static const struct option_row *const of_none[] = {NULL};

const struct cli_command cli_commands[] = {
    {"add", "add jobs; refused when one of the name exists",
     "GROUP/ID (" SCHEDULE_USAGE ") [options] | -f FILE",
     "A file holds a command, or jobs: objects, arrays, or one a line. Jobs of several shards, "
     "or more than 2,000, become several commands, each atomic by itself.",
     "belfry add billing/invoice --cron \"30 2 * * *\" --payload '{\"report\":7}' --wait\n"
     "belfry add --group billing --id ping --every 15m --label team=core\n"
     "belfry add billing/nightly --cron @daily --lease 5m --workers invoicing --retry-attempts 5 "
     "--overlap skip\n"
     "belfry add -f jobs.json --wait=30s",
     of_add, NULL, command_write},
    {"put", "add jobs, or change those that exist to what is given",
     "GROUP/ID (" SCHEDULE_USAGE ") [options] | -f FILE",
     "Fields left out return to their defaults. An equal definition changes nothing.",
     "belfry put billing/invoice --cron \"0 3 * * *\" --wait\n"
     "cat jobs.ndjson | belfry put -f - --wait",
     of_add, NULL, command_write},
    {"update", "change some fields of jobs",
     "(GROUP/ID... | selectors) [new values] | -f FILE",
     "Selectors: --group, --id, --super-group, --label, --paused; OR among the values of one, AND "
     "between them.",
     "belfry update billing/invoice --every 15m --wait\n"
     "belfry update --group billing --payload @new.json --expect 3 --wait\n"
     "belfry update billing/nightly --retry-attempts 8 --retry-not-on-exit 2,64\n"
     "belfry update billing/nightly --no-lease --wait",
     of_update, NULL, command_write},
    {"pause", "pause jobs: their slots are left out until resumed",
     "(GROUP/ID... | selectors) [--until TIME] [--reason TEXT] | -f FILE", NULL,
     "belfry pause --group billing --reason maintenance --until 2026-12-01T06:00:00Z\n"
     "belfry pause --label team=core --wait",
     of_pause, NULL, command_write},
    {"resume", "resume paused jobs",
     "(GROUP/ID... | selectors) [--from now|paused_at|TIME] | -f FILE",
     "--from says which slots of the pause are caught up: none (now, the default), all "
     "(paused_at), or those after a time.",
     "belfry resume --group billing --wait\n"
     "belfry resume billing/invoice --from paused_at",
     of_resume, NULL, command_write},
    {"delete", "delete jobs", "(GROUP/ID... | selectors) [--cancel-runs] | -f FILE",
     "Their open runs go on to the end of a try; with --cancel-runs they are asked to stop.",
     "belfry delete billing/invoice --wait\n"
     "belfry delete --super-group finance --expect 12 --wait",
     of_delete, NULL, command_write},
    {"trigger", "fire jobs once, now, besides their schedule",
     "(GROUP/ID... | selectors) [--overlap allow] | -f FILE",
     "Also of paused and finished jobs; not counted in max_fires. Where a job's overlap policy "
     "allows no run beside one that is open, it is refused, unless it says --overlap allow.",
     "belfry trigger billing/invoice --reason \"again, please\" --wait",
     of_trigger, NULL, command_write},
    {"backfill", "fire the slots of a past range, at a bounded rate",
     "(GROUP/ID... | selectors) --from TIME [--to TIME] [--rate N] | -f FILE",
     "The slots are those of the present schedule, after --from and up to --to. Live fires do not "
     "wait for them. The fires say firekind backfill and carry the backfill's id.",
     "belfry backfill billing/invoice --from 2026-11-01T00:00:00Z --to 2026-11-08T00:00:00Z\n"
     "belfry backfill --group billing --from 2026-11-01T00:00:00Z --rate 10 --dry-run",
     of_backfill, NULL, command_write},
    {"cancel-backfill", "end backfills before they are done",
     "(GROUP/ID... | selectors) [--backfill-id ID] | -f FILE",
     "What has been fired stays fired; an event names the slots that will not be.",
     "belfry cancel-backfill billing/invoice --wait\n"
     "belfry cancel-backfill --group billing --backfill-id november --wait",
     of_end_backfill, NULL, command_write},
    {"cancel", "ask the open runs of jobs to stop",
     "(GROUP/ID... | selectors) [--run ID] | -f FILE",
     "A run whose worker is at work goes on until the worker has stopped it; one that waits for a "
     "retry ends here.",
     "belfry cancel billing/invoice --wait\n"
     "belfry cancel billing/invoice --run 1795290000123-3.10422.0@1795294674000 --wait",
     of_cancel, NULL, command_write},
    {"requeue", "let a run that is over come again, or one that waits for a retry at once",
     "GROUP/ID --run ID [--overlap allow] | -f FILE",
     "It has its id again, a higher runnumber, and the job's present definition.",
     "belfry requeue billing/invoice --run 1795290000123-3.10422.0@1795294674000 --wait",
     of_requeue, NULL, command_write},
    {"diff", "show how the jobs of a file differ from those that run",
     "FILE [--prune selectors | --prune --all]",
     "Reads Redis. The file is read as by apply. Exit code 0: no difference, 1: there are some. "
     "With --prune it also shows the jobs of the selection that the file lacks.",
     "belfry diff jobs.ndjson\n"
     "belfry diff jobs.ndjson --prune --label team=core",
     of_diff, NULL, command_diff},
    {"apply", "make the jobs be as a file says",
     "-f FILE [--prune selectors | --prune --all] [--dry-run]",
     "Adds what is missing, changes what differs, leaves alone what is equal, and with --prune "
     "deletes the jobs of the selection that the file lacks. Whether a job is paused stays as it "
     "is. --dry-run shows the difference, as diff does, and changes nothing.",
     "belfry apply -f jobs.ndjson --dry-run\n"
     "belfry apply -f jobs.ndjson --prune --label managed-by=git",
     of_apply, NULL, command_apply},
    {"export", "write jobs as lines that import, apply and put read", "[selectors] > FILE",
     "Reads Redis. One job a line: what defines it and its incarnation, so that ids of fires stay "
     "the same, not its counters. Finished jobs are left out.",
     "belfry export > jobs.ndjson\n"
     "belfry export --group billing > billing.ndjson",
     of_export, NULL, command_export},
    {"import", "put the jobs of a file, many at a time", "FILE [--skip N]",
     "Every job is checked before the first one is sent. Jobs that exist and are equal stay as "
     "they are, so an import that was interrupted can be run again; --skip goes on where it "
     "stopped.",
     "belfry import jobs.ndjson\n"
     "belfry export --cluster old | belfry import - --cluster new",
     of_import, NULL, command_import},
    {"list", "list jobs", "[selectors] [--sort ORDER] [-n N] [--watch[=D]]",
     "Reads Redis. Sorted by group and id unless --sort says another order; lists of more than "
     "100,000 jobs come unsorted. --watch lists again and again in place; with -o json each time "
     "is one document.",
     "belfry list\n"
     "belfry list --group billing --paused=false\n"
     "belfry list --sort next -n 20 --watch=5s\n"
     "belfry list --label team=core -o name",
     of_list, NULL, command_list},
    {"get", "show one job", "GROUP/ID", "Reads Redis.",
     "belfry get billing/invoice\n"
     "belfry get billing/invoice -o json",
     of_get, NULL, command_get},
    {"describe", "show what is known of one job: state, due times, fires, events",
     "GROUP/ID [--why TIME]",
     "Reads Redis and the last records of the job's shard in the fires and events topics. --why "
     "answers why the job did not fire at a time.",
     "belfry describe billing/invoice\n"
     "belfry describe billing/invoice --why 2026-11-22T02:30:00Z",
     of_describe, NULL, command_describe},
    {"runs", "list open runs, who works on them and what waits; and those that failed",
     "[GROUP/ID...] [selectors] [--late[=D]] [--older-than D] | --failed",
     "Reads Redis, the oldest run first; --failed reads the dead letters. A claim is seen there "
     "when it is ten seconds old. What is "
     "left of a lease is not told: only the owner of the shard counts it. --late: a try that no "
     "worker has claimed within D of its fire, or a retry that has not been fired D after it was "
     "due. -o name prints the ids of the runs.",
     "belfry runs\n"
     "belfry runs --group billing --late=5m\n"
     "belfry runs billing/nightly -o json\n"
     "belfry runs --older-than 2h --watch\n"
     "belfry runs --failed --group billing",
     of_runs, NULL, command_runs},
    {"history", "show the tries of a job's runs, one a line",
     "GROUP/ID [--since TIME|D] [-n N] [--search N] [--topic TOPIC]",
     "Reads the job's fires, what workers report of them, and events, as far back as their topics "
     "keep them, and Redis for what is open. An outcome with a question mark was said by nobody: "
     "the next try was fired without a report of this one's end.",
     "belfry history billing/nightly\n"
     "belfry history billing/nightly --since 6h -o ndjson\n"
     "belfry history billing/nightly --since 2026-11-01T00:00:00Z --search 1000000 -n 1000",
     of_history, NULL, command_history},
    {"workers", "show who is alive, and what they work on",
     "[--workers GROUP] [--group GROUP] [--since D]",
     "Reads the last reports and the open runs, and asks Kafka for the members of the consumer "
     "groups. A worker is alive while its last sign of life is not older than the lease of what it "
     "works on. Who has no work says nothing, and is seen as a member only.",
     "belfry workers\n"
     "belfry workers --workers invoicing\n"
     "belfry workers --group billing --watch",
     of_workers, NULL, command_workers},
    {"next", "show when a schedule is due",
     "(" SCHEDULE_USAGE ") [--from TIME] [--count N] [--calendar] | --batch",
     "Asks nobody: it computes. --batch reads lines {\"id\",\"cron\"|\"every\"|\"at\",\"zone\","
     "\"from\",\"count\"} and answers each with {\"id\",\"next\":[...]} or "
     "{\"id\",\"error\",\"column\"}.",
     "belfry next --cron \"30 2 * * *\"\n"
     "belfry next --every 90s --from 2026-01-01T00:00:00Z --count 10 -o json\n"
     "belfry next --cron \"30 2 * * MON-FRI\" --zone Europe/Berlin --calendar --count 3",
     of_next, NULL, command_next},
    {"validate", "explain a schedule in words, with its next times, warnings and clock changes",
     "(" SCHEDULE_USAGE ") [--zone ZONE] [--from TIME] [--count N] [--lease D ...]",
     "Asks nobody: it computes. Exit code 1 when it is refused; the column of a schedule at fault "
     "is pointed at. With a lease it also says how runs are followed and tried again, and what "
     "does not go together.",
     "belfry validate --cron \"30 2 * * *\" --zone Europe/Berlin\n"
     "belfry validate --cron \"0 0 12 ? * 6#3\" --dialect quartz --zone America/New_York -o json\n"
     "belfry validate --every 1h --lease 5m --workers invoicing --retry-attempts 5 --overlap skip",
     of_validate, NULL, command_validate},
    {"tail", "print fires, reports, events ... as they come",
     "fires|results|events|runs|cancels [options]",
     "Reads Kafka, committed records only, without a consumer group. -o json prints the values "
     "as they are.",
     "belfry tail fires --group billing\n"
     "belfry tail results --from-beginning --no-follow -o json\n"
     "belfry tail events -n 10\n"
     "belfry tail runs --group billing",
     of_tail, "fires results events runs cancels", command_tail},
    {"dead", "dead letters: what was refused, and runs that have failed for good",
     "list [options] | show PARTITION/OFFSET... | (requeue | ack) (PARTITION/OFFSET... | options | "
     "--all)",
     "Reads Kafka. list shows what nobody has dealt with yet; list -o json prints one object a "
     "line, with key, headers and value. requeue sends commands again as they were, after the "
     "allow-list or the limit that refused them was changed, and has failed runs run once more, "
     "under their old id; each is done once, however often it is requeued, and is acknowledged "
     "then. ack marks letters as dealt with: belfry doctor counts the others. Several options "
     "must all fit.",
     "belfry dead list --group billing --newer 1h\n"
     "belfry dead list --kind run --code lost -o name\n"
     "belfry dead show 3/17\n"
     "belfry dead requeue 3/17 --dry-run\n"
     "belfry dead requeue --kind run --group billing --rate 20\n"
     "belfry dead ack --older 7d --reason \"nobody misses them\"",
     of_dead, "list show requeue ack", command_dead},
    {"run", "one run by hand: try it again, or say how it ended",
     "(retry | done | fail) RUN [options]",
     "retry sends a command: a run that waits for its next try gets it now, one that has ended "
     "runs once more under its id, with a new runnumber. done and fail report in the place of its "
     "worker how the try that is out has ended; a worker that still has it is asked to stop. What "
     "must not run twice: make sure first that nobody is at work.",
     "belfry run retry 1795290000123-3.10422.0@1795294674000\n"
     "belfry run done 1795290000123-3.10422.0@1795294674000 --result '{\"rows\":7}' --wait\n"
     "belfry run fail 1795290000123-3.10422.0@1795294674000 --message \"host burnt down\"",
     of_run, "retry done fail", command_run_by_hand},
    {"status", "say on one screen whether all is well", "[--consumer-group NAME]",
     "Reads what the daemons report in Redis every two seconds, and asks Kafka who is in the "
     "group: at any number of jobs the same few answers. Exit code 0: well; 1: not well, a line "
     "says why; 6: Redis cannot be reached.",
     "belfry status\n"
     "belfry status --consumer-group invoicing -o json\n"
     "belfry status > /dev/null || notify-send 'Belfry is not well'",
     of_status, NULL, command_status},
    {"top", "watch the cluster at work", "[--refresh D | --once]",
     "Fits 80 columns and 24 lines, and says more on a larger terminal. Reads what the daemons "
     "report in Redis every two seconds. q ends it.",
     "belfry top\n"
     "belfry top --refresh 5s\n"
     "belfry top --once -o json",
     of_top, NULL, command_top},
    {"shards", "show where the shards stand", "[--watch[=D]]",
     "Reads the snapshots in Redis. LAG MS is how far the watermark is behind now; the one of an "
     "idle shard moves only now and then.",
     "belfry shards\n"
     "belfry shards --watch\n"
     "belfry shards -o json",
     of_shards, NULL, command_shards},
    {"ping", "ask shards to answer, through Kafka and back", "[--group GROUP] [--wait=D]", NULL,
     "belfry ping\n"
     "belfry ping --group billing",
     of_ping, NULL, command_ping},
    {"verify", "compare the jobs in Redis with the state log in Kafka", "",
     "Reads both to the end. Exit code 1 when they differ; it then says what to do.",
     "belfry verify\n"
     "belfry verify -o json",
     of_none, NULL, command_verify},
    {"rebuild", "write Redis anew from the state log in Kafka", "[--shard N]",
     "Where daemons run they are told to, and waited for; where none runs this command does it. "
     "Fires go on meanwhile; list and get may answer with less until it is done. Exit code 5: an "
     "owner did not write for 45 seconds.",
     "belfry rebuild\n"
     "belfry rebuild --shard 3",
     of_rebuild, NULL, command_rebuild},
    {"recover", "decide between Kafka and Redis where they do not go together any more",
     "--from redis|kafka [--dry-run] [--yes]",
     "For when belfryd refuses with state_lost, or because Redis belongs to another Kafka. Stop "
     "all daemons first. --from redis: Kafka was lost, emptied or replaced: the jobs are written "
     "from Redis into the state log, with their ids, pauses and counts; what came due after the "
     "checkpoint may be fired once more, under the same ids. --from kafka: Redis is of another "
     "cluster or was put back: it forgets, and daemons write it anew. It asks before it writes, "
     "on a terminal; else say --yes. It can be killed and run again at any time; until it has "
     "ended no daemon takes a shard it has begun. REDIS and KAFKA show generation/sequence.",
     "belfry recover --from redis --dry-run\n"
     "belfry recover --from redis\n"
     "belfry recover --from kafka --yes",
     of_recover, NULL, command_recover},
    {"doctor", "check Kafka, topics, Redis, clocks and shards, and say what to do", "",
     "One line for each check: ok, warn or bad. Exit code 1 when one is bad.",
     "belfry doctor\n"
     "belfry doctor -o json",
     of_none, NULL, command_doctor},
    {"completion", "print the completion script of a shell", "bash|zsh|fish",
     "Made from the same table as --help.",
     "belfry completion bash > ~/.local/share/bash-completion/completions/belfry\n"
     "belfry completion zsh > ~/.zfunc/_belfry\n"
     "belfry completion fish > ~/.config/fish/completions/belfry.fish",
     of_none, "bash zsh fish", command_completion},
    {"manual", "print a manual page", "[COMMAND]",
     "Made from the same table as --help.",
     "belfry manual | man -l -\n"
     "belfry manual add > belfry-add.1",
     of_none, NULL, command_manual},
    {0},
};
