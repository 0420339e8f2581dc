#include "cli/show/run_words.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/model/retry_delay.h"
#include "lib/time/duration.h"

enum { SENTENCE_BYTES = 600, DELAYS_SHOWN = 4 };

/* "1m40s": a length as people read it, which need not be written in one unit. */
struct span {
    char text[2 * DURATION_TEXT_BYTES];
};

static struct span span_of(int64_t duration_ms)
{
    static const int64_t units[] = {DAYS_MS, HOURS_MS, MINUTES_MS, SECONDS_MS, 1};
    struct span span = {""};
    size_t length = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && length < DURATION_TEXT_BYTES; i++) {
        char part[DURATION_TEXT_BYTES];
        int64_t whole_ms = length == 0 && duration_ms % units[i] == 0
                               ? duration_ms
                               : duration_ms / units[i] * units[i];
        if (whole_ms == 0) continue;
        duration_format(whole_ms, part);
        length += (size_t)snprintf(span.text + length, sizeof span.text - length, "%s", part);
        duration_ms -= whole_ms;
    }
    return span;
}

__attribute__((format(printf, 2, 3))) static void say(json_t *sentences, const char *format, ...)
{
    char text[SENTENCE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)json_array_append_new(sentences, json_string(text));
}

static void say_lease(json_t *sentences, const struct run_terms *terms)
{
    int64_t lease_ms = terms->lease_ms;
    int64_t margin_ms = lease_ms / 10 > SECONDS_MS ? lease_ms / 10 : SECONDS_MS;
    int workers = (int)terms->workers.length;
    if (terms->mode == LEASE_FIXED) {
        say(sentences, "a member of %.*s does the work, unclaimed: it may be started twice",
            workers, terms->workers.bytes);
        say(sentences, "%s after its fire was committed it is given up (lost), waiting included",
            span_of(lease_ms).text);
        return;
    }
    say(sentences,
        "a member of %.*s claims each try, within %s of its fire, else it is not_started", workers,
        terms->workers.bytes, span_of(terms->start_within_ms).text);
    say(sentences, "it gives a sign of life every %s; without Kafka it asks its work to stop after "
        "%s and ends it after %s", span_of(lease_ms / 3).text, span_of(lease_ms * 2 / 3).text,
        span_of(lease_ms - margin_ms).text);
    say(sentences, "after %s of silence the try is given up (lost)",
        span_of(lease_ms + SECONDS_MS).text);
}

static void say_overlap(json_t *sentences, const struct run_terms *terms)
{
    const char *const words[] = {
        [OVERLAP_ALLOW] = "fires beside it",
        [OVERLAP_SKIP] = "is left out",
        [OVERLAP_BUFFER_ONE] = "waits for its end; while one waits, the others are left out",
        [OVERLAP_CANCEL_OTHER] = "asks it to stop; the newest slot until its end then fires",
    };
    if (terms->overlap == OVERLAP_BUFFER_ALL)
        say(sentences, "a slot that meets an open run waits for its end; while %lld wait, the "
            "others are left out", (long long)terms->overlap_limit);
    else
        say(sentences, "a slot that meets an open run %s", words[terms->overlap]);
}

/* "10s, 20s, 40s ..., at most 1h": without what is added to each. */
static void list_delays(const struct retry_terms *retry, char *text, size_t bytes)
{
    size_t used = 0;
    int shown = retry->attempts - 1 < DELAYS_SHOWN ? retry->attempts - 1 : DELAYS_SHOWN;
    for (int n = 1; n <= shown && used < bytes; n++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%s", n == 1 ? "" : ", ",
                                 span_of(retry_delay_base(retry, n)).text);
    if (retry->attempts - 1 > shown && used < bytes)
        (void)snprintf(text + used, bytes - used, " ..., at most %s", span_of(retry->max_ms).text);
}

static void list_outcomes(const struct retry_terms *retry, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < RUN_OUTCOME_COUNT && used < bytes; i++)
        if ((retry->on >> i & 1) != 0)
            used += (size_t)snprintf(text + used, bytes - used, "%s%s", used == 0 ? "" : ", ",
                                     run_outcome_word((enum run_outcome)i));
}

static void list_exits(const struct retry_terms *retry, char *text, size_t bytes)
{
    size_t used = 0;
    for (uint32_t i = 0; i < retry->not_on_exit_count && used < bytes; i++)
        used += (size_t)snprintf(text + used, bytes - used, "%s%d", i == 0 ? "" : ", ",
                                 (int)retry->not_on_exit[i]);
}

static void say_retry(json_t *sentences, const struct retry_terms *retry)
{
    char list[SENTENCE_BYTES / 2];
    if (retry->attempts == 1) {
        say(sentences, "there is one try: no retry");
        return;
    }
    list_delays(retry, list, sizeof list);
    say(sentences, "up to %d tries; before each further one: %s, and up to a quarter more",
        (int)retry->attempts, list);
    list_outcomes(retry, list, sizeof list);
    say(sentences, "tried again after %s", list);
    list_exits(retry, list, sizeof list);
    if (retry->not_on_exit_count > 0) say(sentences, "but not after exit code %s", list);
    if (retry->within_ms != 0)
        say(sentences, "no retry later than %s after the run's first fire",
            span_of(retry->within_ms).text);
    if ((retry->on >> RUN_LOST & 1) != 0)
        say(sentences, "%d silent losses in a row end the run (poison)", (int)retry->poison_after);
}

json_t *run_words(const struct run_terms *terms)
{
    assert(terms != NULL);
    json_t *sentences = json_array();
    if (run_terms_are_usual(terms)) return sentences;
    if (terms->mode == LEASE_NONE) {
        say(sentences, "nothing is followed, and no end is counted");
        return sentences;
    }
    say_lease(sentences, terms);
    say_overlap(sentences, terms);
    say_retry(sentences, &terms->retry);
    if (terms->pause_after_failures > 0)
        say(sentences, "the job is paused after %lld runs in a row without success",
            (long long)terms->pause_after_failures);
    return sentences;
}

json_t *run_warnings(const struct run_terms *terms)
{
    json_t *warnings = json_array();
    const struct retry_terms *retry = &terms->retry;
    if (terms->lease_ms == 0) return warnings;
    if (terms->mode == LEASE_FIXED)
        say(warnings, "lease_mode fixed is at least once: what is not claimed may be started "
            "twice");
    if (retry->attempts > 1 && (retry->on >> RUN_LOST & 1) != 0)
        say(warnings, "lost means perhaps done: leave it out of --retry-on where the work must not "
            "be done twice");
    return warnings;
}
