# Updates, puts and deletions of jobs that owe something, or have fired.
# How to read this: README.md.

story: an edit of the schedule does not fire, an edit of the payload keeps the phase
at 00:00:00 add g/a {"schedule": {"every": "1m"}}
  > result add applied matched=1 changed=1
at 00:00:20 update g {"payload": {"n": 2}}
  > result update applied matched=1 changed=1
now 00:01:00
  > fire g/a 01-01T00:01:00 schedule
at 00:01:30 update g {"schedule": {"every": "5m"}}
  > result update applied matched=1 changed=1
now 00:06:29
now 00:06:30
  > fire g/a 01-01T00:06:30 schedule

story: owed slots keep the schedule they were owed under
at 00:00:00 add g/a {"schedule": {"every": "1h"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 02:30:00 now 04:00:00 update g {"schedule": {"every": "25m"}}
  > event catchup_started g/a count=2
  > result update applied matched=1 changed=1
now 04:00:00
  > event catchup_started g/a count=3
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > event catchup_finished g/a count=2
  > fire g/a 01-01T02:55:00 catchup
  > fire g/a 01-01T03:20:00 catchup
  > fire g/a 01-01T03:45:00 catchup
  > event catchup_finished g/a count=3
now 04:10:00
  > fire g/a 01-01T04:10:00 schedule

story: an edit of start or end leaves what is owed as it was
at 00:00:00 add g/a {"schedule": {"every": "1h"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 02:30:00 update g {"start": "2026-01-01T04:00:00Z"}
  > event catchup_started g/a count=2
  > result update applied matched=1 changed=1
now 03:10:00
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > event catchup_finished g/a count=2
now 04:00:00
  > fire g/a 01-01T04:00:00 schedule

story: max_fires lowered below what was fired, in a pause: what is owed is named
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "max_fires": 9, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 00:00:20
  > fire g/a 01-01T00:00:10 schedule
  > fire g/a 01-01T00:00:20 schedule
at 00:01:00 now 00:05:00 pause g
  > event catchup_started g/a count=4
  > result pause applied matched=1 changed=1
at 00:01:01 now 00:05:00 update g {"max_fires": 2}
  > event catchup_finished g/a count=4
  > event skipped g/a first=01-01T00:00:30 last=01-01T00:01:00 count=4 updated
  > result update applied matched=1 changed=1

story: a one-shot in the past among what is dropped: the event names the newest slot
at 00:00:30 add g/a {"schedule": {"cron": "* * * * *"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 00:03:40 now 00:10:00 update g {"schedule": {"at": "2026-01-01T00:02:30Z"}}
  > event catchup_started g/a count=3
  > event catchup_started g/a count=1
  > result update applied matched=1 changed=1
at 00:03:50 now 00:10:00 delete g
  > event skipped g/a first=01-01T00:01:00 last=01-01T00:03:00 count=4 deleted
  > gone g/a
  > result delete applied matched=1 changed=1

story: a delete drops what is owed and says so
at 00:00:00 add g/a {"schedule": {"every": "1h"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 03:30:00 now 09:10:00 delete g
  > event skipped g/a first=01-01T01:00:00 last=01-01T03:00:00 count=3 deleted
  > gone g/a
  > result delete applied matched=1 changed=1
now 10:00:00

story: put: equal is unchanged, different is an update that keeps the pause
at 00:00:00 put g/a {"schedule": {"every": "1m"}}
  > result put applied matched=1 changed=1
at 00:00:10 put g/a {"schedule": {"every": "1m"}}
  > result put unchanged matched=1 changed=0
at 00:00:20 put g/a {"payload": 1, "schedule": {"every": "1m"}}
  > result put applied matched=1 changed=1
now 00:01:00
  > fire g/a 01-01T00:01:00 schedule

story: an update to a past instant that was fired fires no id twice
at 00:00:00 add g/a {"schedule": {"every": "10m"}}
  > result add applied matched=1 changed=1
now 00:10:00
  > fire g/a 01-01T00:10:00 schedule
at 00:15:00 update g {"schedule": {"at": "2026-01-01T00:10:00Z"}}
  > event skipped g/a first=01-01T00:10:00 last=01-01T00:10:00 count=1 already_due
  > event exhausted g/a
  > result update applied matched=1 changed=1
at 00:16:00 update g {"schedule": {"every": "1h"}}
  > result update applied matched=1 changed=1
at 00:17:00 update g {"schedule": {"at": "2026-01-01T00:10:00Z"}}
  > event skipped g/a first=01-01T00:10:00 last=01-01T00:10:00 count=1 already_due
  > event exhausted g/a
  > result update applied matched=1 changed=1

story: an update to a past instant that was never due fires it once
at 00:00:00 add g/a {"schedule": {"every": "10m"}}
  > result add applied matched=1 changed=1
now 00:10:00
  > fire g/a 01-01T00:10:00 schedule
at 00:15:00 update g {"schedule": {"at": "2026-01-01T00:05:00Z"}}
  > result update applied matched=1 changed=1
now 00:15:01
  > fire g/a 01-01T00:05:00 catchup
  > event exhausted g/a
at 00:16:00 update g {"schedule": {"every": "1h"}}
  > result update applied matched=1 changed=1
at 00:17:00 update g {"schedule": {"at": "2026-01-01T00:05:00Z"}}
  > event skipped g/a first=01-01T00:05:00 last=01-01T00:05:00 count=1 already_due
  > event exhausted g/a
  > result update applied matched=1 changed=1

story: an update of many jobs leaves each what it does not name
at 00:00:00 add g/a {"schedule": {"at": "2026-01-01T01:00:00Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/b {"schedule": {"at": "2026-01-01T01:00:01Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/c {"schedule": {"at": "2026-01-01T01:00:02Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/d {"schedule": {"at": "2026-01-01T01:00:03Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/e {"schedule": {"at": "2026-01-01T01:00:04Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/f {"schedule": {"at": "2026-01-01T01:00:05Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/g {"schedule": {"at": "2026-01-01T01:00:06Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/h {"schedule": {"at": "2026-01-01T01:00:07Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/i {"schedule": {"at": "2026-01-01T01:00:08Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/j {"schedule": {"at": "2026-01-01T01:00:09Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/k {"schedule": {"at": "2026-01-01T01:00:10Z"}}
  > result add applied matched=1 changed=1
at 00:10:00 update g {"keep_finished": "0s"}
  > result update applied matched=11 changed=11
now 02:00:00
  > fire g/a 01-01T01:00:00 catchup
  > event exhausted g/a
  > gone g/a
  > fire g/b 01-01T01:00:01 catchup
  > event exhausted g/b
  > gone g/b
  > fire g/c 01-01T01:00:02 catchup
  > event exhausted g/c
  > gone g/c
  > fire g/d 01-01T01:00:03 catchup
  > event exhausted g/d
  > gone g/d
  > fire g/e 01-01T01:00:04 catchup
  > event exhausted g/e
  > gone g/e
  > fire g/f 01-01T01:00:05 catchup
  > event exhausted g/f
  > gone g/f
  > fire g/g 01-01T01:00:06 catchup
  > event exhausted g/g
  > gone g/g
  > fire g/h 01-01T01:00:07 catchup
  > event exhausted g/h
  > gone g/h
  > fire g/i 01-01T01:00:08 catchup
  > event exhausted g/i
  > gone g/i
  > fire g/j 01-01T01:00:09 catchup
  > event exhausted g/j
  > gone g/j
  > fire g/k 01-01T01:00:10 catchup
  > event exhausted g/k
  > gone g/k

story: an update of many jobs changes those that are not so yet
at 00:00:00 add g/a {"schedule": {"at": "2027-01-01T00:00:00Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/b {"schedule": {"at": "2027-01-01T00:00:00Z"}, "payload": 1}
  > result add applied matched=1 changed=1
at 00:00:00 add g/c {"schedule": {"at": "2027-01-01T00:00:00Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/d {"schedule": {"at": "2027-01-01T00:00:00Z"}, "payload": 1}
  > result add applied matched=1 changed=1
at 00:00:00 add g/e {"schedule": {"at": "2027-01-01T00:00:00Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/f {"schedule": {"at": "2027-01-01T00:00:00Z"}, "payload": 1}
  > result add applied matched=1 changed=1
at 00:00:00 add g/g {"schedule": {"at": "2027-01-01T00:00:00Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/h {"schedule": {"at": "2027-01-01T00:00:00Z"}, "payload": 1}
  > result add applied matched=1 changed=1
at 00:00:00 add g/i {"schedule": {"at": "2027-01-01T00:00:00Z"}}
  > result add applied matched=1 changed=1
at 00:00:00 add g/j {"schedule": {"at": "2027-01-01T00:00:00Z"}, "payload": 1}
  > result add applied matched=1 changed=1
at 00:00:00 add g/k {"schedule": {"at": "2027-01-01T00:00:00Z"}}
  > result add applied matched=1 changed=1
at 00:10:00 update g {"payload": 1}
  > result update applied matched=11 changed=6
at 00:20:00 update g {"payload": 1}
  > result update unchanged matched=11 changed=0
