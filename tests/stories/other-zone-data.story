# Other zone data than the earlier owner's: what waits, is owed, has failed or was left out fires
# once or not at all.
# How to read this: README.md.
begins 2026-01-01T00:00:30Z

story: other zone data leaves a delay that no slot bounds
at 00:00:30 add g/a {"schedule": {"cron": "0 2 * * *", "zone": "Europe/Berlin"}, "jitter": "3h"}
  > result add applied matched=1 changed=1
now 01:00:00.001
restart with other zone data
now 01:00:00.001
restart
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule

story: other zone data may have moved a delay that a slot bounds
at 00:00:30 add g/a {"schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h"}
  > result add applied matched=1 changed=1
now 01:00:00.001
restart with other zone data
now 01:00:00.001
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 zone_data
restart
now 01:09:12.717
now 02:22:00.840
  > fire g/a 01-01T02:00:00 schedule
now 03:19:00.880
  > fire g/a 01-01T03:00:00 schedule

# Other zone data came in a pause, in which no slot waited. What waits when the pause is over
# fires, by the next owner, too.
story: other zone data in a pause leaves out nothing later
at 00:00:30 add g/a {"schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h"}
  > result add applied matched=1 changed=1
at 00:00:30 pause g
  > result pause applied matched=1 changed=1
now 01:00:00.001
restart with other zone data
at 01:00:00.002 resume g
  > event resumed g/a from=01-01T00:00:30 to=01-01T01:00:00
  > result resume applied matched=1 changed=1
restart
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule

# The slot of 03:00 was due at 03:00:00.001 by earlier zone data, and is owed alone, with that
# delay. By the present data it is due at 03:19:00.880.
story: what is owed alone fires once by other zone data
at 00:00:30 add g/a
    {"schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h",
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
record g/a becomes
    {"layout": 2, "group": "g", "id": "a", "state": "active",
     "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h",
     "catchup": {"policy": "all"}, "revision": 1, "incarnation": "1767225630000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:30.000Z",
     "updated_at": "2026-01-01T00:00:30.000Z",
     "owed": [{"from": "2026-01-01T00:59:59.999Z", "to": "2026-01-01T03:00:00Z"},
              {"from": "2026-01-01T03:00:00Z", "to": "2026-01-01T03:00:00.001Z", "delay_ms": 1}],
     "tail_from": "2026-01-01T03:00:00.001Z"}
restart at 03:00:00.002 with other zone data
now 03:00:00.003
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > fire g/a 01-01T03:00:00 catchup
mark lacks tz_changed_at
now 03:59:59.999

# As before, and paused.
story: what is owed alone in a pause fires once by other zone data
at 00:00:30 add g/a
    {"schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h",
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
record g/a becomes
    {"layout": 2, "group": "g", "id": "a", "state": "paused",
     "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h",
     "catchup": {"policy": "all"}, "revision": 1, "incarnation": "1767225630000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:30.000Z",
     "updated_at": "2026-01-01T00:00:30.000Z",
     "owed": [{"from": "2026-01-01T00:59:59.999Z", "to": "2026-01-01T03:00:00Z"},
              {"from": "2026-01-01T03:00:00Z", "to": "2026-01-01T03:00:00.001Z", "delay_ms": 1}],
     "paused": true, "paused_at": "2026-01-01T03:00:00.002Z"}
restart at 03:00:00.002 with other zone data
at 03:00:00.003 resume g
  > event resumed g/a from=01-01T03:00:00 to=01-01T03:00:00
  > result resume applied matched=1 changed=1
mark lacks tz_changed_at
now 03:59:59.999
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > fire g/a 01-01T03:00:00 catchup

# As before, and it has failed.
story: what failed fires once by other zone data
at 00:00:30 add g/a
    {"schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h",
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
record g/a becomes
    {"layout": 2, "group": "g", "id": "a", "state": "failing",
     "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h",
     "catchup": {"policy": "all"}, "revision": 1, "incarnation": "1767225630000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:30.000Z",
     "updated_at": "2026-01-01T00:00:30.000Z",
     "owed": [{"from": "2026-01-01T03:00:00Z", "to": "2026-01-01T03:00:00.001Z",
               "delay_ms": 1}],
     "tail_from": "2026-01-01T03:00:00.001Z",
     "failing": {"since": "2026-01-01T03:00:00.001Z", "retry_at": "2026-01-01T03:00:01Z",
                 "attempts": 1}}
restart at 03:00:00.002 with other zone data
now 03:00:01
at 03:00:01 retry
  > fire g/a 01-01T03:00:00 retry attempt=2
now 04:00:00

# It was named when it was left out. By yet other data its delay would not be in question.
story: what was left out stays so by yet other zone data
at 00:00:30 add g/a
    {"schedule": {"cron": "0 2 * * *", "zone": "Europe/Berlin"}, "jitter": "3h",
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
record g/a becomes
    {"layout": 2, "group": "g", "id": "a", "state": "active",
     "schedule": {"cron": "0 2 * * *", "zone": "Europe/Berlin"}, "jitter": "3h",
     "catchup": {"policy": "all"}, "revision": 1, "incarnation": "1767225630000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:30.000Z",
     "updated_at": "2026-01-01T00:00:30.000Z",
     "zone_data_left_out": "2026-01-01T01:00:00Z"}
restart at 01:00:00.001 with other zone data
now 01:09:12.717
now 2026-01-02T04:00:00Z
  > event catchup_started g/a count=1
  > fire g/a 01-02T01:00:00 catchup
  > event catchup_finished g/a count=1

story: what was left out stays so by yet other zone data, where a range is owed
at 00:00:30 add g/a
    {"schedule": {"cron": "0 2 * * *", "zone": "Europe/Berlin"}, "jitter": "3h",
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
record g/a becomes
    {"layout": 2, "group": "g", "id": "a", "state": "active",
     "schedule": {"cron": "0 2 * * *", "zone": "Europe/Berlin"}, "jitter": "3h",
     "catchup": {"policy": "all"}, "revision": 1, "incarnation": "1767225630000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:30.000Z",
     "updated_at": "2026-01-01T00:00:30.000Z",
     "zone_data_left_out": "2026-01-01T01:00:00Z",
     "owed": [{"from": "2026-01-01T01:00:00.001Z", "to": "2026-01-01T06:00:00Z"}],
     "tail_from": "2026-01-01T06:00:00Z"}
restart at 01:00:00.001 with other zone data
now 01:09:12.717
now 2026-01-02T04:00:00Z
  > event catchup_started g/a count=1
  > fire g/a 01-02T01:00:00 catchup
  > event catchup_finished g/a count=1

# What was owed when the schedule was edited has a schedule of its own. Its slot of 01:00 has fired,
# a millisecond after its nominal time.
story: what is owed since before an edit fires once by other zone data
at 00:00:30 add g/a
    {"schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h",
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
record g/a becomes
    {"layout": 2, "group": "g", "id": "a", "state": "active",
     "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "24h",
     "catchup": {"policy": "all"}, "revision": 1, "incarnation": "1767225630000-0.0.0",
     "ordinal": 1, "created_at": "2026-01-01T00:00:30.000Z",
     "updated_at": "2026-01-01T00:00:30.000Z",
     "last_due": "2026-01-01T01:00:00Z", "schedule_edited_at": "2026-01-01T04:00:00Z",
     "owed": [{"from": "2026-01-01T01:00:00.001Z", "to": "2026-01-01T03:30:00Z", "jitter": "24h",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}}],
     "tail_from": "2026-01-01T04:00:00Z"}
restart at 04:00:00 with other zone data
now 04:00:00.001
  > fire g/a 01-01T02:00:00 catchup
  > fire g/a 01-01T03:00:00 catchup
