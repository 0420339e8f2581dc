/* What belfry doctor says of Redis, and of the jobs in it. */
#include <assert.h>
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

enum { NAMED_MAX = 5, NAMES_BYTES = 400 };

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

/* Jobs of whose record something is true. */
struct job_search {
    const char *mark; /* bytes that such a record must have somewhere */
    bool (*is)(const json_t *job);
    int64_t count;
    int named;
    char names[NAMES_BYTES]; /* of the first ones, with why */
    void (*why)(const json_t *job, char *text, size_t bytes);
    size_t seen;
    struct progress progress;
};

static void name_job(struct job_search *search, const json_t *job, const struct store_item *item)
{
    size_t used = strlen(search->names);
    char why[120];
    search->why(job, why, sizeof why);
    (void)snprintf(search->names + used, sizeof search->names - used, "%s%.*s (%s)",
                   used == 0 ? "" : ", ", (int)(item->name_bytes < 200 ? item->name_bytes : 200),
                   item->name, why);
    search->named++;
}

static bool visit_job(void *opaque, const struct store_item *item, struct error *error)
{
    struct job_search *search = opaque;
    (void)error;
    progress_show(&search->progress, ++search->seen);
    if (memmem(item->text, item->text_bytes, search->mark, strlen(search->mark)) == NULL)
        return true;
    json_t *job = json_loadb(item->text, item->text_bytes, 0, NULL);
    if (json_is_object(job) && search->is(job)) {
        search->count++;
        if (search->named < NAMED_MAX) name_job(search, job, item);
    }
    json_decref(job);
    return true;
}

/* False: said why not. */
static bool search_jobs(struct checkup *checkup, struct job_search *search)
{
    struct store_filter all = {0};
    struct error error = {0};
    progress_start(&search->progress, "looking at jobs", 0);
    bool read = store_redis_list_jobs(checkup->store, checkup->store_shards, &all, visit_job,
                                      search, &error);
    progress_end(&search->progress);
    if (!read && error.code != CODE_NOT_WHOLE) /* that has been said */
        checkup_find(checkup, WARN, NULL, "the jobs cannot be read: %s", error.message);
    return read || error.code == CODE_NOT_WHOLE;
}

static bool is_failing(const json_t *job)
{
    const char *state = json_member_text(job, "state");
    return state != NULL && strcmp(state, "failing") == 0;
}

static void why_failing(const json_t *job, char *text, size_t bytes)
{
    const json_t *failing = json_object_get(job, "failing");
    const char *since = json_member_text(failing, "since");
    (void)snprintf(text, bytes, "since %.24s", since == NULL ? "-" : since);
}

void check_jobs_failing(struct checkup *checkup)
{
    struct job_search search = {.mark = "\"failing\"", .is = is_failing, .why = why_failing};
    if (!search_jobs(checkup, &search)) return;
    if (search.count == 0)
        checkup_find(checkup, FINE, NULL, "none is failing");
    else
        checkup_find(checkup, BAD, "belfry describe GROUP/ID says what Kafka refuses; create the "
                     "topic, or belfry update --topic; the fires are tried again by themselves",
                     "%" PRId64 " failing: %s%s", search.count, search.names,
                     search.count > search.named ? " ..." : "");
}

static bool is_zoneless(const json_t *job)
{
    return json_member_text(job, "zone_missing_at") != NULL;
}

static void why_zoneless(const json_t *job, char *text, size_t bytes)
{
    const char *zone = json_member_text(json_object_get(job, "schedule"), "zone");
    const char *since = json_member_text(job, "zone_missing_at");
    (void)snprintf(text, bytes, "%.60s since %.24s", zone == NULL ? "-" : zone,
                   since == NULL ? "-" : since);
}

void check_jobs_zoneless(struct checkup *checkup)
{
    struct job_search search = {.mark = "\"zone_missing_at\"", .is = is_zoneless,
                                .why = why_zoneless};
    if (!search_jobs(checkup, &search)) return;
    if (search.count == 0)
        checkup_find(checkup, FINE, NULL, "no job's time zone is missing");
    else
        checkup_find(checkup, BAD, "install a tzdata that has the zone where belfryd runs and "
                     "restart it, or give the jobs another zone (docs/operation.md, zone.missing)",
                     "%" PRId64 " set aside, their time zone is missing: %s%s",
                     search.count, search.names, search.count > search.named ? " ..." : "");
}
