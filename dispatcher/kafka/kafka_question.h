/* kafka_question.h - how far a consumer group has committed: asked of its coordinator, answered
 * later. Belongs to one shard and its thread.
 *
 * Not by librdkafka's admin interface, whose ListConsumerGroupOffsets ends the process where the
 * coordinator answers that it is not, or not yet, the one (2.0.2 to 2.16.0). So each question has a
 * client of its own that is in the group by name only, neither joins nor reads, and is asked by a
 * thread that waits in place of the shard's. */
#ifndef BELFRY_KAFKA_QUESTION_H
#define BELFRY_KAFKA_QUESTION_H

#include <stdbool.h>

#include "dispatcher/engine/broker.h"
#include "dispatcher/kafka/kafka_options.h"

struct kafka_question;

/* `options` is borrowed. */
struct kafka_question *kafka_question_create(const struct kafka_options *options);
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
