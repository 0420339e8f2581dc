#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/kafka/redis_reader.h"
#include "cli/read/result_view.h"
#include "cli/show/cli_clock.h"
#include "cli/show/job_view.h"
#include "cli/show/print_table.h"
#include "cli/words/cli.h"
#include "cli/words/watch.h"
#include "dispatcher/engine/step_aside.h"
#include "lib/base/memory.h"
#include "lib/time/instant.h"
#include "store/store_redis_health.h"
#include "store/store_redis_query.h"
#include "store/store_whole.h"

static const struct table_column columns[] = {
    {"SHARD", true, 0}, {"OWNER", false, 16},     {"EPOCH", true, 0},  {"SEQUENCE", true, 0},
    {"JOBS", true, 0},  {"WATERMARK", false, 0},  {"LAG MS", true, 0}, {"WRITTEN AT", false, 0},
    {"STATE", false, 0},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], CELL_BYTES = 128 };

struct shard_listing {
    const struct settings *settings;
    struct table *table; /* -o table */
    json_t *array;       /* -o json, ndjson */
    int64_t now_ms;
    const struct shard_report *reports; /* of all shards; owner "": nobody says how it is */
};

static void format_instant(int64_t instant_ms, char text[INSTANT_TEXT_BYTES])
{
    text[0] = '\0';
    if (instant_in_range(instant_ms)) instant_format(instant_ms, text);
}

/* The watermark of an idle shard stands still between its marks: lag is how far it is behind
 * now, an upper bound. */
static int64_t lag_ms(const struct shard_listing *listing, const struct snapshot *snapshot)
{
    int64_t lag = listing->now_ms - snapshot->mark.watermark.instant_ms;
    assert(listing->now_ms > 0);
    return lag > 0 ? lag : 0;
}

/* What the daemon that runs it said a moment ago. */
static void format_state(const struct shard_report *report, char *text, size_t bytes)
{
    (void)snprintf(text, bytes, "%s", report->owner[0] == '\0' ? "-" : report->state);
    if (report->still_ms >= SHARD_STUCK_MS)
        (void)snprintf(text, bytes, "stuck %" PRId64 " s (%s)", report->still_ms / 1000,
                       report->state);
}

static void add_health(json_t *object, const struct shard_report *report)
{
    if (report->owner[0] == '\0') return;
    const char *state = report->still_ms >= SHARD_STUCK_MS ? "stuck" : report->state;
    json_t *more = json_pack("{s:s, s:s, s:I, s:I}", "run_by", report->owner, "state", state,
                             "still_ms", (json_int_t)report->still_ms, "clock_ahead_ms",
                             (json_int_t)report->clock_ahead_ms);
    (void)json_object_update(object, more);
    json_decref(more);
}

static void add_object(struct shard_listing *listing, int32_t shard, bool found,
                       const struct snapshot *snapshot)
{
    char watermark[INSTANT_TEXT_BYTES];
    char written[INSTANT_TEXT_BYTES];
    assert(json_is_array(listing->array));
    json_t *object = json_pack("{s:i}", "shard", (int)shard);
    if (found) {
        const struct mark *mark = &snapshot->mark;
        format_instant(mark->watermark.instant_ms, watermark);
        format_instant(snapshot->written_at_ms, written);
        json_t *more = json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:s}", "owner", mark->owner,
            "generation", (json_int_t)mark->generation, "epoch", (json_int_t)mark->epoch,
            "sequence", (json_int_t)mark->sequence, "job_count", (json_int_t)snapshot->job_count,
            "watermark", watermark, "lag_ms", (json_int_t)lag_ms(listing, snapshot),
            "control_offset", (json_int_t)mark->inputs[INPUT_CONTROL].offset, "state_offset",
            (json_int_t)snapshot->state_offset, "written_at", written);
        (void)json_object_set_new(more, "whole",
                                  json_boolean(snapshot_check_whole(snapshot,
                                                                    &(struct error){0})));
        (void)json_object_update(object, more);
        json_decref(more);
    }
    add_health(object, &listing->reports[shard]);
    (void)json_array_append_new(listing->array, object);
}

/* "300", or "150 of 300" where Redis has lost the others. */
static void format_jobs(const struct snapshot *snapshot, char text[CELL_BYTES])
{
    struct error error = {0};
    if (snapshot_check_whole(snapshot, &error))
        (void)snprintf(text, CELL_BYTES, "%" PRId64, snapshot->job_count);
    else if (snapshot->there.jobs == snapshot->held.jobs)
        (void)snprintf(text, CELL_BYTES, "%" PRId64 ", not whole", snapshot->job_count);
    else
        (void)snprintf(text, CELL_BYTES, "%" PRId64 " of %" PRId64, snapshot->there.jobs,
                       snapshot->held.jobs);
}

static void add_row(struct shard_listing *listing, int32_t shard, bool found,
                    const struct snapshot *snapshot)
{
    char text[COLUMNS][CELL_BYTES];
    char instant[INSTANT_TEXT_BYTES];
    struct table_cell cells[COLUMNS];
    assert(listing->table != NULL);
    for (int i = 0; i < COLUMNS; i++) (void)snprintf(text[i], CELL_BYTES, "-");
    (void)snprintf(text[0], CELL_BYTES, "%" PRId32, shard);
    if (found) {
        const struct mark *mark = &snapshot->mark;
        (void)snprintf(text[1], CELL_BYTES, "%s", mark->owner);
        (void)snprintf(text[2], CELL_BYTES, "%" PRId64, mark->epoch);
        (void)snprintf(text[3], CELL_BYTES, "%" PRId64, mark->sequence);
        format_jobs(snapshot, text[4]);
        format_instant(mark->watermark.instant_ms, instant);
        time_shorten(instant, text[5], CELL_BYTES);
        (void)snprintf(text[6], CELL_BYTES, "%" PRId64, lag_ms(listing, snapshot));
        format_instant(snapshot->written_at_ms, instant);
        time_shorten(instant, text[7], CELL_BYTES);
    }
    format_state(&listing->reports[shard], text[8], CELL_BYTES);
    for (int i = 0; i < COLUMNS; i++)
        cells[i] = (struct table_cell){text_of(text[i]), found ? TONE_PLAIN : TONE_DIM};
    table_add(listing->table, cells);
}

static bool visit(void *opaque, int32_t shard, bool found, const struct snapshot *snapshot,
                  struct error *error)
{
    struct shard_listing *listing = opaque;
    assert(shard >= 0);
    (void)error;
    if (listing->array != NULL) add_object(listing, shard, found, snapshot);
    else if (listing->table != NULL) add_row(listing, shard, found, snapshot);
    else (void)printf("%" PRId32 "\n", shard);
    return true;
}

static enum exit_code shards_once(const struct invocation *invocation)
{
    const struct settings *settings = invocation->settings;
    struct shard_listing listing = {.settings = settings, .now_ms = cli_now_ms()};
    struct error error = {0};
    struct redis_reader reader;
    if (invocation->arguments->positional_count > 0)
        (void)error_invalid(&error, CODE_USAGE, "shards takes no names");
    if (error.kind != ERROR_NONE || !redis_reader_open(&reader, settings, &error))
        return exit_with(&error);
    bool json = settings->output == OUTPUT_JSON || settings->output == OUTPUT_NDJSON;
    if (json) listing.array = json_array();
    else if (settings->output == OUTPUT_TABLE)
        listing.table =
            table_create(stdout, columns, COLUMNS, settings->width, settings->colour);
    struct shard_report *reports = memory_allocate(SHARDS_MAX, sizeof *reports);
    listing.reports = reports;
    bool read =
        store_redis_read_health(reader.store, reader.shards, reports, &error) &&
        store_redis_read_snapshots(reader.store, reader.shards, visit, &listing, &error);
    if (listing.table != NULL) table_finish(listing.table);
    if (read && json) value_print(settings, listing.array);
    json_decref(listing.array);
    free(reports);
    redis_reader_close(&reader);
    assert(read || error.kind != ERROR_NONE);
    return read ? CLI_OK : exit_with(&error);
}

enum exit_code command_shards(const struct invocation *invocation)
{
    return watch_or_once(invocation, shards_once);
}
