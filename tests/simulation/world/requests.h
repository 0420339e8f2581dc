/* requests.h - requests to Kafka that change something: they live on when their sender does not. */
#ifndef BELFRY_TESTS_REQUESTS_H
#define BELFRY_TESTS_REQUESTS_H

#include "tests/simulation/world/world.h"

#define REQUEST_LIMIT_US (10 * SECOND_US)

struct request {
    struct world *world;
    struct seat *slot;
    uint64_t life;
    bool init;
    bool commit;
    bool end;          /* the transaction is to be ended, after the records */
    int64_t epoch;
    struct record **records;
    size_t count;
    int64_t end_delay_us;
    int64_t acknowledge_us; /* the word that the records are there takes so long */
    int64_t give_up_us; /* the broker has not got it by then: lost */
    struct broker_receipt receipt;
    enum answer answer;
    bool done;
    bool abandoned;    /* nobody waits for it */
};

/* Simulated memory, not the process's: what is on its way outlives it. */
struct request *request_create(struct seat *slot);
void request_free(struct request *request);
void request_send(struct request *request, int64_t delay_us);
/* A far region or a slow disk: parts of the time pass before the records are there, before the word
 * comes that they are, and before the end. Returns the first. */
int64_t request_slow_down(struct request *request);
/* An init_transactions that arrives when its sender may own nothing any more. */
void request_send_late_init(struct request *request, int64_t delay_us);
/* A second request to end a transaction that has been ended: it stays on its way until a later
 * transaction of the shard is open, see requests_late_end(). Takes the request. */
void request_delay(struct request *request);
/* The one that was delayed arrives now, if there is one. */
void requests_late_end(struct world *world, int32_t shard);
/* Waits for the answer; false: none by then. The request is gone afterwards, or goes on alone. */
bool request_wait(struct request *request, int64_t limit_us, enum answer *answer,
                  int64_t *epoch);

#endif
