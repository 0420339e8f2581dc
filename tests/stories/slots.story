# When jobs fire: cron, intervals, one-shots, bounds, triggers.
# How to read this: README.md.

story: a cron job fires at its instants and not at its add
at 00:05:00 add g/a {"schedule": {"cron": "*/5 * * * *"}}
  > result add applied matched=1 changed=1
now 00:10:00
  > fire g/a 01-01T00:10:00 schedule
now 00:14:59
now 00:15:01
  > fire g/a 01-01T00:15:00 schedule

story: an interval starts at the add's effective time
at 00:00:07 add g/a {"schedule": {"every": "10s"}}
  > result add applied matched=1 changed=1
now 00:00:27
  > fire g/a 01-01T00:00:17 schedule
  > fire g/a 01-01T00:00:27 schedule

story: jobs due at one instant fire in the order of their adds
at 00:00:01 add z/1 {"schedule": {"cron": "* * * * *"}}
  > result add applied matched=1 changed=1
at 00:00:02 add a/2 {"schedule": {"cron": "0-59 * * * *"}}
  > result add applied matched=1 changed=1
at 00:00:03 add m/3 {"schedule": {"cron": "* * * * *"}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire z/1 01-01T00:01:00 schedule
  > fire a/2 01-01T00:01:00 schedule
  > fire m/3 01-01T00:01:00 schedule

story: start, end and max_fires bound the slots
at 00:00:00 add g/a
    {"schedule": {"cron": "* * * * *"}, "start": "2026-01-01T00:02:00Z",
     "end": "2026-01-01T00:05:00Z"}
  > result add applied matched=1 changed=1
at 00:00:00 add g/b {"schedule": {"cron": "* * * * *"}, "max_fires": 2}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/b 01-01T00:01:00 schedule
now 00:02:00
  > fire g/a 01-01T00:02:00 schedule
  > fire g/b 01-01T00:02:00 schedule
  > event exhausted g/b
now 00:03:00
  > fire g/a 01-01T00:03:00 schedule
now 00:04:00
  > fire g/a 01-01T00:04:00 schedule
  > event exhausted g/a

story: a trigger fires now, also a paused job, and counts for nothing
at 00:00:00 add g/a {"paused": true, "schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
at 00:00:10 trigger g
  > fire g/a 01-01T00:00:10 trigger
  > result trigger applied matched=1 changed=1

story: a one-shot fires once and is kept finished for a day
at 00:00:00 add g/a {"schedule": {"at": "2026-01-01T00:00:30Z"}}
  > result add applied matched=1 changed=1
now 00:00:30
  > fire g/a 01-01T00:00:30 schedule
  > event exhausted g/a
now 2026-01-02T00:00:29Z
now 2026-01-02T00:00:31Z
  > gone g/a

story: keep_finished 0s: gone at once
at 00:00:00 add g/a {"keep_finished": "0s", "schedule": {"at": "2026-01-01T00:00:30Z"}}
  > result add applied matched=1 changed=1
now 00:00:30
  > fire g/a 01-01T00:00:30 schedule
  > event exhausted g/a
  > gone g/a

story: a one-shot in the past, inside the window: caught up at once
at 00:00:00 add g/a {"schedule": {"at": "2025-12-31T20:00:00Z"}}
  > result add applied matched=1 changed=1
now 00:00:01
  > fire g/a 12-31T20:00:00 catchup
  > event exhausted g/a

story: a one-shot in the past, outside the window: missed
at 00:00:00 add g/a {"schedule": {"at": "2025-12-30T20:00:00Z"}}
  > event missed g/a first=12-30T20:00:00 last=12-30T20:00:00 count=1 window
  > event exhausted g/a
  > result add applied matched=1 changed=1

# Of g/a, H is 19 o'clock.
story: a new job with H is asked whether it ever fires at the hour it has
at 00:00:00 add g/a
    {"schedule": {"cron": "0 H * * *", "zone": "UTC"},
     "start": "2026-01-01T19:00:00Z", "end": "2026-01-01T19:00:01Z"}
  > result add applied matched=1 changed=1
now 19:00:00
  > fire g/a 01-01T19:00:00 schedule
  > event exhausted g/a
at 19:00:01 put g/a
    {"schedule": {"cron": "0 H * * *", "zone": "UTC"},
     "start": "2026-01-02T10:00:00Z", "end": "2026-01-02T10:00:01Z"}
  > result put rejected never_fires matched=1 changed=0
  >   /job/schedule never_fires
