#include "tests/simulation/plan/plan.h"
#include "tests/simulation/workers/workers.h"

static void do_shard(struct world *world, const struct planned *event)
{
    const int64_t *a = event->arguments;
    if (a[0] < 0 || a[0] >= world->settings.shards) return;
    int32_t shard = (int32_t)a[0];
    switch (event->what) {
    case DO_HIDE_RUNS: workers_hide_runs(world, shard, a[1]); return;
    case DO_FORGE: workers_forge(world, shard, (enum forgery)a[1]); return;
    case DO_APPEND_BACK: workers_append_back(world, shard, a[1], a[2]); return;
    case DO_RETAIN_RUNS: workers_retain(world, shard, a[1]); return;
    case DO_TICK: world->tick_fate[shard] = (enum tick_fate)a[1]; return;
    case DO_QUESTION: world->question_fate[shard] = (enum question_fate)a[1]; return;
    default: return;
    }
}

void plan_do_runs(struct world *world, const struct planned *event)
{
    const int64_t *a = event->arguments;
    switch (event->what) {
    case DO_WORKER: worker_harm(world, a[0], (enum worker_harm)a[1], a[2]); return;
    case DO_WORKER_AT:
        worker_harm_at(world, a[0], (enum worker_point)a[1], (enum worker_harm)a[2], a[3]);
        return;
    case DO_WORKER_DRIFT: worker_drift(world, a[0], a[1]); return;
    case DO_POSTS: worker_posts(world, a[0], (enum post_fate)a[1], a[2], a[3]); return;
    case DO_OFFSETS: worker_offsets(world, a[0], (enum offsets_fate)a[1], a[2], a[3]); return;
    case DO_SET_BACK: workers_set_back(world, a[0], a[1]); return;
    case DO_SILENT: workers_coordinator_silent(world, a[0]); return;
    default: do_shard(world, event); return;
    }
}
