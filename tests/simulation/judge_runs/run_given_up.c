/* A try that no report ended: whether its owner might give it up, by what stood in the log, what
 * was asked of whom, and when. */
#include <inttypes.h>
#include <string.h>

#include "tests/simulation/judge_runs/run_judge.h"

#define LAPSE_MS INT64_C(1000)

struct silence { /* what is known of a try before a tick */
    const struct judged_report *tick;
    const struct judged_report *sign;    /* the newest; NULL: nobody has claimed it */
    const struct judged_report *started; /* the newest that says where the fire stands */
    bool proven; /* a `running` */
};

/* Clocks of processes drift: a little of any span. */
static int64_t drift_ms(int64_t span_ms)
{
    return 20 + span_ms / 500;
}

static bool is_claim(const struct judged_report *report, const struct judged_try *tried)
{
    if (report->word == SAID_RUNNING) return true;
    return report->word == SAID_STARTED &&
           (tried->expiry_ms == 0 || report->time_ms < tried->expiry_ms);
}

static struct silence look(const struct run_judge *judge, const struct judged_run *run,
                           const struct judged_try *tried, size_t tick)
{
    struct silence silence = {.tick = &judge->reports[tick]};
    size_t first = 0;
    size_t count = run_reports_of(judge, tried->runnumber, &first);
    for (size_t i = first; i < first + count && !tried->fixed; i++) {
        const struct judged_report *report = &judge->reports[judge->by_number[i]];
        if (judge->by_number[i] >= tick) break;
        if (!run_report_is_of(report, run, tried) || !is_claim(report, tried)) continue;
        silence.sign = report;
        if (report->word == SAID_STARTED) silence.started = report;
        silence.proven = silence.proven || report->word == SAID_RUNNING;
    }
    return silence;
}

/* When the owner sent it; INT64_MAX: nobody of that epoch did. */
static int64_t sent_ms(const struct run_judge *judge, const struct judged_report *tick)
{
    const struct run_facts *facts = &judge->world->facts;
    for (size_t i = 0; i < facts->tick_count; i++)
        if (facts->ticks[i].shard == judge->shard && facts->ticks[i].epoch == tick->epoch &&
            facts->ticks[i].number == tick->number)
            return facts->ticks[i].time_ms;
    return INT64_MAX;
}

/* When the lease began, at the earliest: with its newest sign, and anew with each owner. */
static int64_t began_ms(const struct run_judge *judge, const struct judged_try *tried,
                        const struct silence *silence)
{
    int64_t fired_ms = tried->fired->time_ms; /* its owner's clock may be ahead */
    if (tried->fired_ms < fired_ms) fired_ms = tried->fired_ms;
    int64_t from_ms = silence->sign == NULL ? fired_ms : silence->sign->at_ms;
    int64_t taken_ms = judge->taken[judge->taken_count - 1].opened_ms;
    return taken_ms > from_ms ? taken_ms : from_ms;
}

static int64_t over_ms(const struct run_judge *judge, const struct judged_try *tried,
                       const struct silence *silence)
{
    int64_t over_ms = began_ms(judge, tried, silence) + tried->lease_ms + LAPSE_MS;
    return over_ms - drift_ms(tried->lease_ms);
}

/* Whether an answer that the fire is committed, or that it is not, was heard by the owner between
 * the two times. */
static bool was_answered(const struct run_judge *judge, const struct judged_try *tried,
                         const struct silence *silence, int64_t from_ms, int64_t to_ms,
                         bool committed)
{
    const struct run_facts *facts = &judge->world->facts;
    const struct judged_report *started = silence->started;
    for (size_t i = 0; i < facts->said_count && started != NULL; i++) {
        const struct group_said *said = &facts->said[i];
        if (said->shard == judge->shard && said->time_ms >= from_ms && said->time_ms <= to_ms &&
            strcmp(said->group, tried->workers) == 0 &&
            strcmp(said->topic, started->topic) == 0 && said->partition == started->partition &&
            (said->committed > started->fire_offset) == committed)
            return true;
    }
    return false;
}

/* Its lease was over before the question, the question before the tick. */
static const char *not_lost(const struct run_judge *judge, const struct judged_try *tried,
                            const struct silence *silence, int64_t tick_ms)
{
    int64_t lease_over_ms = over_ms(judge, tried, silence);
    int64_t expired_ms = tried->expiry_ms + LAPSE_MS;
    if (silence->sign == NULL && !tried->fixed) return "nobody has claimed it";
    if (tick_ms < lease_over_ms) return "its lease was not over when the tick was sent";
    if (tried->fixed || silence->proven) return NULL;
    if (was_answered(judge, tried, silence, lease_over_ms, tick_ms, true)) return NULL;
    if (tried->expiry_ms > 0 && silence->tick->time_ms >= expired_ms) return NULL;
    return "nobody has said before the tick that its fire is committed";
}

static const char *was_started(const struct run_judge *judge, const struct judged_try *tried,
                               const struct silence *silence, int64_t tick_ms)
{
    int64_t expired_ms = tried->expiry_ms + LAPSE_MS;
    if (tried->fixed) return "it is never claimed";
    if (tried->expiry_ms > 0 && silence->tick->time_ms < expired_ms)
        return "it could still be claimed";
    if (silence->sign == NULL) return NULL;
    if (silence->proven) return "its worker has said that it runs";
    int64_t lease_over_ms = over_ms(judge, tried, silence);
    if (tick_ms < lease_over_ms) return "it was claimed, and its lease was not over";
    if (was_answered(judge, tried, silence, lease_over_ms, tick_ms, false)) return NULL;
    return "it was claimed, and nobody has said that its fire is not committed";
}

/* Reports were deleted unread: each try that was open when what stands behind them was read may
 * have been claimed. */
static bool are_lost(const struct run_judge *judge, const struct judged_try *tried, size_t tick)
{
    for (size_t i = tick; i-- > 0;)
        if (judge->reports[i].read_ms == INT64_MAX)
            return judge->reports[i + 1].read_ms >= tried->fired->time_ms;
    return false;
}

static const char *why_not(const struct run_judge *judge, const struct judged_run *run,
                           const struct judged_try *tried, size_t tick)
{
    struct silence silence = look(judge, run, tried, tick);
    int64_t tick_ms = sent_ms(judge, silence.tick);
    if (tick_ms == INT64_MAX) return "its owner has not sent that tick";
    if (are_lost(judge, tried, tick)) return NULL;
    if (tried->outcome == SAID_LOST) return not_lost(judge, tried, &silence, tick_ms);
    if (tried->outcome == SAID_NOT_STARTED) return was_started(judge, tried, &silence, tick_ms);
    const char *why = not_lost(judge, tried, &silence, tick_ms);
    return why == NULL ? NULL : was_started(judge, tried, &silence, tick_ms);
}

/* One tick of the step that may have decided it is enough. */
const char *run_why_not_given_up(const struct run_judge *judge, const struct judged_run *run,
                                 const struct judged_try *tried, const struct step *step,
                                 size_t before)
{
    const char *why = "no tick of its owner was read";
    if (step->mark.generation > tried->runnumber >> 32) return NULL; /* it ends without asking */
    for (size_t i = judge->acted; i < before && why != NULL; i++)
        if (judge->reports[i].tick && judge->reports[i].epoch == step->mark.epoch)
            why = why_not(judge, run, tried, i);
    return why;
}

void run_given_up(struct run_judge *judge, const struct judged_run *run,
                  const struct judged_try *tried, const struct step *step)
{
    const char *why = run_why_not_given_up(judge, run, tried, step, judge->half_done);
    if (why != NULL)
        world_violation(judge->world, "run given up: %s %" PRId64 " ends as %s at %" PRId64 ": %s",
                        run->id, tried->runnumber,
                        tried->outcome == SAID_NOTHING ? "given up" : said_word(tried->outcome),
                        step->time_ms, why);
}
