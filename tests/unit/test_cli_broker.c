/* What doctor says of a broker by its settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/kafka/broker_check.h"
#include "tests/support/rows.h"

struct broker_case {
    const char *name;
    const char *settings[3][2]; /* as the broker describes itself */
    enum broker_verdict verdict;
    const char *says; /* a part of it */
};

static const struct broker_case broker_cases[] = {
    {"Kafka 4.1", {{"transaction.partition.verification.enable", "true"}}, BROKER_FINE, ""},
    {"Kafka 3.6 behind a protocol of 3.5",
     {{"inter.broker.protocol.version", "3.5-IV2"},
      {"transaction.partition.verification.enable", "true"}}, BROKER_FINE, ""},
    {"switched off", {{"transaction.partition.verification.enable", "false"}}, BROKER_UNCHECKED,
     "broker 7 does not check"},
    {"Kafka 3.5", {{"inter.broker.protocol.version", "3.5-IV2"}, {"log.dirs", "/d"}}, BROKER_OLD,
     "broker 7 seems to be older than Apache Kafka 3.6 (inter.broker.protocol.version 3.5-IV2): "},
    {"one that tells nothing", {{NULL, NULL}}, BROKER_OLD, "older than Apache Kafka 3.6: "},
};

static void check_broker(void **state)
{
    const struct broker_case *row = *state;
    struct broker_facts facts = {0};
    char text[300];
    for (size_t i = 0; i < 3 && row->settings[i][0] != NULL; i++)
        broker_facts_note(&facts, row->settings[i][0], row->settings[i][1]);
    assert_int_equal(broker_judge(&facts, 7, text, sizeof text), row->verdict);
    if (strstr(text, row->says) == NULL) fail_msg("says: %s", text);
    assert_int_equal(text[0] == '\0', row->verdict == BROKER_FINE);
    assert_int_equal(broker_advice(row->verdict)[0] == '\0', row->verdict == BROKER_FINE);
}

int main(void)
{
    static const struct row_table tables[] = {ROW_TABLE(broker_cases, check_broker)};
    return run_rows("brokers", tables, COUNT_OF(tables), NULL, 0);
}
