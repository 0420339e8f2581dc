#include "dispatcher/engine/checkpointer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/core/job.h"
#include "dispatcher/core/memory.h"
#include "dispatcher/core/mutant.h"
#include "dispatcher/engine/slot_bits.h"
#include "schemas/job_json.h"
#include "schemas/seen_json.h"
#include "schemas/text_writer.h"

enum {
    GROUP_JOBS_MAX = 5000, /* about 10 ms of encoding: the live lane waits no longer */
    GROUP_PROBE_JOBS = 16, /* to a store that did not answer last time */
    GROUP_STATISTICS_MAX = 2000,
    DELETED_MAX = 100000,  /* then the shard is written anew */
    SEEN_PENDING_MAX = 20000,
    SEEN_GROUP_MAX = BATCH_OUTPUTS_MAX + COMMAND_JOBS_MAX /* command ids of one transaction */
};
#define RETRY_AWAY_US INT64_C(1000000)
#define STATISTICS_EVERY_US INT64_C(1000000)
#define STATISTICS_STARVED_US INT64_C(30000000) /* then they are written also amid a herd */
#define LOOK_EVERY_US INT64_C(10000000) /* an idle shard sees whether the store still has it */

struct name_list {
    char **texts;
    size_t count;
    size_t capacity;
    size_t sent; /* the first `sent` are in the group under way */
};

struct checkpointer {
    struct checkpointer_options options;
    struct slot_bits dirty;      /* definition or state changed */
    struct slot_bits sent;       /* in the groups under way */
    struct slot_bits statistics; /* only counters changed */
    struct name_list deleted;
    struct name_list seen; /* "<sequence> <record>" */
    struct name_list seen_gone;
    bool rewriting;
    bool under_way;       /* groups of one position have been handed over, not the last */
    bool last_handed;     /* the one with the snapshot has */
    bool handed;          /* a group's outcome is to come */
    bool ignore_outcome;  /* and says nothing any more: the shard is written anew */
    bool stale;
    uint32_t next_slot;   /* of the scan */
    int32_t next_part;
    int32_t groups; /* handed over for this position */
    int64_t state_offset; /* taken when the first group began */
    bool outdated;        /* that was several groups ago: a take-over would read much again */
    int64_t stored_sequence;
    int64_t handed_sequence;
    int64_t not_before_us;
    int64_t statistics_us;
    int64_t herd_until_us; /* a herd goes out: counters can wait */
    int64_t look_us;
    bool away_told;
    bool probing; /* the store did not answer: little is handed over until it does */
};

/* ---- lists ---- */

static void list_add(struct name_list *list, char *text)
{
    list->texts = memory_grow(list->texts, &list->capacity, list->count + 1, sizeof *list->texts);
    list->texts[list->count++] = text;
}

static void list_drop(struct name_list *list, size_t count)
{
    assert(count <= list->count);
    for (size_t i = 0; i < count; i++) free(list->texts[i]);
    if (count < list->count)
        memmove(list->texts, list->texts + count, (list->count - count) * sizeof *list->texts);
    list->count -= count;
    list->sent = 0;
}

static void list_free(struct name_list *list)
{
    list_drop(list, list->count);
    free(list->texts);
}

/* ---- life ---- */

struct checkpointer *checkpointer_create(const struct checkpointer_options *options)
{
    struct checkpointer *checkpointer = memory_allocate(1, sizeof *checkpointer);
    checkpointer->options = *options;
    checkpointer->stored_sequence = -1;
    checkpointer->rewriting = true;
    return checkpointer;
}

void checkpointer_destroy(struct checkpointer *checkpointer)
{
    if (checkpointer == NULL) return;
    free(checkpointer->dirty.words);
    free(checkpointer->sent.words);
    free(checkpointer->statistics.words);
    list_free(&checkpointer->deleted);
    list_free(&checkpointer->seen);
    list_free(&checkpointer->seen_gone);
    free(checkpointer);
}

static int64_t now_us(const struct checkpointer *checkpointer)
{
    const struct clock *clock = checkpointer->options.clock;
    return clock->monotonic_us(clock->opaque);
}

/* ---- what changed ---- */

void checkpointer_job_changed(struct checkpointer *checkpointer, const struct job *job)
{
    slot_bits_set(&checkpointer->dirty, job->slot);
}

static void job_changed(void *opaque, const struct job *job)
{
    checkpointer_job_changed(opaque, job);
}

static void job_fired(void *opaque, const struct job *job)
{
    struct checkpointer *checkpointer = opaque;
    slot_bits_set(&checkpointer->statistics, job->slot);
}

void checkpointer_name_deleted(struct checkpointer *checkpointer, struct text name)
{
    if (checkpointer->rewriting && !checkpointer->under_way) return; /* written anew without it */
    if (mutant(MUTANT_CHECKPOINT_FORGETS_DELETIONS)) return;
    if (checkpointer->deleted.count >= DELETED_MAX) {
        checkpointer_rewrite(checkpointer);
        return;
    }
    list_add(&checkpointer->deleted, memory_copy_text(name.bytes, name.length));
}

void checkpointer_job_deleted(struct checkpointer *checkpointer, const struct job *job)
{
    (void)slot_bits_take(&checkpointer->dirty, job->slot);
    (void)slot_bits_take(&checkpointer->sent, job->slot);
    (void)slot_bits_take(&checkpointer->statistics, job->slot);
    checkpointer_name_deleted(checkpointer, job_name(job));
}

static void job_deleted(void *opaque, const struct job *job)
{
    checkpointer_job_deleted(opaque, job);
}

void checkpointer_seen(struct checkpointer *checkpointer, int64_t sequence, struct text text)
{
    if (checkpointer->rewriting && !checkpointer->under_way) return;
    if (checkpointer->seen.count >= SEEN_PENDING_MAX) {
        checkpointer_rewrite(checkpointer);
        return;
    }
    struct text_writer writer;
    text_writer_init(&writer);
    text_writer_integer(&writer, sequence);
    text_writer_char(&writer, ' ');
    text_writer_raw(&writer, text);
    list_add(&checkpointer->seen, memory_copy_text(writer.bytes, writer.length));
    text_writer_free(&writer);
}

static void seen(void *opaque, int64_t sequence, struct text text)
{
    checkpointer_seen(opaque, sequence, text);
}

void checkpointer_seen_expired(struct checkpointer *checkpointer, int64_t sequence)
{
    if (checkpointer->rewriting && !checkpointer->under_way) return;
    if (checkpointer->seen_gone.count >= DELETED_MAX) {
        checkpointer_rewrite(checkpointer);
        return;
    }
    struct text_writer writer;
    text_writer_init(&writer);
    text_writer_integer(&writer, sequence);
    list_add(&checkpointer->seen_gone, memory_copy_text(writer.bytes, writer.length));
    text_writer_free(&writer);
}

static void seen_expired(void *opaque, int64_t sequence)
{
    checkpointer_seen_expired(opaque, sequence);
}

struct outbox_listener checkpointer_listener(struct checkpointer *checkpointer)
{
    return (struct outbox_listener){.opaque = checkpointer,
                                    .job_changed = job_changed,
                                    .job_fired = job_fired,
                                    .job_deleted = job_deleted,
                                    .seen = seen,
                                    .seen_expired = seen_expired};
}

void checkpointer_follows(struct checkpointer *checkpointer, int64_t sequence)
{
    assert(!checkpointer->under_way);
    checkpointer->rewriting = false;
    checkpointer->stored_sequence = sequence;
}

void checkpointer_rewrite(struct checkpointer *checkpointer)
{
    checkpointer->ignore_outcome = checkpointer->handed;
    checkpointer->rewriting = true;
    checkpointer->under_way = false;
    checkpointer->stored_sequence = -1;
    list_drop(&checkpointer->deleted, checkpointer->deleted.count);
    list_drop(&checkpointer->seen, checkpointer->seen.count);
    list_drop(&checkpointer->seen_gone, checkpointer->seen_gone.count);
    slot_bits_clear(&checkpointer->sent);
}

void checkpointer_herd(struct checkpointer *checkpointer)
{
    checkpointer->herd_until_us = now_us(checkpointer) + STATISTICS_EVERY_US;
}

struct checkpointer_status checkpointer_status(const struct checkpointer *checkpointer)
{
    return (struct checkpointer_status){checkpointer->stale, checkpointer->away_told,
                                        (int64_t)checkpointer->groups * GROUP_JOBS_MAX};
}

int64_t checkpointer_sequence(const struct checkpointer *checkpointer)
{
    return checkpointer->stored_sequence;
}

/* ---- groups ---- */

static void add_job(struct store_group *group, struct text_writer *writer, const struct job *job)
{
    struct job_record record;
    job_view_record(job, &record);
    text_writer_reset(writer);
    job_record_encode(writer, &record);
    struct text name = job_name(job);
    struct text super_group = job_super_group(job);
    store_group_add(group, &(struct store_item){
                               .kind = STORE_JOB_PUT,
                               .name = name.bytes,
                               .name_bytes = name.length,
                               .text = writer->bytes,
                               .text_bytes = writer->length,
                               .super_group = super_group.length > 0 ? super_group.bytes : NULL,
                               .super_group_bytes = super_group.length});
}

static void add_names(struct store_group *group, struct name_list *list,
                      enum store_item_kind kind)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->texts[i];
        const char *space = kind == STORE_SEEN_PUT ? strchr(name, ' ') : NULL;
        struct store_item item = {.kind = kind, .name = name, .name_bytes = strlen(name)};
        if (space != NULL) {
            item.name_bytes = (size_t)(space - name);
            item.text = space + 1;
            item.text_bytes = strlen(space + 1);
        }
        store_group_add(group, &item);
    }
    list->sent = list->count;
}

/* Jobs whose bit is set, from next_slot on; false: more are left. */
static bool add_dirty(struct checkpointer *checkpointer, struct store_group *group,
                      struct text_writer *writer, const struct shard *shard)
{
    uint32_t slot = 0;
    size_t most = checkpointer->probing ? GROUP_PROBE_JOBS : GROUP_JOBS_MAX;
    while (slot_bits_next(&checkpointer->dirty, checkpointer->next_slot, &slot)) {
        if (store_group_item_count(group) >= most) return false;
        (void)slot_bits_take(&checkpointer->dirty, slot);
        (void)slot_bits_take(&checkpointer->statistics, slot);
        slot_bits_set(&checkpointer->sent, slot);
        checkpointer->next_slot = slot + 1;
        const struct job *job = shard_job_at(shard, slot);
        assert(job != NULL);
        add_job(group, writer, job);
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
    for (size_t i = 0; i < GROUP_STATISTICS_MAX &&
                       slot_bits_next(&checkpointer->statistics, 0, &slot); i++) {
        (void)slot_bits_take(&checkpointer->statistics, slot);
        slot_bits_set(&checkpointer->sent, slot);
        const struct job *job = shard_job_at(shard, slot);
        if (job != NULL) add_job(group, writer, job);
    }
}

/* All remembered command ids, one item for each sequence: part of a rewrite. */
static void add_all_seen(struct store_group *group, struct text_writer *writer,
                         const struct shard *shard)
{
    struct seen *ids = NULL;
    size_t capacity = 0;
    uint32_t cursor = 0;
    int64_t sequence = 0;
    struct seen next;
    bool more = shard_next_seen(shard, &cursor, &sequence, &next);
    while (more) {
        size_t count = 0;
        int64_t of = sequence;
        while (more && sequence == of && count < SEEN_GROUP_MAX) {
            ids = memory_grow(ids, &capacity, count + 1, sizeof *ids);
            ids[count++] = next;
            more = shard_next_seen(shard, &cursor, &sequence, &next);
        }
        while (more && sequence == of) more = shard_next_seen(shard, &cursor, &sequence, &next);
        char name[24];
        size_t length = (size_t)(text_put_unsigned(name, (uint64_t)of) - name);
        text_writer_reset(writer);
        seen_encode(writer, ids, count);
        store_group_add(group, &(struct store_item){.kind = STORE_SEEN_PUT,
                                                    .name = name,
                                                    .name_bytes = length,
                                                    .text = writer->bytes,
                                                    .text_bytes = writer->length});
    }
    free(ids);
}

static void begin_position(struct checkpointer *checkpointer, const struct shard *shard,
                           int64_t state_offset)
{
    checkpointer->state_offset = state_offset;
    checkpointer->under_way = true;
    checkpointer->outdated = false;
    checkpointer->groups = 0;
    checkpointer->next_slot = 0;
    checkpointer->next_part = 0;
    if (!checkpointer->rewriting) return;
    slot_bits_clear(&checkpointer->statistics);
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++)
        if (shard_job_at(shard, slot) != NULL) slot_bits_set(&checkpointer->dirty, slot);
}

static void hand_over(struct checkpointer *checkpointer, const struct shard *shard,
                      const struct mark *mark)
{
    struct store_group *group = store_group_create(&(struct store_group_options){
        .shard = checkpointer->options.shard,
        .mode = checkpointer->rewriting ? STORE_REWRITE : STORE_CHANGE,
        .generation = mark->generation,
        .epoch = mark->epoch,
        .follows_sequence = checkpointer->stored_sequence,
        .first_part = checkpointer->next_part});
    struct text_writer writer;
    text_writer_init(&writer);
    add_names(group, &checkpointer->deleted, STORE_JOB_DELETE);
    add_names(group, &checkpointer->seen_gone, STORE_SEEN_DELETE);
    add_names(group, &checkpointer->seen, STORE_SEEN_PUT);
    bool complete = add_dirty(checkpointer, group, &writer, shard);
    if (complete) {
        if (checkpointer->rewriting) add_all_seen(group, &writer, shard);
        add_statistics(checkpointer, group, &writer, shard);
        const struct clock *clock = checkpointer->options.clock;
        struct snapshot snapshot = {.mark = *mark,
                                    .state_offset = checkpointer->state_offset,
                                    .written_at_ms = clock->now_ms(clock->opaque),
                                    .job_count = -1,
                                    .seen_count = (int64_t)shard_seen_records(shard)};
        if (checkpointer->dirty.set == 0) /* else one that changed meanwhile may come later */
            snapshot.job_count = (int64_t)shard_job_count(shard);
        snapshot.mark.layout = STATE_LAYOUT; /* of what is written, whatever the mark was read as */
        store_group_finish(group, &snapshot);
        checkpointer->handed_sequence = mark->sequence;
    } else {
        store_group_finish(group, NULL);
    }
    checkpointer->last_handed = complete;
    text_writer_free(&writer);
    checkpointer->handed = true;
    checkpointer->groups++;
    checkpointer->options.port->operations->submit(checkpointer->options.port, group);
}

/* ---- outcomes ---- */

static void written(struct checkpointer *checkpointer, int32_t next_part)
{
    checkpointer->probing = false;
    list_drop(&checkpointer->deleted, checkpointer->deleted.sent);
    list_drop(&checkpointer->seen, checkpointer->seen.sent);
    list_drop(&checkpointer->seen_gone, checkpointer->seen_gone.sent);
    checkpointer->next_part = next_part;
    if (!checkpointer->last_handed) return;
    slot_bits_clear(&checkpointer->sent);
    checkpointer->under_way = false;
    checkpointer->outdated = checkpointer->groups > 1;
    checkpointer->rewriting = false;
    checkpointer->stored_sequence = checkpointer->handed_sequence;
    checkpointer->look_us = now_us(checkpointer) + LOOK_EVERY_US;
    if (checkpointer->away_told)
        observe(checkpointer->options.observer, LEVEL_INFO, "checkpoint.caught_up",
                checkpointer->options.shard, "sequence=%" PRId64, checkpointer->stored_sequence);
    checkpointer->away_told = false;
}

static void away(struct checkpointer *checkpointer, const struct error *error)
{
    if (!mutant(MUTANT_CHECKPOINT_AWAY_FORGETS))
        slot_bits_merge(&checkpointer->dirty, &checkpointer->sent);
    checkpointer->deleted.sent = 0;
    checkpointer->seen.sent = 0;
    checkpointer->seen_gone.sent = 0;
    /* What of the parts before was kept is not known: the position begins again, and where the
     * store has moved its guard says so. */
    if (checkpointer->next_part > 0 || checkpointer->rewriting)
        checkpointer_rewrite(checkpointer);
    checkpointer->under_way = false;
    checkpointer->not_before_us = now_us(checkpointer) + RETRY_AWAY_US;
    checkpointer->probing = true;
    if (checkpointer->away_told) return;
    checkpointer->away_told = true;
    char quoted[ERROR_MESSAGE_BYTES + 32];
    observe(checkpointer->options.observer, LEVEL_WARN, "checkpoint.away",
            checkpointer->options.shard, "message=%s",
            observer_quote(quoted, sizeof quoted, error->message));
}

static void take_outcome(struct checkpointer *checkpointer, enum checkpoint_state state,
                         int32_t next_part, const struct error *error)
{
    if (state == CHECKPOINT_IDLE || state == CHECKPOINT_BUSY || !checkpointer->handed)
        return; /* not handed: of the one before, when the shard was taken again */
    checkpointer->handed = false;
    if (checkpointer->ignore_outcome && state != CHECKPOINT_STALE) {
        checkpointer->ignore_outcome = false;
        return;
    }
    bool anything = state == CHECKPOINT_GAP && mutant(MUTANT_CHECKPOINT_FOLLOWS_ANYTHING);
    switch (anything ? CHECKPOINT_WRITTEN : state) {
    case CHECKPOINT_IDLE:
    case CHECKPOINT_BUSY: return;
    case CHECKPOINT_WRITTEN: written(checkpointer, next_part); return;
    case CHECKPOINT_AWAY: away(checkpointer, error); return;
    case CHECKPOINT_GAP:
        observe(checkpointer->options.observer, LEVEL_WARN, "checkpoint.gap",
                checkpointer->options.shard, "expected_sequence=%" PRId64
                " action=rewrite", checkpointer->stored_sequence);
        checkpointer_rewrite(checkpointer);
        return;
    case CHECKPOINT_DAMAGED:
        observe(checkpointer->options.observer, LEVEL_WARN, "checkpoint.damaged",
                checkpointer->options.shard, "sequence=%" PRId64 " action=rewrite "
                "message=\"the store has lost a part of the shard\"",
                checkpointer->stored_sequence);
        checkpointer_rewrite(checkpointer);
        return;
    case CHECKPOINT_STALE:
        observe(checkpointer->options.observer, LEVEL_WARN, "checkpoint.stale",
                checkpointer->options.shard, "message=\"a newer owner writes the store\"");
        checkpointer->stale = true;
        checkpointer->under_way = false;
        return;
    }
}

/* ---- ticking ---- */

static bool something_to_write(const struct checkpointer *checkpointer, const struct mark *mark)
{
    return checkpointer->rewriting || checkpointer->under_way || checkpointer->outdated ||
           checkpointer->dirty.set > 0 ||
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
    if (checkpointer->stale) return;
    enum checkpoint_state state = port->operations->poll(port, &next_part, &error);
    if (state == CHECKPOINT_BUSY) return;
    take_outcome(checkpointer, state, next_part, &error);
    if (checkpointer->stale || !something_to_write(checkpointer, mark)) return;
    if (now_us(checkpointer) < checkpointer->not_before_us) return;
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
    if (checkpointer->stale || !something_to_write(checkpointer, mark)) return INT64_MAX;
    if (checkpointer->handed) return INT64_MAX; /* the port wakes the shard with the outcome */
    bool only_statistics = !checkpointer->rewriting && !checkpointer->under_way &&
                           !checkpointer->outdated && checkpointer->dirty.set == 0 &&
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
    while (!checkpointer->stale && checkpointer->stored_sequence != mark->sequence &&
           now_us(checkpointer) < deadline_us) {
        struct error error = {0};
        int32_t next_part = 0;
        checkpointer->not_before_us = 0;
        checkpointer_tick(checkpointer, shard, mark, state_offset, opaque);
        int64_t left_us = deadline_us - now_us(checkpointer); /* encoding a group takes time */
        int64_t left_ms = left_us > 0 ? (left_us + 999) / 1000 : 0; /* 0 would go round and round */
        enum checkpoint_state state =
            port->operations->wait(port, left_ms, &next_part, &error);
        take_outcome(checkpointer, state, next_part, &error);
        if (state == CHECKPOINT_AWAY || state == CHECKPOINT_IDLE) return false;
    }
    return checkpointer->stored_sequence == mark->sequence;
}
