/* kafka_ticker.h - records that shards write into their partitions of runs outside of their
 * transactions: one producer for the process, which is made with the first of them. */
#ifndef BELFRY_KAFKA_TICKER_H
#define BELFRY_KAFKA_TICKER_H

#include <stdbool.h>
#include <stdint.h>

#include "dispatcher/kafka/kafka_options.h"
#include "lib/base/text.h"

struct kafka_ticker;

/* Connects to nothing. `options` is borrowed. */
struct kafka_ticker *kafka_ticker_create(const struct kafka_options *options);
/* What is under way is given up. NULL is allowed. */
void kafka_ticker_destroy(struct kafka_ticker *ticker);

/* As tick() of struct broker_operations; any thread, one for each shard. */
bool kafka_ticker_tick(struct kafka_ticker *ticker, int32_t shard, struct text value,
                       struct error *error) __attribute__((warn_unused_result));

#endif
