/* belfry run retry|done|fail: one run by hand. What an operator says of a try goes the way of what
 * its worker says: there is no second one. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/read/dead_letters.h"
#include "cli/read/open_runs.h"
#include "cli/read/result_view.h"
#include "cli/show/cli_clock.h"
#include "cli/show/json_text.h"
#include "cli/words/cli.h"
#include "cli/words/selection.h"
#include "cli/write/dead_command.h"
#include "cli/write/run_report.h"
#include "cli/write/write_read.h"
#include "cli/write/write_session.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"
#include "lib/base/utf8.h"
#include "lib/model/route.h"
#include "lib/model/run_id.h"

enum { WAIT_DEFAULT_MS = 10000, LOOK_MS = 200 };

/* ---- reports ---- */

void run_report_write(const struct run_report *report, struct text_writer *out)
{
    char actor[100];
    char worker[120] = "by hand";
    assert(run_outcome_sayer(report->outcome) == RUN_SAID_BY_WORKER);
    if (report->actor != NULL)
        (void)snprintf(worker, sizeof worker, "by hand: %s",
                       utf8_excerpt(text_of(report->actor), actor, sizeof actor));
    text_writer_words(out, "{\"run\":");
    text_writer_string(out, report->run);
    text_writer_format(out, ",\"runnumber\":\"%" PRId64 "\"", report->runnumber);
    text_writer_member(out, "report");
    text_writer_string(out, text_of(report_word(REPORT_ENDED, report->outcome)));
    text_writer_member(out, "worker");
    text_writer_string(out, text_of(worker));
    text_writer_member(out, "workers");
    text_writer_string(out, report->workers);
    if (report->message != NULL) {
        text_writer_words(out, ",\"error\":{\"message\":");
        text_writer_string(out, text_of(report->message));
        text_writer_char(out, '}');
    }
    if (report->result != NULL) {
        text_writer_member(out, "result");
        text_writer_words(out, report->result);
    }
    text_writer_char(out, '}');
}

struct by_hand {
    const struct settings *settings;
    const char *run;
    enum run_outcome outcome;
    struct said_by said_by;
    int64_t wait_ms; /* until it is seen to have ended; 0: not */
    struct open_run_found found;
};

static bool send_report(const struct by_hand *by_hand, struct error *error)
{
    char topic[TOPIC_NAME_BYTES];
    const struct arguments *arguments = by_hand->settings->arguments;
    struct write_record record = {.partition = by_hand->found.shard, .key = by_hand->found.group};
    const struct run_report report = {.run = text_of(by_hand->run),
                                      .runnumber = by_hand->found.runnumber,
                                      .workers = text_of(by_hand->found.workers),
                                      .outcome = by_hand->outcome,
                                      .message = by_hand->said_by.reason,
                                      .result = arguments_value(arguments, "result"),
                                      .actor = by_hand->said_by.actor};
    topic_name(topic, by_hand->settings, "runs");
    struct cli_kafka *producer = cli_kafka_create(by_hand->settings, CLI_PRODUCER, error);
    if (producer == NULL) return false;
    run_report_write(&report, &record.value);
    bool sent = cli_kafka_send(producer, topic, &record, 1, error);
    text_writer_free(&record.value);
    cli_kafka_destroy(producer);
    return sent;
}

/* Whether that try is seen to be over: Redis is a moment behind. */
static bool look_for_end(const struct by_hand *by_hand, bool *over, struct error *error)
{
    struct open_run_found now;
    struct error refused = {0};
    const struct open_run_found *found = &by_hand->found;
    if (open_runs_find(by_hand->settings, by_hand->run, found->shard, &now, &refused)) {
        *over = now.runnumber != found->runnumber || now.state == RUN_STATE_WAITING;
        return true;
    }
    *over = refused.code == CODE_NOT_FOUND;
    return *over || error_set(error, refused.kind, "the report is in Kafka; whether the try has "
                              "ended cannot be seen: %s", refused.message);
}

static bool wait_for_end(const struct by_hand *by_hand, struct error *error)
{
    int64_t deadline_ms = monotonic_ms() + by_hand->wait_ms;
    bool over = false;
    while (look_for_end(by_hand, &over, error) && !over) {
        if (cli_left_ms(deadline_ms, LOOK_MS) == 0)
            return error_invalid(error, CODE_TIMED_OUT, "the report is in Kafka, but the try is "
                                 "still open; belfry describe %s/%s says more",
                                 by_hand->found.group, by_hand->found.id);
        cli_pause_ms(LOOK_MS);
    }
    return over;
}

static bool read_said_by(struct said_by *said_by, const struct arguments *arguments,
                         struct error *error)
{
    return arguments_text(arguments, "message", &said_by->reason, error) &&
           arguments_text(arguments, "actor", &said_by->actor, error);
}

static bool check_result(const struct arguments *arguments, struct error *error)
{
    const char *result = arguments_value(arguments, "result");
    json_t *parsed = NULL;
    struct error refused = {0};
    if (result == NULL) return true;
    bool readable = json_text_one(text_of(result), "it", &parsed, &refused);
    json_decref(parsed);
    return readable || error_invalid(error, CODE_USAGE, "--result: %s", refused.message);
}

/* A fire that nobody has claimed is still delivered: its work would start after its end. */
static bool may_end(const struct by_hand *by_hand, struct error *error)
{
    const struct open_run_found *found = &by_hand->found;
    if (found->state == RUN_STATE_WAITING)
        return error_set(error, ERROR_FATAL, "no try of it is out: it waits for its next one; "
                         "belfry cancel %s/%s --run %s ends it, belfry run retry brings it "
                         "forward", found->group, found->id, by_hand->run);
    if (found->state == RUN_STATE_CLAIMED ||
        arguments_has(by_hand->settings->arguments, "force"))
        return true;
    return error_set(error, ERROR_FATAL, "no worker is known to have claimed it (a claim shows "
                     "after ten seconds): its fire is still delivered, and may be worked on after "
                     "this; belfry cancel %s/%s asks for its end, --force ends it all the same",
                     found->group, found->id);
}

static enum exit_code end_run(const struct invocation *invocation, enum run_outcome outcome)
{
    struct error error = {0};
    const struct arguments *arguments = invocation->arguments;
    struct by_hand by_hand = {.settings = invocation->settings,
                              .run = arguments->positionals[1],
                              .outcome = outcome,
                              .wait_ms = arguments_has(arguments, "wait") ? WAIT_DEFAULT_MS : 0};
    bool done = arguments_duration(arguments, "wait", &by_hand.wait_ms, &error) &&
                read_said_by(&by_hand.said_by, arguments, &error) &&
                check_result(arguments, &error) &&
                open_runs_find(by_hand.settings, by_hand.run, OPEN_RUNS_ALL, &by_hand.found,
                               &error);
    done = done && may_end(&by_hand, &error);
    done = done && send_report(&by_hand, &error) &&
           (by_hand.wait_ms == 0 || wait_for_end(&by_hand, &error));
    if (!done) return exit_with(&error);
    (void)fprintf(stderr, "belfry: %s/%s: reported as %s, in the place of its worker; a worker "
                  "that still has it is asked to stop\n", by_hand.found.group, by_hand.found.id,
                  run_outcome_word(outcome));
    return CLI_OK;
}

static enum exit_code run_done(const struct invocation *invocation)
{
    return end_run(invocation, RUN_SUCCESS);
}

static enum exit_code run_fail(const struct invocation *invocation)
{
    return end_run(invocation, RUN_FAILURE);
}

/* ---- once more ---- */

struct job_of_run {
    char group[NAME_BYTES_MAX + 1];
    char id[NAME_BYTES_MAX + 1];
};

static bool take_name(struct job_of_run *job, struct text group, struct text id)
{
    if (group.length > NAME_BYTES_MAX || id.length > NAME_BYTES_MAX) return false;
    (void)snprintf(job->group, sizeof job->group, "%.*s", (int)group.length, group.bytes);
    (void)snprintf(job->id, sizeof job->id, "%.*s", (int)id.length, id.bytes);
    return true;
}

/* A run that has failed for good is among the dead letters, also one that is dealt with. */
static bool find_dead(struct job_of_run *job, const struct settings *settings, const char *run,
                      struct error *error)
{
    struct dead_filter filter = dead_filter_any();
    filter.kind = dead_kind_word(DEAD_RUN);
    filter.acknowledged = true;
    struct dead_list list = {0};
    if (!dead_list_read(&list, settings, &filter, 0, error)) return false;
    bool found = false;
    for (size_t i = 0; !found && i < list.count; i++)
        found = text_equal(list.rows[i].run, text_of(run)) &&
                take_name(job, list.rows[i].group, list.rows[i].id);
    dead_list_free(&list);
    return found || error_invalid(error, CODE_NOT_FOUND, "no open run has the id %.200s, and no "
                                  "dead letter; of a run that ended well say --job GROUP/ID", run);
}

static bool find_job(struct job_of_run *job, const struct settings *settings, const char *run,
                     struct error *error)
{
    struct text group;
    struct text id;
    struct open_run_found found;
    const char *name = arguments_value(settings->arguments, "job");
    if (name != NULL)
        return job_name_split(name, &group, &id, error) && take_name(job, group, id);
    if (open_runs_find(settings, run, OPEN_RUNS_ALL, &found, error))
        return take_name(job, text_of(found.group), text_of(found.id));
    if (error->code != CODE_NOT_FOUND) return false;
    error_clear(error);
    return find_dead(job, settings, run, error);
}

static void plan_retry(const struct invocation *invocation, const struct job_of_run *job,
                       const struct said_by *said_by, const char *overlap, const char *command_id,
                       struct write_record *record)
{
    const struct arguments *arguments = invocation->arguments;
    const struct dead_run run = {.group = text_of(job->group),
                                 .id = text_of(job->id),
                                 .run = text_of(arguments->positionals[1]),
                                 .overlap = overlap,
                                 .said_by = *said_by};
    if (command_id == NULL) command_id_make(record->command_id);
    else (void)snprintf(record->command_id, sizeof record->command_id, "%s", command_id);
    dead_run_write(&run, record->command_id, &record->value);
}

static enum exit_code run_retry(const struct invocation *invocation)
{
    struct error error = {0};
    struct job_of_run job;
    struct said_by said_by;
    const char *overlap = NULL;
    const char *command_id = NULL;
    struct write_session session = {0};
    struct write_plan plan = {0};
    json_t *results = NULL;
    const struct settings *settings = invocation->settings;
    int64_t wait_ms = WAIT_DEFAULT_MS;
    bool done = arguments_duration(invocation->arguments, "wait", &wait_ms, &error) &&
                read_said_by(&said_by, invocation->arguments, &error) &&
                requeue_overlap_read(invocation->arguments, &overlap, &error) &&
                command_id_read(invocation->arguments, &command_id, &error) &&
                find_job(&job, settings, invocation->arguments->positionals[1], &error) &&
                write_session_open(&session, settings, NULL, true, &error);
    if (done) {
        plan.records = memory_allocate(1, sizeof *plan.records);
        plan.count = 1;
        plan.records[0] = (struct write_record){
            .partition = shard_of_group(text_of(job.group), (int32_t)session.shards),
            .key = job.group};
        plan_retry(invocation, &job, &said_by, overlap, command_id, &plan.records[0]);
        done = write_session_send(&session, &plan, wait_ms, &results, &error);
    }
    if (results != NULL) results_print(settings, results);
    enum exit_code code = done ? results_exit(results, true, false) : exit_with(&error);
    if (!done && plan.count > 0) say_safe_to_repeat(plan.records[0].command_id);
    json_decref(results);
    write_plan_free(&plan);
    write_session_close(&session);
    return code;
}

/* ---- the command ---- */

static bool check_run(const char *run, struct error *error)
{
    struct run_identity identity;
    return run_id_parse(text_of(run), &identity) ||
           error_invalid(error, CODE_USAGE, "\"%.60s\" is no id of a run, which is that of its "
                         "fire; belfry runs -o name shows them", run);
}

enum exit_code command_run_by_hand(const struct invocation *invocation)
{
    static const struct {
        const char *word;
        command_run *run;
    } verbs[] = {{"retry", run_retry}, {"done", run_done}, {"fail", run_fail}};
    static const struct verb_option rows[] = {
        {"message", "retry fail"}, {"result", "done fail"}, {"force", "done fail"},
        {"overlap", "retry"},      {"job", "retry"},        {"command-id", "retry"},
        {NULL, NULL},
    };
    struct error error = {0};
    const struct arguments *arguments = invocation->arguments;
    const char *verb = arguments->positional_count == 2 ? arguments->positionals[0] : "";
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verb, verbs[i].word) != 0) continue;
        if (!verb_options_check(arguments, invocation->command->name, verb,
                                invocation->command->options, rows, &error))
            return exit_with(&error);
        return check_run(arguments->positionals[1], &error) ? verbs[i].run(invocation)
                                                            : exit_with(&error);
    }
    (void)error_invalid(&error, CODE_USAGE, "belfry run retry, done or fail, and the id of one "
                        "run; belfry runs shows those that are open, belfry runs --failed the "
                        "others");
    return exit_with(&error);
}
