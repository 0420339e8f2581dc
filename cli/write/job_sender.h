/* job_sender.h - sends many jobs as few commands to the shards they belong to, a window of them at
 * a time, and keeps account of what came of it. */
#ifndef BELFRY_CLI_JOB_SENDER_H
#define BELFRY_CLI_JOB_SENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/show/progress.h"
#include "cli/write/write_session.h"
#include "lib/base/error.h"

struct job_sender {
    struct write_session session;
    struct progress progress;
    int64_t wait_ms;      /* longest wait for the next result */
    struct text_writer members; /* that each command carries: `"mode":"each","reason":"..."` */
    size_t answered;      /* jobs of commands that have their result */
    size_t changed;       /* jobs added, changed or deleted */
    size_t failed;        /* jobs of commands that were refused, and those listed as errors */
    size_t faults_shown;
    json_t *last;         /* results of the last window: what reads have to wait for */
};

/* Reads --wait, --reason and --actor. Zero-initialise; job_sender_close() ends it, also after a
 * failed open.
 *   what, total  for the progress bar
 *   errors       code "usage"; as write_session_open() */
bool job_sender_open(struct job_sender *sender, const struct settings *settings,
                     const char *what, size_t total, struct error *error)
    __attribute__((warn_unused_result));
void job_sender_close(struct job_sender *sender);

/* How many jobs go out before the first of them must be answered. */
size_t job_sender_window(const struct job_sender *sender);

/* Sends one window of the request's operation and waits for all results. What was refused is
 * printed and counted in `failed`.
 *   errors  ERROR_RETRY; code "timed_out": what happened to some of these jobs is unknown */
bool job_sender_send(struct job_sender *sender, struct write_request *request,
                     struct error *error) __attribute__((warn_unused_result));

#endif
