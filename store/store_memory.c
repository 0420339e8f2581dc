#include "store/store_memory.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"
#include "store/store_table.h"

/* Of a group of one owner through one store; number 0 = none. */
struct image_token {
    uint64_t store;
    int64_t generation;
    int64_t epoch;
    uint64_t number;
};

/* Who wrote last, and how far in a group without its last part. */
struct image_writer {
    int64_t generation;
    int64_t epoch;
    enum store_mode mode;
    struct image_token group; /* under way */
    int32_t part;             /* the part expected next */
    struct image_token done;  /* the last one whose last part came */
};

struct image_tables {
    struct store_table jobs;
    struct store_table seen;
    struct store_table runs;
};

struct image_shard {
    bool has_snapshot;
    struct snapshot snapshot;
    struct image_writer writer;
    struct store_counts held;     /* counted as they were written */
    struct store_counts new_held; /* of an unfinished rewrite */
    struct image_tables tables;
    struct image_tables new_tables; /* of an unfinished rewrite */
};

struct image_content {
    bool has_meta;
    struct store_meta meta;
    struct image_shard *shards;
    size_t shard_count;
};

struct store_image {
    pthread_mutex_t lock;
    struct image_content content;
    uint64_t store_count; /* stores made; not taken back by a rollback */
};

struct store_memory {
    struct store store; /* first: operations find us by it */
    struct store_image *image;
    uint64_t number; /* tells its tokens from those of other stores */
    enum store_failure failure;
    int64_t failing_calls;
};

static struct store_memory *own(struct store *store)
{
    assert(store != NULL);
    return (struct store_memory *)store;
}

struct store_image *store_image_create(void)
{
    struct store_image *image = memory_allocate(1, sizeof *image);
    int failed = pthread_mutex_init(&image->lock, NULL);
    assert(failed == 0);
    (void)failed;
    return image;
}

static void clear_tables(struct image_tables *tables)
{
    store_table_clear(&tables->jobs);
    store_table_clear(&tables->seen);
    store_table_clear(&tables->runs);
}

static void copy_tables(const struct image_tables *from, struct image_tables *to)
{
    store_table_copy(&from->jobs, &to->jobs);
    store_table_copy(&from->seen, &to->seen);
    store_table_copy(&from->runs, &to->runs);
}

static void clear_content(struct image_content *content)
{
    for (size_t i = 0; i < content->shard_count; i++) {
        clear_tables(&content->shards[i].tables);
        clear_tables(&content->shards[i].new_tables);
    }
    free(content->shards);
    memset(content, 0, sizeof *content);
}

static struct image_content copy_content(const struct image_content *from)
{
    struct image_content to = *from;
    to.shards = memory_allocate(from->shard_count, sizeof to.shards[0]);
    for (size_t i = 0; i < from->shard_count; i++) {
        const struct image_shard *source = &from->shards[i];
        struct image_shard *target = &to.shards[i];
        target->has_snapshot = source->has_snapshot;
        target->snapshot = source->snapshot;
        target->writer = source->writer;
        target->held = source->held;
        target->new_held = source->new_held;
        copy_tables(&source->tables, &target->tables);
        copy_tables(&source->new_tables, &target->new_tables);
    }
    return to;
}

void store_image_destroy(struct store_image *image)
{
    if (image == NULL) return;
    clear_content(&image->content);
    pthread_mutex_destroy(&image->lock);
    free(image);
}

void store_image_empty(struct store_image *image)
{
    assert(image != NULL);
    pthread_mutex_lock(&image->lock);
    clear_content(&image->content);
    pthread_mutex_unlock(&image->lock);
}

struct store_image *store_image_copy(struct store_image *image)
{
    assert(image != NULL);
    struct store_image *copy = store_image_create();
    pthread_mutex_lock(&image->lock);
    copy->content = copy_content(&image->content);
    copy->store_count = image->store_count;
    pthread_mutex_unlock(&image->lock);
    return copy;
}

void store_image_restore(struct store_image *image, struct store_image *from)
{
    assert(image != NULL && from != NULL);
    assert(image != from);
    pthread_mutex_lock(&from->lock);
    struct image_content content = copy_content(&from->content);
    pthread_mutex_unlock(&from->lock);
    pthread_mutex_lock(&image->lock);
    clear_content(&image->content);
    image->content = content;
    pthread_mutex_unlock(&image->lock);
}

static size_t lose_some(struct store_table *table, size_t first, size_t every)
{
    size_t lost = 0;
    size_t number = 0;
    const struct store_entry *entry = store_table_next(table, NULL);
    while (entry != NULL) {
        const struct store_entry *next = store_table_next(table, entry);
        if (number >= first && (number - first) % every == 0) {
            store_table_delete(table, store_entry_name(entry), entry->name_bytes);
            lost++;
        }
        number++;
        entry = next;
    }
    return lost;
}

static struct image_shard *image_shard(struct store_image *image, int32_t number)
{
    assert(number >= 0 && number < SHARDS_MAX);
    struct image_content *content = &image->content;
    size_t needed = (size_t)number + 1;
    if (needed > content->shard_count) {
        content->shards = memory_resize(content->shards, needed, sizeof content->shards[0]);
        memset(content->shards + content->shard_count, 0,
               (needed - content->shard_count) * sizeof content->shards[0]);
        content->shard_count = needed;
    }
    return &content->shards[number];
}

/* The table that items of the kind are in. */
static struct store_table *table_of(struct image_tables *tables, enum store_item_kind kind)
{
    switch (kind) {
    case STORE_JOB_PUT:
    case STORE_JOB_DELETE: break;
    case STORE_SEEN_PUT:
    case STORE_SEEN_DELETE: return &tables->seen;
    case STORE_RUN_PUT:
    case STORE_RUN_DELETE: return &tables->runs;
    }
    return &tables->jobs;
}

size_t store_image_lose(struct store_image *image, int32_t shard, enum store_item_kind kind,
                        size_t first, size_t every)
{
    assert(image != NULL && every > 0);
    pthread_mutex_lock(&image->lock);
    struct image_shard *place = image_shard(image, shard);
    size_t lost = lose_some(table_of(&place->tables, kind), first, every) +
                  lose_some(table_of(&place->new_tables, kind), first, every);
    pthread_mutex_unlock(&image->lock);
    return lost;
}

bool store_image_lose_named(struct store_image *image, int32_t shard, enum store_item_kind kind,
                            const char *name)
{
    assert(image != NULL && name != NULL);
    pthread_mutex_lock(&image->lock);
    struct image_shard *place = image_shard(image, shard);
    struct store_table *tables[] = {table_of(&place->tables, kind),
                                    table_of(&place->new_tables, kind)};
    size_t before = tables[0]->count + tables[1]->count;
    for (int i = 0; i < 2; i++) store_table_delete(tables[i], name, strlen(name));
    bool lost = tables[0]->count + tables[1]->count < before;
    pthread_mutex_unlock(&image->lock);
    return lost;
}

/* Whether this call fails as `failure` says; the last of the failing calls switches it off. */
static bool fails(struct store_memory *memory, enum store_failure failure, struct error *error)
{
    if (memory->failing_calls <= 0 || memory->failure != failure) return false;
    if (--memory->failing_calls == 0) memory->failure = STORE_FAILURE_NONE;
    error_set(error, ERROR_RETRY, "memory store: %s",
              failure == STORE_FAILURE_BEFORE ? "away, nothing was done" : "the answer got lost");
    return true;
}

static bool memory_claim_meta(struct store *store, const struct store_meta *wanted,
                              struct store_meta *found, struct error *error)
{
    assert(wanted != NULL && found != NULL);
    struct store_memory *memory = own(store);
    if (fails(memory, STORE_FAILURE_BEFORE, error)) return false;
    pthread_mutex_lock(&memory->image->lock);
    struct image_content *content = &memory->image->content;
    if (!content->has_meta) content->meta = *wanted;
    content->has_meta = true;
    *found = content->meta;
    pthread_mutex_unlock(&memory->image->lock);
    if (found->layout > wanted->layout)
        return error_set(error, ERROR_FATAL,
                         "memory store: layout %" PRId32 " is newer than %" PRId32, found->layout,
                         wanted->layout);
    return !fails(memory, STORE_FAILURE_AFTER, error);
}

static struct store_counts count(const struct image_tables *tables)
{
    return (struct store_counts){.jobs = (int64_t)tables->jobs.count,
                                 .seen = (int64_t)tables->seen.count,
                                 .groups = (int64_t)tables->jobs.count,
                                 .super_groups = -1,
                                 .runs = (int64_t)tables->runs.count};
}

static bool memory_read_snapshot(struct store *store, int32_t shard, struct snapshot *snapshot,
                                 bool *found, struct error *error)
{
    assert(snapshot != NULL && found != NULL);
    struct store_memory *memory = own(store);
    if (fails(memory, STORE_FAILURE_BEFORE, error)) return false;
    pthread_mutex_lock(&memory->image->lock);
    const struct image_shard *place = image_shard(memory->image, shard);
    *snapshot = place->snapshot;
    snapshot->held = place->held;
    snapshot->there = count(&place->tables);
    snapshot->run_count = snapshot->mark.runs = snapshot->held.runs;
    *found = place->has_snapshot;
    pthread_mutex_unlock(&memory->image->lock);
    return !fails(memory, STORE_FAILURE_AFTER, error);
}

static bool is_listed(const char *const *names, size_t count, const char *name, size_t name_bytes)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == name_bytes && memcmp(names[i], name, name_bytes) == 0) return true;
    return count == 0;
}

static bool is_admitted(const struct store_filter *filter, const struct store_entry *entry)
{
    if (filter == NULL) return true;
    const char *name = store_entry_name(entry);
    const char *slash = memchr(name, '/', entry->name_bytes);
    size_t group_bytes = slash != NULL ? (size_t)(slash - name) : entry->name_bytes;
    return is_listed(filter->groups, filter->group_count, name, group_bytes) &&
           is_listed(filter->super_groups, filter->super_group_count,
                     store_entry_super_group(entry), entry->super_group_bytes);
}

static bool visit_table(const struct store_table *table, enum store_item_kind kind,
                        const struct store_filter *filter, store_item_visitor *visitor,
                        void *opaque, struct error *error)
{
    const struct store_entry *entry = NULL;
    while ((entry = store_table_next(table, entry)) != NULL) {
        if (!is_admitted(filter, entry)) continue;
        const struct store_item item = {
            .kind = kind,
            .name = store_entry_name(entry),
            .name_bytes = entry->name_bytes,
            .text = store_entry_text(entry),
            .text_bytes = entry->text_bytes,
        };
        if (!visitor(opaque, &item, error)) return false;
    }
    return true;
}

static bool memory_read_items(struct store *store, int32_t shard, store_item_visitor *visitor,
                              void *opaque, struct error *error)
{
    assert(visitor != NULL);
    struct store_memory *memory = own(store);
    if (fails(memory, STORE_FAILURE_BEFORE, error)) return false;
    pthread_mutex_lock(&memory->image->lock);
    const struct image_tables *tables = &image_shard(memory->image, shard)->tables;
    bool done = visit_table(&tables->jobs, STORE_JOB_PUT, NULL, visitor, opaque, error) &&
                visit_table(&tables->seen, STORE_SEEN_PUT, NULL, visitor, opaque, error) &&
                visit_table(&tables->runs, STORE_RUN_PUT, NULL, visitor, opaque, error);
    pthread_mutex_unlock(&memory->image->lock);
    return done && !fails(memory, STORE_FAILURE_AFTER, error);
}

/* Here no index can be lost. */
static bool is_whole(const struct store_counts *held, const struct image_tables *tables)
{
    const struct store_counts there = count(tables);
    return held->jobs == there.jobs && held->seen == there.seen && held->runs == there.runs;
}

/* The number of a token of that owner through this store; 0: it is of another one. */
static uint64_t token_number(const struct image_token *token, uint64_t store, int64_t generation,
                             int64_t epoch)
{
    bool ours = token->store == store && token->generation == generation && token->epoch == epoch;
    return ours ? token->number : 0;
}

static bool is_newer(int64_t generation, int64_t epoch, const struct store_write *write)
{
    return generation > write->generation ||
           (generation == write->generation && epoch > write->epoch);
}

/* Whether the write does not go on where the last one ended, or begins what is further already. */
static bool has_gap(const struct image_shard *shard, const struct store_write *write,
                    uint64_t store)
{
    const struct image_writer *writer = &shard->writer;
    const struct mark *mark = &shard->snapshot.mark;
    if (write->mode == STORE_CHANGE &&
        (!shard->has_snapshot || mark->sequence != write->follows_sequence))
        return true;
    uint64_t before = write->token_before != 0 ? write->token_before : write->token;
    uint64_t group = token_number(&writer->group, store, write->generation, write->epoch);
    if (write->part > 0 &&
        (group != before || writer->mode != write->mode || writer->part != write->part))
        return true;
    return write->mode == STORE_REWRITE && write->snapshot != NULL && shard->has_snapshot &&
           mark->generation == write->generation && mark->epoch == write->epoch &&
           mark->sequence > write->snapshot->mark.sequence;
}

/* The rules of write.lua, in the same order. */
static enum store_outcome judge(const struct image_shard *shard, const struct store_write *write,
                                uint64_t store)
{
    const struct image_writer *writer = &shard->writer;
    const struct mark *mark = &shard->snapshot.mark;
    if (is_newer(writer->generation, writer->epoch, write)) return STORE_STALE;
    if (shard->has_snapshot && is_newer(mark->generation, mark->epoch, write)) return STORE_STALE;
    if (has_gap(shard, write, store)) return STORE_GAP;
    if (write->mode == STORE_CHANGE && !is_whole(&shard->held, &shard->tables))
        return STORE_DAMAGED;
    if (write->mode == STORE_REWRITE && write->part > 0 &&
        !is_whole(&shard->new_held, &shard->new_tables))
        return STORE_DAMAGED;
    return STORE_WRITTEN;
}

static void apply_items(struct image_shard *shard, const struct store_write *write)
{
    bool rewrite = write->mode == STORE_REWRITE;
    struct image_tables *tables = rewrite ? &shard->new_tables : &shard->tables;
    for (size_t i = 0; i < write->item_count; i++) {
        const struct store_item *item = &write->items[i];
        struct store_table *table = table_of(tables, item->kind);
        switch (item->kind) {
        case STORE_JOB_PUT:
        case STORE_SEEN_PUT:
        case STORE_RUN_PUT: store_table_put(table, item); break;
        case STORE_JOB_DELETE:
        case STORE_SEEN_DELETE:
        case STORE_RUN_DELETE: store_table_delete(table, item->name, item->name_bytes); break;
        }
    }
}

static void swap_in_rewrite(struct image_shard *shard)
{
    clear_tables(&shard->tables);
    shard->tables = shard->new_tables;
    shard->held = shard->new_held;
    memset(&shard->new_tables, 0, sizeof shard->new_tables);
}

static bool differs(int64_t expected, int64_t found)
{
    return expected >= 0 && expected != found;
}

static enum store_outcome apply_write(struct image_shard *shard, const struct store_write *write,
                                      struct image_token group)
{
    bool rewrite = write->mode == STORE_REWRITE;
    struct store_counts *held = rewrite ? &shard->new_held : &shard->held;
    const struct snapshot *snapshot = write->snapshot;
    if (write->part == 0) clear_tables(&shard->new_tables);
    apply_items(shard, write);
    *held = count(rewrite ? &shard->new_tables : &shard->tables);
    struct image_writer before = shard->writer;
    shard->writer = (struct image_writer){
        .generation = write->generation,
        .epoch = write->epoch,
        .mode = write->mode,
        .group = group,
        .part = write->part + 1,
        .done = before.done,
    };
    if (snapshot != NULL &&
        (differs(snapshot->job_count, held->jobs) || differs(snapshot->seen_count, held->seen) ||
         differs(snapshot->run_count, held->runs)))
        return STORE_DAMAGED;
    if (snapshot == NULL) return STORE_WRITTEN;
    shard->writer.group = (struct image_token){0};
    shard->writer.part = 0;
    shard->writer.done = group;
    if (rewrite) swap_in_rewrite(shard);
    shard->snapshot = *snapshot;
    shard->snapshot.job_count = shard->held.jobs;
    shard->snapshot.mark.jobs = shard->held.jobs;
    shard->snapshot.seen_count = shard->held.seen;
    shard->has_snapshot = true;
    return STORE_WRITTEN;
}

static bool memory_write(struct store *store, const struct store_write *write,
                         enum store_outcome *outcome, struct error *error)
{
    assert(write->item_count <= STORE_CALL_JOBS_MAX);
    assert(write->part >= 0 && write->token > 0);
    assert(write->snapshot == NULL || (write->snapshot->mark.generation == write->generation &&
                                       write->snapshot->mark.epoch == write->epoch));
    struct store_memory *memory = own(store);
    if (fails(memory, STORE_FAILURE_BEFORE, error)) return false;
    pthread_mutex_lock(&memory->image->lock);
    struct image_shard *shard = image_shard(memory->image, write->shard);
    *outcome = judge(shard, write, memory->number);
    if (*outcome == STORE_WRITTEN)
        *outcome = apply_write(
            shard, write,
            (struct image_token){memory->number, write->generation, write->epoch, write->token});
    pthread_mutex_unlock(&memory->image->lock);
    return !fails(memory, STORE_FAILURE_AFTER, error);
}

static bool memory_look(struct store *store, int32_t shard, int64_t generation, int64_t epoch,
                        struct store_position *position, struct error *error)
{
    assert(position != NULL);
    struct store_memory *memory = own(store);
    if (fails(memory, STORE_FAILURE_BEFORE, error)) return false;
    pthread_mutex_lock(&memory->image->lock);
    const struct image_shard *place = image_shard(memory->image, shard);
    const struct image_writer *writer = &place->writer;
    const struct mark *mark = &place->snapshot.mark;
    *position = (struct store_position){
        .whole = !place->has_snapshot || is_whole(&place->held, &place->tables),
        .sequence = place->has_snapshot ? mark->sequence : -1,
        .of_epoch = place->has_snapshot && mark->generation == generation &&
                    mark->epoch == epoch,
        .token = token_number(&writer->group, memory->number, generation, epoch),
        .part = writer->part,
        .done = token_number(&writer->done, memory->number, generation, epoch),
    };
    pthread_mutex_unlock(&memory->image->lock);
    return !fails(memory, STORE_FAILURE_AFTER, error);
}

static void memory_destroy(struct store *store)
{
    if (store == NULL) return;
    free(store);
}

static const struct store_operations memory_operations = {
    .claim_meta = memory_claim_meta,
    .read_snapshot = memory_read_snapshot,
    .read_items = memory_read_items,
    .write = memory_write,
    .look = memory_look,
    .destroy = memory_destroy,
};

struct store *store_memory_create(struct store_image *image)
{
    assert(image != NULL);
    struct store_memory *memory = memory_allocate(1, sizeof *memory);
    memory->store.operations = &memory_operations;
    memory->image = image;
    pthread_mutex_lock(&image->lock);
    memory->number = ++image->store_count;
    pthread_mutex_unlock(&image->lock);
    return &memory->store;
}

void store_memory_fail(struct store *store, enum store_failure failure, int64_t calls)
{
    assert(store != NULL);
    assert(calls >= 0);
    own(store)->failure = failure;
    own(store)->failing_calls = failure == STORE_FAILURE_NONE ? 0 : calls;
}

bool store_memory_list_jobs(struct store *store, int32_t shards, const struct store_filter *filter,
                            store_item_visitor *visitor, void *opaque, struct error *error)
{
    assert(shards > 0 && shards <= SHARDS_MAX);
    assert(visitor != NULL);
    struct store_memory *memory = own(store);
    bool going = true;
    pthread_mutex_lock(&memory->image->lock);
    for (int32_t number = 0; number < shards && going; number++)
        going = visit_table(&image_shard(memory->image, number)->tables.jobs, STORE_JOB_PUT, filter,
                            visitor, opaque, error);
    pthread_mutex_unlock(&memory->image->lock);
    return going;
}
