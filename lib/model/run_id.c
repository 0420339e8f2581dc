#include "lib/model/run_id.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/number.h"
#include "lib/model/job_record.h"

/* ---- reading ---- */

/* Of what is left: the part before the first such byte, which goes with it. */
static bool take_part(struct text *rest, char end, struct text *part)
{
    const char *found = rest->length == 0 ? NULL : memchr(rest->bytes, end, rest->length);
    if (found == NULL) return false;
    *part = (struct text){rest->bytes, (size_t)(found - rest->bytes)};
    rest->bytes += part->length + 1;
    rest->length -= part->length + 1;
    return true;
}

static bool take_prefix(struct text *rest, const char *prefix)
{
    struct text wanted = text_of(prefix);
    if (rest->length < wanted.length || memcmp(rest->bytes, prefix, wanted.length) != 0)
        return false;
    rest->bytes += wanted.length;
    rest->length -= wanted.length;
    return true;
}

/* As it is written: no sign, no needless zero. */
static bool read_nominal(struct text text, int64_t *nominal_ms)
{
    bool is_plain =
        text.length > 0 && text.bytes[0] != '-' && (text.length == 1 || text.bytes[0] != '0');
    return is_plain && number_read(text, nominal_ms);
}

/* <backfill id>:<nominal time>; the id may have colons. */
static bool read_backfill(struct text rest, struct run_identity *identity)
{
    size_t at = rest.length;
    while (at > 0 && rest.bytes[at - 1] != ':') at--;
    if (at == 0) return false;
    identity->kind = FIRE_BACKFILL;
    identity->trigger_id = (struct text){rest.bytes, at - 1};
    return read_nominal((struct text){rest.bytes + at, rest.length - at}, &identity->nominal_ms);
}

bool run_id_parse(struct text text, struct run_identity *identity)
{
    assert(identity != NULL && (text.bytes != NULL || text.length == 0));
    *identity = (struct run_identity){.kind = FIRE_SCHEDULE,
                                      .nominal_ms = INSTANT_NONE,
                                      .import = {.effective_ms = INCARNATION_NONE_MS}};
    struct text part;
    if (!take_part(&text, '@', &part) || !incarnation_parse(part, &identity->incarnation))
        return false;
    if (text.length > 0 && text.bytes[0] >= '0' && text.bytes[0] <= '9')
        return read_nominal(text, &identity->nominal_ms);
    if (take_prefix(&text, "t:")) {
        identity->kind = FIRE_TRIGGER;
        identity->trigger_id = text;
    } else if (take_prefix(&text, "i:")) {
        if (!take_part(&text, ':', &part) || !incarnation_parse(part, &identity->import) ||
            !read_backfill(text, identity))
            return false;
    } else if (!take_prefix(&text, "b:") || !read_backfill(text, identity)) {
        return false;
    }
    return identity->trigger_id.length > 0 && identity->trigger_id.length <= COMMAND_ID_BYTES_MAX;
}

/* ---- writing ---- */

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
