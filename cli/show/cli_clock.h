/* cli_clock.h - the only place of the command line that reads a clock. */
#ifndef BELFRY_CLI_CLI_CLOCK_H
#define BELFRY_CLI_CLI_CLOCK_H

#include <stdint.h>

/* UTC now, milliseconds since 1970. */
int64_t cli_now_ms(void);

/* A clock that never steps, for deadlines; milliseconds since some start. */
int64_t cli_monotonic_ms(void);

/* Milliseconds left until a monotonic deadline, 0 when it has passed; at most `most_ms`. */
int cli_left_ms(int64_t deadline_ms, int most_ms);

#endif
