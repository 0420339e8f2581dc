# Fires that could not be produced: what is owed again, in which order, and until when.
# How to read this: README.md.

story: a fire that fails is owed again, and the next one waits behind it
at 00:00:00 add g/a {"schedule": {"every": "10s"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
failing 1
record g/a has "failing"
restart
now 00:00:20
at 00:00:20 retry
  > fire g/a 01-01T00:00:10 retry attempt=2
now 00:00:21
  > fire g/a 01-01T00:00:20 catchup
now 00:00:30
  > fire g/a 01-01T00:00:30 schedule

story: a fire of a backfill that fails is tried again, and nothing is lost
not restarted: a restart forgets how long a backfill waits
at 00:00:00 add g/a {"schedule": {"cron": "0 * * * *"}}
  > result add applied matched=1 changed=1
at 00:00:01 backfill g
    {"backfill_id": "b", "from": "2025-12-31T21:00:00Z", "to": "2025-12-31T23:00:00Z"}
  > event backfill_started g/a first=12-31T22:00:00 last=12-31T23:00:00 count=2 b
  > result backfill applied matched=1 changed=1
at 00:00:02 lane
  > fire g/a 12-31T22:00:00 backfill
at 00:00:02 failed g/a 2025-12-31T22:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T22:00:00 last=12-31T22:00:00 count=1 b topic_missing
at 00:00:02.999 retry
  > nothing is tried
at 00:00:03 retry
  > fire g/a 12-31T22:00:00 backfill attempt=2
restart
now 00:00:05
  > fire g/a 12-31T23:00:00 backfill
  > event backfill_finished g/a count=2 b

story: a trigger is not owed
at 00:00:00 add g/a {"schedule": {"every": "10s"}}
  > result add applied matched=1 changed=1
at 00:00:05 failed g/a 00:00:05 trigger
  > event fire_failed g/a first=01-01T00:00:05 last=01-01T00:00:05 count=1 topic_missing
failing 0
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule

# Failures are reported newest first; the oldest slot is tried first.
story: several fires of one transaction fail
at 00:00:00 add g/a {"schedule": {"every": "10s"}}
  > result add applied matched=1 changed=1
now 00:00:30
  > fire g/a 01-01T00:00:10 schedule
  > fire g/a 01-01T00:00:20 schedule
  > fire g/a 01-01T00:00:30 schedule
at 00:00:30 failed g/a 00:00:30 schedule
  > event fire_failed g/a first=01-01T00:00:30 last=01-01T00:00:30 count=1 topic_missing
at 00:00:30 failed g/a 00:00:20 schedule
  > event fire_failed g/a first=01-01T00:00:20 last=01-01T00:00:20 count=1 topic_missing
at 00:00:30 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
failing 1
record g/a has "owed":[{"from":"2026-01-01T00:00:09.999Z","to":"2026-01-01T00:00:30.000Z"}]
at 00:00:30.999 retry
  > nothing is tried
at 00:00:31 retry
  > fire g/a 01-01T00:00:10 retry attempt=2
failing 0
now 00:00:32
  > fire g/a 01-01T00:00:20 catchup
  > fire g/a 01-01T00:00:30 catchup
now 00:00:40
  > fire g/a 01-01T00:00:40 schedule

story: a second failure waits longer
at 00:00:00 add g/a {"schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule
at 01:00:00 failed g/a 01:00:00 schedule
  > event fire_failed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing
at 01:00:01 retry
  > fire g/a 01-01T01:00:00 retry attempt=2
at 01:00:01 failed g/a 01:00:00 retry attempt=2
  > event fire_failed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing
at 01:00:02 retry
  > nothing is tried
at 01:00:03 retry
  > fire g/a 01-01T01:00:00 retry attempt=3

# Two alarms for one job: only that of the last failure counts.
story: an earlier alarm is no retry
at 00:00:00 add g/a {"schedule": {"every": "10s"}}
  > result add applied matched=1 changed=1
now 00:00:20
  > fire g/a 01-01T00:00:10 schedule
  > fire g/a 01-01T00:00:20 schedule
at 00:00:20 failed g/a 00:00:20 schedule
  > event fire_failed g/a first=01-01T00:00:20 last=01-01T00:00:20 count=1 topic_missing
at 00:00:20 failed g/a 00:00:10 schedule attempt=3
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:00:23 retry
  > nothing is tried
at 00:00:24 retry
  > fire g/a 01-01T00:00:10 retry attempt=4

story: a finished job runs again
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "max_fires": 2}
  > result add applied matched=1 changed=1
now 00:00:20
  > fire g/a 01-01T00:00:10 schedule
  > fire g/a 01-01T00:00:20 schedule
  > event exhausted g/a
at 00:00:20 failed g/a 00:00:20 schedule
  > event fire_failed g/a first=01-01T00:00:20 last=01-01T00:00:20 count=1 topic_missing
at 00:00:21 retry
  > fire g/a 01-01T00:00:20 retry attempt=2
  > event exhausted g/a
now 00:01:00

# What was not delivered does not count towards max_fires.
story: a failed fire is not counted
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "max_fires": 2}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:00:11 retry
  > fire g/a 01-01T00:00:10 retry attempt=2
now 00:00:40
  > fire g/a 01-01T00:00:20 schedule
  > event exhausted g/a

story: what left the window is given up
at 00:00:00 add g/a
    {"schedule": {"every": "10s"}, "end": "2026-01-01T00:00:15Z",
     "catchup": {"policy": "all", "window": "1m"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
  > event exhausted g/a
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:02:00 retry
  > event missed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 undeliverable
  > event exhausted g/a
failing 0

story: a range is given up with one event
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "catchup": {"policy": "all", "window": "1m"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
now 00:00:20 00:00:30 00:00:40 00:00:50 00:01:00 00:01:10 00:01:20 00:01:30 00:01:40 00:01:50
now 00:02:00 00:02:10 00:02:20 00:02:30 00:02:40 00:02:50 00:03:00 00:03:10 00:03:20 00:03:30
now 00:03:40 00:03:50 00:04:00 00:04:10 00:04:20 00:04:30 00:04:40 00:04:50 00:05:00
at 00:06:00 retry
  > event missed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 undeliverable
  > event missed g/a first=01-01T00:00:20 last=01-01T00:04:50 count=28 undeliverable
  > fire g/a 01-01T00:05:00 retry

story: what is not late is not given up
at 00:00:00 add g/a
    {"schedule": {"every": "10s"},
     "catchup": {"policy": "all", "window": "1s", "misfire_grace": "5m"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:00:19 retry
  > fire g/a 01-01T00:00:10 retry attempt=2

story: a paused job is not retried
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:00:10.5 pause *
  > result pause applied matched=1 changed=1
at 00:00:15 retry
  > nothing is tried
at 00:00:35 resume *
  > event resumed g/a from=01-01T00:00:10 to=01-01T00:00:35
  > result resume applied matched=1 changed=1
at 00:00:36 retry
  > fire g/a 01-01T00:00:10 retry attempt=2

story: a fire fails that is of the transaction of its pause
at 00:00:00 add g/a {"schedule": {"every": "10s"}}
  > result add applied matched=1 changed=1
at 00:00:10 pause *
  > fire g/a 01-01T00:00:10 schedule
  > result pause applied matched=1 changed=1
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
restart
at 00:00:11 retry
  > nothing is tried
at 00:00:25 resume *
  > event resumed g/a from=01-01T00:00:10 to=01-01T00:00:25
  > result resume applied matched=1 changed=1
at 00:00:25 retry
  > fire g/a 01-01T00:00:10 retry attempt=2
now 00:00:30
  > fire g/a 01-01T00:00:30 schedule

story: a deleted job is not retried
at 00:00:00 add g/a {"schedule": {"every": "10s"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:00:10.5 delete *
  > event skipped g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 deleted
  > gone g/a
  > result delete applied matched=1 changed=1
at 00:01:00 retry
  > nothing is tried

# Seventeen failures that do not join: the last one has no room, and that is said.
story: too many failures to be owed
at 00:00:00 add g/a {"schedule": {"every": "1s"}}
  > result add applied matched=1 changed=1
now 00:00:20
  > fire g/a 01-01T00:00:01 schedule
  > fire g/a 01-01T00:00:02 schedule
  > fire g/a 01-01T00:00:03 schedule
  > fire g/a 01-01T00:00:04 schedule
  > fire g/a 01-01T00:00:05 schedule
  > fire g/a 01-01T00:00:06 schedule
  > fire g/a 01-01T00:00:07 schedule
  > fire g/a 01-01T00:00:08 schedule
  > fire g/a 01-01T00:00:09 schedule
  > fire g/a 01-01T00:00:10 schedule
  > fire g/a 01-01T00:00:11 schedule
  > fire g/a 01-01T00:00:12 schedule
  > fire g/a 01-01T00:00:13 schedule
  > fire g/a 01-01T00:00:14 schedule
  > fire g/a 01-01T00:00:15 schedule
  > fire g/a 01-01T00:00:16 schedule
  > fire g/a 01-01T00:00:17 schedule
  > fire g/a 01-01T00:00:18 schedule
  > fire g/a 01-01T00:00:19 schedule
  > fire g/a 01-01T00:00:20 schedule
at 00:00:20 failed g/a 00:00:01 schedule
  > event fire_failed g/a first=01-01T00:00:01 last=01-01T00:00:01 count=1 topic_missing
at 00:00:20 failed g/a 00:00:02 schedule
  > event fire_failed g/a first=01-01T00:00:02 last=01-01T00:00:02 count=1 topic_missing
at 00:00:20 failed g/a 00:00:03 schedule
  > event fire_failed g/a first=01-01T00:00:03 last=01-01T00:00:03 count=1 topic_missing
at 00:00:20 failed g/a 00:00:04 schedule
  > event fire_failed g/a first=01-01T00:00:04 last=01-01T00:00:04 count=1 topic_missing
at 00:00:20 failed g/a 00:00:05 schedule
  > event fire_failed g/a first=01-01T00:00:05 last=01-01T00:00:05 count=1 topic_missing
at 00:00:20 failed g/a 00:00:06 schedule
  > event fire_failed g/a first=01-01T00:00:06 last=01-01T00:00:06 count=1 topic_missing
at 00:00:20 failed g/a 00:00:07 schedule
  > event fire_failed g/a first=01-01T00:00:07 last=01-01T00:00:07 count=1 topic_missing
at 00:00:20 failed g/a 00:00:08 schedule
  > event fire_failed g/a first=01-01T00:00:08 last=01-01T00:00:08 count=1 topic_missing
at 00:00:20 failed g/a 00:00:09 schedule
  > event fire_failed g/a first=01-01T00:00:09 last=01-01T00:00:09 count=1 topic_missing
at 00:00:20 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:00:20 failed g/a 00:00:11 schedule
  > event fire_failed g/a first=01-01T00:00:11 last=01-01T00:00:11 count=1 topic_missing
at 00:00:20 failed g/a 00:00:12 schedule
  > event fire_failed g/a first=01-01T00:00:12 last=01-01T00:00:12 count=1 topic_missing
at 00:00:20 failed g/a 00:00:13 schedule
  > event fire_failed g/a first=01-01T00:00:13 last=01-01T00:00:13 count=1 topic_missing
at 00:00:20 failed g/a 00:00:14 schedule
  > event fire_failed g/a first=01-01T00:00:14 last=01-01T00:00:14 count=1 topic_missing
at 00:00:20 failed g/a 00:00:15 schedule
  > event fire_failed g/a first=01-01T00:00:15 last=01-01T00:00:15 count=1 topic_missing
at 00:00:20 failed g/a 00:00:16 schedule
  > event fire_failed g/a first=01-01T00:00:16 last=01-01T00:00:16 count=1 topic_missing
at 00:00:20 failed g/a 00:00:17 schedule
  > event fire_failed g/a first=01-01T00:00:17 last=01-01T00:00:17 count=1 topic_missing
  > event missed g/a first=01-01T00:00:17 last=01-01T00:00:17 count=1 undeliverable

# Owed under the schedule before an edit: the slot goes back to that schedule's range.
story: a fire of an earlier schedule fails
transactions of 1
at 00:00:00 add g/a {"schedule": {"every": "1h"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 02:30:00 now 02:31:00 update g {"schedule": {"every": "25m"}}
  > event catchup_started g/a count=2
  > result update applied matched=1 changed=1
at 02:31:00 lane
  > fire g/a 01-01T01:00:00 catchup
at 02:31:00 failed g/a 01:00:00 catchup
  > event fire_failed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing
record g/a has "owed":[{"from":"2026-01-01T00:59:59.999Z","to":"2026-01-01T02:00:00.000Z",
at 02:31:01 retry
  > fire g/a 01-01T01:00:00 retry attempt=2
now 02:31:02
  > fire g/a 01-01T02:00:00 catchup
  > event catchup_finished g/a count=2

# The slots from the oldest failed one on go out again, once the wait is over.
story: a backfill goes back
not restarted: a restart forgets how long a backfill waits
not cut: two of its fires are of one transaction
at 00:00:00 add g/a {"schedule": {"cron": "0 * * * *"}}
  > result add applied matched=1 changed=1
at 00:00:01 backfill *
    {"backfill_id": "b", "rate": 1000, "from": "2025-12-31T20:30:00Z", "to": "2025-12-31T23:30:00Z"}
  > event backfill_started g/a first=12-31T21:00:00 last=12-31T23:00:00 count=3 b
  > result backfill applied matched=1 changed=1
at 00:00:01 lane
  > fire g/a 12-31T21:00:00 backfill
at 00:00:01.1 lane
  > fire g/a 12-31T22:00:00 backfill
  > fire g/a 12-31T23:00:00 backfill
at 00:00:01.1 failed g/a 2025-12-31T22:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T22:00:00 last=12-31T22:00:00 count=1 b topic_missing
at 00:00:01.2 failed g/a 2025-12-31T23:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T23:00:00 last=12-31T23:00:00 count=1 b topic_missing
at 00:00:01.5 lane
at 00:00:02.1 retry
  > fire g/a 12-31T22:00:00 backfill attempt=2
at 00:00:09 retry
  > nothing is tried
now 00:00:10
  > fire g/a 12-31T23:00:00 backfill
  > event backfill_finished g/a count=3 b

# The slots from the oldest failed one on go out again, once the wait is over.
story: a backfill goes back, and a restart forgets its wait
not restarted: with each restart the lane may fire less at once
not cut: two of its fires are of one transaction
at 00:00:00 add g/a {"schedule": {"cron": "0 * * * *"}}
  > result add applied matched=1 changed=1
at 00:00:01 backfill *
    {"backfill_id": "b", "rate": 1000, "from": "2025-12-31T20:30:00Z", "to": "2025-12-31T23:30:00Z"}
  > event backfill_started g/a first=12-31T21:00:00 last=12-31T23:00:00 count=3 b
  > result backfill applied matched=1 changed=1
at 00:00:01 lane
  > fire g/a 12-31T21:00:00 backfill
at 00:00:01.1 lane
  > fire g/a 12-31T22:00:00 backfill
  > fire g/a 12-31T23:00:00 backfill
at 00:00:01.1 failed g/a 2025-12-31T22:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T22:00:00 last=12-31T22:00:00 count=1 b topic_missing
at 00:00:01.2 failed g/a 2025-12-31T23:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T23:00:00 last=12-31T23:00:00 count=1 b topic_missing
restart
now 00:00:10
  > fire g/a 12-31T22:00:00 backfill
  > fire g/a 12-31T23:00:00 backfill
  > event backfill_finished g/a count=3 b

story: a cancelled backfill stays cancelled
not restarted: a restart forgets how long a backfill waits
not cut: two of its fires are of one transaction
at 00:00:00 add g/a {"schedule": {"cron": "0 * * * *"}}
  > result add applied matched=1 changed=1
at 00:00:01 backfill *
    {"backfill_id": "b", "rate": 1000, "from": "2025-12-31T20:30:00Z", "to": "2025-12-31T23:30:00Z"}
  > event backfill_started g/a first=12-31T21:00:00 last=12-31T23:00:00 count=3 b
  > result backfill applied matched=1 changed=1
at 00:00:01 lane
  > fire g/a 12-31T21:00:00 backfill
at 00:00:01.1 lane
  > fire g/a 12-31T22:00:00 backfill
  > fire g/a 12-31T23:00:00 backfill
at 00:00:01.1 failed g/a 2025-12-31T22:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T22:00:00 last=12-31T22:00:00 count=1 b topic_missing
at 00:00:01.5 cancel_backfill * {"backfill_id": "b"}
  > event skipped g/a first=12-31T22:00:00 last=12-31T23:00:00 count=2 b cancelled
  > result cancel_backfill applied matched=1 changed=1
at 00:00:02 retry
  > nothing is tried
at 00:00:02 failed g/a 2025-12-31T22:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T22:00:00 last=12-31T22:00:00 count=1 b topic_missing
at 00:00:09 retry
  > nothing is tried

story: a paused backfill is not retried
not restarted: a restart forgets how long a backfill waits
not cut: two of its fires are of one transaction
at 00:00:00 add g/a {"schedule": {"cron": "0 * * * *"}}
  > result add applied matched=1 changed=1
at 00:00:01 backfill *
    {"backfill_id": "b", "rate": 1000, "from": "2025-12-31T20:30:00Z", "to": "2025-12-31T23:30:00Z"}
  > event backfill_started g/a first=12-31T21:00:00 last=12-31T23:00:00 count=3 b
  > result backfill applied matched=1 changed=1
at 00:00:01 lane
  > fire g/a 12-31T21:00:00 backfill
at 00:00:01.1 lane
  > fire g/a 12-31T22:00:00 backfill
  > fire g/a 12-31T23:00:00 backfill
at 00:00:01.1 failed g/a 2025-12-31T22:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T22:00:00 last=12-31T22:00:00 count=1 b topic_missing
at 00:00:01.5 pause *
  > result pause applied matched=1 changed=1
at 00:00:09 retry
  > nothing is tried
at 00:00:10 resume *
  > event resumed g/a from=01-01T00:00:01 to=01-01T00:00:10
  > result resume applied matched=1 changed=1
now 00:00:11
  > fire g/a 12-31T22:00:00 backfill attempt=2
  > fire g/a 12-31T23:00:00 backfill
  > event backfill_finished g/a count=4 b

# The last fire that max_fires allows fails twice, and is given up outside the window: the slots
# that came due meanwhile were waiting behind it, and one of them is the last now.
story: a given up last fire makes room
allows topics
at 00:00:00 add g/a
    {"schedule": {"every": "10s"}, "catchup": {"window": "15s", "misfire_grace": "5s"},
     "max_fires": 1, "topic": "mail"}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
  > event exhausted g/a
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
now 00:00:22
at 00:00:22 retry
  > fire g/a 01-01T00:00:10 retry attempt=2
  > event exhausted g/a
at 00:00:22 failed g/a 00:00:10 schedule attempt=2
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
now 00:00:31
at 00:00:31 retry
  > event missed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 undeliverable
  > fire g/a 01-01T00:00:20 retry
  > event exhausted g/a
now 00:01:00

# The same where nothing came due meanwhile: the next slot is live again.
story: after a given up last fire slots are live
allows topics
at 00:00:00 add g/a
    {"schedule": {"every": "10s"}, "catchup": {"window": "5s", "misfire_grace": "2s"},
     "max_fires": 1, "topic": "mail"}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
  > event exhausted g/a
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
now 00:00:16
at 00:00:16 retry
  > event missed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 undeliverable
now 00:00:20
  > fire g/a 01-01T00:00:20 schedule
  > event exhausted g/a

# A fire that did not count towards max_fires takes nothing from the count when it fails.
story: an uncounted fire fails
allows topics
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "max_fires": 2, "topic": "mail"}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:11 put g/a {"topic": "mail", "schedule": {"every": "10s"}}
  > result put applied matched=1 changed=1
now 00:00:20
  > fire g/a 01-01T00:00:20 schedule
at 00:00:20 failed g/a 00:00:20 schedule
  > event fire_failed g/a first=01-01T00:00:20 last=01-01T00:00:20 count=1 topic_missing
at 00:00:21 update g {"max_fires": 1}
  > event skipped g/a first=01-01T00:00:20 last=01-01T00:00:20 count=1 updated
  > event exhausted g/a
  > result update applied matched=1 changed=1

story: nothing is tried while the topic takes nothing
begins 2026-01-01T00:00:01Z
not restarted: a restart forgets how often it was asked in vain
at 00:00:01 add g/a {"schedule": {"every": "10s", "anchor": "epoch"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:00:11 retry later
  > nothing is tried
at 00:00:11.999 retry
  > nothing is tried
at 00:00:12 retry later
  > nothing is tried
at 00:00:13.999 retry
  > nothing is tried
at 00:00:14 retry
  > fire g/a 01-01T00:00:10 retry attempt=2

story: a retry that is to be alone is asked for again
begins 2026-01-01T00:00:01Z
at 00:00:01 add g/a {"schedule": {"every": "10s", "anchor": "epoch"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:00:11 retry alone
at 00:00:11 retry
  > fire g/a 01-01T00:00:10 retry attempt=2

story: what is too old, while the topic takes nothing, is given up
begins 2026-01-01T00:00:01Z
at 00:00:01 add g/a
    {"schedule": {"every": "10s", "anchor": "epoch"},
     "catchup": {"window": "1m", "misfire_grace": "0s"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 topic_missing
at 00:01:10 retry later
  > nothing is tried
at 00:03:00 retry later
  > event missed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 undeliverable
  > nothing is tried

story: a backfill waits for its topic as well
begins 2026-01-01T00:00:01Z
not restarted: a restart forgets how long a backfill waits
at 00:00:01 add g/a {"schedule": {"cron": "0 0 * * *"}}
  > result add applied matched=1 changed=1
at 00:00:02 backfill g
    {"backfill_id": "b", "from": "2025-12-30T12:00:00Z", "to": "2026-01-01T00:00:01Z"}
  > event backfill_started g/a first=12-31T00:00:00 last=01-01T00:00:00 count=2 b
  > result backfill applied matched=1 changed=1
at 2025-12-31T00:00:00Z failed g/a 2025-12-31T00:00:00Z backfill backfill=b
  > event fire_failed g/a first=12-31T00:00:00 last=12-31T00:00:00 count=1 b topic_missing
at 00:00:04 retry later
  > nothing is tried
at 00:00:04.999 retry
  > nothing is tried
at 00:00:05 retry
  > fire g/a 12-31T00:00:00 backfill attempt=2
