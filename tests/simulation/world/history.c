#include "tests/simulation/world/history.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "tests/simulation/world/json_scan.h"
#include "tests/simulation/world/world.h"

void history_close(struct history *history)
{
    free(history->outputs);
    free(history->runs);
    for (int32_t shard = 0; shard < SIM_SHARDS_MAX; shard++) free(history->steps[shard]);
}

static void copy(char *to, size_t bytes, struct text text)
{
    assert(text.length < bytes);
    if (text.length > 0) memcpy(to, text.bytes, text.length);
    to[text.length] = '\0';
}

static void copy_name(struct output *output, struct text group, struct text id)
{
    if (group.length == 0) return;
    (void)snprintf(output->name, sizeof output->name, "%.*s/%.*s", (int)group.length, group.bytes,
                   (int)id.length, id.bytes);
}

int64_t history_data_hash(const char *bytes, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return (int64_t)(hash >> 1);
}

/* The next member of that name; they are looked for in the order in which they are written. */
static struct text next_text(struct text *rest, const char *mark)
{
    struct text found = scan_text(*rest, mark);
    if (found.bytes == NULL) return found;
    size_t passed = (size_t)(found.bytes + found.length - rest->bytes);
    *rest = (struct text){rest->bytes + passed, rest->length - passed};
    return found;
}

static void read_slot(struct output *output, struct text slot)
{
    if (slot.length > 2 && (slot.bytes[0] == 'b' || slot.bytes[0] == 'i')) {
        size_t length = slot.length;
        while (slot.bytes[length - 1] != ':') length--;
        copy(output->trigger, sizeof output->trigger, (struct text){slot.bytes, length - 1});
        output->at_ms = scan_number((struct text){slot.bytes + length, slot.length - length}, "",
                                    -1);
    } else if (slot.length > 2 && slot.bytes[1] == ':') {
        copy(output->trigger, sizeof output->trigger, slot);
    } else {
        output->at_ms = scan_number(slot, "", -1);
    }
}

/* "<life>@<nominal>", "<life>@t:<command id>", "<life>@b:<backfill>:<nominal>" or, of an imported
 * job, "<life>@i:<import>:<backfill>:<nominal>" */
static void read_fire(struct output *output, struct text value)
{
    struct text rest = value;
    struct text id = next_text(&rest, "\"id\":\"");
    const char *at = memchr(id.bytes, '@', id.length);
    assert(at != NULL);
    copy(output->life, sizeof output->life, (struct text){id.bytes, (size_t)(at - id.bytes)});
    read_slot(output, (struct text){at + 1, id.length - (size_t)(at + 1 - id.bytes)});
    copy(output->name, sizeof output->name, next_text(&rest, "\"subject\":\""));
    output->from_ms = scan_instant(rest, "\"time\":\"");
    rest = scan_after(rest, "\"jobrevision\":");
    output->partition = (int32_t)scan_number(rest, "", -1);
    copy(output->word, sizeof output->word, next_text(&rest, "\"firekind\":\""));
    output->first_ms = scan_number(rest, "\"latenessms\":", 0);
    output->count = scan_number(rest, "\"missedcount\":", 0);
    output->matched = scan_number(rest, "\"attempt\":", -1);
    struct text data = scan_after(rest, "\"data\":");
    output->last_ms = data.length == 0 ? 0 : history_data_hash(data.bytes, data.length - 1);
}

static void read_event(struct output *output, struct text value)
{
    copy(output->word, sizeof output->word, scan_text(value, "\"event\":\""));
    copy_name(output, scan_text(value, "\"group\":\""), scan_text(value, "\"id\":\""));
    copy(output->life, sizeof output->life, scan_text(value, "\"incarnation\":\""));
    copy(output->reason, sizeof output->reason, scan_text(value, "\"reason\":\""));
    output->at_ms = scan_instant(value, "\"at\":\"");
    output->first_ms = scan_instant(value, "\"first\":\"");
    output->last_ms = scan_instant(value, "\"last\":\"");
    output->from_ms = scan_instant(value, "\"from\":\"");
    output->to_ms = scan_instant(value, "\"to\":\"");
    output->count = scan_number(value, "\"count\":", 0);
    copy(output->trigger, sizeof output->trigger, scan_text(value, "\"backfill_id\":\""));
}

static void read_result(struct output *output, struct text value)
{
    copy(output->word, sizeof output->word, scan_text(value, "\"outcome\":\""));
    struct text head = value; /* the code of the whole, not of a job or a warning */
    head.length -= scan_after(value, "\"matched\":").length;
    copy(output->reason, sizeof output->reason, scan_text(head, "\"code\":\""));
    struct text source = scan_after(value, "\"source\":{");
    output->partition = (int32_t)scan_number(source, "\"partition\":", -1);
    output->offset = scan_number(source, "\"offset\":", -1);
    output->count = scan_number(source, "\"sequence\":", -1);
    copy(output->trigger, sizeof output->trigger, scan_text(head, "\"first_outcome\":\""));
    output->at_ms = scan_instant(source, "\"effective_at\":\"");
    output->to_ms = scan_instant(source, "\"applied_at\":\"");
    output->matched = scan_number(value, "\"matched\":", -1);
    output->first_ms = scan_number(value, "\"changed\":", -1);
}

static void read_mark(struct step *step, struct text value)
{
    step->has_mark = true;
    step->mark.generation = scan_number(value, "\"generation\":", -1);
    step->mark.epoch = scan_number(value, "\"epoch\":", -1);
    step->mark.sequence = scan_number(value, "\"sequence\":", -1);
    step->mark.watermark_ms = scan_instant(value, "\"instant\":\"");
    struct text watermark = scan_after(value, "\"watermark\":{");
    const char *end = memchr(watermark.bytes, '}', watermark.length);
    watermark.length = (size_t)(end - watermark.bytes);
    step->mark.ordinal = scan_number(watermark, "\"ordinal\":", INT64_MAX);
    step->mark.control_offset = scan_number(value, "\"control_offset\":", -1);
    step->mark.forward_offset = scan_number(value, "\"forward_offset\":", -1);
    step->mark.runs_offset = scan_number(value, "\"completions_offset\":", 0);
    step->mark.runs_again = scan_number(value, "\"runs_again_offset\":", step->mark.runs_offset);
    step->mark.in_command = scan_after(value, "\"in_command\":").length > 0;
    copy(step->mark.owner, sizeof step->mark.owner, scan_text(value, "\"owner\":\""));
    copy(step->mark.tz_version, sizeof step->mark.tz_version,
         scan_text(value, "\"tz_version\":\""));
}

static struct output *add_output(struct history *history)
{
    history->outputs = memory_grow(history->outputs, &history->output_capacity,
                                   history->output_count + 1, sizeof *history->outputs);
    struct output *output = &history->outputs[history->output_count++];
    memset(output, 0, sizeof *output);
    output->target = -1;
    return output;
}

static bool begins(struct text text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.length >= length && memcmp(text.bytes, prefix, length) == 0;
}

static void read_state(struct history *history, struct step *step, const struct record *record)
{
    if (begins(record->key, "mark")) {
        read_mark(step, record->value);
        return;
    }
    struct output *output = add_output(history);
    if (begins(record->key, "run/")) {
        output->kind = OUTPUT_RUN;
        history_read_run(history, output, record->value);
        history->runs[output->run - 1].k = scan_number(record->key, "run/", -1);
        return;
    }
    bool job = begins(record->key, "job/");
    if (job) output->kind = record->tombstone ? OUTPUT_JOB_DELETED : OUTPUT_JOB;
    else output->kind = record->tombstone ? OUTPUT_SEEN_DELETED : OUTPUT_SEEN;
    size_t prefix = job ? 4 : 5;
    copy(output->name, sizeof output->name,
         (struct text){record->key.bytes + prefix, record->key.length - prefix});
    if (!job || record->tombstone) return;
    output->partition = (int32_t)scan_number(record->value, "\"revision\":", -1);
    output->offset = scan_number(record->value, "\"ordinal\":", 0);
    output->from_ms = scan_instant(record->value, "\"paused_at\":\"");
    copy(output->life, sizeof output->life, scan_text(record->value, "\"incarnation\":\""));
    copy(output->word, sizeof output->word, scan_text(record->value, "\"state\":\""));
}

static void read_forward(struct output *output, const struct record *record)
{
    output->target = record->partition;
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, "belfry-origin") != 0) continue;
        output->partition = (int32_t)scan_number(record->headers[i].value, "", -1);
        output->offset = scan_number(record->headers[i].value, "/", -1);
    }
}

static bool ends(struct text text, const char *tail)
{
    size_t length = strlen(tail);
    return text.length > length &&
           memcmp(text.bytes + text.length - length, tail, length) == 0;
}

static void read_dead(struct output *output, const struct record *record)
{
    for (size_t i = 0; i < record->header_count; i++) {
        struct text value = record->headers[i].value;
        const char *name = record->headers[i].name;
        if (strcmp(name, "dlq_partition") == 0)
            output->partition = (int32_t)scan_number(value, "", -1);
        if (strcmp(name, "dlq_offset") == 0) output->offset = scan_number(value, "", -1);
        if (strcmp(name, "dlq_code") == 0) copy(output->reason, sizeof output->reason, value);
        if (strcmp(name, "dlq_topic") == 0) output->target = ends(value, "forward");
        if (strcmp(name, "dlq_topic") == 0 && ends(value, "runs")) output->kind = OUTPUT_RUN_LETTER;
    }
    if (strcmp(output->reason, "run_failed") == 0) output->kind = OUTPUT_RUN_LETTER;
}

static void read_record(struct history *history, struct step *step, const struct record *record)
{
    if (record->topic == TOPIC_STATE) {
        read_state(history, step, record);
        return;
    }
    struct output *output = add_output(history);
    if (record->topic == TOPIC_FOREIGN && begins(record->value, "{\"command_id\"")) {
        output->kind = OUTPUT_RESULT;
        read_result(output, record->value);
        output->target = record->foreign;
        output->time_ms = record->time_ms;
        return;
    }
    switch (record->topic) {
    case TOPIC_FIRES:
    case TOPIC_FOREIGN:
        output->kind = OUTPUT_FIRE;
        read_fire(output, record->value);
        history_read_run(history, output, record->value);
        output->target = record->topic == TOPIC_FOREIGN ? record->foreign : -1;
        break;
    case TOPIC_EVENTS:
        output->kind = OUTPUT_EVENT;
        read_event(output, record->value);
        history_read_run(history, output, record->value);
        break;
    case TOPIC_RESULTS:
        output->kind = OUTPUT_RESULT;
        read_result(output, record->value);
        break;
    case TOPIC_FORWARD:
        output->kind = OUTPUT_FORWARD;
        read_forward(output, record);
        break;
    case TOPIC_CANCELS:
        output->kind = OUTPUT_CANCEL;
        history_read_run(history, output, record->value);
        break;
    default:
        output->kind = OUTPUT_DEAD;
        read_dead(output, record);
        if (output->kind == OUTPUT_DEAD) break;
        if (strcmp(output->reason, "run_failed") == 0)
            history_read_run(history, output, record->value);
        break;
    }
    output->time_ms = record->time_ms;
}

static uint64_t hash_bytes(uint64_t hash, struct text text)
{
    size_t at = 0;
    for (; at + 8 <= text.length; at += 8) {
        uint64_t word;
        memcpy(&word, text.bytes + at, 8);
        hash = random_mix(hash, word);
    }
    uint64_t word = text.length;
    for (; at < text.length; at++) word = word << 8 | (unsigned char)text.bytes[at];
    return random_mix(hash, word);
}

void history_commit(struct world *world, const struct transaction *transaction)
{
    struct history *history = &world->history;
    int32_t shard = transaction->shard;
    history->steps[shard] =
        memory_grow(history->steps[shard], &history->step_capacity[shard],
                    history->step_count[shard] + 1, sizeof *history->steps[shard]);
    struct step *step = &history->steps[shard][history->step_count[shard]++];
    memset(step, 0, sizeof *step);
    step->time_ms = world_now_ms(world);
    step->first = history->output_count;
    for (size_t i = 0; i < transaction->count; i++) {
        world->hash = hash_bytes(world->hash, transaction->records[i]->value);
        read_record(history, step, transaction->records[i]);
        work_log_record(world, shard, transaction->records[i]);
    }
    step->count = history->output_count - step->first;
    if (world->losses.count > 0) loss_step(world, shard);
    world->hash = random_mix(world->hash, (uint64_t)world->now_us ^ (uint64_t)shard << 56);
}

/* ---- for people ---- */

static void write_output(const struct history *history, const struct output *output, FILE *file)
{
    static const char *const kinds[] = {"fire", "event", "result", "dead", "forward", "job",
                                        "job deleted", "seen", "seen deleted", "run",
                                        "cancel", "run letter"};
    (void)fprintf(file, "    %s %s %s %s %s", kinds[output->kind], output->name, output->life,
                  output->word, output->reason);
    static const struct {
        const char *name;
        size_t offset;
    } numbers[] = {{"at", offsetof(struct output, at_ms)},
                   {"first", offsetof(struct output, first_ms)},
                   {"last", offsetof(struct output, last_ms)},
                   {"count", offsetof(struct output, count)},
                   {"from", offsetof(struct output, from_ms)},
                   {"to", offsetof(struct output, to_ms)},
                   {"offset", offsetof(struct output, offset)}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t value = *(const int64_t *)((const char *)output + numbers[i].offset);
        if (value != 0 && value != INT64_MIN)
            (void)fprintf(file, " %s=%lld", numbers[i].name, (long long)value);
    }
    const struct run_said *run = history_run(history, output);
    if (run != NULL)
        (void)fprintf(file, " run=%s k=%lld first_run=%lld run_number=%lld try=%lld state=%s%s"
                      " outcome=%s", run->id, (long long)run->k, (long long)run->first_runnumber,
                      (long long)run->runnumber, (long long)run->number, run->state,
                      run->free ? "free" : "", run->outcome);
    (void)fprintf(file, " number=%d\n", (int)output->partition);
}

void history_write(const struct history *history, int32_t shard, FILE *file)
{
    for (size_t i = 0; i < history->step_count[shard]; i++) {
        const struct step *step = &history->steps[shard][i];
        (void)fprintf(file, "  shard %d sequence %lld epoch %lld of %s watermark %lld%s at %lld\n",
                      (int)shard, (long long)step->mark.sequence, (long long)step->mark.epoch,
                      step->mark.owner, (long long)step->mark.watermark_ms,
                      step->mark.ordinal == INT64_MAX ? "" : " (half)",
                      (long long)step->time_ms);
        for (size_t j = step->first; j < step->first + step->count; j++)
            write_output(history, &history->outputs[j], file);
    }
}
