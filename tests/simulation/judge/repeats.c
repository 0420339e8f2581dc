#include "tests/simulation/judge/repeats.h"

#include <inttypes.h>

#include "tests/simulation/judge/marks.h"
#include "tests/simulation/world/json_scan.h"
#include "tests/simulation/world/world.h"

void repeats_opened(struct seat *seat)
{
    seat->opened_ms = world_now_ms(seat->world);
}

/* A step that moves no time passes over nothing: a new owner's first one, a retry. */
static bool moves_time(const struct seat *seat, int64_t watermark_ms)
{
    const struct history *history = &seat->world->history;
    size_t count = history->step_count[seat->shard];
    return count == 0 || history->steps[seat->shard][count - 1].mark.watermark_ms < watermark_ms;
}

void repeats_judge(struct seat *seat, const struct record *record)
{
    struct world *world = seat->world;
    struct text value = record->value;
    if (record->topic != TOPIC_STATE || !text_equal(record->key, text_of("mark"))) return;
    int64_t sequence = scan_number(value, "\"sequence\":", 0);
    int64_t control_offset = scan_number(value, "\"control_offset\":", -1);
    int64_t watermark_ms = scan_instant(value, "\"instant\":\"");
    bool again = seat->tried_life == seat->life && seat->tried_sequence == sequence;
    seat->tried_life = seat->life;
    seat->tried_sequence = sequence;
    bool begun = scan_after(value, "\"in_command\":").length > 0; /* then that command is no news */
    if (!again || control_offset < 0 || begun || !moves_time(seat, watermark_ms) ||
        control_offset >= (int64_t)world->sent_count[seat->shard])
        return;
    int64_t unread_ms = world->sent[seat->shard][control_offset].time_ms;
    if (unread_ms < seat->opened_ms && unread_ms + UNSEEN_MS < watermark_ms)
        world_violation(world, "passed over again: shard %d at %" PRId64 " does not look for "
                        "command %" PRId64 " of %" PRId64, (int)seat->shard, watermark_ms,
                        control_offset, unread_ms);
}
