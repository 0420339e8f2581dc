#include "cli/kafka/broker_check.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define VERIFICATION "transaction.partition.verification.enable"

void broker_facts_note(struct broker_facts *facts, const char *name, const char *value)
{
    if (strcmp(name, VERIFICATION) == 0) {
        facts->tells = true;
        facts->verifies = strcmp(value, "true") == 0;
    } else if (strcmp(name, "inter.broker.protocol.version") == 0) {
        (void)snprintf(facts->protocol, sizeof facts->protocol, "%s", value);
    }
}

enum broker_verdict broker_judge(const struct broker_facts *facts, int number, char *text,
                                 size_t text_bytes)
{
    assert(text != NULL && text_bytes > 0);
    text[0] = '\0';
    if (facts->verifies) return BROKER_FINE;
    if (facts->tells) {
        (void)snprintf(text, text_bytes, "broker %d does not check whose a transaction is "
                       "(" VERIFICATION " is off): one may stay open for ever and hold up its "
                       "readers", number);
        return BROKER_UNCHECKED;
    }
    bool named = facts->protocol[0] != '\0';
    (void)snprintf(text, text_bytes, "broker %d seems to be older than Apache Kafka 3.6%s%s%s: a "
                   "transaction may stay open for ever there and hold up its readers", number,
                   named ? " (inter.broker.protocol.version " : "", facts->protocol,
                   named ? ")" : "");
    return BROKER_OLD;
}

const char *broker_advice(enum broker_verdict verdict)
{
    static const char *const advice[] = {
        [BROKER_FINE] = "",
        [BROKER_OLD] = "upgrade it; kafka-transactions.sh find-hanging shows such a transaction, "
                       "its abort ends one. A Kafka that is not Apache's may be fine: it was "
                       "known by the setting " VERIFICATION ", which it does not have",
        [BROKER_UNCHECKED] = "kafka-configs.sh --alter --entity-type brokers --entity-default "
                             "--add-config " VERIFICATION "=true",
    };
    assert(verdict <= BROKER_UNCHECKED);
    return advice[verdict];
}
