#include "tests/simulation/judge/marks.h"

#include <inttypes.h>
#include <string.h>

#include "tests/simulation/judge/notices.h"
#include "tests/simulation/world/world.h"

bool marks_held(const struct world *world, int64_t from_ms, int64_t to_ms)
{
    for (size_t i = 0; i < world->hold_count; i++)
        if (world->holds[i].from_ms <= to_ms && world->holds[i].to_ms >= from_ms) return true;
    return world->hold_count == CUTS_MAX;
}

bool marks_cut_off(const struct world *world, int64_t from_ms, int64_t to_ms)
{
    for (size_t i = 0; i < world->cut_count; i++)
        if (world->cuts[i].from_ms <= to_ms && world->cuts[i].to_ms >= from_ms) return true;
    return world->cut_count == CUTS_MAX;
}

/* Time must not pass a command that is there to be read: the slots after it are its business.
 * Who could not hear Kafka did not know. */
static void judge_unread(struct world *world, int32_t shard, const struct step *step)
{
    if (step->mark.control_offset >= (int64_t)world->sent_count[shard]) return;
    const struct sent *unread = &world->sent[shard][step->mark.control_offset];
    if (unread->time_ms + UNSEEN_MS < step->mark.watermark_ms &&
        !marks_cut_off(world, unread->time_ms - UNSEEN_MS, step->time_ms))
        world_violation(world, "passed over: shard %d at %" PRId64 " has not read command %" PRId64
                        " of %" PRId64, (int)shard, step->mark.watermark_ms,
                        step->mark.control_offset, unread->time_ms);
}

void marks_judge(struct world *world, int32_t shard)
{
    const struct history *history = &world->history;
    const struct step *before = NULL;
    for (size_t i = 0; i < history->step_count[shard]; i++) {
        const struct step *step = &history->steps[shard][i];
        const struct mark_view *mark = &step->mark;
        if (step->gone) continue;
        if (!step->has_mark) {
            world_violation(world, "mark missing: shard %d committed without one", (int)shard);
            return;
        }
        judge_unread(world, shard, step);
        notices_judge_step(world, shard, before, step);
        if (before == NULL) {
            before = step;
            continue;
        }
        const struct mark_view *last = &before->mark;
        bool same_owner = mark->epoch == last->epoch;
        bool decided = mark->generation > last->generation &&
                       mark->generation <= 1 + world->losses.decided[shard];
        if (mark->sequence != last->sequence + 1 ||
            (mark->generation != last->generation && !decided))
            world_violation(world, "sequence: shard %d goes from %" PRId64 " to %" PRId64,
                            (int)shard, last->sequence, mark->sequence);
        if (same_owner != (strcmp(mark->owner, last->owner) == 0) &&
            mark->epoch <= last->epoch) /* the same process may take it again */
            world_violation(world, "two owners: shard %d, epoch %" PRId64 " of %s, then %" PRId64
                            " of %s", (int)shard, last->epoch, last->owner, mark->epoch,
                            mark->owner);
        bool next = mark->epoch == last->epoch + 1 || /* a store may know a higher one */
                    (mark->epoch > last->epoch && world->losses.count > 0);
        if (!same_owner && !next)
            world_violation(world, "epoch: shard %d goes from %" PRId64 " to %" PRId64,
                            (int)shard, last->epoch, mark->epoch);
        if (mark->watermark_ms < last->watermark_ms ||
            (mark->watermark_ms == last->watermark_ms && mark->ordinal < last->ordinal))
            world_violation(world, "watermark: shard %d goes back from %" PRId64 " to %" PRId64,
                            (int)shard, last->watermark_ms, mark->watermark_ms);
        if (mark->control_offset < last->control_offset ||
            mark->forward_offset < last->forward_offset)
            world_violation(world, "offset: shard %d goes back", (int)shard);
        world->sometimes.count[SOMETIMES_IN_COMMAND] += mark->in_command;
        world->sometimes.count[SOMETIMES_HALF_INSTANT] += mark->ordinal != INT64_MAX;
        if (mark->control_offset - last->control_offset > 10)
            world->sometimes.count[SOMETIMES_MANY_COMMANDS]++;
        before = step;
    }
}
