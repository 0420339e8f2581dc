/* cli_clock.h - what the command line asks its clocks. */
#ifndef BELFRY_CLI_CLI_CLOCK_H
#define BELFRY_CLI_CLI_CLOCK_H

#include <stdint.h>

/* UTC now, milliseconds since 1970. */
int64_t cli_now_ms(void);

/* Milliseconds left until a deadline of monotonic_ms(), 0 when it has passed; at most `most_ms`. */
int cli_left_ms(int64_t deadline_ms, int most_ms);

/* Between two looks at what others do: below a second. */
void cli_pause_ms(int64_t wait_ms);

#endif
