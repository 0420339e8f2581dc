#include "tests/simulation/anew.h"

#include <string.h>

#include "schemas/mark_json.h"
#include "tests/simulation/world.h"

#define SETTLE_US (3 * MINUTE_US) /* open transactions end, sessions run out */
#define LOOK_US (5 * MINUTE_US)
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
    const struct last_read *last =
        topic == TOPIC_CONTROL ? &mark.control_last : &mark.forward_last;
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

void anew_play(struct world *world)
{
    struct random dice = random_from(world->seed, STREAM_ANEW);
    struct anew *anew = &world->anew;
    anew->shard = (int32_t)random_between(&dice, 0, world->settings.shards - 1);
    for (int32_t p = 0; p < world->settings.processes; p++) {
        world->processes[p].stays_down = true;
        if (world->processes[p].running) process_kill(&world->processes[p]);
    }
    world_run(world, world->now_us + SETTLE_US);
    bool forward = random_chance(&dice, 1, 2);
    if (!(forward && change_topic(world, TOPIC_FORWARD, &dice)) &&
        !change_topic(world, TOPIC_CONTROL, &dice))
        return;
    for (int32_t p = 0; p < world->settings.processes; p++) process_start(&world->processes[p]);
    world_run(world, world->now_us + LOOK_US);
    if (anew->other && !anew->refused)
        world_violation(world, "made anew: shard %d goes on with another log", (int)anew->shard);
}

bool anew_explains(struct world *world, int32_t shard, const char *fields)
{
    struct anew *anew = &world->anew;
    bool mine = anew->other && shard == anew->shard &&
                (strstr(fields, "state_lost: topic control ") != NULL ||
                 strstr(fields, "state_lost: topic forward ") != NULL);
    anew->refused = anew->refused || mine;
    return mine;
}
