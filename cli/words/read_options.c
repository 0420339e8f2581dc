/* The options of the commands that read, and of those that do several things. */
#include "cli/words/cli.h"

const struct option_row options_list[] = {
    {"limit", 'n', OPTION_VALUE, "N", "show at most so many"},
    {"sort", '\0', OPTION_VALUE, "name|next|created|updated", "order (default name)"},
    {0},
};

const struct option_row options_name[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "group of the job, for H in --cron"},
    {"id", '\0', OPTION_VALUE, "ID", "id of the job, for H in --cron"},
    {0},
};

const struct option_row options_validate[] = {
    {"from", '\0', OPTION_VALUE, "TIME", "strictly after this time (default now)"},
    {"count", 'n', OPTION_VALUE, "N", "how many due times (default 5)"},
    {0},
};

const struct option_row options_next[] = {
    {"from", '\0', OPTION_VALUE, "TIME", "strictly after this time (default now)"},
    {"count", 'n', OPTION_VALUE, "N", "how many (default 5)"},
    {"batch", '\0', OPTION_FLAG, NULL, "read JSON lines, write one answer a line"},
    {"calendar", '\0', OPTION_FLAG, NULL, "the month at a glance; --count: so many months"},
    {0},
};

const struct option_row options_tail[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "only of this group"},
    {"from-beginning", '\0', OPTION_FLAG, NULL, "from the oldest record kept, not from now on"},
    {"count", 'n', OPTION_VALUE, "N", "stop after so many"},
    {"no-follow", '\0', OPTION_FLAG, NULL, "stop at the end"},
    {"topic", '\0', OPTION_VALUE, "TOPIC", "read another topic of this kind"},
    {0},
};

const struct option_row options_dead[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "only of this group"},
    {"id", '\0', OPTION_VALUE, "ID", "only runs of jobs with this id"},
    {"code", '\0', OPTION_VALUE, "CODE", "only with this code; of runs: with this outcome"},
    {"kind", '\0', OPTION_VALUE, "command|report|run", "only of this kind"},
    {"older", '\0', OPTION_VALUE, "D", "only written at least so long ago"},
    {"newer", '\0', OPTION_VALUE, "D", "only written at most so long ago"},
    {"count", 'n', OPTION_VALUE, "N", "the oldest so many"},
    {"acknowledged", '\0', OPTION_FLAG, NULL, "list: those that are dealt with, too"},
    {"all", '\0', OPTION_FLAG, NULL, "requeue, ack: every one that can be"},
    {"dry-run", '\0', OPTION_FLAG, NULL, "requeue, ack: only say what would be sent"},
    {"rate", '\0', OPTION_VALUE, "N", "requeue: so many a second (default 100)"},
    {"overlap", '\0', OPTION_VALUE, "allow", "requeue: runs also where another is in the way"},
    {"wait", 'w', OPTION_OPTIONAL, "D", "requeue: how long to wait for results (default 10s)"},
    {"actor", '\0', OPTION_VALUE, "TEXT", "requeue, ack: who, for the record"},
    {"reason", '\0', OPTION_VALUE, "TEXT", "requeue, ack: why, for the record"},
    {0},
};

const struct option_row options_run[] = {
    {"wait", 'w', OPTION_OPTIONAL, "D", "retry: for the result; done, fail: for its end (10s)"},
    {"message", '\0', OPTION_VALUE, "TEXT", "why: fail's error message, retry's reason"},
    {"result", '\0', OPTION_VALUE, "JSON", "done, fail: the run's result"},
    {"force", '\0', OPTION_FLAG, NULL, "done, fail: also where no worker is known to have it"},
    {"overlap", '\0', OPTION_VALUE, "allow", "retry: also where another run is in the way"},
    {"job", '\0', OPTION_VALUE, "GROUP/ID", "retry: whose run it is, of one that ended well"},
    {"actor", '\0', OPTION_VALUE, "TEXT", "who, for the record"},
    {"command-id", '\0', OPTION_VALUE, "ID", "retry: sent twice under one id, it is done once"},
    {0},
};

const struct option_row options_describe[] = {
    {"why", '\0', OPTION_VALUE, "TIME", "why did it not fire at this time?"},
    {"search", '\0', OPTION_VALUE, "N", "look through so many last records (default 20000)"},
    {0},
};

const struct option_row options_open[] = {
    {"failed", '\0', OPTION_FLAG, NULL, "runs that have failed for good, and nobody dealt with"},
    {"late", '\0', OPTION_OPTIONAL, "D", "tries that nobody has claimed for so long (default 1m)"},
    {"older-than", '\0', OPTION_VALUE, "D", "runs that have been open for so long"},
    {"limit", 'n', OPTION_VALUE, "N", "show at most so many (default 1000)"},
    {0},
};

const struct option_row options_history[] = {
    {"since", '\0', OPTION_VALUE, "TIME|D", "only records from then on: a time, or 6h ago"},
    {"limit", 'n', OPTION_VALUE, "N", "show the newest so many (default 100)"},
    {"search", '\0', OPTION_VALUE, "N", "look through so many last records (default 100000)"},
    {"topic", '\0', OPTION_VALUE, "TOPIC", "where the fires are, of a job that is deleted"},
    {0},
};

const struct option_row options_workers[] = {
    {"workers", '\0', OPTION_LIST, "GROUP", "only of this consumer group, repeatable"},
    {"group", 'g', OPTION_LIST, "GROUP", "only what is done for jobs of this group, repeatable"},
    {"since", '\0', OPTION_VALUE, "D", "how far to look back for signs of life (default 15m)"},
    {"search", '\0', OPTION_VALUE, "N", "... in so many last records (default 20000)"},
    {0},
};

const struct option_row options_export[] = {
    {"finished", '\0', OPTION_FLAG, NULL, "finished jobs, too"},
    {"no-incarnation", '\0', OPTION_FLAG, NULL, "for jobs that begin a new life elsewhere"},
    {0},
};

const struct option_row options_import[] = {
    {"file", 'f', OPTION_VALUE, "FILE|-", "the file, when it is not given as a word"},
    {"skip", '\0', OPTION_VALUE, "N", "go on after the first N jobs of the file"},
    {"dry-run", '\0', OPTION_FLAG, NULL, "check the file, send nothing"},
    {"wait", 'w', OPTION_OPTIONAL, "D", "longest wait for the next result (default 1m)"},
    {"actor", '\0', OPTION_VALUE, "TEXT", "who, for the record"},
    {"reason", '\0', OPTION_VALUE, "TEXT", "why, for the record"},
    {0},
};

const struct option_row options_apply[] = {
    {"file", 'f', OPTION_VALUE, "FILE|-", "jobs as they should be: objects, arrays or lines"},
    {"prune", '\0', OPTION_FLAG, NULL, "delete jobs of the selection that the file lacks"},
    {"dry-run", '\0', OPTION_FLAG, NULL, "only show the difference"},
    {"wait", 'w', OPTION_OPTIONAL, "D", "longest wait for the next result (default 1m)"},
    {"actor", '\0', OPTION_VALUE, "TEXT", "who, for the record"},
    {"reason", '\0', OPTION_VALUE, "TEXT", "why, for the record"},
    {0},
};

const struct option_row options_diff[] = {
    {"file", 'f', OPTION_VALUE, "FILE|-", "the file, when it is not given as a word"},
    {"prune", '\0', OPTION_FLAG, NULL, "show jobs of the selection that the file lacks"},
    {0},
};

const struct option_row options_get[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "group of the job"},
    {"id", '\0', OPTION_VALUE, "ID", "id of the job"},
    {0},
};

const struct option_row options_status[] = {
    {"consumer-group", '\0', OPTION_VALUE, "NAME", "also how far these consumers are behind"},
    {"topic", '\0', OPTION_VALUE, "TOPIC", "... in this topic (default: the cluster's fires)"},
    {0},
};

const struct option_row options_top[] = {
    {"refresh", '\0', OPTION_VALUE, "D", "draw again so often (default 2s)"},
    {"once", '\0', OPTION_FLAG, NULL, "print one screen, or with -o json one object, and end"},
    {0},
};

const struct option_row options_watch[] = {
    {"watch", '\0', OPTION_OPTIONAL, "D", "again and again in place, so often (default 2s)"},
    {0},
};

const struct option_row options_ping[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "only the shard of this group"},
    {"wait", 'w', OPTION_OPTIONAL, "D", "how long to wait (default 10s)"},
    {0},
};

const struct option_row options_rebuild[] = {
    {"shard", '\0', OPTION_VALUE, "N", "only this shard"},
    {0},
};

const struct option_row options_recover[] = {
    {"from", '\0', OPTION_VALUE, "redis|kafka", "which of the two is to be believed"},
    {"dry-run", '\0', OPTION_FLAG, NULL, "only say for each shard what would be done"},
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {"force", '\0', OPTION_FLAG, NULL, "also where something is lost that need not be"},
    {0},
};
