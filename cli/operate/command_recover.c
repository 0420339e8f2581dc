/* belfry recover: one of Kafka and Redis was lost or put back, and the two do not go together any
 * more: the operator says which one counts. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/operate/cluster_site.h"
#include "cli/read/result_view.h"
#include "cli/show/print_table.h"
#include "cli/show/progress.h"
#include "cli/words/cli.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"

enum { CELL_BYTES = 160, ANSWER_BYTES = 16 };

static const struct table_column columns[] = {
    {"SHARD", true, 0},       {"DO", false, 0},   {"JOBS", true, 0},
    {"REDIS", false, 0},      {"KAFKA", false, 0}, {"CHECKPOINT OF", false, 0},
    {"COMMANDS FROM", false, 0}, {"WHY", false, 0},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static const char *const action_names[] = {
    [RECOVER_NOTHING] = "nothing", [RECOVER_WRITE] = "write", [RECOVER_REFUSE] = "refuse"};

struct recover {
    struct cluster_site site;
    struct recover_options options;
    struct recover_plan *plans; /* of each shard */
    struct progress progress;
    int64_t jobs_total;  /* to be written */
    int64_t jobs_before; /* of the shards that are done */
    int32_t writes;
    int32_t refusals;
};

/* ---- the plan, shown ---- */

static void position_text(bool found, const struct mark *mark, char text[CELL_BYTES])
{
    if (!found) (void)snprintf(text, CELL_BYTES, "-");
    else (void)snprintf(text, CELL_BYTES, "%" PRId64 "/%" PRId64 "%s", mark->generation,
                        mark->sequence, mark->recovering ? " unfinished" : "");
}

static void add_row(struct table *table, const struct recover *recover, int32_t shard)
{
    const struct recover_plan *plan = &recover->plans[shard];
    const struct recover_topic *control = &plan->inputs[INPUT_CONTROL];
    char text[COLUMNS][CELL_BYTES];
    char instant[INSTANT_TEXT_BYTES] = "-";
    struct table_cell cells[COLUMNS];
    (void)snprintf(text[0], CELL_BYTES, "%" PRId32, shard);
    (void)snprintf(text[1], CELL_BYTES, "%s", action_names[plan->action]);
    (void)snprintf(text[2], CELL_BYTES, "-");
    if (plan->store_found)
        (void)snprintf(text[2], CELL_BYTES, "%" PRId64, plan->store.job_count);
    position_text(plan->store_found, &plan->store.mark, text[3]);
    position_text(plan->log_found, &plan->log, text[4]);
    if (plan->store_found && instant_in_range(plan->store.written_at_ms))
        instant_format(plan->store.written_at_ms, instant);
    (void)snprintf(text[5], CELL_BYTES, "%s", instant);
    (void)snprintf(text[6], CELL_BYTES, "-");
    if (plan->action == RECOVER_WRITE)
        (void)snprintf(text[6], CELL_BYTES, "%" PRId64 " of %" PRId64, control->from,
                       control->end);
    (void)snprintf(text[7], CELL_BYTES, "%s%s", plan->reason,
                   plan->half_applied ? "; a large command stays half applied" : "");
    enum table_tone tone = plan->action == RECOVER_REFUSE    ? TONE_BAD
                           : plan->action == RECOVER_NOTHING ? TONE_DIM
                                                             : TONE_PLAIN;
    for (int i = 0; i < COLUMNS; i++) cells[i] = (struct table_cell){text_of(text[i]), tone};
    table_add(table, cells);
}

static json_t *position_object(bool found, const struct mark *mark)
{
    if (!found) return json_null();
    return json_pack("{s:I, s:I, s:I}", "generation", (json_int_t)mark->generation, "epoch",
                     (json_int_t)mark->epoch, "sequence", (json_int_t)mark->sequence);
}

static json_t *plan_object(const struct recover *recover, int32_t shard)
{
    const struct recover_plan *plan = &recover->plans[shard];
    json_t *object = json_pack(
        "{s:i, s:s, s:s, s:o, s:o}", "shard", (int)shard, "action", action_names[plan->action],
        "reason", plan->reason, "redis", position_object(plan->store_found, &plan->store.mark),
        "kafka", position_object(plan->log_found, &plan->log));
    if (plan->store_found)
        (void)json_object_set_new(object, "jobs", json_integer(plan->store.job_count));
    if (plan->action != RECOVER_WRITE) return object;
    const struct recover_topic *control = &plan->inputs[INPUT_CONTROL];
    (void)json_object_set_new(object, "control_offset", json_integer(control->from));
    (void)json_object_set_new(object, "control_end", json_integer(control->end));
    (void)json_object_set_new(object, "half_applied", json_boolean(plan->half_applied));
    return object;
}

static void show_plan(const struct recover *recover)
{
    const struct settings *settings = recover->site.settings;
    bool json = settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON;
    json_t *array = json ? json_array() : NULL;
    struct table *table =
        json ? NULL : table_create(stdout, columns, COLUMNS, settings->width, settings->colour);
    for (int32_t shard = 0; shard < recover->site.shards; shard++) {
        if (json) (void)json_array_append_new(array, plan_object(recover, shard));
        else add_row(table, recover, shard);
    }
    if (json) value_print(settings, array);
    else table_finish(table);
    json_decref(array);
    (void)fflush(stdout);
}

/* ---- asking ---- */

static bool confirm(const struct recover *recover, struct error *error)
{
    const struct settings *settings = recover->site.settings;
    if (arguments_has(settings->arguments, "yes")) return true;
    if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
        return error_invalid(error, CODE_USAGE, "nothing was changed: say --yes where nobody "
                             "can be asked, or --dry-run");
    char answer[ANSWER_BYTES] = "";
    (void)fprintf(stderr, "belfry: %d shards of cluster %s would be written from %s; this Kafka is "
                  "%s. Type yes to do it: ", (int)recover->writes, settings->cluster,
                  recover->options.from == RECOVER_FROM_STORE ? "Redis" : "Kafka's state log",
                  recover->site.kafka_id);
    (void)fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) != NULL && strcmp(answer, "yes\n") == 0) return true;
    return error_set(error, ERROR_FATAL, "nothing was changed");
}

/* ---- doing ---- */

static void on_progress(void *opaque, int64_t done)
{
    struct shard_seat *seat = opaque;
    struct recover *recover = (struct recover *)seat->site; /* its first member */
    progress_show(&recover->progress, (size_t)(recover->jobs_before + done));
}

static bool look(struct recover *recover, struct error *error)
{
    struct cluster_site *site = &recover->site;
    recover->plans = memory_allocate((size_t)site->shards, sizeof *recover->plans);
    memcpy(recover->options.missing, site->missing, sizeof site->missing);
    for (int32_t shard = 0; shard < site->shards; shard++) {
        struct shard_seat seat;
        struct recover_plan *plan = &recover->plans[shard];
        bool seen = shard_seat_open(&seat, site, shard, error);
        recover->options.opaque = &seat;
        seen = seen && recover_look(seat.engine, &recover->options, plan, error);
        shard_seat_close(&seat);
        if (!seen) return false;
        recover->writes += plan->action == RECOVER_WRITE;
        recover->refusals += plan->action == RECOVER_REFUSE;
        if (plan->action == RECOVER_WRITE) recover->jobs_total += plan->store.job_count;
    }
    return true;
}

/* A Kafka that stays away is an unreachable one, however the engine gave it up. */
static bool explain(int32_t shard, const struct error *cause, struct error *error)
{
    enum error_kind kind = cause->code == CODE_KAFKA_AWAY ? ERROR_RETRY : cause->kind;
    const char *more = cause->kind == ERROR_FENCED
                           ? "; a daemon was started meanwhile: stop it and run this again"
                           : "; nothing is lost: run this again";
    return error_set(error, kind, "shard %" PRId32 ": %.170s%s", shard, cause->message, more);
}

static bool write_shards(struct recover *recover, int64_t *generation, struct error *error)
{
    struct cluster_site *site = &recover->site;
    bool store = recover->options.from == RECOVER_FROM_STORE;
    memcpy(recover->options.missing, site->missing, sizeof site->missing);
    progress_start(&recover->progress, "writing", store ? (size_t)recover->jobs_total : 0);
    bool done = true;
    for (int32_t shard = 0; done && shard < site->shards; shard++) {
        if (recover->plans[shard].action != RECOVER_WRITE) continue;
        struct error cause = {0};
        struct recover_report report = {0};
        struct shard_seat seat;
        done = shard_seat_open(&seat, site, shard, &cause);
        recover->options.opaque = &seat;
        done = done && recover_run(seat.engine, &recover->options, &recover->plans[shard],
                                   &report, &cause);
        shard_seat_close(&seat);
        recover->jobs_before += report.jobs;
        if (report.mark.generation > *generation) *generation = report.mark.generation;
        if (!done) (void)explain(shard, &cause, error);
    }
    progress_end(&recover->progress);
    return done;
}

static enum exit_code run(struct recover *recover)
{
    struct cluster_site *site = &recover->site;
    struct error error = {0};
    int64_t generation = 0;
    bool ours = site->meta_found && strcmp(site->meta.kafka_cluster_id, site->kafka_id) == 0;
    if (recover->writes == 0 && ours) {
        (void)fputs("belfry: nothing is to be done: the daemons can be started\n", stderr);
        return CLI_OK;
    }
    if (!confirm(recover, &error) || !cluster_site_await_no_daemon(site, &error) ||
        !cluster_site_prepare(site, &error) || !write_shards(recover, &generation, &error) ||
        !cluster_site_put_meta(site, &error))
        return exit_with(&error);
    char jobs[GROUPED_BYTES];
    number_grouped((uint64_t)recover->jobs_before, jobs);
    if (recover->options.from == RECOVER_FROM_STORE)
        (void)fprintf(stderr, "belfry: %d shards, %s jobs written into the state log, generation "
                      "%" PRId64 "; the daemons can be started\n", (int)recover->writes, jobs,
                      generation);
    else
        (void)fprintf(stderr, "belfry: %d shards will be read from the state log, generation %"
                      PRId64 "; the daemons can be started, they write Redis anew\n",
                      (int)recover->writes, generation);
    return CLI_OK;
}

static enum exit_code recover_cluster(struct recover *recover,
                                      const struct invocation *invocation)
{
    struct error error = {0};
    struct cluster_site *site = &recover->site;
    if (!cluster_site_open(site, invocation->settings, &error)) return exit_with(&error);
    if (recover->options.from == RECOVER_FROM_STORE && !site->meta_found) {
        (void)error_set(&error, ERROR_FATAL, "nothing of the cluster \"%.100s\" is in this Redis: "
                        "there is nothing to recover from", site->settings->cluster);
        return exit_with(&error);
    }
    if (recover->options.from == RECOVER_FROM_STORE && !cluster_site_check_shards(site, &error))
        return exit_with(&error);
    recover->options.same_kafka =
        site->meta_found && strcmp(site->meta.kafka_cluster_id, site->kafka_id) == 0;
    if (!look(recover, &error)) return exit_with(&error);
    show_plan(recover);
    if (recover->refusals > 0) {
        (void)fprintf(stderr, "belfry: nothing was changed: %d shards are refused, see above; "
                      "--force does it all the same\n", (int)recover->refusals);
        return CLI_FAILED;
    }
    if (arguments_has(invocation->arguments, "dry-run")) {
        (void)fprintf(stderr, "belfry: %d shards would be written\n", (int)recover->writes);
        return CLI_OK;
    }
    return run(recover);
}

enum exit_code command_recover(const struct invocation *invocation)
{
    const struct arguments *arguments = invocation->arguments;
    const char *from = arguments_value(arguments, "from");
    struct error error = {0};
    struct recover recover = {.options = {.force = arguments_has(arguments, "force"),
                                          .offset_at = shard_seat_offset_at,
                                          .drop_store = shard_seat_drop_store,
                                          .progress = on_progress}};
    if (from == NULL || (strcmp(from, "redis") != 0 && strcmp(from, "kafka") != 0))
        (void)error_invalid(&error, CODE_USAGE, "--from redis or --from kafka: which of the "
                            "two is to be believed?");
    else if (arguments->positional_count > 0)
        (void)error_invalid(&error, CODE_USAGE, "recover takes no names: it is about all "
                            "shards");
    if (error.kind != ERROR_NONE) return exit_with(&error);
    recover.options.from = strcmp(from, "redis") == 0 ? RECOVER_FROM_STORE : RECOVER_FROM_LOG;
    enum exit_code code = recover_cluster(&recover, invocation);
    cluster_site_close(&recover.site);
    free(recover.plans);
    return code;
}
