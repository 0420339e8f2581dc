/* redis_process.h - a private redis-server for a test: own directory, Unix socket and free TCP
 * port, append-only file on. It dies with the test program. */
#ifndef BELFRY_TESTS_SUPPORT_REDIS_PROCESS_H
#define BELFRY_TESTS_SUPPORT_REDIS_PROCESS_H

#include <stdbool.h>

struct redis_process;

/* Starts a server and waits until it answers. `extra`: NULL, or further options of redis-server,
 * such as "--appendfsync always". NULL: it did not come up; the reason is on stderr. */
struct redis_process *redis_process_start(const char *extra);

/* unix://... and redis://127.0.0.1:port; the port is kept over a restart. */
const char *redis_process_url(const struct redis_process *process);
const char *redis_process_tcp_url(const struct redis_process *process);

/* kill -9, and wait until it is gone. */
void redis_process_kill(struct redis_process *process);

/* SIGSTOP and SIGCONT. */
void redis_process_freeze(struct redis_process *process);
void redis_process_thaw(struct redis_process *process);

/* Starts it again after a kill, empty or with what its append-only file has. */
bool redis_process_restart(struct redis_process *process, bool empty);

/* Ends the server and removes its directory. NULL is allowed. */
void redis_process_stop(struct redis_process *process);

#endif
