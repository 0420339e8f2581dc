#include "cli/operate/ping.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/write/write_session.h"
#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/base/monotonic.h"

/* A ping is answered by the shard it is sent to: one record for each, or for one group's. */
static void make_plan(struct write_plan *plan, const char *group, uint32_t shards)
{
    char made[COMMAND_ID_MADE_BYTES];
    uint32_t first = group == NULL ? 0 : shard_of_key(group, strlen(group), shards);
    assert(shards > 0);
    command_id_make(made);
    plan->count = group == NULL ? shards : 1;
    plan->records = memory_allocate(plan->count, sizeof *plan->records);
    for (size_t i = 0; i < plan->count; i++) {
        struct write_record *record = &plan->records[i];
        record->partition = (int32_t)(first + i);
        record->key = group;
        (void)snprintf(record->command_id, sizeof record->command_id, "ping-%s.%zu", made, i);
        text_writer_format(&record->value, "{\"op\":\"ping\",\"command_id\":\"%s\"}",
                           record->command_id);
    }
    assert(plan->count > 0);
}

bool ping_shards(const struct settings *settings, const char *group, int64_t wait_ms,
                 json_t **results, int64_t *took_ms, struct error *error)
{
    struct write_session session;
    struct write_plan plan = {0};
    *results = NULL;
    bool ok = write_session_open(&session, settings, NULL, true, error);
    int64_t start_ms = monotonic_ms();
    if (ok) {
        make_plan(&plan, group, session.shards);
        ok = write_session_send(&session, &plan, wait_ms, results, error);
    }
    *took_ms = monotonic_ms() - start_ms;
    write_plan_free(&plan);
    write_session_close(&session);
    return ok;
}
