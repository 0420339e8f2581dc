/* clock_system.h - the machine's clocks; the only place that reads them for the daemon. */
#ifndef BELFRY_DAEMON_CLOCK_SYSTEM_H
#define BELFRY_DAEMON_CLOCK_SYSTEM_H

#include "dispatcher/engine/clock.h"

/* A clock without state of its own, for any thread. */
struct clock clock_system(void);

#endif
