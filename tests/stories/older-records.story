# Jobs whose records were written before the layout of today: they are read and go on. What is said
# is what the program that wrote them says.
# How to read this: README.md.

story: a range that the lane has begun with goes on
record g/a becomes
    {"layout": 1, "group": "g", "id": "a", "state": "active",
     "schedule": {"every": "1h", "anchor": "2026-01-01T00:00:00.000Z"},
     "catchup": {"policy": "all"}, "revision": 1, "incarnation": "1767225600000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:00.000Z",
     "updated_at": "2026-01-01T00:00:00.000Z",
     "owed": [{"from": "2026-01-01T01:00:00.000Z", "to": "2026-01-01T04:00:00.000Z",
               "planned": 4}], "tail_from": "2026-01-01T04:30:00.000Z", "fired": 1,
     "last_due": "2026-01-01T01:00:00.000Z"}
restart at 04:30:00
now 04:30:01
  > fire g/a 01-01T02:00:00 catchup
  > fire g/a 01-01T03:00:00 catchup
  > fire g/a 01-01T04:00:00 catchup
  > event catchup_finished g/a count=4
now 05:00:00
  > fire g/a 01-01T05:00:00 schedule

story: a range under an earlier schedule, and a tail that is not decided
record g/a becomes
    {"layout": 1, "group": "g", "id": "a", "state": "active",
     "schedule": {"every": "25m", "anchor": "2026-01-01T02:30:00.000Z"},
     "catchup": {"policy": "all"}, "revision": 2, "incarnation": "1767225600000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:00.000Z",
     "updated_at": "2026-01-01T02:30:00.000Z",
     "owed": [{"from": "2026-01-01T00:59:59.999Z", "to": "2026-01-01T02:00:00.000Z",
               "planned": 2, "schedule": {"every": "1h", "anchor": "2026-01-01T00:00:00.000Z"}}],
     "tail_from": "2026-01-01T02:30:00.000Z", "schedule_edited_at": "2026-01-01T02:30:00.000Z",
     "earlier_due": "2026-01-01T02:00:00.000Z"}
restart at 02:30:00
now 04:00:00
  > event catchup_started g/a count=3
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > event catchup_finished g/a count=2
  > fire g/a 01-01T02:55:00 catchup
  > fire g/a 01-01T03:20:00 catchup
  > fire g/a 01-01T03:45:00 catchup
  > event catchup_finished g/a count=3
now 04:10:00
  > fire g/a 01-01T04:10:00 schedule

story: a slot that waits for its delay over an edit
record g/a becomes
    {"layout": 1, "group": "g", "id": "a", "state": "active",
     "schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "revision": 2,
     "incarnation": "1767225630000-0.0.0", "ordinal": 1, "created_at": "2026-01-01T00:00:30.000Z",
     "updated_at": "2026-01-01T01:00:01.000Z", "schedule_edited_at": "2026-01-01T01:00:01.000Z",
     "pending": [{"nominal": "2026-01-01T01:00:00.000Z", "due": "2026-01-01T01:09:12.717Z"}],
     "earlier_due": "2026-01-01T00:00:00.000Z"}
restart at 01:00:01
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
now 01:59:00
  > fire g/a 01-01T01:59:00 schedule

story: a slot that has failed, and one that is owed behind it
record g/a becomes
    {"layout": 1, "group": "g", "id": "a", "state": "failing",
     "schedule": {"every": "10s", "anchor": "2026-01-01T00:00:00.000Z"}, "revision": 1,
     "incarnation": "1767225600000-0.0.0", "ordinal": 1, "created_at": "2026-01-01T00:00:00.000Z",
     "updated_at": "2026-01-01T00:00:00.000Z",
     "owed": [{"from": "2026-01-01T00:00:09.999Z", "to": "2026-01-01T00:00:10.000Z"}],
     "tail_from": "2026-01-01T00:00:10.000Z",
     "failing": {"since": "2026-01-01T00:00:10.000Z", "retry_at": "2026-01-01T00:00:11.000Z",
                 "attempts": 1}, "last_due": "2026-01-01T00:00:10.000Z"}
restart at 00:00:20
at 00:00:20 retry
  > fire g/a 01-01T00:00:10 retry attempt=2
now 00:00:21
  > fire g/a 01-01T00:00:20 catchup
now 00:00:30
  > fire g/a 01-01T00:00:30 schedule

story: a backfill half done
record g/a becomes
    {"layout": 1, "group": "g", "id": "a", "state": "active", "schedule": {"cron": "0 * * * *"},
     "revision": 1, "incarnation": "1767225600000-0.0.0", "ordinal": 1,
     "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
     "backfills": [{"id": "b", "rate": 10, "fired": 1, "from": "2025-12-31T21:00:00.000Z",
                    "to": "2025-12-31T23:00:00.000Z", "schedule": {"cron": "0 * * * *"}}],
     "fired": 1}
restart at 00:30:01
now 00:31:00
  > fire g/a 12-31T22:00:00 backfill
  > fire g/a 12-31T23:00:00 backfill
  > event backfill_finished g/a count=3 b
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule

story: a pause with a reason and an end, that owes
record g/a becomes
    {"layout": 1, "group": "g", "id": "a", "state": "paused", "paused": true,
     "schedule": {"every": "1h", "anchor": "2026-01-01T00:00:00.000Z"},
     "catchup": {"policy": "all"}, "revision": 2, "incarnation": "1767225600000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:00.000Z",
     "updated_at": "2026-01-01T02:30:00.000Z", "paused_at": "2026-01-01T02:30:00.000Z",
     "until": "2026-01-01T05:00:00.000Z", "pause_reason": "move",
     "owed": [{"from": "2026-01-01T00:59:59.999Z", "to": "2026-01-01T02:00:00.000Z",
               "planned": 2}]}
restart at 02:30:00
now 04:59:59
now 05:00:00
  > event resumed g/a from=01-01T02:30:00 to=01-01T04:59:59
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > event catchup_finished g/a count=2
  > fire g/a 01-01T05:00:00 catchup

story: a one-shot that has fired is not fired again
record g/a becomes
    {"layout": 1, "group": "g", "id": "a", "state": "finished",
     "schedule": {"at": "2026-01-01T00:00:30.000Z"}, "revision": 1,
     "incarnation": "1767225600000-0.0.0", "ordinal": 1, "created_at": "2026-01-01T00:00:00.000Z",
     "updated_at": "2026-01-01T00:00:00.000Z", "finished_at": "2026-01-01T00:00:30.000Z",
     "fired": 1, "last_due": "2026-01-01T00:00:30.000Z"}
restart at 00:00:30
at 00:01:00 update g {"jitter": "10m"}
  > event skipped g/a first=01-01T00:00:30 last=01-01T00:00:30 count=1 already_due
  > event exhausted g/a
  > result update applied matched=1 changed=1
now 2026-01-02T00:00:59Z
now 2026-01-02T00:01:01Z
  > gone g/a

story: fires that count towards max_fires
record g/a becomes
    {"layout": 1, "group": "g", "id": "a", "state": "active",
     "schedule": {"every": "10s", "anchor": "2026-01-01T00:00:00.000Z"}, "max_fires": 3,
     "revision": 1, "incarnation": "1767225600000-0.0.0", "ordinal": 1,
     "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
     "counted_fires": 2, "fired": 2, "last_due": "2026-01-01T00:00:20.000Z"}
restart at 00:00:20
now 00:00:30
  > fire g/a 01-01T00:00:30 schedule
  > event exhausted g/a
