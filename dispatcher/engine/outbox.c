#include "dispatcher/engine/outbox.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatcher/shard/job.h"
#include "lib/base/memory.h"
#include "schemas/event_json.h"
#include "schemas/job_json.h"
#include "schemas/result_json.h"
#include "schemas/seen_json.h"

enum {
    OWN_VALUE_BYTES_MAX = 2 * 1024 * 1024 - 64 * 1024, /* below our topics' max.message.bytes */
    RECORD_OVERHEAD_BYTES = 4096 /* key, headers and batch, on top of a value */
};

/* ---- life ---- */

void outbox_init(struct outbox *outbox, struct text cluster, int32_t shard,
                 size_t outputs_max, struct foreign *foreign,
                 const struct outbox_listener *listener)
{
    assert(outputs_max >= 1);
    *outbox = (struct outbox){.listener = *listener,
                              .foreign = foreign,
                              .cluster = cluster,
                              .outputs_max = outputs_max,
                              .shard = shard};
    int length = snprintf(outbox->key_buffer, sizeof outbox->key_buffer, "%.*s.control",
                          (int)cluster.length, cluster.bytes);
    outbox->control_topic = (struct text){outbox->key_buffer, (size_t)length};
    fire_encoder_init(&outbox->encoder, cluster, shard);
    text_writer_init(&outbox->arena);
}

void outbox_clear(struct outbox *outbox)
{
    text_writer_free(&outbox->arena);
    free(outbox->records);
    free(outbox->headers);
    free(outbox->failures);
    free(outbox->refused);
    free(outbox->seen);
    free(outbox->refusals);
    free(outbox->commands);
    *outbox = (struct outbox){0};
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
    outbox->sequence = sequence;
    outbox->probe = NULL;
    outbox->last_fire_refused = false;
    outbox->last_failure = -1;
}

void outbox_shrink(struct outbox *outbox)
{
    assert(outbox_is_empty(outbox) && outbox->refused_count == 0);
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

size_t outbox_bytes(const struct outbox *outbox)
{
    return outbox->arena.length + outbox->repeated_bytes;
}

bool outbox_is_full(const struct outbox *outbox)
{
    bool probing = outbox->probe != NULL && outbox->count > 0;
    return probing || outbox->count >= outbox->outputs_max ||
           outbox_bytes(outbox) >= BATCH_BYTES_MAX;
}

/* ---- records ---- */

static struct stretch stretch_from(const struct outbox *outbox, size_t at)
{
    assert(at <= outbox->arena.length && outbox->arena.length <= UINT32_MAX);
    return (struct stretch){(uint32_t)at, (uint32_t)(outbox->arena.length - at)};
}

static struct stretch put_text(struct outbox *outbox, struct text text)
{
    size_t at = outbox->arena.length;
    text_writer_raw(&outbox->arena, text);
    return stretch_from(outbox, at);
}

static struct outbox_record *add_record(struct outbox *outbox, enum broker_topic topic)
{
    outbox->records = memory_grow(outbox->records, &outbox->capacity, outbox->count + 1,
                                  sizeof *outbox->records);
    struct outbox_record *record = &outbox->records[outbox->count++];
    *record = (struct outbox_record){.topic = topic, .partition = outbox->shard, .failure = -1};
    return record;
}

static void add_headers(struct outbox *outbox, struct outbox_record *record,
                        const struct record_header *headers, size_t count)
{
    record->header_first = (int32_t)outbox->header_count;
    record->header_count = (int32_t)count;
    outbox->headers = memory_grow(outbox->headers, &outbox->header_capacity,
                                  outbox->header_count + count, sizeof *outbox->headers);
    for (size_t i = 0; i < count; i++) {
        struct outbox_header *header = &outbox->headers[outbox->header_count++];
        header->name = put_text(outbox, headers[i].name);
        text_writer_char(&outbox->arena, '\0');
        header->value = put_text(outbox, headers[i].value);
    }
}

void outbox_add(struct outbox *outbox, enum broker_topic topic, int32_t partition,
                struct text key, struct text value, const struct record_header *headers,
                size_t header_count)
{
    assert(topic != TOPIC_FOREIGN);
    struct outbox_record *record = add_record(outbox, topic);
    record->partition = partition;
    record->key = put_text(outbox, key);
    record->value = put_text(outbox, value);
    add_headers(outbox, record, headers, header_count);
}

void outbox_add_copy(struct outbox *outbox, int32_t partition)
{
    assert(outbox->count > 0);
    struct outbox_record last = outbox->records[outbox->count - 1];
    struct outbox_record *record = add_record(outbox, last.topic);
    *record = last;
    record->partition = partition;
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
    assert(from->header_count <= BROKER_INPUT_HEADERS_MAX);
    for (int32_t i = 0; i < from->header_count; i++) {
        const struct outbox_header *header = &outbox->headers[from->header_first + i];
        headers[i].name = bytes + header->name.at;
        headers[i].value = (struct text){bytes + header->value.at, header->value.length};
    }
    record->headers = headers;
    record->header_count = (size_t)from->header_count;
    return true;
}

/* ---- fires ---- */

static struct failed_fire failure_of(const struct fire *fire, enum event_reason reason,
                                     const char *detail)
{
    struct failed_fire failure = {.slot = fire->job->slot,
                                  .incarnation = fire->job->incarnation,
                                  .kind = fire->kind,
                                  .nominal_ms = fire->nominal_ms,
                                  .due_ms = fire->due_ms,
                                  .missed_count = fire->missed_count,
                                  .attempt = fire->attempt,
                                  .reason = reason};
    (void)snprintf(failure.detail, sizeof failure.detail, "%s", detail);
    if (fire->kind == FIRE_BACKFILL)
        (void)snprintf(failure.backfill_id, sizeof failure.backfill_id, "%.*s",
                       (int)fire->trigger_id.length, fire->trigger_id.bytes);
    return failure;
}

static void refuse_fire(struct outbox *outbox, const struct fire *fire, enum event_reason reason,
                        const char *detail)
{
    outbox->refused = memory_grow(outbox->refused, &outbox->refused_capacity,
                                  outbox->refused_count + 1, sizeof *outbox->refused);
    outbox->refused[outbox->refused_count++] = failure_of(fire, reason, detail);
    outbox->last_fire_refused = true;
}

static void view_fire(const struct fire *fire, const struct definition *definition,
                      struct fire_view *view)
{
    const struct job *job = fire->job;
    *view = (struct fire_view){.group = job_group(job),
                               .id = job_id(job),
                               .payload = job_payload(job),
                               .incarnation = &job->incarnation,
                               .trigger_id = fire->trigger_id,
                               .revision = job->revision,
                               .nominal_ms = fire->nominal_ms,
                               .due_ms = fire->due_ms,
                               .now_ms = fire->now_ms,
                               .missed_count = fire->missed_count,
                               .attempt = fire->attempt,
                               .kind = fire->kind};
    if (fire->kind == FIRE_BACKFILL) view->import = job_import(job);
    if (definition == NULL) return;
    view->content_type = definition->content_type;
    view->headers = definition->headers;
    view->payload_binary = definition->payload_binary;
}

/* Nearly all fires: our topic, key = group, structured, no headers of the job's own. */
static void put_plain_fire(struct outbox *outbox, const struct fire *fire)
{
    struct fire_view view;
    view_fire(fire, NULL, &view);
    struct outbox_record *record = add_record(outbox, TOPIC_FIRES);
    record->key = put_text(outbox, view.group);
    size_t at = outbox->arena.length;
    (void)fire_encode(&outbox->encoder, &view, &outbox->arena);
    record->value = stretch_from(outbox, at);
    record->header_first = HEADERS_SHARED_FIRE;
}

static void put_fire(struct outbox *outbox, const struct fire *fire,
                     const struct definition *definition, struct foreign_topic *topic)
{
    struct fire_view view;
    view_fire(fire, definition, &view);
    struct outbox_record *record =
        add_record(outbox, topic == NULL ? TOPIC_FIRES : TOPIC_FOREIGN);
    record->key = put_text(outbox, definition->key.length > 0 ? definition->key : view.group);
    size_t at = outbox->arena.length;
    if (definition->format == FIRE_BINARY) text_writer_raw(&outbox->arena, view.payload);
    else (void)fire_encode(&outbox->encoder, &view, &outbox->arena);
    record->value = stretch_from(outbox, at);
    char bytes[FIRE_HEADER_SCRATCH_BYTES];
    struct text_writer scratch;
    text_writer_init_fixed(&scratch, bytes, sizeof bytes);
    struct record_header headers[FIRE_HEADERS_MAX];
    size_t count = fire_headers(&outbox->encoder, &view, definition->format, &scratch, headers);
    add_headers(outbox, record, headers, count);
    if (topic == NULL) return;
    record->kind = OUTBOX_FOREIGN_FIRE;
    record->partition = BROKER_PARTITION_BY_KEY;
    record->foreign_topic = topic->name;
    record->failure = (int32_t)outbox->failure_count;
    outbox->last_failure = record->failure;
    outbox->failures = memory_grow(outbox->failures, &outbox->failure_capacity,
                                   outbox->failure_count + 1, sizeof *outbox->failures);
    outbox->failures[outbox->failure_count++] = failure_of(fire, REASON_NONE, "");
    outbox->foreign_count++;
}

/* Of a payload. */
static int64_t bytes_allowed(const struct foreign_topic *topic)
{
    if (topic == NULL || topic->info.max_message_bytes <= 0) return OWN_VALUE_BYTES_MAX;
    return topic->info.max_message_bytes - RECORD_OVERHEAD_BYTES;
}

static void put_unusual_fire(struct outbox *outbox, const struct fire *fire)
{
    struct definition definition;
    job_view(fire->job, &definition);
    outbox->last_life = fire->job->incarnation;
    struct foreign_topic *topic =
        definition.topic.length == 0 ? NULL : foreign_find(outbox->foreign, definition.topic);
    char detail[ERROR_MESSAGE_BYTES];
    if (topic != NULL && !topic->info.exists) {
        (void)snprintf(detail, sizeof detail, "topic %.180s does not exist; create it, the fire "
                       "is retried", topic->name);
        refuse_fire(outbox, fire, REASON_TOPIC_MISSING, detail);
        return;
    }
    if (topic != NULL && topic->suspect && topic != outbox->probe) {
        (void)snprintf(detail, sizeof detail, "topic %.180s failed before; its fires are tried "
                       "apart from the others", topic->name);
        refuse_fire(outbox, fire, REASON_TOPIC_SUSPECT, detail);
        return;
    }
    int64_t allowed = bytes_allowed(topic);
    if (topic != NULL && (int64_t)definition.payload.length > allowed) {
        foreign_look_again(outbox->foreign, topic); /* it may have been raised */
        allowed = bytes_allowed(topic);
    }
    if ((int64_t)definition.payload.length > allowed) {
        (void)snprintf(detail, sizeof detail, "payload of %zu bytes: the topic takes at most "
                       "%" PRId64 "; raise its max.message.bytes or shrink the payload",
                       definition.payload.length, allowed);
        refuse_fire(outbox, fire, REASON_TOO_LARGE, detail);
        return;
    }
    put_fire(outbox, fire, &definition, topic);
}

static void sink_fire(void *opaque, const struct fire *fire)
{
    struct outbox *outbox = opaque;
    size_t before = outbox->count;
    outbox->last_fire_refused = false;
    outbox->last_failure = -1;
    if (job_is_plain(fire->job)) put_plain_fire(outbox, fire);
    else put_unusual_fire(outbox, fire);
    outbox->fires += (int64_t)(outbox->count - before);
    outbox->listener.job_fired(outbox->listener.opaque, fire->job);
}

/* ---- the rest of the sink ---- */

/* Whether the event is about the job whose fire was the last one. */
static bool was_fired_last(const struct outbox *outbox, const struct event *event)
{
    char text[INCARNATION_TEXT_BYTES];
    if (!outbox->last_fire_refused && outbox->last_failure < 0) return false;
    incarnation_format(&outbox->last_life, text);
    return text_equal(event->incarnation, text_of(text));
}

static void sink_event(void *opaque, const struct event *event)
{
    struct outbox *outbox = opaque;
    bool ended = event->kind == EVENT_EXHAUSTED && was_fired_last(outbox, event);
    if (ended && outbox->last_fire_refused) return; /* it is retried */
    bool undecided = ended && outbox->last_failure >= 0;
    struct outbox_record *record = add_record(outbox, TOPIC_EVENTS);
    record->key = put_text(outbox, event->group);
    size_t at = outbox->arena.length;
    event_encode(&outbox->arena, event, outbox->shard);
    record->value = stretch_from(outbox, at);
    record->header_first = HEADERS_SHARED_JSON;
    if (!undecided) return;
    record->kind = OUTBOX_EXHAUSTED;
    record->failure = outbox->last_failure;
}

static struct text result_key(const struct result *result, char *buffer, size_t bytes)
{
    if (result->group.length > 0) return result->group;
    if (result->command_id.length > 0) return result->command_id;
    int length = snprintf(buffer, bytes, "%" PRId32 "/%" PRId64, result->source.origin_partition,
                          result->source.origin_offset);
    return (struct text){buffer, (size_t)length};
}

/* Where nothing else goes to foreign topics yet, a result may try a suspect one again. */
static bool probe_with_result(struct outbox *outbox, struct foreign_topic *topic)
{
    if (outbox->probe != NULL || outbox->foreign_count > 0 || outbox->foreign_results > 0 ||
        !foreign_may_probe(outbox->foreign, topic))
        return false;
    outbox->probe = topic;
    foreign_probe_begins(outbox->foreign);
    return true;
}

static void sink_result(void *opaque, const struct result *result)
{
    struct outbox *outbox = opaque;
    char buffer[64];
    struct text key = result_key(result, buffer, sizeof buffer);
    struct foreign_topic *topic =
        result->reply_to.length == 0 ? NULL : foreign_find(outbox->foreign, result->reply_to);
    /* An answer must arrive somewhere: a reply topic that cannot take it gets none. */
    bool own = topic == NULL || !topic->info.exists ||
               (topic->suspect && !probe_with_result(outbox, topic));
    struct outbox_record *record = add_record(outbox, own ? TOPIC_RESULTS : TOPIC_FOREIGN);
    record->key = put_text(outbox, key);
    size_t at = outbox->arena.length;
    result_encode(&outbox->arena, result, outbox->control_topic);
    record->value = stretch_from(outbox, at);
    record->header_first = HEADERS_SHARED_JSON;
    if (own) return;
    record->partition = BROKER_PARTITION_BY_KEY;
    record->foreign_topic = topic->name;
    outbox->foreign_results++;
}

static struct stretch put_job_key(struct outbox *outbox, const struct job *job)
{
    size_t at = outbox->arena.length;
    text_writer_words(&outbox->arena, "job/");
    text_writer_raw(&outbox->arena, job_name(job));
    return stretch_from(outbox, at);
}

static void sink_job_changed(void *opaque, const struct job *job)
{
    struct outbox *outbox = opaque;
    struct job_record view;
    job_view_record(job, &view);
    struct outbox_record *record = add_record(outbox, TOPIC_STATE);
    record->key = put_job_key(outbox, job);
    size_t at = outbox->arena.length;
    job_record_encode(&outbox->arena, &view);
    record->value = stretch_from(outbox, at);
    if (job->flags & JOB_FOREIGN) /* so that its first fire finds the topic warm */
        (void)foreign_find(outbox->foreign, view.definition.topic);
    outbox->listener.job_changed(outbox->listener.opaque, job);
}

static void sink_job_deleted(void *opaque, const struct job *job)
{
    struct outbox *outbox = opaque;
    struct outbox_record *record = add_record(outbox, TOPIC_STATE);
    record->key = put_job_key(outbox, job);
    outbox->listener.job_deleted(outbox->listener.opaque, job);
}

static void sink_seen(void *opaque, const struct seen *seen)
{
    struct outbox *outbox = opaque;
    outbox->seen = memory_grow(outbox->seen, &outbox->seen_capacity, outbox->seen_count + 1,
                               sizeof *outbox->seen);
    outbox->seen[outbox->seen_count++] = *seen;
}

static struct stretch put_seen_key(struct outbox *outbox, int64_t sequence)
{
    size_t at = outbox->arena.length;
    text_writer_words(&outbox->arena, "seen/");
    text_writer_integer(&outbox->arena, sequence);
    return stretch_from(outbox, at);
}

static void sink_seen_expired(void *opaque, int64_t sequence)
{
    struct outbox *outbox = opaque;
    struct outbox_record *record = add_record(outbox, TOPIC_STATE);
    record->key = put_seen_key(outbox, sequence);
    outbox->listener.seen_expired(outbox->listener.opaque, sequence);
}

static bool sink_full(void *opaque)
{
    return outbox_is_full(opaque);
}

static bool sink_uncertain(void *opaque)
{
    const struct outbox *outbox = opaque;
    return outbox->foreign_count > 0 || outbox->refused_count > 0;
}

/* Of a suspect topic one fire is tried, alone; when that has gone through, the others follow. */
static enum retry_turn sink_retry(void *opaque, const struct job *job)
{
    struct outbox *outbox = opaque;
    if ((job->flags & JOB_FOREIGN) == 0) return RETRY_NOW;
    struct foreign_topic *topic = foreign_find(outbox->foreign, job_topic(job));
    if (!topic->info.exists) return RETRY_LATER;
    if (!topic->suspect) return RETRY_NOW;
    if (!foreign_may_probe(outbox->foreign, topic)) return RETRY_LATER;
    if (!outbox_is_empty(outbox) || outbox->refused_count > 0) return RETRY_ALONE;
    outbox->probe = topic;
    foreign_probe_begins(outbox->foreign);
    return RETRY_NOW;
}

struct sink outbox_sink(struct outbox *outbox)
{
    return (struct sink){.opaque = outbox,
                         .fire = sink_fire,
                         .event = sink_event,
                         .result = sink_result,
                         .job_changed = sink_job_changed,
                         .job_deleted = sink_job_deleted,
                         .seen = sink_seen,
                         .seen_expired = sink_seen_expired,
                         .full = sink_full,
                         .uncertain = sink_uncertain,
                         .retry = sink_retry};
}

void outbox_finish(struct outbox *outbox)
{
    if (outbox->seen_count == 0) return;
    struct outbox_record *record = add_record(outbox, TOPIC_STATE);
    record->key = put_seen_key(outbox, outbox->sequence);
    size_t at = outbox->arena.length;
    seen_encode(&outbox->arena, outbox->seen, outbox->seen_count);
    record->value = stretch_from(outbox, at);
    struct text text = {outbox->arena.bytes + at, outbox->arena.length - at};
    outbox->listener.seen(outbox->listener.opaque, outbox->sequence, text);
    outbox->seen_count = 0;
}
