/* health_rules.h - whether this process is alive, and whether it is ready. Alive: no call of any
 * loop is beyond its bound; nothing outside is asked, so that no outage of Kafka or Redis restarts
 * a daemon. Ready: the group has answered, and every shard that is ours is live and its time
 * moves, by the rule of `shard.stuck`. Any thread. */
#ifndef BELFRY_DAEMON_HEALTH_RULES_H
#define BELFRY_DAEMON_HEALTH_RULES_H

#include <stdbool.h>

#include "dispatcher/daemon/loop_watch.h"
#include "dispatcher/daemon/shard_board.h"
#include "dispatcher/engine/clock.h"
#include "schemas/text_writer.h"

/* Borrowed. */
struct health_view {
    struct loop_watch *watch;
    struct shard_board *board;
    const struct clock *clock;
};

/* Writes a line for each check that is bad, "bad shard 3: ...", and one for each that is well where
 * all are wanted, "ok shard 3: ...". */
bool health_is_live(const struct health_view *view, bool all, struct text_writer *lines);
bool health_is_ready(const struct health_view *view, bool all, struct text_writer *lines);

#endif
