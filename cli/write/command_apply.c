/* apply and diff: jobs as a file says they should be. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show/json_text.h"
#include "cli/words/cli.h"
#include "cli/write/job_diff.h"
#include "cli/write/job_file.h"
#include "cli/write/job_sender.h"
#include "lib/base/limits.h"
#include "lib/base/memory.h"

static void say_counts(const struct job_diff *diff, const char *tense)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "belfry: %zu %sadded, %zu changed, %zu deleted, %zu equal\n",
                  diff->counts[JOB_ADDED], tense, diff->counts[JOB_CHANGED],
                  diff->counts[JOB_DELETED], diff->counts[JOB_EQUAL]);
}

/* Reads the file and compares. */
static bool compare(const struct invocation *invocation, struct job_file *file,
                    struct job_diff *diff, struct error *error)
{
    const char *path = job_file_path(invocation->arguments, invocation->command->name, error);
    return path != NULL && job_file_read(file, path, error) &&
           job_diff_make(diff, file, invocation->settings, error);
}

enum exit_code command_diff(const struct invocation *invocation)
{
    struct error error = {0};
    struct job_file file = {0};
    struct job_diff diff = {0};
    enum exit_code code = CLI_OK;
    if (compare(invocation, &file, &diff, &error)) {
        job_diff_print(invocation->settings, &diff);
        say_counts(&diff, "to be ");
        code = diff.count > 0 ? CLI_FAILED : CLI_OK;
    } else {
        code = exit_with(&error);
    }
    job_diff_free(&diff);
    job_file_free(&file);
    return code;
}

static bool put_jobs(struct job_sender *sender, const struct job_file *file,
                     const struct job_diff *diff, struct error *error)
{
    struct write_job *jobs = memory_allocate(diff->count, sizeof *jobs);
    size_t count = 0;
    for (size_t i = 0; i < diff->count; i++)
        if (diff->items[i].change != JOB_DELETED)
            jobs[count++] = file->request.jobs[diff->items[i].job];
    size_t window = job_sender_window(sender);
    bool sent = true;
    for (size_t at = 0; sent && at < count; at += window) {
        size_t left = count - at;
        struct write_request part = {.op = OP_PUT,
                                     .expect = -1,
                                     .jobs = jobs + at,
                                     .job_count = left < window ? left : window};
        sent = job_sender_send(sender, &part, error);
    }
    free(jobs);
    return sent;
}

/* Appends names of one group, at most as many as a selector takes. Returns where the next
 * selector begins. Items are sorted by name, so a group's stand together. */
static size_t select_deleted(struct write_request *request, const struct job_diff *diff,
                             size_t first)
{
    assert(diff->items[first].change == JOB_DELETED);
    size_t group_bytes = strcspn(diff->items[first].name, "/");
    char *group = memory_copy_text(diff->items[first].name, group_bytes);
    struct write_select *select = write_request_add_select(request);
    size_t at = first;
    size_t taken = 0;
    write_select_add_group(select, group);
    text_writer_words(&select->rest, "\"ids\":[");
    for (; at < diff->count && taken < COMMAND_JOBS_MAX; at++) {
        const struct job_difference *item = &diff->items[at];
        if (strncmp(item->name, group, group_bytes) != 0 || item->name[group_bytes] != '/') break;
        if (item->change != JOB_DELETED) continue;
        const char *id = item->name + group_bytes + 1;
        text_writer_comma(&select->rest);
        bool written = json_text_string(&select->rest, id, strlen(id), NULL);
        assert(written); /* Redis holds checked names only */
        (void)written;
        taken++;
    }
    text_writer_words(&select->rest, "]");
    free(group);
    assert(at > first);
    return at;
}

static bool delete_jobs(struct job_sender *sender, const struct job_diff *diff,
                        struct error *error)
{
    struct write_request request = {.op = OP_DELETE, .expect = -1};
    for (size_t at = 0; at < diff->count;) {
        if (diff->items[at].change == JOB_DELETED) at = select_deleted(&request, diff, at);
        else at++;
    }
    bool sent = request.select_count == 0 || job_sender_send(sender, &request, error);
    write_request_free(&request);
    return sent;
}

static enum exit_code change(const struct settings *settings, const struct job_file *file,
                             const struct job_diff *diff)
{
    assert(diff->count > 0);
    struct error error = {0};
    struct job_sender sender = {0};
    bool done = job_sender_open(&sender, settings, "applying", diff->count, &error) &&
                put_jobs(&sender, file, diff, &error);
    if (done && sender.last != NULL) wait_for_redis(settings, sender.last);
    /* Nothing is deleted for a file of which not everything could be put. */
    bool whole = done && sender.failed == 0;
    if (whole) {
        done = delete_jobs(&sender, diff, &error);
        if (done && sender.last != NULL) wait_for_redis(settings, sender.last);
    }
    size_t failed = sender.failed;
    size_t changed = sender.changed;
    job_sender_close(&sender);
    if (!done) {
        enum exit_code code = exit_with(&error);
        (void)fputs("belfry: the same can be applied again: what is done stays done\n", stderr);
        return code;
    }
    if (failed == 0) {
        say_counts(diff, "");
        return CLI_OK;
    }
    (void)fprintf(stderr, "belfry: %zu jobs were refused, %zu done%s\n", failed, changed,
                  diff->counts[JOB_DELETED] > 0 && !whole ? "; nothing was deleted" : "");
    return changed > 0 ? CLI_PARTLY : CLI_FAILED;
}

enum exit_code command_apply(const struct invocation *invocation)
{
    struct error error = {0};
    struct job_file file = {0};
    struct job_diff diff = {0};
    enum exit_code code = CLI_OK;
    if (!compare(invocation, &file, &diff, &error)) {
        code = exit_with(&error);
    } else {
        job_diff_print(invocation->settings, &diff);
        bool asked = arguments_has(invocation->arguments, "dry-run");
        if (asked || diff.count == 0) say_counts(&diff, asked ? "to be " : "");
        else code = change(invocation->settings, &file, &diff);
    }
    job_diff_free(&diff);
    job_file_free(&file);
    return code;
}
