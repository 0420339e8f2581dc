#include "dispatcher/recovery/recover_topic.h"

#include "dispatcher/engine/engine_state.h"

#define SAME_TOPIC_SLACK_MS MINUTES_MS /* how far clocks may be apart */

bool recover_look_at_topic(struct engine *engine, const struct recover_options *options,
                           enum broker_topic name, struct recover_topic *topic,
                           struct error *error)
{
    struct broker *broker = engine->ports.broker;
    *topic = (struct recover_topic){0};
    return options->missing[name] ||
           broker->operations->offsets(broker, name, &topic->first, &topic->end, error);
}

static bool look_at_log(struct engine *engine, const struct recover_options *options,
                        enum input input, const struct input_place *place,
                        struct recover_topic *topic, struct error *error)
{
    struct log_look look = {0}; /* one that is missing ends at 0 */
    if (!options->missing[input_topic(input)] &&
        !engine_look_at_log(engine, input, place, &look, error))
        return false;
    topic->other = look.end < place->offset || look.differs; /* cut, or made anew */
    return true;
}

bool recover_look_whether_other(struct engine *engine, const struct recover_options *options,
                                const struct mark *mark, struct recover_plan *plan,
                                struct error *error)
{
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        if (!look_at_log(engine, options, input, &mark->inputs[input], &plan->inputs[input],
                         error))
            return false;
    return true;
}

bool recover_fit_runs(struct engine *engine, const struct recover_options *options,
                      struct mark *mark, struct error *error)
{
    struct recover_topic runs;
    if (mark->inputs[INPUT_RUNS].offset == 0) return true; /* never read: its place is to come */
    if (!recover_look_at_topic(engine, options, TOPIC_RUNS, &runs, error)) return false;
    mark->inputs[INPUT_RUNS].offset = runs.end;
    mark->runs_again = runs.end;
    return true;
}

bool recover_reads_on(int64_t offset, const struct recover_topic *topic)
{
    return offset >= topic->first && offset <= topic->end;
}

bool recover_fit_offset(const struct recover_options *options, enum input input, bool same,
                        const struct mark *mark, int64_t marked_ms, struct recover_topic *topic,
                        struct error *error)
{
    enum broker_topic name = input_topic(input);
    int64_t marked = mark->inputs[input].offset;
    const struct last_read *last = &mark->inputs[input].last;
    int64_t younger = topic->end;
    same = same && !topic->other;
    topic->kept = false;
    if (same && recover_reads_on(marked, topic)) {
        if (topic->first < topic->end &&
            !options->offset_at(options->opaque, name, marked_ms + SAME_TOPIC_SLACK_MS,
                                topic->end, &younger, error))
            return false;
        topic->kept = younger >= marked; /* else it was made anew and filled since */
    }
    if (topic->kept || (same && marked < topic->first)) {
        topic->from = topic->kept ? marked : topic->first;
        return true;
    }
    if (topic->other && last->known) marked_ms = last->log_time_ms;
    younger = topic->end;
    if (topic->first < topic->end &&
        !options->offset_at(options->opaque, name, marked_ms, topic->end, &younger, error))
        return false;
    topic->from = younger;
    return true;
}
