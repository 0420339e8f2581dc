/* belfry doctor: is everything there that Belfry needs, and what to do where it is not. */
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/broker_check.h"
#include "cli/kafka/cli_kafka.h"
#include "cli/kafka/redis_reader.h"
#include "cli/operate/ping.h"
#include "cli/read/result_view.h"
#include "cli/show/cli_clock.h"
#include "cli/show/json_text.h"
#include "cli/show/print_text.h"
#include "cli/words/cli.h"
#include "dispatcher/engine/step_aside.h"
#include "dispatcher/kafka/kafka_admin.h"
#include "dispatcher/kafka/kafka_topics.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "store/store_redis.h"
#include "store/store_redis_health.h"
#include "store/store_redis_query.h"

enum { PING_MS = 10000, CLOCK_TOLERANCE_MS = 1000, TEXT_BYTES = 700, CLUSTER_ID_BYTES = 64 };

enum severity { FINE = 0, WARN, BAD };
static const char *const severity_names[] = {"ok", "warn", "bad"};

struct checkup {
    const struct settings *settings;
    json_t *findings; /* {"check","status","message","advice"} */
    int counts[BAD + 1];
    int32_t shards; /* as Kafka says; 0 = not known */
    char kafka_cluster_id[CLUSTER_ID_BYTES];
    bool embedded; /* belfryd --embedded: no administration, and no cluster id of its own */
};

__attribute__((format(printf, 5, 6))) static void find(struct checkup *checkup,
                                                       enum severity severity, const char *check,
                                                       const char *advice, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_t *finding = json_pack("{s:s, s:s, s:s}", "check", check, "status",
                                severity_names[severity], "message", text);
    if (finding == NULL) /* what was said is no UTF-8 */
        finding = json_pack("{s:s, s:s, s:s}", "check", check, "status",
                            severity_names[severity], "message", "(unreadable text)");
    if (advice != NULL) (void)json_object_set_new(finding, "advice", json_string(advice));
    (void)json_array_append_new(checkup->findings, finding);
    checkup->counts[severity]++;
}

/* --- Kafka --- */

static void on_topic_report(void *opaque, const char *text)
{
    find(opaque, WARN, "topics", NULL, "%s", text);
}

static void check_topics(struct checkup *checkup, rd_kafka_t *handle)
{
    assert(checkup->shards > 0);
    struct error error = {0};
    int32_t missing = 0;
    int before = checkup->counts[WARN];
    struct kafka_options options = {.brokers = checkup->settings->kafka,
                                    .cluster = checkup->settings->cluster,
                                    .shards = checkup->shards};
    struct kafka_report report = {checkup, on_topic_report};
    if (!kafka_topics_check(handle, &options, &report, &missing, &error))
        find(checkup, BAD, "topics", "the number of partitions is fixed when the topics are made: "
             "stop the daemons and make the odd topic anew", "%s", error.message);
    else if (missing > 0)
        find(checkup, BAD, "topics", "start belfryd: it creates what is missing",
             "%d topics do not exist", (int)missing);
    else if (checkup->counts[WARN] == before)
        find(checkup, FINE, "topics", NULL, "8 topics of %d partitions, set as Belfry sets them",
             (int)checkup->shards);
}

static void check_dead_letters(struct checkup *checkup, struct cli_kafka *client)
{
    char topic[TOPIC_NAME_BYTES];
    int32_t partitions = 0;
    int64_t letters = 0;
    struct error error = {0};
    topic_name(topic, checkup->settings, "dead");
    if (!cli_kafka_partitions(client, topic, &partitions, &error)) return;
    for (int32_t p = 0; p < partitions; p++) {
        int64_t oldest = 0;
        int64_t end = 0;
        if (!cli_kafka_bounds(client, topic, p, &oldest, &end, &error)) return;
        letters += end - oldest;
    }
    /* Each transaction leaves a marker, so the ends only bound the number. */
    if (letters == 0) find(checkup, FINE, "dead letters", NULL, "none");
    else find(checkup, WARN, "dead letters", "belfry dead list shows what was refused and why",
              "at most %" PRId64 " are kept", letters);
}

static void note_setting(void *opaque, const char *name, const char *value)
{
    broker_facts_note(opaque, name, value);
}

/* Every broker is looked at: in a rolling upgrade they differ. */
static void check_brokers(struct checkup *checkup, rd_kafka_t *handle,
                          const struct rd_kafka_metadata *metadata)
{
    int fine = 0;
    for (int i = 0; i < metadata->broker_cnt; i++) {
        struct broker_facts facts = {0};
        struct error error = {0};
        char text[TEXT_BYTES];
        (void)snprintf(text, sizeof text, "%d", (int)metadata->brokers[i].id);
        if (!kafka_admin_describe(handle, RD_KAFKA_RESOURCE_BROKER, text, note_setting, &facts,
                                  &error)) {
            find(checkup, WARN, "brokers", "the right DescribeConfigs on the cluster lets doctor "
                 "see whether it is 3.6 or later", "broker %s does not tell its settings: %s",
                 text, error.message);
            return; /* the others would say the same, each after a while */
        }
        enum broker_verdict verdict =
            broker_judge(&facts, (int)metadata->brokers[i].id, text, sizeof text);
        if (verdict != BROKER_FINE)
            find(checkup, WARN, "brokers", broker_advice(verdict), "%s", text);
        fine += verdict == BROKER_FINE;
    }
    if (fine > 0 && fine == metadata->broker_cnt)
        find(checkup, FINE, "brokers", NULL, "Apache Kafka 3.6 or later: they check whose a "
             "transaction is");
}

static void check_kafka(struct checkup *checkup)
{
    assert(checkup->shards == 0);
    struct error error = {0};
    char control[TOPIC_NAME_BYTES];
    const struct rd_kafka_metadata *metadata = NULL;
    int32_t partitions = 0;
    topic_name(control, checkup->settings, "control");
    struct cli_kafka *client = cli_kafka_create(checkup->settings, CLI_PRODUCER, &error);
    bool found = client != NULL && cli_kafka_partitions(client, control, &partitions, &error);
    if (client == NULL || (!found && error.kind == ERROR_RETRY)) {
        find(checkup, BAD, "kafka", "is it running, and does --kafka or BELFRY_KAFKA name it?",
             "%s", error.message);
        cli_kafka_destroy(client);
        return;
    }
    rd_kafka_t *handle = cli_kafka_handle(client);
    int brokers = 0;
    int wait_ms = (int)checkup->settings->timeout_ms;
    if (rd_kafka_metadata(handle, 0, NULL, &metadata, wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
        brokers = metadata->broker_cnt;
    char *cluster_id = rd_kafka_clusterid(handle, wait_ms);
    if (cluster_id != NULL) {
        (void)snprintf(checkup->kafka_cluster_id, CLUSTER_ID_BYTES, "%s", cluster_id);
        rd_kafka_mem_free(handle, cluster_id);
    }
    checkup->embedded = cli_kafka_is_embedded(checkup->kafka_cluster_id);
    if (checkup->embedded)
        find(checkup, WARN, "kafka", "for anything but trying Belfry, start belfryd with --kafka",
             "the embedded stand-in at %s: it forgets its topics when belfryd ends",
             checkup->settings->kafka);
    else
        find(checkup, FINE, "kafka", NULL, "%d %s at %s, cluster id %s", brokers,
             brokers == 1 ? "broker" : "brokers", checkup->settings->kafka,
             checkup->kafka_cluster_id[0] == '\0' ? "not told" : checkup->kafka_cluster_id);
    if (metadata != NULL && !checkup->embedded) check_brokers(checkup, handle, metadata);
    if (metadata != NULL) rd_kafka_metadata_destroy(metadata);
    if (found) {
        checkup->shards = partitions;
        if (!checkup->embedded) check_topics(checkup, handle);
        check_dead_letters(checkup, client);
    } else {
        find(checkup, BAD, "topics", "start belfryd for this cluster name: it creates them", "%s",
             error.message);
    }
    cli_kafka_destroy(client);
}

/* --- Redis --- */

static void on_redis_warning(void *opaque, const char *warning)
{
    find(opaque, WARN, "redis", NULL, "%s", warning);
}

static void check_whole(struct checkup *checkup, struct store *store, int32_t shards)
{
    struct error error = {0};
    if (shards < 1 || shards > SHARDS_MAX || store_redis_check_whole(store, shards, &error)) return;
    find(checkup, BAD, "redis", "is maxmemory-policy noeviction, and does nothing else write "
         "there? Fires are not touched: the state log in Kafka has everything", "%s",
         error.message);
}

static void check_meta(struct checkup *checkup, struct store *store)
{
    struct store_meta meta;
    struct error error = {0};
    bool found = false;
    if (!store_redis_read_meta(store, &meta, &found, &error)) {
        find(checkup, BAD, "redis", NULL, "%s", error.message);
    } else if (!found) {
        find(checkup, WARN, "redis", "start belfryd; or does --redis name another Redis than the "
             "daemons use?", "it knows nothing of the cluster %s", checkup->settings->cluster);
    } else if (checkup->shards > 0 && meta.shards != checkup->shards) {
        find(checkup, BAD, "redis", "one of --kafka, --redis and --cluster is of another cluster",
             "it was written for %d shards, Kafka has %d", (int)meta.shards,
             (int)checkup->shards);
    } else if (checkup->kafka_cluster_id[0] != '\0' && !checkup->embedded &&
               strcmp(meta.kafka_cluster_id, checkup->kafka_cluster_id) != 0) {
        find(checkup, BAD, "redis", "daemons refuse to run on the two together: name the right "
             "Redis, or the right Kafka; or belfry recover, if that Kafka is gone", "it belongs to "
             "the Kafka cluster %.63s", meta.kafka_cluster_id);
    }
    if (found) check_whole(checkup, store, meta.shards);
}

static void check_redis(struct checkup *checkup)
{
    struct store_redis_options options;
    struct error error = {0};
    int before = checkup->counts[WARN] + checkup->counts[BAD];
    struct store *store = NULL;
    if (redis_reader_options(checkup->settings, &options, &error))
        store = store_redis_create(&options, &error);
    if (store == NULL || !store_redis_check(store, on_redis_warning, checkup, &error))
        find(checkup, BAD, "redis", "is it running, and does --redis or BELFRY_REDIS name it? No "
             "fire is late for it, but list, get and describe cannot answer", "%s",
             error.message);
    else check_meta(checkup, store);
    if (checkup->counts[WARN] + checkup->counts[BAD] == before)
        find(checkup, FINE, "redis", NULL, "reachable, append-only file on, nothing is evicted");
    if (store != NULL) store->operations->destroy(store);
}

/* --- shards and clocks --- */

/* Each result tells when the broker took the command: between our sending and our receiving. */
static void check_clock(struct checkup *checkup, const json_t *results, int64_t sent_ms)
{
    int64_t received_ms = cli_now_ms();
    int64_t worst_ms = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const char *text = json_member_text(json_array_get(results, i), "effective_at");
        int64_t at_ms = 0;
        if (text == NULL || !instant_parse(text, strlen(text), &at_ms, NULL)) continue;
        int64_t off_ms = at_ms < sent_ms ? at_ms - sent_ms
                                         : at_ms > received_ms ? at_ms - received_ms : 0;
        if (llabs(off_ms) > llabs(worst_ms)) worst_ms = off_ms;
    }
    if (json_array_size(results) == 0) return;
    if (llabs(worst_ms) <= CLOCK_TOLERANCE_MS)
        find(checkup, FINE, "clock", NULL, "this machine and the brokers agree within a second");
    else
        find(checkup, WARN, "clock", "let NTP set the clocks of this machine and of the brokers; "
             "a daemon whose clock is ahead of the brokers' goes by theirs",
             "the brokers' clock is %" PRId64 " ms %s this machine's", (int64_t)llabs(worst_ms),
             worst_ms > 0 ? "ahead of" : "behind");
}

static void list_silent(const struct checkup *checkup, const json_t *results, char *text,
                        size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int32_t shard = 0; shard < checkup->shards; shard++) {
        bool answered = false;
        for (size_t i = 0; i < json_array_size(results); i++)
            answered = answered || json_member_number(json_array_get(results, i), "shard", -1) ==
                                       shard;
        if (answered || used + 12 > bytes) continue;
        int length = snprintf(text + used, bytes - used, "%s%d", used == 0 ? "" : ", ",
                              (int)shard);
        used += length > 0 ? (size_t)length : 0;
    }
}

/* A shard may call itself live and yet not move. */
static void check_movement(struct checkup *checkup, const struct shard_report *reports)
{
    for (int32_t shard = 0; shard < checkup->shards; shard++) {
        const struct shard_report *report = &reports[shard];
        if (report->owner[0] == '\0' || report->still_ms < SHARD_STUCK_MS) continue;
        find(checkup, BAD, "shards", "its log says what it waits for: shard.stuck, commit.failed, "
             "clock.ahead and clock.behind", "shard %d of %s (%s) has not moved for %" PRId64 " s",
             (int)shard, report->owner, report->state, report->still_ms / 1000);
    }
}

/* Each daemon knows how far its clock is off the brokers': not this machine's business. */
static void check_daemon_clocks(struct checkup *checkup, const struct shard_report *reports)
{
    for (int32_t shard = 0; shard < checkup->shards; shard++) {
        const struct shard_report *report = &reports[shard];
        bool told = report->owner[0] == '\0' || llabs(report->clock_ahead_ms) <= CLOCK_TOLERANCE_MS;
        for (int32_t before = 0; before < shard && !told; before++)
            told = strcmp(reports[before].owner, report->owner) == 0 &&
                   llabs(reports[before].clock_ahead_ms) > CLOCK_TOLERANCE_MS;
        if (!told)
            find(checkup, WARN, "clock", "let NTP set the clock of that daemon's machine; until "
                 "then it goes by the brokers'", "the clock of the daemon %s is %" PRId64
                 " ms %s the brokers'", report->owner, (int64_t)llabs(report->clock_ahead_ms),
                 report->clock_ahead_ms > 0 ? "ahead of" : "behind");
    }
}

/* What the daemons say of their shards, in Redis. */
static void check_health(struct checkup *checkup)
{
    struct store_redis_options options;
    struct error error = {0};
    struct store *store = NULL;
    struct shard_report *reports = memory_allocate(SHARDS_MAX, sizeof *reports);
    if (redis_reader_options(checkup->settings, &options, &error))
        store = store_redis_create(&options, &error);
    if (store != NULL && store_redis_read_health(store, checkup->shards, reports, &error)) {
        check_movement(checkup, reports);
        check_daemon_clocks(checkup, reports);
    }
    if (store != NULL) store->operations->destroy(store);
    free(reports);
}

static void check_checkpoint(struct checkup *checkup, const json_t *results)
{
    assert(json_is_array(results));
    struct error error = {0};
    int32_t behind = 0;
    if (!redis_wait_snapshots(checkup->settings, results, &behind, &error)) return;
    if (behind == 0)
        find(checkup, FINE, "checkpoint", NULL, "Redis has caught up with every shard");
    else
        find(checkup, WARN, "checkpoint", "the log of belfryd says why; belfry shards shows how "
             "far each one is. No fire is late for it", "Redis is behind for %d shards",
             (int)behind);
}

static void check_shards(struct checkup *checkup)
{
    assert(checkup->shards > 0);
    struct error error = {0};
    json_t *results = NULL;
    int64_t took_ms = 0;
    int64_t sent_ms = cli_now_ms();
    bool answered = ping_shards(checkup->settings, NULL, PING_MS, &results, &took_ms, &error);
    if (answered) {
        find(checkup, FINE, "shards", NULL, "all %d answer, the last after %" PRId64 " ms",
             (int)checkup->shards, took_ms);
    } else if (json_array_size(results) == 0) {
        find(checkup, BAD, "shards", "is belfryd running with this --cluster and --kafka? Its log "
             "says what it waits for", "no shard answers: %s", error.message);
    } else {
        char silent[256];
        list_silent(checkup, results, silent, sizeof silent);
        find(checkup, BAD, "shards", "belfry shards says which daemon owned them; its log says "
             "what they wait for", "these do not answer: %s", silent);
    }
    check_clock(checkup, results, sent_ms);
    check_health(checkup);
    if (json_is_array(results) && json_array_size(results) > 0)
        check_checkpoint(checkup, results);
    json_decref(results);
}

/* --- report --- */

static void print_findings(const struct checkup *checkup)
{
    static const char *const colours[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m"};
    const struct settings *settings = checkup->settings;
    for (size_t i = 0; i < json_array_size(checkup->findings); i++) {
        const json_t *finding = json_array_get(checkup->findings, i);
        const char *status = json_member_text(finding, "status");
        const char *message = json_member_text(finding, "message");
        const char *advice = json_member_text(finding, "advice");
        int severity = FINE;
        while (strcmp(severity_names[severity], status) != 0) severity++;
        (void)printf("%s%-4s%s  %-12s  ", settings->colour ? colours[severity] : "", status,
                     settings->colour ? "\x1b[0m" : "", json_member_text(finding, "check"));
        print_safe(stdout, message, strlen(message));
        (void)fputc('\n', stdout);
        if (advice != NULL) (void)printf("%20s-> %s\n", "", advice);
    }
    (void)fflush(stdout);
    (void)fprintf(stderr, "belfry: %d ok, %d warnings, %d bad\n", checkup->counts[FINE],
                  checkup->counts[WARN], checkup->counts[BAD]);
}

enum exit_code command_doctor(const struct invocation *invocation)
{
    struct error error = {0};
    struct checkup checkup = {.settings = invocation->settings};
    if (invocation->arguments->positional_count > 0) {
        (void)error_invalid(&error, CODE_USAGE, "doctor takes no names");
        return exit_with(&error);
    }
    checkup.findings = json_array();
    check_kafka(&checkup);
    check_redis(&checkup);
    if (checkup.shards > 0 && checkup.shards <= SHARDS_MAX) check_shards(&checkup);
    enum output_format output = invocation->settings->output;
    if (output == OUTPUT_JSON || output == OUTPUT_NDJSON)
        value_print(invocation->settings, checkup.findings);
    else
        print_findings(&checkup);
    json_decref(checkup.findings);
    return checkup.counts[BAD] > 0 ? CLI_FAILED : CLI_OK;
}
