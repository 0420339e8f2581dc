#include <stdio.h>
#include <string.h>

#include "tests/simulation/plan/plan.h"
#include "tests/simulation/plan/put.h"
#include "tests/simulation/workers/workers.h"
#include "tests/simulation/world/slots.h"

/* The fire of a run, so many before the newest one of the shard's; NULL: there are not so many. */
static const struct output *some_fire(const struct world *world, int32_t shard, int64_t back)
{
    const struct history *history = &world->history;
    for (size_t i = history->output_count; i-- > 0;) {
        const struct output *output = &history->outputs[i];
        char group[HISTORY_NAME_BYTES];
        if (output->kind != OUTPUT_FIRE || output->run == 0) continue;
        (void)snprintf(group, sizeof group, "%.*s", (int)strcspn(output->name, "/"), output->name);
        if (slow_shard_of(group, world->settings.shards) == shard && back-- == 0) return output;
    }
    return NULL;
}

/* What the id of a run will be nobody knows before: the command is put together when it is sent. */
static void about_run(struct world *world, const struct planned *event)
{
    const int64_t *a = event->arguments;
    char json[JSON_BYTES];
    struct text_out out = {json, sizeof json, 0};
    if (a[0] < 0 || a[0] >= world->settings.shards) return;
    const struct output *fire = some_fire(world, (int32_t)a[0], a[1]);
    if (fire == NULL) return;
    int group = (int)strcspn(fire->name, "/");
    put(&out, "%s,\"select\":{\"groups\":[\"%.*s\"],\"ids\":[\"%s\"]},\"run\":\"%s\"}",
        event->text == NULL ? "" : event->text, group, fire->name, fire->name + group + 1,
        history_run(&world->history, fire)->id);
    world_trace(world, "command shard %d %s", (int)a[0], json);
    world_send(world, (int32_t)a[0], json);
}

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
    case DO_ABOUT_RUN: about_run(world, event); return;
    default: do_shard(world, event); return;
    }
}
