#include "lib/model/definition.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/limits.h"

static const struct definition usual = {
    .start_ms = START_NONE,
    .end_ms = END_NONE,
    .keep_finished_ms = KEEP_FINISHED_DEFAULT_MS,
    .catchup = {.policy = CATCHUP_LATEST,
                .window_ms = CATCHUP_WINDOW_DEFAULT_MS,
                .limit = CATCHUP_LIMIT_DEFAULT,
                .grace_ms = MISFIRE_GRACE_DEFAULT_MS},
    .runs = RUN_TERMS_DEFAULTS,
    .incarnation = {.effective_ms = -1}, /* none: a null gives the field, and no value */
};

void definition_defaults(struct definition *definition)
{
    assert(definition != NULL);
    *definition = usual;
}

const struct definition *definition_usual(void)
{
    return &usual;
}

bool definition_has_incarnation(const struct definition *definition)
{
    return (definition->given & GIVEN_INCARNATION) != 0 &&
           definition->incarnation.effective_ms >= 0;
}

static void merge_schedule(struct definition *target, const struct definition *change)
{
    bool same_every = target->schedule.kind == SCHEDULE_EVERY &&
                      change->schedule.kind == SCHEDULE_EVERY &&
                      target->schedule.every_ms == change->schedule.every_ms;
    int64_t anchor_ms = same_every ? target->schedule.anchor_ms : 0;
    uint32_t anchor_given = target->given & GIVEN_ANCHOR;
    target->schedule = change->schedule;
    target->cron_text = change->cron_text;
    target->zone = change->zone;
    target->dialect = change->dialect;
    target->dst = change->dst;
    target->hashed = change->hashed;
    target->cron_warnings = change->cron_warnings;
    target->given = (target->given & ~(uint32_t)GIVEN_ANCHOR) | (change->given & GIVEN_ANCHOR);
    if (same_every && (change->given & GIVEN_ANCHOR) == 0) { /* the phase stays */
        target->schedule.anchor_ms = anchor_ms;
        target->given |= anchor_given;
    }
}

/* A part of a definition and the bit that gives it. */
struct given_field {
    uint32_t given;
    size_t offset;
    size_t bytes;
};
#define FIELD(given, field)                                                                        \
    {given, offsetof(struct definition, field), sizeof((struct definition *)NULL)->field}

static void merge_fields(struct definition *target, const struct definition *change, uint32_t given,
                         const struct given_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (given & fields[i].given)
            memcpy((char *)target + fields[i].offset, (const char *)change + fields[i].offset,
                   fields[i].bytes);
}

static void merge_retry(struct definition *target, const struct definition *change)
{
    static const struct given_field fields[] = {
        FIELD(GIVEN_RETRY_ATTEMPTS, runs.retry.attempts),
        FIELD(GIVEN_RETRY_INITIAL, runs.retry.initial_ms),
        FIELD(GIVEN_RETRY_FACTOR, runs.retry.factor_hundredths),
        FIELD(GIVEN_RETRY_MAX, runs.retry.max_ms),
        FIELD(GIVEN_RETRY_ON, runs.retry.on),
        FIELD(GIVEN_RETRY_NOT_ON_EXIT, runs.retry.not_on_exit_count),
        FIELD(GIVEN_RETRY_NOT_ON_EXIT, runs.retry.not_on_exit),
        FIELD(GIVEN_RETRY_WITHIN, runs.retry.within_ms),
        FIELD(GIVEN_RETRY_POISON_AFTER, runs.retry.poison_after),
    };
    uint32_t given = change->retry_given == 0 ? UINT32_MAX : change->retry_given;
    merge_fields(target, change, given, fields, sizeof fields / sizeof fields[0]);
}

void definition_merge(struct definition *target, const struct definition *change)
{
    static const struct given_field fields[] = {
        FIELD(GIVEN_PAYLOAD, payload),
        FIELD(GIVEN_PAYLOAD, payload_binary),
        FIELD(GIVEN_SUPER_GROUP, super_group),
        FIELD(GIVEN_TOPIC, topic),
        FIELD(GIVEN_KEY, key),
        FIELD(GIVEN_CATCHUP_POLICY, catchup.policy),
        FIELD(GIVEN_CATCHUP_WINDOW, catchup.window_ms),
        FIELD(GIVEN_CATCHUP_LIMIT, catchup.limit),
        FIELD(GIVEN_MISFIRE_GRACE, catchup.grace_ms),
        FIELD(GIVEN_START, start_ms),
        FIELD(GIVEN_END, end_ms),
        FIELD(GIVEN_JITTER, jitter_ms),
        FIELD(GIVEN_MAX_FIRES, max_fires),
        FIELD(GIVEN_LABELS, labels),
        FIELD(GIVEN_HEADERS, headers),
        FIELD(GIVEN_TRACEPARENT, traceparent),
        FIELD(GIVEN_CONTENT_TYPE, content_type),
        FIELD(GIVEN_FORMAT, format),
        FIELD(GIVEN_KEEP_FINISHED, keep_finished_ms),
        FIELD(GIVEN_LEASE, runs.lease_ms),
        FIELD(GIVEN_WORKERS, runs.workers),
        FIELD(GIVEN_LEASE_MODE, runs.mode),
        FIELD(GIVEN_START_WITHIN, runs.start_within_ms),
        FIELD(GIVEN_OVERLAP, runs.overlap),
        FIELD(GIVEN_OVERLAP_LIMIT, runs.overlap_limit),
        FIELD(GIVEN_PAUSE_AFTER_FAILURES, runs.pause_after_failures),
    };
    assert(target != NULL);
    assert(change != NULL);
    if (change->given & GIVEN_SCHEDULE) merge_schedule(target, change);
    if (change->given & GIVEN_RETRY) merge_retry(target, change);
    merge_fields(target, change, change->given, fields, sizeof fields / sizeof fields[0]);
}
#undef FIELD

struct schedule_words definition_words(const struct definition *definition)
{
    return (struct schedule_words){.cron = definition->cron_text,
                                   .zone = definition->zone,
                                   .dialect = definition->dialect,
                                   .dst = definition->dst,
                                   .hashed = definition->hashed,
                                   .anchor_given = (definition->given & GIVEN_ANCHOR) != 0};
}

/* Reads the expression again, now that H has a name to work with. */
static void settle_hashed(struct schedule_spec *spec, const struct schedule_words *words,
                          const struct definition *definition)
{
    char name[JOB_NAME_BYTES_MAX + 1];
    struct text group = definition->group;
    struct text id = definition->id;
    assert(group.length + 1 + id.length <= JOB_NAME_BYTES_MAX);
    memcpy(name, group.bytes, group.length);
    name[group.length] = '/';
    memcpy(name + group.length + 1, id.bytes, id.length);
    struct cron_options options = {.dialect = words->dialect,
                                   .dst = words->dst,
                                   .zone = words->zone,
                                   .name = {name, group.length + 1 + id.length},
                                   .zone_known = true,
                                   .known_zone = spec->cron.zone};
    struct cron_reading reading;
    bool read = cron_parse(words->cron.bytes, words->cron.length, &options, &reading, NULL);
    assert(read); /* it was read before, and H chooses only among what is allowed */
    if (read) spec->cron = reading.cron;
}

void schedule_settle(struct schedule_spec *spec, const struct schedule_words *words,
                     const struct definition *definition, int64_t jitter_ms,
                     const struct incarnation *incarnation)
{
    assert(spec != NULL && words != NULL);
    assert(jitter_ms >= 0 && jitter_ms <= SCHEDULE_JITTER_MAX_MS);
    if (words->hashed) settle_hashed(spec, words, definition);
    spec->jitter = (struct schedule_jitter){0};
    if (jitter_ms == 0) return;
    spec->jitter.most_ms = (uint32_t)jitter_ms;
    spec->jitter.incarnation = *incarnation;
}

void definition_settle(struct definition *definition, const struct incarnation *incarnation)
{
    assert(definition != NULL);
    assert(incarnation != NULL);
    struct schedule_words words = definition_words(definition);
    schedule_settle(&definition->schedule, &words, definition, definition->jitter_ms, incarnation);
}

static struct text pairs_take(struct text *rest)
{
    const char *end = memchr(rest->bytes, '\0', rest->length);
    assert(end != NULL);
    size_t length = (size_t)(end - rest->bytes);
    struct text taken = {rest->bytes, length};
    rest->bytes += length + 1;
    rest->length -= length + 1;
    return taken;
}

bool pairs_next(struct text *rest, struct text *name, struct text *value)
{
    assert(rest != NULL);
    if (rest->length == 0) return false;
    *name = pairs_take(rest);
    *value = pairs_take(rest);
    return true;
}
