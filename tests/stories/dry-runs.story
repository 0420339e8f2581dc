# What a dry run says, of which nothing happens.
# How to read this: README.md.

story: a dry run names the days on which the clocks are changed
at 2026-03-24T00:00:00Z
    {"op": "add", "dry_run": true,
     "job": {"group": "g", "id": "a", "schedule": {"cron": "30 2 * * *", "zone": "Europe/Berlin"}}}
  > result add applied matched=1 changed=1
  >   add g/a +7 -0 before: after: 03-24 03-25 03-26 03-27 03-28 dst 2026-3-29
at 2026-04-01T00:00:00Z
    {"op": "add", "dry_run": true,
     "job": {"group": "g", "id": "a", "schedule": {"cron": "30 2 * * *", "zone": "Europe/Berlin"}}}
  > result add applied matched=1 changed=1
  >   add g/a +7 -0 before: after: 04-01 04-02 04-03 04-04 04-05
at 2026-10-20T00:00:00Z
    {"op": "add", "dry_run": true,
     "job": {"group": "g", "id": "a",
             "schedule": {"cron": "30 2 * * *", "zone": "America/New_York"}}}
  > result add applied matched=1 changed=1
  >   add g/a +7 -0 before: after: 10-20 10-21 10-22 10-23 10-24

story: a dry run says what would change, and changes nothing
at 00:00:00
    {"op": "add", "dry_run": true,
     "job": {"group": "g", "id": "a", "schedule": {"cron": "0 0 * * *"}}}
  > result add applied matched=1 changed=1
  >   add g/a +7 -0 before: after: 01-02 01-03 01-04 01-05 01-06
at 00:00:00 add g/a {"schedule": {"cron": "0 0 * * *"}}
  > result add applied matched=1 changed=1
at 00:00:01
    {"op": "update", "select": {"groups": ["g"]}, "dry_run": true,
     "set": {"schedule": {"cron": "0 0 */2 * *"}}}
  > result update applied matched=1 changed=1
  >   update g/a +0 -4 before: 01-02 01-03 01-04 01-05 01-06 after: 01-03 01-05 01-07 01-09 01-11
at 00:00:02 pause g {"dry_run": true, "until": "2026-01-03T00:00:00Z"}
  > result pause applied matched=1 changed=1
  >   pause g/a +0 -1 before: 01-02 01-03 01-04 01-05 01-06 after: 01-03 01-04 01-05 01-06 01-07
at 00:00:03 delete g {"dry_run": true}
  > result delete applied matched=1 changed=1
  >   delete g/a +0 -7 before: 01-02 01-03 01-04 01-05 01-06 after:
at 00:00:04 resume g {"dry_run": true}
  > result resume unchanged matched=1 changed=0
  >   unchanged g/a +0 -0 before: 01-02 01-03 01-04 01-05 01-06 after: 01-02 01-03 01-04 01-05 01-06
now 2026-01-02T00:00:00Z
  > fire g/a 01-02T00:00:00 schedule

# What dry runs say of paused and finished jobs, step by step.
story: dry runs of jobs that do not run
begins 2026-01-01T00:00:30Z
at 00:00:30 add g/a {"schedule": {"cron": "0 0 * * *", "zone": "Europe/Berlin"}, "paused": true}
  > result add applied matched=1 changed=1
at 00:00:30
    {"op": "update", "select": {"groups": ["g"]}, "dry_run": true,
     "set": {"schedule": {"every": "24h"}}}
  > result update applied matched=1 changed=1
  >   update g/a +0 -0 before: after:
at 00:00:30 pause g {"until": "2026-01-03T00:00:00Z"}
  > result pause applied matched=1 changed=1
at 00:00:30
    {"op": "update", "select": {"groups": ["g"]}, "dry_run": true,
     "set": {"schedule": {"at": "2026-01-04T00:00:00Z"}}}
  > result update applied matched=1 changed=1
  >   update g/a +1 -5 before: 01-03 01-04 01-05 01-06 01-07 after: 01-04
at 00:00:30
    {"op": "put", "dry_run": true,
     "job": {"group": "g", "id": "a", "schedule": {"at": "2026-01-04T00:00:00Z"}}}
  > result put applied matched=1 changed=1
  >   update g/a +1 -5 before: 01-03 01-04 01-05 01-06 01-07 after: 01-04
at 00:00:30 pause g {"dry_run": true}
  > result pause applied matched=1 changed=1
  >   pause g/a +0 -5 before: 01-03 01-04 01-05 01-06 01-07 after:
at 00:00:30
    {"op": "update", "select": {"groups": ["g"]}, "dry_run": true,
     "set": {"schedule": {"at": "2025-12-31T23:59:00Z"}, "catchup": {"policy": "none"}}}
  > result update applied matched=1 changed=1
  >   update g/a +0 -5 before: 01-03 01-04 01-05 01-06 01-07 after:

# The days of both zones, in order, each once.
story: days of two zones
begins 2026-03-24T00:00:00Z
at 00:00:00 add g/a {"schedule": {"cron": "30 12 * * *", "zone": "Europe/Berlin"}}
  > result add applied matched=1 changed=1
at 00:00:01
    {"op": "update", "select": {"groups": ["g"]}, "dry_run": true,
     "set": {"schedule": {"cron": "30 12 * * *", "zone": "Asia/Jerusalem"}}}
  > result update applied matched=1 changed=1
  >   update g/a +7 -7 before: 03-24 03-25 03-26 03-27 03-28 after: 03-24 03-25 03-26 03-27 03-28 dst 2026-3-27 dst 2026-3-29
at 00:00:01
    {"op": "update", "select": {"groups": ["g"]}, "dry_run": true,
     "set": {"schedule": {"cron": "30 12 * * *", "zone": "Europe/Athens"}}}
  > result update applied matched=1 changed=1
  >   update g/a +7 -7 before: 03-24 03-25 03-26 03-27 03-28 after: 03-24 03-25 03-26 03-27 03-28 dst 2026-3-29

story: a dry run of a backfill counts the slots that it would fire, also of a job with jitter
at 00:00:00 add g/a {"schedule": {"cron": "0 * * * *"}, "jitter": "50m"}
  > result add applied matched=1 changed=1
now 05:59:00
  > event missed g/a first=01-01T01:00:00 last=01-01T04:00:00 count=4 superseded
  > fire g/a 01-01T05:00:00 catchup missed=4
at 06:00:00
    {"op": "backfill", "select": {"groups": ["g"]}, "dry_run": true, "backfill_id": "b",
     "from": "2026-01-01T00:30:00Z", "to": "2026-01-01T04:00:00Z"}
  > result backfill applied matched=1 changed=1
  >   backfill g/a +4 -0 before: 01-01 01-01 01-01 01-01 01-01 after: 01-01 01-01 01-01 01-01 01-01
at 06:00:00
    {"op": "backfill", "select": {"groups": ["g"]}, "backfill_id": "b",
     "from": "2026-01-01T00:30:00Z", "to": "2026-01-01T04:00:00Z"}
  > event backfill_started g/a first=01-01T01:00:00 last=01-01T04:00:00 count=4 b
  > result backfill applied matched=1 changed=1

story: a new job's fires come after it was added, whatever its delay
begins 2026-01-01T00:00:30Z
at 00:00:40
    {"op": "add", "dry_run": true,
     "job": {"group": "g", "id": "a", "jitter": "1h",
             "schedule": {"cron": "0 0 * * *", "zone": "UTC"}}}
  > result add applied matched=1 changed=1
  >   add g/a +6 -0 before: after: 01-02 01-03 01-04 01-05 01-06
at 00:00:40 add g/a {"jitter": "1h", "schedule": {"cron": "0 0 * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
now 2026-01-01T23:59:59Z
now 2026-01-02T01:00:00Z
  > fire g/a 01-02T00:00:00 catchup
