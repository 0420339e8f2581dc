/* step_aside.h - whether a daemon that cannot do its work gives its shards to others: it leaves the
 * group for a moment. Not because of one shard whose partition nobody can write: then each daemon
 * would leave in turn, and nobody would be helped. Pure. */
#ifndef BELFRY_ENGINE_STEP_ASIDE_H
#define BELFRY_ENGINE_STEP_ASIDE_H

#include <stdbool.h>
#include <stdint.h>

/* How one assigned shard is: for how long its time has not moved, and whether it ever has here. One
 * for which nothing has to be written moves, and says nothing of this daemon; nor does one that
 * failed, which waits for its operator. */
struct shard_health {
    int64_t still_us;
    bool moved_here; /* since it was assigned to this process */
    bool failed;     /* it ended by itself and is tried again now and then */
    bool commits;    /* Kafka has taken a commit of it within STEP_ASIDE_STUCK_US */
    bool clock_far;  /* our clock and its broker's differ by more than clock.step */
};

struct step_aside {
    int32_t assigned; /* as counted so far */
    int32_t stuck;    /* moved here once, and has not for STEP_ASIDE_STUCK_US */
    int32_t dead;     /* never moved here, for STEP_ASIDE_DEAD_US */
    int32_t far;      /* not moving for STEP_ASIDE_DEAD_US, as our clock is far off */
    int32_t still;    /* not moving for SHARD_STUCK_US, and not failed */
    int32_t silent;   /* moving without commits, or failed */
    int32_t failed;
    bool ever_moved;  /* any, since the process started */
    int64_t left_us;  /* when it last left; 0 = never */
    int64_t well_us;  /* since when all but the failed have moved; 0 = they do not */
    bool helped;      /* well for long enough since it last left */
};

#define SHARD_STUCK_MS INT64_C(10000) /* an alarm: shard.stuck, belfry shards, belfry doctor */
#define SHARD_STUCK_US (SHARD_STUCK_MS * 1000)
#define STEP_ASIDE_STUCK_US INT64_C(60000000)
#define STEP_ASIDE_DEAD_US INT64_C(300000000)
#define STEP_ASIDE_AGAIN_US INT64_C(600000000)
#define STEP_ASIDE_FOR_US INT64_C(300000000) /* at most: shorter when nobody else is left */

/* One round: begin, one call for each assigned shard, then whether to leave, if there is anybody
 * else: step_aside_now() says that it is worth asking, step_aside_left() that it was done. */
void step_aside_begin(struct step_aside *aside);
/* Whether a shard commits (shard_health) whose last commit was then; 0: there was none. */
bool step_aside_commits(int64_t committed_us, int64_t now_us);
void step_aside_count(struct step_aside *aside, const struct shard_health *health);
bool step_aside_now(struct step_aside *aside, int64_t now_us);
void step_aside_left(struct step_aside *aside, int64_t now_us);

#endif
