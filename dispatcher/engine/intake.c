/* Commands: read, decoded, forwarded where they do not belong here, applied at their log time. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "lib/model/route.h"

/* What is read before it is applied: the larger, the fewer transactions while many commands come;
 * the smaller, the sooner the slots that come due meanwhile. */
enum { READ_AHEAD = 2048, READ_AHEAD_BYTES = 4 * 1024 * 1024 };

static const char origin_header[] = "belfry-origin"; /* <partition>/<offset> of the original */

/* ---- reading ---- */

bool engine_read(struct engine *engine, int32_t wait_ms, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    for (int i = 0; i < READ_AHEAD; i++) {
        struct broker_input input = {.kind = BROKER_NOTHING};
        if (!broker->operations->poll(broker, i == 0 ? wait_ms : 0, &input, error)) return false;
        if (input.kind == BROKER_NOTHING) return true;
        if (inputs_take(&engine->inputs, &input)) {
            bool enough = inputs_count(&engine->inputs) >= READ_AHEAD ||
                          inputs_bytes(&engine->inputs) >= READ_AHEAD_BYTES;
            if (enough && (inputs_next(&engine->inputs) != NULL ||
                           inputs_next_of(&engine->inputs, INPUT_RUNS) != NULL))
                return true;
            continue;
        }
        if (input.kind == BROKER_RECORD) broker->operations->release(broker, &input);
    }
    return true;
}

/* ---- what a record is ---- */

static size_t record_headers(const struct broker_input *input, struct record_header *headers)
{
    size_t count = 0;
    for (size_t i = 0; i < input->header_count; i++) {
        /* Only the forward topic, which clients cannot write, says where a record was born. */
        if (strcmp(input->headers[i].name, origin_header) == 0) continue;
        headers[count++] = (struct record_header){.name = text_of(input->headers[i].name),
                                                  .value = input->headers[i].value};
    }
    return count;
}

/* Where the original of a forwarded record stands; false: it does not say. */
static bool read_origin(const struct broker_input *input, struct source *source)
{
    for (size_t i = 0; i < input->header_count; i++) {
        if (strcmp(input->headers[i].name, origin_header) != 0) continue;
        char text[48];
        char rest = '\0';
        struct text value = input->headers[i].value;
        if (value.length >= sizeof text) return false;
        memcpy(text, value.bytes, value.length);
        text[value.length] = '\0';
        return sscanf(text, "%" SCNd32 "/%" SCNd64 "%c", &source->origin_partition,
                      &source->origin_offset, &rest) == 2 &&
               source->origin_partition >= 0 && source->origin_offset >= 0;
    }
    return false;
}

static struct source source_of(const struct engine *engine, const struct broker_input *input)
{
    return (struct source){
        .input = input_of_topic(input->topic),
        .partition = engine->options.shard,
        .offset = input->offset,
        .log_time_ms = input->log_time_ms,
        .origin_partition = engine->options.shard,
        .origin_offset = input->offset};
}

static void input_finished(struct engine *engine, const struct broker_input *input)
{
    struct input_place *place = &engine->places[input_of_topic(input->topic)];
    assert(input->offset >= place->offset);
    place->offset = input->offset + 1;
    engine_remember(input, &place->last);
    inputs_done(&engine->inputs, input);
    arena_reset(engine->arena);
}

/* ---- refusing and forwarding ---- */

/* Where the sender put it, also when it has been forwarded since. */
static struct source sent_to(const struct source *source)
{
    struct source sent = *source;
    sent.input = INPUT_CONTROL;
    sent.partition = source->origin_partition;
    sent.offset = source->origin_offset;
    return sent;
}

/* Copies the record to the dead letters; `source` is the place they name. */
static void bury(struct engine *engine, const struct broker_input *input,
                 const struct source *source, const struct error *error)
{
    struct record_header originals[BROKER_INPUT_HEADERS_MAX];
    outbox_bury(engine->outbox, source->input,
                (struct dead_letter){.partition = source->partition,
                                     .offset = source->offset,
                                     .key = input->key,
                                     .value = input->value,
                                     .error = error,
                                     .headers = originals,
                                     .header_count = record_headers(input, originals)});
    observe(engine->ports.observer, OBSERVED_COMMAND_REJECTED, engine->options.shard,
            &(struct observed){.offset = source->offset, .code = error_code_word(error->code),
                               .message = error->message});
}

static void forward(struct engine *engine, const struct broker_input *input,
                    const struct route *route)
{
    struct record_header headers[BROKER_INPUT_HEADERS_MAX + 1];
    size_t count = record_headers(input, headers);
    assert(count < BROKER_INPUT_HEADERS_MAX);
    char origin[48];
    (void)snprintf(origin, sizeof origin, "%" PRId32 "/%" PRId64, engine->options.shard,
                   input->offset);
    headers[count++] =
        (struct record_header){.name = text_of(origin_header), .value = text_of(origin)};
    bool first = true;
    for (int32_t shard = 0; shard < engine->options.shards; shard++) {
        if (route->shard[shard] == 0 || shard == engine->options.shard) continue;
        if (first)
            outbox_add(engine->outbox, TOPIC_FORWARD, shard, input->key, input->value, headers,
                       count);
        else
            outbox_add_copy(engine->outbox, shard);
        first = false;
    }
}

/* What its forwards have together. */
static size_t fan_out_bytes(const struct engine *engine, const struct broker_input *input,
                            const struct route *route)
{
    size_t bytes = input->key.length + input->value.length;
    size_t times = (size_t)route->count - (route->shard[engine->options.shard] != 0);
    for (size_t i = 0; i < input->header_count; i++)
        bytes += strlen(input->headers[i].name) + input->headers[i].value.length;
    return bytes * times;
}

static bool check_fan_out(const struct engine *engine, const struct broker_input *input,
                          const struct route *route, struct error *error)
{
    size_t bytes = fan_out_bytes(engine, input, route);
    if (bytes <= FORWARD_BYTES_MAX) return true;
    return error_invalid(error, CODE_TOO_LARGE, "the command has %zu bytes and concerns %" PRId32
                         " shards: %zu bytes together, at most %d are allowed; name groups, or "
                         "send fewer names at a time", input->value.length, route->count, bytes,
                         (int)FORWARD_BYTES_MAX);
}

/* ---- applying ---- */

/* Commits as often as the transaction is full while `step` says there is more. */
static bool advance_to(struct engine *engine, int64_t to_ms, int64_t now_ms, struct error *error)
{
    struct sink sink = outbox_sink(engine->outbox);
    while (!shard_advance(engine->shard, to_ms, now_ms, &sink))
        if (!engine_commit(engine, error)) return false;
    return true;
}

static bool topic_exists(void *opaque, struct text topic)
{
    struct engine *engine = opaque;
    return foreign_find(&engine->foreign, topic)->info.exists;
}

/* Time is brought to where a new command acts, and the transaction has room for it. */
static bool begin_command(struct engine *engine, const struct broker_input *input,
                          const struct source *source, const struct route *route,
                          int64_t effective_ms, int64_t now_ms, struct error *error)
{
    bool control = source->input == INPUT_CONTROL;
    if (!advance_to(engine, effective_ms, now_ms, error)) return false;
    struct sink sink = outbox_sink(engine->outbox);
    bool room = !outbox_is_full(engine->outbox) && !sink.uncertain(sink.opaque) &&
                (!engine->singly.active || outbox_is_empty(engine->outbox));
    if (control && !outbox_is_empty(engine->outbox))
        room = room && outbox_bytes(engine->outbox) + fan_out_bytes(engine, input, route) <
                           BATCH_BYTES_MAX;
    if (!room && !engine_commit(engine, error)) return false;
    outbox_command(engine->outbox, source->input, input->offset);
    if (control) forward(engine, input, route);
    return true;
}

static bool apply_command(struct engine *engine, const struct broker_input *input,
                          const struct source *source, const struct command *command,
                          const struct route *route, int64_t now_ms, struct error *error)
{
    struct sink sink = outbox_sink(engine->outbox);
    bool begun = shard_in_command(engine->shard)->active; /* before a restart */
    int64_t effective_ms = shard_effective_ms(engine->shard, source->log_time_ms, now_ms);
    if (now_ms < effective_ms) now_ms = effective_ms; /* our clock went back: nothing is later */
    if (begun) outbox_command(engine->outbox, source->input, input->offset);
    else if (!begin_command(engine, input, source, route, effective_ms, now_ms, error))
        return false;
    if (route->shard[engine->options.shard] == 0) return true; /* it all went elsewhere */
    struct error rejection = {0};
    struct application application = {.command = command,
                                      .source = source,
                                      .effective_ms = effective_ms,
                                      .now_ms = now_ms,
                                      .sequence = outbox_sequence(engine->outbox),
                                      .shards_applying = route->count,
                                      .topic_exists = topic_exists,
                                      .opaque = engine,
                                      .rejection = &rejection};
    while (!shard_apply(engine->shard, &application, &sink)) {
        if (!engine_commit(engine, error)) return false;
        outbox_command(engine->outbox, source->input, input->offset);
        application.sequence = outbox_sequence(engine->outbox);
    }
    if (rejection.kind != ERROR_NONE) {
        struct source sent = sent_to(source);
        bury(engine, input, &sent, &rejection);
    }
    return true;
}

static void reject(struct engine *engine, const struct broker_input *input,
                   const struct source *source, const struct command *command, int64_t now_ms,
                   const struct error *refusal)
{
    struct sink sink = outbox_sink(engine->outbox);
    struct error rejection = {0}; /* stays empty where the command was answered before */
    struct application application = {
        .command = command,
        .source = source,
        .effective_ms = shard_watermark(engine->shard).instant_ms,
        .now_ms = now_ms,
        .sequence = outbox_sequence(engine->outbox),
        .shards_applying = 1,
        .rejection = &rejection};
    outbox_command(engine->outbox, source->input, input->offset);
    shard_reject(engine->shard, &application, refusal, &sink);
    struct source sent = sent_to(source);
    if (rejection.kind != ERROR_NONE) bury(engine, input, &sent, refusal);
}

/* ---- one record ---- */

/* What is copied to dead letters and forwards as it is has a bound, as the value has. */
static bool check_envelope(const struct broker_input *input, const struct record_header *headers,
                           size_t count, struct error *error)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += headers[i].name.length + headers[i].value.length;
    if (input->truncated_headers || count >= BROKER_INPUT_HEADERS_MAX)
        return error_invalid(error, CODE_TOO_MANY,
                             "the record has more than %d headers; allowed are %d",
                             (int)BROKER_INPUT_HEADERS_MAX - 1, (int)HEADERS_MAX);
    if (input->key.length > RECORD_KEY_BYTES_MAX)
        return error_invalid(error, CODE_TOO_LARGE,
                             "the record's key has %zu bytes, at most %d are allowed",
                             input->key.length, (int)RECORD_KEY_BYTES_MAX);
    if (bytes > RECORD_HEADERS_BYTES_MAX)
        return error_invalid(error, CODE_TOO_LARGE,
                             "the record's headers have %zu bytes, at most %d are allowed",
                             bytes, (int)RECORD_HEADERS_BYTES_MAX);
    return true;
}

static bool is_unfit(const struct engine *engine, const struct broker_input *input)
{
    const struct unfit_command *unfit = &engine->unfit;
    return unfit->known && unfit->input == input_of_topic(input->topic) &&
           unfit->offset == input->offset;
}

/* Why this record is refused before it is looked into; false: it is not. */
static bool refused_unread(const struct engine *engine, const struct broker_input *input,
                           const struct record_header *headers, size_t count,
                           struct error *refusal)
{
    if (!is_unfit(engine, input)) return !check_envelope(input, headers, count, refusal);
    return !error_invalid(refusal, CODE_UNDELIVERABLE, "Kafka does not take what the command makes "
                          "Belfry write: %.160s", engine->unfit.why);
}

/* Decoded only so that the result can name the command. */
static void name_command(struct engine *engine, const struct broker_input *input,
                         const struct source *source, struct command *command)
{
    struct error ignored = {0};
    struct command_limits limits = engine->limits;
    if (limits.record_bytes_max < RECORD_BYTES_MAX) limits.record_bytes_max = RECORD_BYTES_MAX;
    if (!command_decode(input->value, NULL, 0, source, &limits, engine->arena, command, &ignored))
        error_clear(&ignored);
}

static bool apply_new(struct engine *engine, const struct broker_input *input,
                      struct source *source, int64_t now_ms, struct error *error)
{
    struct record_header headers[BROKER_INPUT_HEADERS_MAX];
    struct command command = {0};
    struct error refusal = {0};
    struct route route;
    bool forwarded = input->topic == TOPIC_FORWARD;
    size_t count = record_headers(input, headers);
    if (refused_unread(engine, input, headers, count, &refusal)) {
        name_command(engine, input, source, &command);
        reject(engine, input, source, &command, now_ms, &refusal);
        return true;
    }
    if (!command_decode(input->value, headers, count, source, &engine->limits, engine->arena,
                        &command, &refusal)) {
        reject(engine, input, source, &command, now_ms, &refusal);
        return true;
    }
    command_route(&command, source->origin_partition, engine->options.shards, &route);
    if (forwarded && route.shard[engine->options.shard] == 0) {
        error_invalid(&refusal, CODE_WRONG_SHARD, "a forwarded command that does not concern shard "
                      "%" PRId32, engine->options.shard);
        outbox_command(engine->outbox, source->input, input->offset);
        bury(engine, input, source, &refusal);
        return true;
    }
    if (!forwarded && (!command_check_route(&command, &route, &refusal) ||
                       !check_fan_out(engine, input, &route, &refusal))) {
        reject(engine, input, source, &command, now_ms, &refusal);
        return true;
    }
    return apply_command(engine, input, source, &command, &route, now_ms, error);
}

/* ---- a command that is half done ---- */

static void interrupt(struct engine *engine, const struct source *source,
                      const struct command *command, int64_t now_ms, const struct error *why)
{
    struct sink sink = outbox_sink(engine->outbox);
    struct application application = {.command = command,
                                      .source = source,
                                      .now_ms = now_ms,
                                      .sequence = outbox_sequence(engine->outbox),
                                      .shards_applying = 1};
    outbox_command(engine->outbox, source->input, source->offset);
    shard_interrupt(engine->shard, &application, why, &sink);
    observe(engine->ports.observer, OBSERVED_COMMAND_INTERRUPTED, engine->options.shard,
            &(struct observed){.offset = source->offset, .message = why->message});
}

/* It was let in before: today's limits do not hold for it. Where it cannot be gone on with, what
 * was done is all there is. */
static bool apply_begun(struct engine *engine, const struct broker_input *input,
                        struct source *source, int64_t now_ms, struct error *error)
{
    struct record_header headers[BROKER_INPUT_HEADERS_MAX];
    struct command command = {0};
    struct error why = {0};
    struct route route;
    size_t count = record_headers(input, headers);
    bool good = command_decode(input->value, headers, count, source, &engine->begun_limits,
                               engine->arena, &command, &why);
    if (good && is_unfit(engine, input))
        good = error_invalid(&why, CODE_UNDELIVERABLE, "Kafka does not take it: %.160s",
                             engine->unfit.why);
    if (good && !shard_can_continue(&command))
        good = error_invalid(&why, CODE_INTERNAL, "another command stands in its place");
    if (!good) {
        interrupt(engine, source, &command, now_ms, &why);
        return true;
    }
    command_route(&command, source->origin_partition, engine->options.shards, &route);
    return apply_command(engine, input, source, &command, &route, now_ms, error);
}

static bool apply_input(struct engine *engine, const struct broker_input *input, int64_t now_ms,
                        struct error *error)
{
    struct source source = source_of(engine, input);
    struct error refusal = {0};
    arena_reset(engine->arena); /* a restore, or a try that failed, may have left something */
    if (input->topic == TOPIC_FORWARD && !read_origin(input, &source)) {
        error_invalid(&refusal, CODE_WRONG_SHARD, "a forwarded record without a good %s header; "
                      "only daemons write to this topic", origin_header);
        outbox_command(engine->outbox, source.input, input->offset);
        bury(engine, input, &source, &refusal);
        return true;
    }
    const struct in_command *begun = shard_in_command(engine->shard);
    if (!begun->active) return apply_new(engine, input, &source, now_ms, error);
    if (input->offset < begun->offset)
        return error_set(error, ERROR_FATAL, "the mark has a command half done at offset %" PRId64
                         " and not read offset %" PRId64 " before it: it is no mark of this "
                         "topic; belfry recover --from redis|kafka decides", begun->offset,
                         input->offset);
    return apply_begun(engine, input, &source, now_ms, error);
}

/* The record of the command that is half done has gone from its log. */
static void interrupt_gone(struct engine *engine, int64_t now_ms)
{
    const struct in_command begun = *shard_in_command(engine->shard);
    struct source source = {.input = begun.input,
                            .partition = engine->options.shard,
                            .offset = begun.offset,
                            .origin_partition = engine->options.shard,
                            .origin_offset = begun.offset};
    char id[48];
    (void)snprintf(id, sizeof id, "%" PRId32 "/%" PRId64, source.partition, source.offset);
    struct command command = {.command_id = text_of(id)};
    struct error why = {0};
    error_invalid(&why, CODE_INTERNAL, "its record is not in the log any more");
    interrupt(engine, &source, &command, now_ms, &why);
    int64_t *next = &engine->places[begun.input].offset;
    if (*next <= begun.offset) *next = begun.offset + 1;
}

/* The next in log order; a command that was interrupted comes before all others. */
static const struct broker_input *next_input(const struct engine *engine)
{
    const struct in_command *begun = shard_in_command(engine->shard);
    if (!begun->active) return inputs_next(&engine->inputs);
    return inputs_next_of(&engine->inputs, begun->input);
}

/* The log has been read to behind the command that is half done, and it was not there. */
static bool begun_is_gone(const struct engine *engine)
{
    const struct in_command *begun = shard_in_command(engine->shard);
    const struct broker_input *next = next_input(engine);
    if (!begun->active) return false;
    if (next != NULL) return next->offset > begun->offset;
    return inputs_position(&engine->inputs, begun->input) > begun->offset;
}

bool engine_apply_inputs(struct engine *engine, int64_t now_ms, struct error *error)
{
    const struct broker_input *input = NULL;
    if (begun_is_gone(engine)) interrupt_gone(engine, now_ms);
    while ((input = next_input(engine)) != NULL) {
        if (outbox_is_full(engine->outbox) && !engine_commit(engine, error)) return false;
        /* One that came while a commit was settled is younger than this step. */
        int64_t later_ms = engine_steady_ms(engine);
        if (input->log_time_ms > now_ms && later_ms > now_ms) now_ms = later_ms;
        bool alone = engine->singly.active;
        if (alone && !outbox_is_empty(engine->outbox) && !engine_commit(engine, error))
            return false;
        if (!apply_input(engine, input, now_ms, error)) return false;
        outbox_command_ends(engine->outbox);
        input_finished(engine, input);
        if (alone && !engine_commit(engine, error)) return false;
    }
    return true;
}
