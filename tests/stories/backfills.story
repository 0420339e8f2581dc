# Past ranges that are fired again.
# How to read this: README.md.

story: a past range is fired again, under its own ids, beside the job's own slots
at 00:00:00 add g/a {"schedule": {"cron": "0 * * * *"}}
  > result add applied matched=1 changed=1
at 00:30:00 backfill g
    {"backfill_id": "b1", "from": "2025-12-31T20:00:00Z", "to": "2025-12-31T23:00:00Z"}
  > event backfill_started g/a first=12-31T21:00:00 last=12-31T23:00:00 count=3 b1
  > result backfill applied matched=1 changed=1
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule
  > fire g/a 12-31T21:00:00 backfill
  > fire g/a 12-31T22:00:00 backfill
  > fire g/a 12-31T23:00:00 backfill
  > event backfill_finished g/a count=3 b1

story: a backfill ends when it is told to, and with its job
at 00:00:00 add g/a {"schedule": {"cron": "0 0 * * *"}}
  > result add applied matched=1 changed=1
at 00:30:00 backfill g
    {"backfill_id": "b1", "from": "2025-12-01T00:00:00Z", "to": "2025-12-04T00:00:00Z"}
  > event backfill_started g/a first=12-02T00:00:00 last=12-04T00:00:00 count=3 b1
  > result backfill applied matched=1 changed=1
at 00:30:01 backfill g
    {"backfill_id": "b1", "from": "2025-12-01T00:00:00Z", "to": "2025-12-04T00:00:00Z"}
  > result backfill conflict exists matched=1 changed=0
  >   /backfill_id exists
at 00:30:02 backfill g
    {"backfill_id": "b2", "from": "2025-12-01T12:00:00Z", "to": "2025-12-01T13:00:00Z"}
  > result backfill unchanged matched=1 changed=0
at 00:30:03 backfill g
    {"backfill_id": "b3", "from": "2025-12-10T12:00:00Z", "to": "2025-12-11T13:00:00Z"}
  > event backfill_started g/a first=12-11T00:00:00 last=12-11T00:00:00 count=1 b3
  > result backfill applied matched=1 changed=1
at 00:30:04 cancel_backfill g {"backfill_id": "b1"}
  > event skipped g/a first=12-02T00:00:00 last=12-04T00:00:00 count=3 b1 cancelled
  > result cancel_backfill applied matched=1 changed=1
at 00:30:05 delete g
  > event skipped g/a first=12-11T00:00:00 last=12-11T00:00:00 count=1 b3 deleted
  > gone g/a
  > result delete applied matched=1 changed=1

story: a pause holds a backfill; an edit leaves it as it was opened
at 00:00:00 add g/a {"schedule": {"cron": "0 0 * * *"}}
  > result add applied matched=1 changed=1
at 00:30:00 backfill g
    {"backfill_id": "b", "from": "2025-12-01T00:00:00Z", "to": "2025-12-03T00:00:00Z"}
  > event backfill_started g/a first=12-02T00:00:00 last=12-03T00:00:00 count=2 b
  > result backfill applied matched=1 changed=1
at 00:30:01 pause g
  > result pause applied matched=1 changed=1
at 00:30:02 update g {"schedule": {"every": "7h"}}
  > result update applied matched=1 changed=1
now 01:00:00
at 02:00:00 resume g
  > event resumed g/a from=01-01T00:30:01 to=01-01T02:00:00
  > result resume applied matched=1 changed=1
now 02:00:01
  > fire g/a 12-02T00:00:00 backfill
  > fire g/a 12-03T00:00:00 backfill
  > event backfill_finished g/a count=2 b

story: a backfill is of the past, and of a range
at 00:00:00 add g/a {"schedule": {"cron": "0 0 * * *"}}
  > result add applied matched=1 changed=1
at 00:30:00 backfill g
    {"backfill_id": "b", "from": "2025-12-01T00:00:00Z", "to": "2026-12-03T00:00:00Z"}
  > result backfill rejected bad_value matched=1 changed=0
  >   /to bad_value
at 00:30:00 backfill g
    {"backfill_id": "b", "from": "2025-12-01T00:00:00Z", "to": "2025-12-01T00:00:00Z"}
  > result backfill rejected bad_value matched=0 changed=0
