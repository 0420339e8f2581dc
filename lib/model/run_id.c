#include "lib/model/run_id.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/model/job_record.h"

static size_t append(char *text, size_t length, struct text more)
{
    assert(length + more.length <= RUN_ID_BYTES_MAX);
    if (more.length > 0) memcpy(text + length, more.bytes, more.length);
    text[length + more.length] = '\0';
    return length + more.length;
}

size_t run_id_format(const struct run_identity *identity, char *text)
{
    assert(identity != NULL && text != NULL);
    if (identity->trigger_id.length == 0)
        return fire_id_format(&identity->incarnation, identity->nominal_ms, text);
    bool is_backfill = identity->kind == FIRE_BACKFILL;
    bool is_imported = is_backfill && identity->import.effective_ms != INCARNATION_NONE_MS;
    size_t length = incarnation_format(&identity->incarnation, text);
    length = append(text, length, text_of(is_imported ? "@i:" : is_backfill ? "@b:" : "@t:"));
    if (is_imported) {
        length += incarnation_format(&identity->import, text + length);
        length = append(text, length, text_of(":"));
    }
    length = append(text, length, identity->trigger_id);
    if (!is_backfill) return length;
    char nominal[24];
    snprintf(nominal, sizeof nominal, ":%" PRId64, identity->nominal_ms);
    return append(text, length, text_of(nominal));
}

size_t run_id_of_record(const struct run_record *record, char *text)
{
    assert(record != NULL);
    const struct run_identity identity = {.incarnation = record->incarnation,
                                          .kind = record->kind,
                                          .nominal_ms = record->nominal_ms,
                                          .trigger_id = record->trigger_id,
                                          .import = record->import};
    return run_id_format(&identity, text);
}
