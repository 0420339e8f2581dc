/* The options of the write commands. The names of write_flags.c must match these. */
#include "cli/words/cli.h"
#include "cli/words/schedule_options.h"
#include "lib/time/schedule.h"

const struct option_row options_select[] = {
    {"group", 'g', OPTION_LIST, "GROUP", "jobs of this group, repeatable"},
    {"id", '\0', OPTION_LIST, "ID", "jobs with this id, repeatable"},
    {"super-group", '\0', OPTION_LIST, "NAME", "jobs of this super group, repeatable"},
    {"label", 'l', OPTION_LIST, "KEY=VALUE", "jobs with this label, repeatable; all must match"},
    {"paused", '\0', OPTION_OPTIONAL, "true|false", "jobs that are paused, or that are not"},
    {"all", '\0', OPTION_FLAG, NULL, "every job"},
    {0},
};

const struct option_row options_define[] = {
    {"group", 'g', OPTION_VALUE, "GROUP", "group of the job; says its shard and its order"},
    {"id", '\0', OPTION_VALUE, "ID", "id of the job in its group"},
    {"super-group", '\0', OPTION_VALUE, "NAME", "super group, for selection only"},
    {"label", 'l', OPTION_LIST, "KEY=VALUE", "a label, for selection only, repeatable"},
    {"paused", '\0', OPTION_OPTIONAL, "true|false", "whether the job begins paused"},
    {0},
};

/* What belongs to a schedule: each is a text, and a member of the same name in JSON. */
#define KIND_OPTION(name, argument, help) {name, '\0', OPTION_VALUE, argument, help},
const struct option_row options_schedule[] = {
    SCHEDULE_KIND_OPTIONS(KIND_OPTION, KIND_OPTION, KIND_OPTION)
    {"zone", '\0', OPTION_VALUE, "ZONE", "time zone of --cron (default UTC)"},
    {"dialect", '\0', OPTION_VALUE, "NAME", "standard, seconds or quartz"},
    {"dst", '\0', OPTION_VALUE, "RULE", "daylight saving: vixie (default) or skip_repeat"},
    {"anchor", '\0', OPTION_VALUE, "TIME|epoch", "what --every counts from"},
    {0},
};

const struct option_row options_set[] = {
    {"set-super-group", '\0', OPTION_VALUE, "NAME", "the new super group"},
    {"set-label", '\0', OPTION_LIST, "KEY=VALUE", "the new labels, all of them, repeatable"},
    {"no-lease", '\0', OPTION_FLAG, NULL, "follow the job's runs no more: no lease, no retry, ..."},
    {0},
};

const struct option_row options_job[] = {
    {"payload", 'p', OPTION_VALUE, "JSON|@FILE", "any JSON, passed on untouched"},
    {"payload-base64", '\0', OPTION_VALUE, "TEXT", "bytes as payload, in base64"},
    {"content-type", '\0', OPTION_VALUE, "TYPE", "of the payload (default application/json)"},
    {"header", '\0', OPTION_LIST, "KEY=VALUE", "a header of each fire, repeatable"},
    {"topic", '\0', OPTION_VALUE, "TOPIC", "where fires go (default CLUSTER.fires)"},
    {"key", '\0', OPTION_VALUE, "KEY", "record key of fires (default: the group)"},
    {"format", '\0', OPTION_VALUE, "NAME", "structured (default) or binary CloudEvents"},
    {"catchup", '\0', OPTION_VALUE, "POLICY", "after an outage: latest (default), none, all"},
    {"window", '\0', OPTION_VALUE, "D", "how old a missed slot may be (default 24h)"},
    {"limit", '\0', OPTION_VALUE, "N", "how many missed slots to fire (default 1000)"},
    {"grace", '\0', OPTION_VALUE, "D", "lateness that is no outage yet (default 30s)"},
    {"start", '\0', OPTION_VALUE, "TIME", "first instant allowed, inclusive"},
    {"end", '\0', OPTION_VALUE, "TIME", "first instant not allowed"},
    {"max-fires", '\0', OPTION_VALUE, "N", "fires until the job is finished"},
    {"jitter", '\0', OPTION_VALUE, "D", "spread each fire over this time"},
    {"keep-finished", '\0', OPTION_VALUE, "D|forever", "keep the finished job (default 24h)"},
    {"job-traceparent", '\0', OPTION_VALUE, "TRACE", "W3C trace context of the job's fires"},
    {0},
};

/* What a job says about its runs. */
const struct option_row options_runs[] = {
    {"lease", '\0', OPTION_VALUE, "D", "follow runs; how long a worker may be silent, 10s to 24h"},
    {"workers", '\0', OPTION_VALUE, "GROUP", "the consumer group that does the work"},
    {"lease-mode", '\0', OPTION_VALUE, "heartbeat|fixed|none",
     "runs are claimed and renewed (default); only ended; not followed"},
    {"start-within", '\0', OPTION_VALUE, "D", "how long a try may wait for a worker (default 24h)"},
    {"overlap", '\0', OPTION_VALUE, "allow|skip|buffer_one|buffer_all|cancel_other",
     "a slot that meets an open run (default allow)"},
    {"overlap-limit", '\0', OPTION_VALUE, "N", "how many wait with buffer_all (default 100)"},
    {"retry-attempts", '\0', OPTION_VALUE, "N", "tries of a run, the first one included"},
    {"retry-initial", '\0', OPTION_VALUE, "D", "before the second try (default 10s)"},
    {"retry-factor", '\0', OPTION_VALUE, "X", "each further delay is so much longer (default 2)"},
    {"retry-max", '\0', OPTION_VALUE, "D", "the longest delay (default 1h)"},
    {"retry-on", '\0', OPTION_LIST, "failure|timeout|lost|not_started|refused",
     "try again after this, repeatable, or a,b (default all)"},
    {"retry-not-on-exit", '\0', OPTION_LIST, "N",
     "not after this exit code, repeatable, or 2,64"},
    {"retry-within", '\0', OPTION_VALUE, "D", "no retry later than this after the first fire"},
    {"poison-after", '\0', OPTION_VALUE, "N", "silent losses in a row that end a run (default 3)"},
    {"pause-after-failures", '\0', OPTION_VALUE, "N", "failed runs in a row that pause the job"},
    {0},
};

const struct option_row options_pause[] = {
    {"until", '\0', OPTION_VALUE, "TIME", "resume by itself at this time"},
    {0},
};

const struct option_row options_resume[] = {
    {"from", '\0', OPTION_VALUE, "now|paused_at|TIME", "what of the pause to catch up"},
    {0},
};

const struct option_row options_backfill[] = {
    {"from", '\0', OPTION_VALUE, "TIME", "slots after this time"},
    {"to", '\0', OPTION_VALUE, "TIME", "up to this time, inclusive (default now)"},
    {"rate", '\0', OPTION_VALUE, "N", "fires a second of one job, at most"},
    {"backfill-id", '\0', OPTION_VALUE, "ID", "part of the fires' ids (default: the command id)"},
    {0},
};

const struct option_row options_end_backfill[] = {
    {"backfill-id", '\0', OPTION_VALUE, "ID", "only this one (default: all of the jobs)"},
    {0},
};

const struct option_row options_cancel[] = {
    {"run", '\0', OPTION_VALUE, "ID", "only this run, by the id of its fire (default: all)"},
    {0},
};

const struct option_row options_requeue[] = {
    {"run", '\0', OPTION_VALUE, "ID", "which run: the id of its fire"},
    {"overlap", '\0', OPTION_VALUE, "allow", "also beside a run in its way"},
    {0},
};

const struct option_row options_delete[] = {
    {"cancel-runs", '\0', OPTION_FLAG, NULL, "ask their open runs to stop"},
    {0},
};

const struct option_row options_trigger[] = {
    {"overlap", '\0', OPTION_VALUE, "allow", "also beside a run in its way"},
    {0},
};

const struct option_row options_write[] = {
    {"file", 'f', OPTION_VALUE, "FILE|-", "read a command, or jobs, as JSON instead of flags"},
    {"wait", 'w', OPTION_OPTIONAL, "D", "wait for the result (default 10s)"},
    {"dry-run", '\0', OPTION_FLAG, NULL, "let the daemon check and answer, change nothing"},
    {"mode", '\0', OPTION_VALUE, "atomic|each", "all or none per shard (default), or what can be"},
    {"expect", '\0', OPTION_VALUE, "N", "number of jobs that must match"},
    {"expected-revision", '\0', OPTION_VALUE, "N", "only if the job has this revision"},
    {"not-after", '\0', OPTION_VALUE, "TIME", "refuse when it is read later than this"},
    {"reason", '\0', OPTION_VALUE, "TEXT", "why, for the record"},
    {"actor", '\0', OPTION_VALUE, "TEXT", "who, for the record"},
    {"command-id", '\0', OPTION_VALUE, "ID", "idempotency key; sent twice, it is done once"},
    {"correlation-id", '\0', OPTION_VALUE, "ID", "echoed in the result"},
    {"traceparent", '\0', OPTION_VALUE, "TRACE", "W3C trace context of the command"},
    {"reply-to", '\0', OPTION_VALUE, "TOPIC", "another topic for the result"},
    {0},
};

int schedule_kinds_given(const struct arguments *arguments)
{
    int given = 0;
    for (const char *const *word = schedule_kind_words(); *word != NULL; word++)
        given += arguments_has(arguments, *word);
    return given;
}
