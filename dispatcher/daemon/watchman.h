/* watchman.h - a thread that watches the loops of the process, whatever they are at: it advances
 * their clock (loop_watch.h), answers `belfryd --healthcheck` at health.socket, and feeds systemd's
 * WatchdogSec= for as long as the process is alive by the rule of health_rules.h. */
#ifndef BELFRY_DAEMON_WATCHMAN_H
#define BELFRY_DAEMON_WATCHMAN_H

#include "dispatcher/daemon/health_rules.h"
#include "lib/base/error.h"

struct watchman_options {
    struct health_view view;
    const char *health_socket; /* "": nobody is to ask; borrowed */
};

struct watchman;

/* NULL: ERROR_FATAL: the place of health.socket cannot be had; ERROR_RETRY: no thread. */
struct watchman *watchman_start(const struct watchman_options *options, struct error *error)
    __attribute__((warn_unused_result));
void watchman_stop(struct watchman *watchman); /* NULL is allowed */

#endif
