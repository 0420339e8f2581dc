#include "dispatcher/daemon/redis_claim.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/limits.h"
#include "store/store_redis.h"

enum {
    ASK_LIMIT_MS = 500,
    AGAIN_AWAY_MS = 2000,
    AGAIN_CLAIMED_MS = 10000, /* a Redis that was emptied gets its record again */
    COMPLAIN_MS = 30000,
    PLACE_BYTES = 256
};

void redis_claim_init(struct redis_claim *claim, const struct store_redis_options *options,
                      const struct store_defaults *defaults, int32_t shards,
                      const char *kafka_cluster_id, const struct clock *clock,
                      const struct observer *observer)
{
    assert(claim != NULL && options != NULL && defaults != NULL);
    assert(shards > 0 && kafka_cluster_id != NULL);
    *claim = (struct redis_claim){.options = *options, .defaults = defaults, .clock = clock,
                                  .observer = observer};
    if (claim->options.connect_limit_ms > ASK_LIMIT_MS)
        claim->options.connect_limit_ms = ASK_LIMIT_MS;
    if (claim->options.command_limit_ms > ASK_LIMIT_MS)
        claim->options.command_limit_ms = ASK_LIMIT_MS;
    claim->wanted = (struct store_meta){.layout = STATE_LAYOUT, .shards = shards};
    (void)snprintf(claim->wanted.kafka_cluster_id, sizeof claim->wanted.kafka_cluster_id, "%s",
                   kafka_cluster_id);
}

static void warn(void *opaque, const char *warning)
{
    struct redis_claim *claim = opaque;
    if (claim->refusing) return; /* said once a moment ago */
    observe(claim->observer, OBSERVED_REDIS_WARNING, -1, &(struct observed){.message = warning});
}

static bool compare(const struct redis_claim *claim, const struct store_meta *found,
                    struct error *error)
{
    char place[PLACE_BYTES];
    store_redis_options_describe(&claim->options, place, sizeof place);
    if (strcmp(found->kafka_cluster_id, claim->wanted.kafka_cluster_id) != 0)
        return error_set(error, ERROR_FATAL, "Redis %s holds cluster %s on Kafka %s, but this is "
                         "Kafka %s: use another Redis, database or --cluster, or belfry recover "
                         "if that Kafka is gone", place,
                         claim->options.cluster, found->kafka_cluster_id,
                         claim->wanted.kafka_cluster_id);
    if (found->shards != claim->wanted.shards)
        return error_set(error, ERROR_FATAL, "Redis %s holds cluster %s with %d shards, but shards "
                         "is %d: the number is fixed once a cluster exists", place,
                         claim->options.cluster, (int)found->shards, (int)claim->wanted.shards);
    return true;
}

/* For `apply` and `diff`. Nothing depends on it here: a refusal is no more than a warning. */
static void publish_defaults(struct redis_claim *claim, struct store *store, bool first)
{
    struct store_defaults there;
    struct error error = {0};
    bool found = false;
    bool done = store_redis_read_defaults(store, &there, &found, &error);
    bool same = found && there.misfire_grace_ms == claim->defaults->misfire_grace_ms &&
                there.keep_finished_ms == claim->defaults->keep_finished_ms;
    if (done && found && !same && !first)
        warn(claim, "a daemon of this cluster has another misfire_grace or keep_finished: what a "
             "job gets depends on who runs its shard; give all daemons the same");
    if (done && !same) done = store_redis_put_defaults(store, claim->defaults, &error);
    if (!done && first) warn(claim, error.message);
}

/* One question with a connection of its own. */
static bool ask(struct redis_claim *claim, struct error *error)
{
    struct store_meta found;
    struct store *store = store_redis_create(&claim->options, error);
    if (store == NULL) return false;
    bool first = !atomic_load(&claim->claimed);
    bool done = (!first || store_redis_check(store, warn, claim, error)) &&
                store->operations->claim_meta(store, &claim->wanted, &found, error) &&
                compare(claim, &found, error);
    if (done) publish_defaults(claim, store, first);
    store->operations->destroy(store);
    return done;
}

static void complain(struct redis_claim *claim, int64_t now_us, const struct error *cause)
{
    bool refused = cause->kind != ERROR_RETRY;
    if (claim->complained_us != 0 &&
        now_us - claim->complained_us < COMPLAIN_MS * INT64_C(1000)) return;
    claim->complained_us = now_us;
    observe(claim->observer, refused ? OBSERVED_REDIS_REFUSED : OBSERVED_REDIS_AWAY, -1,
            &(struct observed){.message = cause->message});
}

/* It was ours and is not: fires go on, nothing is written there. */
static void refuse(struct redis_claim *claim)
{
    if (!claim->refusing) claim->complained_us = 0;
    claim->refusing = true;
    atomic_store(&claim->claimed, false);
}

bool redis_claim_tend(struct redis_claim *claim, struct error *error)
{
    assert(claim != NULL);
    assert(claim->clock != NULL);
    int64_t now_us = claim->clock->monotonic_us(claim->clock->opaque);
    if (now_us < claim->next_us) return true;
    struct error cause = {0};
    bool done = ask(claim, &cause);
    if (!done && cause.kind != ERROR_RETRY && !claim->ever)
        return error_set(error, ERROR_FATAL, "%s", cause.message);
    if (!done && cause.kind != ERROR_RETRY) refuse(claim);
    now_us = claim->clock->monotonic_us(claim->clock->opaque);
    claim->next_us = now_us + (done ? AGAIN_CLAIMED_MS : AGAIN_AWAY_MS) * INT64_C(1000);
    if (!done) complain(claim, now_us, &cause);
    claim->ever = claim->ever || done;
    if (done) claim->refusing = false;
    if (done && !atomic_exchange(&claim->claimed, true))
        observe(claim->observer, OBSERVED_REDIS_CLAIMED, -1, NULL);
    return true;
}
