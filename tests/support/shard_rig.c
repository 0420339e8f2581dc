#include "tests/support/shard_rig.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "dispatcher/jobs/job.h"
#include "lib/base/memory.h"
#include "lib/time/civil.h"
#include "lib/time/instant.h"
#include "lib/time/zone_stand_in.h"
#include "schemas/command_json.h"
#include "schemas/event_json.h"
#include "schemas/job_json.h"
#include "schemas/result_json.h"
#include "schemas/run_json.h"
#include "schemas/seen_json.h"
#include "tests/support/cron_case.h"

int64_t rig_instant(const char *text)
{
    int64_t instant_ms = 0;
    struct error error = {0};
    if (!instant_parse(text, strlen(text), &instant_ms, &error)) {
        (void)fprintf(stderr, "bad instant in a test: %s\n", text);
        abort();
    }
    return instant_ms;
}

/* ---- the sink ---- */

/* "2026-01-01T00:00:00.000Z" without what is the same in most tests. */
static const char *short_time(int64_t instant_ms, char text[INSTANT_TEXT_BYTES])
{
    instant_format(instant_ms, text);
    text[19] = '\0';
    return text + 5;
}

static void write_fire_id(struct text_writer *writer, const struct fire *fire)
{
    char id[FIRE_ID_BYTES];
    char import[INCARNATION_TEXT_BYTES];
    (void)incarnation_format(&fire->job->life.incarnation, id);
    text_writer_format(writer, "%s@", id);
    if (fire->kind == FIRE_TRIGGER) {
        text_writer_words(writer, "t:");
        text_writer_raw(writer, fire->trigger_id);
        return;
    }
    if (fire->kind == FIRE_BACKFILL && job_import(fire->job) != NULL) {
        (void)incarnation_format(job_import(fire->job), import);
        text_writer_format(writer, "i:%s:", import);
    } else if (fire->kind == FIRE_BACKFILL)
        text_writer_words(writer, "b:");
    if (fire->kind == FIRE_BACKFILL) {
        text_writer_raw(writer, fire->trigger_id);
        text_writer_char(writer, ':');
    }
    text_writer_integer(writer, fire->nominal_ms);
}

/* Of the try that the fire is: all that its worker is told. */
static void say_try(struct text_writer *writer, const struct fire *fire)
{
    const struct fire_run *run = fire->run;
    text_writer_format(writer, " run=%" PRId64 " try=%d lease=%" PRId64 " expires=%" PRId64,
                       run->run_number, run->try_number, run->lease_ms, run->expires_ms);
    text_writer_format(writer, " workers=%.*s cursor=%.*s missed=%" PRId64,
                       (int)run->workers.length, run->workers.bytes, (int)run->cursor.length,
                       run->cursor.bytes, fire->missed_count);
}

/* The command's, or the job's. */
static void say_trace(struct text_writer *writer, const struct fire *fire)
{
    struct definition definition;
    job_view(fire->job, &definition);
    bool own = fire->traceparent.length > 0;
    struct text trace = own ? fire->traceparent : definition.traceparent;
    if (trace.length == 0) return;
    text_writer_words(writer, " trace=");
    text_writer_raw(writer, trace);
}

static void on_fire(void *opaque, const struct fire *fire)
{
    struct shard_rig *rig = opaque;
    char time[INSTANT_TEXT_BYTES];
    struct text name = job_name(fire->job);
    rig->batch++;
    rig->fires++;
    struct text_writer *log = &rig->log;
    text_writer_words(log, "fire ");
    if (rig->speaks_json) {
        write_fire_id(log, fire);
        text_writer_format(log, " %s", fire_kind_name(fire->kind));
        if (fire->run != NULL) say_try(log, fire);
        text_writer_char(log, '\n');
        return;
    }
    text_writer_raw(log, name);
    text_writer_format(log, " %s %s", short_time(fire->nominal_ms, time),
                       fire_kind_name(fire->kind));
    if (fire->missed_count > 0) text_writer_format(log, " missed=%" PRId64, fire->missed_count);
    if (fire->attempt != 1) text_writer_format(log, " attempt=%d", fire->attempt);
    if (rig->tells_ids) {
        text_writer_char(log, ' ');
        write_fire_id(log, fire);
    }
    say_trace(log, fire);
    if (fire->run != NULL && rig->tells_tries)
        text_writer_format(log, " try=%d", fire->run->try_number);
    if (fire->run != NULL && rig->tells_tries && rig->tells_ids)
        text_writer_format(log, " run=%" PRId64, fire->run->run_number & RIG_RUN_MASK);
    text_writer_char(log, '\n');
}

static void say_instant(struct text_writer *writer, const char *name, int64_t instant_ms)
{
    char time[INSTANT_TEXT_BYTES];
    if (instant_ms == EVENT_FIELD_NONE) return;
    text_writer_words(writer, name);
    text_writer_words(writer, short_time(instant_ms, time));
}

static void on_event(void *opaque, const struct event *event)
{
    struct shard_rig *rig = opaque;
    struct text_writer *log = &rig->log;
    rig->batch++;
    text_writer_words(log, "event ");
    if (rig->speaks_json) {
        event_encode(log, event, 0);
        text_writer_char(log, '\n');
        return;
    }
    text_writer_words(log, event_kind_name(event->kind));
    text_writer_char(log, ' ');
    text_writer_raw(log, event->group);
    text_writer_char(log, '/');
    text_writer_raw(log, event->id);
    say_instant(log, " first=", event->first_ms);
    say_instant(log, " last=", event->last_ms);
    if (event->count != EVENT_FIELD_NONE) {
        text_writer_words(log, " count=");
        text_writer_integer(log, event->count);
    }
    say_instant(log, " from=", event->from_ms);
    say_instant(log, " to=", event->to_ms);
    if (event->backfill_id.length > 0) {
        text_writer_char(log, ' ');
        text_writer_raw(log, event->backfill_id);
    }
    if (event->reason != REASON_NONE) {
        text_writer_char(log, ' ');
        text_writer_words(log, event_reason_word(event->reason));
    }
    if (event->run_number != EVENT_FIELD_NONE)
        text_writer_format(log, " run=%" PRId64, event->run_number & RIG_RUN_MASK);
    text_writer_char(log, '\n');
}

static void say_days(struct shard_rig *rig, const char *name, const int64_t *due_ms, int32_t count)
{
    text_writer_words(&rig->log, name);
    for (int32_t i = 0; i < count; i++) {
        char time[INSTANT_TEXT_BYTES];
        text_writer_char(&rig->log, ' ');
        text_writer_raw(&rig->log, (struct text){short_time(due_ms[i], time), 5});
    }
}

static void say_more(struct shard_rig *rig, const struct result *result)
{
    struct text_writer *log = &rig->log;
    for (size_t i = 0; i < result->error_count; i++)
        text_writer_format(log, "  %s %s\n", result->errors[i].field,
                           error_code_word(result->errors[i].code));
    for (size_t i = 0; i < result->difference_count; i++) {
        const struct result_difference *difference = &result->differences[i];
        bool changes = difference->change != OP_NONE;
        text_writer_format(log, "  %s %.*s/%.*s +%" PRId64 " -%" PRId64,
                           changes ? command_op_word(difference->change) : "unchanged",
                           (int)difference->group.length, difference->group.bytes,
                           (int)difference->id.length, difference->id.bytes,
                           difference->fires_added, difference->fires_removed);
        say_days(rig, " before:", difference->before_ms, difference->before_count);
        say_days(rig, " after:", difference->after_ms, difference->after_count);
        for (int32_t day = 0; day < difference->dst_day_count; day++) {
            struct civil_date date = civil_date(difference->dst_days[day]);
            text_writer_format(log, " dst %d-%d-%d", (int)date.year, (int)date.month,
                               (int)date.day);
        }
        text_writer_char(log, '\n');
    }
}

static void on_result(void *opaque, const struct result *result)
{
    struct shard_rig *rig = opaque;
    rig->batch++;
    if (rig->speaks_json) {
        text_writer_words(&rig->log, "result ");
        result_encode(&rig->log, result, text_of("belfry.control"));
        text_writer_char(&rig->log, '\n');
        return;
    }
    text_writer_format(&rig->log, "result %s %s%s%s matched=%" PRId64 " changed=%" PRId64 "\n",
                       command_op_word(result->op), outcome_name(result->outcome),
                       result->code != CODE_NONE ? " " : "", error_code_word(result->code),
                       result->matched, result->changed);
    if (rig->tells_more) say_more(rig, result);
}

void rig_keep(struct shard_rig *rig, const char *key, char *value)
{
    for (size_t i = 0; i < rig->record_count; i++) {
        if (strcmp(rig->records[i].key, key) != 0) continue;
        free(rig->records[i].value);
        rig->records[i].value = value;
        return;
    }
    rig->records = memory_grow(rig->records, &rig->record_capacity, rig->record_count + 1,
                               sizeof *rig->records);
    rig->records[rig->record_count++] =
        (struct rig_record){.key = memory_copy_text(key, strlen(key)), .value = value};
}

static void job_key(const struct job *job, char *key, size_t bytes)
{
    struct text name = job_name(job);
    (void)snprintf(key, bytes, "job/%.*s", (int)name.length, name.bytes);
}

static char *job_text(const struct job *job)
{
    struct text_writer writer;
    struct job_record record;
    text_writer_init(&writer);
    job_view_record(job, &record);
    job_record_encode(&writer, &record);
    char *text = memory_copy_text(writer.bytes, writer.length);
    text_writer_free(&writer);
    return text;
}

static void on_job_changed(void *opaque, const struct job *job)
{
    struct shard_rig *rig = opaque;
    char key[512];
    job_key(job, key, sizeof key);
    rig->batch++;
    rig->changes++;
    rig_keep(rig, key, job_text(job));
    if (rig->census != NULL) census_job(rig->census, job);
}

static void on_job_deleted(void *opaque, const struct job *job)
{
    struct shard_rig *rig = opaque;
    char key[512];
    job_key(job, key, sizeof key);
    rig->batch++;
    if (!rig->speaks_json) text_writer_format(&rig->log, "gone %s\n", key + 4);
    rig_keep(rig, key, NULL);
    if (rig->census != NULL) census_job_gone(rig->census, job);
}

static void on_seen(void *opaque, const struct seen *seen)
{
    struct shard_rig *rig = opaque;
    struct text_writer writer;
    char key[64];
    text_writer_init(&writer);
    seen_encode(&writer, seen, 1);
    (void)snprintf(key, sizeof key, "seen/%" PRId64, rig->mark.sequence + 1);
    rig_keep(rig, key, memory_copy_text(writer.bytes, writer.length));
    text_writer_free(&writer);
}

static void on_seen_expired(void *opaque, int64_t sequence)
{
    struct shard_rig *rig = opaque;
    char key[64];
    (void)snprintf(key, sizeof key, "seen/%" PRId64, sequence);
    rig_keep(rig, key, NULL);
}

static bool is_full(void *opaque)
{
    const struct shard_rig *rig = opaque;
    return rig->batch_max > 0 && rig->batch >= rig->batch_max;
}

static bool is_uncertain(void *opaque)
{
    const struct shard_rig *rig = opaque;
    return rig->fires_uncertain && rig->fires > 0;
}

struct sink rig_test_sink(struct shard_rig *rig)
{
    struct sink sink = {.opaque = rig,
                         .fire = on_fire,
                         .event = on_event,
                         .result = on_result,
                         .job_changed = on_job_changed,
                         .job_deleted = on_job_deleted,
                         .seen = on_seen,
                         .seen_expired = on_seen_expired,
                         .full = is_full,
                         .uncertain = is_uncertain};
    rig_runs_sink(&sink);
    return sink;
}

/* ---- life ---- */

static struct shard *new_shard(const struct shard_rig *rig)
{
    struct shard_config config;
    shard_config_defaults(&config);
    config.shards = 1;
    if (rig->runs_open_max != 0) config.runs.open_max = rig->runs_open_max;
    if (rig->hash_key != 0) memset(config.hash_key, rig->hash_key, sizeof config.hash_key);
    return shard_create(&config);
}

void rig_open(struct shard_rig *rig, const char *start)
{
    *rig = (struct shard_rig){0};
    text_writer_init(&rig->log);
    rig->arena = arena_create();
    rig->generation = 1;
    rig->epoch = 1;
    rig->mark = (struct mark){.generation = 1,
                              .epoch = 1,
                              .next_ordinal = 1,
                              .shards = 1,
                              .watermark = {rig_instant(start), WATERMARK_WHOLE}};
    rig->shard = new_shard(rig);
    shard_restore_done(rig->shard, &rig->mark);
    rig->now_ms = rig->mark.watermark.instant_ms;
    rig_follow_runs(rig);
}

void rig_close(struct shard_rig *rig)
{
    for (size_t i = 0; i < rig->record_count; i++) {
        free(rig->records[i].key);
        free(rig->records[i].value);
    }
    free(rig->records);
    text_writer_free(&rig->log);
    arena_destroy(rig->arena);
    shard_destroy(rig->shard);
    zone_stand_ins_destroy(rig->stand_ins);
}

static void restore_record(struct shard *shard, const struct zone_lookup *zones,
                           const struct rig_record *record)
{
    struct arena *arena = arena_create();
    struct error error = {0};
    const struct seen *seen = NULL;
    size_t count = 0;
    struct text value = text_of(record->value);
    bool restored = true;
    if (strncmp(record->key, "job/", 4) == 0 && record->value != NULL) {
        struct job_record job;
        restored = job_record_decode(value, arena, zones, &job, &error);
        if (restored) shard_restore_job(shard, &job);
    } else if (strncmp(record->key, "seen/", 5) == 0 && record->value != NULL) {
        restored = seen_decode(value, arena, &seen, &count, &error);
        for (size_t i = 0; i < count; i++)
            shard_restore_seen(shard, strtoll(record->key + 5, NULL, 10), &seen[i]);
    } else if (strncmp(record->key, "run/", 4) == 0 && record->value != NULL) {
        struct run_record run;
        bool open = false;
        restored = run_record_decode(value, arena, &run, &open, &error) && open;
        if (restored)
            shard_restore_run(shard, (uint32_t)strtoul(record->key + 4, NULL, 10), &run);
    }
    if (!restored) {
        (void)fprintf(stderr, "%s: %s\n", record->key, error.message);
        abort();
    }
    arena_destroy(arena);
}

void rig_restart(struct shard_rig *rig)
{
    shard_destroy(rig->shard);
    zone_stand_ins_destroy(rig->stand_ins);
    rig->stand_ins = zone_stand_ins_create(rig->lacks_zones ? NULL : test_zones());
    rig->shard = new_shard(rig);
    for (size_t i = 0; i < rig->record_count; i++)
        restore_record(rig->shard, zone_stand_ins_lookup(rig->stand_ins), &rig->records[i]);
    shard_restore_done(rig->shard, &rig->mark);
    rig_follow_runs(rig);
    if (rig->census != NULL) census_take(rig->census, rig->shard);
}

void rig_test_commit(struct shard_rig *rig)
{
    rig->mark.sequence++;
    shard_fill_mark(rig->shard, &rig->mark);
    if (shard_runs(rig->shard) != NULL) {
        rig->next_runnumber = runs_next_runnumber(shard_runs(rig->shard));
        rig->runs_read_to = runs_read_to(shard_runs(rig->shard));
    }
    rig->batch = 0;
    rig->fires = 0;
    rig->commits++;
    if (rig->restart_always) rig_restart(rig);
}

/* ---- stepping ---- */

void rig_step_to(struct shard_rig *rig, int64_t to_ms, int64_t now_ms)
{
    struct sink sink = rig_test_sink(rig);
    while (!shard_advance(rig->shard, to_ms, now_ms, &sink)) rig_test_commit(rig);
}

static bool lane_has_work(const struct shard *shard)
{
    for (uint32_t slot = 0; slot < shard_slots(shard); slot++) {
        const struct job *job = shard_job_at(shard, slot);
        if (job == NULL || (job->flags & JOB_STANDS_STILL) || shard_run_in_way(shard, job) ||
            shard_holds(shard, job))
            continue;
        bool owes = job_owes(job) && !job_is_failing(job);
        if (owes || (job->extra != NULL && job->extra->backfill_count > 0)) return true;
    }
    return false;
}

void rig_work_off(struct shard_rig *rig, int64_t now_ms)
{
    struct sink sink = rig_test_sink(rig);
    while (!shard_decide(rig->shard, now_ms, &sink)) rig_test_commit(rig);
    rig_test_commit(rig);
    /* The lane's clock runs on while the watermark stays: all that is owed goes out. */
    for (int64_t lane_ms = now_ms; lane_has_work(rig->shard); lane_ms += 100) {
        assert(lane_ms < now_ms + 1000000);
        shard_run_lane(rig->shard, lane_ms, &sink);
        rig_test_commit(rig);
    }
}

void rig_advance(struct shard_rig *rig, const char *now)
{
    rig->now_ms = rig_instant(now);
    shard_tell_steady(rig->shard, rig->now_ms);
    rig_step_to(rig, rig->now_ms, rig->now_ms);
    rig_work_off(rig, rig->now_ms);
}

static bool any_topic(void *opaque, struct text topic)
{
    const struct shard_rig *rig = opaque;
    return rig->allows_topics && topic.length > 0;
}

void rig_command(struct shard_rig *rig, const char *at, const char *now, const char *json)
{
    struct sink sink = rig_test_sink(rig);
    struct command_limits limits;
    struct command command;
    struct error error = {0};
    int64_t now_ms = rig_instant(now == NULL ? at : now);
    struct source source = {.offset = rig->offset, .origin_offset = rig->offset,
                            .log_time_ms = rig_instant(at)};
    rig->offset++;
    command_limits_defaults(&limits);
    limits.zones = rig->lacks_zones ? NULL : test_zones();
    limits.topic_allowed = any_topic;
    limits.runs = rig->allows_runs;
    limits.opaque = rig;
    arena_reset(rig->arena);
    bool good = command_decode(text_of(json), NULL, 0, &source, &limits, rig->arena, &command,
                               &error);
    int64_t effective_ms = shard_effective_ms(rig->shard, source.log_time_ms, now_ms);
    struct application application = {.command = &command,
                                      .source = &source,
                                      .effective_ms = effective_ms,
                                      .now_ms = now_ms,
                                      .shards_applying = 1};
    if (good && !shard_in_command(rig->shard)->active) rig_step_to(rig, effective_ms, now_ms);
    application.sequence = rig->mark.sequence + 1;
    if (!good) shard_reject(rig->shard, &application, &error, &sink);
    while (good && !shard_apply(rig->shard, &application, &sink)) {
        rig_test_commit(rig);
        application.sequence = rig->mark.sequence + 1;
        if (!rig->interrupts) continue;
        error_invalid(&error, CODE_INTERNAL, "the test has it so");
        shard_interrupt(rig->shard, &application, &error, &sink);
        break;
    }
    rig_test_commit(rig);
}

void rig_set_record(struct shard_rig *rig, const char *name, const char *json)
{
    char key[512];
    (void)snprintf(key, sizeof key, "job/%s", name);
    rig_keep(rig, key, memory_copy_text(json, strlen(json)));
    json_t *record = json_loads(json, 0, NULL);
    int64_t ordinal = json_integer_value(json_object_get(record, "ordinal"));
    json_decref(record);
    if (rig->mark.next_ordinal <= ordinal) rig->mark.next_ordinal = ordinal + 1;
}

const char *rig_said(struct shard_rig *rig)
{
    const char *said = text_writer_terminated(&rig->log);
    text_writer_reset(&rig->log);
    return said;
}

const char *rig_record(const struct shard_rig *rig, const char *name)
{
    for (size_t i = 0; i < rig->record_count; i++)
        if (strncmp(rig->records[i].key, "job/", 4) == 0 &&
            strcmp(rig->records[i].key + 4, name) == 0)
            return rig->records[i].value;
    return NULL;
}
