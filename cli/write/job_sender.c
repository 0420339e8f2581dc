#include "cli/write/job_sender.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/show/print_text.h"
#include "cli/write/said_by.h"
#include "lib/base/limits.h"
#include "lib/model/output.h"

enum { WAIT_DEFAULT_MS = 60000, SENDER_FAULTS_SHOWN = 20, WINDOW_JOBS_MOST = 40000 };

static bool read_options(struct job_sender *sender, const struct arguments *arguments,
                         struct error *error)
{
    struct said_by said_by;
    sender->wait_ms = WAIT_DEFAULT_MS;
    if (!arguments_duration(arguments, "wait", &sender->wait_ms, error)) return false;
    if (sender->wait_ms < 1 || sender->wait_ms > HOURS_MS)
        return error_invalid(error, CODE_USAGE, "--wait: from 1ms to 1h");
    text_writer_words(&sender->members, "\"mode\":\"each\"");
    if (!said_by_read(&said_by, arguments, error)) return false;
    said_by_write(&sender->members, &said_by);
    return true;
}

static void say_fault(struct job_sender *sender, const char *group, const char *id,
                      const json_t *fault)
{
    if (sender->faults_shown++ >= SENDER_FAULTS_SHOWN) return;
    const char *code = json_member_text(fault, "code");
    const char *message = json_member_text(fault, "message");
    struct text_writer line = {0};
    text_writer_format(&line, "%s/%s: %s: %s", group == NULL ? "*" : group, id == NULL ? "*" : id,
                       code == NULL ? "refused" : code, message == NULL ? "" : message);
    progress_end(&sender->progress);
    (void)fputs("belfry: ", stderr);
    print_safe(stderr, line.bytes, line.length);
    (void)fputc('\n', stderr);
    text_writer_free(&line);
}

/* Faults name the job, or its place in the command: /jobs/17/topic. */
static void say_job_fault(struct job_sender *sender, const struct write_record *record,
                          const json_t *fault)
{
    assert(fault != NULL);
    const char *field = json_member_text(fault, "field");
    const char *group = json_member_text(fault, "group");
    json_t *command = NULL;
    const json_t *job = fault;
    if (group == NULL && field != NULL && strncmp(field, "/jobs/", 6) == 0) {
        command = json_loadb(record->value.bytes, record->value.length, 0, NULL);
        job = json_array_get(json_object_get(command, "jobs"),
                             (size_t)strtoul(field + 6, NULL, 10));
    }
    group = json_member_text(job, "group");
    say_fault(sender, group == NULL ? record->key : group, json_member_text(job, "id"), fault);
    json_decref(command);
}

static void note_result(void *opaque, const struct write_record *record, const json_t *result)
{
    struct job_sender *sender = opaque;
    enum outcome outcome = OUTCOME_APPLIED;
    bool known = outcome_find(text_of(json_member_text(result, "outcome")), &outcome);
    const json_t *errors = json_object_get(result, "errors");
    json_int_t matched = json_member_number(result, "matched", 0);
    json_int_t changed = json_member_number(result, "changed", 0);
    bool refused = known && (outcome == OUTCOME_REJECTED || outcome == OUTCOME_EXPIRED);
    size_t jobs = record->jobs > 0 ? record->jobs : (size_t)(matched > 0 ? matched : 0);
    sender->answered += jobs;
    sender->changed += (size_t)(changed > 0 ? changed : 0);
    if (refused) {
        sender->failed += jobs > 0 ? jobs : 1;
        say_job_fault(sender, record, result);
        if (jobs > 1)
            (void)fprintf(stderr, "belfry: so the %zu jobs of its command were not taken\n", jobs);
    }
    for (size_t i = 0; !refused && i < json_array_size(errors); i++) {
        sender->failed++;
        say_job_fault(sender, record, json_array_get(errors, i));
    }
    progress_show(&sender->progress, sender->answered);
}

bool job_sender_open(struct job_sender *sender, const struct settings *settings,
                     const char *what, size_t total, struct error *error)
{
    if (!read_options(sender, settings->arguments, error) ||
        !write_session_open(&sender->session, settings, NULL, true, error))
        return false;
    result_wait_watch(sender->session.wait, note_result, sender);
    progress_start(&sender->progress, what, total);
    return true;
}

void job_sender_close(struct job_sender *sender)
{
    if (sender->progress.what != NULL) progress_end(&sender->progress);
    write_session_close(&sender->session);
    text_writer_free(&sender->members);
    json_decref(sender->last);
    *sender = (struct job_sender){0};
}

size_t job_sender_window(const struct job_sender *sender)
{
    assert(sender->session.shards > 0);
    size_t window = (size_t)sender->session.shards * COMMAND_JOBS_MAX;
    return window < WINDOW_JOBS_MOST ? window : WINDOW_JOBS_MOST;
}

bool job_sender_send(struct job_sender *sender, struct write_request *request,
                     struct error *error)
{
    assert(request->job_count > 0 || request->select_count > 0);
    struct write_plan plan = {0};
    char command_id[COMMAND_ID_MADE_BYTES];
    command_id_make(command_id);
    request->members = sender->members; /* lent for the call */
    json_decref(sender->last);
    sender->last = NULL;
    bool sent = write_plan_build(&plan, request, command_id, sender->session.shards, false, false,
                                 error) &&
                write_session_send(&sender->session, &plan, sender->wait_ms, &sender->last, error);
    request->members = (struct text_writer){0};
    write_plan_free(&plan);
    assert(sent || error->kind != ERROR_NONE);
    return sent;
}
