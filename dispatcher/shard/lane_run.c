/* The catch-up lane at work. Late slots go out at a bounded rate, one of each job in turn. What
 * came due in time behind them comes on top of the rate: each brings its own allowance, so that
 * what is owed shrinks by the rate however much comes due meanwhile. A job whose next slot is not
 * late is not held back at all: it is served until it owes nothing, or has a late slot. */
#include <assert.h>

#include "dispatcher/shard/shard_state.h"
#include "lib/base/limits.h"

enum {
    LANE_TURN_MS = 50,      /* fewer transactions: lane fires go out in small groups */
    LANE_AGAIN_MS = 5,      /* the next turn where the last one left work, or a run lets it go on */
    LANE_FIRES_MOST = 3000, /* of one turn: about 10 ms of work, for which live slots wait */
    LANE_LOOKS_MOST = 3000
};
#define BEHIND_MS MINUTES_MS /* so long it may fail to shrink before that is said */

/* ---- one job ---- */

struct turn {
    int64_t now_ms;
    int64_t rate;  /* late fires that the rate allows */
    int64_t work;  /* fires of any kind */
    const struct sink *sink;
};

static bool is_over(const struct turn *turn)
{
    return turn->work <= 0 || turn->sink->full(turn->sink->opaque);
}

static bool pay(struct shard *shard, struct turn *turn, bool late)
{
    if (shard->lane_state.joined > 0) shard->lane_state.joined--;
    else if (late && turn->rate > 0) turn->rate--;
    else if (late) return false;
    turn->work--;
    return true;
}

/* Behind its first fire a job goes on with slots that are not late; one that names a topic of its
 * own does not: they may all be refused. */
static bool goes_on(const struct job *job, bool late, int fired)
{
    return fired == 0 || (!late && (job->flags & JOB_FOREIGN) == 0);
}

__attribute__((warn_unused_result)) static struct job *
serve(struct shard *shard, struct job *job, struct turn *turn)
{
    const struct sink *sink = turn->sink;
    struct job_slot slot;
    int fired = 0;
    bool late = false;
    if (job->flags & JOB_OVERLAP) { /* a run that has ended since may have changed what is owed */
        lane_give_up_old(shard, job, turn->now_ms, sink);
        lane_uncount(shard, job);
    }
    if (!job->extra->lane_counted) lane_count(shard, job);
    bool more = lane_next(shard, job, turn->now_ms, &slot, sink);
    while (more && !is_over(turn) && !shard_run_in_way(shard, job) && !shard_holds(shard, job)) {
        late = job_is_late(job, slot.due_ms, turn->now_ms);
        if (!goes_on(job, late, fired) || !pay(shard, turn, late)) break;
        job->extra->lane_slots--;
        shard->lane_state.slots--;
        lane_fire_slot(shard, job, FIRE_CATCHUP, slot, turn->now_ms, sink);
        fired++;
        more = lane_next(shard, job, turn->now_ms, &slot, sink);
    }
    if (more) {
        job_queue_add(late ? &shard->lane : &shard->lane_new, job_reference_of(job));
        job->extra->in_lane = true;
    } else {
        job = lane_leave(shard, job, turn->now_ms, sink);
    }
    if (job != NULL && (fired > 0 || !more)) sink->job_changed(sink->opaque, job);
    return job;
}

/* The next job of the queue, if it is still the lane's. */
static void serve_next(struct shard *shard, struct job_queue *queue, struct turn *turn)
{
    struct job_reference reference;
    (void)job_queue_take(queue, &reference);
    struct job *job = shard_job_of(shard, reference);
    if (job == NULL) return;
    job->extra->in_lane = false;
    if (job_owes(job) && !job_is_undecided(job) && !job_is_failing(job) &&
        !shard_run_in_way(shard, job) && !shard_hold(shard, job) &&
        (job->flags & JOB_STANDS_STILL) == 0)
        job = serve(shard, job, turn);
    else
        lane_uncount(shard, job);
    if (job != NULL) job_lighten(job);
}

/* ---- a turn ---- */

static int64_t turn_length_ms(const struct shard *shard)
{
    int64_t one_ms = 1000 / shard->config.catchup_per_second;
    return one_ms > LANE_TURN_MS ? one_ms : LANE_TURN_MS;
}

int64_t shard_lane_due_ms(const struct shard *shard)
{
    if (shard->lane.count + shard->lane_new.count + shard->backfills.count == 0) return INT64_MAX;
    const struct lane *lane = &shard->lane_state;
    return lane->turn_ms + (lane->goes_on ? LANE_AGAIN_MS : turn_length_ms(shard));
}

bool shard_lane_is_due(const struct shard *shard, int64_t now_ms)
{
    int64_t due_ms = shard_lane_due_ms(shard);
    return due_ms != INT64_MAX && (now_ms >= due_ms || now_ms < shard->lane_state.turn_ms);
}

/* What is less than a whole fire counts for the next turn: a rate is kept however few it allows. */
static int64_t rate_allows(struct shard *shard, int64_t now_ms)
{
    struct lane *lane = &shard->lane_state;
    int64_t most_ms = 2 * turn_length_ms(shard);
    int64_t since_ms = now_ms - lane->ran_ms;
    if (since_ms < 0 || since_ms > most_ms) since_ms = most_ms;
    int64_t thousandths = lane->rest + since_ms * shard->config.catchup_per_second;
    int64_t allowed = thousandths / 1000;
    lane->ran_ms = now_ms;
    lane->rest = thousandths % 1000;
    return allowed;
}

/* What is owed has not become less for a minute: more comes due late than the rate allows, or the
 * turns are too slow. */
static void tell_behind(struct shard *shard, const struct turn *turn)
{
    struct lane *lane = &shard->lane_state;
    if (shard->lane.count + shard->lane_new.count == 0) {
        lane->joined = 0;
        lane->then_ms = INSTANT_NONE;
        return;
    }
    if (shard->lane_new.count > 0) return; /* not all are counted */
    bool noted = lane->then_ms != INSTANT_NONE && lane->then_ms <= turn->now_ms;
    if (noted && turn->now_ms - lane->then_ms < BEHIND_MS) return;
    if (noted && lane->slots >= lane->then_slots && lane->slots > 0) {
        struct event event;
        event_init(&event, EVENT_CATCHUP_BEHIND, turn->now_ms);
        event.count = lane->slots;
        event.rate = shard->config.catchup_per_second;
        event.until_ms = turn->now_ms + lane->slots * 1000 / event.rate;
        turn->sink->event(turn->sink->opaque, &event);
    }
    lane->then_ms = turn->now_ms;
    lane->then_slots = lane->slots;
}

void shard_run_lane(struct shard *shard, int64_t now_ms, const struct sink *sink)
{
    assert(shard->watermark.ordinal == WATERMARK_WHOLE);
    struct lane *lane = &shard->lane_state;
    if (!shard_lane_is_due(shard, now_ms)) return;
    struct turn turn = {now_ms, rate_allows(shard, now_ms), LANE_FIRES_MOST, sink};
    size_t looks = shard->lane_new.count < LANE_LOOKS_MOST ? shard->lane_new.count
                                                           : LANE_LOOKS_MOST;
    lane->turn_ms = now_ms;
    for (; looks > 0 && !is_over(&turn); looks--) serve_next(shard, &shard->lane_new, &turn);
    while (shard->lane.count > 0 && turn.rate + lane->joined > 0 && !is_over(&turn))
        serve_next(shard, &shard->lane, &turn);
    lane->goes_on = shard->lane_new.count > 0 ||
                    (shard->lane.count > 0 && turn.rate + lane->joined > 0);
    tell_behind(shard, &turn);
    if (turn.rate > turn.work) turn.rate = turn.work;
    backfill_run(shard, now_ms, &turn.rate, sink);
}
