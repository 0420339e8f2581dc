/* worker - takes tries as docs/runs.md says, is killed and frozen between its steps, and says in a
 * side log, under flock, what it really does. Beside worker.py, which does the same on the other
 * client library.
 *
 *   worker '{"bootstrap":…,"group":…,"fires":…,"runs":…,"side":…,"name":…,"seed":1,
 *            "session_ms":1500,"kill":30,"freeze":30,"linger":20,"linger_ms":[500,3000],
 *            "at":"any","without":""}'
 *
 * `kill`, `freeze`, `linger` are chances in 1,000 at each step, `at` names the one step that has
 * them; `without` names the rule that is left out. It goes on until it is killed. */
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { TRIES_MAX = 4096, PARTITIONS_MAX = 32, BATCH_MAX = 8, TEXT_BYTES = 256, WAIT_MS = 10 };

/* Where a try is; up to LATE it is forgotten when its partition is taken away. */
enum state { READ, SENT, ACKED, LATE, COMMITTED, WORKING, DONE };

enum step {
    AT_READ, AT_SENT, AT_STARTED, AT_COMMITTED, AT_HOLE, AT_STARTING, AT_ENDED, AT_REPORTED
};
static const char *const step_names[] = {"read", "sent",     "started", "committed",
                                         "hole", "starting", "ended",   "reported"};

struct try {
    enum state state;
    int32_t partition;
    int64_t offset;
    char run[64];
    int64_t number;
    int64_t lease_ms;
    int64_t expiry_ms;
    int64_t work_ms;
    char token[64];
    int64_t sent_ms;  /* when the newest acknowledged sign of life was sent */
    int64_t next_ms;  /* when the next one is to be sent */
    int64_t ends_ms;  /* when the work is done */
};

/* What a delivery report is about; tries and these are kept until the process ends, soon. */
struct sign {
    struct worker *worker;
    struct try *try;
    int64_t sent_ms;
    bool started;
};

struct worker {
    json_t *settings;
    const char *group;
    const char *name;
    const char *without;
    const char *at;
    rd_kafka_t *consumer;
    rd_kafka_t *producer;
    struct try *tries[TRIES_MAX];
    int count;
    bool refused[PARTITIONS_MAX]; /* a commit was: nothing is claimed before it is given anew */
    uint64_t random;
    int64_t tokens;
    int side;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static const char *text_of(struct worker *worker, const char *name)
{
    const char *text = json_string_value(json_object_get(worker->settings, name));
    if (text == NULL) fail(name, "missing");
    return text;
}

static int64_t number_of(struct worker *worker, const char *name)
{
    return json_integer_value(json_object_get(worker->settings, name));
}

static bool without(struct worker *worker, const char *rule)
{
    return strcmp(worker->without, rule) == 0;
}

static int64_t draw(struct worker *worker, int64_t below)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return below > 0 ? (int64_t)(worker->random >> 11) % below : 0;
}

/* ---- the side log ---- */

__attribute__((format(printf, 2, 3)))
static void side(struct worker *worker, const char *format, ...)
{
    char text[TEXT_BYTES];
    int at = snprintf(text, sizeof text, "%" PRId64 " %s %d ", now_ms(), worker->name, getpid());
    va_list values;
    va_start(values, format);
    at += vsnprintf(text + at, sizeof text - (size_t)at - 1, format, values);
    va_end(values);
    text[at++] = '\n';
    if (flock(worker->side, LOCK_EX) != 0 || write(worker->side, text, (size_t)at) != at)
        fail("side log", "cannot be written");
    flock(worker->side, LOCK_UN);
}

/* ---- reports ---- */

static void on_report(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    (void)opaque;
    struct sign *sign = message->_private;
    if (sign == NULL) return;
    struct try *try = sign->try;
    if (message->err != 0) {
        if (sign->started && try->state == SENT) try->state = READ;
        return;
    }
    if (sign->sent_ms > try->sent_ms) try->sent_ms = sign->sent_ms;
    if (!sign->started || try->state != SENT) return;
    rd_kafka_timestamp_type_t type;
    int64_t appended_ms = rd_kafka_message_timestamp(message, &type);
    if (type != RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) fail("started", "no append time");
    bool in_time = appended_ms < try->expiry_ms || without(sign->worker, "append_time");
    try->state = in_time ? ACKED : LATE;
}

/* Sends a report; of signs of life the delivery is awaited. */
static void report(struct worker *worker, struct try *try, const char *kind)
{
    bool started = strcmp(kind, "started") == 0;
    struct sign *sign = NULL;
    if (started || strcmp(kind, "running") == 0) {
        sign = calloc(1, sizeof *sign);
        if (sign == NULL) fail("report", "no memory");
        *sign = (struct sign){worker, try, now_ms(), started};
    }
    json_t *value = json_pack(
        "{s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:i,s:I}", "run", try->run, "runnumber",
        (json_int_t)try->number, "report", kind, "token", try->token, "worker", worker->name,
        "workers", worker->group, "topic", text_of(worker, "fires"), "partition",
        (int)try->partition, "offset", (json_int_t)try->offset);
    char *text = json_dumps(value, JSON_COMPACT);
    rd_kafka_resp_err_t error = rd_kafka_producev(
        worker->producer, RD_KAFKA_V_TOPIC(text_of(worker, "runs")), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_VALUE(text, strlen(text)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(sign), RD_KAFKA_V_END);
    if (error != 0) fail(kind, rd_kafka_err2str(error));
    free(text);
    json_decref(value);
}

/* ---- partitions come and go ---- */

static void forget(struct worker *worker, const rd_kafka_topic_partition_list_t *taken)
{
    for (int i = 0; i < taken->cnt; i++) {
        worker->refused[taken->elems[i].partition] = false;
        for (int j = 0; j < worker->count && !without(worker, "revoke"); j++)
            if (worker->tries[j]->partition == taken->elems[i].partition &&
                worker->tries[j]->state <= LATE)
                worker->tries[j]->state = DONE;
    }
}

static void on_rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t error,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct worker *worker = opaque;
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        rd_kafka_assign(consumer, partitions);
        return;
    }
    forget(worker, partitions);
    rd_kafka_assign(consumer, NULL);
}

/* ---- reading ---- */

static void take(struct worker *worker, const rd_kafka_message_t *message)
{
    json_t *fire = json_loadb(message->payload, message->len, 0, NULL);
    struct try *try = calloc(1, sizeof *try);
    if (fire == NULL || try == NULL || worker->count == TRIES_MAX) fail("fire", "unreadable");
    try->partition = message->partition;
    try->offset = message->offset;
    snprintf(try->run, sizeof try->run, "%s", json_string_value(json_object_get(fire, "id")));
    try->number = json_integer_value(json_object_get(fire, "runnumber"));
    try->lease_ms = json_integer_value(json_object_get(fire, "leasems"));
    try->expiry_ms = json_integer_value(json_object_get(fire, "expirytime"));
    try->work_ms = json_integer_value(json_object_get(fire, "workms"));
    snprintf(try->token, sizeof try->token, "%s-%d-%" PRId64, worker->name, getpid(),
             ++worker->tokens);
    worker->tries[worker->count++] = try;
    json_decref(fire);
}

static void read_fires(struct worker *worker, int wait_ms)
{
    for (int i = 0; i < BATCH_MAX; i++) {
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(worker->consumer, i == 0 ? wait_ms : 0);
        if (message == NULL) break;
        if (message->err == 0) take(worker, message);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_poll(worker->producer, 0);
}

/* ---- faults ---- */

static void serve_work(struct worker *worker, bool may_fail);

static void fault(struct worker *worker, enum step step)
{
    bool named = strcmp(worker->at, step_names[step]) == 0;
    if (!named && (step == AT_HOLE || strcmp(worker->at, "any") != 0)) return;
    int64_t kill_chance = number_of(worker, "kill"), freeze = number_of(worker, "freeze"),
            linger = number_of(worker, "linger"), drawn = draw(worker, 1000);
    if (drawn < kill_chance) {
        side(worker, "fault %s kill", step_names[step]);
        raise(SIGKILL);
    } else if (drawn < kill_chance + freeze) {
        side(worker, "fault %s freeze", step_names[step]);
        raise(SIGSTOP);
    } else if (drawn < kill_chance + freeze + linger) {
        json_t *range = json_object_get(worker->settings, "linger_ms");
        int64_t least = json_integer_value(json_array_get(range, 0)),
                most = json_integer_value(json_array_get(range, 1)),
                end_ms = now_ms() + least + draw(worker, most - least + 1);
        side(worker, "fault %s linger", step_names[step]);
        while (now_ms() < end_ms) { /* slow, and alive */
            read_fires(worker, WAIT_MS);
            serve_work(worker, false);
        }
    }
}

/* ---- the three steps of a claim ---- */

static int64_t stop_after_ms(const struct try *try)
{
    int64_t tenth = try->lease_ms / 10;
    return try->lease_ms - (tenth > 1000 ? tenth : 1000);
}

static int in_state(const struct worker *worker, enum state state)
{
    int count = 0;
    for (int i = 0; i < worker->count; i++) count += worker->tries[i]->state == state;
    return count;
}

static void send_started(struct worker *worker)
{
    if (in_state(worker, READ) == 0) return;
    fault(worker, AT_READ);
    for (int i = 0; i < worker->count; i++)
        if (worker->tries[i]->state == READ) {
            worker->tries[i]->state = SENT;
            report(worker, worker->tries[i], "started");
        }
    fault(worker, AT_SENT);
}

/* Step 3: not too long since `started` was sent; only then the work begins. */
static void begin(struct worker *worker, struct try *try)
{
    int64_t now = now_ms();
    if (now - try->sent_ms >= stop_after_ms(try) && !without(worker, "lease_check")) {
        try->state = DONE;
        side(worker, "given-back %" PRId64, try->number);
        report(worker, try, "released");
        return;
    }
    fault(worker, AT_HOLE);
    side(worker, "starting %" PRId64 " %s", try->number, try->token);
    if (now_ms() - now > 500) side(worker, "hole %" PRId64, try->number);
    try->state = WORKING;
    try->ends_ms = now + try->work_ms;
    try->next_ms = now + try->lease_ms / 3;
    fault(worker, AT_STARTING);
}

/* What of each partition is claimed or passed over, without a gap; NULL: nothing. */
static rd_kafka_topic_partition_list_t *claimed(struct worker *worker)
{
    bool behind_a_gap[PARTITIONS_MAX];
    memcpy(behind_a_gap, worker->refused, sizeof behind_a_gap);
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(4);
    for (int i = 0; i < worker->count; i++) {
        const struct try *try = worker->tries[i];
        if (try->state >= COMMITTED || behind_a_gap[try->partition]) continue;
        if (try->state != ACKED && try->state != LATE) {
            behind_a_gap[try->partition] = true;
            continue;
        }
        const char *topic = text_of(worker, "fires");
        rd_kafka_topic_partition_t *place =
            rd_kafka_topic_partition_list_find(offsets, topic, try->partition);
        if (place == NULL)
            place = rd_kafka_topic_partition_list_add(offsets, topic, try->partition);
        place->offset = try->offset + 1;
    }
    if (offsets->cnt > 0) return offsets;
    rd_kafka_topic_partition_list_destroy(offsets);
    return NULL;
}

static bool unknown(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           error == RD_KAFKA_RESP_ERR__WAIT_COORD || error == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS ||
           error == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
           error == RD_KAFKA_RESP_ERR_NOT_COORDINATOR ||
           error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

/* What the commit's answer means for the tries of one partition. */
static void answered(struct worker *worker, int32_t partition, int64_t offset,
                     rd_kafka_resp_err_t error)
{
    if (error != 0 && !without(worker, "commit_answer")) {
        side(worker, "commit %s", rd_kafka_err2name(error));
        if (unknown(error)) return;
        worker->refused[partition] = true;
    }
    for (int i = 0; i < worker->count; i++) {
        struct try *try = worker->tries[i];
        if (try->partition != partition || try->state > LATE || try->offset >= offset) continue;
        if (worker->refused[partition] && without(worker, "quiet_giving_up"))
            report(worker, try, "released");
        bool pass = try->state == LATE || worker->refused[partition];
        if (try->state == LATE) side(worker, "late %" PRId64, try->number);
        try->state = pass ? DONE : COMMITTED;
    }
}

static void begin_committed(struct worker *worker)
{
    if (in_state(worker, COMMITTED) == 0) return;
    fault(worker, AT_COMMITTED);
    for (int i = 0; i < worker->count; i++)
        if (worker->tries[i]->state == COMMITTED) begin(worker, worker->tries[i]);
}

/* Step 2. While this waits for its answer no callback runs: what is taken away is forgotten before
 * or after. */
static void commit_claims(struct worker *worker)
{
    if (in_state(worker, ACKED) + in_state(worker, LATE) == 0) return;
    fault(worker, AT_STARTED);
    rd_kafka_topic_partition_list_t *offsets = claimed(worker);
    if (offsets == NULL) return;
    bool before = without(worker, "commit");
    rd_kafka_resp_err_t error = before ? 0 : rd_kafka_commit(worker->consumer, offsets, 0);
    for (int i = 0; i < offsets->cnt; i++) {
        rd_kafka_resp_err_t own = offsets->elems[i].err;
        answered(worker, offsets->elems[i].partition, offsets->elems[i].offset,
                 own != 0 ? own : error);
    }
    begin_committed(worker);
    if (before) rd_kafka_commit(worker->consumer, offsets, 1);
    rd_kafka_topic_partition_list_destroy(offsets);
}

/* ---- work ---- */

static void serve_try(struct worker *worker, struct try *try, bool may_fail)
{
    int64_t now = now_ms();
    if (now - try->sent_ms >= stop_after_ms(try) && !without(worker, "lease_check")) {
        try->state = DONE;
        side(worker, "stopped %" PRId64, try->number);
        report(worker, try, "lost_lease");
    } else if (now >= try->ends_ms) {
        try->state = DONE;
        side(worker, "ended %" PRId64, try->number);
        if (may_fail) fault(worker, AT_ENDED);
        report(worker, try, "success");
        if (may_fail) fault(worker, AT_REPORTED);
    } else if (now >= try->next_ms) {
        try->next_ms = now + try->lease_ms / 3;
        report(worker, try, "running");
    }
}

static void serve_work(struct worker *worker, bool may_fail)
{
    for (int i = 0; i < worker->count; i++)
        if (worker->tries[i]->state == WORKING) serve_try(worker, worker->tries[i], may_fail);
}

static void drop_done(struct worker *worker)
{
    int kept = 0;
    for (int i = 0; i < worker->count; i++)
        if (worker->tries[i]->state != DONE) worker->tries[kept++] = worker->tries[i];
    worker->count = kept;
}

/* ---- the process ---- */

static rd_kafka_t *open_client(struct worker *worker, rd_kafka_type_t type,
                               const char *const values[][2])
{
    char text[TEXT_BYTES];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, worker);
    if (type == RD_KAFKA_CONSUMER)
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    else
        rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    for (int i = 0; values[i][0] != NULL; i++)
        if (rd_kafka_conf_set(conf, values[i][0], values[i][1], text, sizeof text) != 0)
            fail(values[i][0], text);
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    if (client == NULL) fail("client", text);
    return client;
}

static void open_clients(struct worker *worker)
{
    char session[TEXT_BYTES], heartbeat[TEXT_BYTES];
    snprintf(session, sizeof session, "%" PRId64, number_of(worker, "session_ms"));
    snprintf(heartbeat, sizeof heartbeat, "%" PRId64, number_of(worker, "session_ms") / 5);
    const char *const consumer[][2] = {
        {"bootstrap.servers", text_of(worker, "bootstrap")}, {"group.id", worker->group},
        {"session.timeout.ms", session}, {"heartbeat.interval.ms", heartbeat},
        {"partition.assignment.strategy", "range"}, {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "earliest"},
        {"isolation.level", "read_committed"}, {"fetch.wait.max.ms", "50"}, {NULL, NULL}};
    const char *const producer[][2] = {
        {"bootstrap.servers", text_of(worker, "bootstrap")}, {"acks", "all"}, {"linger.ms", "0"},
        {"enable.idempotence", "true"}, {NULL, NULL}};
    worker->producer = open_client(worker, RD_KAFKA_PRODUCER, producer);
    worker->consumer = open_client(worker, RD_KAFKA_CONSUMER, consumer);
    rd_kafka_poll_set_consumer(worker->consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    const char *fires = text_of(worker, "fires");
    if (without(worker, "subscription")) {
        for (int32_t i = 0; i < number_of(worker, "partitions"); i++)
            rd_kafka_topic_partition_list_add(topics, fires, i)->offset = RD_KAFKA_OFFSET_STORED;
        rd_kafka_assign(worker->consumer, topics);
    } else {
        rd_kafka_topic_partition_list_add(topics, fires, RD_KAFKA_PARTITION_UA);
        rd_kafka_subscribe(worker->consumer, topics);
    }
    rd_kafka_topic_partition_list_destroy(topics);
}

int main(int argc, char **argv)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (argc != 2 || worker == NULL) fail("worker", "one argument: its settings");
    worker->settings = json_loads(argv[1], 0, NULL);
    worker->group = text_of(worker, "group");
    worker->name = text_of(worker, "name");
    worker->without = text_of(worker, "without");
    worker->at = text_of(worker, "at");
    worker->random = (uint64_t)number_of(worker, "seed") * 0x9E3779B97F4A7C15U + 1;
    worker->side = open(text_of(worker, "side"), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (worker->side < 0) fail("side log", "cannot be opened");
    open_clients(worker);
    for (;;) {
        read_fires(worker, WAIT_MS);
        send_started(worker);
        rd_kafka_poll(worker->producer, 0);
        commit_claims(worker);
        serve_work(worker, true);
        drop_done(worker);
    }
}
