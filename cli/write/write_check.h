/* write_check.h - what is wrong with a write whatever the daemon's configuration: found before
 * anything is sent, also where nobody waits for the result. */
#ifndef BELFRY_CLI_WRITE_CHECK_H
#define BELFRY_CLI_WRITE_CHECK_H

#include "cli/write/write_request.h"
#include "lib/time/zone.h"

/* Reads the request as the daemon would, with every limit at its most and every topic allowed.
 *   zones    those of this machine; where it has none, every name passes
 *   refused  jobs of mode each that cannot be read; they are named on stderr, the others are sent
 *   errors   ERROR_INVALID with the code a result would have; the message names job and field */
bool write_check(const struct write_request *request, const char *command_id,
                 const struct zone_lookup *zones, size_t *refused, struct error *error)
    __attribute__((warn_unused_result));

#endif
