#include "dispatcher/daemon/health_rules.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/engine/step_aside.h"
#include "lib/base/memory.h"

enum { NAME_BYTES = 32 };

/* ---- alive ---- */

static bool check_loop(const char *name, const struct loop *loop, bool all,
                       struct text_writer *lines)
{
    struct loop_late at = loop_late(loop);
    if (!at.late && !all) return true;
    if (at.call == NULL)
        text_writer_format(lines, "ok %s: waits for work\n", name);
    else
        text_writer_format(lines, "%s %s: %s for %" PRId64 " ms, %" PRId64 " are its bound\n",
                           at.late ? "bad" : "ok", name, at.call, at.for_ms, at.bound_ms);
    return !at.late;
}

/* Who advances the clock by which the others are late. */
static bool check_watchman(const struct health_view *view, bool all, struct text_writer *lines)
{
    int64_t age_ms = loop_watch_tick_age_ms(view->watch,
                                            view->clock->monotonic_us(view->clock->opaque));
    bool well = age_ms <= LOOP_TICK_LATE_MS;
    if (!well || all)
        text_writer_format(lines, "%s watchman: looked %" PRId64 " ms ago, %d are its bound\n",
                           well ? "ok" : "bad", age_ms, LOOP_TICK_LATE_MS);
    return well;
}

bool health_is_live(const struct health_view *view, bool all, struct text_writer *lines)
{
    assert(view != NULL && lines != NULL);
    int32_t shards = shard_board_shards(view->board);
    bool live = check_watchman(view, all, lines);
    live = check_loop("daemon", loop_watch_daemon(view->watch), all, lines) && live;
    live = check_loop("redis writer", loop_watch_writer(view->watch), all, lines) && live;
    for (int32_t shard = 0; shard < shards; shard++) {
        char name[NAME_BYTES];
        const struct loop *loop = loop_watch_shard(view->watch, shard);
        if (loop_late(loop).call == NULL) continue; /* not here */
        (void)snprintf(name, sizeof name, "shard %d", (int)shard);
        live = check_loop(name, loop, all, lines) && live;
    }
    return live;
}

/* ---- ready ---- */

static bool check_group(const struct board_state *state, bool all, struct text_writer *lines)
{
    bool well = state->ready && !state->aside && !state->ending;
    const char *what = state->ending   ? "the daemon ends"
                       : !state->ready ? "waits for Kafka and its group"
                       : state->aside  ? "was left for a while: the shards here stood still"
                                       : "has answered";
    if (!well || all) text_writer_format(lines, "%s group: %s\n", well ? "ok" : "bad", what);
    return well;
}

static bool check_shard(int32_t shard, const struct shard_status *status, bool all,
                        struct text_writer *lines)
{
    bool live = status->engine.state == ENGINE_LIVE;
    bool well = live && status->still_us < SHARD_STUCK_US;
    if (!well || all)
        text_writer_format(lines, "%s shard %d: %s, its time has stood still for %" PRId64 " ms\n",
                           well ? "ok" : "bad", (int)shard, status->state,
                           status->still_us / 1000);
    return well;
}

bool health_is_ready(const struct health_view *view, bool all, struct text_writer *lines)
{
    assert(view != NULL && lines != NULL);
    struct board_state state;
    int32_t shards = shard_board_shards(view->board);
    struct shard_status *statuses = memory_allocate((size_t)shards, sizeof *statuses);
    shard_board_read(view->board, &state, statuses);
    bool ready = check_group(&state, all, lines);
    for (int32_t shard = 0; shard < shards; shard++)
        if (statuses[shard].wanted)
            ready = check_shard(shard, &statuses[shard], all, lines) && ready;
    free(statuses);
    return ready;
}
