#include "tests/support/store_script.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"

enum { SHARD = 3, SHARDS = 8, LINES_MAX = 256, LINE_BYTES = 700, NAMES_MAX = 8 };

struct lines {
    size_t count;
    char text[LINES_MAX][LINE_BYTES];
};

static enum store_item_kind kind_of(char sign)
{
    switch (sign) {
    case '+': return STORE_JOB_PUT;
    case '-': return STORE_JOB_DELETE;
    case 's': return STORE_SEEN_PUT;
    case 'x': return STORE_SEEN_DELETE;
    case 'k': return STORE_RUN_PUT;
    case 'e': return STORE_RUN_DELETE;
    }
    assert(!"a sign of an item");
    return STORE_JOB_PUT;
}

void items_parse(struct items *items, const char *words)
{
    items->count = 0;
    items->jobs = items->seen = items->runs = -1;
    items->token = items->token_before = 0;
    (void)snprintf(items->text, sizeof items->text, "%s", words);
    char *rest = NULL;
    for (char *word = strtok_r(items->text, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        assert(items->count < sizeof items->items / sizeof items->items[0]);
        if (word[0] == 't') {
            char *before = NULL;
            items->token = strtoull(word + 1, &before, 10);
            if (*before == '<') items->token_before = strtoull(before + 1, NULL, 10);
            continue;
        }
        if (strchr("jro", word[0]) != NULL) {
            int64_t *wanted = word[0] == 'j'   ? &items->jobs
                              : word[0] == 'r' ? &items->seen
                                               : &items->runs;
            *wanted = strtol(word + 1, NULL, 10);
            continue;
        }
        struct store_item *item = &items->items[items->count++];
        char *text = strchr(word, '=');
        char *super_group = text != NULL ? strrchr(text, '@') : NULL;
        if (text != NULL) *text++ = '\0';
        if (super_group != NULL) *super_group++ = '\0';
        bool put = strchr("+sk", word[0]) != NULL;
        *item = (struct store_item){
            .kind = kind_of(word[0]),
            .name = word + 1,
            .name_bytes = strlen(word + 1),
            .text = put ? text : NULL,
            .text_bytes = put ? strlen(text) : 0,
            .super_group = super_group,
            .super_group_bytes = super_group != NULL ? strlen(super_group) : 0,
        };
    }
}

struct snapshot snapshot_at(int64_t generation, int64_t epoch, int64_t sequence)
{
    struct snapshot snapshot;
    memset(&snapshot, 0, sizeof snapshot);
    snapshot.mark.generation = generation;
    snapshot.mark.epoch = epoch;
    snapshot.mark.sequence = sequence;
    snapshot.mark.watermark.instant_ms = INT64_C(1795294674123) + sequence;
    snapshot.mark.watermark.ordinal = WATERMARK_WHOLE;
    snapshot.mark.next_ordinal = 21;
    snapshot.mark.inputs[INPUT_CONTROL].offset = 22;
    snapshot.mark.inputs[INPUT_FORWARD].offset = 23;
    snapshot.mark.inputs[INPUT_RUNS].offset = -1;
    snapshot.mark.runs_again = 32;
    snapshot.mark.next_run = INT64_C(1) << 33;
    snapshot.mark.in_command = (struct in_command){.active = true, .input = INPUT_FORWARD,
        .offset = 24, .ordinal = 25, .matched = 26, .changed = 27, .effective_ms = 28,
        .errors = 30, .rejected = true, .code = CODE_EXISTS};
    snapshot.mark.shards = SHARDS;
    snapshot.mark.layout = STATE_LAYOUT;
    (void)snprintf(snapshot.mark.owner, sizeof snapshot.mark.owner, "host-1.\"quoted\" \xc3\xa9");
    snapshot.mark.tz_changed_ms = 31;
    (void)snprintf(snapshot.mark.tz_version, sizeof snapshot.mark.tz_version, "2026b");
    snapshot.mark.jobs = 29;
    snapshot.mark.runs = 38;
    snapshot.mark.inputs[INPUT_CONTROL].last = (struct last_read){true, 32, 33, UINT64_MAX - 34};
    snapshot.mark.inputs[INPUT_FORWARD].last = (struct last_read){false, 35, -36, 37};
    snapshot.state_offset = 1000 + sequence;
    snapshot.written_at_ms = -1;
    snapshot.job_count = -1;
    snapshot.seen_count = snapshot.run_count = -1;
    return snapshot;
}

/* The token of a store's group: a new one with each part 0. */
static uint64_t token_of(const struct store *store, int32_t part)
{
    enum { STORES = 8 };
    static struct {
        const struct store *store;
        uint64_t token;
    } known[STORES];
    static uint64_t count;
    size_t place = 0;
    while (place < STORES && known[place].store != store) place++;
    if (place == STORES) place = (size_t)(count % STORES);
    if (part == 0 || known[place].store != store) known[place].token = ++count;
    known[place].store = store;
    return known[place].token;
}

const char *write_words(struct store *store, enum store_mode mode, int64_t generation,
                        int64_t epoch, int64_t follows, int32_t part, int64_t sequence,
                        const char *words)
{
    struct items items;
    struct snapshot snapshot = snapshot_at(generation, epoch, sequence);
    struct error error = {0};
    enum store_outcome outcome = STORE_WRITTEN;
    items_parse(&items, words);
    snapshot.job_count = items.jobs;
    snapshot.seen_count = items.seen;
    snapshot.run_count = items.runs;
    struct store_write write = {.shard = SHARD, .mode = mode, .generation = generation,
        .epoch = epoch, .follows_sequence = follows, .part = part,
        .token = items.token != 0 ? items.token : token_of(store, part),
        .token_before = items.token_before, .items = items.items,
        .item_count = items.count, .snapshot = sequence != NOT_LAST ? &snapshot : NULL};
    if (!store->operations->write(store, &write, &outcome, &error)) {
        (void)fprintf(stderr, "# %s\n", error.message);
        return error_kind_name(error.kind);
    }
    static const char *const words_of[] = {[STORE_WRITTEN] = "WRITTEN", [STORE_GAP] = "GAP",
                                           [STORE_STALE] = "STALE", [STORE_DAMAGED] = "DAMAGED"};
    return words_of[outcome];
}

const char *look_at_store(struct store *store, int64_t epoch)
{
    static char text[400];
    struct store_position position;
    struct error error = {0};
    if (!store->operations->look(store, SHARD, 1, epoch, &position, &error)) {
        (void)snprintf(text, sizeof text, "error %s", error.message);
        return text;
    }
    (void)snprintf(text, sizeof text, "%s seq=%" PRId64 "%s token=%" PRIu64 " part=%" PRId32
                   " done=%" PRIu64, position.whole ? "whole" : "not_whole", position.sequence,
                   position.of_epoch ? " ours" : "", position.token,
                   position.token != 0 ? position.part : 0, position.done);
    return text;
}

const char *count_store(struct store *store)
{
    static char text[400];
    struct snapshot snapshot;
    struct error error = {0};
    bool found = false;
    if (!store->operations->read_snapshot(store, SHARD, &snapshot, &found, &error)) {
        (void)snprintf(text, sizeof text, "error %s", error.message);
        return text;
    }
    const struct store_counts *held = &snapshot.held, *there = &snapshot.there;
    (void)snprintf(text, sizeof text, "jobs %" PRId64 "/%" PRId64 " seen %" PRId64 "/%" PRId64
                   " groups %" PRId64 "/%" PRId64 " runs %" PRId64 "/%" PRId64, there->jobs,
                   held->jobs, there->seen, held->seen, there->groups, held->groups, there->runs,
                   held->runs);
    return found ? text : "none";
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The sorted lines without repetitions, after `text`. */
static const char *join_lines(struct lines *lines, char *text, size_t text_bytes)
{
    qsort(lines->text, lines->count, LINE_BYTES, compare_lines);
    for (size_t i = 0; i < lines->count; i++) {
        if (i > 0 && strcmp(lines->text[i - 1], lines->text[i]) == 0) continue;
        size_t length = strlen(text);
        int added = snprintf(text + length, text_bytes - length, "%s%s", length > 0 ? " " : "",
                             lines->text[i]);
        assert(added > 0 && length + (size_t)added < text_bytes);
        (void)added;
    }
    return text;
}

static bool add_line(void *opaque, const struct store_item *item, struct error *error)
{
    struct lines *lines = opaque;
    (void)error;
    assert(lines->count < LINES_MAX);
    assert(item->super_group == NULL);
    (void)snprintf(lines->text[lines->count++], LINE_BYTES, "%s%.*s=%.*s",
                   item->kind == STORE_SEEN_PUT  ? "s"
                   : item->kind == STORE_RUN_PUT ? "k"
                                                 : "",
                   (int)item->name_bytes, item->name,
                   (int)item->text_bytes, item->text);
    return true;
}

const char *dump_store(struct store *store)
{
    static char text[DUMP_BYTES];
    static struct lines lines;
    struct snapshot snapshot;
    struct error error = {0};
    bool found = false;
    lines.count = 0;
    text[0] = '\0';
    if (!store->operations->read_snapshot(store, SHARD, &snapshot, &found, &error) ||
        !store->operations->read_items(store, SHARD, add_line, &lines, &error)) {
        (void)snprintf(text, sizeof text, "error %s: %s", error_kind_name(error.kind),
                       error.message);
        return text;
    }
    if (found) (void)snprintf(text, sizeof text, "seq=%" PRId64, snapshot.mark.sequence);
    else if (lines.count == 0) (void)snprintf(text, sizeof text, "none");
    return join_lines(&lines, text, sizeof text);
}

static bool add_name(void *opaque, const struct store_item *item, struct error *error)
{
    struct lines *lines = opaque;
    (void)error;
    assert(lines->count < LINES_MAX);
    assert(item->kind == STORE_JOB_PUT && item->text_bytes > 0);
    (void)snprintf(lines->text[lines->count++], LINE_BYTES, "%.*s", (int)item->name_bytes,
                   item->name);
    return true;
}

static size_t split_names(char *words, const char *names[NAMES_MAX])
{
    size_t count = 0;
    char *rest = words;
    for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
        if (*word == '\0') continue;
        assert(count < NAMES_MAX);
        names[count++] = word;
    }
    return count;
}

const char *list_store(list_function *list, struct store *store, const char *groups,
                       const char *super_groups)
{
    static char text[DUMP_BYTES];
    static struct lines lines;
    char group_words[512], super_words[512];
    const char *group_names[NAMES_MAX], *super_names[NAMES_MAX];
    struct error error = {0};
    (void)snprintf(group_words, sizeof group_words, "%s", groups);
    (void)snprintf(super_words, sizeof super_words, "%s", super_groups);
    const struct store_filter filter = {
        .groups = group_names, .group_count = split_names(group_words, group_names),
        .super_groups = super_names, .super_group_count = split_names(super_words, super_names)};
    lines.count = 0;
    text[0] = '\0';
    if (!list(store, SHARDS, &filter, add_name, &lines, &error)) {
        (void)snprintf(text, sizeof text, "error %s", error.message);
        return text;
    }
    return join_lines(&lines, text, sizeof text);
}
