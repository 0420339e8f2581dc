#include "dispatcher/shard_fleet.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dispatcher/core/memory.h"

enum {
    STUCK_US = 10 * 1000 * 1000,
    STUCK_AGAIN_US = 30 * 1000 * 1000,
    START_AGAIN_US = 1000 * 1000,
    FAILED_AGAIN_US = 60 * 1000 * 1000, /* somebody may have mended what is wrong */
    QUOTED_BYTES = 600
};

struct slot {
    struct shard_runner *runner; /* NULL: no thread */
    bool wanted;                 /* the group's last word */
    bool failed;                 /* wanted, but its engine could not go on; it has said why */
    int64_t not_before_us;       /* of the next start, after one that did not succeed */
    int64_t waiting_since_us;    /* wanted and not live; 0 = live or not wanted */
    int64_t complain_us;
};

struct shard_fleet {
    const struct shard_site *site;
    int32_t shards;
    struct slot *slots; /* by shard */
    bool shutdown;
};

static int64_t now_us(const struct shard_fleet *fleet)
{
    return fleet->site->clock->monotonic_us(fleet->site->clock->opaque);
}

struct shard_fleet *shard_fleet_create(const struct shard_site *site)
{
    assert(site != NULL);
    assert(site->options.shards > 0);
    struct shard_fleet *fleet = memory_allocate(1, sizeof *fleet);
    fleet->site = site;
    fleet->shards = site->options.shards;
    fleet->slots = memory_allocate((size_t)fleet->shards, sizeof fleet->slots[0]);
    return fleet;
}

void shard_fleet_destroy(struct shard_fleet *fleet)
{
    if (fleet == NULL) return;
    assert(shard_fleet_running(fleet) == 0);
    free(fleet->slots);
    free(fleet);
}

static void log_error(const struct shard_fleet *fleet, const char *event, int32_t shard,
                      const struct error *error)
{
    char quoted[QUOTED_BYTES];
    observe(fleet->site->observer, LEVEL_ERROR, event, shard, "kind=%s%s%s message=%s",
            error_kind_name(error->kind), error->code[0] != '\0' ? " code=" : "", error->code,
            observer_quote(quoted, sizeof quoted, error->message));
}

static void start(struct shard_fleet *fleet, int32_t shard)
{
    struct slot *slot = &fleet->slots[shard];
    struct error error = {0};
    assert(slot->runner == NULL && slot->wanted);
    slot->failed = false;
    slot->runner = shard_runner_start(fleet->site, shard, &error);
    if (slot->runner != NULL) return;
    log_error(fleet, "shard.not_started", shard, &error);
    slot->not_before_us = now_us(fleet) + START_AGAIN_US;
}

static void assign_one(struct shard_fleet *fleet, int32_t shard, bool wanted)
{
    struct slot *slot = &fleet->slots[shard];
    slot->wanted = wanted;
    slot->failed = false;
    slot->not_before_us = 0;
    slot->waiting_since_us = 0;
    if (slot->runner == NULL || shard_runner_ending(slot->runner)) return; /* tend() does it */
    if (wanted) shard_runner_assigned(slot->runner);
    else shard_runner_wish(slot->runner, ENGINE_DROP);
}

void shard_fleet_assign(struct shard_fleet *fleet, const struct kafka_assignment *assignment)
{
    assert(fleet != NULL);
    assert(assignment != NULL && assignment->count <= SHARDS_MAX);
    size_t next = 0;
    if (fleet->shutdown) return;
    for (int32_t shard = 0; shard < fleet->shards; shard++) {
        bool wanted = next < assignment->count && assignment->shards[next] == shard;
        if (wanted) next++;
        assign_one(fleet, shard, wanted);
    }
    assert(next == assignment->count);
    observe(fleet->site->observer, LEVEL_INFO, "group.assigned", -1, "shards=%zu", next);
    shard_fleet_tend(fleet);
}

/* The thread is over: because we asked, or because the engine found no way on. */
static void reap(struct shard_fleet *fleet, int32_t shard)
{
    struct slot *slot = &fleet->slots[shard];
    bool asked = shard_runner_ending(slot->runner);
    bool done = shard_runner_finish(slot->runner, NULL);
    slot->runner = NULL;
    if (!done) {
        slot->failed = slot->wanted && !asked;
        slot->not_before_us = now_us(fleet) + FAILED_AGAIN_US;
    } else if (!fleet->shutdown) {
        observe(fleet->site->observer, LEVEL_INFO, asked ? "shard.dropped" : "shard.ended", shard,
                "%s", "");
        slot->not_before_us = asked ? 0 : now_us(fleet) + START_AGAIN_US;
    }
}

/* An assigned shard that does not step is what operators must hear of. */
static void watch(struct shard_fleet *fleet, int32_t shard, int64_t at_us)
{
    struct slot *slot = &fleet->slots[shard];
    struct engine_status status = {0};
    if (slot->runner != NULL) status = shard_runner_status(slot->runner);
    bool live = slot->runner != NULL && status.state == ENGINE_LIVE;
    if (!slot->wanted || live) {
        slot->waiting_since_us = 0;
        return;
    }
    if (slot->waiting_since_us == 0) {
        slot->waiting_since_us = at_us;
        slot->complain_us = at_us + STUCK_US;
    }
    if (at_us < slot->complain_us) return;
    slot->complain_us = at_us + STUCK_AGAIN_US;
    const char *state = slot->failed                      ? "failed"
                        : slot->runner == NULL            ? "not_started"
                        : status.state == ENGINE_STARTING ? "starting"
                        : status.state == ENGINE_WAITING  ? "waiting"
                                                          : "ended";
    observe(fleet->site->observer, LEVEL_ERROR, "shard.stuck", shard,
            "state=%s for_ms=%" PRId64 " sequence=%" PRId64 " epoch=%" PRId64, state,
            (at_us - slot->waiting_since_us) / 1000, status.sequence, status.epoch);
}

void shard_fleet_tend(struct shard_fleet *fleet)
{
    assert(fleet != NULL);
    int64_t at_us = now_us(fleet);
    for (int32_t shard = 0; shard < fleet->shards; shard++) {
        struct slot *slot = &fleet->slots[shard];
        if (slot->runner != NULL && shard_runner_ended(slot->runner)) reap(fleet, shard);
        if (fleet->shutdown) continue;
        if (slot->wanted && slot->runner == NULL && at_us >= slot->not_before_us)
            start(fleet, shard);
        watch(fleet, shard, at_us);
    }
}

void shard_fleet_shutdown(struct shard_fleet *fleet)
{
    assert(fleet != NULL);
    assert(!fleet->shutdown);
    fleet->shutdown = true;
    for (int32_t shard = 0; shard < fleet->shards; shard++)
        if (fleet->slots[shard].runner != NULL)
            shard_runner_wish(fleet->slots[shard].runner, ENGINE_SHUTDOWN);
}

int32_t shard_fleet_running(const struct shard_fleet *fleet)
{
    assert(fleet != NULL);
    int32_t running = 0;
    for (int32_t shard = 0; shard < fleet->shards; shard++)
        running += fleet->slots[shard].runner != NULL ? 1 : 0;
    assert(running <= fleet->shards);
    return running;
}

int32_t shard_fleet_failed(const struct shard_fleet *fleet)
{
    assert(fleet != NULL);
    int32_t failed = 0;
    for (int32_t shard = 0; shard < fleet->shards; shard++)
        failed += fleet->slots[shard].failed ? 1 : 0;
    assert(failed <= fleet->shards);
    return failed;
}

int32_t shard_fleet_wanted(const struct shard_fleet *fleet)
{
    assert(fleet != NULL);
    int32_t wanted = 0;
    for (int32_t shard = 0; shard < fleet->shards; shard++)
        wanted += fleet->slots[shard].wanted ? 1 : 0;
    assert(wanted <= fleet->shards);
    return wanted;
}

bool shard_fleet_hopeless(const struct shard_fleet *fleet)
{
    int32_t wanted = shard_fleet_wanted(fleet);
    return wanted > 0 && shard_fleet_failed(fleet) == wanted;
}

static bool stands_still(const struct slot *slot, int64_t since_us)
{
    if (!slot->wanted) return false;
    if (slot->waiting_since_us != 0) return slot->waiting_since_us < since_us;
    if (slot->runner == NULL) return false; /* it has just been given to us */
    int64_t moved_us = shard_runner_status(slot->runner).moved_us;
    return moved_us != 0 && moved_us < since_us;
}

int32_t shard_fleet_still(const struct shard_fleet *fleet, int64_t for_us)
{
    assert(fleet != NULL);
    int64_t since_us = now_us(fleet) - for_us;
    int32_t still = 0;
    for (int32_t shard = 0; shard < fleet->shards; shard++)
        still += stands_still(&fleet->slots[shard], since_us) ? 1 : 0;
    assert(still <= fleet->shards);
    return still;
}
