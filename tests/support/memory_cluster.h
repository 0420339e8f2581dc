/* memory_cluster.h - Kafka and Redis for one engine of one shard, in memory: logs that keep all
 * that is committed, a clock that runs while the engine waits, the memory store. Nothing fails but
 * what a test asks for: a process that ends before a commit, records that have gone, records
 * refused. */
#ifndef BELFRY_TEST_MEMORY_CLUSTER_H
#define BELFRY_TEST_MEMORY_CLUSTER_H

#include <stdlib.h>
#include <string.h>

#include "dispatcher/engine/engine.h"
#include "lib/base/memory.h"
#include "lib/base/utf8.h"
#include "schemas/mark_json.h"
#include "store/store_memory.h"

enum { CLUSTER_LOG_MAX = 20000, CLUSTER_VALUE_MAX = 2 << 20, CLUSTER_MARK_BYTES = 4096 };

struct cluster_record {
    char *key;   /* NULL: none */
    char *value; /* NULL: a tombstone */
    size_t key_bytes, value_bytes;
    int64_t log_time_ms;
    struct broker_header headers[BROKER_INPUT_HEADERS_MAX]; /* borrowed, of what goes in only */
    size_t header_count;
    bool gone; /* no reader gets it */
};

struct cluster_log {
    struct cluster_record *records;
    size_t count, capacity, committed;
    size_t first; /* those before were deleted by retention */
};

struct cluster_group { /* how far workers have committed; a later one counts */
    const char *name;
    const char *topic;
    int32_t partition;
    int64_t offset;
};
enum { CLUSTER_GROUPS_MAX = 8, CLUSTER_GROUP_BYTES = 64 };

struct cluster {
    struct broker broker; /* first: the port's pointer is ours */
    struct checkpoint_port checkpoint;
    struct clock clock;
    struct cluster_log logs[TOPIC_FOREIGN + 1];
    bool reading[TOPIC_FOREIGN + 1];
    size_t next[TOPIC_FOREIGN + 1];
    bool ended[TOPIC_FOREIGN + 1];
    bool in_transaction;
    bool wants_receipt;
    enum broker_topic last_topic;
    size_t replies; /* to topics that commands named */
    size_t replies_open; /* of the open transaction */
    int64_t commits_left;    /* then the process ends; -1: it does not */
    struct cluster_group groups[CLUSTER_GROUPS_MAX];
    size_t group_count;
    bool groups_silent; /* nobody answers for them */
    char asked_group[CLUSTER_GROUP_BYTES]; /* "": nothing is asked */
    bool foreign_refused;    /* what goes to topics that are not ours */
    void (*in_doubt)(struct cluster *own); /* the next commit is not sent, nobody knows, and this is
                                              what others do meanwhile; NULL: it is sent */
    const char *refused_key; /* of state records that are refused by name; NULL: none is */
    int64_t now_ms;
    int64_t end_ms; /* when the engine is asked to end */
    struct engine *engine;
    size_t outputs_max; /* of a transaction */
    bool runs;          /* are followed */
    bool append_times;  /* of reports */
    bool embedded;      /* an owner begins with what the store has */
    bool store_empty;   /* to whoever takes over */
    void (*meanwhile)(struct cluster *own); /* what others do while the engine waits; may be NULL */
    void *opaque;                           /* theirs */
    int64_t jobs;       /* of the shard when its last life ended */
    struct store_image *image;
    struct store *store;
    enum checkpoint_state answer;
    int32_t next_part;
    struct store_position position;
};

static void require(bool condition)
{
    if (!condition) abort();
}

static struct cluster *cluster_of_port(struct checkpoint_port *port)
{
    return (struct cluster *)(void *)((char *)port - offsetof(struct cluster, checkpoint));
}

static char *cluster_copy(struct text text)
{
    if (text.bytes == NULL) return NULL;
    char *copy = memory_allocate(text.length + 1, 1);
    memcpy(copy, text.bytes, text.length);
    return copy;
}

static struct cluster_record *cluster_append(struct cluster_log *log, struct text key,
                                             struct text value, int64_t log_time_ms)
{
    require(log->count < CLUSTER_LOG_MAX);
    if (log->count == log->capacity) {
        log->capacity = log->capacity == 0 ? 64 : 2 * log->capacity;
        log->records = realloc(log->records, log->capacity * sizeof *log->records);
        require(log->records != NULL);
    }
    struct cluster_record *record = &log->records[log->count++];
    memset(record, 0, sizeof *record);
    record->key = cluster_copy(key);
    record->value = cluster_copy(value);
    record->key_bytes = key.length;
    record->value_bytes = value.length;
    record->log_time_ms = log_time_ms;
    return record;
}

static struct text cluster_text(const char *bytes, size_t length)
{
    return (struct text){bytes, bytes == NULL ? 0 : length};
}

/* --- transactions --- */

static bool cluster_prove(struct broker *broker, int64_t control_offset, struct error *error)
{
    struct cluster *own = (struct cluster *)broker;
    require(control_offset <= (int64_t)own->logs[TOPIC_CONTROL].count);
    (void)error;
    return true;
}

static void cluster_forget(struct cluster_log *log, size_t from)
{
    for (size_t i = from; i < log->count; i++) {
        free(log->records[i].key);
        free(log->records[i].value);
    }
    log->count = from;
}

static void cluster_close(struct broker *broker)
{
    struct cluster *own = (struct cluster *)broker;
    for (int topic = 0; topic <= TOPIC_FOREIGN; topic++)
        cluster_forget(&own->logs[topic], own->logs[topic].committed);
    own->in_transaction = false;
    own->replies_open = 0;
}

/* Opens a producer, or aborts: what is not committed has never been. */
static bool cluster_anew(struct broker *broker, struct error *error)
{
    (void)error;
    cluster_close(broker);
    return true;
}

static bool cluster_begin(struct broker *broker, struct error *error)
{
    struct cluster *own = (struct cluster *)broker;
    (void)error;
    require(!own->in_transaction);
    own->in_transaction = true;
    return true;
}

/* What Belfry writes has to be readable: text, on one line, within what a topic takes. */
static bool cluster_produce(struct broker *broker, const struct broker_record *record,
                            struct error *error)
{
    struct cluster *own = (struct cluster *)broker;
    require(own->in_transaction);
    require(record->value.length <= CLUSTER_VALUE_MAX && record->key.length <= CLUSTER_VALUE_MAX);
    require(record->partition == 0 || record->partition == BROKER_PARTITION_BY_KEY);
    if (own->refused_key != NULL && record->topic == TOPIC_STATE &&
        text_equal(record->key, text_of(own->refused_key)))
        return error_invalid(error, CODE_TOO_LARGE, "%s is refused", own->refused_key);
    if (own->foreign_refused && record->topic == TOPIC_FOREIGN)
        return error_invalid(error, CODE_TOO_LARGE, "%s is refused", record->foreign_topic);
    bool ours = record->topic != TOPIC_FOREIGN && record->topic != TOPIC_DEAD &&
                record->topic != TOPIC_FORWARD && record->topic != TOPIC_FIRES;
    if (ours) require(utf8_valid_length(record->value) == record->value.length);
    for (size_t i = 0; ours && i < record->value.length; i++)
        require((unsigned char)record->value.bytes[i] >= 0x20);
    if (record->topic == TOPIC_FOREIGN)
        own->replies_open += strcmp(record->foreign_topic, "billing.results") == 0;
    own->wants_receipt = own->wants_receipt || record->wants_receipt;
    own->last_topic = record->topic;
    (void)cluster_append(&own->logs[record->topic], record->key, record->value, own->now_ms);
    return true;
}

static bool cluster_commit(struct broker *broker, struct broker_receipt *receipt,
                           struct error *error)
{
    struct cluster *own = (struct cluster *)broker;
    struct cluster_log *state = &own->logs[TOPIC_STATE];
    require(own->in_transaction && own->last_topic == TOPIC_STATE);
    require(strcmp(state->records[state->count - 1].key, "mark") == 0);
    if (own->commits_left == 0)
        return error_set(error, ERROR_FATAL, "the process ends before this commit");
    if (own->in_doubt != NULL) {
        own->in_doubt(own);
        own->in_doubt = NULL;
        return error_set(error, ERROR_UNKNOWN, "no answer");
    }
    if (own->commits_left > 0) own->commits_left--;
    own->replies += own->replies_open;
    own->replies_open = 0;
    for (int topic = 0; topic <= TOPIC_FOREIGN; topic++)
        own->logs[topic].committed = own->logs[topic].count;
    own->in_transaction = false;
    if (receipt != NULL)
        *receipt = (struct broker_receipt){(int64_t)state->count - 1, own->now_ms,
                                           own->now_ms * 1000};
    own->now_ms++;
    return true;
}

/* --- reading --- */

static bool cluster_start_reading(struct broker *broker, enum broker_topic topic, int64_t offset,
                                  struct error *error)
{
    struct cluster *own = (struct cluster *)broker;
    (void)error;
    require(offset >= (int64_t)own->logs[topic].first);
    require((size_t)offset <= own->logs[topic].committed);
    own->reading[topic] = true;
    own->ended[topic] = false;
    own->next[topic] = (size_t)offset;
    return true;
}

static void cluster_stop_reading(struct broker *broker, enum broker_topic topic)
{
    ((struct cluster *)broker)->reading[topic] = false;
}

static bool cluster_offsets(struct broker *broker, enum broker_topic topic, int64_t *first,
                            int64_t *end, struct error *error)
{
    (void)error;
    *first = (int64_t)((struct cluster *)broker)->logs[topic].first;
    *end = (int64_t)((struct cluster *)broker)->logs[topic].committed;
    return true;
}

static bool cluster_read(struct cluster *own, enum broker_topic topic, struct broker_input *input)
{
    struct cluster_log *log = &own->logs[topic];
    if (!own->reading[topic]) return false;
    while (own->next[topic] < log->committed && log->records[own->next[topic]].gone)
        own->next[topic]++;
    input->topic = topic;
    input->offset = (int64_t)own->next[topic];
    if (own->next[topic] == log->committed) {
        if (own->ended[topic]) return false;
        input->kind = BROKER_END;
        own->ended[topic] = true;
        return true;
    }
    const struct cluster_record *record = &log->records[own->next[topic]++];
    own->ended[topic] = false;
    input->kind = BROKER_RECORD;
    input->log_time_ms = record->log_time_ms;
    input->key = cluster_text(record->key, record->key_bytes);
    input->value = cluster_text(record->value, record->value_bytes);
    input->tombstone = record->value == NULL;
    input->header_count = record->header_count;
    memcpy(input->headers, record->headers, record->header_count * sizeof record->headers[0]);
    return true;
}

/* Time passes while the engine waits; when it is over, the engine is asked to end. */
static bool cluster_poll(struct broker *broker, int32_t wait_ms, struct broker_input *input,
                         struct error *error)
{
    static const enum broker_topic order[] = {TOPIC_STATE, TOPIC_CONTROL, TOPIC_FORWARD,
                                              TOPIC_RUNS};
    struct cluster *own = (struct cluster *)broker;
    memset(input, 0, offsetof(struct broker_input, headers));
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (own->reading[order[i]] && own->next[order[i]] < own->logs[order[i]].first) {
            own->reading[order[i]] = false; /* said once */
            return error_set(error, ERROR_UNKNOWN, "the offset to read is gone");
        }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (cluster_read(own, order[i], input)) return true;
    own->now_ms += wait_ms;
    if (own->meanwhile != NULL) own->meanwhile(own);
    if (own->now_ms >= own->end_ms) engine_wish(own->engine, ENGINE_SHUTDOWN);
    return true;
}

static void cluster_release(struct broker *broker, struct broker_input *input)
{
    require(broker != NULL);
    input->kind = BROKER_NOTHING;
}

static bool cluster_foreign(struct broker *broker, const char *topic, struct topic_info *info,
                            struct error *error)
{
    (void)broker;
    (void)error;
    *info = (struct topic_info){.exists = strlen(topic) % 2 == 1, .partitions = 1,
                                .max_message_bytes = 1 << 20};
    return true;
}

/* --- runs: a tick is there at once, and so is an answer if there is one --- */

static bool cluster_tick(struct broker *broker, struct text value, struct error *error)
{
    struct cluster *own = (struct cluster *)broker;
    struct cluster_log *runs = &own->logs[TOPIC_RUNS];
    (void)error;
    require(runs->count == runs->committed); /* no transaction writes there */
    (void)cluster_append(runs, (struct text){NULL, 0}, value, own->now_ms);
    runs->committed = runs->count;
    return true;
}

static bool cluster_ask(struct broker *broker, const char *group,
                        const struct broker_place *places, size_t count, struct error *error)
{
    struct cluster *own = (struct cluster *)broker;
    (void)error;
    require(places != NULL && count > 0 && strlen(group) < sizeof own->asked_group);
    memcpy(own->asked_group, group, strlen(group) + 1);
    return true;
}

static int64_t cluster_committed_at(const struct cluster *own, const struct broker_place *place)
{
    int64_t offset = BROKER_COMMITTED_NONE;
    for (size_t i = 0; i < own->group_count; i++) {
        const struct cluster_group *group = &own->groups[i];
        if (strcmp(group->name, own->asked_group) == 0 && group->partition == place->partition &&
            strcmp(group->topic, place->topic) == 0)
            offset = group->offset;
    }
    return offset;
}

static enum broker_answer cluster_committed(struct broker *broker, struct broker_place *places,
                                            size_t count, struct error *error)
{
    struct cluster *own = (struct cluster *)broker;
    if (own->asked_group[0] == '\0') return BROKER_UNASKED;
    for (size_t i = 0; i < count && !own->groups_silent; i++)
        places[i].committed = cluster_committed_at(own, &places[i]);
    own->asked_group[0] = '\0';
    if (!own->groups_silent) return BROKER_ANSWERED;
    (void)error_set(error, ERROR_RETRY, "no answer of the group's coordinator");
    return BROKER_UNANSWERED;
}

static const struct broker_operations cluster_broker = {
    cluster_prove,   cluster_anew,          cluster_close,        cluster_begin,
    cluster_produce, cluster_commit,        cluster_anew,         cluster_start_reading,
    cluster_stop_reading, cluster_offsets,  cluster_poll,         cluster_release,
    cluster_foreign, cluster_close,         NULL,
    cluster_tick,    cluster_ask,           cluster_committed};

/* --- the store: written at once --- */

static bool cluster_read_snapshot(struct checkpoint_port *port, struct snapshot *snapshot,
                                  bool *found, struct error *error)
{
    struct store *store = cluster_of_port(port)->store;
    *found = false;
    if (cluster_of_port(port)->store_empty) return true;
    return store->operations->read_snapshot(store, 0, snapshot, found, error);
}

static bool cluster_read_items(struct checkpoint_port *port, store_item_visitor *visitor,
                               void *opaque, struct error *error)
{
    struct store *store = cluster_of_port(port)->store;
    return store->operations->read_items(store, 0, visitor, opaque, error);
}

static void cluster_submit(struct checkpoint_port *port, struct store_group *group)
{
    struct cluster *own = cluster_of_port(port);
    enum store_outcome outcome = STORE_WRITTEN;
    for (size_t i = 0; i < store_group_part_count(group) && outcome == STORE_WRITTEN; i++) {
        struct store_write write;
        struct error error = {0};
        store_group_part(group, i, &write);
        require(own->store->operations->write(own->store, &write, &outcome, &error));
        own->next_part = write.part + 1;
    }
    own->answer = outcome == STORE_WRITTEN ? CHECKPOINT_WRITTEN
                  : outcome == STORE_GAP   ? CHECKPOINT_GAP
                                           : CHECKPOINT_STALE;
    require(outcome != STORE_DAMAGED); /* nothing gets lost here */
    store_group_destroy(group);
}

static void cluster_look_at_store(struct checkpoint_port *port, int64_t generation, int64_t epoch)
{
    struct cluster *own = cluster_of_port(port);
    struct error error = {0};
    require(own->store->operations->look(own->store, 0, generation, epoch, &own->position,
                                         &error));
    own->answer = CHECKPOINT_LOOKED;
}

static void cluster_position(struct checkpoint_port *port, struct store_position *position)
{
    *position = cluster_of_port(port)->position;
}

static enum checkpoint_state cluster_answer(struct checkpoint_port *port, int32_t *next_part,
                                            struct error *error)
{
    struct cluster *own = cluster_of_port(port);
    enum checkpoint_state answer = own->answer;
    (void)error;
    *next_part = own->next_part;
    own->answer = CHECKPOINT_IDLE;
    return answer;
}

static enum checkpoint_state cluster_await(struct checkpoint_port *port, int64_t limit_ms,
                                           int32_t *next_part, struct error *error)
{
    require(limit_ms >= 0);
    return cluster_answer(port, next_part, error);
}

static const struct checkpoint_operations cluster_checkpoint = {
    .read_snapshot = cluster_read_snapshot,
    .read_items = cluster_read_items,
    .submit = cluster_submit,
    .look = cluster_look_at_store,
    .position = cluster_position,
    .poll = cluster_answer,
    .wait = cluster_await};

/* --- the clock, beginning and end --- */

static int64_t cluster_now_ms(void *opaque) { return ((struct cluster *)opaque)->now_ms; }
static int64_t cluster_now_us(void *opaque) { return ((struct cluster *)opaque)->now_ms * 1000; }
static void cluster_sleep(void *opaque, int64_t ms) { ((struct cluster *)opaque)->now_ms += ms; }

static struct cluster *cluster_create(int64_t now_ms)
{
    struct cluster *own = memory_allocate(1, sizeof *own);
    *own = (struct cluster){.broker = {&cluster_broker}, .checkpoint = {&cluster_checkpoint},
                            .now_ms = now_ms, .commits_left = -1,
                            .outputs_max = BATCH_OUTPUTS_MAX};
    own->clock = (struct clock){own, cluster_now_ms, cluster_now_us, cluster_sleep};
    own->image = store_image_create();
    own->store = store_memory_create(own->image);
    return own;
}

static void cluster_destroy(struct cluster *own)
{
    for (int topic = 0; topic <= TOPIC_FOREIGN; topic++) {
        cluster_forget(&own->logs[topic], 0);
        free(own->logs[topic].records);
    }
    own->store->operations->destroy(own->store);
    store_image_destroy(own->image);
    free(own);
}

/* Somebody writes a record, outside of the shard's transactions. */
static inline void cluster_write(struct cluster *own, enum broker_topic topic, const char *key,
                                 const char *value)
{
    struct cluster_log *log = &own->logs[topic];
    require(log->count == log->committed);
    (void)cluster_append(log, text_of(key), text_of(value), own->now_ms);
    log->committed = log->count;
}

/* --- the state log --- */

static struct mark cluster_last_mark(const struct cluster *own)
{
    const struct cluster_log *state = &own->logs[TOPIC_STATE];
    const struct cluster_record *last = &state->records[state->committed - 1];
    struct mark mark;
    struct error error = {0};
    require(mark_decode(cluster_text(last->value, last->value_bytes), &mark, &error));
    return mark;
}

/* Somebody who is no engine of the test writes it. */
static inline void cluster_append_mark(struct cluster *own, const struct mark *mark)
{
    char text[CLUSTER_MARK_BYTES];
    struct text_writer writer;
    text_writer_init_fixed(&writer, text, sizeof text);
    mark_encode(&writer, mark);
    (void)cluster_append(&own->logs[TOPIC_STATE], text_of("mark"), text_writer_text(&writer),
                         own->now_ms);
    own->logs[TOPIC_STATE].committed = own->logs[TOPIC_STATE].count;
}

/* --- the life of a process --- */

/* From its take-over to its end: asked for after so long, or by a failure (false). */
static bool cluster_live(struct cluster *own, const char *owner, int64_t for_ms,
                         struct error *error)
{
    static const char *const fires[] = {"billing.fires"};
    static const char *const results[] = {"billing.results"};
    struct observer observer = {.lowest = LEVEL_ERROR};
    struct engine_ports ports = {.broker = &own->broker, .checkpoint = &own->checkpoint,
                                 .clock = &own->clock, .observer = &observer};
    struct engine_options options;
    engine_options_defaults(&options);
    options.owner = owner;
    options.tz_version = "2026a";
    options.shards = 1;
    options.fires_topics = fires;
    options.fires_topic_count = 1;
    options.results_topics = results;
    options.results_topic_count = 1;
    options.batch_outputs_max = own->outputs_max;
    options.runs = own->runs;
    options.runs_append_times = own->append_times;
    options.state_log = !own->embedded;
    own->engine = engine_create(&options, &ports);
    own->end_ms = own->now_ms + for_ms;
    bool good = engine_run(own->engine, error);
    own->jobs = engine_status(own->engine).jobs;
    engine_destroy(own->engine);
    own->engine = NULL;
    return good;
}

#endif
