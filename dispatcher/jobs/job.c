#include "dispatcher/jobs/job.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/memory.h"

/* A definition in one allocation: this header, the name "group/id", super group, payload, then
 * the options that differ from their default: the numbers in the order of number_options, the
 * texts (length and bytes) in the order of text_options, then, of a job whose runs are followed or
 * counted, a word of bits and what they name of run_options. The schedule is interned elsewhere. */
struct packed_definition {
    uint32_t bytes; /* of the whole allocation */
    uint32_t payload_length;
    uint32_t options; /* bit i: number_options[i]; TEXT_SHIFT + i: text_options[i]; OPTION_RUNS */
    uint8_t group_length;
    uint8_t id_length;
    uint8_t super_group_length;
    uint8_t traits; /* enum packed_trait */
    char data[];
};

enum packed_trait {
    PACKED_POLICY_MASK = 3, /* enum catchup_policy */
    PACKED_BINARY_FORMAT = 1 << 2,
    PACKED_BINARY_PAYLOAD = 1 << 3
};

static const struct {
    size_t offset; /* of an int64_t in struct definition */
    int64_t fallback;
} number_options[] = {
    {offsetof(struct definition, start_ms), START_NONE},
    {offsetof(struct definition, end_ms), END_NONE},
    {offsetof(struct definition, max_fires), 0},
    {offsetof(struct definition, keep_finished_ms), KEEP_FINISHED_DEFAULT_MS},
    {offsetof(struct definition, catchup.window_ms), CATCHUP_WINDOW_DEFAULT_MS},
    {offsetof(struct definition, catchup.limit), CATCHUP_LIMIT_DEFAULT},
    {offsetof(struct definition, catchup.grace_ms), MISFIRE_GRACE_DEFAULT_MS},
};

static const size_t text_options[] = {
    offsetof(struct definition, content_type), offsetof(struct definition, key),
    offsetof(struct definition, topic),        offsetof(struct definition, headers),
    offsetof(struct definition, labels),       offsetof(struct definition, traceparent),
    offsetof(struct definition, runs.workers),
};

#define RUN_OPTION(member)                                                                         \
    {offsetof(struct run_terms, member), sizeof((struct run_terms *)NULL)->member}
static const struct {
    size_t offset; /* in struct run_terms */
    size_t bytes;
} run_options[] = {
    RUN_OPTION(lease_ms),
    RUN_OPTION(mode),
    RUN_OPTION(overlap),
    RUN_OPTION(start_within_ms),
    RUN_OPTION(overlap_limit),
    RUN_OPTION(pause_after_failures),
    RUN_OPTION(retry.attempts),
    RUN_OPTION(retry.factor_hundredths),
    RUN_OPTION(retry.initial_ms),
    RUN_OPTION(retry.max_ms),
    RUN_OPTION(retry.within_ms),
    RUN_OPTION(retry.on),
    RUN_OPTION(retry.poison_after),
    RUN_OPTION(retry.not_on_exit_count),
    RUN_OPTION(retry.not_on_exit),
};
enum {
    NUMBER_OPTIONS = sizeof number_options / sizeof number_options[0],
    TEXT_OPTIONS = sizeof text_options / sizeof text_options[0],
    RUN_OPTIONS = sizeof run_options / sizeof run_options[0],
    TEXT_SHIFT = 16,
    OPTION_RUNS = 1 << (TEXT_SHIFT - 1),
    OPTION_TOPIC = 2, /* in text_options */
    OPTION_LABELS = 4
};
static_assert(NUMBER_OPTIONS < TEXT_SHIFT && TEXT_OPTIONS <= 16, "one bit for each option");
static_assert(RUN_OPTIONS <= 32, "one bit for each");

static int64_t number_option(const struct definition *definition, size_t index)
{
    return *(const int64_t *)(const void *)((const char *)definition +
                                            number_options[index].offset);
}

static const struct text *text_option(const struct definition *definition, size_t index)
{
    return (const struct text *)(const void *)((const char *)definition + text_options[index]);
}

/* Which of the options differ from their defaults, and how many bytes those take. */
static uint32_t run_options_of(const struct run_terms *terms, size_t *bytes)
{
    struct run_terms usual;
    uint32_t options = 0;
    run_terms_defaults(&usual);
    *bytes = sizeof options;
    for (size_t i = 0; i < RUN_OPTIONS; i++) {
        size_t at = run_options[i].offset;
        if (memcmp((const char *)terms + at, (const char *)&usual + at, run_options[i].bytes) == 0)
            continue;
        options |= 1U << i;
        *bytes += run_options[i].bytes;
    }
    return options;
}

static size_t packed_bytes(const struct definition *definition, uint32_t *options)
{
    size_t bytes = sizeof(struct packed_definition) + definition->group.length + 1 +
                   definition->id.length + definition->super_group.length +
                   definition->payload.length;
    *options = 0;
    for (size_t i = 0; i < NUMBER_OPTIONS; i++) {
        if (number_option(definition, i) == number_options[i].fallback) continue;
        *options |= 1U << i;
        bytes += sizeof(int64_t);
    }
    for (size_t i = 0; i < TEXT_OPTIONS; i++) {
        if (text_option(definition, i)->length == 0) continue;
        *options |= 1U << (TEXT_SHIFT + i);
        bytes += sizeof(uint32_t) + text_option(definition, i)->length;
    }
    if (run_terms_are_usual(&definition->runs)) return bytes;
    size_t run_bytes = 0;
    (void)run_options_of(&definition->runs, &run_bytes);
    *options |= OPTION_RUNS;
    return bytes + run_bytes;
}

static char *put(char *at, const void *bytes, size_t length)
{
    if (length > 0) memcpy(at, bytes, length);
    return at + length;
}

static char *put_run_options(char *at, const struct run_terms *terms)
{
    size_t bytes = 0;
    uint32_t options = run_options_of(terms, &bytes);
    at = put(at, &options, sizeof options);
    for (size_t i = 0; i < RUN_OPTIONS; i++)
        if (options & (1U << i))
            at = put(at, (const char *)terms + run_options[i].offset, run_options[i].bytes);
    return at;
}

static const char *take_run_options(const char *at, struct run_terms *terms)
{
    uint32_t options = 0;
    memcpy(&options, at, sizeof options);
    at += sizeof options;
    for (size_t i = 0; i < RUN_OPTIONS; i++) {
        if ((options & (1U << i)) == 0) continue;
        memcpy((char *)terms + run_options[i].offset, at, run_options[i].bytes);
        at += run_options[i].bytes;
    }
    return at;
}

static char *put_options(char *at, const struct definition *definition, uint32_t options)
{
    for (size_t i = 0; i < NUMBER_OPTIONS; i++) {
        int64_t number = number_option(definition, i);
        if (options & (1U << i)) at = put(at, &number, sizeof number);
    }
    for (size_t i = 0; i < TEXT_OPTIONS; i++) {
        const struct text *text = text_option(definition, i);
        uint32_t length = (uint32_t)text->length;
        if ((options & (1U << (TEXT_SHIFT + i))) == 0) continue;
        at = put(at, &length, sizeof length);
        at = put(at, text->bytes, length);
    }
    return (options & OPTION_RUNS) == 0 ? at : put_run_options(at, &definition->runs);
}

static struct packed_definition *pack(const struct definition *definition)
{
    assert(definition->group.length > 0 && definition->group.length <= NAME_BYTES_MAX);
    assert(definition->id.length > 0 && definition->id.length <= NAME_BYTES_MAX);
    assert(definition->super_group.length <= NAME_BYTES_MAX);
    uint32_t options = 0;
    size_t bytes = packed_bytes(definition, &options);
    struct packed_definition *packed = memory_allocate(1, bytes);
    packed->bytes = (uint32_t)bytes;
    packed->payload_length = (uint32_t)definition->payload.length;
    packed->options = options;
    packed->group_length = (uint8_t)definition->group.length;
    packed->id_length = (uint8_t)definition->id.length;
    packed->super_group_length = (uint8_t)definition->super_group.length;
    packed->traits = (uint8_t)((unsigned)definition->catchup.policy |
                               (definition->format == FIRE_BINARY ? PACKED_BINARY_FORMAT : 0U) |
                               (definition->payload_binary ? PACKED_BINARY_PAYLOAD : 0U));
    char *at = put(packed->data, definition->group.bytes, definition->group.length);
    *at++ = '/';
    at = put(at, definition->id.bytes, definition->id.length);
    at = put(at, definition->super_group.bytes, definition->super_group.length);
    at = put(at, definition->payload.bytes, definition->payload.length);
    at = put_options(at, definition, options);
    assert(at == (char *)packed + bytes);
    return packed;
}

static const char *options_start(const struct packed_definition *packed)
{
    return packed->data + packed->group_length + 1 + packed->id_length +
           packed->super_group_length + packed->payload_length;
}

struct text job_group(const struct job *job)
{
    return (struct text){job->packed->data, job->packed->group_length};
}

struct text job_id(const struct job *job)
{
    return (struct text){job->packed->data + job->packed->group_length + 1,
                         job->packed->id_length};
}

struct text job_name(const struct job *job)
{
    return (struct text){job->packed->data,
                         (size_t)job->packed->group_length + 1 + job->packed->id_length};
}

struct text job_super_group(const struct job *job)
{
    struct text name = job_name(job);
    return (struct text){name.bytes + name.length, job->packed->super_group_length};
}

struct text job_payload(const struct job *job)
{
    struct text super_group = job_super_group(job);
    return (struct text){super_group.bytes + super_group.length, job->packed->payload_length};
}

bool job_is_plain(const struct job *job)
{
    const uint32_t labels = 1U << (TEXT_SHIFT + OPTION_LABELS);
    return (job->packed->options >> TEXT_SHIFT << TEXT_SHIFT & ~labels) == 0 &&
           (job->packed->traits & (PACKED_BINARY_FORMAT | PACKED_BINARY_PAYLOAD)) == 0;
}

bool job_has_options(const struct job *job)
{
    return (job->packed->options & ((1U << NUMBER_OPTIONS) - 1)) != 0;
}

struct text job_topic(const struct job *job)
{
    if ((job->packed->options & (1U << (TEXT_SHIFT + OPTION_TOPIC))) == 0) return text_of(NULL);
    struct definition definition;
    job_view(job, &definition);
    return definition.topic;
}

static void view_options(const struct packed_definition *packed, struct definition *definition)
{
    const char *at = options_start(packed);
    for (size_t i = 0; i < NUMBER_OPTIONS; i++) {
        if ((packed->options & (1U << i)) == 0) continue;
        memcpy((char *)definition + number_options[i].offset, at, sizeof(int64_t));
        at += sizeof(int64_t);
    }
    for (size_t i = 0; i < TEXT_OPTIONS; i++) {
        uint32_t length = 0;
        if ((packed->options & (1U << (TEXT_SHIFT + i))) == 0) continue;
        memcpy(&length, at, sizeof length);
        struct text text = {at + sizeof length, length};
        memcpy((char *)definition + text_options[i], &text, sizeof text);
        at += sizeof length + length;
    }
    if (packed->options & OPTION_RUNS) at = take_run_options(at, &definition->runs);
    assert(at == (const char *)packed + packed->bytes);
}

void job_view(const struct job *job, struct definition *definition)
{
    const struct packed_definition *packed = job->packed;
    definition_defaults(definition);
    definition->group = job_group(job);
    definition->id = job_id(job);
    definition->super_group = job_super_group(job);
    definition->payload = job_payload(job);
    definition->payload_binary = (packed->traits & PACKED_BINARY_PAYLOAD) != 0;
    definition->format = (packed->traits & PACKED_BINARY_FORMAT) ? FIRE_BINARY : FIRE_STRUCTURED;
    definition->catchup.policy = (enum catchup_policy)(packed->traits & PACKED_POLICY_MASK);
    definition->paused = (job->flags & JOB_PAUSED) != 0;
    struct schedule_words words = schedule_words_of(job->schedule);
    definition->schedule = job->schedule->spec;
    definition->jitter_ms = job->schedule->spec.jitter.most_ms;
    definition->cron_text = words.cron;
    definition->zone = words.zone;
    definition->dialect = words.dialect;
    definition->dst = words.dst;
    definition->hashed = words.hashed;
    definition->given = words.anchor_given ? GIVEN_ANCHOR : 0;
    if (packed->options != 0) view_options(packed, definition);
}

static void view_owed(const struct job_extra *extra, struct job_record *record)
{
    const struct ledger *ledger = &extra->ledger;
    record->owed_count = ledger_count(ledger);
    for (uint32_t i = 0; i < ledger_count(ledger); i++)
        debt_view(ledger_debt(ledger, i), &record->owed[i]);
    record->tail_from_ms = ledger_tail_from_ms(ledger);
    record->tail_undecided = ledger_is_undecided(ledger);
    record->tail_keeps = ledger_tail_keeps(ledger);
    record->pending_count = ledger_waiting(ledger);
    for (size_t i = 0; i < ledger_waiting(ledger); i++)
        record->pending[i] = ledger_waiting_slot(ledger, i);
}

static void view_backfills(const struct job_extra *extra, struct job_record *record)
{
    assert(extra->backfill_count <= BACKFILLS_MAX);
    record->backfill_count = extra->backfill_count;
    for (uint32_t i = 0; i < extra->backfill_count; i++) {
        const struct job_backfill *backfill = &extra->backfills[i];
        struct backfill_record *view = &record->backfills[i];
        view->id = text_of(backfill->id);
        view->rate = backfill->rate;
        view->fired = backfill->fired;
        debt_view(&backfill->debt, &view->range);
    }
}

static void view_past(const struct job *job, struct job_record *record)
{
    if (job->past == NULL) return;
    record->import = job->past->import;
    record->backfills_had = job->past->backfills;
    record->backfills_had_count = job->past->backfill_count;
}

void job_view_record(const struct job *job, struct job_record *record)
{
    job_record_defaults(record);
    job_view(job, &record->definition);
    record->life = job->life;
    record->revision = job->revision;
    view_past(job, record);
    const struct job_extra *extra = job->extra;
    if (extra == NULL) return;
    memcpy(&record->state, &extra->state, sizeof extra->state);
    record->pause_reason = text_of(extra->pause_reason);
    view_owed(extra, record);
    view_backfills(extra, record);
}

static uint8_t definition_flags(const struct definition *definition)
{
    bool bounded = definition->start_ms != START_NONE || definition->end_ms != END_NONE ||
                   definition->max_fires != 0;
    return (uint8_t)((bounded ? JOB_BOUNDED : 0U) |
                     (definition->topic.length > 0 ? JOB_FOREIGN : 0U) |
                     (definition->runs.overlap != OVERLAP_ALLOW ? JOB_OVERLAP : 0U) |
                     (definition->runs.lease_ms > 0 ? JOB_LEASE : 0U));
}

struct job *job_create(const struct definition *definition, struct schedule *schedule)
{
    assert(definition != NULL);
    assert(schedule != NULL);
    struct job *job = memory_allocate(1, sizeof *job);
    job->packed = pack(definition);
    job->schedule = schedule;
    job->timer_index = TIMER_INDEX_NONE;
    job_life_init(&job->life);
    job->revision = 1;
    job->flags = definition_flags(definition);
    return job;
}

void job_destroy(struct job *job)
{
    if (job == NULL) return;
    if (job->extra != NULL) {
        for (uint32_t i = 0; i < job->extra->backfill_count; i++)
            free(job->extra->backfills[i].id);
        free(job->extra->backfills);
        ledger_free(&job->extra->ledger);
        free(job->extra->pause_reason);
    }
    free(job->extra);
    free(job->past);
    free(job->packed);
    free(job);
}

void job_redefine(struct job *job, const struct definition *definition)
{
    struct packed_definition *packed = pack(definition); /* may view the one it replaces */
    uint8_t kept = job->flags & (JOB_PAUSED | JOB_FINISHED | JOB_ZONELESS);
    job->flags = (uint8_t)(kept | definition_flags(definition));
    free(job->packed);
    job->packed = packed;
}

bool job_same_definition(const struct job *job, const struct definition *definition)
{
    struct schedule_words words = schedule_words_of(job->schedule);
    if (!schedule_spec_equal(&job->schedule->spec, &definition->schedule) ||
        !text_equal(words.cron, definition->cron_text) ||
        !text_equal(words.zone, definition->zone) || words.dialect != definition->dialect ||
        words.dst != definition->dst)
        return false;
    struct packed_definition *packed = pack(definition);
    bool same = packed->bytes == job->packed->bytes &&
                memcmp(packed, job->packed, packed->bytes) == 0;
    free(packed);
    return same;
}

/* Nothing unusual. Field by field, so that two of them are equal byte by byte. */
static void extra_init(struct job_extra *extra)
{
    memset(extra, 0, sizeof *extra);
    extra->zone_data_says_ms = INSTANT_NONE;
    job_state_init(&extra->state);
    ledger_init(&extra->ledger);
}

struct job_extra *job_extra(struct job *job)
{
    if (job->extra != NULL) return job->extra;
    job->extra = memory_allocate(1, sizeof *job->extra);
    extra_init(job->extra);
    return job->extra;
}

/* Lists that have become empty keep no memory. */
static void extra_trim(struct job_extra *extra)
{
    ledger_trim(&extra->ledger);
    if (extra->backfill_count == 0) {
        free(extra->backfills);
        extra->backfills = NULL;
    }
}

bool job_extra_is_idle(const struct job *job)
{
    struct job_extra nothing;
    extra_init(&nothing);
    return job->extra != NULL && memcmp(job->extra, &nothing, sizeof nothing) == 0;
}

void job_lighten(struct job *job)
{
    if (job->extra == NULL) return;
    extra_trim(job->extra);
    if (!job_extra_is_idle(job)) return;
    free(job->extra);
    job->extra = NULL;
}

void job_set_pause_reason(struct job *job, struct text reason)
{
    struct job_extra *extra = job_extra(job);
    free(extra->pause_reason);
    extra->pause_reason =
        reason.length == 0 ? NULL : memory_copy_text(reason.bytes, reason.length);
}

bool job_owes(const struct job *job)
{
    return job->extra != NULL && ledger_owes(&job->extra->ledger);
}

bool job_owes_slots(const struct job *job)
{
    if (!job_owes(job)) return false;
    const struct ledger *ledger = &job->extra->ledger;
    return ledger_count(ledger) > 0 || ledger_tail_keeps(ledger) != TAIL_KEEPS_NONE;
}

bool job_is_undecided(const struct job *job)
{
    return job->extra != NULL && ledger_is_undecided(&job->extra->ledger);
}

bool job_has_pending(const struct job *job)
{
    return job->extra != NULL && ledger_waiting(&job->extra->ledger) > 0;
}

void job_set_pending(struct job *job, const struct job_slot *slots, size_t count)
{
    if (count > 0 || job_has_pending(job)) ledger_wait(&job_extra(job)->ledger, slots, count);
}

bool job_is_failing(const struct job *job)
{
    return job->extra != NULL && job->extra->state.failing_since_ms != INSTANT_NONE;
}

int64_t job_paused_ms(const struct job *job)
{
    return job->extra == NULL ? INSTANT_NONE : job->extra->state.paused_ms;
}
