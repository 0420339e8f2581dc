# What becomes of slots and commands while a run of the job is open: the table of docs/contract.md,
# row by row under the other policies. Reports are about the oldest run of the job with a try out.
# How to read this: README.md.
follows runs

story: allow: slots come due, the run ends
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > fire g/j 01-01T00:02:00 schedule try=1
now 00:03:00
  > fire g/j 01-01T00:03:00 schedule try=1
now 00:04:00
  > fire g/j 01-01T00:04:00 schedule try=1
at 00:04:30 report g/j success
at 00:04:31 report g/j success
now 00:05:00
  > fire g/j 01-01T00:05:00 schedule try=1

story: allow: catch-up
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 00:04:00
  > event catchup_started g/j count=4
  > fire g/j 01-01T00:01:00 catchup try=1
  > fire g/j 01-01T00:02:00 catchup try=1
  > fire g/j 01-01T00:03:00 catchup try=1
  > fire g/j 01-01T00:04:00 catchup try=1
  > event catchup_finished g/j count=4
at 00:04:10 report g/j success
at 00:04:20 report g/j success

story: allow: a backfill beside a run
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
at 00:00:10 trigger g
  > fire g/j 01-01T00:00:10 trigger try=1
  > result trigger applied matched=1 changed=1
at 00:00:20 backfill g {"from": "2025-12-31T21:30:00Z", "rate": 1000, "backfill_id": "b"}
  > event backfill_started g/j first=12-31T22:00:00 last=01-01T00:00:00 count=3 b
  > result backfill applied matched=1 changed=1
  > fire g/j 12-31T22:00:00 backfill try=1
  > fire g/j 12-31T23:00:00 backfill try=1
  > fire g/j 01-01T00:00:00 backfill try=1
  > event backfill_finished g/j count=3 b
at 00:00:30 report g/j success
now 00:00:31
at 00:00:40 report g/j success
now 00:00:41

story: allow: a trigger
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
at 00:01:10 trigger g
  > fire g/j 01-01T00:01:10 trigger try=1
  > result trigger applied matched=1 changed=1
at 00:01:20 trigger g {"overlap": "allow"}
  > fire g/j 01-01T00:01:20 trigger try=1
  > result trigger applied matched=1 changed=1
at 00:01:30 report g/j success

story: allow: a pause
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > fire g/j 01-01T00:02:00 schedule try=1
at 00:02:10 pause g
  > result pause applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:03:00
at 00:04:30 resume g
  > event resumed g/j from=01-01T00:02:10 to=01-01T00:04:30
  > result resume applied matched=1 changed=1
  > fire g/j 01-01T00:01:00 schedule try=2
now 00:04:31

story: allow: an update
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > fire g/j 01-01T00:02:00 schedule try=1
at 00:02:10 update g {"payload": 7}
  > result update applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:02:40
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:02:50 report g/j success

story: allow: a deletion
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > fire g/j 01-01T00:02:00 schedule try=1
at 00:02:10 delete g
  > gone g/j
  > result delete applied matched=1 changed=1
at 00:02:11 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
at 00:02:20 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
now 00:03:00
  > fire g/j 01-01T00:03:00 schedule try=1

story: allow: max_fires
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "max_fires": 2, "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > fire g/j 01-01T00:02:00 schedule try=1
  > event exhausted g/j
at 00:02:10 report g/j failure
now 00:02:30
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:02:40 report g/j success
now 00:03:00
now 00:04:00

story: allow: jitter
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w",
     "jitter": "30m", "catchup": {"misfire_grace": "1h"}}
  > result add applied matched=1 changed=1
at 00:59:00 trigger g
  > fire g/j 01-01T00:59:00 trigger try=1
  > result trigger applied matched=1 changed=1
now 01:00:00
at 01:00:01 report g/j success
now 01:30:00
  > fire g/j 01-01T01:00:00 schedule try=1
at 01:30:01 report g/j success
at 01:59:00 trigger g
  > fire g/j 01-01T01:59:00 trigger try=1
  > result trigger applied matched=1 changed=1
now 02:30:00
  > fire g/j 01-01T02:00:00 schedule try=1
at 02:30:01 report g/j success

story: allow: the end of the job
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "end": "2026-01-01T00:02:30Z", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > fire g/j 01-01T00:02:00 schedule try=1
  > event exhausted g/j
at 00:02:40 report g/j failure
now 00:03:00
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:03:10 report g/j success
now 00:04:00

story: skip: slots come due, the run ends
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
now 00:03:00
now 00:04:00
at 00:04:30 report g/j success
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:04:00 count=3 overlap run=1
now 00:05:00
  > fire g/j 01-01T00:05:00 schedule try=1

story: skip: catch-up
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 00:04:00
  > event catchup_started g/j count=4
  > fire g/j 01-01T00:01:00 catchup try=1
at 00:04:10 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1
at 00:04:20 report g/j success
  > fire g/j 01-01T00:03:00 catchup try=1

story: skip: a backfill beside a run
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w", "overlap": "skip"}
  > result add applied matched=1 changed=1
at 00:00:10 trigger g
  > fire g/j 01-01T00:00:10 trigger try=1
  > result trigger applied matched=1 changed=1
at 00:00:20 backfill g {"from": "2025-12-31T21:30:00Z", "rate": 1000, "backfill_id": "b"}
  > event backfill_started g/j first=12-31T22:00:00 last=01-01T00:00:00 count=3 b
  > result backfill applied matched=1 changed=1
at 00:00:30 report g/j success
  > fire g/j 12-31T22:00:00 backfill try=1
now 00:00:31
at 00:00:40 report g/j success
  > fire g/j 12-31T23:00:00 backfill try=1
now 00:00:41

story: skip: a trigger
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
at 00:01:10 trigger g
  > result trigger conflict overlap matched=1 changed=0
  >   /overlap overlap
at 00:01:20 trigger g {"overlap": "allow"}
  > fire g/j 01-01T00:01:20 trigger try=1
  > result trigger applied matched=1 changed=1
at 00:01:30 report g/j success

story: skip: a pause
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 pause g
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 overlap run=1
  > result pause applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:03:00
at 00:04:30 resume g
  > event resumed g/j from=01-01T00:02:10 to=01-01T00:04:30
  > result resume applied matched=1 changed=1
  > fire g/j 01-01T00:01:00 schedule try=2
now 00:04:31

story: skip: an update
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 update g {"payload": 7}
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 overlap run=1
  > result update applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:02:40
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:02:50 report g/j success

story: skip: a deletion
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 delete g
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 overlap run=1
  > gone g/j
  > result delete applied matched=1 changed=1
at 00:02:11 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip"}
  > result add applied matched=1 changed=1
at 00:02:20 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
now 00:03:00
  > fire g/j 01-01T00:03:00 schedule try=1

story: skip: max_fires
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "max_fires": 2, "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 report g/j failure
now 00:02:30
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:02:40 report g/j success
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 overlap run=2
now 00:03:00
  > fire g/j 01-01T00:03:00 schedule try=1
  > event exhausted g/j
now 00:04:00

story: skip: jitter
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "jitter": "30m", "catchup": {"misfire_grace": "1h"}}
  > result add applied matched=1 changed=1
at 00:59:00 trigger g
  > fire g/j 01-01T00:59:00 trigger try=1
  > result trigger applied matched=1 changed=1
now 01:00:00
at 01:00:01 report g/j success
now 01:30:00
  > fire g/j 01-01T01:00:00 schedule try=1
at 01:30:01 report g/j success
at 01:59:00 trigger g
  > fire g/j 01-01T01:59:00 trigger try=1
  > result trigger applied matched=1 changed=1
now 02:30:00
at 02:30:01 report g/j success
  > event skipped g/j first=01-01T02:00:00 last=01-01T02:00:00 count=1 overlap run=3

story: skip: the end of the job
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "end": "2026-01-01T00:02:30Z", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:40 report g/j failure
now 00:03:00
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:03:10 report g/j success
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 overlap run=2
  > event exhausted g/j
now 00:04:00

story: cancel other: slots come due, the run ends
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > cancel g/j run=1
now 00:03:00
now 00:04:00
at 00:04:30 report g/j success
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:03:00 count=2 overlap run=1
  > fire g/j 01-01T00:04:00 catchup try=1
at 00:04:31 report g/j success
now 00:05:00
  > fire g/j 01-01T00:05:00 schedule try=1

story: cancel other: catch-up
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other", "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 00:04:00
  > event catchup_started g/j count=4
  > fire g/j 01-01T00:01:00 catchup try=1
at 00:04:10 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1
at 00:04:20 report g/j success
  > fire g/j 01-01T00:03:00 catchup try=1

story: cancel other: a backfill beside a run
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w", "overlap": "cancel_other"}
  > result add applied matched=1 changed=1
at 00:00:10 trigger g
  > fire g/j 01-01T00:00:10 trigger try=1
  > result trigger applied matched=1 changed=1
at 00:00:20 backfill g {"from": "2025-12-31T21:30:00Z", "rate": 1000, "backfill_id": "b"}
  > event backfill_started g/j first=12-31T22:00:00 last=01-01T00:00:00 count=3 b
  > result backfill applied matched=1 changed=1
at 00:00:30 report g/j success
  > fire g/j 12-31T22:00:00 backfill try=1
now 00:00:31
at 00:00:40 report g/j success
  > fire g/j 12-31T23:00:00 backfill try=1
now 00:00:41

story: cancel other: a trigger
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
at 00:01:10 trigger g
  > result trigger conflict overlap matched=1 changed=0
  >   /overlap overlap
at 00:01:20 trigger g {"overlap": "allow"}
  > fire g/j 01-01T00:01:20 trigger try=1
  > result trigger applied matched=1 changed=1
at 00:01:30 report g/j success

story: cancel other: a pause
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > cancel g/j run=1
at 00:02:10 pause g
  > result pause applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:03:00
at 00:04:30 resume g
  > event resumed g/j from=01-01T00:02:10 to=01-01T00:04:30
  > result resume applied matched=1 changed=1
  > fire g/j 01-01T00:02:00 catchup try=1
now 00:04:31

story: cancel other: an update
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > cancel g/j run=1
at 00:02:10 update g {"payload": 7}
  > result update applied matched=1 changed=1
at 00:02:20 report g/j failure
  > fire g/j 01-01T00:02:00 catchup try=1
now 00:02:40
at 00:02:50 report g/j success

story: cancel other: a deletion
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > cancel g/j run=1
at 00:02:10 delete g
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 deleted
  > gone g/j
  > result delete applied matched=1 changed=1
at 00:02:11 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other"}
  > result add applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:03:00
  > fire g/j 01-01T00:03:00 schedule try=1

story: cancel other: max_fires
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other", "max_fires": 2, "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > cancel g/j run=1
at 00:02:10 report g/j failure
  > fire g/j 01-01T00:02:00 catchup try=1
  > event exhausted g/j
now 00:02:30
at 00:02:40 report g/j success
now 00:03:00
now 00:04:00

story: cancel other: jitter
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other", "jitter": "30m", "catchup": {"misfire_grace": "1h"}}
  > result add applied matched=1 changed=1
at 00:59:00 trigger g
  > fire g/j 01-01T00:59:00 trigger try=1
  > result trigger applied matched=1 changed=1
now 01:00:00
at 01:00:01 report g/j success
now 01:30:00
  > fire g/j 01-01T01:00:00 schedule try=1
at 01:30:01 report g/j success
at 01:59:00 trigger g
  > fire g/j 01-01T01:59:00 trigger try=1
  > result trigger applied matched=1 changed=1
now 02:30:00
  > cancel g/j run=3
at 02:30:01 report g/j success
  > fire g/j 01-01T02:00:00 catchup try=1

story: cancel other: the end of the job
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other", "end": "2026-01-01T00:02:30Z", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > cancel g/j run=1
at 00:02:40 report g/j failure
  > fire g/j 01-01T00:02:00 catchup try=1
  > event exhausted g/j
now 00:03:00
at 00:03:10 report g/j success
now 00:04:00

story: cancel_other: a run that a trigger has begun beside is asked to stop by the next slot
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "cancel_other"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
  > cancel g/j run=1
at 00:02:30 trigger g {"overlap": "allow"}
  > fire g/j 01-01T00:02:30 trigger try=1
  > result trigger applied matched=1 changed=1
now 00:03:00
  > cancel g/j run=2
now 00:04:00
at 00:04:10 report g/j cancelled
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:03:00 count=2 overlap run=1
at 00:04:20 report g/j cancelled
  > fire g/j 01-01T00:04:00 catchup try=1

story: skip: the job ends with its run, and its backfill goes on
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "end": "2026-01-01T00:02:30Z"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
at 00:01:10 backfill g {"from": "2026-01-01T00:00:30Z", "rate": 1000, "backfill_id": "b"}
  > event backfill_started g/j first=01-01T00:01:00 last=01-01T00:01:00 count=1 b
  > result backfill applied matched=1 changed=1
now 00:02:00 00:03:00
at 00:03:30 report g/j success
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 overlap run=1
  > event exhausted g/j
  > fire g/j 01-01T00:01:00 backfill try=1

story: skip: the job is exhausted when the oldest run has ended, though another is open
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "end": "2026-01-01T00:02:30Z"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
at 00:01:10 trigger g {"overlap": "allow"}
  > fire g/j 01-01T00:01:10 trigger try=1
  > result trigger applied matched=1 changed=1
now 00:02:00
at 00:02:10 report g/j success
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 overlap run=1
  > event exhausted g/j
at 00:02:20 report g/j success
