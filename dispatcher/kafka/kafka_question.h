/* kafka_question.h - how far a consumer group has committed: asked of its coordinator, answered
 * later. Belongs to one shard and its thread. */
#ifndef BELFRY_KAFKA_QUESTION_H
#define BELFRY_KAFKA_QUESTION_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/engine/clock.h"

struct kafka_question;

/* `handle` is any client of the cluster; borrowed, like the clock. */
struct kafka_question *kafka_question_create(rd_kafka_t *handle, const struct clock *clock);
/* Waits for no answer. NULL is allowed. */
void kafka_question_destroy(struct kafka_question *question);

/* As ask_committed() and committed() of struct broker_operations. */
bool kafka_question_ask(struct kafka_question *question, const char *group,
                        const struct broker_place *places, size_t count, struct error *error)
    __attribute__((warn_unused_result));
enum broker_answer kafka_question_answer(struct kafka_question *question,
                                         struct broker_place *places, size_t count,
                                         struct error *error) __attribute__((warn_unused_result));

#endif
