/* What belfry doctor says of Redis, and of the jobs in it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/operate/checkup.h"
#include "cli/show/json_text.h"
#include "cli/show/progress.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "store/store_redis.h"
#include "store/store_redis_query.h"
#include "store/store_redis_rights.h"

enum { NAMED_MAX = 5 };

/* ---- Redis ---- */

static void on_redis_warning(void *opaque, const char *warning)
{
    checkup_find(opaque, WARN, NULL, "%s", warning);
}

static void check_whole(struct checkup *checkup, struct store *store, int32_t shards)
{
    struct error error = {0};
    if (shards < 1 || shards > SHARDS_MAX || store_redis_check_whole(store, shards, &error)) return;
    checkup_find(checkup, BAD, "is maxmemory-policy noeviction, and does nothing else write "
                 "there? Fires are not touched: the state log in Kafka has everything", "%s",
                 error.message);
}

/* True: it is this cluster's. */
static bool check_meta(struct checkup *checkup, struct store *store)
{
    struct store_meta meta;
    struct error error = {0};
    bool found = false;
    int before = checkup_troubles(checkup);
    if (!store_redis_read_meta(store, &meta, &found, &error)) {
        checkup_find(checkup, BAD, NULL, "%s", error.message);
    } else if (!found) {
        checkup_find(checkup, WARN, "start belfryd; or does --redis name another Redis than the "
                     "daemons use?", "it knows nothing of the cluster %s",
                     checkup->settings->cluster);
    } else if (checkup->shards > 0 && meta.shards != checkup->shards) {
        checkup_find(checkup, BAD, "one of --kafka, --redis and --cluster is of another cluster",
                     "it was written for %d shards, Kafka has %d", (int)meta.shards,
                     (int)checkup->shards);
    } else if (checkup->kafka_cluster_id[0] != '\0' && !checkup->embedded &&
               strcmp(meta.kafka_cluster_id, checkup->kafka_cluster_id) != 0) {
        checkup_find(checkup, BAD, "daemons refuse to run on the two together: name the right "
                     "Redis, or the right Kafka; or belfry recover, if that Kafka is gone",
                     "it belongs to the Kafka cluster %.63s", meta.kafka_cluster_id);
    }
    bool ours = checkup_troubles(checkup) == before && meta.shards >= 1 &&
                meta.shards <= SHARDS_MAX;
    if (ours) checkup->store_shards = meta.shards;
    if (found) check_whole(checkup, store, meta.shards);
    return ours;
}

static void read_reports(struct checkup *checkup)
{
    struct error error = {0};
    checkup->reports =
        memory_allocate((size_t)checkup->store_shards, sizeof *checkup->reports);
    if (store_redis_read_health(checkup->store, checkup->store_shards, checkup->reports, &error))
        return;
    free(checkup->reports);
    checkup->reports = NULL;
    checkup_find(checkup, BAD, NULL, "what daemons say of their shards cannot be read: %s",
                 error.message);
}

void check_redis(struct checkup *checkup)
{
    struct store_redis_options options;
    struct error error = {0};
    int before = checkup_troubles(checkup);
    struct store *store = NULL;
    if (redis_reader_options(checkup->settings, &options, &error))
        store = store_redis_create(&options, &error);
    checkup->store = store;
    if (store == NULL || !store_redis_check(store, on_redis_warning, checkup, &error))
        checkup_find(checkup, BAD, "is it running, and does --redis or BELFRY_REDIS name it? No "
                     "fire is late for it, but list, get and describe cannot answer", "%s",
                     error.message);
    else if (check_meta(checkup, store))
        read_reports(checkup);
    if (checkup_troubles(checkup) == before)
        checkup_find(checkup, FINE, NULL, "reachable, append-only file on, nothing is evicted");
}

void check_redis_rights(struct checkup *checkup)
{
    struct redis_rights rights;
    struct error error = {0};
    if (!store_redis_try_rights(checkup->store, &rights, &error))
        checkup_find(checkup, WARN, NULL, "not tried: %s", error.message);
    else if (!rights.tried)
        checkup_find(checkup, WARN, "ACL SETUSER ... +multi +discard lets doctor try them",
                     "not tried: this user may not begin a transaction");
    else if (rights.refused[0] != '\0')
        checkup_find(checkup, WARN, "a daemon needs them, on keys ~CLUSTER:* (docs/store.md): "
                     "where the daemons have a user of their own, run doctor as that user; the "
                     "command line only reads", "this user may not %s", rights.refused);
    else
        checkup_find(checkup, FINE, NULL, "tried as this user: %d commands, all that a daemon "
                     "needs", rights.count);
}

/* ---- jobs ---- */

struct job_search {
    struct checkup *checkup;
    size_t seen;
    struct progress progress;
};

static void name_job(struct jobs_found *found, const struct store_item *item, const char *zone,
                     const char *since)
{
    size_t used = strlen(found->names);
    found->count++;
    if (found->named == NAMED_MAX) return;
    found->named++;
    (void)snprintf(found->names + used, sizeof found->names - used, "%s%.*s (%.60s%ssince %.24s)",
                   used == 0 ? "" : ", ", (int)(item->name_bytes < 200 ? item->name_bytes : 200),
                   item->name, zone, zone[0] == '\0' ? "" : " ", since == NULL ? "-" : since);
}

static bool holds(const struct store_item *item, const char *words)
{
    return memmem(item->text, item->text_bytes, words, strlen(words)) != NULL;
}

/* Most records need not be parsed to see that nothing is the matter with their job. */
static bool visit_job(void *opaque, const struct store_item *item, struct error *error)
{
    struct job_search *search = opaque;
    (void)error;
    progress_show(&search->progress, ++search->seen);
    if (!holds(item, "\"failing\"") && !holds(item, "\"zone_missing_at\"")) return true;
    json_t *job = json_loadb(item->text, item->text_bytes, 0, NULL);
    const char *state = json_member_text(job, "state");
    const char *missing = json_member_text(job, "zone_missing_at");
    if (state != NULL && strcmp(state, "failing") == 0)
        name_job(&search->checkup->failing, item, "",
                 json_member_text(json_object_get(job, "failing"), "since"));
    if (missing != NULL) {
        const char *zone = json_member_text(json_object_get(job, "schedule"), "zone");
        name_job(&search->checkup->zoneless, item, zone == NULL ? "" : zone, missing);
    }
    json_decref(job);
    return true;
}

/* Once, for both checks. */
static void read_jobs(struct checkup *checkup)
{
    struct store_filter all = {0};
    struct job_search search = {.checkup = checkup};
    struct error error = {0};
    progress_start(&search.progress, "looking at jobs", 0);
    checkup->jobs_read = store_redis_list_jobs(checkup->store, checkup->store_shards, &all,
                                               visit_job, &search, &error) ||
                         error.code == CODE_NOT_WHOLE; /* that has been said */
    progress_end(&search.progress);
    if (!checkup->jobs_read)
        checkup_find(checkup, WARN, NULL, "they cannot be read: %s", error.message);
}

void check_jobs_failing(struct checkup *checkup)
{
    const struct jobs_found *found = &checkup->failing;
    read_jobs(checkup);
    if (!checkup->jobs_read) return;
    if (found->count == 0)
        checkup_find(checkup, FINE, NULL, "none is failing");
    else
        checkup_find(checkup, BAD, "belfry describe GROUP/ID says what Kafka refuses; create the "
                     "topic, or belfry update --topic; the fires are tried again by themselves",
                     "%" PRId64 " failing: %s%s", found->count, found->names,
                     found->count > found->named ? " ..." : "");
}

void check_jobs_zoneless(struct checkup *checkup)
{
    const struct jobs_found *found = &checkup->zoneless;
    if (!checkup->jobs_read) return;
    if (found->count == 0)
        checkup_find(checkup, FINE, NULL, "no job's time zone is missing");
    else
        checkup_find(checkup, BAD, "install a tzdata that has the zone where belfryd runs and "
                     "restart it, or give the jobs another zone (docs/operation.md, zone.missing)",
                     "%" PRId64 " set aside, their time zone is missing: %s%s", found->count,
                     found->names, found->count > found->named ? " ..." : "");
}
