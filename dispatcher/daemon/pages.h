/* pages.h - the pages of the HTTP listener: metrics, health, version, configuration. Nothing can be
 * changed there. */
#ifndef BELFRY_DAEMON_PAGES_H
#define BELFRY_DAEMON_PAGES_H

#include "dispatcher/config/config.h"
#include "dispatcher/daemon/health_rules.h"
#include "dispatcher/engine/observer.h"
#include "dispatcher/metrics/metrics.h"
#include "lib/base/error.h"
#include "lib/base/lines.h"

/* Borrowed. */
struct pages_options {
    const struct config *config;
    struct health_view view;
    const struct observer *observer;
    struct metrics *metrics;
    const struct belfry_lines *log; /* whose dropped lines are counted */
};

struct pages;

/* Listens at http.listen, and tells where. NULL: ERROR_FATAL, it cannot. */
struct pages *pages_start(const struct pages_options *options, struct error *error)
    __attribute__((warn_unused_result));
void pages_stop(struct pages *pages); /* NULL is allowed */

#endif
