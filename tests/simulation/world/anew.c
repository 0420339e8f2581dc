#include "tests/simulation/world/anew.h"

#include <string.h>

#include "dispatcher/engine/inputs.h"
#include "schemas/mark_json.h"
#include "tests/simulation/world/world.h"

#define SETTLE_US (3 * MINUTE_US) /* open transactions end, sessions run out */
#define LOOK_US (5 * MINUTE_US)
#define BEGIN_US (20 * SECOND_US) /* a command is in the middle by then, or is done at once */
enum { STREAM_ANEW = 77 };

/* What happens to the last record that was read. The first three: it is another log. */
enum change {
    MADE_LATER, /* the same command, sent again */
    MADE_OTHER, /* another one, at the same time */
    MADE_SHORT, /* the new log has fewer */
    LEFT_CUT,   /* deleted by retention */
    LEFT_GONE,  /* not among what a reader gets */
    CHANGE_COUNT
};

static bool last_mark(const struct world *world, int32_t shard, struct mark *mark)
{
    const struct log *log = &world->cluster.state[shard];
    struct error error = {0};
    for (size_t i = log->count; i-- > 0;) {
        const struct record *record = log->records[i];
        if (!record->marker && !record->aborted && text_equal(record->key, text_of("mark")))
            return mark_decode(record->value, mark, &error);
    }
    return false;
}

static void replace(struct world *world, struct record **place)
{
    struct record *before = *place;
    struct record *after = record_copy(&(struct broker_record){.topic = before->topic,
                                                               .partition = before->partition,
                                                               .key = before->key,
                                                               .value = text_of("{}")});
    after->offset = before->offset;
    after->time_ms = before->time_ms;
    cluster_retire(&world->cluster, before);
    *place = after;
}

static void drop(struct world *world, struct log *log, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) cluster_retire(&world->cluster, log->records[i]);
    memmove(log->records + from, log->records + to, (log->count - to) * sizeof *log->records);
    log->count -= to - from;
}

static void change_log(struct world *world, struct log *log, size_t at, enum change change)
{
    struct record *record = log->records[at];
    switch (change) {
    case MADE_LATER: record->time_ms++; break;
    case MADE_OTHER: replace(world, &log->records[at]); break;
    case MADE_SHORT:
        log->next_offset = record->offset;
        drop(world, log, at, log->count);
        break;
    case LEFT_CUT:
        log->first_offset = record->offset + 1;
        drop(world, log, 0, at + 1);
        break;
    case LEFT_GONE:
    case CHANGE_COUNT: record->aborted = true; break;
    }
}

/* False: the record has been deleted before, or nothing was ever read. */
static bool change_topic(struct world *world, enum broker_topic topic, struct random *dice)
{
    struct anew *anew = &world->anew;
    struct mark mark = {0};
    struct log *log = cluster_log(&world->cluster, topic, anew->shard);
    if (log->open_count > 0 || !last_mark(world, anew->shard, &mark)) return false;
    const struct last_read *last = &mark.inputs[input_of_topic(topic)].last;
    size_t at = 0;
    while (at < log->count && log->records[at]->offset < last->offset) at++;
    if (!last->known || at == log->count || log->records[at]->offset != last->offset) return false;
    enum change change = (enum change)random_between(dice, 0, CHANGE_COUNT - 1);
    if (change == LEFT_CUT && topic == TOPIC_FORWARD) change = LEFT_GONE; /* markers behind it */
    world_trace(world, "--- topic %d of shard %d: change %d of record %lld", (int)topic,
                (int)anew->shard, (int)change, (long long)last->offset);
    change_log(world, log, at, change);
    anew->other = change <= MADE_SHORT;
    world->sometimes.count[anew->other ? SOMETIMES_MADE_ANEW : SOMETIMES_LAST_READ_GONE]++;
    return true;
}

/* ---- a command that is half done ---- */

static bool half_done(const struct world *world, struct mark *mark)
{
    return last_mark(world, world->anew.shard, mark) && mark->in_command.active &&
           mark->in_command.input == INPUT_CONTROL;
}

/* A command to all jobs; true: it takes several transactions, and has not come to its end. */
static bool begin_command(struct world *world)
{
    const struct log *log = &world->cluster.state[world->anew.shard];
    struct mark mark = {0};
    int64_t until_us = world->now_us + BEGIN_US;
    bool begun = false;
    int64_t seen = -1; /* up to there the log has been looked at */
    world_send(world, world->anew.shard, "{\"op\":\"update\",\"select\":{\"all\":true},"
                                         "\"set\":{\"labels\":{\"half\":\"done\"}}}");
    for (;;) {
        if (log->next_offset != seen) begun = half_done(world, &mark);
        seen = log->next_offset;
        if (begun || world->now_us >= until_us) return begun;
        world_run(world, world->now_us + MILLI_US);
    }
}

/* What the mark says of it when its record has gone. */
static bool lose_begun(struct world *world, struct random *dice, struct in_command *begun)
{
    struct anew *anew = &world->anew;
    struct mark mark = {0};
    struct log *log = cluster_log(&world->cluster, TOPIC_CONTROL, anew->shard);
    if (log->open_count > 0 || !half_done(world, &mark)) return false;
    size_t at = 0;
    while (at < log->count && log->records[at]->offset < mark.in_command.offset) at++;
    if (at == log->count || log->records[at]->offset != mark.in_command.offset) return false;
    enum change change = random_chance(dice, 1, 2) ? LEFT_CUT : LEFT_GONE;
    world_trace(world, "--- shard %d: change %d of record %lld, a command half done",
                (int)anew->shard, (int)change, (long long)mark.in_command.offset);
    change_log(world, log, at, change);
    *begun = mark.in_command;
    world->sometimes.count[SOMETIMES_BEGUN_GONE]++;
    return true;
}

/* It has one result, which says how far it came. */
static void judge_begun(struct world *world, const struct in_command *begun)
{
    const struct history *history = &world->history;
    int32_t shard = world->anew.shard;
    int count = 0;
    for (size_t i = 0; i < history->step_count[shard]; i++) {
        const struct step *step = &history->steps[shard][i];
        for (size_t at = step->first; at < step->first + step->count; at++) {
            const struct output *result = &history->outputs[at];
            if (result->kind != OUTPUT_RESULT || result->partition != shard ||
                result->offset != begun->offset)
                continue;
            count++;
            if (strcmp(result->word, "partial") != 0 ||
                strcmp(result->reason, "interrupted") != 0 ||
                result->matched != begun->matched || result->first_ms != begun->changed)
                world_violation(world, "half done: shard %d answers %s %s, %lld of %lld, after "
                                "%lld of %lld", (int)shard, result->word, result->reason,
                                (long long)result->first_ms, (long long)result->matched,
                                (long long)begun->changed, (long long)begun->matched);
        }
    }
    if (count != 1)
        world_violation(world, "half done: shard %d has %d results for a command whose record is "
                        "gone", (int)shard, count);
}

/* ---- the play ---- */

static void kill_all(struct world *world)
{
    for (int32_t p = 0; p < world->settings.processes; p++) {
        world->processes[p].stays_down = true;
        if (world->processes[p].running) process_kill(&world->processes[p]);
    }
    world_run(world, world->now_us + SETTLE_US);
}

static void start_all(struct world *world)
{
    for (int32_t p = 0; p < world->settings.processes; p++) process_start(&world->processes[p]);
    world_run(world, world->now_us + LOOK_US);
}

void anew_play(struct world *world)
{
    struct random dice = random_from(world->seed, STREAM_ANEW);
    struct anew *anew = &world->anew;
    struct in_command begun;
    anew->shard = (int32_t)random_between(&dice, 0, world->settings.shards - 1);
    bool half = random_chance(&dice, 1, 2) && begin_command(world);
    kill_all(world);
    if (half && lose_begun(world, &dice, &begun)) {
        start_all(world);
        if (!world->stopped) judge_begun(world, &begun);
        return;
    }
    bool forward = random_chance(&dice, 1, 2);
    if (!(forward && change_topic(world, TOPIC_FORWARD, &dice)) &&
        !change_topic(world, TOPIC_CONTROL, &dice))
        return;
    start_all(world);
    if (anew->other && !anew->refused)
        world_violation(world, "made anew: shard %d goes on with another log", (int)anew->shard);
}

bool anew_explains(struct world *world, int32_t shard, const char *message)
{
    struct anew *anew = &world->anew;
    bool mine = anew->other && shard == anew->shard &&
                (strstr(message, "state_lost: topic control ") != NULL ||
                 strstr(message, "state_lost: topic forward ") != NULL);
    anew->refused = anew->refused || mine;
    return mine;
}
