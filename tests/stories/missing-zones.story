# A machine that lacks a job's time zone: the job is set aside, the others go on.
# How to read this: README.md.
# Berlin is two hours ahead of UTC then: due at 00:00, 01:00 ... of UTC.
begins 2026-07-01T00:30:00Z

story: a job whose zone is missing is set aside and owed; the others go on
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"},
               "catchup": {"policy": "all"}},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
restart without zones
now 01:00:00
  > fire g/utc 07-01T01:00:00 schedule
now 02:00:00
  > fire g/utc 07-01T02:00:00 schedule
record g/berlin has "zone_missing_at":"2026-07-01T00:30:00.000Z"
restart without zones
now 03:00:00
  > fire g/utc 07-01T03:00:00 schedule
restart
now 03:10:00
  > event catchup_started g/berlin count=3
  > fire g/berlin 07-01T01:00:00 catchup
  > fire g/berlin 07-01T02:00:00 catchup
  > fire g/berlin 07-01T03:00:00 catchup
  > event catchup_finished g/berlin count=3
now 03:10:10
record g/berlin lacks zone_missing_at
now 04:00:00
  > fire g/berlin 07-01T04:00:00 schedule
  > fire g/utc 07-01T04:00:00 schedule

story: the policy decides when the zone is back
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
restart without zones
now 05:30:00
  > event missed g/utc first=07-01T01:00:00 last=07-01T04:00:00 count=4 superseded
  > fire g/utc 07-01T05:00:00 catchup missed=4
restart
now 05:30:01
  > event missed g/berlin first=07-01T01:00:00 last=07-01T04:00:00 count=4 superseded
  > fire g/berlin 07-01T05:00:00 catchup missed=4
now 05:30:02

story: a job whose zone is missing can be deleted
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
restart without zones
at 02:30:00 delete /berlin
  > event skipped g/berlin from=07-01T00:30:00 to=07-01T02:30:00 zone_missing
  > gone g/berlin
  > result delete applied matched=1 changed=1
record g/berlin is gone

# What it may have fired before is not fired again.
story: a job whose zone is missing can be given another schedule
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
now 01:00:00
  > fire g/berlin 07-01T01:00:00 schedule
  > fire g/utc 07-01T01:00:00 schedule
restart without zones
at 02:30:00 update /berlin {"payload": 1, "end": "2027-01-01T00:00:00Z"}
  > result update applied matched=1 changed=1
at 02:40:00 update /berlin {"schedule": {"cron": "45 * * * *"}}
  > event skipped g/berlin from=07-01T01:00:00 to=07-01T02:40:00 zone_missing
  > result update applied matched=1 changed=1
restart without zones
now 02:45:00
  > fire g/berlin 07-01T02:45:00 schedule
  > fire g/utc 07-01T02:00:00 catchup
record g/berlin lacks zone_missing_at
at 02:50:00 update /berlin {"schedule": {"at": "2026-07-01T01:00:00Z"}}
  > event skipped g/berlin first=07-01T01:00:00 last=07-01T01:00:00 count=1 already_due
  > event exhausted g/berlin
  > result update applied matched=1 changed=1

# A slot that waits for its delay at the edit is not known either, in a pause as without one.
story: an edit without the zone, while a slot may wait for its delay
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}, "jitter": "20m"},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
at 00:40:00 pause /berlin
  > result pause applied matched=1 changed=1
restart without zones
at 03:10:00 update /berlin {"schedule": {"cron": "45 * * * *"}}
  > event skipped g/berlin from=07-01T02:50:00 to=07-01T03:10:00 zone_missing
  > result update applied matched=1 changed=1

# Slots of the time that is not known belong to the old bounds.
story: an edit of the end without the zone
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"},
               "catchup": {"policy": "all"}},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
restart without zones
at 02:30:00 update /berlin {"end": "2026-07-01T01:30:00Z"}
  > event skipped g/berlin from=07-01T00:30:00 to=07-01T02:30:00 zone_missing
  > event exhausted g/berlin
  > result update applied matched=1 changed=1
at 02:40:00 update /berlin {"end": "2026-07-01T08:00:00Z"}
  > result update applied matched=1 changed=1
restart
now 03:30:00
  > event catchup_started g/berlin count=1
  > event missed g/utc first=07-01T01:00:00 last=07-01T02:00:00 count=2 superseded
  > fire g/berlin 07-01T03:00:00 catchup
  > event catchup_finished g/berlin count=1
  > fire g/utc 07-01T03:00:00 catchup missed=2
now 03:30:01

story: an ended job gets more fires without its zone
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"},
               "catchup": {"policy": "all"}, "max_fires": 1},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
now 01:00:00
  > fire g/berlin 07-01T01:00:00 schedule
  > event exhausted g/berlin
  > fire g/utc 07-01T01:00:00 schedule
restart without zones
at 02:30:00 update /berlin {"payload": 1}
  > result update applied matched=1 changed=1
record g/berlin has "finished"
at 02:40:00 update /berlin {"max_fires": 3}
  > result update applied matched=1 changed=1
record g/berlin has "zone_missing_at":"2026-07-01T02:40:00.000Z"
restart
now 03:30:00
  > event catchup_started g/berlin count=1
  > event missed g/utc first=07-01T02:00:00 last=07-01T02:00:00 count=1 superseded
  > fire g/berlin 07-01T03:00:00 catchup
  > event catchup_finished g/berlin count=1
  > fire g/utc 07-01T03:00:00 catchup missed=1
now 03:30:01

# Fewer fires than it has had, set in a pause: resumed without its zone it ends, as it would with
# it.
story: fires used up in a pause, resumed without the zone
not cut: with one output a turn the lane goes from job to job
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"},
               "catchup": {"policy": "all"}, "max_fires": 9},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
now 02:00:00
  > event catchup_started g/berlin count=2
  > event missed g/utc first=07-01T01:00:00 last=07-01T01:00:00 count=1 superseded
  > fire g/berlin 07-01T01:00:00 catchup
  > fire g/berlin 07-01T02:00:00 catchup
  > event catchup_finished g/berlin count=2
  > fire g/utc 07-01T02:00:00 catchup missed=1
at 02:10:00 pause /berlin
  > result pause applied matched=1 changed=1
at 02:20:00 update /berlin {"max_fires": 1}
  > result update applied matched=1 changed=1
restart without zones
at 05:30:00 resume /berlin {"from": "paused_at"}
  > event resumed g/berlin from=07-01T02:10:00 to=07-01T02:10:00
  > event exhausted g/berlin
  > result resume applied matched=1 changed=1
restart
now 06:30:00
  > event missed g/utc first=07-01T03:00:00 last=07-01T05:00:00 count=3 superseded
  > fire g/utc 07-01T06:00:00 catchup missed=3
now 06:30:01

story: a pause and a trigger without the zone
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"},
               "catchup": {"policy": "all"}},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
restart without zones
at 01:30:00 trigger /berlin
  > fire g/berlin 07-01T01:30:00 trigger
  > result trigger applied matched=1 changed=1
at 02:30:00 pause /berlin
  > event skipped g/berlin from=07-01T00:30:00 to=07-01T02:30:00 zone_missing
  > result pause applied matched=1 changed=1
at 04:30:00 resume /berlin
  > event resumed g/berlin from=07-01T02:30:00 to=07-01T04:30:00
  > result resume applied matched=1 changed=1
restart
now 05:30:00
  > event catchup_started g/berlin count=1
  > event missed g/utc first=07-01T01:00:00 last=07-01T04:00:00 count=4 superseded
  > fire g/berlin 07-01T05:00:00 catchup
  > event catchup_finished g/berlin count=1
  > fire g/utc 07-01T05:00:00 catchup missed=4
now 05:30:01

story: a backfill waits for the zone
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}},
              {"group": "g", "id": "utc", "schedule": {"cron": "0 * * * *"}}]}
  > result add applied matched=2 changed=2
at 00:40:00 backfill /berlin {"backfill_id": "b", "from": "2026-06-30T20:30:00Z"}
  > event backfill_started g/berlin first=06-30T21:00:00 last=07-01T00:00:00 count=4 b
  > result backfill applied matched=1 changed=1
restart without zones
at 00:45:00 backfill /berlin {"backfill_id": "c", "from": "2026-06-30T20:30:00Z"}
  > result backfill conflict unknown_zone matched=1 changed=0
  >    unknown_zone
now 00:50:00
restart
now 00:51:00
  > fire g/berlin 06-30T21:00:00 backfill
  > fire g/berlin 06-30T22:00:00 backfill
  > fire g/berlin 06-30T23:00:00 backfill
  > fire g/berlin 07-01T00:00:00 backfill
  > event backfill_finished g/berlin count=4 b
now 00:52:00
now 00:53:00

# Of its slots the interval is said, and not one more time the slot that is owed by itself.
story: a backfill that has failed is dropped without its zone
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}}]}
  > result add applied matched=1 changed=1
at 00:40:00 backfill /berlin {"backfill_id": "b", "from": "2026-06-30T23:30:00Z"}
  > event backfill_started g/berlin first=07-01T00:00:00 last=07-01T00:00:00 count=1 b
  > result backfill applied matched=1 changed=1
at 00:40:01 lane
  > fire g/berlin 07-01T00:00:00 backfill
at 00:40:01 failed g/berlin 00:00:00 backfill backfill=b
  > event fire_failed g/berlin first=07-01T00:00:00 last=07-01T00:00:00 count=1 b topic_missing
restart without zones
at 00:50:00 pause /berlin
  > event skipped g/berlin from=07-01T00:40:00 to=07-01T00:50:00 zone_missing
  > event skipped g/berlin from=06-30T23:59:59 to=07-01T00:50:00 b zone_missing
  > result pause applied matched=1 changed=1
restart
now 00:51:00

# None of its slots is known.
story: a backfill is cancelled without its zone
at 00:30:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "berlin",
               "schedule": {"cron": "0 * * * *", "zone": "Europe/Berlin"}}]}
  > result add applied matched=1 changed=1
at 00:40:00 backfill /berlin {"backfill_id": "b", "from": "2026-06-30T20:30:00Z"}
  > event backfill_started g/berlin first=06-30T21:00:00 last=07-01T00:00:00 count=4 b
  > result backfill applied matched=1 changed=1
restart without zones
at 00:45:00 cancel_backfill /berlin {"backfill_id": "b"}
  > event skipped g/berlin from=06-30T20:30:00 to=07-01T00:45:00 b zone_missing
  > result cancel_backfill applied matched=1 changed=1
