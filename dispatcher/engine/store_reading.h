/* store_reading.h - what the store holds of a shard, put into memory and counted. */
#ifndef BELFRY_ENGINE_STORE_READING_H
#define BELFRY_ENGINE_STORE_READING_H

#include "dispatcher/engine/engine_state.h"

/* Reads all jobs and remembered command ids into the engine's empty shard and compares their
 * numbers with those of the snapshot, read just before. A false leaves some of them in the shard.
 * Errors: those of the port; ERROR_RETRY the store has lost a part of the shard, or is written. */
bool store_reading_run(struct engine *engine, const struct snapshot *snapshot,
                       struct error *error) __attribute__((warn_unused_result));

#endif
