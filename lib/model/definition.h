/* definition.h - what a user says about a job, parsed: the fields of contract "Job".
 *
 * A view: all texts are borrowed from a decoded command, a stored record or a job. The codecs
 * fill it, jobs are packed from it, and a job can be viewed through it again. */
#ifndef BELFRY_MODEL_DEFINITION_H
#define BELFRY_MODEL_DEFINITION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/text.h"
#include "lib/model/run.h"
#include "lib/time/incarnation.h"
#include "lib/time/schedule.h"

enum catchup_policy { CATCHUP_LATEST = 0, CATCHUP_NONE, CATCHUP_ALL };

struct catchup {
    enum catchup_policy policy;
    int64_t window_ms; /* how old a slot may be */
    int64_t limit;     /* how many slots, the newest are kept */
    int64_t grace_ms;  /* misfire_grace: a hiccup up to here changes nothing */
};

enum fire_format { FIRE_STRUCTURED = 0, FIRE_BINARY };

/* Bits of definition.given: which fields a command named (update, put). */
enum definition_field {
    GIVEN_SCHEDULE = 1 << 0,
    GIVEN_PAYLOAD = 1 << 1,
    GIVEN_SUPER_GROUP = 1 << 2,
    GIVEN_TOPIC = 1 << 3,
    GIVEN_KEY = 1 << 4,
    GIVEN_CATCHUP_POLICY = 1 << 5,
    GIVEN_CATCHUP_WINDOW = 1 << 6,
    GIVEN_CATCHUP_LIMIT = 1 << 7,
    GIVEN_MISFIRE_GRACE = 1 << 8,
    GIVEN_START = 1 << 9,
    GIVEN_END = 1 << 10,
    GIVEN_MAX_FIRES = 1 << 11,
    GIVEN_LABELS = 1 << 12,
    GIVEN_HEADERS = 1 << 13,
    GIVEN_CONTENT_TYPE = 1 << 14,
    GIVEN_FORMAT = 1 << 15,
    GIVEN_KEEP_FINISHED = 1 << 16,
    GIVEN_ANCHOR = 1 << 17, /* `every` with an anchor of the user's */
    GIVEN_PAUSED = 1 << 18,
    GIVEN_JITTER = 1 << 19,
    GIVEN_INCARNATION = 1 << 20,
    GIVEN_TRACEPARENT = 1 << 21,
    GIVEN_LEASE = 1 << 22,
    GIVEN_WORKERS = 1 << 23,
    GIVEN_LEASE_MODE = 1 << 24,
    GIVEN_START_WITHIN = 1 << 25,
    GIVEN_OVERLAP = 1 << 26,
    GIVEN_OVERLAP_LIMIT = 1 << 27,
    GIVEN_RETRY = 1 << 28, /* and which of its members: retry_given */
    GIVEN_PAUSE_AFTER_FAILURES = 1 << 29,
    GIVEN_RUNS = GIVEN_LEASE | GIVEN_WORKERS | GIVEN_LEASE_MODE | GIVEN_START_WITHIN |
                 GIVEN_OVERLAP | GIVEN_OVERLAP_LIMIT | GIVEN_RETRY | GIVEN_PAUSE_AFTER_FAILURES
};

/* Bits of definition.retry_given. */
enum retry_field {
    GIVEN_RETRY_ATTEMPTS = 1 << 0,
    GIVEN_RETRY_INITIAL = 1 << 1,
    GIVEN_RETRY_FACTOR = 1 << 2,
    GIVEN_RETRY_MAX = 1 << 3,
    GIVEN_RETRY_ON = 1 << 4,
    GIVEN_RETRY_NOT_ON_EXIT = 1 << 5,
    GIVEN_RETRY_WITHIN = 1 << 6,
    GIVEN_RETRY_POISON_AFTER = 1 << 7
};

#define START_NONE INT64_MIN
#define END_NONE INT64_MAX

struct definition {
    uint32_t given;
    uint32_t retry_given; /* 0 with GIVEN_RETRY: all of it, back to its defaults */
    struct text group;
    struct text id;
    struct text super_group; /* empty = none */
    struct schedule_spec schedule;
    struct text cron_text; /* SCHEDULE_CRON: the expression as the user wrote it */
    struct text zone;      /* empty = not named by the field */
    enum cron_dialect dialect;
    enum cron_dst dst;
    bool hashed;            /* the expression has H: the schedule depends on the job's name */
    uint32_t cron_warnings; /* bits of enum cron_warning; of a command just read */
    int64_t jitter_ms;      /* 0 = none */
    int64_t start_ms;        /* START_NONE, or the first instant allowed (inclusive) */
    int64_t end_ms;          /* END_NONE, or the first instant not allowed */
    int64_t max_fires;       /* 0 = no bound */
    int64_t keep_finished_ms;
    struct catchup catchup;
    struct text payload;     /* JSON text, or the bytes when payload_binary; length 0 = null */
    bool payload_binary;
    struct text content_type; /* empty = application/json */
    struct text topic;        /* empty = the cluster's fires topic */
    struct text key;          /* empty = the group */
    enum fire_format format;
    struct text labels;  /* pairs: name NUL value NUL ..., sorted by name; empty = none */
    struct text headers; /* pairs, in the user's order */
    struct text traceparent; /* of its fires; empty = none */
    struct run_terms runs;
    bool paused;
    struct incarnation incarnation; /* that an add or put brings along; see the next */
};

/* Whether the job says which life it is to go on with (an import). */
bool definition_has_incarnation(const struct definition *definition);

/* Every field at its default; no texts. */
void definition_defaults(struct definition *definition);
const struct definition *definition_usual(void);

/* Makes the schedule that of one job: H by its name, jitter by its incarnation. The definition
 * must have its names. Doing it again changes nothing. */
void definition_settle(struct definition *definition, const struct incarnation *incarnation);

/* The same for a schedule the job had earlier. */
void schedule_settle(struct schedule_spec *spec, const struct schedule_words *words,
                     const struct definition *definition, int64_t jitter_ms,
                     const struct incarnation *incarnation);

/* How the user wrote the schedule. */
struct schedule_words definition_words(const struct definition *definition);

/* Copies into *target the fields that `change` gives. Texts stay borrowed from `change`. */
void definition_merge(struct definition *target, const struct definition *change);

/* The next pair of *rest, which shrinks; false at the end. */
bool pairs_next(struct text *rest, struct text *name, struct text *value);

#endif
