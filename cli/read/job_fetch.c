#include "cli/read/job_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kafka/redis_reader.h"
#include "cli/words/selection.h"
#include "lib/base/hash.h"
#include "store/store_redis_query.h"

static bool read_name(const struct arguments *arguments, const char *command,
                      char name[JOB_NAME_BYTES], struct text *group, struct error *error)
{
    const char *flag_group = arguments_value(arguments, "group");
    const char *flag_id = arguments_value(arguments, "id");
    struct text id = text_of(flag_id);
    *group = text_of(flag_group);
    bool word = arguments->positional_count == 1 && flag_group == NULL && flag_id == NULL;
    bool flags = arguments->positional_count == 0 && flag_group != NULL && flag_id != NULL;
    if (!word && !flags)
        return error_invalid(error, CODE_USAGE, "which job? belfry %s GROUP/ID", command);
    if (word && !job_name_split(arguments->positionals[0], group, &id, error)) return false;
    if (!job_name_check(*group, id, error)) return false;
    (void)snprintf(name, JOB_NAME_BYTES, "%.*s/%.*s", (int)group->length, group->bytes,
                   (int)id.length, id.bytes);
    return true;
}

/* The one snapshot that is wanted. */
struct wanted {
    int32_t shard;
    int64_t watermark_ms;
};

static bool note_snapshot(void *opaque, int32_t shard, bool found, const struct snapshot *snapshot,
                          struct error *error)
{
    struct wanted *wanted = opaque;
    (void)error;
    if (found && shard == wanted->shard)
        wanted->watermark_ms = snapshot->mark.watermark.instant_ms;
    return true;
}

bool job_fetch(struct job_fetched *job, const struct settings *settings, const char *command,
               struct error *error)
{
    struct text group;
    struct redis_reader reader;
    if (!read_name(settings->arguments, command, job->name, &group, error) ||
        !redis_reader_open(&reader, settings, error))
        return false;
    job->shard = (int32_t)shard_of_key(group.bytes, group.length, (uint32_t)reader.shards);
    struct wanted wanted = {job->shard, INT64_MIN};
    bool got = store_redis_get_job(reader.store, job->shard, job->name, strlen(job->name),
                                   &job->text, &job->text_bytes, error) &&
               store_redis_read_snapshots(reader.store, reader.shards, note_snapshot, &wanted,
                                          error);
    /* What is not there may be lost: then nothing can be said. */
    if (got && job->text == NULL)
        got = store_redis_check_whole(reader.store, reader.shards, error);
    redis_reader_close(&reader);
    job->watermark_ms = wanted.watermark_ms;
    if (got && job->text == NULL)
        got = error_invalid(error, CODE_NOT_FOUND, "there is no job %s; belfry list shows "
                            "those that are", job->name);
    return got;
}

void job_fetched_free(struct job_fetched *job)
{
    free(job->text);
    job->text = NULL;
}
