# What commands do to the runs of a job. Reports are about the oldest run of the job with a try out.
# How to read this: README.md.
follows runs
tells ids

story: a run that is cancelled goes on until its worker has stopped
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule 1767225600000-0.0.0@1767225660000 try=1 run=1
at 00:01:05 cancel g/j
  > cancel g/j run=1
  > result cancel applied matched=1 changed=1
at 00:01:06 cancel g/j
  > result cancel unchanged matched=1 changed=0
at 00:01:10 report g/j cancelled
at 00:01:11 cancel g/j
  > result cancel unchanged matched=1 changed=0

# No dead letter, no retry: nobody wants it.
story: a run that was to stop is not tried again, however it ends
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "retry": {"attempts": 3}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
at 01:00:05 cancel g/j
  > cancel g/j run=1
  > result cancel applied matched=1 changed=1
at 01:00:10 report g/j failure
now 01:30:00

story: a run that waits for its retry ends where it is cancelled
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one", "retry": {"attempts": 3, "initial": "2h", "max": "2h"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
at 01:00:05 report g/j failure
now 02:00:00
at 02:10:00 cancel g/j
  > result cancel applied matched=1 changed=1
  > fire g/j 01-01T02:00:00 catchup 1767225600000-0.0.0@1767232800000 try=1 run=2
now 02:10:01

# Read late: the slot of 02:00 is behind the cancel.
story: a run that a cancel has ended is in no later slot's way
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip", "retry": {"attempts": 3, "initial": "5h", "max": "5h"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
at 01:00:05 report g/j failure
at 01:10:00 now 02:00:05 cancel g/j
  > result cancel applied matched=1 changed=1
  > fire g/j 01-01T02:00:00 schedule 1767225600000-0.0.0@1767232800000 try=1 run=2

# What a command ends is settled before what is owed goes out.
story: an ended job that is not kept goes with the run that a cancel has ended, its backfill with it
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w", "max_fires": 1,
     "overlap": "skip", "retry": {"attempts": 3, "initial": "5h", "max": "5h"},
     "keep_finished": "0s"}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
  > event exhausted g/j
at 01:00:05 report g/j failure
at 01:00:10 backfill g {"from": "2025-12-31T22:30:00Z", "rate": 1000, "backfill_id": "b"}
  > event backfill_started g/j first=12-31T23:00:00 last=01-01T01:00:00 count=3 b
  > result backfill applied matched=1 changed=1
at 01:10:00 cancel g/j
  > result cancel applied matched=1 changed=1
  > event skipped g/j first=12-31T23:00:00 last=01-01T01:00:00 count=3 b finished
  > gone g/j

story: one run of several is cancelled
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule 1767225600000-0.0.0@1767225660000 try=1 run=1
now 00:02:00
  > fire g/j 01-01T00:02:00 schedule 1767225600000-0.0.0@1767225720000 try=1 run=2
at 00:02:05 cancel g/j {"run": "1767225600000-0.0.0@1767225720000"}
  > cancel g/j run=2
  > result cancel applied matched=1 changed=1
at 00:02:06 cancel g/j {"run": "1767225600000-0.0.0@1767225780000"}
  > result cancel unchanged matched=1 changed=0
at 00:02:07 cancel g/j
  > cancel g/j run=1
  > result cancel applied matched=1 changed=1

story: a dry run of a cancel asks nobody
at 00:00:00 add g/j
    {"schedule": {"at": "2026-01-01T00:01:00Z"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule 1767225600000-0.0.0@1767225660000 try=1 run=1
  > event exhausted g/j
at 00:01:05 cancel g/j {"dry_run": true}
  > result cancel applied matched=1 changed=1
  >   cancel g/j +0 -0 before: after:
at 00:01:06 cancel g/j
  > cancel g/j run=1
  > result cancel applied matched=1 changed=1

story: a cancel reaches the runs of all jobs of a selector, and of a job that was deleted
at 00:00:00 {"op": "add", "jobs": [
    {"group": "g", "id": "a", "schedule": {"at": "2026-01-01T00:01:00Z"}, "lease": "5m",
     "workers": "w"},
    {"group": "g", "id": "b", "schedule": {"at": "2026-01-01T00:01:00Z"}, "lease": "5m",
     "workers": "w"},
    {"group": "g", "id": "c", "schedule": {"at": "2026-01-01T00:01:00Z"}}]}
  > result add applied matched=3 changed=3
now 00:01:00
  > fire g/a 01-01T00:01:00 schedule 1767225600000-0.0.0@1767225660000 try=1 run=1
  > event exhausted g/a
  > fire g/b 01-01T00:01:00 schedule 1767225600000-0.0.1@1767225660000 try=1 run=2
  > event exhausted g/b
  > fire g/c 01-01T00:01:00 schedule 1767225600000-0.0.2@1767225660000
  > event exhausted g/c
at 00:01:01 delete g/a
  > gone g/a
  > result delete applied matched=1 changed=1
at 00:01:02 add g/a
    {"schedule": {"at": "2026-01-01T00:02:00Z"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
now 00:02:00
  > fire g/a 01-01T00:02:00 schedule 1767225662000-0.2.0@1767225720000 try=1 run=3
  > event exhausted g/a
at 00:02:01 cancel g
  > cancel g/b run=2
  > cancel g/a run=1
  > cancel g/a run=3
  > result cancel applied matched=3 changed=2
at 00:02:02 report g/a cancelled
at 00:02:03 report g/a success
at 00:02:04 report g/b failure

story: a deletion that cancels
at 00:00:00 add g/j
    {"schedule": {"every": "1m", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "retry": {"attempts": 3}}
  > result add applied matched=1 changed=1
now 00:01:00
  > fire g/j 01-01T00:01:00 schedule 1767225600000-0.0.0@1767225660000 try=1 run=1
now 00:02:00
  > fire g/j 01-01T00:02:00 schedule 1767225600000-0.0.0@1767225720000 try=1 run=2
at 00:02:01 report g/j failure
at 00:02:05 delete g/j {"cancel_runs": true}
  > cancel g/j run=2
  > gone g/j
  > result delete applied matched=1 changed=1
at 00:02:10 report g/j failure

story: a run that is over comes again under its id
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "retry": {"attempts": 2}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
at 01:00:05 report g/j refused
now 01:00:30
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=2 run=2
at 01:00:31 report g/j failure
  > event run_failed g/j run=2
  > dead g/j failure after 2
at 01:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000", "dry_run": true}
  > result requeue applied matched=1 changed=1
  >   requeue g/j +1 -0 before: 01-01 01-01 01-01 01-01 01-01 after: 01-01 01-01 01-01 01-01 01-01
at 01:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=3
  > result requeue applied matched=1 changed=1
at 01:10:01 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > result requeue conflict run_open matched=1 changed=0
  >   /run run_open
at 01:10:05 report g/j failure
now 01:11:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=2 run=4
at 01:11:01 report g/j success

story: a requeue that is sent twice is done once
at 00:00:00 add g/j
    {"schedule": {"at": "2026-01-01T01:00:00Z"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
  > event exhausted g/j
at 01:00:05 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
at 01:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000", "command_id": "r"}
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=2
  > result requeue applied matched=1 changed=1
at 01:10:01 requeue g/j {"run": "1767225600000-0.0.0@1767229200000", "command_id": "r"}
  > result requeue duplicate matched=0 changed=0
at 01:10:02 report g/j success
at 01:10:03 requeue g/j {"run": "1767225600000-0.0.0@1767229200000", "command_id": "r"}
  > result requeue duplicate matched=0 changed=0

story: a retry that waits comes at once
at 00:00:00 add g/j
    {"schedule": {"at": "2026-01-01T01:00:00Z"}, "lease": "5m", "workers": "w",
     "retry": {"attempts": 3, "initial": "1h"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
  > event exhausted g/j
at 01:00:05 report g/j failure
at 01:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000", "dry_run": true}
  > result requeue applied matched=1 changed=1
  >   requeue g/j +0 -0 before: after:
at 01:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=2 run=2
  > result requeue applied matched=1 changed=1
at 01:10:05 report g/j success

# Its delay is over, nothing else: it waits for the resume.
story: a retry of a paused job waits for its resume
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "retry": {"attempts": 3, "initial": "1h"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
at 01:00:05 report g/j failure
at 01:01:00 pause g
  > result pause applied matched=1 changed=1
at 01:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > result requeue applied matched=1 changed=1
at 01:10:01 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > result requeue unchanged matched=1 changed=0
at 01:20:00 resume g
  > event resumed g/j from=01-01T01:01:00 to=01-01T01:20:00
  > result resume applied matched=1 changed=1
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=2 run=2

story: a new run of a paused job, and of a finished one
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
at 00:00:00 add g/k {"schedule": {"at": "2026-01-01T01:00:00Z"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
  > fire g/k 01-01T01:00:00 schedule 1767225600000-0.1.0@1767229200000 try=1 run=2
  > event exhausted g/k
at 01:00:05 report g/j success
at 01:00:06 report g/k success
at 01:01:00 pause g/j
  > result pause applied matched=1 changed=1
at 01:02:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=3
  > result requeue applied matched=1 changed=1
at 01:02:00 requeue g/k {"run": "1767225600000-0.1.0@1767229200000"}
  > fire g/k 01-01T01:00:00 schedule 1767225600000-0.1.0@1767229200000 try=1 run=4
  > result requeue applied matched=1 changed=1
record g/k has "finished_at"

story: a requeue with a run in its way
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip"}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
at 01:00:05 report g/j success
now 02:00:00
  > fire g/j 01-01T02:00:00 schedule 1767225600000-0.0.0@1767232800000 try=1 run=2
at 02:00:10 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > result requeue conflict overlap matched=1 changed=0
  >   /overlap overlap
at 02:00:11 requeue g/j {"run": "1767225600000-0.0.0@1767229200000", "overlap": "allow"}
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=3
  > result requeue applied matched=1 changed=1

story: a requeue of what is still to be fired
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "buffer_one"}
  > result add applied matched=1 changed=1
at 00:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > result requeue conflict run_open matched=1 changed=0
  >   /run run_open
at 00:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200001"}
  > result requeue conflict run_open matched=1 changed=0
  >   /run run_open
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
now 02:00:00
now 03:00:00
at 03:00:10 requeue g/j {"run": "1767225600000-0.0.0@1767232800000", "overlap": "allow"}
  > result requeue conflict run_open matched=1 changed=0
  >   /run run_open
at 03:00:20 report g/j success
  > event skipped g/j first=01-01T03:00:00 last=01-01T03:00:00 count=1 overlap run=1
  > fire g/j 01-01T02:00:00 catchup 1767225600000-0.0.0@1767232800000 try=1 run=2

# What was left out may be fetched; it is no slot of the job's any more.
story: a requeue of what was left out
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w",
     "overlap": "skip"}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
now 02:00:00
at 02:00:10 requeue g/j {"run": "1767225600000-0.0.0@1767232800000", "overlap": "allow"}
  > fire g/j 01-01T02:00:00 schedule 1767225600000-0.0.0@1767232800000 try=1 run=2
  > result requeue applied matched=1 changed=1
at 02:00:20 report g/j success
  > event skipped g/j first=01-01T02:00:00 last=01-01T02:00:00 count=1 overlap run=1
at 02:00:21 report g/j success

story: a requeue of a slot that waits for its delay
at 00:00:30 add g/j
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}, "lease": "5m",
     "workers": "w"}
  > result add applied matched=1 changed=1
now 01:00:00
at 01:00:05 requeue g/j {"run": "1767225630000-0.0.0@1767229200000"}
  > result requeue conflict run_open matched=1 changed=0
  >   /run run_open
now 01:09:13
  > fire g/j 01-01T01:00:00 schedule 1767225630000-0.0.0@1767229200000 try=1 run=1
at 01:09:14 requeue g/j {"run": "1767225630000-0.0.0@1767229200000"}
  > result requeue conflict run_open matched=1 changed=0
  >   /run run_open

story: a trigger comes again, with the time of the requeue
at 00:00:00 add g/j
    {"schedule": {"every": "1d", "anchor": "epoch"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
at 00:00:10 trigger g/j {"command_id": "again: now"}
  > fire g/j 01-01T00:00:10 trigger 1767225600000-0.0.0@t:again: now try=1 run=1
  > result trigger applied matched=1 changed=1
at 00:00:20 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
at 00:01:00 requeue g/j {"run": "1767225600000-0.0.0@t:again: now"}
  > fire g/j 01-01T00:01:00 trigger 1767225600000-0.0.0@t:again: now try=1 run=2
  > result requeue applied matched=1 changed=1
at 00:01:10 report g/j success

story: a slot of a backfill comes again
at 00:00:00 add g/j
    {"schedule": {"cron": "0 * * * *"}, "lease": "5m", "workers": "w", "overlap": "skip"}
  > result add applied matched=1 changed=1
at 00:00:20 backfill g {"from": "2025-12-31T22:30:00Z", "rate": 1000, "backfill_id": "b:1"}
  > event backfill_started g/j first=12-31T23:00:00 last=01-01T00:00:00 count=2 b:1
  > result backfill applied matched=1 changed=1
  > fire g/j 12-31T23:00:00 backfill 1767225600000-0.0.0@b:b:1:1767222000000 try=1 run=1
at 00:00:30 requeue g/j
    {"run": "1767225600000-0.0.0@b:b:1:1767225600000", "overlap": "allow"}
  > result requeue conflict run_open matched=1 changed=0
  >   /run run_open
at 00:00:40 report g/j success
  > fire g/j 01-01T00:00:00 backfill 1767225600000-0.0.0@b:b:1:1767225600000 try=1 run=2
at 00:00:50 report g/j success
  > event backfill_finished g/j count=2 b:1
at 00:01:00 requeue g/j {"run": "1767225600000-0.0.0@b:b:1:1767225600000"}
  > fire g/j 01-01T00:00:00 backfill 1767225600000-0.0.0@b:b:1:1767225600000 try=1 run=3
  > result requeue applied matched=1 changed=1
at 00:01:10 requeue g/j {"run": "1767225600000-0.0.0@b:other:1767225600000"}
  > result requeue conflict not_found matched=1 changed=0
  >   /run not_found
at 00:01:20 requeue g/j {"run": "1767225600000-0.0.0@i:7-0.1.2:b:1:1767225600000"}
  > result requeue conflict not_found matched=1 changed=0
  >   /run not_found

story: a requeue of another life, of another job, of one without a lease
at 00:00:00 add g/j
    {"schedule": {"at": "2026-01-01T01:00:00Z"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
at 00:00:00 add g/k {"schedule": {"at": "2026-01-01T01:00:00Z"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
  > event exhausted g/j
  > fire g/k 01-01T01:00:00 schedule 1767225600000-0.1.0@1767229200000
  > event exhausted g/k
at 01:00:05 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
at 01:01:00 delete g/j
  > gone g/j
  > result delete applied matched=1 changed=1
at 01:02:00 add g/j
    {"schedule": {"at": "2026-01-01T02:00:00Z"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
at 01:03:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > result requeue conflict not_found matched=1 changed=0
  >   /run not_found
at 01:04:00 requeue g/k {"run": "1767225600000-0.1.0@1767229200000"}
  > result requeue conflict lease_required matched=1 changed=0
  >    lease_required
at 01:05:00 requeue g/x {"run": "1767225600000-0.1.0@1767229200000"}
  > result requeue conflict not_found matched=0 changed=0

story: max_fires does not count it
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w", "max_fires": 2}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
at 01:00:05 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
at 01:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=2
  > result requeue applied matched=1 changed=1
at 01:10:05 report g/j success
now 02:00:00
  > fire g/j 01-01T02:00:00 schedule 1767225600000-0.0.0@1767232800000 try=1 run=3
  > event exhausted g/j

# As a trigger's: the sender has its result.
story: a requeue whose fire cannot be produced is no run
at 00:00:00 add g/j
    {"schedule": {"every": "1h", "anchor": "epoch"}, "lease": "5m", "workers": "w", "max_fires": 2}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=1
at 01:00:05 report g/j failure
  > event run_failed g/j run=1
  > dead g/j failure after 1
at 01:10:00 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=2
  > result requeue applied matched=1 changed=1
at 01:10:00 failed g/j 01:00:00 requeued
  > event fire_failed g/j first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing
at 01:10:01 requeue g/j {"run": "1767225600000-0.0.0@1767229200000"}
  > fire g/j 01-01T01:00:00 schedule 1767225600000-0.0.0@1767229200000 try=1 run=3
  > result requeue applied matched=1 changed=1
at 01:10:05 report g/j success
now 02:00:00
  > fire g/j 01-01T02:00:00 schedule 1767225600000-0.0.0@1767232800000 try=1 run=4
  > event exhausted g/j

story: a trigger under the name of a run that is open
at 00:00:00 add g/j
    {"schedule": {"every": "1d", "anchor": "epoch"}, "lease": "5m", "workers": "w"}
  > result add applied matched=1 changed=1
at 00:00:10 requeue g/j {"run": "1767225600000-0.0.0@t:u"}
  > fire g/j 01-01T00:00:10 trigger 1767225600000-0.0.0@t:u try=1 run=1
  > result requeue applied matched=1 changed=1
at 00:00:20 trigger g/j {"command_id": "u"}
  > result trigger conflict run_open matched=1 changed=0
  >    run_open
