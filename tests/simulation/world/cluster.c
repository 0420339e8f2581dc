#include "tests/simulation/world/cluster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/workers/workers.h"
#include "tests/simulation/world/json_scan.h"
#include "tests/simulation/world/world.h"

enum { TRANSACTION_TIMEOUT_MS = 15000, MARKERS_LATE_MS = 40 };

static const char *const foreign_names[FOREIGN_TOPICS] = {"orders", "mail", "audit"};

const char *foreign_topic_name(int32_t index)
{
    assert(index >= 0 && index < FOREIGN_TOPICS);
    return foreign_names[index];
}

int32_t foreign_topic_index(const char *name)
{
    for (int32_t i = 0; i < FOREIGN_TOPICS; i++)
        if (strcmp(foreign_names[i], name) == 0) return i;
    return -1;
}

struct log *cluster_log(struct cluster *cluster, enum broker_topic topic, int32_t partition)
{
    if (partition < 0) return NULL; /* by key: of a topic that is not ours */
    assert(partition < SIM_SHARDS_MAX);
    switch (topic) {
    case TOPIC_CONTROL: return &cluster->control[partition];
    case TOPIC_FORWARD: return &cluster->forward[partition];
    case TOPIC_STATE: return &cluster->state[partition];
    case TOPIC_RUNS: return &cluster->runs[partition];
    default: return NULL;
    }
}

struct log *cluster_fires(struct cluster *cluster, int32_t foreign, int32_t partition)
{
    assert(foreign < FOREIGN_TOPICS && partition >= 0 && partition < FIRES_PARTITIONS);
    return foreign < 0 ? &cluster->fires[partition] : &cluster->foreign_fires[foreign];
}

/* ---- records ---- */

void record_free(struct record *record)
{
    if (!record->logged && !record->kept) free(record);
}

/* Out of its log. */
static void unlog(struct record *record)
{
    record->logged = false;
    record_free(record);
}

static char *put(char *at, struct text text, struct text *copy)
{
    if (text.length > 0) memcpy(at, text.bytes, text.length);
    *copy = (struct text){at, text.length};
    at[text.length] = '\0';
    return at + text.length + 1;
}

struct record *record_copy(const struct broker_record *from)
{
    size_t bytes = sizeof(struct record) + from->header_count * sizeof(struct broker_header) +
                   from->key.length + from->value.length + 2;
    for (size_t i = 0; i < from->header_count; i++)
        bytes += strlen(from->headers[i].name) + from->headers[i].value.length + 2;
    struct record *record = memory_resize(NULL, 1, bytes);
    *record = (struct record){.topic = from->topic,
                              .partition = from->partition,
                              .foreign = from->foreign_topic == NULL
                                             ? -1 : foreign_topic_index(from->foreign_topic),
                              .tombstone = from->value.bytes == NULL,
                              .wants_receipt = from->wants_receipt,
                              .header_count = from->header_count};
    char *at = (char *)&record->headers[from->header_count];
    at = put(at, from->key, &record->key);
    at = put(at, from->value, &record->value);
    for (size_t i = 0; i < from->header_count; i++) {
        struct text name;
        at = put(at, text_of(from->headers[i].name), &name);
        record->headers[i].name = name.bytes;
        at = put(at, from->headers[i].value, &record->headers[i].value);
    }
    return record;
}

bool cluster_too_large(const struct cluster *cluster, const struct record *record)
{
    if (record->topic == TOPIC_FOREIGN || cluster->own_limit[record->topic] == 0) return false;
    size_t bytes = record->key.length + record->value.length;
    for (size_t i = 0; i < record->header_count; i++)
        bytes += strlen(record->headers[i].name) + record->headers[i].value.length;
    return (int64_t)bytes > cluster->own_limit[record->topic];
}

/* ---- logs ---- */

static void log_add(struct log *log, struct record *record)
{
    log->records = memory_grow(log->records, &log->capacity, log->count + 1,
                               sizeof *log->records);
    log->records[log->count++] = record;
    record->logged = true;
}

int64_t log_stable_offset(const struct log *log)
{
    int64_t offset = log->next_offset;
    for (size_t i = 0; i < log->open_count; i++)
        if (log->open[i].first_offset < offset) offset = log->open[i].first_offset;
    return offset;
}

/* Index of the first record at or after the offset. */
static size_t log_find(const struct log *log, int64_t offset)
{
    size_t low = 0;
    size_t high = log->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (log->records[middle]->offset < offset) low = middle + 1;
        else high = middle;
    }
    return low;
}

const struct record *log_next(const struct log *log, int64_t offset)
{
    int64_t stable = log_stable_offset(log);
    if (offset >= stable) return NULL;
    for (size_t i = log_find(log, offset); i < log->count; i++) {
        const struct record *record = log->records[i];
        if (record->offset >= stable) return NULL;
        if (!record->marker && !record->aborted) return record;
    }
    return NULL;
}

/* A fire by its key, as a producer with murmur2 would; which hash it is nobody asks here. */
static int32_t partition_of_key(struct text key)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < key.length; i++)
        hash = (hash ^ (unsigned char)key.bytes[i]) * 16777619U;
    return (int32_t)(hash % FIRES_PARTITIONS);
}

/* Fires with a lease are what workers read; where nobody reads them there are none. */
static struct log *log_of(struct world *world, struct record *record)
{
    struct cluster *cluster = &world->cluster;
    bool fire = record->topic == TOPIC_FIRES || record->topic == TOPIC_FOREIGN;
    if (!world->settings.runs || !fire)
        return cluster_log(cluster, record->topic, record->partition);
    record->leased = scan_after(record->value, ",\"leasems\":").length > 0;
    record->partition = record->topic == TOPIC_FIRES ? partition_of_key(record->key) : 0;
    return cluster_fires(cluster, record->foreign, record->partition);
}

/* Gives the record its place; a log keeps it. */
static void place(struct world *world, struct record *record)
{
    struct cluster *cluster = &world->cluster;
    struct log *log = log_of(world, record);
    record->time_ms = world_now_ms(world);
    if (log == NULL) {
        int32_t partition = record->partition < 0 ? 0 : record->partition;
        record->offset = cluster->other_offset[record->topic][partition]++;
        return;
    }
    record->offset = log->next_offset++;
    bool fire = record->topic == TOPIC_FIRES || record->topic == TOPIC_FOREIGN;
    if (record->topic == TOPIC_RUNS &&
        cluster->runs_back_until_us[record->partition] > world->now_us)
        record->time_ms -= cluster->runs_back_ms[record->partition];
    if (!fire || record->leased) log_add(log, record);
    if (record->topic == TOPIC_RUNS) work_log_record(world, record->partition, record);
}

/* False: nothing of the transaction is in the log. */
static bool marker(struct world *world, struct log *log, struct transaction *transaction)
{
    size_t at = 0;
    while (at < log->open_count && log->open[at].serial != transaction->serial) at++;
    if (at == log->open_count) return false;
    int64_t first = log->open[at].first_offset;
    log->open[at] = log->open[--log->open_count];
    for (size_t i = log_find(log, first); !transaction->committed && i < log->count; i++)
        if (log->records[i]->transaction == transaction->serial) log->records[i]->aborted = true;
    struct record *record = record_copy(&(struct broker_record){.topic = TOPIC_STATE});
    record->marker = true;
    record->time_ms = world_now_ms(world);
    record->offset = log->next_offset++;
    record->transaction = transaction->serial;
    log_add(log, record);
    return true;
}

/* ---- readers hear of it ---- */

static void tell(struct world *world, enum broker_topic topic, int32_t partition)
{
    if (cluster_log(&world->cluster, topic, partition) == NULL) return;
    for (int32_t p = 0; p < world->settings.processes; p++) {
        struct seat *slot = &world->processes[p].slots[partition];
        if (slot->waiting && slot->reading)
            slot_wake(slot, world->now_us + world_latency_us(world, 500, 20 * MILLI_US));
    }
}

int64_t cluster_append(struct world *world, struct record *record)
{
    place(world, record);
    if (record->topic == TOPIC_RUNS)
        run_facts_append(&world->facts, record->partition,
                         &(struct run_appended){.offset = record->offset,
                                                .time_ms = record->time_ms,
                                                .at_ms = world_now_ms(world),
                                                .text = record->value});
    tell(world, record->topic, record->partition);
    return record->offset;
}

/* A client's transaction has ended; it is the only one of its serial. */
static void hidden_no_more(void *object, int64_t serial)
{
    struct world *world = object;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        struct log *log = &world->cluster.runs[shard];
        for (size_t i = 0; i < log->open_count; i++) {
            if ((int64_t)log->open[i].serial != serial) continue;
            log->open[i] = log->open[--log->open_count];
            tell(world, TOPIC_RUNS, shard);
            return;
        }
    }
}

void cluster_hide(struct world *world, enum broker_topic topic, int32_t partition, int64_t for_us)
{
    struct log *log = cluster_log(&world->cluster, topic, partition);
    if (log->open_count > SIM_SHARDS_MAX) return;
    uint64_t serial = ++world->cluster.serial;
    log->open[log->open_count++] = (struct open_transaction){serial, log->next_offset};
    agenda_add(&world->agenda, world->now_us + for_us, hidden_no_more, world, (int64_t)serial);
}

/* ---- transactions ---- */

static void transaction_free(struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->count; i++) record_free(transaction->records[i]);
    free(transaction->records);
    free(transaction);
}

/* All markers are written: the producer can begin another transaction. */
static void markers_written(void *object, int64_t shard)
{
    struct world *world = object;
    struct producer *producer = &world->cluster.producers[shard];
    struct transaction *transaction = producer->transaction;
    assert(producer->state == PRODUCER_ENDING && transaction != NULL);
    for (int32_t p = 0; p < world->settings.shards; p++) {
        (void)marker(world, &world->cluster.forward[p], transaction);
        (void)marker(world, &world->cluster.state[p], transaction);
        tell(world, TOPIC_FORWARD, p);
        tell(world, TOPIC_STATE, p);
    }
    for (int32_t p = 0; world->settings.runs && p < FIRES_PARTITIONS; p++)
        if (marker(world, &world->cluster.fires[p], transaction))
            workers_fires(world, &world->cluster.fires[p]);
    for (int32_t topic = 0; world->settings.runs && topic < FOREIGN_TOPICS; topic++)
        if (marker(world, &world->cluster.foreign_fires[topic], transaction))
            workers_fires(world, &world->cluster.foreign_fires[topic]);
    producer->state = PRODUCER_EMPTY;
    producer->transaction = NULL;
    transaction_free(transaction);
}

static void decide(struct world *world, int32_t shard, bool commit)
{
    struct producer *producer = &world->cluster.producers[shard];
    struct transaction *transaction = producer->transaction;
    assert(producer->state == PRODUCER_ONGOING);
    if (world->now_us - transaction->began_us > SECOND_US && world->hold_count < CUTS_MAX)
        world->holds[world->hold_count++] =
            (struct cut){world->settings.start_ms + transaction->began_us / MILLI_US,
                         world_now_ms(world)};
    transaction->committed = commit;
    producer->state = PRODUCER_ENDING;
    producer->last_committed = commit;
    producer->any_ended = true;
    if (commit) history_commit(world, transaction);
    if (random_chance(&world->dice, 1, 8))
        agenda_add(&world->agenda,
                   world->now_us + world_latency_us(world, 100, MARKERS_LATE_MS * MILLI_US),
                   markers_written, world, shard);
    else
        markers_written(world, shard);
}

/* The coordinator gives up a transaction that takes too long, and fences its producer. */
static void transaction_expires(void *object, int64_t serial)
{
    struct world *world = object;
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        struct producer *producer = &world->cluster.producers[shard];
        if (producer->state != PRODUCER_ONGOING ||
            (int64_t)producer->transaction->serial != serial)
            continue;
        world_trace(world, "the coordinator gives up the transaction of shard %d", (int)shard);
        producer->epoch++;
        world->sometimes.count[SOMETIMES_COORDINATOR_TIMEOUT]++;
        decide(world, shard, false);
    }
}

enum answer cluster_init(struct world *world, int32_t shard, int64_t *epoch)
{
    struct producer *producer = &world->cluster.producers[shard];
    if (producer->state == PRODUCER_ONGOING) {
        producer->epoch++;
        decide(world, shard, false);
    }
    if (producer->state == PRODUCER_ENDING) return ANSWER_BUSY;
    *epoch = ++producer->epoch;
    producer->any_ended = false;
    return ANSWER_DONE;
}

static void begin(struct world *world, int32_t shard)
{
    struct producer *producer = &world->cluster.producers[shard];
    struct transaction *transaction = memory_allocate(1, sizeof *transaction);
    transaction->serial = ++world->cluster.serial;
    transaction->shard = shard;
    transaction->began_us = world->now_us;
    producer->transaction = transaction;
    producer->state = PRODUCER_ONGOING;
}

static void add_to(struct world *world, struct transaction *transaction, struct record *record)
{
    record->transaction = transaction->serial;
    place(world, record);
    transaction->records = memory_grow(transaction->records, &transaction->capacity,
                                       transaction->count + 1, sizeof *transaction->records);
    transaction->records[transaction->count++] = record;
    if (!record->logged) return;
    struct log *log = log_of(world, record);
    for (size_t i = 0; i < log->open_count; i++)
        if (log->open[i].serial == transaction->serial) return;
    assert(log->open_count < SIM_SHARDS_MAX);
    log->open[log->open_count++] =
        (struct open_transaction){transaction->serial, record->offset};
}

/* A topic that has failed is tried by one record at a time. */
static void judge_probes(struct world *world, int32_t shard, struct record *const *records,
                         size_t count)
{
    int tried[FOREIGN_TOPICS] = {0};
    for (size_t i = 0; i < count; i++)
        if (records[i]->topic == TOPIC_FOREIGN) tried[records[i]->foreign]++;
    for (int32_t topic = 0; topic < FOREIGN_TOPICS; topic++) {
        if (tried[topic] == 0 || world->cluster.foreign[topic] == FOREIGN_GOOD) continue;
        if (tried[topic] > 1 && world->bad_seen[shard][topic])
            world_violation(world, "suspect: shard %d sends %d records to %s, which failed before",
                            (int)shard, tried[topic], foreign_topic_name(topic));
        world->bad_seen[shard][topic] = true;
    }
}

enum answer cluster_produce(struct world *world, int32_t shard, int64_t epoch,
                            struct record **records, size_t count)
{
    struct producer *producer = &world->cluster.producers[shard];
    bool fenced = producer->epoch != epoch;
    bool denied = false;
    if (!fenced && producer->state == PRODUCER_ENDING) return ANSWER_BUSY;
    for (size_t i = 0; i < count; i++)
        denied = denied || cluster_too_large(&world->cluster, records[i]) ||
                 (records[i]->topic == TOPIC_FOREIGN &&
                  world->cluster.foreign[records[i]->foreign] != FOREIGN_GOOD);
    if (denied && !fenced) judge_probes(world, shard, records, count);
    if (!fenced && producer->state == PRODUCER_EMPTY && count > 0) begin(world, shard);
    for (size_t i = 0; i < count; i++) {
        if (fenced || denied) free(records[i]);
        else add_to(world, producer->transaction, records[i]);
    }
    return fenced ? ANSWER_FENCED : denied ? ANSWER_DENIED : ANSWER_DONE;
}

/* Only transactions that last are looked at again: most end in a moment. */
static void watch(struct world *world, const struct transaction *transaction)
{
    agenda_add(&world->agenda,
               transaction->began_us + TRANSACTION_TIMEOUT_MS * MILLI_US +
                   world_latency_us(world, 0, 10 * SECOND_US),
               transaction_expires, world, (int64_t)transaction->serial);
}

void cluster_watch(struct world *world, int32_t shard)
{
    const struct producer *producer = &world->cluster.producers[shard];
    if (producer->state == PRODUCER_ONGOING) watch(world, producer->transaction);
}

enum answer cluster_end(struct world *world, int32_t shard, int64_t epoch, bool commit)
{
    struct producer *producer = &world->cluster.producers[shard];
    if (producer->epoch != epoch) return ANSWER_FENCED;
    switch (producer->state) {
    case PRODUCER_ENDING:
        return producer->last_committed == commit ? ANSWER_BUSY : ANSWER_WRONG_STATE;
    case PRODUCER_EMPTY:
        return producer->any_ended && producer->last_committed == commit ? ANSWER_DONE
                                                                         : ANSWER_WRONG_STATE;
    case PRODUCER_ONGOING: break;
    }
    decide(world, shard, commit);
    return ANSWER_DONE;
}

void cluster_give_up(struct world *world, int32_t shard)
{
    if (world->cluster.producers[shard].state == PRODUCER_ONGOING) decide(world, shard, false);
}

/* ---- groups of workers ---- */

static struct group_commit *find_commit(const struct cluster *cluster, const char *group,
                                        const char *topic, int32_t partition)
{
    for (size_t i = 0; i < cluster->commit_count; i++) {
        struct group_commit *commit = &cluster->commits[i];
        if (commit->partition == partition && strcmp(commit->group, group) == 0 &&
            strcmp(commit->topic, topic) == 0)
            return commit;
    }
    return NULL;
}

int64_t cluster_committed(const struct cluster *cluster, const char *group, const char *topic,
                          int32_t partition)
{
    const struct group_commit *commit = find_commit(cluster, group, topic, partition);
    return commit == NULL ? -1 : commit->offset;
}

void cluster_commit_offset(struct world *world, const char *group, const char *topic,
                           int32_t partition, int64_t offset)
{
    struct cluster *cluster = &world->cluster;
    struct group_said said = {.shard = -1, .time_ms = world_now_ms(world), .partition = partition,
                              .committed = offset};
    (void)snprintf(said.group, sizeof said.group, "%s", group);
    (void)snprintf(said.topic, sizeof said.topic, "%s", topic);
    run_facts_said(&world->facts, &said);
    struct group_commit *commit = find_commit(cluster, group, topic, partition);
    if (commit == NULL) {
        cluster->commits = memory_grow(cluster->commits, &cluster->commit_capacity,
                                       cluster->commit_count + 1, sizeof *cluster->commits);
        commit = &cluster->commits[cluster->commit_count++];
        *commit = (struct group_commit){.partition = partition};
        (void)snprintf(commit->group, sizeof commit->group, "%s", group);
        (void)snprintf(commit->topic, sizeof commit->topic, "%s", topic);
    }
    commit->offset = offset;
}

/* ---- housekeeping ---- */

void cluster_retire(struct cluster *cluster, struct record *record)
{
    cluster->retired = memory_grow(cluster->retired, &cluster->retired_capacity,
                                   cluster->retired_count + 1, sizeof *cluster->retired);
    cluster->retired[cluster->retired_count++] = record;
}

static bool same_key(const struct record *a, const struct record *b)
{
    return text_equal(a->key, b->key);
}

void cluster_compact(struct world *world, int32_t shard)
{
    struct log *log = &world->cluster.state[shard];
    int64_t stable = log_stable_offset(log);
    size_t last = log_find(log, stable);
    size_t kept = 0;
    size_t marks = 0;
    for (size_t i = last; i-- > 0 && marks == 0;)
        if (!log->records[i]->marker && !log->records[i]->aborted &&
            text_equal(log->records[i]->key, text_of("mark")))
            marks = i;
    /* The newest part is never compacted, as a broker leaves its active segment alone. */
    for (size_t i = 0; i < log->count; i++) {
        struct record *record = log->records[i];
        bool gone = i < marks && (record->marker || record->aborted ||
                                  text_equal(record->key, text_of("mark")));
        for (size_t later = i + 1; !gone && i < marks && later < last; later++)
            gone = !log->records[later]->marker && !log->records[later]->aborted &&
                   same_key(log->records[later], record);
        if (gone) unlog(record);
        else log->records[kept++] = record;
    }
    world->sometimes.count[SOMETIMES_COMPACTED] += kept < log->count;
    log->count = kept;
    log->synced_offset = stable; /* only what has been flushed is compacted */
}

static void log_retain(struct world *world, struct log *log, int64_t before_ms, int64_t consumed)
{
    size_t gone = 0;
    /* What was not read is kept here; markers and aborted records nobody reads. */
    while (gone < log->count && log->records[gone]->time_ms < before_ms &&
           (log->records[gone]->offset < consumed || log->records[gone]->marker ||
            log->records[gone]->aborted))
        cluster_retire(&world->cluster, log->records[gone++]);
    if (gone == 0) return;
    log->first_offset = gone < log->count ? log->records[gone]->offset : log->next_offset;
    memmove(log->records, log->records + gone, (log->count - gone) * sizeof *log->records);
    log->count -= gone;
    world->sometimes.count[SOMETIMES_RETAINED]++;
}

void cluster_retain_runs(struct world *world, int32_t shard, int64_t before_ms)
{
    log_retain(world, &world->cluster.runs[shard], before_ms, INT64_MAX);
}

void cluster_retain(struct world *world, int64_t before_ms)
{
    for (int32_t shard = 0; shard < world->settings.shards; shard++) {
        const struct history *history = &world->history;
        const struct step *step = NULL; /* an old one: a loss may have taken those after it */
        for (size_t i = history->step_count[shard]; i-- > 0 && step == NULL;)
            if (history->steps[shard][i].time_ms < before_ms && !loss_took(world, shard, i))
                step = &history->steps[shard][i];
        if (step == NULL) continue;
        log_retain(world, &world->cluster.control[shard], before_ms, step->mark.control_offset);
        log_retain(world, &world->cluster.forward[shard], before_ms, step->mark.forward_offset);
    }
}

static void log_close(struct log *log)
{
    for (size_t i = 0; i < log->count; i++) unlog(log->records[i]);
    free(log->records);
}

void cluster_close(struct world *world)
{
    struct cluster *cluster = &world->cluster;
    for (int32_t shard = 0; shard < SIM_SHARDS_MAX; shard++)
        if (cluster->producers[shard].transaction != NULL)
            transaction_free(cluster->producers[shard].transaction);
    for (int32_t shard = 0; shard < SIM_SHARDS_MAX; shard++) {
        log_close(&cluster->control[shard]);
        log_close(&cluster->forward[shard]);
        log_close(&cluster->state[shard]);
        log_close(&cluster->runs[shard]);
    }
    for (int32_t p = 0; p < FIRES_PARTITIONS; p++) log_close(&cluster->fires[p]);
    for (int32_t t = 0; t < FOREIGN_TOPICS; t++) log_close(&cluster->foreign_fires[t]);
    free(cluster->commits);
    for (size_t i = 0; i < cluster->retired_count; i++) unlog(cluster->retired[i]);
    free(cluster->retired);
}
