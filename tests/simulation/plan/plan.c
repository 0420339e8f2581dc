#include "tests/simulation/plan/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/plan/clock_words.h"

#define START_MS INT64_C(1767225600000) /* 2026-01-01 */
enum { LINE_BYTES = 64 * 1024 };

const char *point_name(enum point point)
{
    static const char *const names[] = {"none", "prove", "init_before", "init_after", "begin",
                                        "produce", "commit_before", "commit_after", "poll",
                                        "store_read", "store_write"};
    return names[point];
}

const char *commit_fate_name(enum commit_fate fate)
{
    static const char *const names[] = {"well", "abortable", "not_sent", "cut", "reply_lost",
                                        "late", "slow", "parts", "twice"};
    return names[fate];
}

/* ---- what an event is called, and its arguments ---- */

enum argument_kind { A_NONE = 0, A_NUMBER, A_POINT, A_FATE };
struct argument {
    const char *name;
    enum argument_kind kind;
};
struct event_row {
    const char *name;
    struct argument arguments[EVENT_ARGUMENTS];
};

static const struct event_row rows[DO_COUNT] = {
    [DO_NOTE] = {"note", {{NULL, A_NONE}}},
    [DO_COMMAND] = {"command", {{"shard", A_NUMBER}}},
    [DO_CRASH] = {"crash", {{"process", A_NUMBER}, {"point", A_POINT}, {"count", A_NUMBER}}},
    [DO_FREEZE] = {"freeze", {{"process", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_FREEZE_AT] = {"freeze_at", {{"process", A_NUMBER}, {"point", A_POINT},
                                    {"count", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_CUT_OFF] = {"cut_off", {{"process", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_KAFKA_DOWN] = {"kafka_down", {{"ms", A_NUMBER}}},
    [DO_LEAVE] = {"leave", {{"process", A_NUMBER}}},
    [DO_LEAVE_AT] = {"leave_at", {{"process", A_NUMBER}, {"point", A_POINT}, {"count", A_NUMBER}}},
    [DO_CLOCK_STEP] = {"clock_step", {{"process", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_CLOCK_DRIFT] = {"clock_drift", {{"process", A_NUMBER}, {"ppm", A_NUMBER}}},
    [DO_NO_MEMORY] = {"no_memory", {{"process", A_NUMBER}, {"count", A_NUMBER}}},
    [DO_COMMIT] = {"commit", {{"shard", A_NUMBER}, {"fate", A_FATE}, {"ms", A_NUMBER}}},
    [DO_LATE_INIT] = {"late_init", {{"process", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_REDIS_AWAY] = {"redis_away", {{"ms", A_NUMBER}}},
    [DO_REDIS_SLOW] = {"redis_slow", {{"ms", A_NUMBER}}},
    [DO_REDIS_FLUSH] = {"redis_flush", {{NULL, A_NONE}}},
    [DO_REDIS_SAVE] = {"redis_save", {{NULL, A_NONE}}},
    [DO_REDIS_ROLLBACK] = {"redis_rollback", {{NULL, A_NONE}}},
    [DO_REDIS_LOST] = {"redis_lost", {{"after", A_NUMBER}, {"count", A_NUMBER}}},
    [DO_REDIS_FLAKY] = {"redis_flaky", {{"every", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_REDIS_DAMAGE] = {"redis_damage", {{"shard", A_NUMBER}, {"seen", A_NUMBER},
                                          {"first", A_NUMBER}, {"every", A_NUMBER}}},
    [DO_COMPACT] = {"compact", {{"shard", A_NUMBER}}},
    [DO_RETAIN] = {"retain", {{NULL, A_NONE}}},
    [DO_LOSE] = {"lose", {{"shard", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_FOREIGN] = {"foreign", {{"topic", A_NUMBER}, {"state", A_NUMBER}}},
    [DO_ZONES] = {"zones", {{"process", A_NUMBER}, {"version", A_NUMBER}}},
    [DO_BULKY] = {"bulky", {{"shard", A_NUMBER}, {"key", A_NUMBER}, {"headers", A_NUMBER},
                            {"header_bytes", A_NUMBER}}},
    [DO_OWN_LIMIT] = {"own_limit", {{"topic", A_NUMBER}, {"bytes", A_NUMBER},
                                    {"named", A_NUMBER}}},
    [DO_STRICT] = {"strict", {{"process", A_NUMBER}, {"low", A_NUMBER}}},
    [DO_SLOW_COMMITS] = {"slow_commits", {{"shard", A_NUMBER}, {"ms", A_NUMBER},
                                          {"low_ms", A_NUMBER}, {"high_ms", A_NUMBER}}},
    [DO_BAD_LEADER] = {"bad_leader", {{"shard", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_COMMITS_LOST] = {"commits_lost", {{"process", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_WORKER] = {"worker", {{"worker", A_NUMBER}, {"harm", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_WORKER_AT] = {"worker_at", {{"worker", A_NUMBER}, {"point", A_NUMBER},
                                    {"harm", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_WORKER_DRIFT] = {"worker_drift", {{"worker", A_NUMBER}, {"ppm", A_NUMBER}}},
    [DO_POSTS] = {"posts", {{"worker", A_NUMBER}, {"fate", A_NUMBER}, {"count", A_NUMBER},
                            {"ms", A_NUMBER}}},
    [DO_OFFSETS] = {"offsets", {{"worker", A_NUMBER}, {"fate", A_NUMBER}, {"count", A_NUMBER},
                                {"ms", A_NUMBER}}},
    [DO_SET_BACK] = {"set_back", {{"crew", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_HIDE_RUNS] = {"hide_runs", {{"shard", A_NUMBER}, {"ms", A_NUMBER}}},
    [DO_FORGE] = {"forge", {{"shard", A_NUMBER}, {"kind", A_NUMBER}}},
    [DO_APPEND_BACK] = {"append_back", {{"shard", A_NUMBER}, {"back_ms", A_NUMBER},
                                        {"ms", A_NUMBER}}},
    [DO_RETAIN_RUNS] = {"retain_runs", {{"shard", A_NUMBER}, {"kept_ms", A_NUMBER}}},
    [DO_TICK] = {"tick", {{"shard", A_NUMBER}, {"fate", A_NUMBER}}},
    [DO_QUESTION] = {"question", {{"shard", A_NUMBER}, {"fate", A_NUMBER}}},
    [DO_SILENT] = {"silent", {{"ms", A_NUMBER}}},
    [DO_ABOUT_RUN] = {"about_run", {{"shard", A_NUMBER}, {"back", A_NUMBER}}},
};

bool plan_is_fault(enum event_do what)
{
    return what != DO_NOTE && what != DO_COMMAND && what != DO_BULKY && what != DO_REDIS_SAVE &&
           what != DO_ABOUT_RUN;
}

/* ---- building ---- */

void plan_add(struct plan *plan, int64_t at_us, enum event_do what, int64_t a, int64_t b,
              int64_t c, int64_t d, const char *text)
{
    plan->events = memory_grow(plan->events, &plan->capacity, plan->count + 1,
                               sizeof *plan->events);
    plan->events[plan->count++] =
        (struct planned){.at_us = at_us / MILLI_US * MILLI_US,
                         .what = what,
                         .arguments = {a, b, c, d},
                         .text = text == NULL ? NULL : memory_copy_text(text, strlen(text))};
}

/* Stable, whatever the library's qsort does: an insertion from behind, few are out of place. */
void plan_sort(struct plan *plan)
{
    struct planned *sorted = memory_allocate(plan->count + 1, sizeof *sorted);
    for (size_t width = 1; width < plan->count; width *= 2) {
        for (size_t low = 0; low < plan->count; low += 2 * width) {
            size_t middle = low + width < plan->count ? low + width : plan->count;
            size_t high = low + 2 * width < plan->count ? low + 2 * width : plan->count;
            size_t left = low;
            size_t right = middle;
            for (size_t at = low; at < high; at++) {
                bool from_left = left < middle && (right == high || plan->events[left].at_us <=
                                                                        plan->events[right].at_us);
                sorted[at] = plan->events[from_left ? left++ : right++];
            }
        }
        memcpy(plan->events, sorted, plan->count * sizeof *sorted);
    }
    free(sorted);
}

void plan_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) free(plan->events[i].text);
    free(plan->events);
    zones_destroy(plan->zones);
    *plan = (struct plan){0};
}

static void choose_settings(struct plan *plan, struct random *dice, const struct plan_wishes *wish)
{
    struct settings *settings = &plan->settings;
    *settings = (struct settings){.shards = (int32_t)random_between(dice, 1, SIM_SHARDS_MAX),
                                  .processes = (int32_t)random_between(dice, 1, 3),
                                  .hours = random_between(dice, 24, 48),
                                  .wait_max_ms = 600000,
                                  .checkpoint_interval_ms = random_between(dice, 1, 20) * 100,
                                  .clock_sample_ms = random_between(dice, 1, 20) * 60000,
                                  .catchup_per_second = random_chance(dice, 1, 4) ? 20 : 1000,
                                  .start_ms = START_MS};
    if (random_chance(dice, 1, 2)) settings->batch_max = random_between(dice, 2, 20);
    if (wish->typical) {
        settings->shards = 3;
        settings->processes = 3;
        settings->hours = 48;
        settings->batch_max = 0;
        settings->catchup_per_second = 1000;
        settings->checkpoint_interval_ms = 1000;
        settings->clock_sample_ms = 600000;
        return;
    }
    if (random_chance(dice, 1, 8)) settings->catchup_per_second = BUSY_CATCHUP_PER_SECOND;
    if (random_chance(dice, 1, 3)) settings->processes = 3;
    if (random_chance(dice, 2, 3))
        settings->start_ms = clock_words_start_ms(dice, plan->zones, settings->hours);
    if (random_chance(dice, 1, 12)) { /* the product's own waits, over a few hours */
        settings->hours = 3;
        settings->wait_max_ms = 200;
        settings->clock_sample_ms = 60000;
    } else if (!wish->short_seeds && random_chance(dice, 1, 8)) {
        settings->hours = 24 * 7;
    } else if (random_chance(dice, 1, wish->short_seeds ? 64 : 16)) {
        settings->hours = 24 * 365;
        settings->clock_sample_ms = 3600000;
    }
}

/* Where Kafka loses what it has acknowledged, no claim can be relied on. */
static void add_runs(struct plan *plan, bool always)
{
    struct random dice = random_from(plan->seed, 8);
    bool loses = false;
    for (size_t i = 0; i < plan->count; i++) loses = loses || plan->events[i].what == DO_LOSE;
    bool wanted = random_chance(&dice, 1, 2) || always;
    if (plan->typical || loses || !wanted) return;
    plan->settings.runs = true;
    workload_runs_add(plan, &dice);
    faults_runs_add(plan, &dice);
}

void plan_from_seed(struct plan *plan, uint64_t seed, const struct plan_wishes *wishes)
{
    *plan = (struct plan){.seed = seed, .typical = wishes->typical, .zones = zones_create()};
    struct random dice = random_from(seed, 2);
    choose_settings(plan, &dice, wishes);
    struct random jobs = random_from(seed, 3);
    struct random faults = random_from(seed, 4);
    workload_add(plan, &jobs);
    faults_add(plan, &faults);
    add_runs(plan, wishes->runs);
    plan_sort(plan);
}

/* ---- the story ---- */

static void write_settings(const struct plan *plan, FILE *file)
{
    const struct settings *settings = &plan->settings;
    (void)fprintf(file,
                  "settings seed=%llu shards=%d processes=%d hours=%lld wait_max_ms=%lld "
                  "checkpoint_interval_ms=%lld clock_sample_ms=%lld catchup_per_second=%lld "
                  "start_ms=%lld batch_max=%lld%s\n",
                  (unsigned long long)plan->seed, (int)settings->shards,
                  (int)settings->processes, (long long)settings->hours,
                  (long long)settings->wait_max_ms,
                  (long long)settings->checkpoint_interval_ms,
                  (long long)settings->clock_sample_ms,
                  (long long)settings->catchup_per_second, (long long)settings->start_ms,
                  (long long)settings->batch_max, settings->runs ? " runs=1" : "");
}

static void write_event(const struct planned *event, FILE *file)
{
    int64_t ms = event->at_us / MILLI_US;
    (void)fprintf(file, "+%lldd%02d:%02d:%02d.%03d %s", (long long)(ms / 86400000),
                  (int)(ms / 3600000 % 24), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
                  (int)(ms % 1000), rows[event->what].name);
    for (size_t i = 0; i < EVENT_ARGUMENTS; i++) {
        const struct argument *argument = &rows[event->what].arguments[i];
        int64_t value = event->arguments[i];
        if (argument->kind == A_NONE) break;
        if (argument->kind == A_NUMBER)
            (void)fprintf(file, " %s=%lld", argument->name, (long long)value);
        else
            (void)fprintf(file, " %s=%s", argument->name,
                          argument->kind == A_POINT ? point_name((enum point)value)
                                                    : commit_fate_name((enum commit_fate)value));
    }
    (void)fprintf(file, "%s%s\n", event->text == NULL ? "" : " ",
                  event->text == NULL ? "" : event->text);
}

void plan_write(const struct plan *plan, FILE *file)
{
    write_settings(plan, file);
    for (size_t i = 0; i < plan->count; i++) write_event(&plan->events[i], file);
}

static bool read_settings(const char *line, struct plan *plan)
{
    struct settings *settings = &plan->settings;
    long long n[10];
    if (sscanf(line,
               "settings seed=%lld shards=%lld processes=%lld hours=%lld wait_max_ms=%lld "
               "checkpoint_interval_ms=%lld clock_sample_ms=%lld catchup_per_second=%lld "
               "start_ms=%lld batch_max=%lld",
               &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9]) != 10)
        return false;
    plan->seed = (uint64_t)n[0];
    *settings = (struct settings){.shards = (int32_t)n[1], .processes = (int32_t)n[2],
                                  .hours = n[3], .wait_max_ms = n[4],
                                  .checkpoint_interval_ms = n[5], .clock_sample_ms = n[6],
                                  .catchup_per_second = n[7], .start_ms = n[8],
                                  .batch_max = n[9],
                                  .runs = strstr(line, " runs=1") != NULL};
    return settings->shards >= 1 && settings->shards <= SIM_SHARDS_MAX &&
           settings->processes >= 1 && settings->processes <= PROCESSES_MAX;
}

static bool read_argument(const struct argument *argument, char **at, int64_t *value)
{
    size_t length = strlen(argument->name);
    if (**at != ' ' || strncmp(*at + 1, argument->name, length) != 0 || (*at)[1 + length] != '=')
        return false;
    char *word = *at + length + 2;
    size_t word_length = strcspn(word, " \n");
    *at = word + word_length;
    if (argument->kind == A_NUMBER) {
        char *end = NULL;
        *value = strtoll(word, &end, 10);
        return end == *at && word_length > 0;
    }
    int count = argument->kind == A_POINT ? (int)POINT_COUNT : (int)COMMIT_FATE_COUNT;
    for (int i = 0; i < count; i++) {
        const char *name = argument->kind == A_POINT ? point_name((enum point)i)
                                                     : commit_fate_name((enum commit_fate)i);
        if (strlen(name) != word_length || memcmp(name, word, word_length) != 0) continue;
        *value = i;
        return true;
    }
    return false;
}

static bool read_event(char *line, struct plan *plan)
{
    long long days = 0;
    int hours = 0;
    int minutes = 0;
    int seconds = 0;
    int ms = 0;
    int used = 0;
    char name[20];
    if (sscanf(line, "+%lldd%d:%d:%d.%d %19s%n", &days, &hours, &minutes, &seconds, &ms, name,
               &used) != 6)
        return false;
    int what = 0;
    while (what < DO_COUNT && strcmp(rows[what].name, name) != 0) what++;
    if (what == DO_COUNT) return false;
    char *at = line + used;
    int64_t arguments[EVENT_ARGUMENTS] = {0};
    for (size_t i = 0; i < EVENT_ARGUMENTS; i++) {
        const struct argument *argument = &rows[what].arguments[i];
        if (argument->kind == A_NONE) break;
        if (!read_argument(argument, &at, &arguments[i])) return false;
    }
    at[strcspn(at, "\n")] = '\0';
    int64_t at_us = ((days * 24 + hours) * 3600 + minutes * 60 + seconds) * SECOND_US +
                    ms * MILLI_US;
    plan_add(plan, at_us, (enum event_do)what, arguments[0], arguments[1], arguments[2],
             arguments[3], *at == ' ' ? at + 1 : NULL);
    return true;
}

bool plan_read(struct plan *plan, FILE *file, int *line)
{
    *plan = (struct plan){0};
    char *text = memory_allocate(LINE_BYTES, 1);
    bool good = true;
    bool settings = false;
    *line = 0;
    while (good && fgets(text, LINE_BYTES, file) != NULL) {
        (*line)++;
        if (text[0] == '#' || text[0] == '\n') continue;
        if (!settings) good = settings = read_settings(text, plan);
        else good = read_event(text, plan);
    }
    free(text);
    plan_sort(plan);
    return good && settings;
}

/* ---- doing it ---- */

static void do_process(struct world *world, const struct planned *event)
{
    const int64_t *a = event->arguments;
    if (a[0] < 0 || a[0] >= world->settings.processes) return;
    struct process *process = &world->processes[a[0]];
    if (event->what == DO_ZONES) {
        world->sometimes.count[SOMETIMES_ZONES_REPLACED]++;
        process->zones_next = (int)(a[1] & 3);
        world->sometimes.count[SOMETIMES_ZONE_LOST] += a[1] >= VERSION_LACKS;
    }
    if (event->what == DO_STRICT) process->strict_next = a[1] == 1;
    if (!process->running && event->what != DO_CLOCK_STEP && event->what != DO_CLOCK_DRIFT)
        return;
    switch (event->what) {
    case DO_CRASH:
    case DO_FREEZE_AT:
        process->crash_point = (enum point)a[1];
        process->crash_countdown = a[2];
        process->freeze_there = event->what == DO_FREEZE_AT;
        process->crash_freeze_us = a[3] * MILLI_US;
        if (a[1] != POINT_NONE || event->what != DO_CRASH) return;
        process->leaving = false; /* not in order, whatever it was about to do */
        process_kill(process);
        return;
    case DO_FREEZE: process_freeze(process, a[1] * MILLI_US); return;
    case DO_CUT_OFF: process_cut_off(process, a[1] * MILLI_US); return;
    case DO_LEAVE: process_leave(process); return;
    case DO_LEAVE_AT:
        process->leave_point = (enum point)a[1];
        process->leave_countdown = a[2];
        return;
    case DO_CLOCK_STEP:
        world->sometimes.count[SOMETIMES_CLOCK_STEP]++;
        process_step_clock(process, a[1] * MILLI_US);
        return;
    case DO_CLOCK_DRIFT:
        world->sometimes.count[SOMETIMES_CLOCK_DRIFT]++;
        process_drift_clock(process, a[1]);
        return;
    case DO_NO_MEMORY: process->heap.fail_after = a[1]; return;
    case DO_COMMITS_LOST: process->commits_lost_until_us = world->now_us + a[1] * MILLI_US; return;
    case DO_LATE_INIT: process->init_delay_us = a[1] * MILLI_US; return;
    default: return;
    }
}

static void do_redis(struct world *world, const struct planned *event)
{
    struct redis *redis = &world->redis;
    const int64_t *a = event->arguments;
    switch (event->what) {
    case DO_REDIS_AWAY:
        world->sometimes.count[SOMETIMES_REDIS_AWAY]++;
        redis->away_until_us = world->now_us + a[0] * MILLI_US;
        return;
    case DO_REDIS_SLOW:
        world->sometimes.count[SOMETIMES_REDIS_SLOW]++;
        redis->slow_until_us = world->now_us + a[0] * MILLI_US;
        return;
    case DO_REDIS_FLUSH:
        world->sometimes.count[SOMETIMES_REDIS_FLUSHED]++;
        redis->changes++;
        store_image_empty(redis->image);
        return;
    case DO_REDIS_SAVE:
        store_image_destroy(redis->saved);
        redis->saved = store_image_copy(redis->image);
        return;
    case DO_REDIS_ROLLBACK:
        if (redis->saved == NULL) return;
        world->sometimes.count[SOMETIMES_REDIS_ROLLED_BACK]++;
        redis->changes++;
        store_image_restore(redis->image, redis->saved);
        return;
    case DO_REDIS_FLAKY:
        if (a[0] < 2) return;
        redis->flaky_every = a[0];
        redis->flaky_until_us = world->now_us + a[1] * MILLI_US;
        return;
    case DO_REDIS_DAMAGE:
        if (a[0] < 0 || a[0] >= world->settings.shards || a[2] < 0 || a[3] < 1) return;
        if (store_image_lose(redis->image, (int32_t)a[0],
                             a[1] != 0 ? STORE_SEEN_PUT : STORE_JOB_PUT, (size_t)a[2],
                             (size_t)a[3]) == 0)
            return;
        world->sometimes.count[SOMETIMES_REDIS_DAMAGED]++;
        redis->damaged = true;
        redis->changes++;
        return;
    case DO_REDIS_LOST:
        redis->trouble = a[0] != 0 ? REDIS_LOST_AFTER : REDIS_LOST_BEFORE;
        redis->troubles = a[1];
        return;
    default: return;
    }
}

static void do_command(struct world *world, const struct planned *event)
{
    const int64_t *a = event->arguments;
    struct bulk bulk = {0};
    if (event->what == DO_BULKY) bulk = (struct bulk){a[1], a[2], a[3]};
    if (a[0] >= 0 && a[0] < world->settings.shards)
        world_send_bulk(world, (int32_t)a[0], event->text == NULL ? "" : event->text, &bulk);
}

static void do_own_limit(struct world *world, const struct planned *event)
{
    const int64_t *a = event->arguments;
    if (a[0] < 0 || a[0] >= TOPIC_OWN_COUNT) return;
    world->cluster.own_limit[a[0]] = a[1];
    world->cluster.own_named = a[2] == 1;
    world->cluster.own_limited = true;
}

void plan_do(struct world *world, const struct planned *event)
{
    const int64_t *a = event->arguments;
    world->faults += plan_is_fault(event->what);
    switch (event->what) {
    case DO_NOTE: world_trace(world, "--- %s", event->text); return;
    case DO_OWN_LIMIT: do_own_limit(world, event); return;
    case DO_BULKY:
    case DO_COMMAND:
        world_trace(world, "command shard %d %s", (int)a[0], event->text);
        do_command(world, event);
        return;
    case DO_KAFKA_DOWN: world_kafka_down(world, a[0] * MILLI_US); return;
    case DO_COMMIT:
        if (a[0] < 0 || a[0] >= world->settings.shards) return;
        world->commit_fate[a[0]] = (enum commit_fate)a[1];
        world->commit_delay_us[a[0]] = a[2] * MILLI_US + 1;
        return;
    case DO_SLOW_COMMITS:
        if (a[0] < 0 || a[0] >= world->settings.shards) return;
        world->slow_until_us[a[0]] = world->now_us + a[1] * MILLI_US;
        world->slow_low_us[a[0]] = a[2] * MILLI_US;
        world->slow_high_us[a[0]] = a[3] * MILLI_US;
        return;
    case DO_BAD_LEADER:
        if (a[0] < 0 || a[0] >= world->settings.shards) return;
        world->leader_bad_until_us[a[0]] = world->now_us + a[1] * MILLI_US;
        world->sometimes.count[SOMETIMES_BAD_LEADER]++;
        return;
    case DO_COMPACT:
        if (a[0] >= 0 && a[0] < world->settings.shards) cluster_compact(world, (int32_t)a[0]);
        return;
    case DO_LOSE:
        if (a[0] >= 0 && a[0] < world->settings.shards) loss_happens(world, (int32_t)a[0], a[1]);
        return;
    case DO_RETAIN: cluster_retain(world, world_now_ms(world) - 1200000); return;
    case DO_FOREIGN:
        world->cluster.foreign[a[0]] = (enum foreign_state)a[1];
        for (int32_t s = 0; s < SIM_SHARDS_MAX; s++)
            if (a[1] == FOREIGN_GOOD) world->bad_seen[s][a[0]] = false;
        return;
    case DO_REDIS_AWAY:
    case DO_REDIS_SLOW:
    case DO_REDIS_FLUSH:
    case DO_REDIS_SAVE:
    case DO_REDIS_ROLLBACK:
    case DO_REDIS_DAMAGE:
    case DO_REDIS_FLAKY:
    case DO_REDIS_LOST: do_redis(world, event); return;
    default: break;
    }
    (event->what >= DO_WORKER ? plan_do_runs : do_process)(world, event);
}
