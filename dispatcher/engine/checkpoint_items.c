#include "dispatcher/engine/checkpoint_items.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "schemas/job_json.h"
#include "schemas/run_json.h"
#include "schemas/seen_json.h"

enum { SEEN_GROUP_MAX = BATCH_OUTPUTS_MAX + COMMAND_JOBS_MAX /* command ids of one transaction */ };

void checkpoint_add_job(struct store_group *group, struct text_writer *writer,
                        const struct job *job)
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

void checkpoint_flag_runs(struct slot_bits *dirty, const struct shard *shard)
{
    const struct runs *runs = shard_runs(shard);
    for (uint32_t k = 0; runs != NULL && k < runs_top(runs); k++)
        if (runs_is_open(runs, k)) slot_bits_set(dirty, k);
}

static void add_run(struct store_group *group, struct text_writer *writer,
                    const struct shard *shard, uint32_t k)
{
    char name[24];
    struct run_view view;
    struct store_item item = {.kind = STORE_RUN_DELETE, .name = name};
    item.name_bytes = (size_t)(text_put_unsigned(name, k) - name);
    if (shard_look_run(shard, k, &view)) {
        text_writer_reset(writer);
        run_record_encode(writer, &view.record);
        item.kind = STORE_RUN_PUT;
        item.text = writer->bytes;
        item.text_bytes = writer->length;
    }
    store_group_add(group, &item);
}

bool checkpoint_add_runs(struct store_group *group, struct text_writer *writer,
                         const struct shard *shard, struct checkpoint_flags *flags,
                         size_t items_max, uint32_t *from)
{
    uint32_t k = 0;
    while (slot_bits_next(&flags->dirty, *from, &k)) {
        if (store_group_item_count(group) >= items_max ||
            store_group_bytes(group) >= CHECKPOINT_RUN_BYTES_MAX)
            return false;
        (void)slot_bits_take(&flags->dirty, k);
        slot_bits_set(&flags->in_flight, k);
        *from = k + 1;
        add_run(group, writer, shard, k);
    }
    return true;
}

static void add_record(struct store_group *group, struct text_writer *writer, int64_t sequence,
                       const struct seen *ids, size_t count)
{
    char name[24];
    size_t length = (size_t)(text_put_unsigned(name, (uint64_t)sequence) - name);
    text_writer_reset(writer);
    seen_encode(writer, ids, count);
    store_group_add(group, &(struct store_item){.kind = STORE_SEEN_PUT,
                                                .name = name,
                                                .name_bytes = length,
                                                .text = writer->bytes,
                                                .text_bytes = writer->length});
}

bool checkpoint_add_seen(struct store_group *group, struct text_writer *writer,
                         const struct shard *shard, size_t items_max, int64_t *from)
{
    struct seen *ids = NULL;
    size_t capacity = 0;
    uint32_t cursor = shard_seen_from(shard, *from);
    int64_t sequence = 0;
    struct seen next;
    bool more = shard_next_seen(shard, &cursor, &sequence, &next);
    while (more && store_group_item_count(group) < items_max &&
           store_group_bytes(group) < CHECKPOINT_SEEN_BYTES_MAX) {
        size_t count = 0;
        int64_t of = sequence;
        while (more && sequence == of && count < SEEN_GROUP_MAX) {
            ids = memory_grow(ids, &capacity, count + 1, sizeof *ids);
            ids[count++] = next;
            more = shard_next_seen(shard, &cursor, &sequence, &next);
        }
        while (more && sequence == of) more = shard_next_seen(shard, &cursor, &sequence, &next);
        add_record(group, writer, of, ids, count);
        *from = of + 1;
    }
    free(ids);
    return !more;
}
