#include <assert.h>
#include <jansson.h>
#include <stdio.h>

#include "cli/kafka/redis_reader.h"
#include "cli/read/job_filter.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_text.h"
#include "cli/show/print_text.h"
#include "cli/show/progress.h"
#include "cli/words/cli.h"
#include "schemas/job_json.h"
#include "store/store_redis_query.h"

struct export {
    const struct job_filter *filter;
    struct progress progress;
    struct arena *arena;
    struct text_writer line;
    bool finished; /* those, too */
    bool new_lives; /* without incarnations */
    bool terminal; /* stdout is one */
    size_t written;
    size_t left_out;
};

static bool admits(const struct export *export, const struct store_item *item)
{
    assert(item->text != NULL);
    json_t *job = json_loadb(item->text, item->text_bytes, 0, NULL);
    bool admitted = json_is_object(job);
    if (admitted) {
        struct job_view view;
        job_view_read(&view, job, cli_now_ms(), NULL);
        admitted = job_filter_admits(export->filter, job, &view);
    }
    json_decref(job);
    return admitted;
}

static bool visit(void *opaque, const struct store_item *item, struct error *error)
{
    assert(item->kind == STORE_JOB_PUT);
    struct export *export = opaque;
    struct job_record record;
    if (!admits(export, item)) return true;
    arena_reset(export->arena);
    struct text text = {item->text, item->text_bytes};
    if (!job_record_decode(text, export->arena, job_text_zones(), &record, error)) return false;
    if (record.state.finished_ms != INSTANT_NONE && !export->finished) {
        export->left_out++;
        return true;
    }
    if (export->new_lives) record.definition.incarnation.effective_ms = -1;
    text_writer_reset(&export->line);
    job_text_write(&export->line, &record.definition);
    text_writer_char(&export->line, '\n');
    bool whole = print_json(stdout, export->line.bytes, export->line.length, export->terminal);
    progress_show(&export->progress, ++export->written);
    return whole || error_set(error, ERROR_FATAL, "stdout takes no more; is the disk full?");
}

/* A copy that lacks a shard without a word would be the worst of copies. */
static bool must_be_known(void *opaque, int32_t shard, bool found, const struct snapshot *snapshot,
                          struct error *error)
{
    (void)opaque;
    (void)snapshot;
    if (found) return true;
    (void)error_set(error, ERROR_RETRY, "Redis has nothing of shard %d: no daemon has written it "
                    "yet, or it is lost; belfry doctor says which daemon owns it, belfry rebuild "
                    "writes it where none runs", (int)shard);
    error->code = CODE_NOT_WHOLE;
    return false;
}

static bool export_jobs(struct export *export, const struct settings *settings,
                        struct error *error)
{
    struct redis_reader reader;
    if (!redis_reader_open(&reader, settings, error)) return false;
    struct store_filter filter = job_filter_store(export->filter);
    progress_start(&export->progress, "exporting", 0);
    if (export->terminal) progress_end(&export->progress); /* the jobs themselves are seen */
    bool listed = store_redis_list_jobs(reader.store, reader.shards, &filter, visit, export,
                                        error) &&
                  store_redis_read_snapshots(reader.store, reader.shards, must_be_known, NULL,
                                             error);
    if (fflush(stdout) != 0 && listed)
        listed = error_set(error, ERROR_FATAL, "stdout takes no more; is the disk full?");
    progress_end(&export->progress);
    redis_reader_close(&reader);
    assert(listed || error->kind != ERROR_NONE);
    return listed;
}

enum exit_code command_export(const struct invocation *invocation)
{
    struct error error = {0};
    struct job_filter filter;
    const struct arguments *arguments = invocation->arguments;
    struct export export = {.filter = &filter,
                            .finished = arguments_has(arguments, "finished"),
                            .new_lives = arguments_has(arguments, "no-incarnation"),
                            .terminal = invocation->settings->width > 0};
    bool done = job_filter_read(&filter, arguments, &error);
    if (done && arguments->positional_count > 0)
        done = error_invalid(&error, CODE_USAGE, "\"%.60s\" is too much: export takes "
                             "selectors and writes to stdout", arguments->positionals[0]);
    if (done) {
        export.arena = arena_create();
        text_writer_init(&export.line);
        done = export_jobs(&export, invocation->settings, &error);
        text_writer_free(&export.line);
        arena_destroy(export.arena);
    }
    job_filter_free(&filter);
    if (!done && error.code == CODE_NOT_WHOLE)
        (void)fprintf(stderr, "belfry: %zu jobs were there, others are missing\n", export.written);
    if (!done) return exit_with(&error);
    (void)fprintf(stderr, "belfry: %zu jobs", export.written);
    if (export.left_out > 0)
        (void)fprintf(stderr, "; %zu finished ones were left out: --finished exports them, too",
                      export.left_out);
    (void)fputc('\n', stderr);
    return CLI_OK;
}
