# What becomes of slots and commands while a run of the job is open: the table of docs/contract.md,
# row by row under `buffer_one` and `buffer_all`. Reports are about the oldest run with a try out.
# How to read this: README.md.
follows runs

story: buffer one: slots come due, the run ends
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
now 00:03:00
now 00:04:00
at 00:04:30 report g/j success
  > event skipped g/j first=01-01T00:03:00 last=01-01T00:04:00 count=2 overlap run=1
  > fire g/j 01-01T00:02:00 catchup try=1
at 00:04:31 report g/j success
now 00:05:00
  > fire g/j 01-01T00:05:00 schedule try=1

story: buffer one: catch-up
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 00:04:00
  > event catchup_started g/j count=4
  > fire g/j 01-01T00:01:00 catchup try=1
at 00:04:10 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1
at 00:04:20 report g/j success
  > fire g/j 01-01T00:03:00 catchup try=1

story: buffer one: a backfill beside a run
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w", "overlap": "buffer_one"}
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

story: buffer one: a trigger
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one"}
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

story: buffer one: a pause
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 pause g
  > result pause applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:03:00
at 00:04:30 resume g
  > event resumed g/j from=01-01T00:02:10 to=01-01T00:04:30
  > result resume applied matched=1 changed=1
  > fire g/j 01-01T00:01:00 schedule try=2
now 00:04:31

story: buffer one: an update
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 update g {"payload": 7}
  > result update applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:02:40
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:02:50 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1

story: buffer one: a deletion
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 delete g
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 deleted
  > gone g/j
  > result delete applied matched=1 changed=1
at 00:02:11 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one"}
  > result add applied matched=1 changed=1
at 00:02:20 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
now 00:03:00
  > fire g/j 01-01T00:03:00 schedule try=1

story: buffer one: max_fires
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "max_fires": 2, "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 report g/j failure
now 00:02:30
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:02:40 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1
  > event exhausted g/j
now 00:03:00
now 00:04:00

story: buffer one: jitter
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "jitter": "30m", "catchup": {"misfire_grace": "1h"}}
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
  > fire g/j 01-01T02:00:00 catchup try=1

story: buffer one: the end of the job
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "end": "2026-01-01T00:02:30Z", "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:40 report g/j failure
now 00:03:00
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:03:10 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1
  > event exhausted g/j
now 00:04:00

story: buffer all: slots come due, the run ends
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
now 00:03:00
now 00:04:00
at 00:04:30 report g/j success
  > event skipped g/j first=01-01T00:04:00 last=01-01T00:04:00 count=1 buffer_full run=1
  > fire g/j 01-01T00:02:00 catchup try=1
at 00:04:31 report g/j success
  > fire g/j 01-01T00:03:00 catchup try=1
now 00:05:00

story: buffer all: catch-up
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 00:04:00
  > event catchup_started g/j count=4
  > fire g/j 01-01T00:01:00 catchup try=1
at 00:04:10 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1
at 00:04:20 report g/j success
  > fire g/j 01-01T00:03:00 catchup try=1

story: buffer all: a backfill beside a run
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2}
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

story: buffer all: a trigger
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2}
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

story: buffer all: a pause
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2, "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 pause g
  > result pause applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:03:00
at 00:04:30 resume g
  > event resumed g/j from=01-01T00:02:10 to=01-01T00:04:30
  > result resume applied matched=1 changed=1
  > fire g/j 01-01T00:01:00 schedule try=2
now 00:04:31

story: buffer all: an update
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2, "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 update g {"payload": 7}
  > result update applied matched=1 changed=1
at 00:02:20 report g/j failure
now 00:02:40
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:02:50 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1

story: buffer all: a deletion
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2, "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 delete g
  > event skipped g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 deleted
  > gone g/j
  > result delete applied matched=1 changed=1
at 00:02:11 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2}
  > result add applied matched=1 changed=1
at 00:02:20 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
now 00:03:00
  > fire g/j 01-01T00:03:00 schedule try=1

story: buffer all: max_fires
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2, "max_fires": 2, "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:10 report g/j failure
now 00:02:30
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:02:40 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1
  > event exhausted g/j
now 00:03:00
now 00:04:00

story: buffer all: jitter
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2, "jitter": "30m",
     "catchup": {"misfire_grace": "1h"}}
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
  > fire g/j 01-01T02:00:00 catchup try=1

story: buffer all: the end of the job
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_all", "overlap_limit": 2, "end": "2026-01-01T00:02:30Z",
     "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00
at 00:02:40 report g/j failure
now 00:03:00
  > fire g/j 01-01T00:01:00 schedule try=2
at 00:03:10 report g/j success
  > fire g/j 01-01T00:02:00 catchup try=1
  > event exhausted g/j
now 00:04:00

story: buffer_one: what waits has left the window when the run ends
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "catchup": {"window": "2m"}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule try=1
now 00:02:00 00:03:00 00:04:00 00:05:00
at 00:05:30 report g/j success
  > event skipped g/j first=01-01T00:03:00 last=01-01T00:05:00 count=3 overlap run=1
  > event missed g/j first=01-01T00:02:00 last=01-01T00:02:00 count=1 window
now 00:06:00
  > fire g/j 01-01T00:06:00 schedule try=1
