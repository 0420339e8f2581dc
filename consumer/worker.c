/* worker.c - one fire: its environment, its program, its line in the log. */
#include "consumer/worker.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "consumer/log.h"
#include "consumer/state.h"
#include "lib/base/monotonic.h"

enum { VARIABLES_MAX = 20, NUMBER_BYTES = 24, AGAIN_FIRST_MS = 200, AGAIN_MAX_MS = 10000 };

struct variables {
    char **list; /* ended by NULL */
    size_t count;
    bool short_of_memory;
};

static void variable_add(struct variables *variables, const char *name, const char *value)
{
    assert(variables->list != NULL);
    assert(name != NULL && value != NULL);
    char *text = NULL;
    if (asprintf(&text, "%s=%s", name, value) < 0) {
        variables->short_of_memory = true;
        return;
    }
    variables->list[variables->count++] = text;
}

static void variable_add_number(struct variables *variables, const char *name, int64_t value)
{
    char text[NUMBER_BYTES];
    int length = snprintf(text, sizeof text, "%" PRId64, value);
    assert(length > 0 && (size_t)length < sizeof text);
    (void)length;
    variable_add(variables, name, text);
}

static void fire_variables(struct variables *variables, const struct belfry_fire *fire)
{
    assert(fire != NULL && fire->id != NULL);
    size_t before = variables->count;
    variable_add(variables, "BELFRY_FIRE_ID", fire->id);
    variable_add(variables, "BELFRY_SOURCE", fire->source);
    variable_add(variables, "BELFRY_GROUP", fire->group);
    variable_add(variables, "BELFRY_JOB", fire->job_id);
    variable_add(variables, "BELFRY_INCARNATION", fire->incarnation);
    variable_add(variables, "BELFRY_KIND", fire->kind);
    variable_add(variables, "BELFRY_DUE", fire->due);
    variable_add(variables, "BELFRY_TIME", fire->time);
    variable_add(variables, "BELFRY_CONTENT_TYPE", fire->content_type);
    variable_add(variables, "BELFRY_TOPIC", fire->topic);
    variable_add_number(variables, "BELFRY_REVISION", fire->revision);
    variable_add_number(variables, "BELFRY_LATENESS_MS", fire->lateness_ms);
    variable_add_number(variables, "BELFRY_MISSED_COUNT", fire->missed_count);
    variable_add_number(variables, "BELFRY_ATTEMPT", fire->attempt);
    variable_add_number(variables, "BELFRY_PARTITION", fire->partition);
    variable_add_number(variables, "BELFRY_OFFSET", fire->offset);
    if (fire->traceparent != NULL) variable_add(variables, "TRACEPARENT", fire->traceparent);
    assert(variables->count - before <= VARIABLES_MAX);
}

/* True if one of the first `count` variables has the name of `text`. */
static bool has_name(char *const *list, size_t count, const char *text)
{
    size_t length = strcspn(text, "=") + 1;
    for (size_t i = 0; i < count; i++)
        if (strncmp(list[i], text, length) == 0) return true;
    return false;
}

char **belfry_environment_create(const struct belfry_fire *fire, char *const *inherited)
{
    assert(fire != NULL && inherited != NULL);
    size_t count = 0;
    while (inherited[count] != NULL) count++;
    struct variables variables = {.list = calloc(count + VARIABLES_MAX + 1, sizeof(char *))};
    if (variables.list == NULL) return NULL;
    fire_variables(&variables, fire);
    size_t own = variables.count;
    for (size_t i = 0; i < count && !variables.short_of_memory; i++) {
        if (has_name(variables.list, own, inherited[i])) continue;
        variables.list[variables.count] = strdup(inherited[i]);
        variables.short_of_memory = variables.list[variables.count] == NULL;
        if (!variables.short_of_memory) variables.count++;
    }
    if (!variables.short_of_memory) return variables.list;
    belfry_environment_free(variables.list);
    return NULL;
}

void belfry_environment_free(char **environment)
{
    if (environment == NULL) return;
    for (char **one = environment; *one != NULL; one++) free(*one);
    free(environment);
}

static void fire_fields(struct belfry_fields *fields, const struct belfry_fire *fire)
{
    belfry_fields_text(fields, "id", fire->id);
    belfry_fields_text(fields, "group", fire->group);
    belfry_fields_text(fields, "job", fire->job_id);
    belfry_fields_text(fields, "kind", fire->kind);
}

static void log_ending(struct belfry_lines *lines, const struct belfry_fire *fire,
                       const struct belfry_ending *ending)
{
    struct belfry_fields fields = {0};
    fire_fields(&fields, fire);
    if (ending->exit_status >= 0) belfry_fields_number(&fields, "exit", ending->exit_status);
    if (ending->signal != 0) belfry_fields_number(&fields, "signal", ending->signal);
    if (ending->timed_out) belfry_fields_text(&fields, "timed_out", "true");
    if (ending->stuck) belfry_fields_text(&fields, "left_behind", "true");
    belfry_fields_number(&fields, "took_ms", ending->took_ms);
    bool good = ending->exit_status == 0 && !ending->timed_out;
    belfry_log_write(lines, good ? BELFRY_LOG_INFO : BELFRY_LOG_WARN, "program.ended", fields.text);
}

static void log_not_started(const struct belfry_worker *worker, const struct belfry_fire *fire,
                            int cause, int64_t tries, int64_t again_ms)
{
    struct belfry_fields fields = {0};
    const char *why = strerrordesc_np(cause);
    fire_fields(&fields, fire);
    belfry_fields_text(&fields, "program", worker->path);
    belfry_fields_text(&fields, "message", why == NULL ? "unknown error" : why);
    belfry_fields_number(&fields, "tries", tries);
    belfry_fields_number(&fields, "again_ms", again_ms);
    belfry_log_write(worker->lines, BELFRY_LOG_WARN, "program.not_started", fields.text);
}

static void run_program(struct belfry_worker *worker, const struct belfry_fire *fire,
                        struct belfry_ending *ending)
{
    struct belfry_run run = {.path = worker->path, .arguments = worker->options->program,
                             .timeout_ms = worker->options->timeout_ms,
                             .kill_after_ms = worker->options->kill_after_ms};
    *ending = (struct belfry_ending){.start_error = ENOMEM};
    assert(worker->path != NULL);
    char *input = belfry_fire_json(fire, &run.input_bytes, NULL);
    char **environment = belfry_environment_create(fire, environ);
    if (input != NULL && environment != NULL) {
        run.input = input;
        run.environment = environment;
        belfry_program_run(&run, &worker->running, ending);
    }
    free(input);
    belfry_environment_free(environment);
}

/* False: the consumer ends. */
static bool pause_for(struct belfry_worker *worker, int64_t pause_ms)
{
    const struct timespec tick = {.tv_nsec = BELFRY_TICK_MS * 1000000L};
    int64_t until_ms = monotonic_ms() + pause_ms;
    while (!belfry_consumer_ending(worker->consumer)) {
        if (monotonic_ms() >= until_ms) return true;
        (void)nanosleep(&tick, NULL);
    }
    return false;
}

enum belfry_outcome belfry_worker_handle(const struct belfry_fire *fire, void *opaque)
{
    struct belfry_worker *worker = opaque;
    struct belfry_ending ending;
    assert(fire != NULL && worker->consumer != NULL);
    int64_t pause_ms = AGAIN_FIRST_MS;
    for (int64_t tries = 1;; tries++) {
        run_program(worker, fire, &ending);
        if (ending.start_error == 0) break;
        log_not_started(worker, fire, ending.start_error, tries, pause_ms);
        if (!pause_for(worker, pause_ms)) return BELFRY_KEPT;
        pause_ms = pause_ms * 2 < AGAIN_MAX_MS ? pause_ms * 2 : AGAIN_MAX_MS;
    }
    log_ending(worker->lines, fire, &ending);
    return ending.exit_status == 0 && !ending.timed_out ? BELFRY_DONE : BELFRY_FAILED;
}
