# Jobs that are added with the incarnation they had elsewhere: nothing that was due before is fired.
# How to read this: README.md.
begins 2026-01-01T00:00:30Z

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
  > fire g/a 01-01T02:00:00 schedule

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
  > fire g/a 01-01T01:00:01 schedule
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
