/* reading.c - all numbers at one moment, for the rows of the page. */
#include "dispatcher/metrics/metrics_state.h"

#include <string.h>

static void load(const _Atomic int64_t *from, int64_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
}

/* What the jobs of the shards that are live here do. */
static void add_jobs(struct reading *reading, const struct engine_status *engine)
{
    int64_t others = engine->jobs_paused + engine->jobs_failing + engine->jobs_finished;
    const int64_t states[JOB_STATES] = {engine->jobs - others, engine->jobs_paused,
                                        engine->jobs_failing, engine->jobs_finished};
    for (size_t i = 0; i < JOB_STATES; i++) /* a job may change while its shard is read */
        reading->jobs[i] += states[i] > 0 ? states[i] : 0;
    reading->jobs_owing += engine->jobs_owing;
    reading->jobs_zoneless += engine->jobs_zoneless;
    reading->jobs_next_hour += engine->jobs_next_hour;
}

/* Since Kafka took something of any shard that is ours; 0: none has asked it to. */
static int64_t silence_us(const struct metrics_view *view)
{
    int64_t last_us = 0;
    for (size_t i = 0; i < view->shard_count; i++)
        if (view->shards[i].engine.committed_us > last_us)
            last_us = view->shards[i].engine.committed_us;
    return last_us == 0 || view->now_us < last_us ? 0 : view->now_us - last_us;
}

/* What runs count in spans, as a histogram. */
static void read_spans(const int64_t spans[RUN_SPAN_COUNT], int64_t sum_ms,
                       struct histogram_numbers *numbers)
{
    for (int i = 0; i < RUN_SPAN_COUNT; i++) numbers->buckets[i] = spans[i];
    numbers->sum_us = sum_ms * 1000;
}

void reading_take(struct metrics *metrics, const struct metrics_view *view,
                  struct reading *reading)
{
    int64_t taken[TALLY_NUMBERS];
    int64_t runs[RUNS_NUMBERS];
    *reading = (struct reading){.view = view,
                                .options = &metrics->options,
                                .groups = metrics->groups,
                                .log_dropped = (int64_t)view->log_dropped,
                                .ready = view->ready,
                                .aside = view->aside,
                                .redis = view->redis,
                                .kafka_silence_us = silence_us(view),
                                .shards_all = metrics->options.shards,
                                .runs_open_max = metrics->options.runs_open_max};
    load(metrics->taken, taken, TALLY_NUMBERS);
    memcpy(&reading->taken, taken, sizeof taken);
    load(metrics->runs, runs, RUNS_NUMBERS);
    memcpy(&reading->runs, runs, sizeof runs);
    read_spans(reading->runs.claimed_after, reading->runs.claimed_after_ms, &reading->claims);
    read_spans(reading->runs.ended_after, reading->runs.ended_after_ms, &reading->run_ends);
    load(metrics->transactions, reading->transactions, TRANSACTION_END_COUNT);
    load(metrics->settled, reading->settled, SETTLED_END_COUNT);
    load(metrics->told, reading->told, OBSERVED_KINDS);
    histogram_read(&metrics->lateness, &reading->lateness);
    histogram_read(&metrics->commits, &reading->commits);
    histogram_read(&metrics->takeovers, &reading->takeovers);
    (void)pthread_mutex_lock(&metrics->examples_lock); /* shards only try it */
    reading->examples = metrics->examples;
    (void)pthread_mutex_unlock(&metrics->examples_lock);
    for (size_t i = 0; i < view->shard_count; i++) {
        reading->shards[view->shards[i].state]++;
        if (view->shards[i].state == METRICS_LIVE) add_jobs(reading, &view->shards[i].engine);
    }
    process_figures_read(&reading->process);
}
