/* One transaction for everything a step says, the mark last; and the one path out of every
 * failure: new producer, read the last committed mark, then decide. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "dispatcher/engine/engine_state.h"
#include "schemas/mark_json.h"

enum {
    MARK_LOOKS = 4,
    POLL_MS = 50,
    READ_LIMIT_MS = 20000,
    ATTEMPTS_MAX = 100,
    SHRINK_AFTER_US = 5 * 1000 * 1000,
    HERD_FIRES = 1000 /* of one transaction */
};

/* Where the topic is to be read on: behind the markers that follow the last record, too, which
 * retention may cut together with it. */
static int64_t read_on(const struct engine *engine, enum input input)
{
    int64_t offset = engine->places[input].offset;
    int64_t marked = engine->mark.inputs[input].offset;
    int64_t position = inputs_done_to(&engine->inputs, input);
    if (offset < marked) offset = marked; /* that was behind markers, too */
    return position > offset ? position : offset;
}

/* While what lies between the two offsets is being read again, not all claims in it are known. */
static void mark_runs(const struct engine *engine, struct mark *mark)
{
    const struct reports *reports = &engine->reports;
    struct runs *runs = shard_runs(engine->shard);
    if (!reports->followed || runs == NULL) return;
    mark->next_run = runs_next_runnumber(runs) - (mark->generation << 32);
    assert(mark->next_run > 0);
    if (!reports->placed) return;
    mark->inputs[INPUT_RUNS].offset = runs_read_to(runs);
    if (reports->applied >= runs_read_to(runs)) mark->runs_again = runs_read_again_from(runs);
    assert(mark->runs_again <= mark->inputs[INPUT_RUNS].offset);
}

void engine_next_mark(const struct engine *engine, struct mark *mark)
{
    *mark = engine->mark;
    mark->sequence = engine->mark.sequence + 1;
    for (enum input input = 0; input < INPUTS_COMMANDS; input++)
        mark->inputs[input] =
            (struct input_place){read_on(engine, input), engine->places[input].last};
    mark->layout = STATE_LAYOUT;
    if (engine->shard == NULL) return;
    shard_fill_mark(engine->shard, mark);
    mark_runs(engine, mark);
    mark->jobs = (int64_t)shard_job_count(engine->shard);
    mark->runs = (int64_t)shard_open_runs(engine->shard);
}

bool engine_open_producer(struct engine *engine, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    return broker->operations->prove_ownership(broker, engine->places[INPUT_CONTROL].offset,
                                               error) &&
           broker->operations->open_producer(broker, error);
}

bool engine_state_offset(void *opaque, int64_t *offset)
{
    struct engine *engine = opaque;
    struct broker *broker = engine->ports.broker;
    struct error error = {0};
    int64_t first = 0;
    *offset = engine->receipt.offset + 1;
    if (engine->receipt.offset >= 0) return true;
    return broker->operations->offsets(broker, TOPIC_STATE, &first, offset, &error);
}

/* ---- the last committed mark ---- */

/* Only the last of the marks on the way is decoded. */
struct mark_text {
    char bytes[MARK_BYTES_MAX];
    size_t length; /* 0: none yet */
    int64_t log_time_ms;
};

static bool keep_mark(const struct broker_input *input, struct mark_text *last,
                      struct error *error)
{
    if (input->tombstone || !text_equal(input->key, text_of("mark"))) return true;
    if (input->value.length > sizeof last->bytes)
        return error_set(error, ERROR_FATAL, "the mark at offset %" PRId64 " has %zu bytes, at "
                         "most %d are expected", input->offset, input->value.length,
                         (int)MARK_BYTES_MAX);
    memcpy(last->bytes, input->value.bytes, input->value.length);
    last->length = input->value.length;
    last->log_time_ms = input->log_time_ms;
    return true;
}

/* Reads the state log from `from` to its end; the last mark on the way, if any. */
static bool look_for_mark(struct engine *engine, int64_t from, int64_t end, struct mark *mark,
                          int64_t *log_time_ms, bool *found, struct error *error)
{
    struct mark_text last;
    last.length = 0;
    struct broker *broker = engine->ports.broker;
    const struct broker_operations *operations = broker->operations;
    int64_t deadline_us = engine_monotonic_us(engine) + READ_LIMIT_MS * INT64_C(1000);
    *found = false;
    if (!operations->start_reading(broker, TOPIC_STATE, from, error)) return false;
    bool ended = from >= end;
    while (!ended) {
        struct broker_input input = {.kind = BROKER_NOTHING};
        if (!operations->poll(broker, POLL_MS, &input, error)) break;
        if (engine_monotonic_us(engine) > deadline_us) {
            error_set(error, ERROR_RETRY, "state log not read to its end within %d ms",
                      READ_LIMIT_MS);
            break;
        }
        if (input.kind == BROKER_NOTHING || inputs_take(&engine->inputs, &input)) continue;
        if (input.kind == BROKER_END) {
            ended = input.offset >= end;
            continue;
        }
        bool kept = keep_mark(&input, &last, error);
        operations->release(broker, &input);
        if (!kept) break;
    }
    operations->stop_reading(broker, TOPIC_STATE);
    if (!ended || last.length == 0) return ended;
    *found = true;
    *log_time_ms = last.log_time_ms;
    return mark_decode((struct text){last.bytes, last.length}, mark, error);
}

bool engine_read_last_mark(struct engine *engine, struct mark *mark, int64_t *log_time_ms,
                           bool *found, struct error *error)
{
    /* The mark is the last record but markers and aborted transactions: look back ever further. */
    static const int64_t lookback[MARK_LOOKS] = {16, 1024, 65536, INT64_MAX};
    struct broker *broker = engine->ports.broker;
    int64_t first = 0;
    int64_t end = 0;
    if (!broker->operations->offsets(broker, TOPIC_STATE, &first, &end, error)) return false;
    if (first < engine->state_first_look) first = engine->state_first_look;
    *found = false;
    for (int look = 0; look < MARK_LOOKS && !*found; look++) {
        int64_t from = end - first > lookback[look] ? end - lookback[look] : first;
        if (!look_for_mark(engine, from, end, mark, log_time_ms, found, error)) return false;
        if (from == first) break;
    }
    return true;
}

/* ---- one try ---- */

/* A record that is refused by name is not part of the transaction; the others are produced, so
 * that all who are refused are known. */
static bool produce_all(struct engine *engine, const struct mark *mark, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    struct outbox *outbox = engine->outbox;
    struct broker_header headers[BROKER_RECORD_HEADERS_MAX];
    struct broker_record record;
    outbox_begin_try(outbox);
    for (size_t i = 0; i < outbox_count(outbox); i++) {
        if (!outbox_record(outbox, i, &record, headers)) continue;
        if (broker->operations->produce(broker, &record, error)) continue;
        if (error->kind != ERROR_INVALID) return false;
        outbox_refuse(outbox, i, error->message);
        error_clear(error);
    }
    if (outbox_refusal_count(outbox) > 0)
        return error_set(error, ERROR_INVALID, "%zu records are refused, the first: %s",
                         outbox_refusal_count(outbox), outbox_refusal_at(outbox, 0)->message);
    record = outbox_mark(outbox, mark);
    engine->mark_sent_us = engine_monotonic_us(engine);
    return broker->operations->produce(broker, &record, error);
}

static bool try_transaction(struct engine *engine, const struct mark *mark, struct error *error)
{
    struct broker *broker = engine->ports.broker;
    assert(outbox_refusal_count(engine->outbox) == 0);
    return broker->operations->begin(broker, error) && produce_all(engine, mark, error) &&
           broker->operations->commit(broker, &engine->receipt, error);
}

/* ---- the one path ---- */

enum fate { FATE_OUT, FATE_AGAIN, FATE_LOST };

static enum fate fate_of(const struct mark *ours, const struct mark *last, bool found)
{
    if (!found) return ours->sequence == 1 ? FATE_AGAIN : FATE_LOST;
    if (last->generation != ours->generation || last->epoch != ours->epoch ||
        strcmp(last->owner, ours->owner) != 0)
        return FATE_LOST;
    if (last->sequence == ours->sequence) return FATE_OUT;
    if (last->sequence == ours->sequence - 1) return FATE_AGAIN;
    return FATE_LOST;
}

/* Opens a producer again and again while the outside is unwell. */
static bool reopen(struct engine *engine, struct error *error)
{
    int64_t wait_ms = 100;
    for (;;) {
        error_clear(error);
        if (engine_open_producer(engine, error)) return true;
        if (error->kind == ERROR_FENCED || error->kind == ERROR_FATAL) return false;
        if (atomic_load(&engine->wish) != ENGINE_RUN) {
            error->kind = ERROR_FENCED; /* the successor settles what is open */
            return false;
        }
        engine_tell_error(engine, OBSERVED_PRODUCER_RETRY, error);
        engine_sleep_ms(engine, wait_ms);
        if (wait_ms < 5000) wait_ms *= 2;
    }
}

/* Time that has passed over commands unheard: who was cut off decided without them. */
static bool is_blind(const struct engine *engine, const struct mark *ours, bool *blind,
                     struct error *error)
{
    const struct watermark *before = &engine->mark.watermark;
    *blind = false;
    if (ours->watermark.instant_ms == before->instant_ms &&
        ours->watermark.ordinal == before->ordinal)
        return true; /* a new owner's first one, a retry */
    return inputs_more(&engine->inputs, &engine->heard, blind, error);
}

static bool find_fate(struct engine *engine, const struct mark *ours, enum fate *fate,
                      bool *blind, struct error *error)
{
    struct mark last;
    int64_t log_time_ms = 0;
    bool found = false;
    for (;;) {
        if (!reopen(engine, error)) return false;
        error_clear(error);
        if (engine_read_last_mark(engine, &last, &log_time_ms, &found, error) &&
            is_blind(engine, ours, blind, error))
            break;
        /* Unknown: what an input is to be read from next is gone, which is said once. A take-over
         * looks from where on it can be read. */
        if (error->kind == ERROR_FATAL || error->kind == ERROR_UNKNOWN ||
            atomic_load(&engine->wish) != ENGINE_RUN)
            return false;
        engine_tell_error(engine, OBSERVED_MARK_RETRY, error);
        engine_sleep_ms(engine, 200);
    }
    *fate = fate_of(ours, &last, found);
    /* Ours reads as it was written, and one of ours before it does not stand further. */
    assert(*fate == FATE_LOST || !found || !mark_goes_back(ours, &last));
    assert(*fate != FATE_OUT || !mark_goes_back(&last, ours));
    engine->receipt = (struct broker_receipt){-1, log_time_ms, engine_monotonic_us(engine)};
    return true;
}

/* What is to be mended fails again and again while commands come: it is taken over for once. */
static bool decide_anew(struct engine *engine, const struct error *failure, struct error *error)
{
    const struct outbox *outbox = engine->outbox;
    bool mendable = failure->code == CODE_REFUSED || outbox_refusal_count(outbox) > 0 ||
                    outbox_goes_abroad(outbox);
    if (mendable && engine->decided_anew) return false;
    engine->decided_anew = true;
    return !error_set(error, ERROR_UNKNOWN, "commands have come since the step that failed was "
                      "decided: it is decided anew");
}

static bool recover(struct engine *engine, const struct mark *ours, bool *out,
                    const struct error *failure, struct error *error)
{
    enum fate fate = FATE_LOST;
    bool blind = false;
    *out = false;
    if (!find_fate(engine, ours, &fate, &blind, error)) return false;
    observe(engine->ports.observer, OBSERVED_COMMIT_SETTLED, engine->options.shard,
            &(struct observed){.sequence = ours->sequence,
                               .outcome = fate == FATE_OUT     ? "committed"
                                          : fate == FATE_AGAIN ? "repeat"
                                                               : "lost"});
    if (fate == FATE_LOST) {
        error_set(error, ERROR_FENCED, "the last mark is not the one before ours: another owner "
                  "has written one, or Kafka lost data");
        return false;
    }
    *out = fate == FATE_OUT;
    if (!*out && blind && decide_anew(engine, failure, error)) return false;
    return *out || engine_mend(engine, failure, error);
}

/* One failed try: what it takes to try again. *out: it went out after all. */
static bool mend(struct engine *engine, const struct mark *ours, struct error *failure, bool *out,
                 struct error *error)
{
    struct broker *broker = engine->ports.broker;
    *out = false;
    engine_tell_error(engine, OBSERVED_COMMIT_FAILED, failure);
    if (failure->kind == ERROR_FATAL || failure->kind == ERROR_FENCED) {
        *error = *failure;
        return false;
    }
    if (failure->kind == ERROR_ABORT) {
        struct error ignored = {0};
        if (broker->operations->abort(broker, &ignored))
            return engine_mend(engine, failure, error);
    }
    return recover(engine, ours, out, failure, error);
}

static void note_own(struct engine *engine, const struct mark *mark)
{
    if (engine->ports.own_commit != NULL) own_commit_taken(engine->ports.own_commit, mark);
}

static void tell_taken(const struct engine *engine, int64_t began_us)
{
    const struct observer *observer = engine->ports.observer;
    const struct outbox *outbox = engine->outbox;
    int64_t took_us = engine_monotonic_us(engine) - began_us;
    observe(observer, OBSERVED_SHARD_COMMITTED, engine->options.shard,
            &(struct observed){.sequence = outbox_sequence(outbox),
                               .records = (int64_t)outbox_count(outbox),
                               .fires = outbox_fires(outbox), .took_us = took_us});
    if (engine->tally == NULL) return;
    tally_runs(engine->tally, engine->shard == NULL ? NULL : shard_runs(engine->shard));
    struct taken taken = {.tally = engine->tally, .sequence = outbox_sequence(outbox),
                          .at_ms = engine_steady_ms(engine), .took_us = took_us};
    observer->committed(observer->opaque, engine->options.shard, &taken);
}

/* After a commit that ended well. */
static void committed(struct engine *engine, const struct mark *mark)
{
    struct outbox *outbox = engine->outbox;
    outbox_went_out(outbox);
    engine->foreign.probe_us = 0;
    engine->mark = *mark;
    engine->settled = true;
    note_own(engine, mark);
    engine_clock_sample(engine, &engine->receipt);
    int64_t monotonic_us = engine_monotonic_us(engine);
    engine->mark_due_us = monotonic_us + engine->options.settings.mark_interval_ms * INT64_C(1000);
    engine->shrink_due_us = monotonic_us + SHRINK_AFTER_US;
    atomic_store(&engine->committed_us, monotonic_us);
    atomic_store(&engine->sequence, mark->sequence);
    atomic_store(&engine->watermark_ms, mark->watermark.instant_ms);
    atomic_fetch_add(&engine->fires, outbox_fires(outbox));
    atomic_fetch_add(&engine->numbers.commands, outbox_results(outbox));
    bool live = atomic_load(&engine->state) == ENGINE_LIVE && !engine->clock_refused;
    if (live && outbox_count(outbox) > 0) { /* no bare mark */
        atomic_store(&engine->moved_us, monotonic_us);
        engine->decided_anew = false;
    }
    if (outbox_fires(outbox) >= HERD_FIRES) checkpointer_herd(engine->checkpointer);
    if (engine->shard != NULL) {
        atomic_store(&engine->jobs, (int64_t)shard_job_count(engine->shard));
        if (shard_runs(engine->shard) != NULL)
            runs_committed(shard_runs(engine->shard), monotonic_us / 1000);
    }
    engine_mended(engine);
    outbox_begin(outbox, mark->sequence + 1);
}

bool engine_rests(const struct engine *engine)
{
    const struct mark *mark = &engine->mark;
    if (!engine->settled || outbox_sequence(engine->outbox) != mark->sequence + 1) return false;
    if (engine->shard == NULL) return true; /* belfry recover */
    struct watermark watermark = shard_watermark(engine->shard);
    return !watermark_before(&watermark, &mark->watermark) &&
           (int64_t)shard_job_count(engine->shard) == mark->jobs;
}

/* The first run of those that are open. */
static bool opens_run(const struct engine *engine)
{
    const struct reports *reports = &engine->reports;
    return reports->followed && !reports->placed && shard_open_runs(engine->shard) > 0;
}

static bool commit(struct engine *engine, struct error *error)
{
    struct outbox *outbox = engine->outbox;
    engine->settled = false;
    if (engine->shard != NULL) engine_tell_refused(engine);
    if (opens_run(engine) && !engine_place_reports(engine, error)) return false;
    outbox_finish(outbox);
    engine->heard = inputs_heard(&engine->inputs); /* what is read while it is settled is more */
    int64_t began_us = engine_monotonic_us(engine);
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        struct mark mark;
        engine_next_mark(engine, &mark);
        assert(mark.sequence == outbox_sequence(outbox));
        assert(!mark_goes_back(&mark, &engine->mark));
        struct error failure = {0};
        bool out = try_transaction(engine, &mark, &failure);
        if (!out && !mend(engine, &mark, &failure, &out, error)) return false;
        if (!out) continue;
        tell_taken(engine, began_us);
        committed(engine, &mark);
        return true;
    }
    return error_set(error, ERROR_UNKNOWN, "a transaction failed %d times in a row; see the lines "
                     "commit.failed before this one", ATTEMPTS_MAX);
}

bool engine_commit(struct engine *engine, struct error *error)
{
    bool out = commit(engine, error);
    assert(outbox_sequence(engine->outbox) == engine->mark.sequence + 1);
    assert(!out || (engine_rests(engine) && outbox_is_empty(engine->outbox)));
    return out;
}
