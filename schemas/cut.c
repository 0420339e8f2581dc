#include "schemas/cut.h"

#include <assert.h>

#include "lib/base/json_scan.h"

static void copy_members(struct text object, const char *const *names, struct text_writer *writer)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        struct text value = json_scan_member(object, names[i]);
        if (value.bytes == NULL) continue;
        text_writer_member(writer, names[i]);
        text_writer_raw(writer, value);
    }
}

void cut_result(struct text result, struct text_writer *writer)
{
    static const char *const before[] = {"command_id", "op",      "outcome", "first_outcome",
                                         "code",       "message", "field",   "dry_run",
                                         "matched",    "changed", NULL};
    static const char *const after[] = {"source", "shard", "shards", "sequence", "effective_at",
                                        "applied_at", "correlation_id", "traceparent", NULL};
    assert(writer != NULL);
    text_writer_char(writer, '{');
    copy_members(result, before, writer);
    text_writer_words(writer, ",\"warnings\":[{\"code\":\"too_large\",\"message\":\"the lists of "
                              "this result are left out: Kafka did not take it with them\"}]");
    copy_members(result, after, writer);
    text_writer_char(writer, '}');
}

void cut_event(struct text event, struct text_writer *writer)
{
    static const char *const kept[] = {"event", "at", "shard", "group", "id", "incarnation",
                                       "first", "last", "count", "from", "to", "reason",
                                       "backfill_id", "epoch", "owner", "run", "runnumber", NULL};
    assert(writer != NULL);
    text_writer_char(writer, '{');
    copy_members(event, kept, writer);
    text_writer_char(writer, '}');
}
