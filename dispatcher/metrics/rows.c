#include "dispatcher/metrics/rows.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

const char *const metrics_state_words[] = {"live",        "starting", "waiting", "failed",
                                           "not_started", "ended",    NULL};
static_assert(sizeof metrics_state_words / sizeof metrics_state_words[0] == METRICS_STATES + 1,
              "a word for each");

/* ---- lists that labels go over ---- */

struct list {
    const char *label;
    int first; /* of them */
    int count; /* behind the last */
    const char *(*word)(int number); /* NULL: it has no series */
};

#define WORD(name, word) word,
static const char *fire_kind(int i) { return fire_kind_name((enum fire_kind)i); }
static const char *event_kind(int i) { return event_kind_name((enum event_kind)i); }
static const char *reason(int i) { return event_reason_word((enum event_reason)i); }
static const char *outcome(int i) { return outcome_name((enum outcome)i); }
static const char *run_outcome(int i) { return run_outcome_word((enum run_outcome)i); }
static const char *shard_state(int i) { return metrics_state_words[i]; }

static const char *operation(int i)
{
    return i == OP_NONE ? "unreadable" : command_op_word((enum command_op)i);
}

static const char *transaction_end(int i)
{
    static const char *const words[] = {TRANSACTION_ENDS(WORD)};
    return words[i];
}

static const char *settled_end(int i)
{
    static const char *const words[] = {SETTLED_ENDS(WORD)};
    return words[i];
}

static const char *job_state(int i)
{
    static const char *const words[JOB_STATES] = {"active", "paused", "failing", "finished"};
    return words[i];
}

static const char *observed(int i)
{
    const struct observed_row *row = observed_row((enum observed_kind)i);
    return row->level == LEVEL_DEBUG ? NULL : row->name;
}

static const struct list fire_kinds = {"kind", 0, FIRE_KIND_COUNT, fire_kind};
static const struct list event_kinds = {"kind", 0, EVENT_KIND_COUNT, event_kind};
static const struct list reasons = {"reason", 1, EVENT_REASON_COUNT + 1, reason};
static const struct list operations = {"operation", 0, COMMAND_OP_COUNT + 1, operation};
static const struct list outcomes = {"outcome", 0, OUTCOME_COUNT, outcome};
static const struct list transactions = {"outcome", 0, TRANSACTION_END_COUNT, transaction_end};
static const struct list settled = {"outcome", 0, SETTLED_END_COUNT, settled_end};
static const struct list log_events = {"event", 0, OBSERVED_KINDS, observed};
static const struct list run_outcomes = {"outcome", 0, RUN_OUTCOME_COUNT, run_outcome};
static const struct list try_outcomes = {"outcome", 0, RUN_POISON, run_outcome};
static const struct list shard_states = {"state", 0, METRICS_STATES, shard_state};
static const struct list job_states = {"state", 0, JOB_STATES, job_state};

/* ---- a row, and how its samples are put ---- */

struct row {
    const char *name;
    enum metric_type type;
    const char *unit;
    const char *help;
    void (*put)(struct page *page, const struct row *row, const struct reading *reading);
    size_t at;       /* in struct reading: of the first number */
    int64_t scale;   /* numbers / scale is what is said */
    const struct list *list;
    const struct list *inner;
    size_t example;  /* in struct reading; 0: none */
    const struct histogram_kind *kind;
    int64_t (*of_shard)(const struct metrics_shard *shard, const struct metrics_view *view);
};

static const char *suffix_of(const struct row *row)
{
    return row->type == METRIC_COUNTER ? "_total" : "";
}

static const int64_t *numbers_of(const struct row *row, const struct reading *reading)
{
    return (const int64_t *)(const void *)((const char *)reading + row->at);
}

static const struct example *example_of(const struct row *row, const struct reading *reading)
{
    return (const struct example *)(const void *)((const char *)reading + row->example);
}

static void put_example(struct page *page, const struct row *row, const struct reading *reading)
{
    const struct example *example = example_of(row, reading);
    page_exemplar(page, example->fire.id, example->fire.value, example->at_ms);
}

static void put_one(struct page *page, const struct row *row, const struct reading *reading)
{
    page_sample(page, row->name, suffix_of(row), NULL, 0, *numbers_of(row, reading), row->scale);
    if (row->example != 0) put_example(page, row, reading);
}

static void put_list(struct page *page, const struct row *row, const struct reading *reading)
{
    for (int i = row->list->first; i < row->list->count; i++) {
        const char *word = row->list->word(i);
        if (word == NULL) continue;
        struct page_label label = {row->list->label, text_of(word)};
        page_sample(page, row->name, suffix_of(row), &label, 1, numbers_of(row, reading)[i],
                    row->scale);
        if (row->example != 0 && (int)example_of(row, reading)->fire.reason == i)
            put_example(page, row, reading);
    }
}

static void put_table(struct page *page, const struct row *row, const struct reading *reading)
{
    const int64_t *numbers = numbers_of(row, reading);
    for (int i = row->list->first; i < row->list->count; i++)
        for (int j = row->inner->first; j < row->inner->count; j++) {
            const struct page_label labels[] = {
                {row->list->label, text_of(row->list->word(i))},
                {row->inner->label, text_of(row->inner->word(j))}};
            page_sample(page, row->name, suffix_of(row), labels, 2,
                        numbers[i * row->inner->count + j], row->scale);
        }
}

/* "0.0025", "1.0": as both parsers want it. */
static struct text bound_text(int64_t bound_us, char text[24])
{
    int length = snprintf(text, 24, "%lld.%06lld", (long long)(bound_us / 1000000),
                          (long long)(bound_us % 1000000));
    while (text[length - 1] == '0' && text[length - 2] != '.') length--;
    return (struct text){text, (size_t)length};
}

static void put_histogram(struct page *page, const char *name, const struct histogram_kind *kind,
                          const struct page_label *group, const struct histogram_numbers *numbers)
{
    struct page_label labels[2];
    size_t count = 0;
    int64_t sum = 0;
    char text[24];
    if (group != NULL) labels[count++] = *group;
    labels[count].name = "le";
    for (int i = 0; i <= kind->count; i++) {
        sum += numbers->buckets[i];
        labels[count].value =
            i < kind->count ? bound_text(kind->bounds_us[i], text) : text_of("+Inf");
        page_sample(page, name, "_bucket", labels, count + 1, sum, 1);
    }
    page_sample(page, name, "_count", group, count, sum, 1);
    page_sample(page, name, "_sum", group, count, numbers->sum_us, 1000000);
}

static void put_times(struct page *page, const struct row *row, const struct reading *reading)
{
    put_histogram(page, row->name, row->kind, NULL,
                  (const struct histogram_numbers *)(const void *)numbers_of(row, reading));
}

static void put_groups(struct page *page, const struct row *row, const struct reading *reading)
{
    struct page_label label = {.name = "group"};
    struct histogram_numbers numbers;
    for (size_t i = 0; i < GROUPS_NAMED; i++) {
        const char *name = groups_series(reading->groups, i, &numbers);
        if (name == NULL) continue;
        label.value = text_of(name);
        put_histogram(page, row->name, row->kind, &label, &numbers);
    }
    groups_other(reading->groups, &numbers);
    label.value = text_of(GROUPS_OTHER);
    put_histogram(page, row->name, row->kind, &label, &numbers);
}

static struct text number_text(int32_t number, char text[16])
{
    int length = snprintf(text, 16, "%d", (int)number);
    return (struct text){text, (size_t)length};
}

static void put_shards(struct page *page, const struct row *row, const struct reading *reading)
{
    for (size_t i = 0; i < reading->view->shard_count; i++) {
        const struct metrics_shard *shard = &reading->view->shards[i];
        char text[16];
        struct page_label label = {"shard", number_text(shard->shard, text)};
        page_sample(page, row->name, suffix_of(row), &label, 1,
                    row->of_shard(shard, reading->view), row->scale);
    }
}

static void put_waiting(struct page *page, const struct row *row, const struct reading *reading)
{
    for (size_t i = 0; i < reading->view->shard_count; i++)
        for (enum input input = 0; input < INPUTS_COMMANDS; input++) {
            const struct metrics_shard *shard = &reading->view->shards[i];
            char text[16];
            const struct page_label labels[] = {{"shard", number_text(shard->shard, text)},
                                                {"input", text_of(input_name(input))}};
            page_sample(page, row->name, "", labels, 2, shard->engine.waiting[input], row->scale);
        }
}

static void put_build(struct page *page, const struct row *row, const struct reading *reading)
{
    const struct page_label labels[] = {
        {"version", text_of(reading->options->version)},
        {"librdkafka", text_of(reading->options->kafka_library)}};
    page_sample(page, row->name, "_info", labels, 2, 1, 1);
}

static void put_tz(struct page *page, const struct row *row, const struct reading *reading)
{
    const struct page_label label = {"version", text_of(reading->view->tz_version)};
    page_sample(page, row->name, "_info", &label, 1, 1, 1);
}

/* ---- numbers of a shard ---- */

#define OF_SHARD(name) static int64_t name(const struct metrics_shard *shard, \
                                           const struct metrics_view *view)
#define SAYS(name, expression) OF_SHARD(name) { (void)view; return (expression); }
SAYS(live, shard->state == METRICS_LIVE)
SAYS(epoch, shard->engine.epoch)
SAYS(shard_jobs, shard->engine.jobs)
SAYS(still, shard->still_us)
SAYS(owed_slots, shard->engine.owed_slots)
SAYS(owed_drain, shard->engine.owed_drain_ms)
SAYS(open_runs, shard->engine.runs_open)
SAYS(clock_ahead, shard->engine.clock_ahead_ms)
SAYS(clock_correction, shard->engine.correction_ms)
SAYS(clock_refused, shard->engine.clock_far)

OF_SHARD(commit_age)
{
    int64_t at_us = shard->engine.committed_us;
    return at_us == 0 || view->now_us < at_us ? 0 : view->now_us - at_us;
}

/* What is owed, and what has come due since it was looked at last. */
OF_SHARD(oldest_due)
{
    int64_t oldest_ms = shard->engine.next_live_ms;
    int64_t now_ms = view->now_ms - shard->engine.correction_ms;
    if (shard->engine.owed_oldest_ms != INSTANT_NONE && shard->engine.owed_oldest_ms < oldest_ms)
        oldest_ms = shard->engine.owed_oldest_ms;
    return oldest_ms < now_ms && shard->engine.sequence > 0 ? now_ms - oldest_ms : 0;
}

OF_SHARD(oldest_run)
{
    int64_t opened_ms = shard->engine.runs_oldest_ms;
    int64_t now_ms = view->now_ms - shard->engine.correction_ms;
    return opened_ms == INSTANT_NONE || opened_ms > now_ms ? 0 : now_ms - opened_ms;
}

OF_SHARD(checkpoint_lag)
{
    (void)view;
    int64_t lag = shard->engine.sequence - shard->engine.checkpoint_sequence;
    return lag > 0 ? lag : 0;
}

/* ---- the rows ---- */

#define AT(member) .at = offsetof(struct reading, member)
#define ONE(member, scale_) .put = put_one, AT(member), .scale = (scale_)
#define LIST(member, list_) .put = put_list, AT(member), .scale = 1, .list = &(list_)
#define TABLE(member, list_, inner_) \
    .put = put_table, AT(member), .scale = 1, .list = &(list_), .inner = &(inner_)
#define EXAMPLE(member) .example = offsetof(struct reading, examples.member)
#define TIMES(member, kind_) .put = put_times, AT(member), .kind = &(kind_)
#define SHARD(function, scale_) .put = put_shards, .of_shard = function, .scale = (scale_)
#define MS 1000
#define US 1000000

static const struct row rows[] = {
    {"belfry_fires", METRIC_COUNTER, "", "Fires committed.", LIST(taken.fires, fire_kinds)},
    {"belfry_fires_late", METRIC_COUNTER, "",
     "Fires decided later than misfire_grace after they were due.", ONE(taken.late, 1),
     EXAMPLE(late)},
    {"belfry_fires_failed", METRIC_COUNTER, "", "Fires that could not be produced.",
     LIST(taken.failed, reasons), EXAMPLE(failed)},
    {"belfry_slots_missed", METRIC_COUNTER, "", "Slots named by missed events.",
     LIST(taken.missed, reasons), EXAMPLE(missed)},
    {"belfry_slots_skipped", METRIC_COUNTER, "", "Slots named by skipped events.",
     LIST(taken.skipped, reasons)},
    {"belfry_events", METRIC_COUNTER, "", "Events committed.", LIST(taken.events, event_kinds)},
    {"belfry_fire_lateness_seconds", METRIC_HISTOGRAM, "seconds",
     "From when a fire was due to when it was committed.",
     TIMES(lateness, histogram_of_lateness)},
    {"belfry_group_lateness_seconds", METRIC_HISTOGRAM, "seconds",
     "The same by group, for the busiest groups and all others.", .put = put_groups,
     .kind = &histogram_of_groups},
    {"belfry_commands", METRIC_COUNTER, "", "Results committed, one for each shard that answers.",
     TABLE(taken.results, operations, outcomes)},
    {"belfry_commands_forwarded", METRIC_COUNTER, "", "Records committed to the forward topic.",
     ONE(taken.forwarded, 1)},
    {"belfry_dead_letters", METRIC_COUNTER, "", "Records committed to the dead letter topic.",
     ONE(taken.dead, 1)},
    {"belfry_runs_opened", METRIC_COUNTER, "", "Fires that opened a run.", ONE(runs.opened, 1)},
    {"belfry_runs_ended", METRIC_COUNTER, "", "Runs that are over, by how.",
     LIST(runs.ended, run_outcomes)},
    {"belfry_run_duration_seconds", METRIC_HISTOGRAM, "seconds",
     "From the first fire of a run to its end, by the shard's time.",
     TIMES(run_ends, histogram_of_runs)},
    {"belfry_run_retries", METRIC_COUNTER, "",
     "Tries behind the first of their run, those that were handed back, too.",
     ONE(runs.retries, 1)},
    {"belfry_run_tries_ended", METRIC_COUNTER, "", "Tries that are over, by how.",
     LIST(runs.tries_ended, try_outcomes)},
    {"belfry_run_tries_released", METRIC_COUNTER, "", "Tries that a worker handed back.",
     ONE(runs.released, 1)},
    {"belfry_run_claim_delay_seconds", METRIC_HISTOGRAM, "seconds",
     "From the fire of a try to its first claim, by the broker's time.",
     TIMES(claims, histogram_of_runs)},
    {"belfry_run_reports", METRIC_COUNTER, "", "Reports of workers that were read.",
     ONE(runs.reports, 1)},
    {"belfry_run_reports_closed", METRIC_COUNTER, "", "Reports of tries that were over.",
     ONE(runs.closed_reports, 1)},
    {"belfry_run_reports_foreign", METRIC_COUNTER, "",
     "Reports of another consumer group than the job's.", ONE(runs.foreign_reports, 1)},
    {"belfry_run_reports_unknown", METRIC_COUNTER, "",
     "Reports of runs that the shard never had.", ONE(runs.unknown_reports, 1)},
    {"belfry_run_letters_left_out", METRIC_COUNTER, "",
     "Reports that are no dead letter because there were too many.",
     ONE(runs.letters_left_out, 1)},
    {"belfry_run_questions", METRIC_COUNTER, "",
     "Questions to coordinators whether a silent try's fire is committed.",
     ONE(runs.questions, 1)},
    {"belfry_run_ticks", METRIC_COUNTER, "", "Ticks written into the topic of reports.",
     ONE(runs.ticks, 1)},
    {"belfry_transactions", METRIC_COUNTER, "", "Tries of a transaction, by how they ended.",
     LIST(transactions, transactions)},
    {"belfry_transactions_settled", METRIC_COUNTER, "",
     "Transactions of unknown outcome, by what the last mark said.", LIST(settled, settled)},
    {"belfry_commit_duration_seconds", METRIC_HISTOGRAM, "seconds",
     "From the first try of a transaction to when it was known to be committed.",
     TIMES(commits, histogram_of_duration)},
    {"belfry_takeover_duration_seconds", METRIC_HISTOGRAM, "seconds",
     "How long taking over a shard took.", TIMES(takeovers, histogram_of_duration)},
    {"belfry_log_events", METRIC_COUNTER, "", "Events told to the log, whatever its level.",
     LIST(told, log_events)},
    {"belfry_log_lines_dropped", METRIC_COUNTER, "", "Lines that the log's reader did not take.",
     ONE(log_dropped, 1)},
    {"belfry_ready", METRIC_GAUGE, "", "1: the consumer group has answered.", ONE(ready, 1)},
    {"belfry_stepped_aside", METRIC_GAUGE, "", "1: the group was left for a while.",
     ONE(aside, 1)},
    {"belfry_kafka_silence_seconds", METRIC_GAUGE, "seconds",
     "Since Kafka took a transaction of any shard that is ours; 0: there is none.",
     ONE(kafka_silence_us, US)},
    {"belfry_redis_ready", METRIC_GAUGE, "", "1: Redis was seen, and is this cluster's.",
     ONE(redis, 1)},
    {"belfry_shards", METRIC_GAUGE, "", "Shards that are ours, by state.",
     LIST(shards, shard_states)},
    {"belfry_shards_configured", METRIC_GAUGE, "", "Shards of the cluster.", ONE(shards_all, 1)},
    {"belfry_runs_open_max", METRIC_GAUGE, "", "runs.open_max: open runs that a shard may have.",
     ONE(runs_open_max, 1)},
    {"belfry_jobs", METRIC_GAUGE, "", "Jobs of the shards that are live here, by state.",
     LIST(jobs, job_states)},
    {"belfry_jobs_owing", METRIC_GAUGE, "", "Jobs that owe slots.", ONE(jobs_owing, 1)},
    {"belfry_jobs_zone_missing", METRIC_GAUGE, "",
     "Jobs set aside: their time zone is not on this machine.", ONE(jobs_zoneless, 1)},
    {"belfry_jobs_due_next_hour", METRIC_GAUGE, "", "Jobs with a slot within an hour, at least.",
     ONE(jobs_next_hour, 1)},
    {"belfry_shard_live", METRIC_GAUGE, "", "1: the shard fires.", SHARD(live, 1)},
    {"belfry_shard_epoch", METRIC_GAUGE, "", "How often the shard has been taken over.",
     SHARD(epoch, 1)},
    {"belfry_shard_jobs", METRIC_GAUGE, "", "Jobs of the shard.", SHARD(shard_jobs, 1)},
    {"belfry_shard_commit_age_seconds", METRIC_GAUGE, "seconds",
     "Since Kafka took the shard's last transaction.", SHARD(commit_age, US)},
    {"belfry_shard_still_seconds", METRIC_GAUGE, "seconds",
     "For so long the shard's time has not moved.", SHARD(still, US)},
    {"belfry_shard_owed_slots", METRIC_GAUGE, "", "Slots owed in the catch-up lane.",
     SHARD(owed_slots, 1)},
    {"belfry_shard_owed_drain_seconds", METRIC_GAUGE, "seconds",
     "Until they are worked off at catchup.rate.", SHARD(owed_drain, MS)},
    {"belfry_shard_oldest_due_seconds", METRIC_GAUGE, "seconds",
     "Age of the oldest slot that is due and has not fired; 0: none.", SHARD(oldest_due, MS)},
    {"belfry_shard_runs_open", METRIC_GAUGE, "", "Open runs of the shard.", SHARD(open_runs, 1)},
    {"belfry_shard_oldest_run_seconds", METRIC_GAUGE, "seconds",
     "Age of the oldest open run; 0: none.", SHARD(oldest_run, MS)},
    {"belfry_shard_checkpoint_lag", METRIC_GAUGE, "", "Transactions that Redis is behind.",
     SHARD(checkpoint_lag, 1)},
    {"belfry_shard_commands_waiting", METRIC_GAUGE, "",
     "Records of an input topic that are not done, as far as is known.", .put = put_waiting,
     .scale = 1},
    {"belfry_shard_clock_ahead_seconds", METRIC_GAUGE, "seconds",
     "Our clock against the broker's, as far as proven; negative: behind.",
     SHARD(clock_ahead, MS)},
    {"belfry_shard_clock_correction_seconds", METRIC_GAUGE, "seconds", "Taken off our clock.",
     SHARD(clock_correction, MS)},
    {"belfry_shard_clock_refused", METRIC_GAUGE, "",
     "1: the clocks differ by more than clock.step, nothing fires.", SHARD(clock_refused, 1)},
    {"belfry_build", METRIC_INFO, "", "What runs here.", .put = put_build},
    {"belfry_tzdata", METRIC_INFO, "", "The zone data in use.", .put = put_tz},
    {"process_cpu_seconds", METRIC_COUNTER, "seconds", "Processor time, user and system.",
     ONE(process.cpu_us, US)},
    {"process_resident_memory_bytes", METRIC_GAUGE, "bytes", "Resident memory.",
     ONE(process.resident_bytes, 1)},
    {"process_virtual_memory_bytes", METRIC_GAUGE, "bytes", "Virtual memory.",
     ONE(process.virtual_bytes, 1)},
    {"process_threads", METRIC_GAUGE, "", "Threads.", ONE(process.threads, 1)},
    {"process_open_fds", METRIC_GAUGE, "", "Open descriptors.", ONE(process.open_fds, 1)},
    {"process_max_fds", METRIC_GAUGE, "", "Most descriptors that may be open.",
     ONE(process.max_fds, 1)},
    {"process_start_time_seconds", METRIC_GAUGE, "seconds", "When the process was started.",
     ONE(process.started_ms, MS)},
};

void rows_put(struct page *page, const struct reading *reading)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        page_family(page, row->name, row->type, row->unit, row->help);
        row->put(page, row, reading);
    }
}
