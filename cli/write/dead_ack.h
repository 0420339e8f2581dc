/* dead_ack.h - says in the topic of dead letters which of them are dealt with. */
#ifndef BELFRY_CLI_DEAD_ACK_H
#define BELFRY_CLI_DEAD_ACK_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/kafka/cli_kafka.h"
#include "cli/read/dead_letters.h"
#include "cli/words/exit_code.h"
#include "cli/words/settings.h"
#include "cli/write/said_by.h"
#include "schemas/text_writer.h"

/* Says that nothing is meant; with --all that is well. */
enum exit_code dead_none_left(const struct arguments *arguments);

enum { DEAD_ACK_RANGES_MAX = 5000 }; /* of one record */

/* The value of a record that acknowledges letters of one partition, in the order of their offsets:
 * those that follow each other are one range. Pure. Returns how many of `rows` it holds, from the
 * first on: no more of that partition, or DEAD_ACK_RANGES_MAX. */
size_t dead_ack_value(struct text_writer *out, const struct dead_row *const *rows, size_t count,
                      int64_t now_ms, const struct said_by *said_by);

/* Writes them, in any number of records. `rows` are in the order of their places.
 * Errors: ERROR_RETRY, some may be written: the same can be acknowledged again. */
bool dead_ack_send(const struct settings *settings, struct cli_kafka *producer,
                   const struct dead_row *const *rows, size_t count,
                   const struct said_by *said_by, struct error *error)
    __attribute__((warn_unused_result));

#endif
