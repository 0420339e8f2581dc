#include <assert.h>
#include <stdio.h>

#include "cli/words/cli.h"
#include "cli/write/job_file.h"
#include "cli/write/job_sender.h"

/* One run: which jobs of the file are still to be sent. */
struct import {
    const struct settings *settings;
    const char *path;
    struct job_file file;
    struct job_sender sender;
    int64_t skip;
    size_t done; /* jobs of the file, from its beginning, that are answered */
};

static void say_how_to_go_on(const struct import *import)
{
    assert(import->done <= import->file.request.job_count);
    (void)fprintf(stderr, "belfry: %zu of %zu jobs of the file are done; go on with --skip %zu, or "
                  "run it again: jobs that are there and equal stay as they are\n", import->done,
                  import->file.request.job_count, import->done);
}

static bool send_all(struct import *import, struct error *error)
{
    const struct write_request *request = &import->file.request;
    size_t window = job_sender_window(&import->sender);
    assert(window > 0);
    while (import->done < request->job_count) {
        size_t left = request->job_count - import->done;
        struct write_request part = {.op = OP_PUT,
                                     .expect = -1,
                                     .jobs = request->jobs + import->done,
                                     .job_count = left < window ? left : window};
        if (!job_sender_send(&import->sender, &part, error)) return false;
        import->done += part.job_count;
    }
    return true;
}

static enum exit_code finish(struct import *import)
{
    struct job_sender *sender = &import->sender;
    progress_end(&sender->progress);
    size_t sent = import->file.request.job_count - (size_t)import->skip;
    assert(sender->failed <= sent + sender->faults_shown);
    if (sender->last != NULL) wait_for_redis(import->settings, sender->last);
    char numbers[3][GROUPED_BYTES];
    size_t equal = sent > sender->changed + sender->failed
                       ? sent - sender->changed - sender->failed
                       : 0;
    number_grouped(sender->changed, numbers[0]);
    number_grouped(equal, numbers[1]);
    number_grouped(sender->failed, numbers[2]);
    (void)fprintf(stderr, "belfry: %s jobs added or changed, %s already there and equal, %s "
                  "refused\n", numbers[0], numbers[1], numbers[2]);
    if (sender->failed == 0) return CLI_OK;
    return sender->changed > 0 || equal > 0 ? CLI_PARTLY : CLI_FAILED;
}

static enum exit_code run_import(struct import *import)
{
    struct error error = {0};
    size_t count = import->file.request.job_count;
    if ((size_t)import->skip > count) {
        (void)error_invalid(&error, CODE_USAGE, "--skip: the file has %zu jobs only", count);
        return exit_with(&error);
    }
    import->done = (size_t)import->skip;
    if (arguments_has(import->settings->arguments, "dry-run")) {
        (void)fprintf(stderr, "belfry: %zu jobs are well written; nothing was sent\n", count);
        return CLI_OK;
    }
    if (!job_sender_open(&import->sender, import->settings, "importing", count - import->done,
                         &error))
        return exit_with(&error);
    if (send_all(import, &error)) return finish(import);
    progress_end(&import->sender.progress);
    enum exit_code code = exit_with(&error);
    say_how_to_go_on(import);
    return code;
}

enum exit_code command_import(const struct invocation *invocation)
{
    struct error error = {0};
    const struct arguments *arguments = invocation->arguments;
    struct import import = {.settings = invocation->settings};
    import.path = job_file_path(arguments, "import", &error);
    if (import.path == NULL ||
        !arguments_number(arguments, "skip", 0, INT64_MAX, &import.skip, &error))
        return exit_with(&error);
    enum exit_code code = job_file_read(&import.file, import.path, &error) ? run_import(&import)
                                                                          : exit_with(&error);
    job_sender_close(&import.sender);
    job_file_free(&import.file);
    return code;
}
