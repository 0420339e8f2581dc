#include "schemas/run_terms_json.h"

#include <assert.h>
#include <stdio.h>

#include "lib/base/limits.h"
#include "lib/base/utf8.h"
#include "schemas/definition_json.h"

enum { EXCERPT_BYTES = 64, LIST_BYTES = 128, FACTOR_BYTES = 16 };

/* ---- retry ---- */

/* A number of at most two decimals, in hundredths. */
static bool read_factor(const struct json_node *node, void *target, void *context,
                        struct error *error)
{
    (void)context;
    struct retry_terms *retry = target;
    if (!json_is_number(node->value))
        return json_refuse(node, error, CODE_WRONG_TYPE, "must be a number, not %s",
                           json_type_name(node->value));
    double factor = json_number_value(node->value);
    if (!(factor >= 1 && factor <= (double)RETRY_FACTOR_MAX_HUNDREDTHS / 100))
        return json_refuse(node, error, CODE_BAD_VALUE, "%g is not between 1 and %d", factor,
                           RETRY_FACTOR_MAX_HUNDREDTHS / 100);
    int32_t hundredths = (int32_t)(factor * 100 + 0.5);
    double off = factor * 100 - hundredths;
    if (off > 1e-6 || off < -1e-6)
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "%.10g has more than two decimals; at most two are allowed", factor);
    retry->factor_hundredths = hundredths;
    return true;
}

/* Whether `on` may name the outcome. */
static bool is_reason(enum run_outcome outcome)
{
    return (RETRY_ON_DEFAULT >> outcome & 1) != 0 && outcome != RUN_LOST_LEASE;
}

static uint32_t reason_bits(enum run_outcome outcome)
{
    return UINT32_C(1) << outcome | (outcome == RUN_LOST ? UINT32_C(1) << RUN_LOST_LEASE : 0);
}

/* "failure, timeout ...". */
static const char *list_reasons(char *list, size_t bytes)
{
    size_t used = 0;
    for (int i = 0; i < RUN_OUTCOME_COUNT && used < bytes; i++)
        if (is_reason((enum run_outcome)i))
            used += (size_t)snprintf(list + used, bytes - used, "%s%s", used == 0 ? "" : ", ",
                                     run_outcome_word((enum run_outcome)i));
    return list;
}

static bool read_reason(const struct json_node *node, uint32_t *on, struct error *error)
{
    struct text word;
    enum run_outcome outcome;
    if (!json_read_text(node, &word, error)) return false;
    char excerpt[EXCERPT_BYTES];
    char list[LIST_BYTES];
    (void)utf8_excerpt(word, excerpt, sizeof excerpt);
    bool known = run_outcome_find(word, &outcome);
    if (known && outcome == RUN_LOST_LEASE)
        return json_refuse(node, error, CODE_BAD_VALUE, "'lost_lease' goes with 'lost'; name that");
    if (!known || !is_reason(outcome))
        return json_refuse(node, error, CODE_BAD_VALUE,
                           "'%s' is no outcome that is tried again, allowed: %s", excerpt,
                           list_reasons(list, sizeof list));
    if ((*on & reason_bits(outcome)) != 0)
        return json_refuse(node, error, CODE_BAD_VALUE, "'%s' is named twice", excerpt);
    *on |= reason_bits(outcome);
    return true;
}

static bool read_on(const struct json_node *node, void *target, void *context, struct error *error)
{
    (void)context;
    struct retry_terms *retry = target;
    uint32_t on = 0;
    if (!json_check_array(node, RUN_OUTCOME_COUNT, error)) return false;
    for (size_t i = 0; i < json_array_size(node->value); i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        if (!read_reason(&item, &on, error)) return false;
    }
    retry->on = on;
    return true;
}

/* Puts the code in its place among those read; false: it is there. */
static bool put_exit(struct retry_terms *retry, uint8_t code)
{
    uint32_t at = retry->not_on_exit_count;
    while (at > 0 && retry->not_on_exit[at - 1] > code) at--;
    if (at > 0 && retry->not_on_exit[at - 1] == code) return false;
    for (uint32_t i = retry->not_on_exit_count; i > at; i--)
        retry->not_on_exit[i] = retry->not_on_exit[i - 1];
    retry->not_on_exit[at] = code;
    retry->not_on_exit_count++;
    return true;
}

static bool read_not_on_exit(const struct json_node *node, void *target, void *context,
                             struct error *error)
{
    (void)context;
    struct retry_terms *retry = target;
    static const struct json_field row = {.name = "", .kind = JSON_INT32, .min = 1,
                                          .max = RETRY_EXIT_MAX};
    if (!json_check_array(node, RETRY_EXITS_MAX, error)) return false;
    for (size_t i = 0; i < json_array_size(node->value); i++) {
        struct json_node item = {json_array_get(node->value, i), node, NULL, i};
        int32_t code = 0;
        if (!json_read_value(&item, &row, &code, NULL, error)) return false;
        if (!put_exit(retry, (uint8_t)code))
            return json_refuse(&item, error, CODE_BAD_VALUE, "%d is named twice", (int)code);
    }
    return true;
}

#define RETRY(member) .offset = offsetof(struct retry_terms, member)
static const struct json_field retry_rows[] = {
    {.name = "attempts", .kind = JSON_INT32, .given = GIVEN_RETRY_ATTEMPTS, .min = 1,
     .max = RETRY_ATTEMPTS_MAX, RETRY(attempts)},
    {.name = "initial", .kind = JSON_DURATION, .given = GIVEN_RETRY_INITIAL,
     .min = RETRY_INITIAL_MIN_MS, .max = RETRY_DELAY_MAX_MS, RETRY(initial_ms)},
    {.name = "factor", .kind = JSON_CUSTOM, .given = GIVEN_RETRY_FACTOR, .read = read_factor},
    {.name = "max", .kind = JSON_DURATION, .given = GIVEN_RETRY_MAX, .min = RETRY_INITIAL_MIN_MS,
     .max = RETRY_DELAY_MAX_MS, RETRY(max_ms)},
    {.name = "on", .kind = JSON_CUSTOM, .given = GIVEN_RETRY_ON, .read = read_on},
    {.name = "not_on_exit", .kind = JSON_CUSTOM, .given = GIVEN_RETRY_NOT_ON_EXIT,
     .read = read_not_on_exit},
    {.name = "within", .kind = JSON_DURATION, .given = GIVEN_RETRY_WITHIN,
     .min = RETRY_WITHIN_MIN_MS, .max = RETRY_WITHIN_MAX_MS, RETRY(within_ms)},
    {.name = "poison_after", .kind = JSON_INT32, .given = GIVEN_RETRY_POISON_AFTER, .min = 1,
     .max = RETRY_POISON_AFTER_MAX, RETRY(poison_after)},
};
static const struct json_table retry_table = {
    "'retry'", retry_rows, sizeof retry_rows / sizeof retry_rows[0]};

static bool read_retry(const struct json_node *node, void *target, void *context,
                       struct error *error)
{
    (void)context;
    struct definition *definition = target;
    if (!json_read_object(node, &retry_table, 0, &definition->runs.retry, NULL,
                          &definition->retry_given, error))
        return false;
    /* The row gives all of it, which is right for null only. */
    if (definition->retry_given == 0) definition->given &= ~(uint32_t)GIVEN_RETRY;
    return true;
}

/* ---- the job's members ---- */

static bool read_overlap(const struct json_node *node, void *target, void *context,
                         struct error *error)
{
    (void)context;
    const struct json_field row = {.name = "overlap", .kind = JSON_WORD,
                                   .words = overlap_words()};
    return json_read_value(node, &row, &((struct definition *)target)->runs.overlap, NULL, error);
}

static bool read_lease_mode(const struct json_node *node, void *target, void *context,
                            struct error *error)
{
    (void)context;
    const struct json_field row = {.name = "lease_mode", .kind = JSON_WORD,
                                   .words = lease_mode_words()};
    return json_read_value(node, &row, &((struct definition *)target)->runs.mode, NULL, error);
}

#define TERMS(member) .offset = offsetof(struct definition, runs.member)
static const struct json_field term_rows[] = {
    {.name = "lease", .kind = JSON_DURATION, .min = LEASE_MIN_MS, .max = LEASE_MAX_MS,
     TERMS(lease_ms)},
    {.name = "workers", .kind = JSON_TEXT, .min = 1, .max = WORKERS_BYTES_MAX, TERMS(workers)},
    {.name = "lease_mode", .kind = JSON_CUSTOM, .read = read_lease_mode},
    {.name = "start_within", .kind = JSON_DURATION, .min = START_WITHIN_MIN_MS,
     .max = START_WITHIN_MAX_MS, TERMS(start_within_ms)},
    {.name = "overlap", .kind = JSON_CUSTOM, .read = read_overlap},
    {.name = "overlap_limit", .kind = JSON_INT, .min = 1, .max = OVERLAP_LIMIT_MAX,
     TERMS(overlap_limit)},
    {.name = "retry", .kind = JSON_CUSTOM, .read = read_retry},
    {.name = "pause_after_failures", .kind = JSON_INT, .min = 1, .max = PAUSE_AFTER_FAILURES_MAX,
     TERMS(pause_after_failures)},
};

static const struct json_field *term_row(const char *name)
{
    size_t i = 0;
    while (strcmp(term_rows[i].name, name) != 0) i++; /* the table of jobs has no other names */
    return &term_rows[i];
}

bool run_terms_read(const struct json_node *node, void *target, void *context, struct error *error)
{
    struct definition *definition = target;
    const struct definition_reader *reader = context;
    if (!json_read_value(node, term_row(node->name), target, NULL, error)) return false;
    if (reader->limits == NULL || reader->limits->runs) return true;
    if (strcmp(node->name, "overlap") != 0)
        return json_refuse(node, error, CODE_NOT_SUPPORTED,
                           "'%s' is not supported here: the topic runs has not the broker's times "
                           "(message.timestamp.type=LogAppendTime); leave it out",
                           node->name);
    if (definition->runs.overlap == OVERLAP_ALLOW) return true;
    return json_refuse(node, error, CODE_NOT_SUPPORTED,
                       "overlap '%s' is not supported here; leave it out or say 'allow'",
                       overlap_word(definition->runs.overlap));
}

bool run_terms_check_read(const struct json_node *node, const struct run_terms *terms,
                          struct error *error)
{
    struct run_terms_fault fault;
    if (run_terms_check(terms, &fault)) return true;
    struct json_node object = {NULL, node, fault.object, 0};
    struct json_node member = {NULL, fault.object == NULL ? node : &object, fault.member, 0};
    return json_refuse(&member, error, fault.code, "%s", fault.sentence);
}

/* ---- writing ---- */

static void write_duration(struct text_writer *writer, const char *name, int64_t duration_ms,
                           int64_t usual_ms)
{
    if (duration_ms == usual_ms) return;
    text_writer_member(writer, name);
    text_writer_duration(writer, duration_ms);
}

static void write_integer(struct text_writer *writer, const char *name, int64_t integer,
                          int64_t usual)
{
    if (integer == usual) return;
    text_writer_member(writer, name);
    text_writer_integer(writer, integer);
}

static void write_word(struct text_writer *writer, const char *name, const char *word)
{
    text_writer_member(writer, name);
    text_writer_string(writer, text_of(word));
}

static void write_factor(struct text_writer *writer, int32_t hundredths)
{
    char factor[FACTOR_BYTES];
    int length = snprintf(factor, sizeof factor, "%d.%02d", (int)(hundredths / 100),
                          (int)(hundredths % 100));
    assert(length > 0 && length < FACTOR_BYTES);
    while (factor[length - 1] == '0') length--;
    if (factor[length - 1] == '.') length--;
    text_writer_member(writer, "factor");
    text_writer_raw(writer, (struct text){factor, (size_t)length});
}

static void write_on(struct text_writer *writer, uint32_t on)
{
    bool first = true;
    text_writer_member(writer, "on");
    text_writer_char(writer, '[');
    for (int i = 0; i < RUN_OUTCOME_COUNT; i++) {
        if ((on >> i & 1) == 0 || !is_reason((enum run_outcome)i)) continue;
        if (!first) text_writer_char(writer, ',');
        first = false;
        text_writer_string(writer, text_of(run_outcome_word((enum run_outcome)i)));
    }
    text_writer_char(writer, ']');
}

static void write_retry(struct text_writer *writer, const struct retry_terms *retry,
                        const struct retry_terms *usual)
{
    text_writer_member(writer, "retry");
    text_writer_char(writer, '{');
    text_writer_member(writer, "attempts");
    text_writer_integer(writer, retry->attempts);
    write_duration(writer, "initial", retry->initial_ms, usual->initial_ms);
    if (retry->factor_hundredths != usual->factor_hundredths)
        write_factor(writer, retry->factor_hundredths);
    write_duration(writer, "max", retry->max_ms, usual->max_ms);
    if (retry->on != usual->on) write_on(writer, retry->on);
    for (uint32_t i = 0; i < retry->not_on_exit_count; i++) {
        if (i == 0) text_writer_member(writer, "not_on_exit");
        text_writer_char(writer, i == 0 ? '[' : ',');
        text_writer_integer(writer, retry->not_on_exit[i]);
    }
    if (retry->not_on_exit_count > 0) text_writer_char(writer, ']');
    write_duration(writer, "within", retry->within_ms, usual->within_ms);
    write_integer(writer, "poison_after", retry->poison_after, usual->poison_after);
    text_writer_char(writer, '}');
}

void run_terms_write(struct text_writer *writer, const struct run_terms *terms)
{
    assert(terms != NULL);
    struct run_terms usual;
    if (run_terms_are_usual(terms)) return;
    run_terms_defaults(&usual);
    write_duration(writer, "lease", terms->lease_ms, usual.lease_ms);
    if (terms->workers.length > 0) {
        text_writer_member(writer, "workers");
        text_writer_string(writer, terms->workers);
    }
    if (terms->mode != usual.mode) write_word(writer, "lease_mode", lease_mode_word(terms->mode));
    write_duration(writer, "start_within", terms->start_within_ms, usual.start_within_ms);
    if (terms->overlap != usual.overlap)
        write_word(writer, "overlap", overlap_word(terms->overlap));
    write_integer(writer, "overlap_limit", terms->overlap_limit, usual.overlap_limit);
    if (!retry_equal(&terms->retry, &usual.retry)) write_retry(writer, &terms->retry, &usual.retry);
    write_integer(writer, "pause_after_failures", terms->pause_after_failures,
                  usual.pause_after_failures);
}
