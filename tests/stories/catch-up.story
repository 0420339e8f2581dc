# What becomes of slots that are late.
# How to read this: README.md.

story: a hiccup below the grace changes nothing
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "catchup": {"policy": "none"}}
  > result add applied matched=1 changed=1
now 00:00:35
  > fire g/a 01-01T00:00:10 schedule
  > fire g/a 01-01T00:00:20 schedule
  > fire g/a 01-01T00:00:30 schedule

story: policy none drops what is older than the grace, and fires the rest
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "catchup": {"policy": "none"}}
  > result add applied matched=1 changed=1
now 00:01:05
  > event missed g/a first=01-01T00:00:10 last=01-01T00:00:30 count=3 policy_none
  > event catchup_started g/a count=3
  > fire g/a 01-01T00:00:40 catchup
  > fire g/a 01-01T00:00:50 catchup
  > fire g/a 01-01T00:01:00 catchup
  > event catchup_finished g/a count=3
now 00:01:10
  > fire g/a 01-01T00:01:10 schedule

story: policy latest fires the newest, which says how many it stands for
at 00:00:00 add g/a {"schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
now 05:30:00
  > event missed g/a first=01-01T01:00:00 last=01-01T04:00:00 count=4 superseded
  > fire g/a 01-01T05:00:00 catchup missed=4
now 06:00:00
  > fire g/a 01-01T06:00:00 schedule

story: policy latest outside the window: nothing fires, all are named
at 00:00:00 add g/a {"schedule": {"every": "1h"}, "catchup": {"policy": "latest", "window": "10m"}}
  > result add applied matched=1 changed=1
now 05:30:00
  > event missed g/a first=01-01T01:00:00 last=01-01T05:00:00 count=5 window
now 06:00:00
  > fire g/a 01-01T06:00:00 schedule

story: policy all fires every one, oldest first, then goes on
at 00:00:00 add g/a {"schedule": {"every": "1h"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 03:30:00
  > event catchup_started g/a count=3
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > fire g/a 01-01T03:00:00 catchup
  > event catchup_finished g/a count=3
now 04:00:00
  > fire g/a 01-01T04:00:00 schedule

story: policy all keeps the newest `limit` inside the window
at 00:00:00 add g/a
    {"schedule": {"every": "1h"}, "catchup": {"policy": "all", "window": "2d", "limit": 2}}
  > result add applied matched=1 changed=1
now 2026-01-05T00:30:00Z
  > event missed g/a first=01-01T01:00:00 last=01-04T22:00:00 count=94 limit
  > event catchup_started g/a count=2
  > fire g/a 01-04T23:00:00 catchup
  > fire g/a 01-05T00:00:00 catchup
  > event catchup_finished g/a count=2

story: a decision one millisecond after a slot makes no slot of that millisecond
at 00:00:00 add g/a
    {"schedule": {"every": "1h"}, "catchup": {"policy": "all", "misfire_grace": "1s"}}
  > result add applied matched=1 changed=1
now 02:00:00.001
  > event catchup_started g/a count=2
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > event catchup_finished g/a count=2
now 03:00:00
  > fire g/a 01-01T03:00:00 schedule

story: a slot that is late within its grace is not dropped by a window that is shorter
at 00:00:00 add g/a {"schedule": {"every": "1m"}, "catchup": {"policy": "all", "window": "1s"}}
  > result add applied matched=1 changed=1
now 00:02:20
  > event missed g/a first=01-01T00:01:00 last=01-01T00:01:00 count=1 window
  > event catchup_started g/a count=1
  > fire g/a 01-01T00:02:00 catchup
  > event catchup_finished g/a count=1

story: commands read late act at their log time; catch-up is decided once
at 00:00:00 add g/a {"schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
at 02:30:00 now 09:10:00 {"op": "ping"}
  > result ping applied matched=0 changed=0
at 05:30:00 now 09:10:00 {"op": "ping"}
  > result ping applied matched=0 changed=0
now 09:10:00
  > event missed g/a first=01-01T01:00:00 last=01-01T08:00:00 count=8 superseded
  > fire g/a 01-01T09:00:00 catchup missed=8
