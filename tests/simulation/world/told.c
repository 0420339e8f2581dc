#include "tests/simulation/world/told.h"

#include <stdint.h>
#include <string.h>

#include "tests/simulation/judge/checker.h"
#include "tests/simulation/judge/tallies.h"
#include "tests/simulation/judge_runs/run_memory.h"
#include "tests/simulation/world/world.h"

struct told {
    enum observed_kind event;
    enum observed_key key; /* KEY_NONE: whatever it says */
    const char *part;      /* of what it says there */
    enum sometimes_kind kind;
};

static const struct told told[] = {
    {OBSERVED_COMMIT_SETTLED, KEY_OUTCOME, "committed", SOMETIMES_SETTLED_COMMITTED},
    {OBSERVED_COMMIT_SETTLED, KEY_OUTCOME, "repeat", SOMETIMES_SETTLED_REPEAT},
    {OBSERVED_COMMIT_SETTLED, KEY_OUTCOME, "lost", SOMETIMES_SETTLED_LOST},
    {OBSERVED_SHARD_RESTORED, KEY_FROM_STORE, "yes", SOMETIMES_RESTORED_STORE},
    {OBSERVED_SHARD_RESTORED, KEY_FROM_STORE, "no", SOMETIMES_RESTORED_LOG},
    {OBSERVED_STORE_IGNORED, KEY_NONE, "", SOMETIMES_STORE_IGNORED},
    {OBSERVED_STORE_IGNORED, KEY_REASON, "other_branch", SOMETIMES_OTHER_BRANCH},
    {OBSERVED_STORE_IGNORED, KEY_REASON, "not_whole", SOMETIMES_DAMAGE_AT_TAKEOVER},
    {OBSERVED_CHECKPOINT_DAMAGED, KEY_NONE, "", SOMETIMES_DAMAGE_MENDED},
    {OBSERVED_CHECKPOINT_GAP, KEY_NONE, "", SOMETIMES_CHECKPOINT_GAP},
    {OBSERVED_CHECKPOINT_STALE, KEY_NONE, "", SOMETIMES_CHECKPOINT_STALE},
    {OBSERVED_SHARD_RESTART, KEY_MESSAGE, "the store refuses us", SOMETIMES_LOST_STORE},
    {OBSERVED_SHARD_FENCED, KEY_NONE, "", SOMETIMES_FENCED},
    {OBSERVED_SHARD_CONTESTED, KEY_NONE, "", SOMETIMES_CONTESTED},
    {OBSERVED_INPUT_CUT, KEY_NONE, "", SOMETIMES_INPUT_CUT},
    {OBSERVED_SHARD_PAUSED, KEY_NONE, "", SOMETIMES_PAUSED},
    {OBSERVED_CLOCK_AHEAD, KEY_ACTION, "corrected", SOMETIMES_CLOCK_CORRECTED},
    {OBSERVED_CLOCK_BEHIND, KEY_ACTION, "corrected", SOMETIMES_CLOCK_BEHIND},
    {OBSERVED_CLOCK_AHEAD, KEY_ACTION, "nothing_fires", SOMETIMES_CLOCK_REFUSED},
    {OBSERVED_REPLY_MOVED, KEY_NONE, "", SOMETIMES_REPLY_MOVED},
    {OBSERVED_RECORD_REFUSED, KEY_NONE, "", SOMETIMES_RECORD_REFUSED},
    {OBSERVED_COMMIT_NARROWED, KEY_NONE, "", SOMETIMES_NARROWED},
    {OBSERVED_SHARD_RESTART, KEY_MESSAGE, "cannot be written and will be refused",
     SOMETIMES_UNFIT},
    {OBSERVED_SHARD_RESTART, KEY_MESSAGE, "they are done one by one", SOMETIMES_SINGLY},
};

static void count_told(struct world *world, enum observed_kind kind, const struct observed *said)
{
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (told[i].event == kind &&
            (told[i].key == KEY_NONE ||
             strstr(observed_value(said, told[i].key).text, told[i].part) != NULL))
            world->sometimes.count[told[i].kind]++;
}

static void judge_told(struct process *process, enum observed_kind kind, int32_t shard,
                       const struct observed *said)
{
    struct world *world = process->world;
    if (kind == OBSERVED_SHARD_TAKEN)
        memset(world->bad_seen[shard], 0, sizeof world->bad_seen[shard]);
    if (kind == OBSERVED_COMMIT_SETTLED && strcmp(said->outcome, "committed") == 0)
        loss_taken(&process->slots[shard]);
    if (kind == OBSERVED_SHARD_RESTORED)
        loss_restored(world, &process->slots[shard], said->from_store, said->sequence);
    if (kind == OBSERVED_CHECKPOINT_DAMAGED && !world->redis.damaged)
        world_violation(world, "%s shard %d says that Redis has lost something, which has not",
                        process->owner, (int)shard);
    if (kind == OBSERVED_CHECKPOINT_GAP) rest_judge_gap(process, shard, said->expected_sequence);
    if (kind == OBSERVED_SHARD_FAILED &&
        !loss_explains(world, &process->slots[shard], said->message) &&
        !anew_explains(world, shard, said->message))
        world_violation(world, "%s shard %d gave up: kind=%s message=\"%s\"", process->owner,
                        (int)shard, said->kind, said->message);
}

static void observe_told(void *opaque, enum observed_kind kind, enum observer_level level,
                         int32_t shard, const struct observed *said)
{
    struct process *process = opaque;
    char fields[OBSERVED_FIELDS_BYTES];
    (void)level;
    count_told(process->world, kind, said);
    world_trace(process->world, "%s shard %d: %s %s", process->owner, (int)shard,
                observed_row(kind)->name, observed_fields(kind, said, fields));
    judge_told(process, kind, shard, said);
}

static void observe_taken(void *opaque, int32_t shard, const struct taken *taken)
{
    const struct process *process = opaque;
    tallies_judge(opaque, shard, taken);
    if (process->world->settings.runs) run_memory_judge(opaque, shard, taken);
}

struct observer told_observer(struct process *process)
{
    return (struct observer){.opaque = process, .lowest = LEVEL_INFO, .told = observe_told,
                             .committed = observe_taken};
}
