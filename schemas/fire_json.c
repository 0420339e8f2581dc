#include "schemas/fire_json.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/base64.h"

static const char structured_type[] = "application/cloudevents+json";
static const char fire_type[] = "belfry.fire.v1";
static const char trace_header[] = "traceparent";
static const char trace_member[] = ",\"traceparent\":\"\"";

/* Names, numbers, instants and member names of an event, without payload and given texts. */
enum { FIXED_BYTES = 720 + FIRE_PREFIX_BYTES_MAX };
#define KIND_WORD(name, word) {word, sizeof(word) - 1},
static const struct text kind_words[] = {FIRE_KINDS(KIND_WORD)};
#undef KIND_WORD
/* Of what a lease adds, without the name of the workers' group. */
enum { RUN_BYTES = 200 };

void fire_encoder_init(struct fire_encoder *encoder, struct text cluster, int32_t shard)
{
    assert(encoder != NULL);
    assert(cluster.length <= NAME_BYTES_MAX && shard >= 0);
    int length = snprintf(encoder->source, sizeof encoder->source, "/belfry/%.*s/%d",
                          (int)cluster.length, cluster.bytes, shard);
    assert(length > 0 && (size_t)length < sizeof encoder->source);
    length = snprintf(encoder->prefix, sizeof encoder->prefix,
                      "{\"specversion\":\"1.0\",\"type\":\"%s\",\"source\":\"%s\",\"id\":\"",
                      fire_type, encoder->source);
    assert(length > 0 && (size_t)length < sizeof encoder->prefix);
    encoder->prefix_length = (size_t)length;
    encoder->now = (struct instant_memo){.instant_ms = -1};
    encoder->nominal = (struct instant_memo){.instant_ms = -1};
}

static const char *remember(struct instant_memo *memo, int64_t instant_ms)
{
    if (memo->instant_ms != instant_ms) {
        instant_format(instant_ms, memo->text);
        memo->instant_ms = instant_ms;
    }
    return memo->text;
}

static struct text content_type_of(const struct fire_view *fire)
{
    if (fire->content_type.length > 0) return fire->content_type;
    return text_of(fire->payload_binary ? "application/octet-stream" : "application/json");
}

/* Lateness is never negative: a tolerated clock difference is not an early fire. */
static int64_t lateness_of(const struct fire_view *fire)
{
    return fire->now_ms > fire->due_ms ? fire->now_ms - fire->due_ms : 0;
}

static size_t run_bytes_bound(const struct fire_run *run)
{
    return run == NULL ? 0 : RUN_BYTES + 6 * (run->workers.length + run->cursor.length);
}

size_t fire_bytes_bound(const struct fire_view *fire)
{
    assert(fire != NULL);
    size_t payload =
        fire->payload_binary ? base64_encoded_length(fire->payload.length) : fire->payload.length;
    return FIXED_BYTES + 2 * (fire->group.length + fire->id.length) + payload +
           sizeof(trace_member) + fire->traceparent.length +
           6 * (fire->content_type.length + fire->trigger_id.length) + run_bytes_bound(fire->run);
}

/* The cursor of the encoder: room was reserved, so these only copy. */
static inline char *put(char *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

#define PUT_WORDS(at, words) put((at), (words), sizeof(words) - 1)

static inline char *put_text(char *at, struct text text)
{
    return text.length == 0 ? at : put(at, text.bytes, text.length);
}

static inline char *put_number(char *at, int64_t value)
{
    assert(value >= 0);
    return text_put_unsigned(at, (uint64_t)value);
}

/* Texts that the sender chose; room for six times their length was reserved. */
static char *put_escaped(char *at, struct text text)
{
    struct text_writer writer;
    text_writer_init_fixed(&writer, at, 6 * text.length);
    text_writer_escaped(&writer, text);
    assert(!writer.overflowed);
    return at + writer.length;
}

static char *put_incarnation(char *at, const struct incarnation *incarnation)
{
    at = put_number(at, incarnation->effective_ms);
    *at++ = '-';
    at = put_number(at, incarnation->shard);
    *at++ = '.';
    at = put_number(at, incarnation->offset);
    *at++ = '.';
    return put_number(at, incarnation->index);
}

static bool is_backfill(const struct fire_view *fire)
{
    return fire->kind == FIRE_BACKFILL && fire->trigger_id.length > 0;
}

/* What follows the incarnation in the id. */
static char *put_id_end(char *at, const struct fire_view *fire, bool escaped)
{
    *at++ = '@';
    if (fire->trigger_id.length == 0) return put_number(at, fire->nominal_ms);
    bool imported = is_backfill(fire) && fire->import != NULL;
    *at++ = imported ? 'i' : is_backfill(fire) ? 'b' : 't';
    *at++ = ':';
    if (imported) {
        at = put_incarnation(at, fire->import);
        *at++ = ':';
    }
    at = escaped ? put_escaped(at, fire->trigger_id) : put_text(at, fire->trigger_id);
    if (!is_backfill(fire)) return at;
    *at++ = ':';
    return put_number(at, fire->nominal_ms);
}

/* The number of a try is text: an integer of CloudEvents has 32 bits. */
static char *put_run(char *at, const struct fire_run *run)
{
    at = PUT_WORDS(at, ",\"leasems\":");
    at = put_number(at, run->lease_ms);
    if (run->expires_ms != FIRE_EXPIRES_NEVER) {
        at = PUT_WORDS(at, ",\"expirytime\":\"");
        instant_format(run->expires_ms, at); /* with a terminator, which the next byte replaces */
        at += INSTANT_TEXT_LENGTH;
        *at++ = '"';
    }
    at = PUT_WORDS(at, ",\"runnumber\":\"");
    at = put_number(at, run->run_number);
    at = PUT_WORDS(at, "\",\"try\":");
    at = put_number(at, run->try_number);
    at = PUT_WORDS(at, ",\"workers\":\"");
    at = put_escaped(at, run->workers);
    *at++ = '"';
    if (run->cursor.length == 0) return at;
    at = PUT_WORDS(at, ",\"cursor\":\"");
    at = put_escaped(at, run->cursor);
    *at++ = '"';
    return at;
}

static char *put_data(char *at, const struct fire_view *fire)
{
    if (fire->payload.length == 0) return at;
    if (fire->content_type.length == 0 && !fire->payload_binary) {
        at = PUT_WORDS(at, ",\"datacontenttype\":\"application/json\",\"data\":");
        return put(at, fire->payload.bytes, fire->payload.length);
    }
    at = PUT_WORDS(at, ",\"datacontenttype\":\"");
    at = put_escaped(at, content_type_of(fire));
    if (!fire->payload_binary) {
        at = PUT_WORDS(at, "\",\"data\":");
        return put(at, fire->payload.bytes, fire->payload.length);
    }
    at = PUT_WORDS(at, "\",\"data_base64\":\"");
    base64_encode(fire->payload, at);
    at += base64_encoded_length(fire->payload.length);
    *at++ = '"';
    return at;
}

size_t fire_encode(struct fire_encoder *encoder, const struct fire_view *fire,
                   struct text_writer *writer)
{
    assert(encoder != NULL && fire != NULL);
    assert(fire->group.length <= NAME_BYTES_MAX && fire->id.length <= NAME_BYTES_MAX);
    size_t bound = fire_bytes_bound(fire);
    char *start = text_writer_reserve(writer, bound);
    if (start == NULL) return 0;
    char *at = put(start, encoder->prefix, encoder->prefix_length);
    char *incarnation = at;
    at = put_incarnation(at, fire->incarnation);
    size_t incarnation_length = (size_t)(at - incarnation);
    at = put_id_end(at, fire, true);
    at = PUT_WORDS(at, "\",\"subject\":\"");
    at = put_text(at, fire->group);
    *at++ = '/';
    at = put_text(at, fire->id);
    at = PUT_WORDS(at, "\",\"time\":\"");
    at = put(at, remember(&encoder->now, fire->now_ms), INSTANT_TEXT_LENGTH);
    at = PUT_WORDS(at, "\",\"dueat\":\"");
    at = put(at, remember(&encoder->nominal, fire->nominal_ms), INSTANT_TEXT_LENGTH);
    at = PUT_WORDS(at, "\",\"jobgroup\":\"");
    at = put_text(at, fire->group);
    at = PUT_WORDS(at, "\",\"jobid\":\"");
    at = put_text(at, fire->id);
    at = PUT_WORDS(at, "\",\"jobincarnation\":\"");
    at = put(at, incarnation, incarnation_length);
    at = PUT_WORDS(at, "\",\"jobrevision\":");
    at = put_number(at, fire->revision);
    at = PUT_WORDS(at, ",\"firekind\":\"");
    at = put_text(at, kind_words[fire->kind]);
    at = PUT_WORDS(at, "\",\"latenessms\":");
    at = put_number(at, lateness_of(fire));
    at = PUT_WORDS(at, ",\"missedcount\":");
    at = put_number(at, fire->missed_count);
    at = PUT_WORDS(at, ",\"attempt\":");
    at = put_number(at, fire->attempt);
    if (fire->traceparent.length > 0) {
        at = put(at, trace_member, sizeof trace_member - 2);
        at = put_text(at, fire->traceparent);
        *at++ = '"';
    }
    if (fire->run != NULL) at = put_run(at, fire->run);
    at = put_data(at, fire);
    *at++ = '}';
    assert((size_t)(at - start) <= bound);
    writer->length += (size_t)(at - start);
    return (size_t)(at - start);
}

/* Ends a text in the scratch that began at `start`. */
static struct text scratch_end(struct text_writer *scratch, char *start, char *end)
{
    struct text text = {start, (size_t)(end - start)};
    scratch->length += text.length;
    assert(scratch->length <= scratch->capacity);
    return text;
}

static struct text scratch_number(struct text_writer *scratch, int64_t value)
{
    char *start = scratch->bytes + scratch->length;
    return scratch_end(scratch, start, put_number(start, value));
}

static struct text scratch_instant(struct text_writer *scratch, struct instant_memo *memo,
                                   int64_t instant_ms)
{
    char *start = scratch->bytes + scratch->length;
    return scratch_end(scratch, start, put(start, remember(memo, instant_ms), INSTANT_TEXT_LENGTH));
}

#define HEADER(header_name, header_value)                                                          \
    headers[count++] = (struct record_header)                                                      \
    {                                                                                              \
        text_of(header_name), (header_value)                                                       \
    }

static size_t run_headers(const struct fire_run *run, struct text_writer *scratch,
                          struct record_header *headers)
{
    size_t count = 0;
    HEADER("ce_leasems", scratch_number(scratch, run->lease_ms));
    if (run->expires_ms != FIRE_EXPIRES_NEVER) {
        char *start = scratch->bytes + scratch->length;
        instant_format(run->expires_ms, start);
        HEADER("ce_expirytime", scratch_end(scratch, start, start + INSTANT_TEXT_LENGTH));
    }
    HEADER("ce_runnumber", scratch_number(scratch, run->run_number));
    HEADER("ce_try", scratch_number(scratch, run->try_number));
    HEADER("ce_workers", run->workers);
    if (run->cursor.length > 0) HEADER("ce_cursor", run->cursor);
    return count;
}

static size_t binary_headers(struct fire_encoder *encoder, const struct fire_view *fire,
                             struct text_writer *scratch, struct record_header *headers)
{
    size_t count = 0;
    if (fire->payload.length > 0) HEADER("content-type", content_type_of(fire));
    char *start = scratch->bytes + scratch->length;
    struct text incarnation =
        scratch_end(scratch, start, put_incarnation(start, fire->incarnation));
    start = put(start + incarnation.length, incarnation.bytes, incarnation.length);
    char *id = start - incarnation.length;
    HEADER("ce_specversion", text_of("1.0"));
    HEADER("ce_type", text_of(fire_type));
    HEADER("ce_source", text_of(encoder->source));
    HEADER("ce_id", scratch_end(scratch, id, put_id_end(start, fire, false)));
    start = scratch->bytes + scratch->length;
    char *at = put_text(start, fire->group);
    *at++ = '/';
    HEADER("ce_subject", scratch_end(scratch, start, put_text(at, fire->id)));
    HEADER("ce_time", scratch_instant(scratch, &encoder->now, fire->now_ms));
    HEADER("ce_dueat", scratch_instant(scratch, &encoder->nominal, fire->nominal_ms));
    HEADER("ce_jobgroup", fire->group);
    HEADER("ce_jobid", fire->id);
    HEADER("ce_jobincarnation", incarnation);
    HEADER("ce_jobrevision", scratch_number(scratch, fire->revision));
    HEADER("ce_firekind", kind_words[fire->kind]);
    HEADER("ce_latenessms", scratch_number(scratch, lateness_of(fire)));
    HEADER("ce_missedcount", scratch_number(scratch, fire->missed_count));
    HEADER("ce_attempt", scratch_number(scratch, fire->attempt));
    if (fire->traceparent.length > 0) HEADER("ce_traceparent", fire->traceparent);
    if (fire->run != NULL) count += run_headers(fire->run, scratch, headers + count);
    return count;
}
#undef HEADER

/* Tools that follow traces through Kafka look for a header of this name. */
static bool wants_trace_header(const struct fire_view *fire)
{
    struct text rest = fire->headers;
    struct text name;
    struct text value;
    while (pairs_next(&rest, &name, &value))
        if (text_equal(name, text_of(trace_header))) return false; /* the job has its own */
    return fire->traceparent.length > 0;
}

size_t fire_headers(struct fire_encoder *encoder, const struct fire_view *fire,
                    enum fire_format format, struct text_writer *scratch,
                    struct record_header headers[FIRE_HEADERS_MAX])
{
    assert(encoder != NULL && fire != NULL && scratch->fixed);
    assert(scratch->capacity - scratch->length >= FIRE_HEADER_SCRATCH_BYTES);
    assert(fire->trigger_id.length <= COMMAND_ID_BYTES_MAX);
    size_t count = 1;
    if (format == FIRE_BINARY) count = binary_headers(encoder, fire, scratch, headers);
    else headers[0] = (struct record_header){text_of("content-type"), text_of(structured_type)};
    if (wants_trace_header(fire))
        headers[count++] = (struct record_header){text_of(trace_header), fire->traceparent};
    struct text rest = fire->headers;
    while (count < FIRE_HEADERS_MAX &&
           pairs_next(&rest, &headers[count].name, &headers[count].value))
        count++;
    return count;
}
