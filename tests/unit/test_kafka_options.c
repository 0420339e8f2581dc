/* Properties of the kinds of clients, and what may be passed through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dispatcher/kafka/kafka_options.h"
#include "tests/support/rows.h"

static const struct clock no_clock = {0};

static struct kafka_options plain(void)
{
    return (struct kafka_options){.brokers = "127.0.0.1:1", .cluster = "belfry", .shards = 16,
                                  .clock = &no_clock};
}

struct property_case {
    const char *name;
    enum kafka_role role;
    const char *property;
    const char *value;
};
/* The values of the design; each one is a promise or a measured time. */
static const struct property_case property_cases[] = {
    {"member: group is the cluster", KAFKA_MEMBER, "group.id", "belfry"},
    {"member: session", KAFKA_MEMBER, "session.timeout.ms", "10000"},
    {"member: heartbeat", KAFKA_MEMBER, "heartbeat.interval.ms", "500"},
    {"member: eager assignor", KAFKA_MEMBER, "partition.assignment.strategy", "range"},
    {"member: never commits by itself", KAFKA_MEMBER, "enable.auto.commit", "false"},
    {"reader: committed only", KAFKA_READER, "isolation.level", "read_committed"},
    {"reader: end of partition", KAFKA_READER, "enable.partition.eof", "true"},
    {"reader: never jumps", KAFKA_READER, "auto.offset.reset", "error"},
    {"reader: short fetch wait", KAFKA_READER, "fetch.wait.max.ms", "50"},
    {"reader: retries soon", KAFKA_READER, "fetch.error.backoff.ms", "10"},
    {"producer: id of the shard", KAFKA_PRODUCER, "transactional.id", "belfry-7"},
    {"producer: transaction time-out", KAFKA_PRODUCER, "transaction.timeout.ms", "15000"},
    {"producer: message time-out", KAFKA_PRODUCER, "message.timeout.ms", "5000"},
    {"producer: linger", KAFKA_PRODUCER, "linger.ms", "50"},
    {"producer: commit latency", KAFKA_PRODUCER, "retry.backoff.ms", "1"},
    {"producer: lz4", KAFKA_PRODUCER, "compression.type", "lz4"},
    {"producer: Java's partitioner", KAFKA_PRODUCER, "partitioner", "murmur2_random"},
    {"producer: acks", KAFKA_PRODUCER, "acks", "-1"},
    {"producer: only failed reports", KAFKA_PRODUCER, "delivery.report.only.error", "true"},
    {"producer: no topic by accident", KAFKA_PRODUCER, "allow.auto.create.topics", "false"},
    {"producer: no Nagle", KAFKA_PRODUCER, "socket.nagle.disable", "true"},
    {"asker: commits nothing", KAFKA_ASKER, "enable.auto.commit", "false"},
    {"ticker: given up soon", KAFKA_TICKER, "message.timeout.ms", "3000"},
    {"ticker: sent at once", KAFKA_TICKER, "linger.ms", "0"},
    {"ticker: what is read back stays", KAFKA_TICKER, "acks", "-1"},
};

static void check_property(void **state)
{
    const struct property_case *row = *state;
    struct error error = {0};
    struct kafka_options options = plain();
    rd_kafka_conf_t *conf = kafka_options_properties(&options, row->role, 7, &error);
    if (conf == NULL) fail_msg("%s", error.message);
    char value[256] = "";
    size_t length = sizeof value;
    assert_int_equal(rd_kafka_conf_get(conf, row->property, value, &length), RD_KAFKA_CONF_OK);
    assert_string_equal(value, row->value);
    rd_kafka_conf_destroy(conf);
}

static const char *const refused_names[] = {
    "transactional.id", "isolation.level", "enable.idempotence", "group.id", "acks",
    "request.required.acks", "auto.offset.reset", "enable.auto.commit", "partitioner",
    "bootstrap.servers", "message.timeout.ms", "delivery.timeout.ms", "transaction.timeout.ms",
    "partition.assignment.strategy", "test.mock.num.brokers", "delivery.report.only.error",
};

static void check_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_names / sizeof refused_names[0]; i++) {
        struct kafka_property property = {refused_names[i], "1"};
        struct kafka_properties one = {&property, 1};
        for (int section = 0; section < 3; section++) {
            struct error error = {0};
            struct kafka_options options = plain();
            if (section == 0) options.common = one;
            if (section == 1) options.producer = one;
            if (section == 2) options.consumer = one;
            assert_false(kafka_options_check(&options, &error));
            assert_int_equal(error.kind, ERROR_INVALID);
            assert_non_null(strstr(error.message, refused_names[i]));
        }
    }
}

static void check_passed_through(void **state)
{
    (void)state;
    const struct kafka_property common = {"security.protocol", "ssl"};
    const struct kafka_property producer = {"compression.type", "zstd"};
    const struct kafka_property consumer = {"fetch.wait.max.ms", "20"};
    struct error error = {0};
    struct kafka_options options = plain();
    options.common = (struct kafka_properties){&common, 1};
    options.producer = (struct kafka_properties){&producer, 1};
    options.consumer = (struct kafka_properties){&consumer, 1};
    options.instance_id = "node-1";
    assert_true(kafka_options_check(&options, &error));
    const char *const wanted[][3] = {{"security.protocol", "ssl", "ssl"},
                                     {"fetch.wait.max.ms", "20", NULL},
                                     {"compression.type", NULL, "zstd"},
                                     {"group.instance.id", "node-1", NULL}};
    for (int producing = 0; producing < 2; producing++) {
        rd_kafka_conf_t *conf = kafka_options_properties(
            &options, producing ? KAFKA_PRODUCER : KAFKA_MEMBER, 0, &error);
        assert_non_null(conf);
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
            char value[64] = "";
            size_t length = sizeof value;
            if (wanted[i][1 + producing] == NULL) continue;
            assert_int_equal(rd_kafka_conf_get(conf, wanted[i][0], value, &length),
                             RD_KAFKA_CONF_OK);
            assert_string_equal(value, wanted[i][1 + producing]);
        }
        rd_kafka_conf_destroy(conf);
    }
}

static void check_librdkafka_refuses(void **state)
{
    (void)state;
    const struct kafka_property unknown = {"lingger.ms", "5"};
    struct error error = {0};
    struct kafka_options options = plain();
    options.producer = (struct kafka_properties){&unknown, 1};
    assert_null(kafka_options_properties(&options, KAFKA_PRODUCER, 0, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_non_null(strstr(error.message, "lingger.ms"));
}

/* A secret that librdkafka refuses must not reach the log through the error text. */
static void check_secret_not_shown(void **state)
{
    (void)state;
    const struct kafka_property secret = {"ssl.certificate.pem", "hunter2"};
    struct error error = {0};
    struct kafka_options options = plain();
    options.common = (struct kafka_properties){&secret, 1};
    rd_kafka_conf_t *conf = kafka_options_properties(&options, KAFKA_READER, 0, &error);
    if (conf != NULL) rd_kafka_conf_destroy(conf);
    assert_null(strstr(error.message, "hunter2"));
}

static void check_options(void **state)
{
    (void)state;
    struct kafka_options bad[] = {plain(), plain(), plain(), plain(), plain(), plain()};
    bad[0].brokers = "";
    bad[1].cluster = NULL;
    bad[2].cluster = "bel fry";
    bad[3].cluster = "a/b";
    bad[4].shards = 0;
    bad[5].shards = 1025;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = {0};
        assert_false(kafka_options_check(&bad[i], &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_true(error.message[0] != '\0');
    }
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(property_cases, check_property)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(check_refused),
        cmocka_unit_test(check_passed_through),
        cmocka_unit_test(check_librdkafka_refuses),
        cmocka_unit_test(check_secret_not_shown),
        cmocka_unit_test(check_options),
    };
    return run_rows("kafka options", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
