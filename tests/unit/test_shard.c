/* What a shard says, scenario by scenario. Each runs twice: once in one memory, once with memory
 * rebuilt from the records after every transaction; both must say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/shard_rig.h"

enum { STEPS_MAX = 12 };

/* A step is a command ("json" at its log time, read at `now`) or, without one, the passing of time
 * to `now`. `said`: what is expected since the step before. */
struct step {
    const char *at;
    const char *now;
    const char *json;
    const char *said;
};
struct scenario {
    const char *name;
    struct step steps[STEPS_MAX];
};

#define ADD(group_id_rest) "{\"op\":\"add\",\"job\":{" group_id_rest "}}"
#define SELECT(op, rest) "{\"op\":\"" op "\",\"select\":{\"groups\":[\"g\"]}" rest "}"

static const struct scenario scenarios[] = {
    {"a cron job fires at its instants and not at its add",
     {{.at = "2026-01-01T00:05:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"cron\":\"*/5 * * * *\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:10:00Z", .said = "fire g/a 01-01T00:10:00 schedule\n"},
      {.now = "2026-01-01T00:14:59Z", .said = ""},
      {.now = "2026-01-01T00:15:01Z", .said = "fire g/a 01-01T00:15:00 schedule\n"}}},
    {"an interval starts at the add's effective time",
     {{.at = "2026-01-01T00:00:07Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"10s\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:00:27Z",
       .said = "fire g/a 01-01T00:00:17 schedule\nfire g/a 01-01T00:00:27 schedule\n"}}},
    {"jobs due at one instant fire in the order of their adds",
     {{.at = "2026-01-01T00:00:01Z",
       .json = ADD("\"group\":\"z\",\"id\":\"1\",\"schedule\":{\"cron\":\"* * * * *\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:02Z",
       .json = ADD("\"group\":\"a\",\"id\":\"2\",\"schedule\":{\"cron\":\"0-59 * * * *\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:03Z",
       .json = ADD("\"group\":\"m\",\"id\":\"3\",\"schedule\":{\"cron\":\"* * * * *\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:01:00Z",
       .said = "fire z/1 01-01T00:01:00 schedule\nfire a/2 01-01T00:01:00 schedule\n"
               "fire m/3 01-01T00:01:00 schedule\n"}}},
    {"max_fires lowered below what was fired, in a pause: what is owed is named",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"10s\"},"
                   "\"max_fires\":9,\"catchup\":{\"policy\":\"all\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:00:20Z",
       .said = "fire g/a 01-01T00:00:10 schedule\nfire g/a 01-01T00:00:20 schedule\n"},
      {.at = "2026-01-01T00:01:00Z",
       .now = "2026-01-01T00:05:00Z",
       .json = SELECT("pause", ""),
       .said = "event catchup_started g/a count=4\nresult pause applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:01:01Z",
       .now = "2026-01-01T00:05:00Z",
       .json = SELECT("update", ",\"set\":{\"max_fires\":2}"),
       .said = "event catchup_finished g/a count=4\n"
               "event skipped g/a first=01-01T00:00:30 last=01-01T00:01:00 count=4 updated\n"
               "result update applied matched=1 changed=1\n"}}},
    {"a one-shot in the past among what is dropped: the event names the newest slot",
     {{.at = "2026-01-01T00:00:30Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"cron\":\"* * * * *\"},"
                   "\"catchup\":{\"policy\":\"all\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:03:40Z",
       .now = "2026-01-01T00:10:00Z",
       .json = SELECT("update", ",\"set\":{\"schedule\":{\"at\":\"2026-01-01T00:02:30Z\"}}"),
       .said = "event catchup_started g/a count=3\nevent catchup_started g/a count=1\n"
               "result update applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:03:50Z",
       .now = "2026-01-01T00:10:00Z",
       .json = SELECT("delete", ""),
       .said = "event skipped g/a first=01-01T00:01:00 last=01-01T00:03:00 count=4 deleted\n"
               "gone g/a\nresult delete applied matched=1 changed=1\n"}}},
    {"a one-shot fires once and is kept finished for a day",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"at\":\"2026-01-01T00:00:30Z\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:00:30Z",
       .said = "fire g/a 01-01T00:00:30 schedule\nevent exhausted g/a\n"},
      {.now = "2026-01-02T00:00:29Z", .said = ""},
      {.now = "2026-01-02T00:00:31Z", .said = "gone g/a\n"}}},
    {"keep_finished 0s: gone at once",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"keep_finished\":\"0s\","
                   "\"schedule\":{\"at\":\"2026-01-01T00:00:30Z\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:00:30Z",
       .said = "fire g/a 01-01T00:00:30 schedule\nevent exhausted g/a\ngone g/a\n"}}},
    {"a one-shot in the past, inside the window: caught up at once",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"at\":\"2025-12-31T20:00:00Z\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:00:01Z",
       .said = "fire g/a 12-31T20:00:00 catchup\nevent exhausted g/a\n"}}},
    {"a one-shot in the past, outside the window: missed",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"at\":\"2025-12-30T20:00:00Z\"}"),
       .said = "event missed g/a first=12-30T20:00:00 last=12-30T20:00:00 count=1 window\n"
               "event exhausted g/a\nresult add applied matched=1 changed=1\n"}}},
    {"a hiccup below the grace changes nothing",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"10s\"},"
                   "\"catchup\":{\"policy\":\"none\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:00:35Z",
       .said = "fire g/a 01-01T00:00:10 schedule\nfire g/a 01-01T00:00:20 schedule\n"
               "fire g/a 01-01T00:00:30 schedule\n"}}},
    {"policy none drops what is older than the grace, and fires the rest",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"10s\"},"
                   "\"catchup\":{\"policy\":\"none\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:01:05Z",
       .said = "event missed g/a first=01-01T00:00:10 last=01-01T00:00:30 count=3 policy_none\n"
               "event catchup_started g/a count=3\nfire g/a 01-01T00:00:40 catchup\n"
               "fire g/a 01-01T00:00:50 catchup\nfire g/a 01-01T00:01:00 catchup\n"
               "event catchup_finished g/a count=3\n"},
      {.now = "2026-01-01T00:01:10Z", .said = "fire g/a 01-01T00:01:10 schedule\n"}}},
    {"policy latest fires the newest, which says how many it stands for",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T05:30:00Z",
       .said = "event missed g/a first=01-01T01:00:00 last=01-01T04:00:00 count=4 superseded\n"
               "fire g/a 01-01T05:00:00 catchup missed=4\n"},
      {.now = "2026-01-01T06:00:00Z", .said = "fire g/a 01-01T06:00:00 schedule\n"}}},
    {"policy latest outside the window: nothing fires, all are named",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                   "\"catchup\":{\"policy\":\"latest\",\"window\":\"10m\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T05:30:00Z",
       .said = "event missed g/a first=01-01T01:00:00 last=01-01T05:00:00 count=5 window\n"},
      {.now = "2026-01-01T06:00:00Z", .said = "fire g/a 01-01T06:00:00 schedule\n"}}},
    {"policy all fires every one, oldest first, then goes on",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                   "\"catchup\":{\"policy\":\"all\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T03:30:00Z",
       .said = "event catchup_started g/a count=3\nfire g/a 01-01T01:00:00 catchup\n"
               "fire g/a 01-01T02:00:00 catchup\nfire g/a 01-01T03:00:00 catchup\n"
               "event catchup_finished g/a count=3\n"},
      {.now = "2026-01-01T04:00:00Z", .said = "fire g/a 01-01T04:00:00 schedule\n"}}},
    {"a decision one millisecond after a slot makes no slot of that millisecond",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                   "\"catchup\":{\"policy\":\"all\",\"misfire_grace\":\"1s\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T02:00:00.001Z",
       .said = "event catchup_started g/a count=2\nfire g/a 01-01T01:00:00 catchup\n"
               "fire g/a 01-01T02:00:00 catchup\nevent catchup_finished g/a count=2\n"},
      {.now = "2026-01-01T03:00:00Z", .said = "fire g/a 01-01T03:00:00 schedule\n"}}},
    {"an edit of start or end leaves what is owed as it was",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                   "\"catchup\":{\"policy\":\"all\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T02:30:00Z", .now = "2026-01-01T02:30:00Z",
       .json = SELECT("update", ",\"set\":{\"start\":\"2026-01-01T04:00:00Z\"}"),
       .said = "event catchup_started g/a count=2\n"
               "result update applied matched=1 changed=1\n"},
      {.now = "2026-01-01T03:10:00Z",
       .said = "fire g/a 01-01T01:00:00 catchup\nfire g/a 01-01T02:00:00 catchup\n"
               "event catchup_finished g/a count=2\n"},
      {.now = "2026-01-01T04:00:00Z", .said = "fire g/a 01-01T04:00:00 schedule\n"}}},
    {"policy all keeps the newest `limit` inside the window",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                   "\"catchup\":{\"policy\":\"all\",\"window\":\"2d\",\"limit\":2}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-05T00:30:00Z",
       .said = "event missed g/a first=01-01T01:00:00 last=01-04T22:00:00 count=94 limit\n"
               "event catchup_started g/a count=2\nfire g/a 01-04T23:00:00 catchup\n"
               "fire g/a 01-05T00:00:00 catchup\nevent catchup_finished g/a count=2\n"}}},
    {"commands read late act at their log time; catch-up is decided once",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T02:30:00Z", .now = "2026-01-01T09:10:00Z", .json = "{\"op\":\"ping\"}",
       .said = "result ping applied matched=0 changed=0\n"},
      {.at = "2026-01-01T05:30:00Z", .now = "2026-01-01T09:10:00Z", .json = "{\"op\":\"ping\"}",
       .said = "result ping applied matched=0 changed=0\n"},
      {.now = "2026-01-01T09:10:00Z",
       .said = "event missed g/a first=01-01T01:00:00 last=01-01T08:00:00 count=8 superseded\n"
               "fire g/a 01-01T09:00:00 catchup missed=8\n"}}},
    {"a pause sent during an outage stops exactly the slots after it",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                   "\"catchup\":{\"policy\":\"all\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T02:30:00Z", .now = "2026-01-01T09:10:00Z", .json = SELECT("pause", ""),
       .said = "event catchup_started g/a count=2\n"
               "result pause applied matched=1 changed=1\n"},
      {.now = "2026-01-01T09:20:00Z", .said = ""},
      {.at = "2026-01-01T10:30:00Z", .json = SELECT("resume", ""),
       .said = "event resumed g/a from=01-01T02:30:00 to=01-01T10:30:00\n"
               "result resume applied matched=1 changed=1\n"},
      {.now = "2026-01-01T10:30:01Z",
       .said = "fire g/a 01-01T01:00:00 catchup\nfire g/a 01-01T02:00:00 catchup\n"
               "event catchup_finished g/a count=2\n"},
      {.now = "2026-01-01T11:00:00Z", .said = "fire g/a 01-01T11:00:00 schedule\n"}}},
    {"an automatic resume: a slot at `until` fires",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"cron\":\"* * * * *\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:30Z",
       .json = SELECT("pause", ",\"until\":\"2026-01-01T00:03:00Z\""),
       .said = "result pause applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:02:30Z", .said = ""},
      {.now = "2026-01-01T00:03:00Z",
       .said = "event resumed g/a from=01-01T00:00:30 to=01-01T00:02:59\n"
               "fire g/a 01-01T00:03:00 schedule\n"}}},
    {"resume from paused_at catches up what the pause left out",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"cron\":\"0 * * * *\"},"
                   "\"catchup\":{\"policy\":\"all\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:30:00Z", .json = SELECT("pause", ""),
       .said = "result pause applied matched=1 changed=1\n"},
      {.at = "2026-01-01T02:30:00Z", .json = SELECT("resume", ",\"from\":\"paused_at\""),
       .said = "event resumed g/a from=01-01T00:30:00 to=01-01T00:30:00\n"
               "event catchup_started g/a count=2\n"
               "result resume applied matched=1 changed=1\n"},
      {.now = "2026-01-01T02:30:01Z",
       .said = "fire g/a 01-01T01:00:00 catchup\nfire g/a 01-01T02:00:00 catchup\n"
               "event catchup_finished g/a count=2\n"}}},
    {"resume from paused_at: of slots of which none is late all fire, whatever the policy",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"10s\"},"
                   "\"catchup\":{\"policy\":\"latest\",\"window\":\"1s\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:05Z", .json = SELECT("pause", ""),
       .said = "result pause applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:35Z", .json = SELECT("resume", ",\"from\":\"paused_at\""),
       .said = "event resumed g/a from=01-01T00:00:05 to=01-01T00:00:05\n"
               "result resume applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:00:36Z",
       .said = "fire g/a 01-01T00:00:10 catchup\nfire g/a 01-01T00:00:20 catchup\n"
               "fire g/a 01-01T00:00:30 catchup\n"}}},
    {"a slot that is late within its grace is not dropped by a window that is shorter",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1m\"},"
                   "\"catchup\":{\"policy\":\"all\",\"window\":\"1s\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:02:20Z",
       .said = "event missed g/a first=01-01T00:01:00 last=01-01T00:01:00 count=1 window\n"
               "event catchup_started g/a count=1\nfire g/a 01-01T00:02:00 catchup\n"
               "event catchup_finished g/a count=1\n"}}},
    {"a one-shot whose time passed while paused is skipped at the resume",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"at\":\"2026-01-01T01:00:00Z\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:30:00Z", .json = SELECT("pause", ""),
       .said = "result pause applied matched=1 changed=1\n"},
      {.at = "2026-01-01T02:30:00Z", .json = SELECT("resume", ""),
       .said = "event resumed g/a from=01-01T00:30:00 to=01-01T02:30:00\n"
               "event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 paused\n"
               "event exhausted g/a\nresult resume applied matched=1 changed=1\n"}}},
    {"an edit of the schedule does not fire, an edit of the payload keeps the phase",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1m\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:20Z",
       .json = SELECT("update", ",\"set\":{\"payload\":{\"n\":2}}"),
       .said = "result update applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:01:00Z", .said = "fire g/a 01-01T00:01:00 schedule\n"},
      {.at = "2026-01-01T00:01:30Z",
       .json = SELECT("update", ",\"set\":{\"schedule\":{\"every\":\"5m\"}}"),
       .said = "result update applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:06:29Z", .said = ""},
      {.now = "2026-01-01T00:06:30Z", .said = "fire g/a 01-01T00:06:30 schedule\n"}}},
    {"owed slots keep the schedule they were owed under",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                   "\"catchup\":{\"policy\":\"all\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T02:30:00Z", .now = "2026-01-01T04:00:00Z",
       .json = SELECT("update", ",\"set\":{\"schedule\":{\"every\":\"25m\"}}"),
       .said = "event catchup_started g/a count=2\n"
               "result update applied matched=1 changed=1\n"},
      {.now = "2026-01-01T04:00:00Z",
       .said = "event catchup_started g/a count=3\nfire g/a 01-01T01:00:00 catchup\n"
               "fire g/a 01-01T02:00:00 catchup\nevent catchup_finished g/a count=2\n"
               "fire g/a 01-01T02:55:00 catchup\nfire g/a 01-01T03:20:00 catchup\n"
               "fire g/a 01-01T03:45:00 catchup\nevent catchup_finished g/a count=3\n"},
      {.now = "2026-01-01T04:10:00Z", .said = "fire g/a 01-01T04:10:00 schedule\n"}}},
    {"a delete drops what is owed and says so",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"},"
                   "\"catchup\":{\"policy\":\"all\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T03:30:00Z", .now = "2026-01-01T09:10:00Z", .json = SELECT("delete", ""),
       .said = "event skipped g/a first=01-01T01:00:00 last=01-01T03:00:00 count=3 deleted\n"
               "gone g/a\nresult delete applied matched=1 changed=1\n"},
      {.now = "2026-01-01T10:00:00Z", .said = ""}}},
    {"start, end and max_fires bound the slots",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"cron\":\"* * * * *\"},"
                   "\"start\":\"2026-01-01T00:02:00Z\",\"end\":\"2026-01-01T00:05:00Z\""),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"b\",\"schedule\":{\"cron\":\"* * * * *\"},"
                   "\"max_fires\":2"),
       .said = "result add applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:01:00Z", .said = "fire g/b 01-01T00:01:00 schedule\n"},
      {.now = "2026-01-01T00:02:00Z",
       .said = "fire g/a 01-01T00:02:00 schedule\nfire g/b 01-01T00:02:00 schedule\n"
               "event exhausted g/b\n"},
      {.now = "2026-01-01T00:03:00Z", .said = "fire g/a 01-01T00:03:00 schedule\n"},
      {.now = "2026-01-01T00:04:00Z",
       .said = "fire g/a 01-01T00:04:00 schedule\nevent exhausted g/a\n"}}},
    {"a command id is applied once, and answered with its first outcome",
     {{.at = "2026-01-01T00:00:00Z",
       .json = "{\"op\":\"add\",\"command_id\":\"c1\",\"job\":{\"group\":\"g\",\"id\":\"a\","
               "\"schedule\":{\"every\":\"1m\"}}}",
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:01Z",
       .json = "{\"op\":\"delete\",\"command_id\":\"c1\",\"select\":{\"all\":true}}",
       .said = "result delete duplicate matched=0 changed=0\n"},
      {.at = "2026-01-02T00:00:02Z",
       .json = "{\"op\":\"ping\",\"command_id\":\"c2\"}", .said = NULL}}},
    {"adds are atomic; each takes the good ones",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:01Z",
       .json = "{\"op\":\"add\",\"jobs\":[{\"group\":\"g\",\"id\":\"b\",\"schedule\":{\"every\":"
               "\"1h\"}},{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":\"1h\"}}]}",
       .said = "result add conflict exists matched=2 changed=0\n"},
      {.at = "2026-01-01T00:00:02Z",
       .json = "{\"op\":\"add\",\"mode\":\"each\",\"jobs\":[{\"group\":\"g\",\"id\":\"b\","
               "\"schedule\":{\"every\":\"1h\"}},{\"group\":\"g\",\"id\":\"a\",\"schedule\":"
               "{\"every\":\"1h\"}}]}",
       .said = "result add partial exists matched=2 changed=1\n"},
      {.at = "2026-01-01T00:00:03Z", .json = SELECT("pause", ",\"expect\":3"),
       .said = "result pause conflict count_mismatch matched=2 changed=0\n"},
      {.at = "2026-01-01T00:00:04Z", .json = SELECT("pause", ",\"expect\":2"),
       .said = "result pause applied matched=2 changed=2\n"},
      {.at = "2026-01-01T00:00:05Z", .json = SELECT("pause", ""),
       .said = "result pause unchanged matched=2 changed=0\n"}}},
    {"put: equal is unchanged, different is an update that keeps the pause",
     {{.at = "2026-01-01T00:00:00Z",
       .json = "{\"op\":\"put\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":"
               "\"1m\"}}}",
       .said = "result put applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:10Z",
       .json = "{\"op\":\"put\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":"
               "\"1m\"}}}",
       .said = "result put unchanged matched=1 changed=0\n"},
      {.at = "2026-01-01T00:00:20Z",
       .json = "{\"op\":\"put\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"payload\":1,"
               "\"schedule\":{\"every\":\"1m\"}}}",
       .said = "result put applied matched=1 changed=1\n"},
      {.now = "2026-01-01T00:01:00Z", .said = "fire g/a 01-01T00:01:00 schedule\n"}}},
    {"a trigger fires now, also a paused job, and counts for nothing",
     {{.at = "2026-01-01T00:00:00Z",
       .json = ADD("\"group\":\"g\",\"id\":\"a\",\"paused\":true,\"schedule\":{\"every\":\"1h\"}"),
       .said = "result add applied matched=1 changed=1\n"},
      {.at = "2026-01-01T00:00:10Z", .json = SELECT("trigger", ""),
       .said = "fire g/a 01-01T00:00:10 trigger\nresult trigger applied matched=1 changed=1\n"}}},
    {"what cannot be read is rejected with its code",
     {{.at = "2026-01-01T00:00:00Z", .json = "{\"op\":\"pause\",\"select\":{}}",
       .said = "result pause rejected empty_selector matched=0 changed=0\n"},
      {.at = "2026-01-01T00:00:00Z", .json = "{\"op\":\"add\"",
       .said = "result  rejected invalid_json matched=0 changed=0\n"}}},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

static void play(const struct scenario *scenario, bool restart_always, size_t batch_max)
{
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig.restart_always = restart_always;
    rig.batch_max = batch_max;
    for (int i = 0; i < STEPS_MAX; i++) {
        const struct step *step = &scenario->steps[i];
        if (step->json == NULL && step->now == NULL) break;
        if (step->json != NULL) rig_command(&rig, step->at, step->now, step->json);
        else rig_advance(&rig, step->now);
        const char *said = rig_said(&rig);
        if (step->said != NULL && strcmp(said, step->said) != 0)
            fail_msg("step %d%s: said\n%sexpected\n%s", i,
                     restart_always ? " (restarted after each transaction)" : "", said,
                     step->said);
    }
    rig_close(&rig);
}

static void check_scenario(void **state)
{
    const struct scenario *scenario = *state;
    play(scenario, false, 0);
    play(scenario, true, 0);
    play(scenario, true, 1);
}

/* ---- herds, large commands, failures ---- */

static void add_many(struct shard_rig *rig, int count, const char *schedule)
{
    struct text_writer json;
    text_writer_init(&json);
    text_writer_words(&json, "{\"op\":\"add\",\"jobs\":[");
    for (int i = 0; i < count; i++) {
        char job[160];
        (void)snprintf(job, sizeof job, "%s{\"group\":\"g\",\"id\":\"%04d\",\"schedule\":%s}",
                       i > 0 ? "," : "", i, schedule);
        text_writer_words(&json, job);
    }
    text_writer_words(&json, "]}");
    text_writer_char(&json, '\0');
    rig_command(rig, "2026-01-01T00:00:00Z", NULL, json.bytes);
    text_writer_free(&json);
    (void)rig_said(rig);
}

static int count_lines(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) count++;
    return count;
}

static void herd_in_many_transactions(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    add_many(&rig, 500, "{\"cron\":\"* * * * *\"}");
    rig.batch_max = 7;
    rig.restart_always = true; /* a crash between any two of them */
    int64_t before = rig.commits;
    rig_advance(&rig, "2026-01-01T00:01:00Z");
    const char *said = rig_said(&rig);
    assert_int_equal(count_lines(said, "fire g/"), 500);
    for (int i = 0; i < 500; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "fire g/%04d 01-01T00:01:00 schedule\n", i);
        assert_non_null(strstr(said, line));
        assert_null(strstr(strstr(said, line) + 1, line));
    }
    assert_true(rig.commits - before >= 500 / 7);
    rig_close(&rig);
}

static void large_command_is_atomic_in_outcome(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    add_many(&rig, 300, "{\"cron\":\"* * * * *\"}");
    rig.batch_max = 11;
    rig.restart_always = true;
    rig_command(&rig, "2026-01-01T00:00:30Z", NULL,
                "{\"op\":\"pause\",\"select\":{\"all\":true,\"paused\":false}}");
    assert_string_equal(rig_said(&rig), "result pause applied matched=300 changed=300\n");
    rig_advance(&rig, "2026-01-01T00:02:00Z");
    assert_string_equal(rig_said(&rig), "");
    rig_close(&rig);
}

static void failed_fire_is_owed_again(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    add_many(&rig, 1, "{\"every\":\"10s\"}");
    /* The fire of 00:00:10 fails; the one of 00:00:20 has to wait behind it. */
    int64_t now_ms = rig_instant("2026-01-01T00:00:10Z");
    struct shard_counts counts;
    struct failed_fire failed = {.slot = 0, .kind = FIRE_SCHEDULE, .attempt = 1,
                                 .nominal_ms = now_ms, .due_ms = now_ms, .reason = "test"};
    failed.incarnation = (struct incarnation){.offset = 0, .index = 0};
    rig_advance(&rig, "2026-01-01T00:00:10Z");
    assert_string_equal(rig_said(&rig), "fire g/0000 01-01T00:00:10 schedule\n");
    struct sink sink = rig_test_sink(&rig);
    shard_fire_failed(rig.shard, &failed, now_ms, &sink);
    assert_string_equal(rig_said(&rig), "event fire_failed g/0000 first=01-01T00:00:10 "
                                        "last=01-01T00:00:10 count=1 test\n");
    shard_count(rig.shard, &counts);
    assert_int_equal(counts.failing, 1);
    assert_non_null(strstr(rig_record(&rig, "g/0000"), "\"failing\""));
    rig_test_commit(&rig);
    rig_restart(&rig);
    rig_advance(&rig, "2026-01-01T00:00:20Z");
    assert_string_equal(rig_said(&rig), "");
    assert_true(shard_retry(rig.shard, rig_instant("2026-01-01T00:00:20Z"), &sink));
    rig_test_commit(&rig);
    assert_string_equal(rig_said(&rig), "fire g/0000 01-01T00:00:10 retry attempt=2\n");
    rig_advance(&rig, "2026-01-01T00:00:21Z");
    assert_string_equal(rig_said(&rig), "fire g/0000 01-01T00:00:20 catchup\n");
    rig_advance(&rig, "2026-01-01T00:00:30Z");
    assert_string_equal(rig_said(&rig), "fire g/0000 01-01T00:00:30 schedule\n");
    rig_close(&rig);
}

static void catch_up_survives_a_crash_at_every_fire(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL,
                "{\"op\":\"add\",\"job\":{\"group\":\"g\",\"id\":\"a\",\"schedule\":{\"every\":"
                "\"1m\"},\"catchup\":{\"policy\":\"all\"}}}");
    (void)rig_said(&rig);
    rig.batch_max = 1;
    rig.restart_always = true;
    rig_advance(&rig, "2026-01-01T03:20:30Z");
    const char *said = rig_said(&rig);
    assert_int_equal(count_lines(said, "fire g/a"), 200);
    assert_int_equal(count_lines(said, "catchup_started"), 1);
    const char *at = said;
    for (int i = 1; i <= 200; i++) { /* each once, in order */
        char line[64];
        (void)snprintf(line, sizeof line, "fire g/a 01-01T%02d:%02d:00 catchup\n", i / 60, i % 60);
        at = strstr(at, line);
        assert_non_null(at);
        assert_null(strstr(at + 1, line));
    }
    rig_close(&rig);
}

static void remembered_ids_are_forgotten_after_a_day(void **state)
{
    (void)state;
    struct shard_rig rig;
    rig_open(&rig, "2026-01-01T00:00:00Z");
    rig_command(&rig, "2026-01-01T00:00:00Z", NULL, "{\"op\":\"ping\",\"command_id\":\"x\"}");
    assert_string_equal(rig_said(&rig), "result ping applied matched=0 changed=0\n");
    rig_restart(&rig);
    rig_command(&rig, "2026-01-01T23:00:00Z", NULL, "{\"op\":\"ping\",\"command_id\":\"x\"}");
    assert_string_equal(rig_said(&rig), "result ping duplicate matched=0 changed=0\n");
    rig_advance(&rig, "2026-01-02T00:00:01Z");
    struct sink sink = rig_test_sink(&rig);
    shard_expire_seen(rig.shard, &sink);
    rig_test_commit(&rig);
    rig_restart(&rig);
    (void)rig_said(&rig);
    rig_command(&rig, "2026-01-02T00:00:02Z", NULL, "{\"op\":\"ping\",\"command_id\":\"x\"}");
    assert_string_equal(rig_said(&rig), "result ping applied matched=0 changed=0\n");
    rig_close(&rig);
}

int main(void)
{
    struct CMUnitTest tests[SCENARIOS + 5];
    for (int i = 0; i < SCENARIOS; i++)
        tests[i] = (struct CMUnitTest){.name = scenarios[i].name,
                                       .test_func = check_scenario,
                                       .initial_state = (void *)&scenarios[i]};
    int more = SCENARIOS;
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(herd_in_many_transactions);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(large_command_is_atomic_in_outcome);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(failed_fire_is_owed_again);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(catch_up_survives_a_crash_at_every_fire);
    tests[more++] = (struct CMUnitTest)cmocka_unit_test(remembered_ids_are_forgotten_after_a_day);
    return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
