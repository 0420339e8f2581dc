#include "schemas/command_fields.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_scan.h"
#include "lib/base/limits.h"
#include "lib/base/utf8.h"
#include "lib/model/run_id.h"
#include "schemas/job_json.h"

enum { EXCERPT_BYTES = 64, SUBJECT_BYTES = 64 };
#define COUNT_MAX INT64_C(1000000000000000)

/* Sets of operations: each is a bit. */
#define ON(op) (UINT32_C(1) << (op))
#define GIVEN_BIT(name, word, target) | ((target) == TARGET_GIVEN ? ON(OP_##name) : 0)
#define SELECTED_BIT(name, word, target) | ((target) == TARGET_SELECTED ? ON(OP_##name) : 0)
enum {
    ON_JOBS = 0 COMMAND_OPS(GIVEN_BIT),
    ON_SELECTED = 0 COMMAND_OPS(SELECTED_BIT),
    ON_CHANGES = ON_JOBS | ON_SELECTED,
    ON_BACKFILL = ON(OP_BACKFILL) | ON(OP_CANCEL_BACKFILL)
};
static_assert(COMMAND_OP_COUNT < 32, "an operation is a bit of a set");

static const char *const mode_names[] = {"atomic", "each", NULL};

/* ---- jobs ---- */

/* The jobs of a command as they are read. */
struct job_list {
    struct definition *jobs; /* the good ones */
    uint32_t *positions;
    size_t count;
    struct refused_job *refused; /* made with the first one */
    size_t refused_count;
    size_t sent;
};

static int compare_texts(struct text a, struct text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.bytes, b.bytes, shorter);
    if (order != 0) return order;
    return (a.length > b.length) - (a.length < b.length);
}

static int compare_names(const void *left, const void *right)
{
    const struct definition *a = *(const struct definition *const *)left;
    const struct definition *b = *(const struct definition *const *)right;
    int order = compare_texts(a->group, b->group);
    if (order == 0) order = compare_texts(a->id, b->id);
    if (order == 0) order = (a > b) - (a < b);
    return order;
}

static bool same_name(const struct definition *a, const struct definition *b)
{
    return text_equal(a->group, b->group) && text_equal(a->id, b->id);
}

/* Keeps what is wrong with a job for the result, with its name as far as that can be read. */
static void list_refused(const struct json_node *node, struct arena *arena, struct job_list *list,
                         const struct error *error)
{
    if (list->refused == NULL) list->refused = arena_take(arena, list->sent, sizeof *list->refused);
    struct refused_job *refused = &list->refused[list->refused_count++];
    const json_t *group = json_object_get(node->value, "group");
    const json_t *id = json_object_get(node->value, "id");
    refused->error = *error;
    struct text name = {json_string_value(group), json_string_length(group)};
    if (name.bytes == NULL || !json_name_is_valid(name, false)) return;
    refused->group = name;
    name = (struct text){json_string_value(id), json_string_length(id)};
    if (name.bytes != NULL && json_name_is_valid(name, true)) refused->id = name;
}

static bool refuse_twice(const struct json_node *node, const struct job_list *list,
                         const struct definition *job, struct error *error)
{
    struct json_node item = {NULL, node, NULL, list->positions[job - list->jobs]};
    char group[EXCERPT_BYTES];
    char id[EXCERPT_BYTES];
    return json_refuse(&item, error, CODE_BAD_VALUE, "job %s/%s is named twice in one command",
                       utf8_excerpt(job->group, group, sizeof group),
                       utf8_excerpt(job->id, id, sizeof id));
}

/* Of several jobs with one name the first is meant; false: that is refused. */
static bool check_distinct(const struct json_node *node, struct job_list *list,
                           struct command_reader *reader, struct error *error)
{
    struct arena *arena = reader->definition.arena;
    const struct definition **sorted = arena_take(arena, list->count, sizeof *sorted);
    bool *twice = arena_take(arena, list->count, sizeof *twice);
    bool distinct = true;
    for (size_t i = 0; i < list->count; i++) sorted[i] = &list->jobs[i];
    qsort(sorted, list->count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < list->count; i++) {
        if (!same_name(sorted[i], sorted[i - 1])) continue;
        twice[sorted[i] - list->jobs] = true;
        distinct = false;
    }
    size_t kept = 0;
    for (size_t i = 0; !distinct && i < list->count; i++) {
        if (!twice[i]) {
            list->jobs[kept] = list->jobs[i];
            list->positions[kept++] = list->positions[i];
            continue;
        }
        if (!reader->each) return refuse_twice(node, list, &list->jobs[i], error);
        struct json_node item = {json_array_get(node->value, list->positions[i]), node, NULL,
                                 list->positions[i]};
        struct error refusal = {0};
        if (!refuse_twice(node, list, &list->jobs[i], &refusal))
            list_refused(&item, arena, list, &refusal);
    }
    if (!distinct) list->count = kept;
    return true;
}

static bool read_job(const struct json_node *node, struct text raw, struct command_reader *reader,
                     struct definition *job, struct error *error)
{
    struct definition_reader part = reader->definition;
    part.raw = raw;
    definition_defaults(job);
    job->given = 0;
    job->catchup = part.limits->catchup;
    job->keep_finished_ms = part.limits->keep_finished_ms;
    return definition_read(node, &job_table, JOB_IN_COMMAND, &part, job, error);
}

static bool refuse_both(const struct json_node *node, struct error *error)
{
    return json_refuse(node, error, CODE_BAD_VALUE, "a command has 'job' or 'jobs', not both");
}

static struct job_list list_of(struct arena *arena, size_t count)
{
    return (struct job_list){.jobs = arena_take(arena, count, sizeof(struct definition)),
                             .positions = arena_take(arena, count, sizeof(uint32_t)),
                             .sent = count};
}

static void keep_list(struct command *command, const struct job_list *list)
{
    command->jobs = list->jobs;
    command->job_count = list->count;
    command->positions = list->positions;
    command->refused = list->refused;
    command->refused_count = list->refused_count;
}

static bool read_one_job(const struct json_node *node, void *target, void *context,
                         struct error *error)
{
    struct command *command = target;
    struct command_reader *reader = context;
    if (command->jobs != NULL) return refuse_both(node, error);
    struct job_list list = list_of(reader->definition.arena, 1);
    struct text raw = json_scan_member(reader->definition.raw, "job");
    list.count = 1;
    command->single = true;
    if (!read_job(node, raw, reader, &list.jobs[0], error)) return false;
    keep_list(command, &list);
    return true;
}

/* Element i; a bad one is listed in mode each. False: the command is refused. */
static bool read_element(const struct json_node *item, struct text raw, struct job_list *list,
                         struct command_reader *reader, struct error *error)
{
    struct error refusal = {0};
    list->positions[list->count] = (uint32_t)item->index;
    if (read_job(item, raw, reader, &list->jobs[list->count], &refusal)) {
        list->count++;
        return true;
    }
    if (reader->each) {
        list_refused(item, reader->definition.arena, list, &refusal);
        return true;
    }
    *error = refusal;
    return false;
}

static bool read_jobs(const struct json_node *node, void *target, void *context,
                      struct error *error)
{
    struct command *command = target;
    struct command_reader *reader = context;
    if (command->jobs != NULL) return refuse_both(node, error);
    if (!json_check_array(node, reader->definition.limits->jobs_max, error)) return false;
    size_t count = json_array_size(node->value);
    struct job_list list = list_of(reader->definition.arena, count);
    struct text rest = json_scan_member(reader->definition.raw, "jobs");
    for (size_t i = 0; i < count; i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        struct text raw = {NULL, 0};
        if (rest.length > 0 && !json_scan_element(&rest, &raw)) raw = (struct text){NULL, 0};
        if (!read_element(&item, raw, &list, reader, error)) return false;
    }
    if (!check_distinct(node, &list, reader, error)) return false;
    keep_list(command, &list);
    if (list.count > 0) return true;
    *error = list.refused[0].error; /* none is good: the command is not */
    return false;
}

/* ---- select ---- */

struct names {
    const struct text *names;
    size_t count;
};

static bool read_names(const struct json_node *node, enum json_kind kind, struct arena *arena,
                       struct names *names, struct error *error)
{
    if (json_is_array(node->value) && json_array_size(node->value) == 0)
        return json_refuse(node, error, CODE_EMPTY_SELECTOR,
                           "is an empty list; leave '%s' out, or "
                           "name at least one",
                           node->name);
    if (!json_check_array(node, COMMAND_SELECTOR_NAMES_MAX, error)) return false;
    size_t count = json_array_size(node->value);
    struct text *list = arena_take(arena, count, sizeof *list);
    const struct json_field row = {.name = "", .kind = kind};
    for (size_t i = 0; i < count; i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        if (!json_read_value(&item, &row, &list[i], NULL, error)) return false;
    }
    *names = (struct names){list, count};
    return true;
}

static bool read_ids(const struct json_node *node, void *target, void *context, struct error *error)
{
    struct selector *select = target;
    struct command_reader *reader = context;
    struct names names = {0};
    if (!read_names(node, JSON_ID, reader->definition.arena, &names, error)) return false;
    select->ids = names.names;
    select->id_count = names.count;
    return true;
}

static bool read_groups(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    struct selector *select = target;
    struct command_reader *reader = context;
    struct names names = {0};
    if (!read_names(node, JSON_NAME, reader->definition.arena, &names, error)) return false;
    select->groups = names.names;
    select->group_count = names.count;
    return true;
}

static bool read_super_groups(const struct json_node *node, void *target, void *context,
                              struct error *error)
{
    struct selector *select = target;
    struct command_reader *reader = context;
    struct names names = {0};
    if (!read_names(node, JSON_NAME, reader->definition.arena, &names, error)) return false;
    select->super_groups = names.names;
    select->super_group_count = names.count;
    return true;
}

static bool read_labels(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    struct selector *select = target;
    struct command_reader *reader = context;
    if (!pairs_read(node, PAIRS_LABELS, reader->definition.arena, &select->labels, error))
        return false;
    if (select->labels.length > 0) return true;
    return json_refuse(node, error, CODE_EMPTY_SELECTOR,
                       "names no label; leave 'labels' out, or "
                       "name at least one");
}

static bool read_paused(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    (void)context;
    struct selector *select = target;
    bool paused = false;
    static const struct json_field row = {.name = "paused", .kind = JSON_BOOL};
    if (!json_read_value(node, &row, &paused, NULL, error)) return false;
    select->paused = paused ? PAUSED_YES : PAUSED_NO;
    return true;
}

static const struct json_field select_rows[] = {
    {.name = "ids", .kind = JSON_CUSTOM, .read = read_ids},
    {.name = "groups", .kind = JSON_CUSTOM, .read = read_groups},
    {.name = "super_groups", .kind = JSON_CUSTOM, .read = read_super_groups},
    {.name = "labels", .kind = JSON_CUSTOM, .read = read_labels},
    {.name = "paused", .kind = JSON_CUSTOM, .read = read_paused},
    {.name = "all", .kind = JSON_BOOL, .offset = offsetof(struct selector, all)},
};
static const struct json_table select_table = {
    "'select'", select_rows, sizeof select_rows / sizeof select_rows[0]};

static bool read_select(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    struct selector *select = &((struct command *)target)->select;
    if (!json_read_object(node, &select_table, 0, select, context, NULL, error)) return false;
    select->given = true;
    if (select->all || select->id_count > 0 || select->group_count > 0 ||
        select->super_group_count > 0 || select->labels.length > 0 || select->paused != PAUSED_ANY)
        return true;
    return json_refuse(node, error, CODE_EMPTY_SELECTOR,
                       "names no job; for every job say \"all\": true");
}

/* ---- the command ---- */

static bool read_set(const struct json_node *node, void *target, void *context, struct error *error)
{
    struct command *command = target;
    struct command_reader *reader = context;
    struct definition_reader part = reader->definition;
    part.raw = json_scan_member(reader->definition.raw, "set");
    definition_defaults(&command->set);
    command->set.given = 0;
    command->set.catchup = part.limits->catchup;
    command->set.keep_finished_ms = part.limits->keep_finished_ms;
    return definition_read(node, &set_table, JOB_IN_SET, &part, &command->set, error);
}

static bool read_from(const struct json_node *node, void *target, void *context,
                      struct error *error)
{
    (void)context;
    struct command *command = target;
    if (json_is_string(node->value) && command->op == OP_RESUME) {
        const char *word = json_string_value(node->value);
        if (strcmp(word, "now") == 0) return true;
        command->from = strcmp(word, "paused_at") == 0 ? RESUME_PAUSED_AT : RESUME_INSTANT;
        if (command->from == RESUME_PAUSED_AT) return true;
    }
    static const struct json_field row = {.name = "from", .kind = JSON_INSTANT,
                                          .offset = offsetof(struct command, from_ms)};
    return json_read_value(node, &row, target, NULL, error);
}

static bool read_overlap(const struct json_node *node, void *target, void *context,
                         struct error *error)
{
    (void)context;
    static const char *const words[] = {"allow", NULL};
    static const struct json_field row = {.name = "overlap", .kind = JSON_WORD, .words = words};
    int word = 0;
    if (!json_read_value(node, &row, &word, NULL, error)) return false;
    ((struct command *)target)->overlap_allowed = true;
    return true;
}

static bool read_run(const struct json_node *node, void *target, void *context, struct error *error)
{
    (void)context;
    static const struct json_field row = {.name = "run", .kind = JSON_TEXT, .min = 1,
                                          .max = RUN_ID_BYTES_MAX,
                                          .offset = offsetof(struct command, run)};
    struct run_identity identity;
    char excerpt[60];
    const struct command *command = target;
    if (!json_read_value(node, &row, target, NULL, error)) return false;
    if (run_id_parse(command->run, &identity)) return true;
    return json_refuse(node, error, CODE_BAD_VALUE,
                       "'%s' is not the id of a fire: <incarnation>@<nominal time in ms>, or @t:, "
                       "@b: or @i: and what belongs to it",
                       utf8_excerpt(command->run, excerpt, sizeof excerpt));
}

static bool read_reply_to(const struct json_node *node, void *target, void *context,
                          struct error *error)
{
    (void)context;
    struct command *command = target;
    struct text topic;
    if (!json_read_text(node, &topic, error)) return false;
    if (command->reply_to.length > 0) return true; /* allowed: peek() asked */
    char excerpt[EXCERPT_BYTES];
    return json_refuse(node, error, CODE_REPLY_TO_NOT_ALLOWED,
                       "topic '%s' is not on the allow-list results.topics of the daemon",
                       utf8_excerpt(topic, excerpt, sizeof excerpt));
}

static bool read_traceparent(const struct json_node *node, void *target, void *context,
                             struct error *error)
{
    (void)context;
    return traceparent_read(node, &((struct command *)target)->traceparent, error);
}

#define FIELD(member) .offset = offsetof(struct command, member)
/* `v` and `op` have been read: their rows only make them known. */
static bool read_nothing(const struct json_node *node, void *target, void *context,
                         struct error *error)
{
    (void)node;
    (void)target;
    (void)context;
    (void)error;
    return true;
}

static const struct json_field command_rows[] = {
    {.name = "v", .kind = JSON_CUSTOM, .read = read_nothing},
    {.name = "op", .kind = JSON_CUSTOM, .read = read_nothing},
    {.name = "command_id", .kind = JSON_TEXT, FIELD(command_id), .min = 1,
     .max = COMMAND_ID_BYTES_MAX},
    {.name = "mode", .kind = JSON_WORD, .where = ON_CHANGES, FIELD(mode), .words = mode_names},
    {.name = "job", .kind = JSON_CUSTOM, .where = ON_JOBS, .read = read_one_job},
    {.name = "jobs", .kind = JSON_CUSTOM, .where = ON_JOBS, .read = read_jobs},
    {.name = "select", .kind = JSON_CUSTOM, .where = ON_SELECTED, .read = read_select},
    {.name = "set", .kind = JSON_CUSTOM, .where = ON(OP_UPDATE), .read = read_set},
    {.name = "expect", .kind = JSON_INT, .where = ON_CHANGES, FIELD(expect), .max = COUNT_MAX},
    {.name = "expected_revision", .kind = JSON_INT, .where = ON_SELECTED | ON(OP_PUT),
     FIELD(expected_revision), .min = 1, .max = COUNT_MAX},
    {.name = "not_after", .kind = JSON_INSTANT, FIELD(not_after_ms)},
    {.name = "until", .kind = JSON_INSTANT, .where = ON(OP_PAUSE), FIELD(until_ms)},
    {.name = "from", .kind = JSON_CUSTOM, .where = ON(OP_RESUME) | ON(OP_BACKFILL),
     .read = read_from},
    {.name = "to", .kind = JSON_INSTANT, .where = ON(OP_BACKFILL), FIELD(to_ms)},
    {.name = "rate", .kind = JSON_INT, .where = ON(OP_BACKFILL), FIELD(rate), .min = 1,
     .max = BACKFILL_RATE_MAX},
    {.name = "backfill_id", .kind = JSON_TEXT, .where = ON_BACKFILL, FIELD(backfill_id),
     .min = 1, .max = COMMAND_ID_BYTES_MAX},
    {.name = "run", .kind = JSON_CUSTOM, .where = ON(OP_CANCEL) | ON(OP_REQUEUE),
     .read = read_run},
    {.name = "cancel_runs", .kind = JSON_BOOL, .where = ON(OP_DELETE), FIELD(cancel_runs)},
    {.name = "overlap", .kind = JSON_CUSTOM, .where = ON(OP_TRIGGER) | ON(OP_REQUEUE),
     .read = read_overlap},
    {.name = "dry_run", .kind = JSON_BOOL, .where = ON_CHANGES, FIELD(dry_run)},
    {.name = "reason", .kind = JSON_TEXT, FIELD(reason), .max = TEXT_FIELD_BYTES_MAX},
    {.name = "actor", .kind = JSON_TEXT, FIELD(actor), .max = TEXT_FIELD_BYTES_MAX},
    {.name = "reply_to", .kind = JSON_CUSTOM, .read = read_reply_to},
    {.name = "correlation_id", .kind = JSON_TEXT, FIELD(correlation_id),
     .max = TEXT_FIELD_BYTES_MAX},
    {.name = "traceparent", .kind = JSON_CUSTOM, .read = read_traceparent},
};

static bool refuse_missing(const struct json_node *node, const char *name, enum error_code code,
                           const char *message, struct error *error)
{
    struct json_node member = {NULL, node, name, 0};
    return json_refuse(&member, error, code, "%s", message);
}

/* A run is of one job, which is named: whether another one matches, too, must not matter. */
static bool check_requeue(const struct json_node *node, const struct command *command,
                          struct error *error)
{
    const struct selector *select = &command->select;
    if (select->group_count != 1 || select->id_count != 1)
        return refuse_missing(node, "select", CODE_BAD_VALUE,
                              "'select' must name one job: one of 'groups' and one of 'ids'",
                              error);
    return command->run.length > 0 ||
           refuse_missing(node, "run", CODE_MISSING_FIELD,
                          "'run' is required: the id of the fire that is to come again", error);
}

/* What several members have to say together. */
static bool check_whole(const struct json_node *node, const struct command *command,
                        struct error *error)
{
    uint32_t on = ON(command->op);
    if ((on & ON_JOBS) != 0 && command->job_count == 0)
        return refuse_missing(node, "jobs", CODE_MISSING_FIELD, "'jobs' or 'job' is required",
                              error);
    if ((on & ON_SELECTED) != 0 && !command->select.given)
        return refuse_missing(node, "select", CODE_EMPTY_SELECTOR,
                              "'select' is required; for every job say {\"all\": true}", error);
    if (command->op == OP_UPDATE && command->set.given == 0)
        return refuse_missing(node, "set", CODE_NOTHING_TO_UPDATE,
                              "'set' names no field; give a schedule, a payload or another field",
                              error);
    if (command->op == OP_BACKFILL && !json_is_string(json_object_get(node->value, "from")))
        return refuse_missing(node, "from", CODE_MISSING_FIELD,
                              "'from' is required: slots after it are fired", error);
    if (command->op == OP_BACKFILL && command->from_ms >= command->to_ms)
        return refuse_missing(node, "to", CODE_BAD_VALUE, "'to' must be later than 'from'", error);
    if (command->op == OP_CANCEL_BACKFILL && command->backfill_id.length == 0)
        return refuse_missing(node, "backfill_id", CODE_MISSING_FIELD,
                              "'backfill_id' is required: which backfill is to end", error);
    if (command->op == OP_REQUEUE && !check_requeue(node, command, error)) return false;
    if (command->expect < 0) return true;
    if ((on & ON_SELECTED) != 0 && command->select.group_count == 0)
        return refuse_missing(node, "expect", CODE_EXPECT_NEEDS_GROUPS,
                              "'expect' needs select.groups: only jobs of one shard are counted "
                              "together",
                              error);
    int64_t sent = (int64_t)(command->job_count + command->refused_count);
    if ((on & ON_JOBS) != 0 && command->mode == MODE_ATOMIC && command->expect != sent)
        return refuse_missing(node, "expect", CODE_COUNT_MISMATCH,
                              "'expect' is not the number of jobs in the command", error);
    return true;
}

bool command_fields_read(const struct json_node *node, struct command_reader *reader,
                         struct error *error)
{
    assert(node != NULL && reader != NULL);
    struct command *command = reader->command;
    assert(command->op != OP_NONE);
    const json_t *mode = json_object_get(node->value, "mode"); /* may come after the jobs */
    reader->each = json_is_string(mode) && strcmp(json_string_value(mode), "each") == 0;
    const char *word = command_op_word(command->op);
    char subject[SUBJECT_BYTES];
    (void)snprintf(subject, sizeof subject, "%s '%s' command",
                   strchr("aeiou", word[0]) != NULL ? "an" : "a", word);
    const struct json_table table = {subject, command_rows,
                                     sizeof command_rows / sizeof command_rows[0]};
    return json_read_object(node, &table, ON(command->op), command, reader, NULL, error) &&
           check_whole(node, command, error);
}
