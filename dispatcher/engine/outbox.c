#include "dispatcher/engine/outbox_state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "schemas/mark_json.h"
#include "schemas/seen_json.h"

/* ---- life ---- */

struct outbox *outbox_create(struct text cluster, int32_t shard, size_t outputs_max,
                             struct foreign *foreign, struct checkpointer *checkpointer)
{
    assert(outputs_max >= 1);
    struct outbox *outbox = memory_allocate(1, sizeof *outbox);
    *outbox = (struct outbox){.checkpointer = checkpointer,
                              .foreign = foreign,
                              .cluster = cluster,
                              .outputs_max = outputs_max,
                              .shard = shard};
    int length = snprintf(outbox->key_buffer, sizeof outbox->key_buffer, "%.*s.control",
                          (int)cluster.length, cluster.bytes);
    outbox->control_topic = (struct text){outbox->key_buffer, (size_t)length};
    fire_encoder_init(&outbox->encoder, cluster, shard);
    text_writer_init(&outbox->arena);
    return outbox;
}

void outbox_destroy(struct outbox *outbox)
{
    if (outbox == NULL) return;
    text_writer_free(&outbox->arena);
    free(outbox->records);
    free(outbox->headers);
    free(outbox->failures);
    free(outbox->refused);
    free(outbox->seen);
    free(outbox->refusals);
    free(outbox->commands);
    free(outbox);
}

void outbox_count_in(struct outbox *outbox, struct tally *tally, struct census *census)
{
    outbox->tally = tally;
    outbox->census = census;
    if (tally != NULL) tally_begin(tally);
}

void outbox_begin(struct outbox *outbox, int64_t sequence)
{
    text_writer_reset(&outbox->arena);
    outbox->count = 0;
    outbox->header_count = 0;
    outbox->failure_count = 0;
    outbox->refused_count = 0;
    outbox->seen_count = 0;
    outbox->refusal_count = 0;
    outbox->command_count = 0;
    outbox->foreign_count = 0;
    outbox->foreign_results = 0;
    outbox->repeated_bytes = 0;
    outbox->fires = 0;
    outbox->results = 0;
    if (outbox->tally != NULL) tally_begin(outbox->tally);
    outbox->sequence = sequence;
    outbox->probe = NULL;
    outbox->last_fire_refused = false;
    outbox->last_failure = -1;
}

void outbox_shrink(struct outbox *outbox)
{
    assert(outbox_says_nothing(outbox));
    text_writer_free(&outbox->arena);
    text_writer_init(&outbox->arena);
    free(outbox->records);
    outbox->records = NULL;
    outbox->capacity = 0;
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return outbox->count == 0 && outbox->seen_count == 0;
}

bool outbox_says_nothing(const struct outbox *outbox)
{
    return outbox_is_empty(outbox) && outbox->refused_count == 0;
}

size_t outbox_bytes(const struct outbox *outbox)
{
    return outbox->arena.length + outbox->repeated_bytes;
}

size_t outbox_kept_bytes(const struct outbox *outbox) { return outbox->arena.length; }

size_t outbox_count(const struct outbox *outbox) { return outbox->count; }

int64_t outbox_fires(const struct outbox *outbox) { return outbox->fires; }
int64_t outbox_results(const struct outbox *outbox) { return outbox->results; }

int64_t outbox_sequence(const struct outbox *outbox) { return outbox->sequence; }

bool outbox_goes_abroad(const struct outbox *outbox)
{
    return outbox->foreign_count > 0 || outbox->foreign_results > 0;
}

bool outbox_is_full(const struct outbox *outbox)
{
    bool probing = outbox->probe != NULL && outbox->count > 0;
    return probing || outbox->count >= outbox->outputs_max ||
           outbox_bytes(outbox) >= BATCH_BYTES_MAX;
}

/* ---- records ---- */

struct stretch outbox_stretch_from(const struct outbox *outbox, size_t at)
{
    assert(at <= outbox->arena.length && outbox->arena.length <= UINT32_MAX);
    return (struct stretch){(uint32_t)at, (uint32_t)(outbox->arena.length - at)};
}

struct stretch outbox_put_text(struct outbox *outbox, struct text text)
{
    size_t at = outbox->arena.length;
    text_writer_raw(&outbox->arena, text);
    return outbox_stretch_from(outbox, at);
}

struct outbox_record *outbox_add_record(struct outbox *outbox, enum broker_topic topic)
{
    outbox->records = memory_grow(outbox->records, &outbox->capacity, outbox->count + 1,
                                  sizeof *outbox->records);
    struct outbox_record *record = &outbox->records[outbox->count++];
    *record = (struct outbox_record){.topic = topic, .partition = outbox->shard, .failure = -1};
    return record;
}

void outbox_add_headers(struct outbox *outbox, struct outbox_record *record,
                        const struct record_header *headers, size_t count)
{
    record->header_first = (int32_t)outbox->header_count;
    record->header_count = (int32_t)count;
    outbox->headers = memory_grow(outbox->headers, &outbox->header_capacity,
                                  outbox->header_count + count, sizeof *outbox->headers);
    for (size_t i = 0; i < count; i++) {
        struct outbox_header *header = &outbox->headers[outbox->header_count++];
        header->name = outbox_put_text(outbox, headers[i].name);
        text_writer_char(&outbox->arena, '\0');
        header->value = outbox_put_text(outbox, headers[i].value);
    }
}

struct stretch outbox_put_seen_key(struct outbox *outbox, int64_t sequence)
{
    size_t at = outbox->arena.length;
    text_writer_words(&outbox->arena, "seen/");
    text_writer_integer(&outbox->arena, sequence);
    return outbox_stretch_from(outbox, at);
}

static void tally_record(const struct outbox *outbox, enum broker_topic topic)
{
    if (outbox->tally == NULL) return;
    outbox->tally->numbers.forwarded += topic == TOPIC_FORWARD;
    outbox->tally->numbers.dead += topic == TOPIC_DEAD;
}

void outbox_add(struct outbox *outbox, enum broker_topic topic, int32_t partition,
                struct text key, struct text value, const struct record_header *headers,
                size_t header_count)
{
    assert(topic != TOPIC_FOREIGN);
    struct outbox_record *record = outbox_add_record(outbox, topic);
    record->partition = partition;
    record->key = outbox_put_text(outbox, key);
    record->value = outbox_put_text(outbox, value);
    outbox_add_headers(outbox, record, headers, header_count);
    tally_record(outbox, topic);
}

void outbox_bury(struct outbox *outbox, enum input input, struct dead_letter letter)
{
    char topic[300];
    char bytes[DEAD_SCRATCH_BYTES];
    struct text_writer scratch;
    struct record_header headers[DEAD_HEADERS_MAX];
    struct dead_copy copy;
    static_assert((int)DEAD_HEADERS_MAX <= (int)BROKER_INPUT_HEADERS_MAX, "all fit in a record");
    (void)snprintf(topic, sizeof topic, "%.*s.%s", (int)outbox->cluster.length,
                   outbox->cluster.bytes, input_name(input));
    letter.topic = text_of(topic);
    text_writer_init_fixed(&scratch, bytes, sizeof bytes);
    size_t count = dead_letter_headers(&letter, &scratch, headers, &copy);
    outbox_add(outbox, TOPIC_DEAD, outbox->shard, copy.key, copy.value, headers, count);
}

void outbox_add_copy(struct outbox *outbox, int32_t partition)
{
    assert(outbox->count > 0);
    struct outbox_record last = outbox->records[outbox->count - 1];
    struct outbox_record *record = outbox_add_record(outbox, last.topic);
    *record = last;
    record->partition = partition;
    tally_record(outbox, last.topic);
    outbox->repeated_bytes += last.key.length + last.value.length;
    for (int32_t i = 0; last.header_first >= 0 && i < last.header_count; i++) {
        const struct outbox_header *header = &outbox->headers[last.header_first + i];
        outbox->repeated_bytes += header->name.length + header->value.length;
    }
}

void outbox_command(struct outbox *outbox, enum input input, int64_t offset)
{
    outbox->commands = memory_grow(outbox->commands, &outbox->command_capacity,
                                   outbox->command_count + 1, sizeof *outbox->commands);
    outbox->commands[outbox->command_count++] =
        (struct outbox_command){outbox->count, SIZE_MAX, input, offset};
}

void outbox_command_ends(struct outbox *outbox)
{
    assert(outbox->command_count > 0);
    outbox->commands[outbox->command_count - 1].end = outbox->count;
}

size_t outbox_command_count(const struct outbox *outbox) { return outbox->command_count; }

const struct outbox_command *outbox_command_at(const struct outbox *outbox, size_t i)
{
    assert(i < outbox->command_count);
    return &outbox->commands[i];
}

bool outbox_record(const struct outbox *outbox, size_t index, struct broker_record *record,
                   struct broker_header *headers)
{
    static const struct broker_header shared[] = {
        {"content-type", {"application/cloudevents+json", 28}},
        {"content-type", {"application/json", 16}},
    };
    const struct outbox_record *from = &outbox->records[index];
    if (from->kind == OUTBOX_REMOVED) return false;
    const char *bytes = outbox->arena.bytes;
    *record = (struct broker_record){.topic = from->topic,
                                     .foreign_topic = from->foreign_topic,
                                     .partition = from->partition,
                                     .key = {bytes + from->key.at, from->key.length}};
    if (from->value.length > 0)
        record->value = (struct text){bytes + from->value.at, from->value.length};
    if (from->header_first < 0) {
        record->headers = &shared[from->header_first == HEADERS_SHARED_FIRE ? 0 : 1];
        record->header_count = 1;
        return true;
    }
    assert(from->header_count <= BROKER_RECORD_HEADERS_MAX);
    for (int32_t i = 0; i < from->header_count; i++) {
        const struct outbox_header *header = &outbox->headers[from->header_first + i];
        headers[i].name = bytes + header->name.at;
        headers[i].value = (struct text){bytes + header->value.at, header->value.length};
    }
    record->headers = headers;
    record->header_count = (size_t)from->header_count;
    return true;
}

void outbox_finish(struct outbox *outbox)
{
    if (outbox->seen_count == 0) return;
    struct outbox_record *record = outbox_add_record(outbox, TOPIC_STATE);
    record->key = outbox_put_seen_key(outbox, outbox->sequence);
    size_t at = outbox->arena.length;
    seen_encode(&outbox->arena, outbox->seen, outbox->seen_count);
    record->value = outbox_stretch_from(outbox, at);
    struct text text = {outbox->arena.bytes + at, outbox->arena.length - at};
    checkpointer_seen(outbox->checkpointer, outbox->sequence, text);
    outbox->seen_count = 0;
}

/* ---- one try ---- */

void outbox_begin_try(struct outbox *outbox)
{
    assert(outbox->refusal_count == 0);
    (void)text_writer_reserve(&outbox->arena, MARK_BYTES_MAX);
}

struct broker_record outbox_mark(struct outbox *outbox, const struct mark *mark)
{
    assert(mark->sequence == outbox->sequence);
    const char *bytes = outbox->arena.bytes;
    size_t at = outbox->arena.length;
    mark_encode(&outbox->arena, mark);
    assert(outbox->arena.length - at <= MARK_BYTES_MAX && outbox->arena.bytes == bytes);
    return (struct broker_record){.topic = TOPIC_STATE,
                                  .partition = outbox->shard,
                                  .key = text_of("mark"),
                                  .value = {bytes + at, outbox->arena.length - at},
                                  .wants_receipt = true};
}

void outbox_went_out(struct outbox *outbox)
{
    if (outbox->probe != NULL && outbox_goes_abroad(outbox)) foreign_proved(outbox->probe);
}

bool outbox_next_refused(struct outbox *outbox, struct failed_fire *failed)
{
    if (outbox->refused_count == 0) return false;
    *failed = outbox->refused[--outbox->refused_count];
    return true;
}
