# Jobs that are added with the incarnation they had elsewhere: their ids stay the same, and
# nothing that was due before is fired.
# How to read this: README.md.
begins 2026-01-01T00:00:30Z
tells ids

story: ids and record go on
at 01:01:00 add g/a
    {"schedule": {"every": "1h", "anchor": "epoch"}, "incarnation": "1735689600000-3.10422.7"}
  > result add applied matched=1 changed=1
record g/a has "incarnation":"1735689600000-3.10422.7"
record g/a has "created_at":"2025-01-01T00:00:00.000Z"
record g/a has "updated_at":"2026-01-01T01:01:00.000Z"
restart
now 02:00:00
  > fire g/a 01-01T02:00:00 schedule 1735689600000-3.10422.7@1767232800000

# The pause of a job that comes paused begins with the add, not with its life.
story: a job that comes paused is paused from now on
at 01:01:00 add g/a
    {"schedule": {"every": "1h", "anchor": "epoch"}, "incarnation": "1735689600000-3.10422.7",
     "paused": true}
  > result add applied matched=1 changed=1
record g/a has "paused_at":"2026-01-01T01:01:00.000Z"

story: the slot under way belongs to who had the job
at 01:00:01 add g/a
    {"schedule": {"every": "1h", "anchor": "epoch"}, "incarnation": "1735689600000-3.0.7",
     "jitter": "10m"}
  > result add applied matched=1 changed=1
now 01:02:00
restart
now 02:03:31.004
now 02:03:31.005
  > fire g/a 01-01T02:00:00 schedule 1735689600000-3.0.7@1767232800000

# The life it goes on with may have fired it.
story: a one-shot that was due is not fired
at 01:00:00 add g/a
    {"schedule": {"at": "2026-01-01T01:00:00.000Z"}, "incarnation": "1735689600000-3.10422.7"}
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 already_due
  > event exhausted g/a
  > result add applied matched=1 changed=1
at 01:00:01 delete *
  > gone g/a
  > result delete applied matched=1 changed=1
at 01:00:02 add g/a
    {"schedule": {"at": "2026-01-01T00:59:59.999Z"}, "incarnation": "1735689600000-3.10422.7",
     "paused": true, "jitter": "10m"}
  > event skipped g/a first=01-01T00:59:59 last=01-01T00:59:59 count=1 already_due
  > result add applied matched=1 changed=1
now 01:00:03
at 01:00:04 resume * {"from": "paused_at"}
  > event resumed g/a from=01-01T01:00:02 to=01-01T01:00:02
  > event exhausted g/a
  > result resume applied matched=1 changed=1
now 03:00:00

story: a one-shot that is to come fires
at 01:00:00 add g/a
    {"schedule": {"at": "2026-01-01T01:00:01.000Z"}, "incarnation": "1735689600000-3.10422.7"}
  > result add applied matched=1 changed=1
now 01:00:01
  > fire g/a 01-01T01:00:01 schedule 1735689600000-3.10422.7@1767229201000
  > event exhausted g/a

# An update to a time before the import: it may have been fired, too.
story: an update does not reach behind the import
at 01:01:00 add g/a
    {"schedule": {"every": "1h", "anchor": "epoch"}, "incarnation": "1735689600000-3.10422.7"}
  > result add applied matched=1 changed=1
restart
at 01:02:00 update * {"schedule": {"at": "2026-01-01T01:00:30Z"}}
  > event skipped g/a first=01-01T01:00:30 last=01-01T01:00:30 count=1 already_due
  > event exhausted g/a
  > result update applied matched=1 changed=1

# Deleted and imported again: the backfill has its old name, and its fire another id.
story: backfills of two lives have other ids
at 01:01:00 add g/a
    {"schedule": {"every": "1h", "anchor": "epoch"}, "incarnation": "1735689600000-3.10422.7"}
  > result add applied matched=1 changed=1
at 01:02:00 backfill *
    {"backfill_id": "x", "from": "2025-12-31T23:59:59Z", "to": "2026-01-01T00:00:00Z"}
  > event backfill_started g/a first=01-01T00:00:00 last=01-01T00:00:00 count=1 x
  > result backfill applied matched=1 changed=1
now 01:03:00
  > fire g/a 01-01T00:00:00 backfill 1735689600000-3.10422.7@i:1767229260000-0.0.0:x:1767225600000
  > event backfill_finished g/a count=1 x
at 01:04:00 delete *
  > gone g/a
  > result delete applied matched=1 changed=1
at 01:04:00 add g/a
    {"schedule": {"every": "1h", "anchor": "epoch"}, "incarnation": "1735689600000-3.10422.7"}
  > result add applied matched=1 changed=1
restart
at 01:05:00 backfill *
    {"backfill_id": "x", "from": "2025-12-31T23:59:59Z", "to": "2026-01-01T00:00:00Z"}
  > event backfill_started g/a first=01-01T00:00:00 last=01-01T00:00:00 count=1 x
  > result backfill applied matched=1 changed=1
now 01:06:00
  > fire g/a 01-01T00:00:00 backfill 1735689600000-3.10422.7@i:1767229440000-0.3.0:x:1767225600000
  > event backfill_finished g/a count=1 x

story: an id of a backfill is taken once
at 01:01:00 add g/a
    {"schedule": {"every": "1h", "anchor": "epoch"}, "incarnation": "1735689600000-3.10422.7"}
  > result add applied matched=1 changed=1
at 01:02:00 backfill *
    {"backfill_id": "x", "from": "2025-12-31T23:59:59Z", "to": "2026-01-01T00:00:00Z"}
  > event backfill_started g/a first=01-01T00:00:00 last=01-01T00:00:00 count=1 x
  > result backfill applied matched=1 changed=1
now 01:03:00
  > fire g/a 01-01T00:00:00 backfill 1735689600000-3.10422.7@i:1767229260000-0.0.0:x:1767225600000
  > event backfill_finished g/a count=1 x
restart
at 01:04:00 backfill * {"backfill_id": "x", "from": "2025-12-31T22:59:59Z"}
  > result backfill conflict exists matched=1 changed=0
  >   /backfill_id exists
record g/a has "backfills_had":"
