#include "cli/write/write_plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/show/json_text.h"
#include "lib/base/hash.h"
#include "lib/base/memory.h"

enum { NUMBER_SUFFIX_BYTES = 12, RECORD_ROOM_BYTES = 512 };

void command_id_make(char command_id[COMMAND_ID_MADE_BYTES])
{
    unsigned char random[16];
    ssize_t got = getrandom(random, sizeof random, 0);
    assert(got == (ssize_t)sizeof random);
    (void)got;
    random[6] = (unsigned char)((random[6] & 0x0f) | 0x40);
    random[8] = (unsigned char)((random[8] & 0x3f) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < sizeof random; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) command_id[at++] = '-';
        (void)snprintf(command_id + at, 3, "%02x", random[i]);
        at += 2;
    }
    assert(at == COMMAND_ID_MADE_BYTES - 1);
}

static struct write_record *plan_add(struct write_plan *plan, int32_t partition, const char *key)
{
    assert(partition >= ANY_PARTITION);
    plan->records = memory_grow(plan->records, &plan->capacity, plan->count + 1,
                                sizeof *plan->records);
    struct write_record *record = &plan->records[plan->count++];
    *record = (struct write_record){.partition = partition, .key = key};
    return record;
}

/* Every record begins as `{`; record_finish(), which knows the number of them, completes it. */
static size_t jobs_take(struct write_record *record, const struct write_request *request,
                        const size_t *order, size_t first, size_t last)
{
    assert(first < last);
    size_t room = (size_t)RECORD_BYTES_MAX - RECORD_ROOM_BYTES - request->members.length;
    size_t next = first;
    text_writer_words(&record->value, "\"jobs\":[");
    while (next < last && next - first < COMMAND_JOBS_MAX) {
        struct text json = request->jobs[order[next]].json;
        if (next > first && record->value.length + json.length + 1 > room) break;
        text_writer_comma(&record->value);
        text_writer_bytes(&record->value, json.bytes, json.length);
        next++;
    }
    text_writer_words(&record->value, "]");
    record->jobs = next - first;
    assert(record->jobs > 0);
    return next;
}

/* The jobs' indices sorted by shard, in their own order within one; starts[p] .. starts[p + 1]. */
static size_t *jobs_order(const struct write_request *request, uint32_t shards, size_t *starts)
{
    assert(shards > 0);
    uint32_t *shard_of = memory_allocate(request->job_count, sizeof *shard_of);
    size_t *order = memory_allocate(request->job_count, sizeof *order);
    size_t *next = memory_allocate(shards, sizeof *next);
    for (size_t i = 0; i < request->job_count; i++) {
        const char *group = request->jobs[i].group;
        shard_of[i] = shard_of_key(group, strlen(group), shards);
        starts[shard_of[i] + 1]++;
    }
    for (uint32_t p = 0; p < shards; p++) {
        starts[p + 1] += starts[p];
        next[p] = starts[p];
    }
    for (size_t i = 0; i < request->job_count; i++) order[next[shard_of[i]]++] = i;
    free(next);
    free(shard_of);
    return order;
}

static void plan_jobs(struct write_plan *plan, const struct write_request *request,
                      uint32_t shards)
{
    assert(request->job_count > 0);
    size_t *starts = memory_allocate((size_t)shards + 1, sizeof *starts);
    size_t *order = jobs_order(request, shards, starts);
    for (uint32_t p = 0; p < shards; p++) {
        size_t at = starts[p];
        while (at < starts[p + 1]) {
            struct write_record *record =
                plan_add(plan, (int32_t)p, request->jobs[order[at]].group);
            at = jobs_take(record, request, order, at, starts[p + 1]);
        }
    }
    free(order);
    free(starts);
}

static void select_write(struct text_writer *out, const struct write_select *select,
                         uint32_t shards, int64_t shard)
{
    assert(shards > 0);
    text_writer_member(out, "select");
    text_writer_words(out, "{");
    if (shard >= 0) {
        text_writer_words(out, "\"groups\":[");
        for (size_t i = 0; i < select->group_count; i++) {
            const char *group = select->groups[i];
            if (shard_of_key(group, strlen(group), shards) != (uint32_t)shard) continue;
            text_writer_comma(out);
            bool written = json_text_string(out, group, strlen(group), NULL);
            assert(written); /* it was parsed from JSON or checked as a name */
            (void)written;
        }
        text_writer_words(out, "]");
    }
    if (select->rest.length > 0) {
        text_writer_comma(out);
        text_writer_bytes(out, select->rest.bytes, select->rest.length);
    }
    text_writer_words(out, "}");
}

/* One record for each shard on which a group of the selector lives. */
static void plan_select(struct write_plan *plan, const struct write_select *select,
                        uint32_t shards)
{
    assert(shards > 0);
    if (select->group_count == 0) {
        select_write(&plan_add(plan, ANY_PARTITION, NULL)->value, select, shards, -1);
        return;
    }
    bool *done = memory_allocate(shards, sizeof *done);
    for (size_t i = 0; i < select->group_count; i++) {
        const char *group = select->groups[i];
        uint32_t shard = shard_of_key(group, strlen(group), shards);
        if (done[shard]) continue;
        done[shard] = true;
        select_write(&plan_add(plan, (int32_t)shard, group)->value, select, shards, shard);
    }
    free(done);
}

bool write_plan_can_expect(const struct write_plan *plan)
{
    assert(plan->count > 0);
    return plan->count == 1 && plan->records[0].partition != ANY_PARTITION;
}

static bool record_finish(struct write_record *record, const struct write_request *request,
                          const char *command_id, size_t number, bool dry_run, bool expect,
                          struct error *error)
{
    int length = number == 0 ? snprintf(record->command_id, sizeof record->command_id, "%s",
                                        command_id)
                             : snprintf(record->command_id, sizeof record->command_id, "%s.%zu",
                                        command_id, number);
    if (length < 0 || length >= (int)sizeof record->command_id)
        return error_invalid(error, CODE_BAD_VALUE,
                             "the command id is too long: at most %d bytes, of which %d for the "
                             "number of each of several commands", COMMAND_ID_BYTES_MAX,
                             NUMBER_SUFFIX_BYTES);
    struct text_writer whole = {0};
    text_writer_format(&whole, "{\"op\":\"%s\",\"command_id\":", command_op_word(request->op));
    bool written = json_text_string(&whole, record->command_id, (size_t)length, error);
    if (dry_run) text_writer_words(&whole, ",\"dry_run\":true");
    if (expect) text_writer_format(&whole, ",\"expect\":%lld", (long long)request->expect);
    if (record->value.length > 0) {
        text_writer_words(&whole, ",");
        text_writer_bytes(&whole, record->value.bytes, record->value.length);
    }
    if (request->members.length > 0) {
        text_writer_words(&whole, ",");
        text_writer_bytes(&whole, request->members.bytes, request->members.length);
    }
    text_writer_words(&whole, "}");
    text_writer_free(&record->value);
    record->value = whole;
    if (written && whole.length > RECORD_BYTES_MAX)
        return error_invalid(error, CODE_TOO_LARGE, "the command takes %zu bytes; at most %d",
                             whole.length, RECORD_BYTES_MAX);
    return written;
}

bool write_plan_build(struct write_plan *plan, const struct write_request *request,
                      const char *command_id, uint32_t shards, bool dry_run, bool expect,
                      struct error *error)
{
    assert(shards > 0);
    assert(shards <= SHARDS_MAX);
    *plan = (struct write_plan){0};
    if (request->members.length > RECORD_BYTES_MAX - 2 * RECORD_ROOM_BYTES)
        return error_invalid(error, CODE_TOO_LARGE, "the command takes %zu bytes; at most %d",
                             request->members.length, RECORD_BYTES_MAX);
    if (request->job_count > 0) plan_jobs(plan, request, shards);
    for (size_t i = 0; i < request->select_count; i++)
        plan_select(plan, &request->selects[i], shards);
    /* A file's command without jobs or selector: the daemon says what is missing. */
    if (plan->count == 0) (void)plan_add(plan, ANY_PARTITION, NULL);
    bool can_expect = expect && request->expect >= 0 && write_plan_can_expect(plan);
    for (size_t i = 0; i < plan->count; i++) {
        size_t number = plan->count == 1 ? 0 : i + 1;
        if (!record_finish(&plan->records[i], request, command_id, number, dry_run, can_expect,
                           error))
            return false;
    }
    return true;
}

void write_plan_free(struct write_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) text_writer_free(&plan->records[i].value);
    free(plan->records);
    *plan = (struct write_plan){0};
}
