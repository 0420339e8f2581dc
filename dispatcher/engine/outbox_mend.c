/* outbox_mend.c - records that Kafka refuses: what goes to topics of others is taken out, what goes
 * to our own is replaced by a small record that says so. Nothing is dropped without a word. */
#include "dispatcher/engine/outbox_state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/memory.h"
#include "schemas/cut.h"

enum {
    SMALL_BYTES = 1024, /* of a record that is not worth cutting */
    CUT_KEY_BYTES = 128
};

void outbox_refuse(struct outbox *outbox, size_t i, const char *message)
{
    assert(i < outbox->count);
    outbox->refusals = memory_grow(outbox->refusals, &outbox->refusal_capacity,
                                   outbox->refusal_count + 1, sizeof *outbox->refusals);
    struct outbox_refusal *refusal = &outbox->refusals[outbox->refusal_count++];
    refusal->record = i;
    (void)snprintf(refusal->message, sizeof refusal->message, "%s", message);
}

size_t outbox_refusal_count(const struct outbox *outbox) { return outbox->refusal_count; }

const struct outbox_refusal *outbox_refusal_at(const struct outbox *outbox, size_t i)
{
    assert(i < outbox->refusal_count);
    return &outbox->refusals[i];
}

void outbox_forget_refusals(struct outbox *outbox) { outbox->refusal_count = 0; }

const struct outbox_command *outbox_command_of(const struct outbox *outbox, size_t i)
{
    for (size_t c = 0; c < outbox->command_count; c++)
        if (outbox->commands[c].first <= i && i < outbox->commands[c].end)
            return &outbox->commands[c];
    return NULL;
}

/* ---- topics of others ---- */

/* The event that the job has ended: it goes on. */
static void take_end_out(struct outbox *outbox, struct outbox_record *record)
{
    record->kind = OUTBOX_REMOVED;
    if (outbox->tally != NULL) outbox->tally->numbers.events[EVENT_EXHAUSTED]--;
}

static void take_fire_out(struct outbox *outbox, size_t i, const char *detail)
{
    struct outbox_record *record = &outbox->records[i];
    assert(record->failure >= 0 && (size_t)record->failure < outbox->failure_count);
    struct failed_fire failure = outbox->failures[record->failure];
    failure.reason = REASON_UNDELIVERABLE;
    (void)snprintf(failure.detail, sizeof failure.detail, "topic %s: %s", record->foreign_topic,
                   detail);
    outbox->refused = memory_grow(outbox->refused, &outbox->refused_capacity,
                                  outbox->refused_count + 1, sizeof *outbox->refused);
    outbox->refused[outbox->refused_count++] = failure;
    record->kind = OUTBOX_REMOVED;
    outbox->fires--;
    if (outbox->tally != NULL) tally_fire_back(outbox->tally, record->tallied, failure.kind);
    outbox->foreign_count--;
    for (size_t next = i + 1; next < outbox->count; next++) {
        struct outbox_record *behind = &outbox->records[next];
        if (behind->failure >= 0 && behind->failure != record->failure) break;
        if (behind->kind == OUTBOX_EXHAUSTED) take_end_out(outbox, behind);
    }
}

static enum outbox_outcome take_out(struct outbox *outbox, size_t i, const char *detail)
{
    struct outbox_record *record = &outbox->records[i];
    assert(record->topic == TOPIC_FOREIGN && record->kind != OUTBOX_REMOVED);
    struct foreign_topic *topic = foreign_find(outbox->foreign, text_of(record->foreign_topic));
    if (!topic->suspect || topic == outbox->probe) foreign_failed(outbox->foreign, topic);
    if (record->kind == OUTBOX_FOREIGN_FIRE) {
        take_fire_out(outbox, i, detail);
        return OUTBOX_TAKEN_OUT;
    }
    record->topic = TOPIC_RESULTS;
    record->partition = outbox->shard;
    record->foreign_topic = NULL;
    outbox->foreign_results--;
    return OUTBOX_MOVED;
}

size_t outbox_take_foreign_out(struct outbox *outbox, const char *detail, size_t *moved)
{
    size_t all = outbox->foreign_count + outbox->foreign_results;
    *moved = 0;
    if (all == 0) return 0;
    for (size_t i = 0; i < outbox->count; i++)
        if (outbox->records[i].topic == TOPIC_FOREIGN && outbox->records[i].kind != OUTBOX_REMOVED)
            *moved += take_out(outbox, i, detail) == OUTBOX_MOVED;
    assert(!outbox_goes_abroad(outbox));
    return all;
}

/* ---- our own ---- */

static struct text bytes_of(const struct outbox *outbox, struct stretch stretch)
{
    return (struct text){outbox->arena.bytes + stretch.at, stretch.length};
}

static size_t size_of(const struct outbox *outbox, const struct outbox_record *record)
{
    size_t size = record->key.length + record->value.length;
    for (int32_t i = 0; record->header_first >= 0 && i < record->header_count; i++) {
        const struct outbox_header *header = &outbox->headers[record->header_first + i];
        size += header->name.length + header->value.length;
    }
    return size;
}

static bool can_be_cut(const struct outbox_record *record)
{
    bool replaceable = record->topic == TOPIC_RESULTS || record->topic == TOPIC_EVENTS ||
                       record->topic == TOPIC_DEAD;
    return replaceable && !record->cut && record->kind != OUTBOX_REMOVED;
}

/* Of a dead letter the headers that say what it was stay; they are the first. */
static void cut_headers(struct outbox *outbox, struct outbox_record *record)
{
    int32_t own = 0;
    while (own < record->header_count) {
        struct text name = bytes_of(outbox, outbox->headers[record->header_first + own].name);
        if (name.length < 4 || memcmp(name.bytes, "dlq_", 4) != 0) break;
        own++;
    }
    record->header_count = own;
}

/* Puts a small record that says so in the place of record i. False: it has none, or is one. */
static bool cut(struct outbox *outbox, size_t i)
{
    struct outbox_record *record = &outbox->records[i];
    if (!can_be_cut(record)) return false;
    record->cut = true;
    if (record->key.length > CUT_KEY_BYTES) record->key.length = CUT_KEY_BYTES;
    if (record->topic == TOPIC_DEAD) {
        if (record->value.length > CUT_DEAD_BYTES) record->value.length = CUT_DEAD_BYTES;
        cut_headers(outbox, record);
        return true;
    }
    char bytes[CUT_JSON_BYTES];
    struct text_writer writer;
    text_writer_init_fixed(&writer, bytes, sizeof bytes);
    struct text value = bytes_of(outbox, record->value);
    if (record->topic == TOPIC_RESULTS) cut_result(value, &writer);
    else cut_event(value, &writer);
    assert(!writer.overflowed);
    size_t at = outbox->arena.length;
    text_writer_raw(&outbox->arena, text_writer_text(&writer));
    record->value = (struct stretch){(uint32_t)at, (uint32_t)writer.length};
    return true;
}

size_t outbox_cut_largest(struct outbox *outbox)
{
    size_t largest = 0;
    size_t count = 0;
    for (size_t i = 0; i < outbox->count; i++) {
        size_t size = can_be_cut(&outbox->records[i]) ? size_of(outbox, &outbox->records[i]) : 0;
        if (size > largest) largest = size;
    }
    if (largest <= SMALL_BYTES) return 0;
    for (size_t i = 0; i < outbox->count; i++)
        if (can_be_cut(&outbox->records[i]) &&
            size_of(outbox, &outbox->records[i]) * 2 >= largest)
            count += cut(outbox, i);
    return count;
}

enum outbox_outcome outbox_mend(struct outbox *outbox, const struct outbox_refusal *refusal)
{
    if (outbox->records[refusal->record].topic == TOPIC_FOREIGN)
        return take_out(outbox, refusal->record, refusal->message);
    return cut(outbox, refusal->record) ? OUTBOX_CUT : OUTBOX_UNFIT;
}
