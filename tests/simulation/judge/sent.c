/* Commands as clients sent them, read with jansson and nothing of the product. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/simulation/judge/model.h"
#include "tests/simulation/world/json_scan.h"
#include "tests/simulation/world/world.h"
#include "tests/simulation/world/zones.h"

static void copy_member(const json_t *object, const char *name, char *to, size_t bytes)
{
    const char *text = json_string_value(json_object_get(object, name));
    (void)snprintf(to, bytes, "%s", text == NULL ? "" : text);
}

static int64_t instant_member(const json_t *object, const char *name, int64_t otherwise)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? otherwise : scan_instant(text_of(text), "");
}

static int64_t number_member(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);
    return value == NULL ? otherwise : json_integer_value(value);
}

/* An expression with a zone of its own, of the field, or both that agree. */
static bool read_cron(const json_t *object, const char *cron, struct wanted *wanted)
{
    static const char prefix[] = "CRON_TZ=";
    bool fixed = false;
    copy_member(object, "zone", wanted->zone, sizeof wanted->zone);
    copy_member(object, "dst", wanted->dst, sizeof wanted->dst);
    if (strcmp(wanted->dst, "vixie") == 0) wanted->dst[0] = '\0';
    copy_member(object, "zone", wanted->place, sizeof wanted->place);
    if (strncmp(cron, prefix, sizeof prefix - 1) == 0) {
        cron += sizeof prefix - 1;
        size_t length = strcspn(cron, " ");
        if (length >= sizeof wanted->place) return false;
        memcpy(wanted->place, cron, length);
        wanted->place[length] = '\0';
        if (wanted->zone[0] != '\0' && strcmp(wanted->zone, wanted->place) != 0) return false;
        cron += length + (cron[length] == ' ');
    }
    if (wanted->place[0] != '\0' && !zones_know(wanted->place)) return false;
    if (!slow_cron_read(cron, &wanted->schedule, &fixed)) return false;
    wanted->fixed = fixed && wanted->dst[0] == '\0';
    return true;
}

static bool read_schedule(const json_t *object, struct wanted *wanted)
{
    const char *cron = json_string_value(json_object_get(object, "cron"));
    const char *every = json_string_value(json_object_get(object, "every"));
    memset(&wanted->schedule, 0, sizeof wanted->schedule);
    copy_member(object, "cron", wanted->cron, sizeof wanted->cron);
    wanted->anchor_given = json_object_get(object, "anchor") != NULL;
    if (cron != NULL) return read_cron(object, cron, wanted);
    if (every != NULL) {
        wanted->schedule.kind = SLOW_EVERY;
        wanted->schedule.every_ms = wanted_duration_ms(every);
        return true;
    }
    wanted->schedule.kind = SLOW_AT;
    wanted->schedule.at_ms = instant_member(object, "at", NEVER_MS);
    return wanted->schedule.at_ms != NEVER_MS;
}

static void read_catchup(const json_t *object, struct wanted *wanted)
{
    const char *policy = json_string_value(json_object_get(object, "policy"));
    const char *window = json_string_value(json_object_get(object, "window"));
    const char *grace = json_string_value(json_object_get(object, "misfire_grace"));
    if (policy != NULL)
        wanted->policy = policy[0] == 'n' ? SLOW_NONE : policy[0] == 'a' ? SLOW_ALL : SLOW_LATEST;
    if (window != NULL) wanted->window_ms = wanted_duration_ms(window);
    if (grace != NULL) wanted->grace_ms = wanted_duration_ms(grace);
    wanted->limit = number_member(object, "limit", wanted->limit);
}

static void defaults(struct wanted *wanted)
{
    memset(wanted, 0, sizeof *wanted);
    wanted->window_ms = 86400000;
    wanted->limit = 1000;
    wanted->grace_ms = 30000;
    wanted->start_ms = NEVER_MS;
    wanted->end_ms = ALWAYS_MS;
    wanted->keep_ms = 86400000;
}

static bool read_wanted(const json_t *object, struct wanted *wanted)
{
    const json_t *schedule = json_object_get(object, "schedule");
    const json_t *payload = json_object_get(object, "payload");
    const char *keep = json_string_value(json_object_get(object, "keep_finished"));
    defaults(wanted);
    copy_member(object, "group", wanted->group, sizeof wanted->group);
    copy_member(object, "id", wanted->id, sizeof wanted->id);
    copy_member(object, "super_group", wanted->super_group, sizeof wanted->super_group);
    copy_member(object, "topic", wanted->topic, sizeof wanted->topic);
    copy_member(object, "incarnation", wanted->incarnation, sizeof wanted->incarnation);
    if (payload != NULL) {
        char *text = json_dumps(payload, JSON_COMPACT | JSON_ENCODE_ANY);
        (void)snprintf(wanted->payload, sizeof wanted->payload, "%s", text);
        free(text);
        wanted->given |= SET_PAYLOAD;
    }
    read_catchup(json_object_get(object, "catchup"), wanted);
    wanted_runs_read(object, &wanted->runs);
    if (keep != NULL) wanted->keep_ms = keep[0] == 'f' ? ALWAYS_MS : wanted_duration_ms(keep);
    wanted->start_ms = instant_member(object, "start", NEVER_MS);
    wanted->end_ms = instant_member(object, "end", ALWAYS_MS);
    wanted->max_fires = number_member(object, "max_fires", 0);
    wanted->paused = json_is_true(json_object_get(object, "paused"));
    if (json_object_get(object, "max_fires") != NULL) wanted->given |= SET_MAX_FIRES;
    if (json_object_get(object, "catchup") != NULL) wanted->given |= SET_POLICY;
    if (json_object_get(object, "jitter") != NULL) wanted->given |= SET_JITTER;
    if (wanted->super_group[0] != '\0') wanted->given |= SET_SUPER_GROUP;
    if (wanted->start_ms != NEVER_MS && wanted->end_ms <= wanted->start_ms) return false;
    const char *jitter = json_string_value(json_object_get(object, "jitter"));
    int64_t jitter_ms = jitter == NULL ? 0 : wanted_duration_ms(jitter);
    bool good = schedule == NULL || read_schedule(schedule, wanted);
    if (schedule != NULL) wanted->given |= SET_SCHEDULE;
    wanted->schedule.jitter_ms = jitter_ms;
    return good;
}

static int read_names(const json_t *object, const char *name, char names[][12])
{
    const json_t *array = json_object_get(object, name);
    int count = 0;
    for (size_t i = 0; i < json_array_size(array) && count < COMMAND_NAMES_MOST; i++)
        (void)snprintf(names[count++], 12, "%s", json_string_value(json_array_get(array, i)));
    return count;
}

static bool read_select(const json_t *select, struct sent_command *command)
{
    const json_t *paused = json_object_get(select, "paused");
    if (json_object_size(select) == 0) return false;
    command->all = json_is_true(json_object_get(select, "all"));
    command->group_count = read_names(select, "groups", command->groups);
    command->id_count = read_names(select, "ids", command->ids);
    command->super_group_count = read_names(select, "super_groups", command->super_groups);
    command->paused = paused == NULL ? -1 : json_is_true(paused);
    return true;
}

static enum sent_op op_of(const char *name)
{
    static const char *const names[] = {"", "add", "put", "update", "pause", "resume", "delete",
                                        "trigger", "backfill", "cancel_backfill", "cancel",
                                        "requeue", "ping"};
    for (int i = 1; name != NULL && i <= SENT_PING; i++)
        if (strcmp(names[i], name) == 0) return (enum sent_op)i;
    return SENT_UNREADABLE;
}

/* One that cannot be read refuses the command; in mode each only if there is no other. */
static bool read_jobs(const json_t *jobs, struct sent_command *command)
{
    int bad = 0;
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        struct wanted *wanted = &command->jobs[command->job_count++];
        wanted->bad = !read_wanted(json_array_get(jobs, i), wanted) ||
                      !wanted_runs_fit(&wanted->runs);
        bad += wanted->bad;
    }
    return bad == 0 || (command->each && bad < command->job_count);
}

static bool read_command(const json_t *root, struct sent_command *command)
{
    const json_t *jobs = json_object_get(root, "jobs");
    const json_t *job = json_object_get(root, "job");
    const char *mode = json_string_value(json_object_get(root, "mode"));
    const json_t *set = json_object_get(root, "set");
    const json_t *select = json_object_get(root, "select");
    const char *from = json_string_value(json_object_get(root, "from"));
    command->op = op_of(json_string_value(json_object_get(root, "op")));
    copy_member(root, "command_id", command->command_id, sizeof command->command_id);
    command->each = mode != NULL && strcmp(mode, "each") == 0;
    command->paused = -1;
    command->until_ms = instant_member(root, "until", ALWAYS_MS);
    command->not_after_ms = instant_member(root, "not_after", ALWAYS_MS);
    command->expected_revision = number_member(root, "expected_revision", -1);
    command->expect = number_member(root, "expect", -1);
    command->dry_run = json_is_true(json_object_get(root, "dry_run"));
    const char *overlap = json_string_value(json_object_get(root, "overlap"));
    command->beside = overlap != NULL && strcmp(overlap, "allow") == 0;
    command->cancel_runs = json_is_true(json_object_get(root, "cancel_runs"));
    copy_member(root, "run", command->run, sizeof command->run);
    command->to_ms = instant_member(root, "to", ALWAYS_MS);
    command->rate = number_member(root, "rate", 10);
    copy_member(root, "backfill_id", command->backfill_id, sizeof command->backfill_id);
    command->from_paused = from != NULL && strcmp(from, "paused_at") == 0;
    command->from_ms = from == NULL || command->from_paused ? NEVER_MS
                                                            : scan_instant(text_of(from), "");
    if (job != NULL && !read_wanted(job, &command->jobs[command->job_count++])) return false;
    if (job != NULL && !wanted_runs_fit(&command->jobs[0].runs)) return false;
    if (jobs != NULL && !read_jobs(jobs, command)) return false;
    if (set != NULL && !read_wanted(set, &command->set)) return false;
    if (command->op == SENT_BACKFILL && command->from_ms >= command->to_ms) return false;
    return json_object_get(root, "wings") == NULL &&
           (select == NULL || read_select(select, command));
}

void sent_read(const char *json, struct sent_command *command)
{
    memset(command, 0, sizeof *command);
    json_t *root = json_loads(json, 0, NULL);
    if (root == NULL || !read_command(root, command)) command->op = SENT_UNREADABLE;
    json_decref(root);
}

void sent_read_whole(const struct sent *sent, struct sent_command *command)
{
    sent_read(sent->text, command);
    if (sent->bulky) command->op = SENT_UNREADABLE;
}

uint32_t sent_shards(const struct sent_command *command, int32_t sent_to, int32_t shards)
{
    uint32_t concerned = 0;
    bool job_op = command->op == SENT_ADD || command->op == SENT_PUT;
    if (command->op == SENT_UNREADABLE || command->op == SENT_PING)
        return UINT32_C(1) << sent_to;
    for (int i = 0; i < command->job_count; i++)
        concerned |= UINT32_C(1) << slow_shard_of(command->jobs[i].group, shards);
    for (int i = 0; i < command->group_count; i++)
        concerned |= UINT32_C(1) << slow_shard_of(command->groups[i], shards);
    if (job_op || command->group_count > 0) return concerned;
    return (UINT32_C(1) << shards) - 1;
}
