#include "dispatcher/engine/step_aside.h"

void step_aside_begin(struct step_aside *aside)
{
    aside->assigned = 0;
    aside->stuck = 0;
    aside->dead = 0;
    aside->far = 0;
    aside->still = 0;
    aside->silent = 0;
    aside->failed = 0;
}

bool step_aside_commits(int64_t committed_us, int64_t now_us)
{
    return committed_us != 0 && now_us - committed_us < STEP_ASIDE_STUCK_US;
}

void step_aside_count(struct step_aside *aside, const struct shard_health *health)
{
    bool idle = health->still_us < SHARD_STUCK_US && !health->commits;
    aside->assigned++;
    aside->failed += health->failed;
    aside->silent += health->failed || idle;
    aside->still += !health->failed && health->still_us >= SHARD_STUCK_US;
    aside->stuck += health->moved_here && health->still_us >= STEP_ASIDE_STUCK_US;
    aside->dead += !health->moved_here && health->still_us >= STEP_ASIDE_DEAD_US;
    aside->far += health->clock_far && health->still_us >= STEP_ASIDE_DEAD_US;
    aside->ever_moved = aside->ever_moved || health->moved_here;
}

/* What stopped moving here speaks against this daemon; what never moved here may be ill itself,
 * unless that is all there is and more than one, or what holds it is our own clock. */
static bool unwell(const struct step_aside *aside)
{
    int32_t heard = aside->assigned - aside->silent;
    if (2 * aside->stuck > heard) return true;
    if (2 * aside->far > heard) return true;
    return !aside->ever_moved && aside->assigned >= 2 && aside->dead == aside->assigned;
}

bool step_aside_now(struct step_aside *aside, int64_t now_us)
{
    bool well = aside->assigned > aside->failed && aside->still == 0;
    if (!well) aside->well_us = 0;
    else if (aside->well_us == 0) aside->well_us = now_us;
    if (well && now_us - aside->well_us >= STEP_ASIDE_STUCK_US) aside->helped = true;
    if (!unwell(aside)) return false;
    if (aside->left_us == 0) return true;
    return aside->helped && now_us - aside->left_us >= STEP_ASIDE_AGAIN_US;
}

void step_aside_left(struct step_aside *aside, int64_t now_us)
{
    aside->left_us = now_us;
    aside->well_us = 0;
    aside->helped = false;
}
