#include "dispatcher/engine/checkpointer.h"

#include <assert.h>
#include <stdlib.h>

#include "dispatcher/engine/checkpoint_items.h"
#include "dispatcher/engine/checkpoint_notes.h"
#include "dispatcher/engine/checkpoint_tokens.h"
#include "dispatcher/jobs/job.h"
#include "lib/base/memory.h"

enum {
    GROUP_JOBS_MAX = 5000, /* about 10 ms of encoding: the live lane waits no longer */
    GROUP_PROBE_JOBS = 16, /* to a store that did not answer last time; twice as many next time */
    GROUP_STATISTICS_MAX = 2000,
    DELETED_MAX = 100000,  /* then the shard is written anew */
    SEEN_PENDING_MAX = 20000,
    GAPS_MAX = 3           /* without anything written between: then written anew */
};
#define RETRY_AWAY_US INT64_C(1000000)
#define STATISTICS_EVERY_US INT64_C(1000000)
#define STATISTICS_STARVED_US INT64_C(30000000) /* then they are written also amid a herd */
#define LOOK_EVERY_US INT64_C(10000000) /* an idle shard sees whether the store still has it */

/* Where the group under way began: a group whose outcome is not known is made again from here. */
struct flight {
    uint32_t next_slot;
    uint32_t next_run;
    int64_t seen_from;
    int32_t first_part;
    int32_t part_count;
};

struct checkpointer {
    struct checkpointer_options options;
    struct checkpoint_notes notes;
    struct slot_bits statistics; /* only counters changed */
    struct flight flight;
    bool armed;
    bool rewriting;
    bool under_way;       /* groups of one position have been handed over, not the last */
    bool last_handed;     /* the one with the snapshot has */
    bool handed;          /* an outcome is to come */
    bool ignore_outcome;  /* and says nothing any more: the shard is written anew */
    bool unknown;         /* what became of the group: the store is to be asked */
    bool resumes;         /* the next group goes on where the store says the last one got to, */
    uint64_t seen_token;  /* under this token */
    struct checkpoint_tokens tokens;
    bool stale;
    uint32_t next_slot;   /* of the scan */
    uint32_t next_run;    /* k, likewise */
    uint32_t next_counter; /* of the scan of those of whom only counters changed */
    int64_t seen_from;    /* a rewrite's next remembered record */
    int32_t next_part;
    int32_t kept_part;    /* what was in parts before it is not sent again */
    int32_t groups;       /* handed over for this position */
    int32_t written;      /* of these */
    int32_t gaps;         /* since anything was written */
    bool ahead;
    size_t group_jobs;    /* in the next group */
    int64_t state_offset; /* taken when the first group began */
    bool outdated;        /* that was several groups ago: a take-over would read much again */
    int64_t stored_sequence;
    int64_t handed_sequence;
    int64_t not_before_us;
    int64_t statistics_us;
    int64_t herd_until_us; /* a herd goes out: counters can wait */
    int64_t look_us;
    bool away_told;
};

/* ---- life ---- */

static int64_t now_us(const struct checkpointer *checkpointer)
{
    const struct clock *clock = checkpointer->options.clock;
    return clock->monotonic_us(clock->opaque);
}

struct checkpointer *checkpointer_create(const struct checkpointer_options *options)
{
    struct checkpointer *checkpointer = memory_allocate(1, sizeof *checkpointer);
    checkpointer->options = *options;
    if (checkpointer->options.group_jobs_max == 0)
        checkpointer->options.group_jobs_max = GROUP_JOBS_MAX;
    checkpointer->group_jobs = checkpointer->options.group_jobs_max;
    checkpointer->stored_sequence = -1;
    checkpoint_tokens_forget(&checkpointer->tokens);
    checkpointer->rewriting = true;
    return checkpointer;
}

void checkpointer_arm(struct checkpointer *checkpointer)
{
    checkpointer->armed = true;
}

void checkpointer_destroy(struct checkpointer *checkpointer)
{
    if (checkpointer == NULL) return;
    checkpoint_notes_free(&checkpointer->notes);
    free(checkpointer->statistics.words);
    free(checkpointer);
}

/* ---- what changed ---- */

/* What the lists must say of it: nothing of a rewrite of which nothing was sent yet. Where too much
 * is to be said the shard is written anew. */
static bool takes_note(struct checkpointer *checkpointer, const struct name_list *list, size_t most)
{
    if (checkpointer->rewriting && !checkpoint_tokens_sent(&checkpointer->tokens)) return false;
    if (list->count < most) return true;
    checkpointer_rewrite(checkpointer);
    return false;
}

void checkpointer_job_changed(struct checkpointer *checkpointer, const struct job *job)
{
    slot_bits_set(&checkpointer->notes.jobs.dirty, job->slot);
}

void checkpointer_job_fired(struct checkpointer *checkpointer, const struct job *job)
{
    slot_bits_set(&checkpointer->statistics, job->slot);
}

void checkpointer_run_changed(struct checkpointer *checkpointer, uint32_t k)
{
    slot_bits_set(&checkpointer->notes.runs.dirty, k);
}

void checkpointer_name_deleted(struct checkpointer *checkpointer, struct text name)
{
    if (takes_note(checkpointer, &checkpointer->notes.deleted, DELETED_MAX))
        name_list_add(&checkpointer->notes.deleted, name);
}

void checkpointer_job_deleted(struct checkpointer *checkpointer, const struct job *job)
{
    checkpoint_notes_drop_slot(&checkpointer->notes, job->slot);
    (void)slot_bits_take(&checkpointer->statistics, job->slot);
    checkpointer_name_deleted(checkpointer, job_name(job));
}

void checkpointer_seen(struct checkpointer *checkpointer, int64_t sequence, struct text text)
{
    if (takes_note(checkpointer, &checkpointer->notes.seen, SEEN_PENDING_MAX))
        name_list_add_record(&checkpointer->notes.seen, sequence, text);
}

void checkpointer_seen_expired(struct checkpointer *checkpointer, int64_t sequence)
{
    if (takes_note(checkpointer, &checkpointer->notes.seen_gone, DELETED_MAX))
        name_list_add_record(&checkpointer->notes.seen_gone, sequence, (struct text){NULL, 0});
}

void checkpointer_follows(struct checkpointer *checkpointer, int64_t sequence)
{
    assert(!checkpointer->under_way);
    checkpointer->rewriting = false;
    checkpoint_tokens_forget(&checkpointer->tokens);
    checkpointer->stored_sequence = sequence;
}

void checkpointer_rewrite(struct checkpointer *checkpointer)
{
    checkpointer->ignore_outcome = checkpointer->handed;
    checkpointer->rewriting = true;
    checkpointer->under_way = false;
    checkpointer->unknown = false;
    checkpointer->resumes = false;
    checkpoint_tokens_forget(&checkpointer->tokens);
    checkpointer->stored_sequence = -1;
    checkpoint_notes_forget(&checkpointer->notes);
}

void checkpointer_herd(struct checkpointer *checkpointer)
{
    checkpointer->herd_until_us = now_us(checkpointer) + STATISTICS_EVERY_US;
}

struct checkpointer_status checkpointer_status(const struct checkpointer *checkpointer)
{
    return (struct checkpointer_status){checkpointer->stale, checkpointer->ahead,
                                        checkpointer->away_told,
                                        (int64_t)checkpointer->groups * GROUP_JOBS_MAX};
}

int64_t checkpointer_sequence(const struct checkpointer *checkpointer)
{
    return checkpointer->stored_sequence;
}

/* ---- groups ---- */

/* Jobs whose bit is set, from next_slot on; false: more are left. */
static bool add_dirty(struct checkpointer *checkpointer, struct store_group *group,
                      struct text_writer *writer, const struct shard *shard)
{
    uint32_t slot = 0;
    while (slot_bits_next(&checkpointer->notes.jobs.dirty, checkpointer->next_slot, &slot)) {
        if (store_group_item_count(group) >= checkpointer->group_jobs) return false;
        (void)slot_bits_take(&checkpointer->notes.jobs.dirty, slot);
        (void)slot_bits_take(&checkpointer->statistics, slot);
        slot_bits_set(&checkpointer->notes.jobs.in_flight, slot);
        checkpointer->next_slot = slot + 1;
        const struct job *job = shard_job_at(shard, slot);
        assert(job != NULL);
        checkpoint_add_job(group, writer, job);
    }
    return true;
}

/* Counters go along when there is time: they may be lost. */
static void add_statistics(struct checkpointer *checkpointer, struct store_group *group,
                           struct text_writer *writer, const struct shard *shard)
{
    uint32_t slot = 0;
    int64_t now = now_us(checkpointer);
    bool starved = now >= checkpointer->statistics_us + STATISTICS_STARVED_US;
    if (now < checkpointer->statistics_us || (now < checkpointer->herd_until_us && !starved))
        return;
    checkpointer->statistics_us = now + STATISTICS_EVERY_US;
    for (size_t i = 0; i < GROUP_STATISTICS_MAX && checkpointer->statistics.set > 0; i++) {
        if (!slot_bits_next(&checkpointer->statistics, checkpointer->next_counter, &slot)) {
            checkpointer->next_counter = 0; /* round again, from where it stopped the last time */
            continue;
        }
        checkpointer->next_counter = slot + 1;
        (void)slot_bits_take(&checkpointer->statistics, slot);
        slot_bits_set(&checkpointer->notes.jobs.in_flight, slot);
        const struct job *job = shard_job_at(shard, slot);
        if (job != NULL) checkpoint_add_job(group, writer, job);
    }
}

static void begin_position(struct checkpointer *checkpointer, const struct shard *shard,
                           int64_t state_offset)
{
    checkpointer->state_offset = state_offset;
    checkpointer->under_way = true;
    checkpointer->outdated = false;
    checkpointer->resumes = false;
    checkpointer->groups = 0;
    checkpointer->written = 0;
    checkpointer->next_slot = 0;
    checkpointer->next_run = 0;
    checkpointer->next_part = 0;
    checkpointer->kept_part = 0;
    checkpointer->seen_from = 0;
    if (!checkpointer->rewriting) return;
    /* Runs that have ended since may come of a rewrite that was sent in vain, as it seems. */
    if (!checkpoint_tokens_sent(&checkpointer->tokens))
        slot_bits_clear(&checkpointer->notes.runs.dirty);
    checkpoint_flag_runs(&checkpointer->notes.runs.dirty, shard);
    slot_bits_clear(&checkpointer->statistics);
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++)
        if (shard_job_at(shard, slot) != NULL) slot_bits_set(&checkpointer->notes.jobs.dirty, slot);
}

static void finish_position(struct checkpointer *checkpointer, struct store_group *group,
                            const struct shard *shard, const struct mark *mark)
{
    const struct clock *clock = checkpointer->options.clock;
    struct snapshot snapshot = {.mark = *mark,
                                .state_offset = checkpointer->state_offset,
                                .written_at_ms = clock->now_ms(clock->opaque),
                                .job_count = -1,
                                .run_count = -1,
                                .seen_count = (int64_t)shard_seen_records(shard)};
    /* Else one that changed meanwhile may come later. */
    if (checkpointer->notes.jobs.dirty.set == 0)
        snapshot.job_count = (int64_t)shard_job_count(shard);
    if (checkpointer->notes.runs.dirty.set == 0)
        snapshot.run_count = (int64_t)shard_open_runs(shard);
    snapshot.mark.layout = STATE_LAYOUT; /* of what is written, whatever the mark was read as */
    assert(mark->sequence >= checkpointer->handed_sequence);
    store_group_finish(group, &snapshot);
    checkpointer->handed_sequence = mark->sequence;
}

static struct store_group *begin_group(struct checkpointer *checkpointer, const struct mark *mark)
{
    struct flight *flight = &checkpointer->flight;
    assert(checkpointer->notes.jobs.in_flight.set == 0);
    assert(checkpointer->notes.runs.in_flight.set == 0);
    flight->next_slot = checkpointer->next_slot;
    flight->next_run = checkpointer->next_run;
    flight->seen_from = checkpointer->seen_from;
    flight->first_part = checkpointer->next_part;
    if (checkpointer->next_part == 0 || checkpointer->resumes) checkpointer->tokens.last++;
    if (checkpointer->written == 0) checkpointer->tokens.chain = checkpointer->tokens.last;
    return store_group_create(&(struct store_group_options){
        .shard = checkpointer->options.shard,
        .mode = checkpointer->rewriting ? STORE_REWRITE : STORE_CHANGE,
        .generation = mark->generation,
        .epoch = mark->epoch,
        .follows_sequence = checkpointer->stored_sequence,
        .first_part = checkpointer->next_part,
        .token = checkpointer->tokens.last,
        .token_before = checkpointer->resumes ? checkpointer->seen_token : 0,
        .part_items_max = checkpointer->options.part_items_max});
}

static void hand_over(struct checkpointer *checkpointer, const struct shard *shard,
                      const struct mark *mark)
{
    struct store_group *group = begin_group(checkpointer, mark);
    struct text_writer writer;
    text_writer_init(&writer);
    checkpoint_notes_put(&checkpointer->notes, group);
    bool complete = add_dirty(checkpointer, group, &writer, shard) &&
                    checkpoint_add_runs(group, &writer, shard, &checkpointer->notes.runs,
                                        checkpointer->group_jobs, &checkpointer->next_run);
    if (complete && checkpointer->rewriting)
        complete = checkpoint_add_seen(group, &writer, shard, checkpointer->group_jobs,
                                       &checkpointer->seen_from);
    if (complete) {
        add_statistics(checkpointer, group, &writer, shard);
        finish_position(checkpointer, group, shard, mark);
    } else {
        store_group_finish(group, NULL);
    }
    text_writer_free(&writer);
    checkpointer->last_handed = complete;
    checkpointer->resumes = false;
    checkpointer->handed = true;
    checkpointer->groups++;
    checkpointer->flight.part_count = (int32_t)store_group_part_count(group);
    checkpointer->options.port->operations->submit(checkpointer->options.port, group);
}

/* ---- outcomes ---- */

static void settled(struct checkpointer *checkpointer, int64_t sequence, uint64_t token)
{
    checkpoint_notes_settle(&checkpointer->notes);
    checkpointer->gaps = 0;
    checkpointer->under_way = false;
    checkpointer->outdated = checkpointer->groups > 1;
    checkpointer->rewriting = false;
    checkpoint_tokens_settle(&checkpointer->tokens, token);
    checkpointer->stored_sequence = sequence;
    checkpointer->look_us = now_us(checkpointer) + LOOK_EVERY_US;
    if (checkpointer->away_told)
        observe(checkpointer->options.observer, OBSERVED_CHECKPOINT_CAUGHT_UP,
                checkpointer->options.shard,
                &(struct observed){.sequence = checkpointer->stored_sequence});
    checkpointer->away_told = false;
}

static void written(struct checkpointer *checkpointer, int32_t next_part)
{
    checkpointer->group_jobs *= 2;
    if (checkpointer->group_jobs > checkpointer->options.group_jobs_max)
        checkpointer->group_jobs = checkpointer->options.group_jobs_max;
    checkpointer->gaps = 0;
    checkpointer->written++;
    checkpoint_notes_written(&checkpointer->notes);
    if (checkpointer->rewriting) /* where it is not relied on, the rewrite begins anew */
        checkpoint_notes_settle(&checkpointer->notes);
    checkpointer->next_part = checkpointer->kept_part = next_part;
    if (checkpointer->last_handed)
        settled(checkpointer, checkpointer->handed_sequence, checkpointer->tokens.last);
}

static void away(struct checkpointer *checkpointer, const struct error *error)
{
    checkpointer->unknown = true;
    checkpointer->not_before_us = now_us(checkpointer) + RETRY_AWAY_US;
    checkpointer->group_jobs = GROUP_PROBE_JOBS;
    if (checkpointer->group_jobs > checkpointer->options.group_jobs_max)
        checkpointer->group_jobs = checkpointer->options.group_jobs_max;
    if (checkpointer->away_told) return;
    checkpointer->away_told = true;
    observe(checkpointer->options.observer, OBSERVED_CHECKPOINT_AWAY, checkpointer->options.shard,
            &(struct observed){.message = error->message});
}

static void write_anew(struct checkpointer *checkpointer, enum observed_kind kind, const char *why)
{
    observe(checkpointer->options.observer, kind, checkpointer->options.shard,
            &(struct observed){.expected_sequence = checkpointer->stored_sequence,
                               .action = "rewrite", .message = why});
    checkpointer->gaps = 0;
    checkpointer_rewrite(checkpointer);
}

/* The group is made again, with what is true by then. */
static void take_back(struct checkpointer *checkpointer)
{
    checkpointer->next_slot = checkpointer->flight.next_slot;
    checkpointer->next_run = checkpointer->flight.next_run;
    checkpointer->seen_from = checkpointer->flight.seen_from;
    checkpoint_notes_take_back(&checkpointer->notes);
}

/* What was written of the change under way as well: something older may have come behind it. */
static void take_all_back(struct checkpointer *checkpointer)
{
    checkpoint_notes_take_all_back(&checkpointer->notes);
    checkpointer->next_slot = 0;
    checkpointer->next_run = 0;
    checkpointer->kept_part = 0;
    checkpointer->written = 0;
}

/* Whether the store has more of our own epoch than Kafka: it is from a time that Kafka has lost. */
static bool is_ahead(const struct store_position *position, const struct mark *mark)
{
    return position->of_epoch && position->sequence > mark->sequence;
}

/* Whether the group whose outcome was not known is there up to the part behind it. */
static bool has_arrived(const struct checkpointer *checkpointer,
                        const struct store_position *position, int32_t behind)
{
    uint64_t last = checkpointer->tokens.last;
    if (checkpointer->last_handed) return position->done == last;
    return position->token == last && position->part >= behind;
}

/* What became of the group whose outcome was not known. */
static void looked(struct checkpointer *checkpointer, const struct store_position *position,
                   const struct mark *mark)
{
    const struct checkpoint_tokens *tokens = &checkpointer->tokens;
    checkpointer->unknown = false;
    if (is_ahead(position, mark)) {
        checkpointer->ahead = checkpointer->stale = true;
        return;
    }
    int32_t behind = checkpointer->flight.first_part + checkpointer->flight.part_count;
    if (has_arrived(checkpointer, position, behind)) {
        written(checkpointer, behind);
        return;
    }
    take_back(checkpointer);
    bool begun = checkpointer->written > 0;
    if (begun && !checkpointer->rewriting &&
        !checkpoint_tokens_follow(tokens, position->done, begun) &&
        !checkpoint_tokens_follow(tokens, position->token, begun)) {
        take_all_back(checkpointer);
        begun = false;
    }
    if (checkpoint_tokens_follow(tokens, position->done, begun)) {
        /* one given up for lost has come after all */
        settled(checkpointer, position->sequence, position->done);
        return;
    }
    bool patient = checkpointer->gaps < GAPS_MAX;
    bool kept_all = position->part >= checkpointer->kept_part; /* else it has been rolled back */
    if (patient && kept_all && checkpoint_tokens_follow(tokens, position->token, begun)) {
        checkpointer->next_part = position->part;
        checkpointer->seen_token = position->token;
        checkpointer->resumes = true;
        return;
    }
    bool kept = checkpointer->rewriting ||
                (position->whole && position->sequence == checkpointer->stored_sequence);
    if (patient && kept && !begun) {
        checkpointer->under_way = false; /* nothing of it is there: from its beginning */
        return;
    }
    write_anew(checkpointer, OBSERVED_CHECKPOINT_GAP, "the store is not where it was left");
}

static void gap(struct checkpointer *checkpointer)
{
    checkpointer->unknown = true;
    if (++checkpointer->gaps > 1) /* not round and round */
        checkpointer->not_before_us = now_us(checkpointer) + RETRY_AWAY_US;
}

static void take_outcome(struct checkpointer *checkpointer, const struct mark *mark,
                         enum checkpoint_state state, int32_t next_part,
                         const struct error *error)
{
    struct checkpoint_port *port = checkpointer->options.port;
    struct store_position position = {0};
    if (state == CHECKPOINT_IDLE || state == CHECKPOINT_BUSY || !checkpointer->handed)
        return; /* not handed: of the one before, when the shard was taken again */
    checkpointer->handed = false;
    if (checkpointer->ignore_outcome && state != CHECKPOINT_STALE) {
        checkpointer->ignore_outcome = false;
        return;
    }
    switch (state) {
    case CHECKPOINT_IDLE:
    case CHECKPOINT_BUSY: return;
    case CHECKPOINT_WRITTEN: written(checkpointer, next_part); return;
    case CHECKPOINT_AWAY: away(checkpointer, error); return;
    case CHECKPOINT_GAP: gap(checkpointer); return;
    case CHECKPOINT_LOOKED:
        port->operations->position(port, &position);
        looked(checkpointer, &position, mark);
        return;
    case CHECKPOINT_DAMAGED:
        write_anew(checkpointer, OBSERVED_CHECKPOINT_DAMAGED,
                   "the store has lost a part of the shard");
        return;
    case CHECKPOINT_STALE:
        observe(checkpointer->options.observer, OBSERVED_CHECKPOINT_STALE,
                checkpointer->options.shard,
                &(struct observed){.message = "a newer owner writes the store"});
        checkpointer->stale = true;
        checkpointer->under_way = false;
        return;
    }
}

/* ---- ticking ---- */

static bool something_to_write(const struct checkpointer *checkpointer, const struct mark *mark)
{
    return checkpointer->rewriting || checkpointer->under_way || checkpointer->outdated ||
           checkpointer->unknown || checkpoint_notes_dirty(&checkpointer->notes) ||
           checkpointer->statistics.set > 0 || checkpointer->stored_sequence != mark->sequence ||
           now_us(checkpointer) >= checkpointer->look_us;
}

void checkpointer_tick(struct checkpointer *checkpointer, const struct shard *shard,
                       const struct mark *mark, checkpointer_state_offset *state_offset,
                       void *opaque)
{
    struct checkpoint_port *port = checkpointer->options.port;
    struct error error = {0};
    int32_t next_part = 0;
    if (checkpointer->stale || !checkpointer->armed) return;
    enum checkpoint_state state = port->operations->poll(port, &next_part, &error);
    if (state == CHECKPOINT_BUSY) return;
    take_outcome(checkpointer, mark, state, next_part, &error);
    if (checkpointer->stale || !something_to_write(checkpointer, mark)) return;
    if (now_us(checkpointer) < checkpointer->not_before_us) return;
    if (checkpointer->unknown) {
        checkpointer->handed = true;
        port->operations->look(port, mark->generation, mark->epoch);
        return;
    }
    if (!checkpointer->under_way) {
        int64_t offset = 0;
        if (!state_offset(opaque, &offset)) return;
        begin_position(checkpointer, shard, offset);
    }
    hand_over(checkpointer, shard, mark);
    checkpointer->not_before_us =
        checkpointer->last_handed ? now_us(checkpointer) + checkpointer->options.interval_ms * 1000
                                  : 0;
}

int64_t checkpointer_due_us(const struct checkpointer *checkpointer, const struct mark *mark)
{
    if (checkpointer->stale || !checkpointer->armed || !something_to_write(checkpointer, mark) ||
        checkpointer->handed) /* the port wakes the shard with the outcome */
        return INT64_MAX;
    bool only_statistics = !checkpointer->rewriting && !checkpointer->under_way &&
                           !checkpointer->unknown && !checkpointer->outdated &&
                           !checkpoint_notes_dirty(&checkpointer->notes) &&
                           checkpointer->stored_sequence == mark->sequence;
    int64_t statistics_us = checkpointer->statistics_us > checkpointer->herd_until_us
                                ? checkpointer->statistics_us
                                : checkpointer->herd_until_us;
    if (only_statistics && statistics_us > checkpointer->not_before_us) return statistics_us;
    return checkpointer->not_before_us;
}

bool checkpointer_drain(struct checkpointer *checkpointer, const struct shard *shard,
                        const struct mark *mark, checkpointer_state_offset *state_offset,
                        void *opaque, int64_t deadline_us)
{
    struct checkpoint_port *port = checkpointer->options.port;
    if (!checkpointer->armed) return false;
    while (!checkpointer->stale && checkpointer->stored_sequence != mark->sequence &&
           now_us(checkpointer) < deadline_us) {
        struct error error = {0};
        int32_t next_part = 0;
        checkpointer->not_before_us = 0;
        checkpointer_tick(checkpointer, shard, mark, state_offset, opaque);
        int64_t left_us = deadline_us - now_us(checkpointer); /* encoding a group takes time */
        int64_t left_ms = left_us > 0 ? (left_us + 999) / 1000 : 0; /* 0 would go round and round */
        enum checkpoint_state state = port->operations->wait(port, left_ms, &next_part, &error);
        take_outcome(checkpointer, mark, state, next_part, &error);
        if (state == CHECKPOINT_AWAY || state == CHECKPOINT_IDLE) return false;
    }
    return checkpointer->stored_sequence == mark->sequence;
}
