#include "lib/model/run.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define WORD(name, word) word,

/* ---- words ---- */

#define OUTCOME_WORD(name, word, sayer) word,
#define OUTCOME_SAYER(name, word, sayer) sayer,

const char *run_outcome_word(enum run_outcome outcome)
{
    static const char *const words[] = {RUN_OUTCOMES(OUTCOME_WORD)};
    assert((size_t)outcome < sizeof words / sizeof words[0]);
    return words[outcome];
}

enum run_sayer run_outcome_sayer(enum run_outcome outcome)
{
    static const enum run_sayer sayers[] = {RUN_OUTCOMES(OUTCOME_SAYER)};
    assert((size_t)outcome < sizeof sayers / sizeof sayers[0]);
    return sayers[outcome];
}

bool run_outcome_find(struct text word, enum run_outcome *outcome)
{
    assert(outcome != NULL);
    for (int i = 0; i < RUN_OUTCOME_COUNT; i++) {
        if (!text_equal(word, text_of(run_outcome_word((enum run_outcome)i)))) continue;
        *outcome = (enum run_outcome)i;
        return true;
    }
    return false;
}

static const char *const report_words[] = {REPORT_KINDS(WORD)};

const char *report_word(enum report_kind kind, enum run_outcome outcome)
{
    assert((size_t)kind < sizeof report_words / sizeof report_words[0]);
    return kind == REPORT_ENDED ? run_outcome_word(outcome) : report_words[kind];
}

bool report_find(struct text word, enum report_kind *kind, enum run_outcome *outcome)
{
    assert(kind != NULL && outcome != NULL);
    enum run_outcome found;
    for (int i = REPORT_STARTED; i < REPORT_ENDED; i++) {
        if (!text_equal(word, text_of(report_words[i]))) continue;
        *kind = (enum report_kind)i;
        return true;
    }
    if (!run_outcome_find(word, &found) || run_outcome_sayer(found) != RUN_SAID_BY_WORKER)
        return false;
    *kind = REPORT_ENDED;
    *outcome = found;
    return true;
}

static const char *const overlaps[] = {OVERLAPS(WORD) NULL};
static const char *const lease_modes[] = {LEASE_MODES(WORD) NULL};

const char *overlap_word(enum overlap overlap)
{
    assert(overlap <= OVERLAP_CANCEL_OTHER);
    return overlaps[overlap];
}

const char *const *overlap_words(void)
{
    return overlaps;
}

const char *lease_mode_word(enum lease_mode mode)
{
    assert(mode <= LEASE_NONE);
    return lease_modes[mode];
}

const char *const *lease_mode_words(void)
{
    return lease_modes;
}

/* ---- terms ---- */

static const struct run_terms usual = RUN_TERMS_DEFAULTS;

void run_terms_defaults(struct run_terms *terms)
{
    assert(terms != NULL);
    *terms = usual;
}

bool run_terms_are_usual(const struct run_terms *terms)
{
    return terms->lease_ms == 0 && terms->mode == LEASE_HEARTBEAT;
}

bool retry_equal(const struct retry_terms *a, const struct retry_terms *b)
{
    return a->attempts == b->attempts && a->factor_hundredths == b->factor_hundredths &&
           a->initial_ms == b->initial_ms && a->max_ms == b->max_ms &&
           a->within_ms == b->within_ms && a->on == b->on && a->poison_after == b->poison_after &&
           a->not_on_exit_count == b->not_on_exit_count &&
           memcmp(a->not_on_exit, b->not_on_exit, sizeof a->not_on_exit) == 0;
}

bool retry_is_on(const struct retry_terms *retry, enum run_outcome outcome, int32_t exit_code)
{
    assert(retry != NULL && (int)outcome < RUN_OUTCOME_COUNT);
    if ((retry->on >> outcome & 1) == 0) return false;
    for (uint32_t i = 0; outcome == RUN_FAILURE && i < retry->not_on_exit_count; i++)
        if (retry->not_on_exit[i] == exit_code) return false;
    return true;
}

/* ---- what fields have to say together ---- */

static bool refuse(struct run_terms_fault *fault, enum error_code code, const char *object,
                   const char *member, const char *sentence)
{
    *fault = (struct run_terms_fault){code, object, member, sentence};
    return false;
}

static bool check_without_lease(const struct run_terms *terms, struct run_terms_fault *fault)
{
    if (terms->mode == LEASE_FIXED)
        return refuse(fault, CODE_LEASE_REQUIRED, NULL, "lease_mode",
                      "lease_mode 'fixed' needs a 'lease': it says how long the work may take");
    if (terms->overlap != OVERLAP_ALLOW)
        return refuse(fault, CODE_LEASE_REQUIRED, NULL, "overlap",
                      "an overlap other than 'allow' needs a 'lease': without one nobody knows "
                      "whether a run is open");
    if (!retry_equal(&terms->retry, &usual.retry))
        return refuse(fault, CODE_LEASE_REQUIRED, NULL, "retry",
                      "'retry' needs a 'lease': without one nobody knows how a run ended");
    if (terms->start_within_ms != usual.start_within_ms)
        return refuse(fault, CODE_LEASE_REQUIRED, NULL, "start_within",
                      "'start_within' needs a 'lease': without one nobody knows whether a run "
                      "was started");
    if (terms->pause_after_failures != 0)
        return refuse(fault, CODE_LEASE_REQUIRED, NULL, "pause_after_failures",
                      "'pause_after_failures' needs a 'lease': without one nobody knows how a run "
                      "ended");
    if (terms->workers.length > 0 && terms->mode == LEASE_HEARTBEAT)
        return refuse(fault, CODE_LEASE_REQUIRED, NULL, "workers",
                      "'workers' needs a 'lease', or the lease_mode 'none'");
    return true;
}

static bool check_with_lease(const struct run_terms *terms, struct run_terms_fault *fault)
{
    if (terms->mode == LEASE_NONE)
        return refuse(fault, CODE_BAD_VALUE, NULL, "lease_mode",
                      "lease_mode 'none' goes without a 'lease'; leave one of them out");
    if (terms->workers.length == 0)
        return refuse(fault, CODE_MISSING_FIELD, NULL, "workers",
                      "'workers' is required with a 'lease': the consumer group that does the "
                      "work");
    if (terms->mode == LEASE_FIXED && terms->start_within_ms != usual.start_within_ms)
        return refuse(fault, CODE_BAD_VALUE, NULL, "start_within",
                      "'start_within' does not go with lease_mode 'fixed': its runs are not "
                      "claimed, their lease counts from the commit of the fire");
    return true;
}

static bool check_retry(const struct retry_terms *retry, struct run_terms_fault *fault)
{
    if (retry->max_ms < retry->initial_ms)
        return refuse(fault, CODE_BAD_VALUE, "retry", "max",
                      "'max' is the longest delay: it may not be shorter than 'initial'");
    if (retry->within_ms != 0 && retry->within_ms < retry->initial_ms)
        return refuse(fault, CODE_BAD_VALUE, "retry", "within",
                      "'within' is shorter than 'initial': no retry would ever be in time");
    if (retry->not_on_exit_count > 0 && (retry->on >> RUN_FAILURE & 1) == 0)
        return refuse(fault, CODE_BAD_VALUE, "retry", "not_on_exit",
                      "'not_on_exit' is about failures, and 'on' does not name them");
    return true;
}

bool run_terms_check(const struct run_terms *terms, struct run_terms_fault *fault)
{
    assert(terms != NULL && fault != NULL);
    if (!(terms->lease_ms == 0 ? check_without_lease : check_with_lease)(terms, fault))
        return false;
    if (terms->overlap_limit != usual.overlap_limit && terms->overlap != OVERLAP_BUFFER_ALL)
        return refuse(fault, CODE_BAD_VALUE, NULL, "overlap_limit",
                      "'overlap_limit' goes with the overlap 'buffer_all' only");
    return check_retry(&terms->retry, fault);
}
