/* belfry rebuild: Redis written anew from the state log, by the daemons or, where none runs, by
 * this command. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/operate/cluster_site.h"
#include "cli/show/progress.h"
#include "cli/words/cli.h"
#include "lib/base/monotonic.h"
#include "store/store_redis_admin.h"

/* An idle owner looks every ten seconds whether Redis is still as it left it. */
enum { LOOK_MS = 100, SILENCE_MS = 45000 };

struct rebuild {
    struct cluster_site site; /* first: on_progress finds us by it */
    struct progress progress;
    int64_t shard; /* -1 = all */
    int64_t jobs;
    int32_t shards_done;
};

static bool wanted(const struct rebuild *rebuild, int32_t shard)
{
    return rebuild->shard < 0 || rebuild->shard == shard;
}

/* ---- daemons run: they write, we wait ---- */

static bool await_owner(struct rebuild *rebuild, int32_t shard, struct error *error)
{
    struct cluster_site *site = &rebuild->site;
    struct snapshot snapshot;
    bool found = false;
    int64_t jobs = 0;
    int64_t seen = 0;
    int64_t heard_ms = monotonic_ms();
    for (;;) {
        if (!site->store->operations->read_snapshot(site->store, shard, &snapshot, &found, error))
            return false;
        if (found) break;
        if (!store_redis_rewritten(site->store, shard, &jobs, error)) return false;
        if (jobs != seen) heard_ms = monotonic_ms();
        seen = jobs;
        progress_show(&rebuild->progress, (size_t)rebuild->jobs + (size_t)jobs);
        if (monotonic_ms() - heard_ms > SILENCE_MS) {
            (void)error_set(error, ERROR_RETRY, "shard %" PRId32 ": its owner does not write; "
                            "belfry shards and the log of belfryd say more", shard);
            error->code = CODE_TIMED_OUT;
            return false;
        }
        site->clock.sleep_ms(site->clock.opaque, LOOK_MS);
    }
    rebuild->jobs += snapshot.job_count;
    rebuild->shards_done++;
    return true;
}

static bool by_daemons(struct rebuild *rebuild, struct error *error)
{
    struct cluster_site *site = &rebuild->site;
    bool done = cluster_site_put_meta(site, error);
    for (int32_t shard = 0; done && shard < site->shards; shard++)
        if (wanted(rebuild, shard)) done = store_redis_forget_snapshot(site->store, shard, error);
    for (int32_t shard = 0; done && shard < site->shards; shard++)
        if (wanted(rebuild, shard)) done = await_owner(rebuild, shard, error);
    return done;
}

/* ---- nobody runs: we write ---- */

static void on_progress(void *opaque, int64_t done)
{
    struct shard_seat *seat = opaque;
    struct rebuild *rebuild = (struct rebuild *)seat->site;
    size_t shown = (size_t)(rebuild->jobs + done);
    if (shown > rebuild->progress.done) progress_show(&rebuild->progress, shown);
}

static bool write_shard(struct rebuild *rebuild, int32_t shard, struct error *error)
{
    struct shard_seat seat;
    struct error cause = {0};
    struct recover_report report = {0};
    struct recover_options options = {.opaque = &seat, .progress = on_progress};
    bool done = shard_seat_open(&seat, &rebuild->site, shard, &cause) &&
                recover_rebuild(seat.engine, SILENCE_MS, &options, &report, &cause);
    shard_seat_close(&seat);
    rebuild->jobs += report.jobs;
    rebuild->shards_done += done;
    if (done) return true;
    return error_set(error, cause.kind, "shard %" PRId32 ": %.200s", shard, cause.message);
}

static bool by_ourselves(struct rebuild *rebuild, struct error *error)
{
    bool done = cluster_site_put_meta(&rebuild->site, error);
    for (int32_t shard = 0; done && shard < rebuild->site.shards; shard++)
        if (wanted(rebuild, shard)) done = write_shard(rebuild, shard, error);
    return done;
}

static bool check(const struct rebuild *rebuild, struct error *error)
{
    const struct cluster_site *site = &rebuild->site;
    if (rebuild->shard >= site->shards)
        return error_invalid(error, CODE_USAGE, "--shard: the cluster has shards 0 to %d",
                             (int)site->shards - 1);
    if (!cluster_site_check_shards(site, error)) return false;
    if (site->missing[TOPIC_STATE])
        return error_set(error, ERROR_FATAL, "the state log is not in this Kafka: there is "
                         "nothing to rebuild from");
    if (site->meta_found && strcmp(site->meta.kafka_cluster_id, site->kafka_id) != 0)
        return error_set(error, ERROR_FATAL, "this Redis belongs to Kafka %.60s, but this is Kafka "
                         "%.60s: if that one is gone, belfry recover",
                         site->meta.kafka_cluster_id, site->kafka_id);
    return true;
}

static enum exit_code run(struct rebuild *rebuild, const struct settings *settings)
{
    struct error error = {0};
    char daemon[KAFKA_MEMBER_TEXT_BYTES];
    int32_t daemons = 0;
    if (!cluster_site_open(&rebuild->site, settings, &error) || !check(rebuild, &error) ||
        !cluster_site_daemons(&rebuild->site, &daemons, daemon, &error))
        return exit_with(&error);
    progress_start(&rebuild->progress, "rebuilding", 0);
    bool done = daemons > 0 ? by_daemons(rebuild, &error) : by_ourselves(rebuild, &error);
    progress_end(&rebuild->progress);
    if (!done) return exit_with(&error);
    char jobs[GROUPED_BYTES];
    number_grouped((uint64_t)rebuild->jobs, jobs);
    (void)fprintf(stderr, "belfry: %d shards, %s jobs written to Redis by %s\n",
                  (int)rebuild->shards_done, jobs,
                  daemons > 0 ? "the daemons" : "this command: no daemon runs");
    return CLI_OK;
}

enum exit_code command_rebuild(const struct invocation *invocation)
{
    const struct arguments *arguments = invocation->arguments;
    struct error error = {0};
    struct rebuild rebuild = {.shard = -1};
    if (arguments->positional_count > 0)
        (void)error_invalid(&error, CODE_USAGE, "rebuild takes no names; --shard N is one "
                            "shard");
    if (error.kind != ERROR_NONE ||
        !arguments_number(arguments, "shard", 0, SHARDS_MAX - 1, &rebuild.shard, &error))
        return exit_with(&error);
    enum exit_code code = run(&rebuild, invocation->settings);
    cluster_site_close(&rebuild.site);
    return code;
}
