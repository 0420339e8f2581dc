#include "cli/write/write_check.h"

#include <stdio.h>
#include <string.h>

#include "cli/show/job_text.h"
#include "cli/show/print_text.h"
#include "cli/write/write_plan.h"
#include "schemas/command_json.h"

enum { REFUSED_SHOWN = 10, NAME_BYTES = 408 };

static bool any_topic(void *opaque, struct text topic)
{
    (void)opaque;
    return topic.length > 0;
}

/* A machine without time zone data cannot say which names there are. */
static const struct zone_lookup *zones_to_go_by(const struct zone_lookup *zones)
{
    struct error ignored = {0};
    bool known = zones->find(zones->opaque, text_of("Etc/GMT+1"), &ignored) != NULL;
    return known ? zones : job_text_zones();
}

/* "/jobs/3/schedule/cron" without the number, which counts the jobs as they are sent. */
static const char *field_of_job(const char *field)
{
    if (strncmp(field, "/job/", 5) == 0) return field + 4;
    if (strncmp(field, "/jobs/", 6) != 0) return field;
    const char *rest = field + 6 + strspn(field + 6, "0123456789");
    return *rest == '/' ? rest : field;
}

/* "billing/a: ", where the field lies within a job that has a name. */
static void job_of(struct text command, const char *field, char name[NAME_BYTES])
{
    name[0] = '\0';
    json_t *root = json_loadb(command.bytes, command.length, 0, NULL);
    const json_t *job = json_object_get(root, "job");
    unsigned long index = 0;
    if (sscanf(field, "/jobs/%lu/", &index) == 1)
        job = json_array_get(json_object_get(root, "jobs"), index);
    const char *group = json_string_value(json_object_get(job, "group"));
    const char *id = json_string_value(json_object_get(job, "id"));
    if (group != NULL && id != NULL) (void)snprintf(name, NAME_BYTES, "%.200s/%.200s: ", group, id);
    json_decref(root);
}

static bool refuse(struct text command, const struct error *cause, struct error *error)
{
    char name[NAME_BYTES];
    job_of(command, cause->field, name);
    const char *field = name[0] == '\0' ? cause->field : field_of_job(cause->field);
    if (field[0] == '\0')
        return error_invalid(error, cause->code, "%s%s", name, cause->message);
    return error_invalid(error, cause->code, "%s%s (at %s)", name, cause->message, field);
}

static void say_refused(const struct refused_job *job)
{
    (void)fputs("belfry: ", stderr);
    if (job->group.length > 0 && job->id.length > 0) {
        print_safe(stderr, job->group.bytes, job->group.length);
        (void)fputc('/', stderr);
        print_safe(stderr, job->id.bytes, job->id.length);
        (void)fputs(": ", stderr);
    }
    print_safe(stderr, job->error.message, strlen(job->error.message));
    (void)fputc('\n', stderr);
}

static bool check_record(struct text value, const struct command_limits *limits,
                         struct arena *arena, size_t *refused, struct error *error)
{
    const struct source source = {.input = INPUT_CONTROL};
    struct command command;
    struct error cause = {0};
    arena_reset(arena);
    if (!command_decode(value, NULL, 0, &source, limits, arena, &command, &cause))
        return refuse(value, &cause, error);
    for (size_t i = 0; i < command.refused_count; i++, ++*refused)
        if (*refused < REFUSED_SHOWN) say_refused(&command.refused[i]);
    return true;
}

bool write_check(const struct write_request *request, const char *command_id,
                 const struct zone_lookup *zones, size_t *refused, struct error *error)
{
    struct command_limits limits;
    struct write_plan plan;
    command_limits_defaults(&limits);
    limits.every_min_ms = SCHEDULE_EVERY_FLOOR_MS;
    limits.runs = true; /* the daemon knows whether it follows them */
    limits.topic_allowed = any_topic;
    limits.reply_to_allowed = any_topic;
    limits.zones = zones_to_go_by(zones);
    *refused = 0;
    struct arena *arena = arena_create();
    bool good = write_plan_build(&plan, request, command_id, 1, request->dry_run, true, error);
    for (size_t i = 0; good && i < plan.count; i++) {
        const struct text_writer *value = &plan.records[i].value;
        good = check_record((struct text){value->bytes, value->length}, &limits, arena, refused,
                            error);
    }
    write_plan_free(&plan);
    arena_destroy(arena);
    return good;
}
