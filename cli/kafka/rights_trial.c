#include "cli/kafka/rights_trial.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/show/cli_clock.h"
#include "lib/base/monotonic.h"

enum { POLL_MS = 100, ID_BYTES = 160 };

enum whose { NOBODY = 0, OWN, DAEMON };

/* Whose a right on a topic is: the command line's own, for commands and their results, or a
 * daemon's; tail, describe and verify read what a daemon reads or writes. */
static const struct topic_row {
    const char *suffix;
    enum whose write;
    enum whose read;
} topic_rows[] = {
    {"control", OWN, DAEMON},    {"results", DAEMON, OWN},  {"forward", DAEMON, DAEMON},
    {"fires", DAEMON, NOBODY},   {"events", DAEMON, NOBODY}, {"state", DAEMON, DAEMON},
    {"dead", DAEMON, NOBODY},    {"runs", DAEMON, DAEMON},   {"cancels", DAEMON, NOBODY},
};
enum { TOPIC_ROWS = sizeof topic_rows / sizeof topic_rows[0] };

static bool is_refusal(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED: return true;
    default: return false;
    }
}

static void note(struct rights_trial *trial, enum whose whose, rd_kafka_resp_err_t code,
                 const char *verb, const char *object)
{
    assert(whose != NOBODY);
    char *text = whose == OWN ? trial->refused_own : trial->refused_daemon;
    size_t used = strlen(text);
    trial->tried++;
    trial->unanswered += code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                         code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
    if (!is_refusal(code)) return;
    (void)snprintf(text + used, RIGHTS_TEXT_BYTES - used, "%s%s %s", used == 0 ? "" : ", ", verb,
                   object);
}

/* ---- seeing ---- */

static rd_kafka_resp_err_t look_up(struct cli_kafka *client, const struct settings *settings,
                                   const char *topic)
{
    rd_kafka_topic_t *asked = rd_kafka_topic_new(cli_kafka_handle(client), topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    if (asked == NULL) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_resp_err_t code = rd_kafka_metadata(cli_kafka_handle(client), 0, asked, &metadata,
                                                 (int)settings->timeout_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
        code = metadata->topics[0].err;
    if (metadata != NULL) rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(asked);
    return code;
}

/* Which topics are there to be tried: what may not be seen need not be. A client that has asked for
 * a topic also knows it at once, and not after a second, when it sends. */
static void try_seeing(struct cli_kafka *client, const struct settings *settings,
                       struct rights_trial *trial, bool there[TOPIC_ROWS])
{
    for (size_t i = 0; i < TOPIC_ROWS; i++) {
        const struct topic_row *row = &topic_rows[i];
        char topic[TOPIC_NAME_BYTES];
        topic_name(topic, settings, row->suffix);
        rd_kafka_resp_err_t code = look_up(client, settings, topic);
        there[i] = code == RD_KAFKA_RESP_ERR_NO_ERROR;
        bool missing = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (!missing) note(trial, row->write == OWN || row->read == OWN ? OWN : DAEMON, code, "see",
                           topic);
    }
}

/* ---- writing ---- */

static bool try_writing(const struct settings *settings, struct rights_trial *trial,
                        bool there[TOPIC_ROWS], struct error *error)
{
    static const char *const extra[][2] = {
        {"enable.idempotence", "false"}, {"acks", "2"}, {"linger.ms", "0"},
        {"message.timeout.ms", "3000"},  {NULL, NULL}};
    struct cli_kafka *client = cli_kafka_create_with(settings, CLI_PRODUCER, extra, error);
    if (client == NULL) return false;
    try_seeing(client, settings, trial, there);
    for (size_t i = 0; i < TOPIC_ROWS; i++) {
        char topic[TOPIC_NAME_BYTES];
        struct write_record record = {.partition = 0, .key = "belfry-doctor"};
        struct error expected = {0};
        if (topic_rows[i].write == NOBODY || !there[i]) continue;
        topic_name(topic, settings, topic_rows[i].suffix);
        if (cli_kafka_send(client, topic, &record, 1, &expected)) record.fault_code = 0;
        note(trial, topic_rows[i].write, (rd_kafka_resp_err_t)record.fault_code, "write", topic);
    }
    cli_kafka_destroy(client);
    return true;
}

/* ---- reading, and the group ---- */

static void take_answer(const struct settings *settings, const rd_kafka_message_t *message,
                        rd_kafka_resp_err_t codes[TOPIC_ROWS], bool answered[TOPIC_ROWS])
{
    const char *name = message->rkt == NULL ? "" : rd_kafka_topic_name(message->rkt);
    for (size_t i = 0; i < TOPIC_ROWS; i++) {
        char topic[TOPIC_NAME_BYTES];
        topic_name(topic, settings, topic_rows[i].suffix);
        if (strcmp(topic, name) != 0) continue;
        answered[i] = true;
        if (is_refusal(message->err)) codes[i] = message->err;
    }
}

/* Reads the end of a partition of each topic until each has answered: with its end, a record that
 * has just come, or a refusal. */
static void try_reading(struct cli_kafka *client, const struct settings *settings,
                        struct rights_trial *trial, const bool there[TOPIC_ROWS])
{
    rd_kafka_t *handle = cli_kafka_handle(client);
    rd_kafka_resp_err_t codes[TOPIC_ROWS] = {RD_KAFKA_RESP_ERR_NO_ERROR};
    bool answered[TOPIC_ROWS] = {false};
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(TOPIC_ROWS);
    for (size_t i = 0; i < TOPIC_ROWS; i++) {
        char topic[TOPIC_NAME_BYTES];
        topic_name(topic, settings, topic_rows[i].suffix);
        answered[i] = topic_rows[i].read == NOBODY || !there[i];
        if (!answered[i])
            rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_END;
    }
    (void)rd_kafka_assign(handle, list);
    int64_t deadline_ms = monotonic_ms() + settings->timeout_ms;
    for (size_t next = 0; next < TOPIC_ROWS && cli_left_ms(deadline_ms, 1) > 0;) {
        while (next < TOPIC_ROWS && answered[next]) next++;
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, POLL_MS);
        if (message == NULL) continue;
        take_answer(settings, message, codes, answered);
        rd_kafka_message_destroy(message);
    }
    for (size_t i = 0; i < TOPIC_ROWS; i++) {
        char topic[TOPIC_NAME_BYTES];
        topic_name(topic, settings, topic_rows[i].suffix);
        if (!answered[i]) codes[i] = RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (topic_rows[i].read != NOBODY && there[i])
            note(trial, topic_rows[i].read, codes[i], "read", topic);
    }
    (void)rd_kafka_assign(handle, NULL);
    rd_kafka_topic_partition_list_destroy(list);
}

static void try_group(struct cli_kafka *client, const struct settings *settings,
                      struct rights_trial *trial)
{
    char topic[TOPIC_NAME_BYTES];
    char name[ID_BYTES];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    topic_name(topic, settings, "control");
    (void)rd_kafka_topic_partition_list_add(list, topic, 0);
    rd_kafka_resp_err_t code =
        rd_kafka_committed(cli_kafka_handle(client), list, (int)settings->timeout_ms);
    rd_kafka_topic_partition_list_destroy(list);
    (void)snprintf(name, sizeof name, "the group %s", settings->cluster);
    note(trial, DAEMON, code, "use", name);
}

static bool try_consumer(const struct settings *settings, struct rights_trial *trial,
                         const bool there[TOPIC_ROWS], struct error *error)
{
    const char *const extra[][2] = {{"group.id", settings->cluster},
                                    {"enable.auto.commit", "false"},
                                    {NULL, NULL}};
    struct cli_kafka *client = cli_kafka_create_with(settings, CLI_READER, extra, error);
    if (client == NULL) return false;
    (void)rd_kafka_poll_set_consumer(cli_kafka_handle(client));
    try_reading(client, settings, trial, there);
    try_group(client, settings, trial);
    (void)rd_kafka_consumer_close(cli_kafka_handle(client));
    cli_kafka_destroy(client);
    return true;
}

/* ---- transactions ---- */

static bool try_transactions(const struct settings *settings, struct rights_trial *trial,
                             struct error *error)
{
    char id[ID_BYTES];
    char name[ID_BYTES + 32];
    (void)snprintf(id, sizeof id, "%s-doctor", settings->cluster);
    const char *const extra[][2] = {{"transactional.id", id},
                                    {"transaction.timeout.ms", "10000"},
                                    {"message.timeout.ms", "5000"},
                                    {NULL, NULL}};
    struct cli_kafka *client = cli_kafka_create_with(settings, CLI_PRODUCER, extra, error);
    if (client == NULL) return false;
    rd_kafka_error_t *refused =
        rd_kafka_init_transactions(cli_kafka_handle(client), (int)settings->timeout_ms);
    (void)snprintf(name, sizeof name, "transactional ids %s-...", settings->cluster);
    note(trial, DAEMON, refused == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(refused),
         "use", name);
    if (refused != NULL) rd_kafka_error_destroy(refused);
    cli_kafka_destroy(client);
    return true;
}

bool rights_try(const struct settings *settings, struct rights_trial *trial, struct error *error)
{
    bool there[TOPIC_ROWS] = {false};
    *trial = (struct rights_trial){0};
    return try_writing(settings, trial, there, error) &&
           try_consumer(settings, trial, there, error) &&
           try_transactions(settings, trial, error);
}
