#include "tests/simulation/judge_runs/wanted_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GIVES_LEASE = 1, GIVES_WORKERS = 2, GIVES_MODE = 4, GIVES_OVERLAP = 8, GIVES_LIMIT = 16,
    GIVES_WITHIN_START = 32, GIVES_PAUSE = 64, GIVES_ATTEMPTS = 128, GIVES_INITIAL = 256,
    GIVES_FACTOR = 512, GIVES_MAX = 1024, GIVES_WITHIN = 2048, GIVES_POISON = 4096,
    GIVES_ON = 8192, GIVES_NOT_ON = 16384,
    GIVES_RETRY = GIVES_ATTEMPTS | GIVES_INITIAL | GIVES_FACTOR | GIVES_MAX | GIVES_WITHIN |
                  GIVES_POISON | GIVES_ON | GIVES_NOT_ON
};

static const char *const outcome_words[] = {
    "", "success", "failure", "timeout", "cancelled", "refused", "lost_lease", "lost",
    "not_started", "poison", "released", "started", "running"};

enum wanted_outcome said_outcome(const char *word)
{
    for (int i = 1; i <= SAID_RUNNING; i++)
        if (strcmp(word, outcome_words[i]) == 0) return (enum wanted_outcome)i;
    return SAID_NOTHING;
}

const char *said_word(enum wanted_outcome outcome)
{
    return outcome_words[outcome];
}

void wanted_runs_defaults(struct wanted_runs *runs)
{
    *runs = (struct wanted_runs){.overlap_limit = 100,
                                 .start_within_ms = 86400000,
                                 .attempts = 1,
                                 .initial_ms = 10000,
                                 .factor_hundredths = 200,
                                 .max_ms = 3600000,
                                 .poison_after = 3,
                                 .on = 1U << SAID_FAILURE | 1U << SAID_TIMEOUT | 1U << SAID_LOST |
                                       1U << SAID_LOST_LEASE | 1U << SAID_NOT_STARTED |
                                       1U << SAID_REFUSED};
}

int64_t wanted_duration_ms(const char *text)
{
    char *unit = NULL;
    int64_t number = strtoll(text, &unit, 10);
    if (strcmp(unit, "ms") == 0) return number;
    switch (*unit) {
    case 's': return number * 1000;
    case 'm': return number * 60000;
    case 'h': return number * 3600000;
    default: return number * 86400000;
    }
}

static void read_duration(const json_t *object, const char *name, int64_t *to_ms, unsigned bit,
                          unsigned *given)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL) return;
    *given |= bit;
    if (json_is_string(value)) *to_ms = wanted_duration_ms(json_string_value(value));
}

static void read_number(const json_t *object, const char *name, int64_t *to, unsigned bit,
                        unsigned *given)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL) return;
    *given |= bit;
    if (json_is_integer(value)) *to = json_integer_value(value);
}

static void read_on(const json_t *retry, struct wanted_runs *runs)
{
    const json_t *on = json_object_get(retry, "on");
    if (on == NULL) return;
    runs->given |= GIVES_ON;
    if (!json_is_array(on)) return;
    runs->on = 0;
    for (size_t i = 0; i < json_array_size(on); i++)
        runs->on |= 1U << said_outcome(json_string_value(json_array_get(on, i)));
    if (runs->on & 1U << SAID_LOST) runs->on |= 1U << SAID_LOST_LEASE;
}

/* The codes of the simulator's programs are small. */
static void read_not_on(const json_t *retry, struct wanted_runs *runs)
{
    const json_t *codes = json_object_get(retry, "not_on_exit");
    if (codes == NULL) return;
    runs->given |= GIVES_NOT_ON;
    for (size_t i = 0; i < json_array_size(codes); i++)
        runs->not_on |= 1U << json_integer_value(json_array_get(codes, i));
}

static void read_retry(const json_t *retry, struct wanted_runs *runs)
{
    if (json_object_size(retry) == 0) runs->given |= GIVES_RETRY; /* null: all at their defaults */
    read_number(retry, "attempts", &runs->attempts, GIVES_ATTEMPTS, &runs->given);
    read_duration(retry, "initial", &runs->initial_ms, GIVES_INITIAL, &runs->given);
    read_duration(retry, "max", &runs->max_ms, GIVES_MAX, &runs->given);
    read_duration(retry, "within", &runs->within_ms, GIVES_WITHIN, &runs->given);
    read_number(retry, "poison_after", &runs->poison_after, GIVES_POISON, &runs->given);
    const json_t *factor = json_object_get(retry, "factor");
    if (factor != NULL) runs->given |= GIVES_FACTOR;
    if (json_is_number(factor))
        runs->factor_hundredths = (int64_t)(json_number_value(factor) * 100 + 0.5);
    read_on(retry, runs);
    read_not_on(retry, runs);
}

static enum slow_overlap overlap_of(const char *word)
{
    static const char *const words[] = {"allow", "skip", "buffer_one", "buffer_all",
                                        "cancel_other"};
    for (int i = 0; word != NULL && i <= SLOW_CANCEL_OTHER; i++)
        if (strcmp(word, words[i]) == 0) return (enum slow_overlap)i;
    return SLOW_ALLOW;
}

void wanted_runs_read(const json_t *object, struct wanted_runs *runs)
{
    wanted_runs_defaults(runs);
    read_duration(object, "lease", &runs->lease_ms, GIVES_LEASE, &runs->given);
    read_duration(object, "start_within", &runs->start_within_ms, GIVES_WITHIN_START,
                  &runs->given);
    read_number(object, "overlap_limit", &runs->overlap_limit, GIVES_LIMIT, &runs->given);
    read_number(object, "pause_after_failures", &runs->pause_after, GIVES_PAUSE, &runs->given);
    const json_t *workers = json_object_get(object, "workers");
    const json_t *mode = json_object_get(object, "lease_mode");
    const json_t *overlap = json_object_get(object, "overlap");
    const json_t *retry = json_object_get(object, "retry");
    if (workers != NULL) runs->given |= GIVES_WORKERS;
    if (json_is_string(workers))
        (void)snprintf(runs->workers, sizeof runs->workers, "%s", json_string_value(workers));
    if (mode != NULL) runs->given |= GIVES_MODE;
    runs->fixed = json_is_string(mode) && strcmp(json_string_value(mode), "fixed") == 0;
    runs->unfollowed = json_is_string(mode) && strcmp(json_string_value(mode), "none") == 0;
    if (overlap != NULL) runs->given |= GIVES_OVERLAP;
    runs->overlap = overlap_of(json_string_value(overlap));
    if (retry != NULL) read_retry(retry, runs);
}

void wanted_runs_merge(struct wanted_runs *target, const struct wanted_runs *set)
{
    if (set->given & GIVES_LEASE) target->lease_ms = set->lease_ms;
    if (set->given & GIVES_WORKERS) memcpy(target->workers, set->workers, sizeof target->workers);
    if (set->given & GIVES_MODE) target->fixed = set->fixed;
    if (set->given & GIVES_MODE) target->unfollowed = set->unfollowed;
    if (set->given & GIVES_OVERLAP) target->overlap = set->overlap;
    if (set->given & GIVES_LIMIT) target->overlap_limit = set->overlap_limit;
    if (set->given & GIVES_WITHIN_START) target->start_within_ms = set->start_within_ms;
    if (set->given & GIVES_PAUSE) target->pause_after = set->pause_after;
    if (set->given & GIVES_ATTEMPTS) target->attempts = set->attempts;
    if (set->given & GIVES_INITIAL) target->initial_ms = set->initial_ms;
    if (set->given & GIVES_FACTOR) target->factor_hundredths = set->factor_hundredths;
    if (set->given & GIVES_MAX) target->max_ms = set->max_ms;
    if (set->given & GIVES_WITHIN) target->within_ms = set->within_ms;
    if (set->given & GIVES_POISON) target->poison_after = set->poison_after;
    if (set->given & GIVES_ON) target->on = set->on;
    if (set->given & GIVES_NOT_ON) target->not_on = set->not_on;
}

bool wanted_runs_fit(const struct wanted_runs *runs)
{
    struct wanted_runs usual;
    wanted_runs_defaults(&usual);
    bool limited = runs->overlap_limit != usual.overlap_limit;
    if (limited && runs->overlap != SLOW_BUFFER_ALL) return false;
    if (runs->max_ms < runs->initial_ms) return false;
    if (runs->not_on != 0 && (runs->on & 1U << SAID_FAILURE) == 0) return false;
    if (runs->within_ms > 0 && runs->within_ms < runs->initial_ms) return false;
    if (runs->lease_ms > 0)
        return runs->workers[0] != '\0' && !runs->unfollowed &&
               !(runs->fixed && runs->start_within_ms != usual.start_within_ms);
    struct wanted_runs plain = usual;
    plain.given = runs->given;
    plain.unfollowed = runs->unfollowed;
    if (runs->unfollowed) memcpy(plain.workers, runs->workers, sizeof plain.workers);
    return wanted_runs_same(runs, &plain) && !limited;
}

bool wanted_runs_same(const struct wanted_runs *a, const struct wanted_runs *b)
{
    return a->lease_ms == b->lease_ms && strcmp(a->workers, b->workers) == 0 &&
           a->fixed == b->fixed && a->unfollowed == b->unfollowed && a->overlap == b->overlap &&
           a->overlap_limit == b->overlap_limit && a->start_within_ms == b->start_within_ms &&
           a->pause_after == b->pause_after && a->attempts == b->attempts &&
           a->initial_ms == b->initial_ms && a->factor_hundredths == b->factor_hundredths &&
           a->max_ms == b->max_ms && a->within_ms == b->within_ms &&
           a->poison_after == b->poison_after && a->on == b->on && a->not_on == b->not_on;
}

/* Multiplied in hundredths, one step after the other; up to a quarter is added. */
void wanted_runs_delay(const struct wanted_runs *runs, int64_t n, int64_t *least_ms,
                       int64_t *most_ms)
{
    int64_t delay_ms = runs->initial_ms;
    for (int64_t i = 1; i < n && delay_ms < runs->max_ms; i++)
        delay_ms = delay_ms * runs->factor_hundredths / 100;
    *least_ms = delay_ms < runs->max_ms ? delay_ms : runs->max_ms;
    *most_ms = *least_ms + *least_ms / 4;
}
