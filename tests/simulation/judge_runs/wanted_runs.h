/* wanted_runs.h - what a command says about the runs of a job, as a client sent it. */
#ifndef BELFRY_TESTS_WANTED_RUNS_H
#define BELFRY_TESTS_WANTED_RUNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum slow_overlap {
    SLOW_ALLOW = 0, SLOW_SKIP, SLOW_BUFFER_ONE, SLOW_BUFFER_ALL, SLOW_CANCEL_OTHER
};

enum wanted_outcome {
    SAID_NOTHING = 0, SAID_SUCCESS, SAID_FAILURE, SAID_TIMEOUT, SAID_CANCELLED, SAID_REFUSED,
    SAID_LOST_LEASE, SAID_LOST, SAID_NOT_STARTED, SAID_POISON, SAID_RELEASED, SAID_STARTED,
    SAID_RUNNING
};
/* Of a report, an event, a record; SAID_NOTHING: no such word. */
enum wanted_outcome said_outcome(const char *word);
const char *said_word(enum wanted_outcome outcome);

struct wanted_runs {
    int64_t lease_ms; /* 0: its runs are not followed */
    char workers[24];
    bool fixed; /* nobody claims it */
    bool unfollowed; /* lease_mode none */
    enum slow_overlap overlap;
    int64_t overlap_limit;
    int64_t start_within_ms;
    int64_t pause_after;
    int64_t attempts;
    int64_t initial_ms;
    int64_t factor_hundredths;
    int64_t max_ms;
    int64_t within_ms; /* 0: none */
    int64_t poison_after;
    unsigned on; /* bits 1 << enum wanted_outcome */
    unsigned not_on; /* bits 1 << exit code of a failure that is not tried again */
    unsigned given; /* bits by the order of the members above, for an update */
};

void wanted_runs_defaults(struct wanted_runs *runs);
/* Of a job or of `set`. */
void wanted_runs_read(const json_t *object, struct wanted_runs *runs);
/* An update: what it gives comes over the target. */
void wanted_runs_merge(struct wanted_runs *target, const struct wanted_runs *set);
/* Whether the fields go together; as the contract says. */
bool wanted_runs_fit(const struct wanted_runs *runs);
bool wanted_runs_same(const struct wanted_runs *a, const struct wanted_runs *b);

/* "90s", "250ms", "1h", "2d" */
int64_t wanted_duration_ms(const char *text);

/* The delay before the n-th retry is between these. */
void wanted_runs_delay(const struct wanted_runs *runs, int64_t n, int64_t *least_ms,
                       int64_t *most_ms);

#endif
