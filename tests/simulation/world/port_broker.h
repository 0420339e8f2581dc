/* port_broker.h - the inside of what an engine is given for Kafka: port_broker.c, and port_runs.c
 * for what only runs need. */
#ifndef BELFRY_TESTS_PORT_BROKER_H
#define BELFRY_TESTS_PORT_BROKER_H

#include "tests/simulation/world/loans.h"
#include "tests/simulation/world/world.h"

enum { READABLE = 4 };

struct reading {
    bool active;
    int64_t ready_us; /* when the first fetch comes back */
    int64_t position;
    int64_t told_end; /* of the partition; -1: not yet */
};

struct broker_simulated {
    struct broker broker; /* first: the port's pointer is ours */
    struct seat *slot;
    struct reading readings[READABLE];
    bool open;
    bool in_transaction;
    bool settling; /* a new producer, which has committed nothing yet */
    int64_t epoch;
    uint64_t take_overs; /* so often it has begun to read commands */
    struct record **records; /* of the transaction, not sent yet; the simulator's memory */
    size_t count;
    size_t capacity;
    struct loans loans; /* the values of the transaction, which are borrowed */
};

/* ---- port_runs.c ---- */

bool tick_simulated(struct broker *broker, struct text value, struct error *error);
bool ask_committed_simulated(struct broker *broker, const char *group,
                             const struct broker_place *places, size_t count,
                             struct error *error);
enum broker_answer committed_simulated(struct broker *broker, struct broker_place *places,
                                       size_t count, struct error *error);

#endif
