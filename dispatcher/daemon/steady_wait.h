/* steady_wait.h - keeps librdkafka going when the wall clock is set back.
 *
 * It waits with C11's cnd_timedwait(), whose deadlines are instants of the wall clock: a clock set
 * back by a minute would stop commits and the group's heartbeats for a minute. So belfryd has that
 * function and timespec_get(), which makes the deadlines, itself, on the clock that never steps;
 * the dynamic linker finds a program's own symbols first. Only in belfryd: a library must not do
 * this to the programs of others. */
#ifndef BELFRY_DAEMON_STEADY_WAIT_H
#define BELFRY_DAEMON_STEADY_WAIT_H

#include <stdbool.h>

/* Whether librdkafka's waits have come here. To be asked when a client of it has been running for a
 * moment: false then means that it has been built in another way. */
bool steady_wait_works(void);

#endif
