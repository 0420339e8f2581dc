/* inputs.h - what has been read of the input topics and not been applied yet. Commands are handed
 * out in log order: by log time across their topics, by offset within each. Reports of runs are
 * read beside them, and only while somebody has use for them: a shard without pays no fetch. They
 * are handed out by offset alone; no command waits for a report, and no report for a command. */
#ifndef BELFRY_ENGINE_INPUTS_H
#define BELFRY_ENGINE_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatcher/engine/broker.h"
#include "lib/model/mark.h"

struct input_queue {
    struct broker_input **items; /* a ring of copies cut after their last header */
    size_t capacity;
    size_t first;
    size_t count;
    size_t bytes;         /* of their keys and values */
    int64_t position;     /* after the last record or end of partition that was seen */
    int64_t end_to_reach; /* captured; reached when the position is at or after it */
    bool reached;
};

struct inputs {
    struct broker *broker;
    struct input_queue queues[INPUT_COUNT];
    bool runs; /* are read */
};

/* How far each was read. */
struct inputs_heard {
    int64_t offsets[INPUTS_COMMANDS];
};

enum broker_topic input_topic(enum input input);
/* The input that a topic is; INPUT_COUNT: none. */
enum input input_of_topic(enum broker_topic topic);

void inputs_init(struct inputs *inputs, struct broker *broker);
void inputs_clear(struct inputs *inputs); /* releases and frees */

/* Reads commands on from the mark's places; false: the broker is away. Captures their ends. */
bool inputs_start(struct inputs *inputs, const struct mark *mark, struct error *error);
/* Captures the ends anew: commands up to there come before any slot from now on. */
bool inputs_capture_ends(struct inputs *inputs, struct error *error);

/* Reads reports too, from the offset on, and captures their end; false: the broker is away, and
 * they are not read. */
bool inputs_start_runs(struct inputs *inputs, int64_t offset, struct error *error);
/* Does not read them any more, and forgets those that were not handed out. */
void inputs_stop_runs(struct inputs *inputs);

struct inputs_heard inputs_heard(const struct inputs *inputs);
/* Whether there is more by now than was heard then, in any topic. */
bool inputs_more(const struct inputs *inputs, const struct inputs_heard *heard, bool *more,
                 struct error *error);

/* Takes over what poll gave, if it is of a topic that is read (else false: still yours). */
bool inputs_take(struct inputs *inputs, struct broker_input *input);

/* Behind all that was read of the topic, transaction markers too, where everything has been handed
 * out and is done; else 0. */
int64_t inputs_done_to(const struct inputs *inputs, enum input input);

/* All commands up to the captured ends have been read (not necessarily applied). */
bool inputs_caught_up(const struct inputs *inputs);
/* So have the reports that were in the log when reading them began; true where none are read. */
bool inputs_runs_caught_up(const struct inputs *inputs);
/* The next command in log order; NULL: none now. It stays until inputs_done(). */
const struct broker_input *inputs_next(const struct inputs *inputs);
/* The next record of this topic, and the only way to reports. */
const struct broker_input *inputs_next_of(const struct inputs *inputs, enum input input);
void inputs_done(struct inputs *inputs, const struct broker_input *input);
/* After the last record or end of partition that was seen of the topic. */
int64_t inputs_position(const struct inputs *inputs, enum input input);
size_t inputs_count(const struct inputs *inputs);
size_t inputs_count_of(const struct inputs *inputs, enum input input);
size_t inputs_bytes(const struct inputs *inputs); /* of keys and values not applied yet */

#endif
