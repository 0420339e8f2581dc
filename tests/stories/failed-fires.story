# Fires that could not be produced: what is owed again, in which order, and until when.
# How to read this: README.md.

story: a fire that fails is owed again, and the next one waits behind it
at 00:00:00 add g/a {"schedule": {"every": "10s"}}
  > result add applied matched=1 changed=1
now 00:00:10
  > fire g/a 01-01T00:00:10 schedule
at 00:00:10 failed g/a 00:00:10 schedule
  > event fire_failed g/a first=01-01T00:00:10 last=01-01T00:00:10 count=1 test
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
  > event fire_failed g/a first=12-31T22:00:00 last=12-31T22:00:00 count=1 b test
at 00:00:02.999 retry
  > nothing is tried
at 00:00:03 retry
  > fire g/a 12-31T22:00:00 backfill attempt=2
restart
now 00:00:05
  > fire g/a 12-31T23:00:00 backfill
  > event backfill_finished g/a count=2 b
