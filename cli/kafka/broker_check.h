/* broker_check.h - whether the brokers check whose a transaction is before they write for it.
 *
 * Apache Kafka does since 3.6 (KIP-890, its first part). Older ones let a late write of a producer
 * that is gone open a transaction which nobody ends: from then on no read_committed reader of that
 * partition gets any further. A broker does not tell its version; what it does tell is whether it
 * knows the setting that came with the check. */
#ifndef BELFRY_CLI_BROKER_CHECK_H
#define BELFRY_CLI_BROKER_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* What one broker's settings say. */
struct broker_facts {
    bool tells;       /* it has transaction.partition.verification.enable: 3.6 or later */
    bool verifies;    /* ... and it is on */
    char protocol[40]; /* inter.broker.protocol.version, "" = not told (4.0 has none) */
};

enum broker_verdict { BROKER_FINE = 0, BROKER_OLD, BROKER_UNCHECKED };

/* Takes notice of one setting of a broker. */
void broker_facts_note(struct broker_facts *facts, const char *name, const char *value);

/* What is to be said of broker `number`; the text is empty for a fine one. */
enum broker_verdict broker_judge(const struct broker_facts *facts, int number, char *text,
                                 size_t text_bytes);

/* What to do about a verdict that is not fine. */
const char *broker_advice(enum broker_verdict verdict);

#endif
