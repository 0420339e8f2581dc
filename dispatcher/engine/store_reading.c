#include "dispatcher/engine/store_reading.h"

#include <inttypes.h>
#include <stdlib.h>

#include "dispatcher/engine/replay.h"
#include "lib/base/memory.h"
#include "store/store_whole.h"

struct store_reading {
    struct engine *engine;
    int64_t *sequences; /* of the remembered records, in the order they came, some perhaps twice */
    size_t count;
    size_t capacity;
};

static bool visit(void *opaque, const struct store_item *item, struct error *error)
{
    struct store_reading *reading = opaque;
    if (!replay_store_item(reading->engine, item, error)) return false;
    if (item->kind != STORE_SEEN_PUT) return true;
    int64_t sequence = 0;
    for (size_t i = 0; i < item->name_bytes; i++) sequence = sequence * 10 + (item->name[i] - '0');
    reading->sequences = memory_grow(reading->sequences, &reading->capacity, reading->count + 1,
                                     sizeof *reading->sequences);
    reading->sequences[reading->count++] = sequence;
    return true;
}

static int by_number(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int64_t distinct(struct store_reading *reading)
{
    int64_t count = 0;
    if (reading->count == 0) return 0;
    qsort(reading->sequences, reading->count, sizeof *reading->sequences, by_number);
    for (size_t i = 0; i < reading->count; i++)
        count += i == 0 || reading->sequences[i] != reading->sequences[i - 1];
    return count;
}

static bool compare(const char *what, int64_t found, int64_t expected, struct error *error)
{
    if (expected < 0 || found == expected) return true;
    return error_set(error, ERROR_RETRY, "%" PRId64 " %s read, the snapshot says %" PRId64, found,
                     what, expected);
}

bool store_reading_run(struct engine *engine, const struct snapshot *snapshot,
                       struct error *error)
{
    struct checkpoint_port *port = engine->ports.checkpoint;
    struct store_reading reading = {.engine = engine};
    bool read = port->operations->read_items(port, visit, &reading, error);
    int64_t seen = read ? distinct(&reading) : 0;
    int64_t jobs = (int64_t)shard_job_count(engine->shard);
    free(reading.sequences);
    return read && compare("jobs", jobs, snapshot->job_count, error) &&
           compare("remembered records", seen, snapshot->seen_count, error) &&
           snapshot_check_whole(snapshot, error);
}
