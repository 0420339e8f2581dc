#include "cli/show/why_not.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/show/job_view.h"
#include "cli/show/json_text.h"
#include "cli/show/open_run_view.h"
#include "lib/model/job_record.h"
#include "lib/model/output.h"
#include "lib/time/instant.h"

/* A time given to the second means the slot within it. */
enum { SLOT_WITHIN_MS = 999, SLOTS_COUNTED_MAX = 100000 };

__attribute__((format(printf, 3, 4))) static bool answer(struct why *why, const char *code,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    why->code = code;
    return true;
}

static const char *text_or(const json_t *object, const char *name, const char *otherwise)
{
    const char *text = json_member_text(object, name);
    return text == NULL ? otherwise : text;
}

/* The first nominal time of the present schedule after `after_ms`. */
static bool next_slot(const struct why_facts *facts, int64_t after_ms, int64_t *slot_ms)
{
    struct definition definition;
    struct arena *arena = arena_create();
    bool found = job_schedule_read(facts->job, arena, facts->zones, &definition);
    if (found) {
        definition.schedule.jitter = (struct schedule_jitter){0};
        found = schedule_next(&definition.schedule, after_ms, slot_ms);
    }
    arena_destroy(arena);
    return found;
}

/* The fire for a slot, by the schedule or by a backfill; NULL when there was none. */
static const json_t *fire_of(const struct why_facts *facts, int64_t slot_ms, bool backfill)
{
    for (size_t i = 0; i < json_array_size(facts->fires); i++) {
        const json_t *fire = json_array_get(facts->fires, i);
        int64_t due_ms = 0;
        const char *kind = text_or(fire, "firekind", "");
        if (!json_member_ms(fire, "dueat", &due_ms) || due_ms != slot_ms) continue;
        if (strcmp(kind, "trigger") == 0) continue;
        if ((strcmp(kind, "backfill") == 0) == backfill) return fire;
    }
    return NULL;
}

static bool say_fired(struct why *why, const struct why_facts *facts, int64_t slot_ms)
{
    const json_t *fire = fire_of(facts, slot_ms, false);
    if (fire != NULL) {
        const char *kind = text_or(fire, "firekind", "");
        return answer(why, "fired", "it did fire: %s, at %s, %" JSON_INTEGER_FORMAT
                      " ms late; the fire's id is %.100s", kind, text_or(fire, "time", "?"),
                      json_member_number(fire, "latenessms", 0), text_or(fire, "id", "?"));
    }
    return false;
}

/* What dropped it, in words for each reason that events give. */
static const struct {
    enum event_reason reason;
    const char *text;
} reasons[] = {
    {REASON_POLICY_NONE, "its catch-up policy is none: what is late is dropped"},
    {REASON_SUPERSEDED, "its catch-up policy is latest: the newest slot fired and stood for it"},
    {REASON_WINDOW, "it was older than the catch-up window when it could have been fired"},
    {REASON_LIMIT, "more slots were late than the catch-up limit allows, and the newest were kept"},
    {REASON_TOO_MANY_RANGES, "too many ranges of slots were owed already"},
    {REASON_UNDELIVERABLE, "Kafka did not take it until its catch-up window had passed"},
    {REASON_ALREADY_DUE, "it was moved to a time that was due already"},
    {REASON_ZONE_DATA,
     "other zone data came while it waited for its delay: it may have fired before"},
    {REASON_UPDATED, "the job was changed before it could fire"},
    {REASON_DELETED, "the job was deleted before it could fire"},
    {REASON_PAUSED, "its time passed while the job was paused"},
    {REASON_OVERLAP, "a run of the job was open, and the job's overlap leaves out what meets one"},
    {REASON_BUFFER_FULL, "a run of the job was open, and as many slots waited for its end as may"},
};

/* The event of missed or skipped slots that names this one. */
static bool say_left_out(struct why *why, const json_t *event, const char *kind, int64_t slot_ms)
{
    int64_t first_ms = 0;
    int64_t last_ms = 0;
    const char *reason = text_or(event, "reason", "");
    const char *words = "";
    if (json_object_get(event, "backfill_id") != NULL) return false; /* not about its own slots */
    if (!json_member_ms(event, "first", &first_ms) || !json_member_ms(event, "last", &last_ms))
        return false;
    if (slot_ms < first_ms || slot_ms > last_ms) return false;
    for (size_t r = 0; r < sizeof reasons / sizeof reasons[0]; r++)
        if (strcmp(event_reason_word(reasons[r].reason), reason) == 0) words = reasons[r].text;
    const char *run = json_member_text(event, "run");
    return answer(why, kind, "%s (%.60s)%s%s%s%.120s; the event of %s names "
                  "%" JSON_INTEGER_FORMAT " slots from %s to %s", kind, reason,
                  words[0] == '\0' ? "" : ": ", words, run == NULL ? "" : "; in the way: ",
                  run == NULL ? "" : run, text_or(event, "at", "?"),
                  json_member_number(event, "count", 1), text_or(event, "first", "?"),
                  text_or(event, "last", "?"));
}

static bool say_event(struct why *why, const struct why_facts *facts, int64_t slot_ms)
{
    for (size_t i = json_array_size(facts->events); i-- > 0;) {
        const json_t *event = json_array_get(facts->events, i);
        const char *kind = text_or(event, "event", "");
        int64_t first_ms = 0;
        int64_t last_ms = 0;
        if (strcmp(kind, "resumed") == 0 && json_member_ms(event, "from", &first_ms) &&
            json_member_ms(event, "to", &last_ms) && first_ms < slot_ms && slot_ms <= last_ms)
            return answer(why, "paused", "the job was paused from %s to %s; those slots were left "
                          "out when it was resumed", text_or(event, "from", "?"),
                          text_or(event, "to", "?"));
        bool left_out = strcmp(kind, "missed") == 0 || strcmp(kind, "skipped") == 0;
        if (left_out && say_left_out(why, event, kind, slot_ms)) return true;
    }
    return false;
}

static bool say_state(struct why *why, const struct why_facts *facts, int64_t slot_ms)
{
    const json_t *job = facts->job;
    int64_t instant_ms = 0;
    int64_t until_ms = INT64_MAX;
    if (json_member_ms(job, "paused_at", &instant_ms) && instant_ms < slot_ms) {
        (void)json_member_ms(job, "until", &until_ms);
        if (slot_ms < until_ms)
            return answer(why, "paused", "the job is paused since %s; belfry resume NAME --from "
                          "paused_at would catch it up", text_or(job, "paused_at", "?"));
    }
    if (json_member_ms(job, "finished_at", &instant_ms) && instant_ms <= slot_ms)
        return answer(why, "finished", "the job is finished since %s",
                      text_or(job, "finished_at", "?"));
    const json_t *owed = json_object_get(job, "owed");
    for (size_t i = 0; i < json_array_size(owed); i++) {
        const json_t *range = json_array_get(owed, i);
        int64_t to_ms = 0;
        if (json_member_ms(range, "from", &instant_ms) && json_member_ms(range, "to", &to_ms) &&
            instant_ms < slot_ms && slot_ms <= to_ms)
            return answer(why, "owed", "it is still to be fired: the catch-up lane works off the "
                          "slots from %s to %s at a bounded rate", text_or(range, "from", "?"),
                          text_or(range, "to", "?"));
    }
    if (json_member_ms(job, "tail_from", &instant_ms) && instant_ms < slot_ms)
        return answer(why, "owed", "it is still to be fired: the job's slots after %s queue behind "
                      "older ones", text_or(job, "tail_from", "?"));
    const json_t *failing = json_object_get(job, "failing");
    if (json_is_object(failing))
        return answer(why, "failing", "fires of this job cannot be produced since %s, the later "
                      "ones queue behind; belfry tail events --group GROUP says why",
                      text_or(failing, "since", "?"));
    return false;
}

static bool say_not_due(struct why *why, const struct why_facts *facts, bool found,
                        int64_t slot_ms)
{
    int64_t edited_ms = 0;
    char next[INSTANT_TEXT_BYTES] = "never";
    if (found) instant_format(slot_ms, next);
    if (json_member_ms(facts->job, "schedule_edited_at", &edited_ms) && edited_ms > facts->at_ms)
        return answer(why, "not_due", "by the present schedule it was not due then (next: %s); but "
                      "the schedule was changed later, at %s", next,
                      text_or(facts->job, "schedule_edited_at", "?"));
    return answer(why, "not_due", "it was not due then; the first due time after it is %s", next);
}

static bool say_not_alive(struct why *why, const struct why_facts *facts, int64_t slot_ms)
{
    const json_t *job = facts->job;
    int64_t instant_ms = 0;
    if (json_member_ms(job, "created_at", &instant_ms) && slot_ms <= instant_ms)
        return answer(why, "not_added_yet", "the job was added at %s only, and nothing fires "
                      "retroactively (an earlier job of this name would be another one)",
                      text_or(job, "created_at", "?"));
    if (json_member_ms(job, "start", &instant_ms) && slot_ms < instant_ms)
        return answer(why, "before_start", "the job's start is %s", text_or(job, "start", "?"));
    if (json_member_ms(job, "end", &instant_ms) && slot_ms >= instant_ms)
        return answer(why, "after_end", "the job's end is %s", text_or(job, "end", "?"));
    return false;
}

/* The oldest run that was open when the slot came due; NULL: none is known. */
static const json_t *run_in_way(const struct why_facts *facts, int64_t slot_ms)
{
    for (size_t i = 0; i < json_array_size(facts->open_runs); i++) {
        const json_t *run = json_array_get(facts->open_runs, i);
        int64_t opened_ms = 0;
        if (json_member_ms(run, "opened_at", &opened_ms) && opened_ms < slot_ms) return run;
    }
    return NULL;
}

/* What is left out for a run is announced when that ends, so an open one is the likely answer. */
static bool say_open_run(struct why *why, const struct why_facts *facts, int64_t slot_ms)
{
    const char *overlap = text_or(facts->job, "overlap", overlap_word(OVERLAP_ALLOW));
    const json_t *run = run_in_way(facts, slot_ms);
    int64_t paused_ms = 0;
    if (json_member_ms(facts->job, "paused_at", &paused_ms) && paused_ms < slot_ms) return false;
    if (run == NULL || strcmp(overlap, overlap_word(OVERLAP_ALLOW)) == 0) return false;
    struct text_writer state = {0};
    open_run_state(&state, run);
    bool skip = strcmp(overlap, overlap_word(OVERLAP_SKIP)) == 0;
    (void)answer(why, "run_in_way", "a run of the job is open since %s, %.120s (%.200s); with "
                 "overlap %.20s %s", text_or(run, "opened_at", "?"), text_or(run, "run", "?"),
                 text_writer_terminated(&state), overlap,
                 skip ? "the slot is left out, and an event says so when the run ends, or each hour"
                      : "the slot waits for its end, or is left out");
    text_writer_free(&state);
    return true;
}

static void explain_slot(struct why *why, const struct why_facts *facts, int64_t slot_ms)
{
    char slot[INSTANT_TEXT_BYTES];
    instant_format(slot_ms, slot);
    if (say_not_alive(why, facts, slot_ms) || say_event(why, facts, slot_ms) ||
        say_open_run(why, facts, slot_ms) || say_state(why, facts, slot_ms))
        return;
    if (facts->watermark_ms != INT64_MIN && facts->watermark_ms < slot_ms) {
        char watermark[INSTANT_TEXT_BYTES] = "?";
        if (instant_in_range(facts->watermark_ms)) instant_format(facts->watermark_ms, watermark);
        (void)answer(why, "shard_behind", "its shard has not come to it: it stands at %s; belfry "
                     "doctor says what is wrong", watermark);
        return;
    }
    if (facts->unread != NULL) {
        (void)answer(why, "unknown", "what is in Redis does not tell, and fires and events could "
                     "not be read: %.200s", facts->unread);
        return;
    }
    (void)answer(why, "unknown", "neither a fire nor an event about %s was found%s", slot,
                 facts->history_cut ? " in the records looked through; --search N looks further"
                                    : "; the topics may have dropped it (retention)");
}

/* How many slots there are after `after_ms` up to slot_ms; at most `most` are counted.
 *   last_ms  the last one counted */
static int64_t count_slots(const struct why_facts *facts, int64_t after_ms, int64_t slot_ms,
                           int64_t most, int64_t *last_ms)
{
    int64_t count = 0;
    *last_ms = after_ms;
    for (int64_t next_ms = 0; count < most && next_slot(facts, *last_ms, &next_ms) &&
                              next_ms <= slot_ms; count++)
        *last_ms = next_ms;
    return count;
}

/* A slot that lies beyond those which max_fires leaves, if nothing goes wrong before. */
static bool say_max_fires(struct why *why, const struct why_facts *facts, int64_t slot_ms)
{
    int64_t most = json_member_number(facts->job, "max_fires", 0);
    int64_t left = most - json_member_number(facts->job, "counted_fires", 0);
    int64_t from_ms = facts->now_ms;
    int64_t until_ms = 0;
    int64_t last_ms = 0;
    if (most == 0 || left > SLOTS_COUNTED_MAX) return false;
    if (json_member_ms(facts->job, "paused_at", &until_ms) &&
        json_member_ms(facts->job, "until", &until_ms))
        from_ms = until_ms > from_ms ? until_ms - 1 : from_ms;
    (void)count_slots(facts, from_ms, slot_ms, left, &last_ms);
    if (left > 0 && last_ms >= slot_ms) return false;
    char last[INSTANT_TEXT_BYTES] = "-";
    instant_format(last_ms, last);
    return answer(why, "after_max_fires", "its max_fires of %" PRId64 " leaves %" PRId64
                  " more; the last of them is due at %s", most, left, left > 0 ? last : "no time");
}

static void explain_future(struct why *why, const struct why_facts *facts, bool due,
                           bool found, int64_t slot_ms)
{
    const json_t *job = facts->job;
    int64_t instant_ms = 0;
    int64_t until_ms = INT64_MAX;
    if (json_member_ms(job, "finished_at", &instant_ms)) {
        (void)answer(why, "finished", "the job is finished since %s and fires no more",
                     text_or(job, "finished_at", "?"));
        return;
    }
    if (say_not_alive(why, facts, due ? slot_ms : facts->at_ms)) return;
    if (!due) {
        (void)say_not_due(why, facts, found, slot_ms);
        return;
    }
    if (json_member_ms(job, "paused_at", &instant_ms)) {
        bool ends = json_member_ms(job, "until", &until_ms);
        if (!ends || slot_ms < until_ms) {
            (void)answer(why, "paused", "the job is paused since %s%s%s; unless it is resumed "
                         "before, this slot does not fire", text_or(job, "paused_at", "?"),
                         ends ? " until " : "", ends ? text_or(job, "until", "?") : "");
            return;
        }
    }
    if (say_max_fires(why, facts, slot_ms)) return;
    (void)answer(why, "in_future", "that is still to come");
}

void why_not(struct why *why, const struct why_facts *facts)
{
    int64_t slot_ms = 0;
    bool found = next_slot(facts, facts->at_ms - 1, &slot_ms);
    bool due = found && slot_ms <= facts->at_ms + SLOT_WITHIN_MS;
    if (say_fired(why, facts, due ? slot_ms : facts->at_ms)) return;
    if (facts->at_ms > facts->now_ms) {
        explain_future(why, facts, due, found, slot_ms);
        return;
    }
    if (due) explain_slot(why, facts, slot_ms);
    else if (!say_not_alive(why, facts, facts->at_ms))
        (void)say_not_due(why, facts, found, slot_ms);
    const json_t *backfill = fire_of(facts, due ? slot_ms : facts->at_ms, true);
    size_t length = strlen(why->text);
    if (backfill != NULL)
        (void)snprintf(why->text + length, sizeof why->text - length,
                       "; a backfill fired it at %s", text_or(backfill, "time", "?"));
}
