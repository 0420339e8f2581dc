#include "tests/simulation/judge/asked.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/judge/model.h"
#include "tests/simulation/world/world.h"

enum { UNDER_WAY_MOST = 8, FIRES_LISTED_MOST = 100000 };

void asked_free(struct asked *asked)
{
    for (size_t i = 0; i < asked->backfill_count; i++) free(asked->backfills[i].fired);
    free(asked->backfills);
    free(asked->triggers.things);
    free(asked->triggered.things);
    free(asked->again.things);
    free(asked->came_again.things);
    free(asked->undelivered.things);
}

/* ---- lists ---- */

static void add(struct asked_list *list, const char *id, int64_t at_ms)
{
    list->things =
        memory_grow(list->things, &list->capacity, list->count + 1, sizeof *list->things);
    struct asked_thing *last = &list->things[list->count++];
    last->at_ms = at_ms;
    (void)snprintf(last->id, sizeof last->id, "%s", id);
}

static size_t times(const struct asked_list *list, const char *id)
{
    size_t found = 0;
    for (size_t i = 0; i < list->count; i++) found += strcmp(list->things[i].id, id) == 0;
    return found;
}

/* ---- triggers, and runs that come again ---- */

void asked_trigger(struct life *life, const char *command_id, int64_t effective_ms)
{
    add(&life->asked.triggers, command_id, effective_ms);
}

void asked_again(struct life *life, const char *run, int64_t effective_ms)
{
    add(&life->asked.again, run, effective_ms);
}

void asked_fire_again(struct life *life, const struct output *fire, const char *run)
{
    add(&life->asked.came_again, run, fire->at_ms);
}

/* The trigger whose run it is; NULL: it is a slot's. */
static const char *trigger_of(const char *run)
{
    const char *at = strstr(run, "@t:");
    return at == NULL ? NULL : at + strlen("@t:");
}

static bool is_of_trigger(const char *run, const char *id)
{
    const char *trigger = trigger_of(run);
    return trigger != NULL && strcmp(trigger, id) == 0;
}

static size_t times_of_trigger(const struct asked_list *list, const char *id)
{
    size_t found = 0;
    for (size_t i = 0; i < list->count; i++) found += is_of_trigger(list->things[i].id, id);
    return found;
}

static size_t undelivered_at(const struct life *life, int64_t at_ms)
{
    size_t found = 0;
    for (size_t i = 0; i < life->failure_count; i++)
        found += life->failures[i].nominal_ms == at_ms;
    return found;
}

/* A trigger is tried once, and so is each requeue of its run, under its own time: an event says
 * where one could not be delivered. */
static size_t undelivered(const struct life *life, const char *id)
{
    const struct asked *asked = &life->asked;
    size_t found = 0;
    for (size_t i = 0; i < asked->triggers.count; i++)
        if (strcmp(asked->triggers.things[i].id, id) == 0)
            found += undelivered_at(life, asked->triggers.things[i].at_ms);
    for (size_t i = 0; i < asked->again.count; i++)
        if (is_of_trigger(asked->again.things[i].id, id))
            found += undelivered_at(life, asked->again.things[i].at_ms);
    return found;
}

/* The same command may be carried out again, after a day or where its shard's log was lost: then
 * the fire has the same id, too, and either one may be the one that could not be delivered. A
 * requeue of its run has that id as well. */
static void judge_triggers(struct world *world, const struct life *life)
{
    const struct asked *asked = &life->asked;
    for (size_t i = 0; i < asked->triggers.count; i++) {
        const char *id = asked->triggers.things[i].id;
        size_t wanted = times(&asked->triggers, id) + times_of_trigger(&asked->again, id);
        size_t fired = times(&asked->triggered, id) + times_of_trigger(&asked->came_again, id);
        if (fired > wanted)
            world_violation(world, "trigger: %s (%s) fired for %s more often than the %zu times "
                            "it was asked to", life->name, life->id, id, wanted);
        if (fired + undelivered(life, id) < wanted)
            world_violation(world, "trigger: %s (%s) did not fire for %s", life->name, life->id,
                            id);
    }
    for (size_t i = 0; i < asked->triggered.count; i++)
        if (times(&asked->triggers, asked->triggered.things[i].id) == 0)
            world_violation(world, "trigger: %s (%s) fired for %s, which nobody sent", life->name,
                            life->id, asked->triggered.things[i].id);
}

/* Behind the last colon, or behind the at sign where there is none. */
static int64_t nominal_of(const char *run)
{
    const char *at = strrchr(run, '@');
    const char *colon = at == NULL ? NULL : strrchr(at, ':');
    if (at == NULL) return NEVER_MS;
    return strtoll((colon != NULL ? colon : at) + 1, NULL, 10);
}

static int64_t first_asked_ms(const struct asked_list *list, const char *run)
{
    int64_t first_ms = ALWAYS_MS;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->things[i].id, run) == 0 && list->things[i].at_ms < first_ms)
            first_ms = list->things[i].at_ms;
    return first_ms;
}

/* Of the run of a slot or of a backfill: how often an event says that it could not be delivered,
 * since it was to come again. */
static size_t undelivered_again(const struct life *life, const char *run)
{
    const struct asked *asked = &life->asked;
    int64_t since_ms = first_asked_ms(&asked->again, run);
    int64_t nominal_ms = nominal_of(run);
    size_t found = 0;
    for (size_t i = 0; i < life->failure_count; i++)
        found += life->failures[i].nominal_ms == nominal_ms &&
                 life->failures[i].from_ms >= since_ms;
    for (size_t i = 0; i < asked->undelivered.count; i++)
        found += strcmp(asked->undelivered.things[i].id, run) == 0 &&
                 asked->undelivered.things[i].at_ms >= since_ms;
    return found;
}

/* The run of a slot or of a backfill is fired once for each time that it is asked for. */
static void judge_again(struct world *world, const struct life *life)
{
    const struct asked *asked = &life->asked;
    for (size_t i = 0; i < asked->came_again.count; i++) {
        const char *id = asked->came_again.things[i].id;
        if (trigger_of(id) == NULL && times(&asked->came_again, id) > times(&asked->again, id))
            world_violation(world, "requeue: %s came again more often than it was asked to", id);
    }
    for (size_t i = 0; i < asked->again.count; i++) {
        const char *id = asked->again.things[i].id;
        if (trigger_of(id) == NULL &&
            times(&asked->came_again, id) + undelivered_again(life, id) < times(&asked->again, id))
            world_violation(world, "requeue: %s did not come again", id);
    }
}

/* ---- backfills: commands ---- */

static const char *id_of(const struct sent_command *command)
{
    return command->backfill_id[0] != '\0' ? command->backfill_id : command->own_id;
}

static struct asked_backfill *find(const struct life *life, const char *id)
{
    for (size_t i = life->asked.backfill_count; i-- > 0;)
        if (strcmp(life->asked.backfills[i].id, id) == 0) return &life->asked.backfills[i];
    return NULL;
}

static struct asked_backfill *under_way(const struct life *life, const char *id)
{
    struct asked_backfill *backfill = find(life, id);
    return backfill == NULL || backfill->over ? NULL : backfill;
}

static int64_t to_of(const struct sent_command *command, int64_t effective_ms)
{
    return command->to_ms == ALWAYS_MS ? effective_ms : command->to_ms;
}

enum asked_refusal asked_check(const struct life *life, const struct sent_command *command,
                               int64_t effective_ms)
{
    int count = 0;
    int64_t to_ms = to_of(command, effective_ms);
    if (to_ms > effective_ms || command->from_ms >= to_ms) return ASKED_REJECTED;
    if (find(life, id_of(command)) != NULL || life_is_zoneless(life)) return ASKED_CONFLICT;
    for (size_t i = 0; i < life->asked.backfill_count; i++)
        count += !life->asked.backfills[i].over;
    return count == UNDER_WAY_MOST ? ASKED_CONFLICT : ASKED_WELL;
}

bool asked_open(struct life *life, const struct sent_command *command, int64_t effective_ms,
                bool dry)
{
    const struct wanted *wanted = &life->wanted;
    struct asked *asked = &life->asked;
    int64_t from_ms = command->from_ms;
    int64_t to_ms = to_of(command, effective_ms);
    int64_t next_ms = 0;
    if (wanted->start_ms != NEVER_MS && from_ms < wanted->start_ms) from_ms = wanted->start_ms - 1;
    if (wanted->end_ms != ALWAYS_MS && to_ms >= wanted->end_ms) to_ms = wanted->end_ms - 1;
    if (!slow_next(&wanted->schedule, from_ms, to_ms, &next_ms)) return false;
    if (dry) return true;
    asked->backfills = memory_grow(asked->backfills, &asked->backfill_capacity,
                                   asked->backfill_count + 1, sizeof *asked->backfills);
    struct asked_backfill *backfill = &asked->backfills[asked->backfill_count++];
    *backfill = (struct asked_backfill){
        .schedule = wanted->schedule, .from_ms = from_ms, .to_ms = to_ms, .rate = command->rate,
        .unknown_ms = NEVER_MS};
    (void)snprintf(backfill->id, sizeof backfill->id, "%s", id_of(command));
    return true;
}

bool asked_cancel(struct life *life, const struct sent_command *command, int64_t effective_ms,
                  bool dry)
{
    struct asked_backfill *backfill = find(life, id_of(command));
    if (backfill == NULL) return false;
    if (backfill->over) return !dry && backfill->unknown_ms == effective_ms; /* by this command */
    if (!dry) backfill->over = true;
    return true;
}

void asked_change_zones(struct life *life)
{
    for (size_t i = 0; i < life->asked.backfill_count; i++) {
        struct asked_backfill *backfill = &life->asked.backfills[i];
        if (!backfill->over && backfill->schedule.zone != NULL) backfill->reckoned = true;
    }
}

/* ---- what came out ---- */

/* What follows "b:", or "i:<where the import stood>:" where the job was imported. */
static const char *backfill_of(const struct life *life, const struct output *fire)
{
    const char *id = fire->trigger + 2;
    size_t length = strlen(life->import);
    if (fire->trigger[0] == 'b') return life->import[0] == '\0' ? id : "";
    bool named = length > 0 && strncmp(id, life->import, length) == 0 && id[length] == ':';
    return named ? id + length + 1 : "";
}

static void fire_of_backfill(struct world *world, struct life *life, const struct output *fire,
                             const struct step *step)
{
    struct asked_backfill *backfill = under_way(life, backfill_of(life, fire));
    if (backfill == NULL) {
        world_violation(world, "backfill: %s fires %" PRId64 " for %s, which is not under way",
                        life->name, fire->at_ms, fire->trigger);
        return;
    }
    backfill->fired = memory_grow(backfill->fired, &backfill->fired_capacity,
                                  backfill->fired_count + 1, sizeof *backfill->fired);
    backfill->fired[backfill->fired_count++] = fire->at_ms;
    if (backfill->in_step != step) backfill->in_step_count = 0;
    backfill->in_step = step;
    /* A turn of the lane may make up for a tenth of a second. */
    if (++backfill->in_step_count > 1 + backfill->rate / 10)
        world_violation(world, "backfill: %s fires %" PRId64 " slots of %s at once, its rate is %"
                        PRId64, life->name, backfill->in_step_count, backfill->id,
                        backfill->rate);
}

void asked_fire(struct world *world, struct life *life, const struct output *fire,
                const struct step *step)
{
    if (fire->trigger[0] != 't') {
        world->sometimes.count[SOMETIMES_FIRE_BACKFILLED]++;
        fire_of_backfill(world, life, fire, step);
        return;
    }
    world->sometimes.count[SOMETIMES_FIRE_TRIGGERED]++;
    world->sometimes.count[SOMETIMES_TRIGGERED_IN_PAUSE] += life->paused_ms != NEVER_MS;
    add(&life->asked.triggered, fire->trigger + 2, fire->time_ms);
}

/* A slot of a backfill could not be delivered, in its first try or in a later one. */
static void note_undelivered(struct life *life, const struct output *event)
{
    char run[2 * HISTORY_RUN_BYTES];
    (void)snprintf(run, sizeof run, "%s@b:%s:%" PRId64, life->id, event->trigger, event->first_ms);
    add(&life->asked.undelivered, run, event->at_ms);
}

void asked_event(struct world *world, struct life *life, const struct output *event)
{
    struct asked_backfill *backfill = under_way(life, event->trigger);
    if (strcmp(event->word, "backfill_started") == 0) return; /* its command comes later */
    if (strcmp(event->word, "fire_failed") == 0) {
        note_undelivered(life, event);
        return;
    }
    if (backfill == NULL) {
        world_violation(world, "backfill: %s of %s for %s, which is not under way", event->word,
                        life->name, event->trigger);
    } else if (strcmp(event->word, "backfill_finished") == 0) {
        backfill->over = true;
        backfill->finished = true;
        if (event->count != (int64_t)backfill->fired_count)
            world_violation(world, "backfill: %s of %s says %" PRId64 " fires, there were %zu",
                            backfill->id, life->name, event->count, backfill->fired_count);
    } else if (strcmp(event->reason, "zone_missing") == 0) {
        backfill->over = true;
        backfill->unknown_ms = event->at_ms;
        backfill->reckoned = true; /* which slots it had left is not known */
    } else if (strcmp(event->word, "skipped") == 0) {
        world->sometimes.count[SOMETIMES_BACKFILL_ENDED]++;
        backfill->told += event->count;
        backfill->told_first_ms = event->first_ms;
        backfill->told_last_ms = event->last_ms;
    } else {
        world_violation(world, "backfill: event %s of %s for %s", event->word, life->name,
                        event->trigger);
    }
}

/* ---- at rest ---- */

static bool fired_once(const struct asked_backfill *backfill, int64_t nominal_ms, size_t at)
{
    if (at < backfill->fired_count && backfill->fired[at] == nominal_ms) return true;
    for (size_t i = 0; i < backfill->fired_count; i++)
        if (backfill->fired[i] == nominal_ms) return true;
    return false;
}

static void judge_slots(struct world *world, const struct life *life,
                        const struct asked_backfill *backfill)
{
    int64_t at_ms = backfill->from_ms;
    int64_t unfired = 0;
    size_t slots = 0;
    while (slots < FIRES_LISTED_MOST &&
           slow_next(&backfill->schedule, at_ms, backfill->to_ms, &at_ms)) {
        if (!fired_once(backfill, at_ms, slots++)) {
            unfired++;
            bool told = backfill->told > 0 && at_ms >= backfill->told_first_ms &&
                        at_ms <= backfill->told_last_ms;
            if (!told && backfill->over)
                world_violation(world, "backfill: %s of %s lost %" PRId64, backfill->id,
                                life->name, at_ms);
        }
    }
    if (backfill->fired_count + (size_t)unfired != slots)
        world_violation(world, "backfill: %s of %s has %zu slots, %zu were fired, %" PRId64
                        " not: one came twice or was of no slot", backfill->id, life->name, slots,
                        backfill->fired_count, unfired);
    if (unfired != backfill->told && backfill->over)
        world_violation(world, "backfill: %s of %s: %" PRId64 " slots did not fire, events name %"
                        PRId64, backfill->id, life->name, unfired, backfill->told);
}

static void judge_backfill(struct world *world, const struct life *life,
                           const struct asked_backfill *backfill)
{
    if (!backfill->reckoned) judge_slots(world, life, backfill);
    for (size_t i = 1; i < backfill->fired_count; i++)
        if (backfill->fired[i] == backfill->fired[i - 1])
            world_violation(world, "backfill: %s of %s fired %" PRId64 " twice", backfill->id,
                            life->name, backfill->fired[i]);
    if (!backfill->over && life->there)
        world_violation(world, "backfill: %s of %s has not come to its end", backfill->id,
                        life->name);
}

void asked_judge(struct world *world, const struct life *life)
{
    judge_triggers(world, life);
    judge_again(world, life);
    for (size_t i = 0; i < life->asked.backfill_count; i++)
        judge_backfill(world, life, &life->asked.backfills[i]);
}
