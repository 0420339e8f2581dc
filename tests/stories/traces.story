# Which trace a fire is part of.
# How to read this: README.md.

story: a job keeps its trace, and its fires carry it
at 00:00:00 add g/a {"schedule": {"every": "1h"},
  "traceparent": "00-11111111111111111111111111111111-1111111111111111-01"}
  > result add applied matched=1 changed=1
record g/a has "traceparent":"00-11111111111111111111111111111111-1111111111111111-01"
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule trace=00-11111111111111111111111111111111-1111111111111111-01
at 01:30:00 update g {"payload": 1}
  > result update applied matched=1 changed=1
now 02:00:00
  > fire g/a 01-01T02:00:00 schedule trace=00-11111111111111111111111111111111-1111111111111111-01
at 02:30:00 update g {"traceparent": "00-22222222222222222222222222222222-2222222222222222-01"}
  > result update applied matched=1 changed=1
now 03:00:00
  > fire g/a 01-01T03:00:00 schedule trace=00-22222222222222222222222222222222-2222222222222222-01
at 03:30:00 update g {"traceparent": null}
  > result update applied matched=1 changed=1
record g/a lacks "traceparent"
now 04:00:00
  > fire g/a 01-01T04:00:00 schedule

story: a put without a trace takes it away
at 00:00:00 add g/a {"schedule": {"every": "1h"},
  "traceparent": "00-11111111111111111111111111111111-1111111111111111-01"}
  > result add applied matched=1 changed=1
at 00:10:00 put g/a {"schedule": {"every": "1h"},
  "traceparent": "00-11111111111111111111111111111111-1111111111111111-01"}
  > result put unchanged matched=1 changed=0
at 00:20:00 put g/a {"schedule": {"every": "1h"}}
  > result put applied matched=1 changed=1
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule

story: the trace of a trigger is that of its fire, and of no other
at 00:00:00 add g/a {"schedule": {"every": "1h"},
  "traceparent": "00-11111111111111111111111111111111-1111111111111111-01"}
  > result add applied matched=1 changed=1
at 00:00:00 add g/b {"schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
at 00:30:00 {"op": "trigger", "select": {"groups": ["g"]},
  "traceparent": "00-22222222222222222222222222222222-2222222222222222-01"}
  > fire g/a 01-01T00:30:00 trigger trace=00-22222222222222222222222222222222-2222222222222222-01
  > fire g/b 01-01T00:30:00 trigger trace=00-22222222222222222222222222222222-2222222222222222-01
  > result trigger applied matched=2 changed=2
at 00:40:00 {"op": "trigger", "select": {"groups": ["g"]}}
  > fire g/a 01-01T00:40:00 trigger trace=00-11111111111111111111111111111111-1111111111111111-01
  > fire g/b 01-01T00:40:00 trigger
  > result trigger applied matched=2 changed=2
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule trace=00-11111111111111111111111111111111-1111111111111111-01
  > fire g/b 01-01T01:00:00 schedule

story: the trace of another command is not the job's
at 00:00:00 {"op": "add",
  "traceparent": "00-22222222222222222222222222222222-2222222222222222-01", "job": {"group": "g",
  "id": "a", "schedule": {"cron": "0 * * * *"}}}
  > result add applied matched=1 changed=1
record g/a lacks "traceparent"
at 00:30:00 {"op": "backfill", "select": {"groups": ["g"]},
  "traceparent": "00-22222222222222222222222222222222-2222222222222222-01",
  "from": "2025-12-31T22:30:00Z", "to": "2025-12-31T23:30:00Z", "backfill_id": "b"}
  > event backfill_started g/a first=12-31T23:00:00 last=12-31T23:00:00 count=1 b
  > result backfill applied matched=1 changed=1
now 00:30:01
  > fire g/a 12-31T23:00:00 backfill
  > event backfill_finished g/a count=1 b
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule
