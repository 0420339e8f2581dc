/* Why a job did not fire at a time: each verdict from the facts that lead to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/show/why_not.h"
#include "lib/time/instant.h"

#define CRON "\"schedule\":{\"cron\":\"0 * * * *\"}"
#define ADDED "\"created_at\":\"2026-01-01T00:00:00.000Z\""

struct why_case {
    const char *name;
    const char *job;    /* members besides the schedule and created_at */
    const char *fires;
    const char *events;
    const char *at;     /* the clock stands at 2026-01-10T12:30 */
    const char *watermark; /* NULL: 2026-01-10T12:30 */
    const char *code;
    const char *text;   /* part of the sentence */
};

static const struct why_case why_cases[] = {
    {"it fired", "", "[{\"dueat\":\"2026-01-10T11:00:00.000Z\",\"firekind\":\"schedule\","
     "\"time\":\"2026-01-10T11:00:00.004Z\",\"latenessms\":4,\"id\":\"x@1\"}]", "[]",
     "2026-01-10T11:00:00Z", NULL, "fired", "4 ms late"},
    {"within the second that is named", "", "[{\"dueat\":\"2026-01-10T11:00:00.000Z\","
     "\"firekind\":\"catchup\"}]", "[]", "2026-01-10T10:59:59.500Z", NULL, "fired", "catchup"},
    {"a trigger is no fire of the slot", "", "[{\"dueat\":\"2026-01-10T11:00:00.000Z\","
     "\"firekind\":\"trigger\"}]", "[]", "2026-01-10T11:00:00Z", NULL, "unknown", "neither"},
    {"a backfill is told besides", "", "[{\"dueat\":\"2025-12-31T11:00:00.000Z\","
     "\"firekind\":\"backfill\",\"time\":\"2026-01-02T00:00:00.000Z\"}]", "[]",
     "2025-12-31T11:00:00Z", NULL, "not_added_yet", "a backfill fired it at 2026-01-02"},
    {"the future", "", "[]", "[]", "2026-01-10T13:00:00Z", NULL, "in_future", "still to come"},
    {"a finished job has no future", "\"finished_at\":\"2026-01-09T00:00:00.000Z\",", "[]", "[]",
     "2026-01-10T13:00:00Z", NULL, "finished", "fires no more"},
    {"the future after its end", "\"end\":\"2026-01-10T12:45:00.000Z\",", "[]", "[]",
     "2026-01-10T13:00:00Z", NULL, "after_end", "2026-01-10T12:45"},
    {"the future before its start", "\"start\":\"2026-01-11T00:00:00.000Z\",", "[]", "[]",
     "2026-01-10T13:00:00Z", NULL, "before_start", "2026-01-11"},
    {"a future time that is not due", "", "[]", "[]", "2026-01-10T13:30:00Z", NULL, "not_due",
     "2026-01-10T14:00:00.000Z"},
    {"the future of a paused job", "\"paused_at\":\"2026-01-09T00:00:00.000Z\",", "[]", "[]",
     "2026-01-10T13:00:00Z", NULL, "paused", "unless it is resumed before"},
    {"the future within a pause", "\"paused_at\":\"2026-01-09T00:00:00.000Z\","
     "\"until\":\"2026-01-10T13:30:00.000Z\",", "[]", "[]", "2026-01-10T13:00:00Z", NULL, "paused",
     "until 2026-01-10T13:30"},
    {"the future behind a pause", "\"paused_at\":\"2026-01-09T00:00:00.000Z\","
     "\"until\":\"2026-01-10T13:30:00.000Z\",", "[]", "[]", "2026-01-10T14:00:00Z", NULL,
     "in_future", "still to come"},
    {"the last of max_fires", "\"max_fires\":5,\"counted_fires\":3,", "[]", "[]",
     "2026-01-10T14:00:00Z", NULL, "in_future", "still to come"},
    {"past max_fires", "\"max_fires\":5,\"counted_fires\":3,", "[]", "[]",
     "2026-01-10T15:00:00Z", NULL, "after_max_fires", "leaves 2 more; the last of them is due at "
     "2026-01-10T14:00:00.000Z"},
    {"max_fires behind a pause", "\"max_fires\":1,\"paused_at\":\"2026-01-09T00:00:00.000Z\","
     "\"until\":\"2026-01-10T14:00:00.000Z\",", "[]", "[]", "2026-01-10T14:00:00Z", NULL,
     "in_future", "still to come"},
    {"not due", "", "[]", "[]", "2026-01-10T11:30:00Z", NULL, "not_due",
     "2026-01-10T12:00:00.000Z"},
    {"not due any more", "\"schedule_edited_at\":\"2026-01-10T12:10:00.000Z\",", "[]", "[]",
     "2026-01-10T11:30:00Z", NULL, "not_due", "the schedule was changed later"},
    {"not added yet", "", "[]", "[]", "2025-12-31T23:00:00Z", NULL, "not_added_yet",
     "2026-01-01T00:00:00.000Z only"},
    {"before its start", "\"start\":\"2026-01-10T12:00:00.000Z\",", "[]", "[]",
     "2026-01-10T11:00:00Z", NULL, "before_start", "2026-01-10T12"},
    {"after its end", "\"end\":\"2026-01-10T11:00:00.000Z\",", "[]", "[]",
     "2026-01-10T11:00:00Z", NULL, "after_end", "2026-01-10T11"},
    {"missed by the window", "", "[]", "[{\"event\":\"missed\",\"at\":\"2026-01-10T12:20:00.000Z\","
     "\"first\":\"2026-01-10T10:00:00.000Z\",\"last\":\"2026-01-10T11:00:00.000Z\",\"count\":2,"
     "\"reason\":\"window\"}]", "2026-01-10T11:00:00Z", NULL, "missed", "catch-up window"},
    {"an event about other slots", "", "[]", "[{\"event\":\"missed\","
     "\"first\":\"2026-01-10T09:00:00.000Z\",\"last\":\"2026-01-10T10:00:00.000Z\","
     "\"reason\":\"window\"}]", "2026-01-10T11:00:00Z", NULL, "unknown", "neither"},
    {"an event about a backfill", "", "[]", "[{\"event\":\"skipped\",\"backfill_id\":\"b\","
     "\"first\":\"2026-01-10T09:00:00.000Z\",\"last\":\"2026-01-10T11:00:00.000Z\","
     "\"reason\":\"cancelled\"}]", "2026-01-10T11:00:00Z", NULL, "unknown", "neither"},
    {"skipped by a change", "", "[]", "[{\"event\":\"skipped\",\"at\":\"2026-01-10T11:00:00.000Z\","
     "\"first\":\"2026-01-10T11:00:00.000Z\",\"last\":\"2026-01-10T11:00:00.000Z\","
     "\"reason\":\"updated\"}]", "2026-01-10T11:00:00Z", NULL, "skipped", "was changed"},
    {"a reason of a newer version", "", "[]", "[{\"event\":\"skipped\","
     "\"first\":\"2026-01-10T11:00:00.000Z\",\"last\":\"2026-01-10T11:00:00.000Z\","
     "\"reason\":\"moon\"}]", "2026-01-10T11:00:00Z", NULL, "skipped", "skipped (moon);"},
    {"in a pause that is over", "", "[]", "[{\"event\":\"resumed\","
     "\"from\":\"2026-01-10T10:30:00.000Z\",\"to\":\"2026-01-10T11:00:00.000Z\"}]",
     "2026-01-10T11:00:00Z", NULL, "paused", "left out when it was resumed"},
    {"the pause begins behind its `from`", "", "[]", "[{\"event\":\"resumed\","
     "\"from\":\"2026-01-10T11:00:00.000Z\",\"to\":\"2026-01-10T11:30:00.000Z\"}]",
     "2026-01-10T11:00:00Z", NULL, "unknown", "neither"},
    {"paused now", "\"paused_at\":\"2026-01-10T10:30:00.000Z\",", "[]", "[]",
     "2026-01-10T11:00:00Z", NULL, "paused", "--from paused_at"},
    {"paused later", "\"paused_at\":\"2026-01-10T11:30:00.000Z\",", "[]", "[]",
     "2026-01-10T11:00:00Z", NULL, "unknown", "neither"},
    {"finished", "\"finished_at\":\"2026-01-10T10:00:00.000Z\",", "[]", "[]",
     "2026-01-10T11:00:00Z", NULL, "finished", "2026-01-10T10"},
    {"owed", "\"owed\":[{\"from\":\"2026-01-10T10:00:00.000Z\","
     "\"to\":\"2026-01-10T11:00:00.000Z\"}],", "[]", "[]", "2026-01-10T11:00:00Z", NULL, "owed",
     "catch-up lane"},
    {"owed behind older ones", "\"tail_from\":\"2026-01-10T10:00:00.000Z\",", "[]", "[]",
     "2026-01-10T11:00:00Z", NULL, "owed", "queue behind"},
    {"failing", "\"failing\":{\"since\":\"2026-01-10T10:00:00.000Z\"},", "[]", "[]",
     "2026-01-10T11:00:00Z", NULL, "failing", "cannot be produced"},
    {"the shard is behind", "", "[]", "[]", "2026-01-10T11:00:00Z", "2026-01-10T10:59:00Z",
     "shard_behind", "2026-01-10T10:59:00.000Z"},
};
enum { WHY_CASES = sizeof why_cases / sizeof why_cases[0] };

static int64_t instant(const char *text)
{
    int64_t instant_ms = 0;
    assert_true(instant_parse(text, strlen(text), &instant_ms, NULL));
    return instant_ms;
}

static void check_why(void **state)
{
    const struct why_case *row = *state;
    char job[800];
    (void)snprintf(job, sizeof job, "{%s%s,%s}", row->job, CRON, ADDED);
    json_t *record = json_loads(job, 0, NULL);
    json_t *fires = json_loads(row->fires, 0, NULL);
    json_t *events = json_loads(row->events, 0, NULL);
    assert_non_null(record);
    assert_non_null(fires);
    assert_non_null(events);
    int64_t now_ms = instant("2026-01-10T12:30:00Z");
    const struct why_facts facts = {
        .job = record, .fires = fires, .events = events, .at_ms = instant(row->at),
        .now_ms = now_ms,
        .watermark_ms = row->watermark == NULL ? now_ms : instant(row->watermark)};
    struct why why;
    why_not(&why, &facts);
    assert_string_equal(why.code, row->code);
    if (strstr(why.text, row->text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", row->text, why.text);
    json_decref(record);
    json_decref(fires);
    json_decref(events);
}

int main(void)
{
    struct CMUnitTest tests[WHY_CASES];
    for (int i = 0; i < WHY_CASES; i++)
        tests[i] = (struct CMUnitTest){.name = why_cases[i].name, .test_func = check_why,
                                       .initial_state = (void *)(uintptr_t)&why_cases[i]};
    return cmocka_run_group_tests_name("why not", tests, NULL, NULL);
}
