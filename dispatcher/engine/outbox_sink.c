/* outbox_sink.c - what a shard says becomes records. What cannot be put out is refused, and its
 * shard is told; what changes is noted for the checkpoint. */
#include "dispatcher/engine/outbox_state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "dispatcher/jobs/job.h"
#include "lib/base/memory.h"
#include "schemas/event_json.h"
#include "schemas/job_json.h"
#include "schemas/result_json.h"

enum {
    OWN_VALUE_BYTES_MAX = 2 * 1024 * 1024 - 64 * 1024, /* below our topics' max.message.bytes */
    RECORD_OVERHEAD_BYTES = 4096 /* key, headers and batch, on top of a value */
};

/* ---- fires ---- */

static struct failed_fire failure_of(const struct fire *fire, enum event_reason reason,
                                     const char *detail)
{
    struct failed_fire failure = {.slot = fire->job->slot,
                                  .incarnation = fire->job->life.incarnation,
                                  .kind = fire->kind,
                                  .nominal_ms = fire->nominal_ms,
                                  .due_ms = fire->due_ms,
                                  .missed_count = fire->missed_count,
                                  .attempt = fire->attempt,
                                  .reason = reason,
                                  .run_number = fire->run == NULL ? 0 : fire->run->run_number,
                                  .is_requeued = fire->is_requeued};
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
                               .incarnation = &job->life.incarnation,
                               .trigger_id = fire->trigger_id,
                               .run = fire->run,
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
    view->traceparent = fire->traceparent.length > 0 ? fire->traceparent : definition->traceparent;
    view->payload_binary = definition->payload_binary;
}

/* Nearly all fires: our topic, key = group, structured, no headers of the job's own. */
static void put_plain_fire(struct outbox *outbox, const struct fire *fire)
{
    struct fire_view view;
    view_fire(fire, NULL, &view);
    struct outbox_record *record = outbox_add_record(outbox, TOPIC_FIRES);
    record->key = outbox_put_text(outbox, view.group);
    size_t at = outbox->arena.length;
    (void)fire_encode(&outbox->encoder, &view, &outbox->arena);
    record->value = outbox_stretch_from(outbox, at);
    record->header_first = HEADERS_SHARED_FIRE;
}

static void put_fire(struct outbox *outbox, const struct fire *fire,
                     const struct definition *definition, struct foreign_topic *topic)
{
    struct fire_view view;
    view_fire(fire, definition, &view);
    struct outbox_record *record =
        outbox_add_record(outbox, topic == NULL ? TOPIC_FIRES : TOPIC_FOREIGN);
    struct text key = definition->key.length > 0 ? definition->key : view.group;
    record->key = outbox_put_text(outbox, key);
    size_t at = outbox->arena.length;
    if (definition->format == FIRE_BINARY) text_writer_raw(&outbox->arena, view.payload);
    else (void)fire_encode(&outbox->encoder, &view, &outbox->arena);
    record->value = outbox_stretch_from(outbox, at);
    char bytes[FIRE_HEADER_SCRATCH_BYTES];
    struct text_writer scratch;
    text_writer_init_fixed(&scratch, bytes, sizeof bytes);
    struct record_header headers[FIRE_HEADERS_MAX];
    static_assert((int)FIRE_HEADERS_MAX <= (int)BROKER_RECORD_HEADERS_MAX, "all fit in a record");
    size_t count = fire_headers(&outbox->encoder, &view, definition->format, &scratch, headers);
    outbox_add_headers(outbox, record, headers, count);
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
    outbox->last_life = fire->job->life.incarnation;
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
    bool plain = job_is_plain(fire->job) && fire->traceparent.length == 0;
    if (plain) put_plain_fire(outbox, fire);
    else put_unusual_fire(outbox, fire);
    if (outbox->count > before) {
        outbox->fires++;
        if (outbox->tally != NULL)
            outbox->records[before].tallied = tally_fire(outbox->tally, fire);
    }
    checkpointer_job_fired(outbox->checkpointer, fire->job);
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
    if (outbox->tally != NULL) tally_event(outbox->tally, event);
    struct outbox_record *record = outbox_add_record(outbox, TOPIC_EVENTS);
    record->key = outbox_put_text(outbox, event->group);
    size_t at = outbox->arena.length;
    event_encode(&outbox->arena, event, outbox->shard);
    record->value = outbox_stretch_from(outbox, at);
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
    if (outbox->probe != NULL || outbox_goes_abroad(outbox) ||
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
    struct outbox_record *record = outbox_add_record(outbox, own ? TOPIC_RESULTS : TOPIC_FOREIGN);
    record->key = outbox_put_text(outbox, key);
    size_t at = outbox->arena.length;
    result_encode(&outbox->arena, result, outbox->control_topic);
    outbox->results++;
    if (outbox->tally != NULL) tally_result(outbox->tally, result);
    record->value = outbox_stretch_from(outbox, at);
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
    return outbox_stretch_from(outbox, at);
}

static void sink_job_changed(void *opaque, const struct job *job)
{
    struct outbox *outbox = opaque;
    struct job_record view;
    job_view_record(job, &view);
    struct outbox_record *record = outbox_add_record(outbox, TOPIC_STATE);
    record->key = put_job_key(outbox, job);
    size_t at = outbox->arena.length;
    job_record_encode(&outbox->arena, &view);
    record->value = outbox_stretch_from(outbox, at);
    if (job->flags & JOB_FOREIGN) /* so that its first fire finds the topic warm */
        (void)foreign_find(outbox->foreign, view.definition.topic);
    if (outbox->census != NULL) census_job(outbox->census, job);
    checkpointer_job_changed(outbox->checkpointer, job);
}

static void sink_job_deleted(void *opaque, const struct job *job)
{
    struct outbox *outbox = opaque;
    struct outbox_record *record = outbox_add_record(outbox, TOPIC_STATE);
    record->key = put_job_key(outbox, job);
    if (outbox->tally != NULL) tally_job_gone(outbox->tally, job);
    if (outbox->census != NULL) census_job_gone(outbox->census, job);
    checkpointer_job_deleted(outbox->checkpointer, job);
}

static void sink_seen(void *opaque, const struct seen *seen)
{
    struct outbox *outbox = opaque;
    outbox->seen = memory_grow(outbox->seen, &outbox->seen_capacity, outbox->seen_count + 1,
                               sizeof *outbox->seen);
    outbox->seen[outbox->seen_count++] = *seen;
}

static void sink_seen_expired(void *opaque, int64_t sequence)
{
    struct outbox *outbox = opaque;
    struct outbox_record *record = outbox_add_record(outbox, TOPIC_STATE);
    record->key = outbox_put_seen_key(outbox, sequence);
    checkpointer_seen_expired(outbox->checkpointer, sequence);
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
    if (!outbox_says_nothing(outbox)) return RETRY_ALONE;
    outbox->probe = topic;
    foreign_probe_begins(outbox->foreign);
    return RETRY_NOW;
}

struct sink outbox_sink(struct outbox *outbox)
{
    struct sink sink = {.opaque = outbox,
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
    outbox_runs_sink(&sink);
    return sink;
}
