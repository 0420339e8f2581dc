#include "dispatcher/daemon/shard_fleet.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/engine/step_aside.h"
#include "lib/base/memory.h"

enum {
    STUCK_AGAIN_US = 30 * 1000 * 1000,
    START_AGAIN_US = 1000 * 1000,
    FAILED_AGAIN_US = 60 * 1000 * 1000, /* somebody may have mended what is wrong */
    BEYOND_AGAIN_US = 60 * 1000 * 1000,
    LOOK_MOST_US = 1000 * 1000 /* after a longer pause of ours nothing is known of the shards */
};

struct slot {
    struct shard_runner *runner; /* NULL: no thread */
    bool wanted;                 /* the group's last word */
    bool failed;                 /* wanted, but its engine could not go on; it has said why */
    struct own_commit own_commit; /* the present engine's, where there is one, and the next's */
    int64_t not_before_us;       /* of the next start, after one that did not succeed */
    int64_t moved_us;            /* its time had moved by then, as it said last */
    int64_t still_us;            /* seen standing still for so long, since it is wanted */
    int64_t complain_us;         /* when so long is told again */
};

struct shard_fleet {
    const struct shard_site *site;
    int32_t shards;
    struct slot *slots; /* by shard */
    bool shutdown;
    int64_t looked_us;
    int32_t beyond; /* partitions that are no shards, given to this process */
    int64_t tell_beyond_us;
    struct step_aside aside;
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

static void start(struct shard_fleet *fleet, int32_t shard)
{
    struct slot *slot = &fleet->slots[shard];
    struct error error = {0};
    assert(slot->runner == NULL && slot->wanted);
    slot->failed = false;
    slot->runner = shard_runner_start(fleet->site, shard, &slot->own_commit, &error);
    if (slot->runner != NULL) return;
    observe(fleet->site->observer, OBSERVED_SHARD_NOT_STARTED, shard,
            &(struct observed){.kind = error_kind_name(error.kind),
                               .code = error.code != CODE_NONE ? error_code_word(error.code) : NULL,
                               .message = error.message});
    slot->not_before_us = now_us(fleet) + START_AGAIN_US;
}

static void assign_one(struct shard_fleet *fleet, int32_t shard, bool wanted)
{
    struct slot *slot = &fleet->slots[shard];
    bool was_wanted = slot->wanted;
    slot->wanted = wanted;
    slot->failed = false;
    slot->not_before_us = 0;
    if (!wanted || !was_wanted) slot->still_us = 0;
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
    observe(fleet->site->observer, OBSERVED_GROUP_ASSIGNED, -1,
            &(struct observed){.shards = (int64_t)next});
    fleet->beyond = assignment->beyond;
    fleet->tell_beyond_us = 0;
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
        observe(fleet->site->observer, asked ? OBSERVED_SHARD_DROPPED : OBSERVED_SHARD_ENDED, shard,
                NULL);
        slot->not_before_us = asked ? 0 : now_us(fleet) + START_AGAIN_US;
    }
}

static struct engine_status status_of(const struct slot *slot)
{
    return slot->runner != NULL ? shard_runner_status(slot->runner) : (struct engine_status){0};
}

static const char *state_name(const struct slot *slot)
{
    if (slot->failed) return "failed";
    if (slot->runner == NULL) return "not_started";
    switch (status_of(slot).state) {
    case ENGINE_STARTING: return "starting";
    case ENGINE_LIVE: return "live";
    case ENGINE_WAITING: return "waiting";
    case ENGINE_ENDED: break;
    }
    return "ended";
}

/* An assigned shard whose time does not move is what operators must hear of, whatever it calls
 * itself. passed_us: since the last look, in which a process that was frozen has seen nothing. */
static void watch(struct shard_fleet *fleet, int32_t shard, int64_t passed_us)
{
    struct slot *slot = &fleet->slots[shard];
    if (!slot->wanted) return;
    struct engine_status status = status_of(slot);
    slot->still_us += passed_us;
    if (status.moved_us != 0 && status.moved_us != slot->moved_us) slot->still_us = 0;
    slot->moved_us = status.moved_us;
    struct shard_health health = {.still_us = slot->still_us,
                                  .moved_here = status.moved_us != 0,
                                  .failed = slot->failed,
                                  .commits = step_aside_commits(status.committed_us, now_us(fleet)),
                                  .clock_far = status.clock_far};
    step_aside_count(&fleet->aside, &health);
    if (slot->still_us < SHARD_STUCK_US) slot->complain_us = SHARD_STUCK_US;
    if (slot->still_us < slot->complain_us) return;
    slot->complain_us = slot->still_us + STUCK_AGAIN_US;
    observe(fleet->site->observer, OBSERVED_SHARD_STUCK, shard,
            &(struct observed){.state = state_name(slot), .for_ms = slot->still_us / 1000,
                               .sequence = status.sequence, .epoch = status.epoch});
}

/* Nobody reads them, and clients send commands there: said until it is mended. */
static void tell_beyond(struct shard_fleet *fleet, int64_t at_us)
{
    if (fleet->beyond == 0 || at_us < fleet->tell_beyond_us) return;
    fleet->tell_beyond_us = at_us + BEYOND_AGAIN_US;
    observe(fleet->site->observer, OBSERVED_TOPIC_PARTITIONS_ADDED, -1,
            &(struct observed){
                .shards = fleet->shards, .unread_here = fleet->beyond,
                .message = "partitions were added to the control topic: commands that go there "
                           "are read by nobody, and clients send groups to other shards than "
                           "before; see docs/operation.md"});
}

void shard_fleet_tend(struct shard_fleet *fleet)
{
    assert(fleet != NULL);
    int64_t at_us = now_us(fleet);
    tell_beyond(fleet, at_us);
    int64_t passed_us = fleet->looked_us == 0 ? 0 : at_us - fleet->looked_us;
    if (passed_us > LOOK_MOST_US) passed_us = LOOK_MOST_US;
    fleet->looked_us = at_us;
    step_aside_begin(&fleet->aside);
    for (int32_t shard = 0; shard < fleet->shards; shard++) {
        struct slot *slot = &fleet->slots[shard];
        if (slot->runner != NULL && shard_runner_ended(slot->runner)) reap(fleet, shard);
        if (fleet->shutdown) continue;
        if (slot->wanted && slot->runner == NULL && at_us >= slot->not_before_us)
            start(fleet, shard);
        watch(fleet, shard, passed_us);
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

static int32_t count_wanted(const struct shard_fleet *fleet)
{
    int32_t wanted = 0;
    for (int32_t shard = 0; shard < fleet->shards; shard++)
        wanted += fleet->slots[shard].wanted ? 1 : 0;
    assert(wanted <= fleet->shards);
    return wanted;
}

/* A state log is refused by what this process alone knows: its successor would go on with it. */
static bool alone_remembers(const struct shard_fleet *fleet)
{
    for (int32_t shard = 0; shard < fleet->shards; shard++)
        if (fleet->slots[shard].failed && fleet->slots[shard].own_commit.lost) return true;
    return false;
}

bool shard_fleet_hopeless(const struct shard_fleet *fleet)
{
    int32_t wanted = count_wanted(fleet);
    return wanted > 0 && shard_fleet_failed(fleet) == wanted && !alone_remembers(fleet);
}

bool shard_fleet_unwell(struct shard_fleet *fleet)
{
    assert(fleet != NULL);
    return !fleet->shutdown && step_aside_now(&fleet->aside, now_us(fleet));
}

void shard_fleet_give_up(struct shard_fleet *fleet)
{
    const struct kafka_assignment none = {0};
    step_aside_left(&fleet->aside, now_us(fleet));
    shard_fleet_assign(fleet, &none);
}

struct shard_status shard_fleet_status(const struct shard_fleet *fleet, int32_t shard)
{
    assert(fleet != NULL);
    assert(shard >= 0 && shard < fleet->shards);
    const struct slot *slot = &fleet->slots[shard];
    return (struct shard_status){.wanted = slot->wanted,
                                 .state = state_name(slot),
                                 .still_us = slot->still_us,
                                 .engine = status_of(slot)};
}
