#include "dispatcher/config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dispatcher/config/config_options.h"
#include "lib/base/limits.h"
#include "tests/support/rows.h"

enum { WORDS_MAX = 8, PATH_BYTES = 64 };

/* What a run of belfryd is given; the file is written first and named by --config. */
struct given {
    const char *name;
    const char *file; /* NULL: none */
    const char *flags[WORDS_MAX];
    const char *variables[WORDS_MAX];
    const char *says; /* the error names this; NULL: no error */
};

static void write_file(char path[PATH_BYTES], const char *text)
{
    (void)snprintf(path, PATH_BYTES, "/tmp/belfry-config-XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
}

static bool load(const struct given *given, struct config *config, struct error *error)
{
    char path[PATH_BYTES];
    char *words[WORDS_MAX + 4] = {"belfryd"};
    char *variables[WORDS_MAX + 1] = {0};
    int count = 1;
    if (given->file != NULL) {
        write_file(path, given->file);
        words[count++] = "--config";
        words[count++] = path;
    }
    for (int i = 0; i < WORDS_MAX && given->flags[i] != NULL; i++)
        words[count++] = (char *)given->flags[i];
    for (int i = 0; i < WORDS_MAX && given->variables[i] != NULL; i++)
        variables[i] = (char *)given->variables[i];
    bool done = config_load(config, count, words, variables, error);
    if (given->file != NULL) unlink(path);
    return done;
}

/* A build without TLS refuses the URL itself, before it looks at the files. */
#ifdef BELFRY_HIREDIS_SSL
#define WITH_TLS(text) text
#else
#define WITH_TLS(text) "this build has no TLS to Redis"
#endif

static const struct given refused[] = {
    {.name = "unknown key, near", .file = "[belfry]\nclutser = a\n",
     .says = ":2: [belfry] clutser is not known; did you mean cluster?"},
    {.name = "unknown key, far", .file = "[limits]\n\n; x\nzzzzzzzzz = 1\n",
     .says = ":4: [limits] zzzzzzzzz is not known"},
    {.name = "unknown section", .file = "[kafka.producers]\nlinger.ms = 1\n",
     .says = ":2: [kafka.producers] is not known; did you mean [kafka.producer]?"},
    {.name = "no section", .file = "cluster = a\n", .says = ":1: cluster in []"},
    {.name = "no value", .file = "[belfry]\ncluster\n", .says = ":2: neither [section]"},
    {.name = "given twice", .file = "[belfry]\nshards = 2\nshards = 2\n",
     .says = ":3: [belfry] shards is given twice"},
    {.name = "property given twice", .file = "[kafka]\nlinger.ms = 1\nlinger.ms = 1\n",
     .says = ":3: [kafka] linger.ms is given twice"},
    {.name = "unknown property", .file = "[kafka.producer]\nlingr.ms = 1\n",
     .says = ":2: [kafka.producer] lingr.ms: librdkafka has no such property; did you mean "
             "linger.ms?"},
    {.name = "protected property", .file = "[kafka.producer]\nacks = 1\n", .says = "acks"},
    {.name = "property out of range", .file = "[kafka]\nsocket.timeout.ms = -7\n",
     .says = ":2: [kafka] socket.timeout.ms"},
    {.name = "a secret in the open", .file = "[kafka]\nsasl.password = hush\n",
     .says = "sasl.password_file = PATH"},
    {.name = "a secret file that is not there", .file = "[kafka]\nsasl.password_file = /none/x\n",
     .says = "/none/x"},
    {.name = "password in the URL", .flags = {"--redis", "redis://:hush@h:1"}, .says = "password"},
    {.name = "not a Redis URL", .flags = {"--redis", "http://h"}, .says = "[redis] url"},
    {.name = "number too small", .flags = {"--shards", "0"}, .says = "from 1 to 1024"},
    {.name = "number too large", .flags = {"--shards=1025"}, .says = "from 1 to 1024"},
    {.name = "number with a rest", .flags = {"--shards", "4x"}, .says = "\"4x\""},
    {.name = "number without end", .flags = {"--shards", "99999999999999999999"}, .says = "1024"},
    {.name = "bare number for a duration", .file = "[belfry]\nmark.interval = 60\n",
     .says = "[belfry] mark.interval: \"60\" is not a duration"},
    {.name = "duration out of range", .file = "[limits]\nevery_min = 1ms\n",
     .says = "from 100ms to 24h"},
    {.name = "size with a wrong unit", .file = "[limits]\npayload_bytes = 3GB\n", .says = "64KiB"},
    {.name = "size too large", .file = "[limits]\npayload_bytes = 257KiB\n", .says = "256KiB"},
    {.name = "word that is no choice", .flags = {"--log-level", "loud"}, .says = "debug, info"},
    {.name = "bad variable", .variables = {"BELFRY_LOG_FORMAT=xml"}, .says = "BELFRY_LOG_FORMAT"},
    {.name = "unknown flag", .flags = {"--clutser", "a"}, .says = "did you mean --cluster?"},
    {.name = "flag without its value", .flags = {"--cluster"}, .says = "needs a value"},
    {.name = "flag given twice", .flags = {"--shards", "1", "--shards", "1"}, .says = "twice"},
    {.name = "a word", .flags = {"start"}, .says = "flags only"},
    {.name = "HTTP without a host", .flags = {"--http", ":80"}, .says = "no place to listen at"},
    {.name = "HTTP without a port", .flags = {"--http", "127.0.0.1"},
     .says = "no place to listen at"},
    {.name = "HTTP at no port", .flags = {"--http", "127.0.0.1:65536"},
     .says = "no place to listen at"},
    {.name = "HTTP for others without a token", .flags = {"--http", "0.0.0.0:8411"},
     .says = "other machines can reach 0.0.0.0:8411: set token_file"},
    {.name = "HTTP by a name without a token", .flags = {"--http", "belfry.example:8411"},
     .says = "other machines can reach belfry.example:8411"},
    {.name = "HTTP with a token that is not there",
     .file = "[http]\nlisten = 127.0.0.1:0\ntoken_file = /no/such/file\n",
     .says = "[http] token_file: /no/such/file"},
    {.name = "empty cluster", .flags = {"--cluster", ""}, .says = "--cluster: a value is missing"},
    {.name = "cluster that no topic could have", .flags = {"--cluster", "a b"}, .says = "cluster"},
    {.name = "Belfry's topic", .file = "[belfry]\ncluster = n\nfires.topics = a,n.state\n",
     .says = "n.state is Belfry's own"},
    {.name = "Kafka's topic", .file = "[belfry]\nresults.topics = __consumer_offsets\n",
     .says = "results.topics"},
    {.name = "no topic name", .file = "[belfry]\nfires.topics = a/b\n", .says = "a/b"},
    {.name = "embedded with a broker", .flags = {"--embedded", "d", "--kafka", "k:1"},
     .says = "leave out --kafka"},
    {.name = "key file alone", .file = "[redis]\nurl = rediss://h\ntls.key_file = /k\n",
     .says = WITH_TLS("tls.key_file without tls.certificate_file")},
    {.name = "certificate alone", .file = "[redis]\nurl = rediss://h\ntls.certificate_file = /c\n",
     .says = WITH_TLS("tls.certificate_file without tls.key_file")},
    {.name = "authority without TLS", .file = "[redis]\nurl = redis://h\ntls.ca_file = /c\n",
     .says = "[redis] tls.ca_file is given, but the url is not rediss://"},
    {.name = "server name on a socket", .file = "[redis]\nurl = unix:///s\ntls.server_name = n\n",
     .says = "[redis] tls.server_name is given"},
};

static void check_refused(void **state)
{
    const struct given *row = *state;
    struct config config = {0};
    struct error error = {0};
    if (load(row, &config, &error)) fail_msg("not refused");
    assert_int_equal(error.kind, ERROR_INVALID);
    if (strstr(error.message, row->says) == NULL) fail_msg("says: %s", error.message);
    if (strstr(error.message, "hush") != NULL) fail_msg("tells the secret: %s", error.message);
    config_release(&config);
}

static void defaults_are_those_of_the_table(void **state)
{
    (void)state;
    struct given nothing = {.name = "nothing"};
    struct config config = {0};
    struct error error = {0};
    if (!load(&nothing, &config, &error)) fail_msg("%s", error.message);
    assert_int_equal(config.action, CONFIG_RUN);
    assert_string_equal(config.cluster, "belfry");
    assert_int_equal(config.shards, SHARDS_DEFAULT);
    assert_int_equal(config.engine.misfire_grace_ms, MISFIRE_GRACE_DEFAULT_MS);
    assert_int_equal(config.engine.keep_finished_ms, KEEP_FINISHED_DEFAULT_MS);
    assert_int_equal(config.engine.payload_bytes, PAYLOAD_BYTES_MAX);
    assert_int_equal(config.fires_topics.count, 0);
    assert_string_equal(config.redis.host, "localhost");
    assert_string_equal(config.redis.cluster, "belfry");
    struct kafka_options kafka = config_kafka_options(&config);
    assert_string_equal(kafka.brokers, "localhost:9092");
    assert_null(kafka.instance_id);
    assert_false(kafka.mock);
    char text[256];
    for (size_t i = 0; i < config_option_count(); i++)
        if (config_options[i].fallback != NULL)
            assert_string_equal(config_option_print(&config_options[i], &config, text, sizeof text),
                                config_options[i].fallback);
    static const char *const of_engine[][3] = {
        {"belfry", "catchup.rate", "1000"},   {"belfry", "checkpoint.interval", "100ms"},
        {"belfry", "mark.interval", "1h"},    {"belfry", "clock.tolerance", "1s"},
        {"belfry", "clock.step", "5m"},       {"belfry", "misfire_grace", "30s"},
        {"belfry", "keep_finished", "24h"},   {"limits", "record_bytes", "1MiB"},
        {"limits", "payload_bytes", "256KiB"}, {"limits", "every_min", "1s"}};
    for (size_t i = 0; i < sizeof of_engine / sizeof of_engine[0]; i++) {
        const struct option *option = config_option_by_key(of_engine[i][0], of_engine[i][1]);
        assert_string_equal(config_option_default(option, text, sizeof text), of_engine[i][2]);
        assert_string_equal(config_option_print(option, &config, text, sizeof text),
                            of_engine[i][2]);
    }
    config_release(&config);
}

static void a_flag_wins_over_a_variable_over_the_file(void **state)
{
    (void)state;
    struct given given = {
        .file = "# comment\n[belfry]\n  cluster = file   ; and why\ncatchup.rate = 1\n"
                "shards = 1\nkeep_finished = forever\nfires.topics = orders, mail\n"
                "[kafka]\nbootstrap.servers = file:1\nsocket.keepalive.enable = false\n"
                "[kafka.consumer]\nfetch.min.bytes = 7\n[limits]\npayload_bytes = 1 KiB\n",
        .variables = {"BELFRY_SHARDS=2", "BELFRY_CATCHUP_RATE=2", "BELFRY_KAFKA=",
                      "BELFRY_LIMITS_EVERY_MIN=2s"},
        .flags = {"--shards", "3", "--log-level=debug"},
    };
    struct config config = {0};
    struct error error = {0};
    if (!load(&given, &config, &error)) fail_msg("%s", error.message);
    assert_string_equal(config.cluster, "file");
    assert_int_equal(config.engine.catchup_rate, 2);
    assert_int_equal(config.shards, 3);
    assert_int_equal(config.engine.every_min_ms, 2000);
    assert_int_equal(config.engine.payload_bytes, 1024);
    assert_int_equal(config.log_level, 0);
    assert_true(config.engine.keep_finished_ms == KEEP_FINISHED_FOREVER_MS);
    assert_string_equal(config.kafka_brokers, "file:1"); /* an empty variable says nothing */
    assert_int_equal(config.fires_topics.count, 2);
    assert_string_equal(config.fires_topics.items[1], "mail");
    struct kafka_options kafka = config_kafka_options(&config);
    assert_int_equal(kafka.common.count, 1);
    assert_string_equal(kafka.consumer.items[0].name, "fetch.min.bytes");
    assert_string_equal(kafka.consumer.items[0].value, "7");
    config_release(&config);
}

static void a_secret_comes_from_its_file(void **state)
{
    (void)state;
    char path[PATH_BYTES];
    char text[256];
    write_file(path, "open sesame\n");
    (void)snprintf(text, sizeof text, "[redis]\npassword_file = %s\n[kafka]\nsasl.password_file = "
                   "%s\n", path, path);
    struct given given = {.file = text};
    struct config config = {0};
    struct error error = {0};
    bool done = load(&given, &config, &error);
    unlink(path);
    if (!done) fail_msg("%s", error.message);
    assert_string_equal(config.redis.password, "open sesame");
    assert_string_equal(config.properties[CLIENT_COMMON].items[0].name, "sasl.password");
    assert_string_equal(config.properties[CLIENT_COMMON].items[0].value, "open sesame");
    char *printed = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&printed, &bytes);
    config_print(&config, out);
    fclose(out);
    assert_null(strstr(printed, "sesame"));
    assert_non_null(strstr(printed, path));
    free(printed);
    config_release(&config);
}

static void the_trial_mode_has_four_shards_and_its_own_servers(void **state)
{
    (void)state;
    struct given given = {.flags = {"--embedded", "d"}, .variables = {"BELFRY_KAFKA=other:1"}};
    struct given chosen = {.flags = {"--embedded", "d", "--shards", "7"}};
    struct config config = {0};
    struct error error = {0};
    if (!load(&given, &config, &error)) fail_msg("%s", error.message);
    assert_int_equal(config.shards, 4);
    assert_string_equal(config.kafka_brokers, "localhost:9092");
    config_release(&config);
    if (!load(&chosen, &config, &error)) fail_msg("%s", error.message);
    assert_int_equal(config.shards, 7);
    config_release(&config);
}

static void help_needs_no_valid_configuration(void **state)
{
    (void)state;
    struct given given = {.file = "nonsense", .flags = {"--help"}};
    struct config config = {0};
    struct error error = {0};
    if (!load(&given, &config, &error)) fail_msg("%s", error.message);
    assert_int_equal(config.action, CONFIG_HELP);
    char *printed = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&printed, &bytes);
    config_print_help(out);
    fclose(out);
    for (size_t i = 0; i < config_option_count(); i++)
        assert_non_null(strstr(printed, config_options[i].help));
    free(printed);
    config_release(&config);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(refused, check_refused)};
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(defaults_are_those_of_the_table),
        cmocka_unit_test(a_flag_wins_over_a_variable_over_the_file),
        cmocka_unit_test(a_secret_comes_from_its_file),
        cmocka_unit_test(the_trial_mode_has_four_shards_and_its_own_servers),
        cmocka_unit_test(help_needs_no_valid_configuration),
    };
    return run_rows("config", tables, COUNT_OF(tables), others, COUNT_OF(others));
}
