/* What belfry doctor says of Kafka. */
#include <stdio.h>

#include "cli/kafka/broker_check.h"
#include "cli/kafka/rights_trial.h"
#include "cli/operate/checkup.h"
#include "cli/read/dead_letters.h"
#include "dispatcher/kafka/kafka_admin.h"
#include "dispatcher/kafka/kafka_topics.h"
#include "lib/base/limits.h"

enum { COPIES_WANTED = 3 };

void check_kafka(struct checkup *checkup)
{
    struct error error = {0};
    char control[TOPIC_NAME_BYTES];
    int32_t partitions = 0;
    const struct settings *settings = checkup->settings;
    topic_name(control, settings, "control");
    checkup->client = cli_kafka_create(settings, CLI_PRODUCER, &error);
    bool found = checkup->client != NULL &&
                 cli_kafka_partitions(checkup->client, control, &partitions, &error);
    if (checkup->client == NULL || (!found && error.kind == ERROR_RETRY)) {
        checkup_find(checkup, BAD, "is it running, and does --kafka or BELFRY_KAFKA name it?", "%s",
                     error.message);
        return;
    }
    rd_kafka_t *handle = cli_kafka_handle(checkup->client);
    int brokers = 0;
    int wait_ms = (int)settings->timeout_ms;
    if (rd_kafka_metadata(handle, 0, NULL, &checkup->metadata, wait_ms) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
        brokers = checkup->metadata->broker_cnt;
    char *cluster_id = rd_kafka_clusterid(handle, wait_ms);
    if (cluster_id != NULL) {
        (void)snprintf(checkup->kafka_cluster_id, CLUSTER_ID_BYTES, "%s", cluster_id);
        rd_kafka_mem_free(handle, cluster_id);
    }
    if (found && partitions <= SHARDS_MAX) checkup->shards = partitions;
    checkup->embedded = cli_kafka_is_embedded(checkup->kafka_cluster_id);
    if (checkup->embedded)
        checkup_find(checkup, WARN, "for anything but trying Belfry, start belfryd with --kafka",
                     "the embedded stand-in at %s: it forgets its topics when belfryd ends",
                     settings->kafka);
    else
        checkup_find(checkup, FINE, NULL, "%d %s at %s, cluster id %s", brokers,
                     brokers == 1 ? "broker" : "brokers", settings->kafka,
                     checkup->kafka_cluster_id[0] == '\0' ? "not told" : checkup->kafka_cluster_id);
}

/* ---- brokers ---- */

static void note_setting(void *opaque, const char *name, const char *value)
{
    broker_facts_note(opaque, name, value);
}

/* Every broker is looked at: in a rolling upgrade they differ. */
void check_brokers(struct checkup *checkup)
{
    const struct rd_kafka_metadata *metadata = checkup->metadata;
    int fine = 0;
    for (int i = 0; i < metadata->broker_cnt; i++) {
        struct broker_facts facts = {0};
        struct error error = {0};
        char text[CHECK_TEXT_BYTES];
        (void)snprintf(text, sizeof text, "%d", (int)metadata->brokers[i].id);
        if (!kafka_admin_describe(cli_kafka_handle(checkup->client), RD_KAFKA_RESOURCE_BROKER, text,
                                  note_setting, &facts, &error)) {
            checkup_find(checkup, WARN, "the right DescribeConfigs on the cluster lets doctor see "
                         "whether it is 3.6 or later", "broker %s does not tell its settings: %s",
                         text, error.message);
            return; /* the others would say the same, each after a while */
        }
        enum broker_verdict verdict =
            broker_judge(&facts, (int)metadata->brokers[i].id, text, sizeof text);
        if (verdict != BROKER_FINE) checkup_find(checkup, WARN, broker_advice(verdict), "%s", text);
        fine += verdict == BROKER_FINE;
    }
    if (fine > 0 && fine == metadata->broker_cnt)
        checkup_find(checkup, FINE, NULL, "Apache Kafka 3.6 or later: they check whose a "
                     "transaction is");
}

/* ---- topics ---- */

static void on_topic_report(void *opaque, const char *text)
{
    checkup_find(opaque, WARN, NULL, "%s", text);
}

/* Fewer copies than the brokers could hold. */
static void check_copies(struct checkup *checkup)
{
    int32_t wanted = checkup->metadata->broker_cnt < COPIES_WANTED ? checkup->metadata->broker_cnt
                                                                   : COPIES_WANTED;
    for (enum broker_topic topic = 0; topic < TOPIC_FOREIGN; topic++) {
        struct kafka_topic_facts facts;
        struct error error = {0};
        char name[TOPIC_NAME_BYTES];
        kafka_topic_name(checkup->settings->cluster, topic, name);
        if (!kafka_admin_look_up(cli_kafka_handle(checkup->client), name, &facts, &error)) return;
        if (facts.exists && facts.replicas < wanted)
            checkup_find(checkup, WARN, "kafka-reassign-partitions.sh gives it more copies; set "
                         "default.replication.factor before topics are made",
                         "topic %s has %d %s on %d brokers: what it holds can be lost with one "
                         "disk", name, (int)facts.replicas,
                         facts.replicas == 1 ? "copy" : "copies", checkup->metadata->broker_cnt);
    }
}

/* What an earlier version made, and this one does not use. */
static void check_former(struct checkup *checkup)
{
    struct kafka_topic_facts facts;
    struct error error = {0};
    char name[TOPIC_NAME_BYTES];
    topic_name(name, checkup->settings, "completions");
    if (kafka_admin_look_up(cli_kafka_handle(checkup->client), name, &facts, &error) &&
        facts.exists)
        checkup_find(checkup, FINE, NULL, "topic %s is of an earlier version, nothing uses it: it "
                     "may be deleted", name);
}

static const char *topics_advice(const struct error *error)
{
    if (error->kind == ERROR_INVALID)
        return "the number of partitions is fixed when the topics are made: stop the daemons and "
               "make the odd topic anew";
    return error->kind == ERROR_FATAL ? "give this user the right Describe on it (docs/kafka.md)"
                                      : NULL;
}

void check_topics(struct checkup *checkup)
{
    struct error error = {0};
    int32_t missing = 0;
    int before = checkup_troubles(checkup);
    if (checkup->shards == 0) {
        checkup_find(checkup, BAD, "start belfryd for this cluster name: it creates them",
                     "%s.control is not there, or has more than %d partitions",
                     checkup->settings->cluster, SHARDS_MAX);
        return;
    }
    if (checkup->embedded) return; /* it makes them as it likes */
    struct kafka_options options = {.brokers = checkup->settings->kafka,
                                    .cluster = checkup->settings->cluster,
                                    .shards = checkup->shards};
    struct kafka_report report = {checkup, on_topic_report};
    if (!kafka_topics_check(cli_kafka_handle(checkup->client), &options, &report, &missing, &error))
        checkup_find(checkup, BAD, topics_advice(&error), "%s", error.message);
    else if (missing > 0)
        checkup_find(checkup, BAD, "start belfryd: it creates what is missing",
                     "%d topics do not exist", (int)missing);
    check_copies(checkup);
    if (checkup_troubles(checkup) == before)
        checkup_find(checkup, FINE, NULL, "%d topics of %d partitions, set as Belfry sets them",
                     (int)TOPIC_OWN_COUNT, (int)checkup->shards);
    check_former(checkup);
}

/* What nobody has dealt with. Of a topic with very many the newest are looked at. */
void check_dead_letters(struct checkup *checkup)
{
    enum { LOOKED_AT = 10000 }; /* records of a partition */
    const struct dead_filter filter = dead_filter_any();
    struct dead_list list = {0};
    struct error error = {0};
    size_t runs = 0;
    if (!dead_list_read(&list, checkup->settings, &filter, LOOKED_AT, &error)) {
        if (error.kind != ERROR_FATAL) /* else it is yet to be made */
            checkup_find(checkup, WARN, NULL, "%s", error.message);
        return;
    }
    for (size_t i = 0; i < list.count; i++) runs += list.rows[i].kind == DEAD_RUN;
    if (list.count == 0 && list.cut)
        checkup_find(checkup, FINE, "belfry dead list looks at all of them",
                     "none that nobody has dealt with among the newest %d records of each "
                     "partition", (int)LOOKED_AT);
    else if (list.count == 0)
        checkup_find(checkup, FINE, NULL, "none that nobody has dealt with");
    else
        checkup_find(checkup, WARN, "belfry dead list shows them; belfry dead ack marks those that "
                     "are dealt with", "%s%zu that nobody has dealt with, %zu of them runs that "
                     "have failed for good", list.cut ? "at least " : "", list.count, runs);
    dead_list_free(&list);
}

/* ---- rights ---- */

void check_kafka_rights(struct checkup *checkup)
{
    struct rights_trial trial;
    struct error error = {0};
    if (!rights_try(checkup->settings, &trial, &error)) {
        checkup_find(checkup, WARN, NULL, "not tried: %s", error.message);
        return;
    }
    if (trial.refused_own[0] != '\0')
        checkup_find(checkup, BAD, "give this user these rights (kafka-acls.sh --add; "
                     "docs/kafka.md): without them no command can be sent or answered",
                     "this user may not %s", trial.refused_own);
    if (trial.refused_daemon[0] != '\0')
        checkup_find(checkup, WARN, "a daemon needs them all: where the daemons have a user of "
                     "their own, run doctor as that user (-X sasl.username=...); whoever only "
                     "sends commands does without", "this user may not %s", trial.refused_daemon);
    if (trial.unanswered > 0)
        checkup_find(checkup, WARN, NULL, "%d of %d trials were not answered", trial.unanswered,
                     trial.tried);
    else if (trial.refused_own[0] == '\0' && trial.refused_daemon[0] == '\0')
        checkup_find(checkup, FINE, NULL, "tried as this user: %d rights on topics, group and "
                     "transactional ids, all that a daemon needs", trial.tried);
}
