# What the schedule, the policy, pauses and deletion make of a slot that waits for its delay.
# How to read this: README.md.
# Of the job that is added first, at 00:00:30, the slot of 01:00 is due at 01:09:12.717 wherever its
# jitter is 10 minutes: delays.story.
begins 2026-01-01T00:00:30Z

story: kept over an edit: in time
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule

story: kept over an edit: within the grace
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"},
     "catchup": {"policy": "none"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
now 01:09:12.716
now 01:09:42.717
  > fire g/a 01-01T01:00:00 schedule

story: kept over an edit: late and dropped
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"},
     "catchup": {"policy": "none"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
now 01:09:12.716
now 01:09:42.718
  > event missed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 policy_none

story: kept over an edit: late and caught up
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"},
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
now 01:09:12.716
now 01:09:42.718
  > fire g/a 01-01T01:00:00 catchup

story: kept over an edit: older than the window
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"},
     "catchup": {"policy": "all", "window": "1s"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
now 01:09:12.716
now 01:09:42.718
  > event missed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 window

story: kept over an edit: the last fire there is
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}, "max_fires": 1}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
  > event exhausted g/a

story: kept over an edit: a deletion names it
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
at 01:00:01.5 delete g
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 deleted
  > gone g/a
  > result delete applied matched=1 changed=1

story: kept over an edit: a second edit keeps it, too
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
at 01:00:01.5 update g {"schedule": {"cron": "0,58 * * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule

story: kept over an edit: a start of another edit leaves it out
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
at 01:00:01.5 update g
    {"schedule": {"cron": "0,58 * * * *", "zone": "UTC"}, "start": "2026-01-01T01:00:01Z"}
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 updated
  > result update applied matched=1 changed=1
now 01:09:12.717

# The waiting slot takes the last fire there is: what is owed by then is no longer due.
story: kept over an edit: it may be the last fire of a job that owes
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}, "max_fires": 1,
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
at 01:00:01.5 update g {"schedule": {"every": "1s", "anchor": "epoch"}}
  > result update applied matched=1 changed=1
now 02:00:00
  > fire g/a 01-01T01:00:00 catchup
  > event exhausted g/a
now 02:01:40

story: kept over an edit: a pause that ends before its due time leaves it
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
at 01:00:01.5 pause g
  > result pause applied matched=1 changed=1
at 01:09:12.707 resume g
  > event resumed g/a from=01-01T01:00:01 to=01-01T01:09:12
  > result resume applied matched=1 changed=1
now 01:09:14.717
  > fire g/a 01-01T01:00:00 schedule

story: kept over an edit: a pause over its due time leaves it out
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":"2026-01-01T01:09:12.717Z"}]
at 01:00:01.5 pause g
  > result pause applied matched=1 changed=1
at 01:09:13.717 resume g
  > event resumed g/a from=01-01T01:00:01 to=01-01T01:09:13
  > result resume applied matched=1 changed=1
now 01:09:14.717

story: a one-shot is not fired again by another delay
at 00:00:30 add g/a {"schedule": {"at": "2026-01-01T01:00:00Z"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule
  > event exhausted g/a
at 01:00:00.001 update g {"jitter": "24h"}
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 already_due
  > event exhausted g/a
  > result update applied matched=1 changed=1
now 2026-01-02T02:00:00Z
  > gone g/a

# Its own time has come, its delay is not over: it waits, also over restarts.
story: a one-shot waits for its delay
at 00:00:30 add g/a {"schedule": {"at": "2026-01-01T00:00:00Z"}, "jitter": "24h"}
  > result add applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T00:00:00.000Z","due":"2026-01-01T07:14:49.749Z"}]
now 07:14:49.748
now 07:14:49.749
  > fire g/a 01-01T00:00:00 schedule
  > event exhausted g/a

story: a one-shot that waits in a pause is left out
at 00:00:30 add g/a {"schedule": {"at": "2026-01-01T00:00:00Z"}, "jitter": "24h"}
  > result add applied matched=1 changed=1
at 00:00:30 pause g
  > result pause applied matched=1 changed=1
at 2026-01-02T02:00:00Z resume g
  > event resumed g/a from=01-01T00:00:30 to=01-02T02:00:00
  > event skipped g/a first=01-01T00:00:00 last=01-01T00:00:00 count=1 paused
  > event exhausted g/a
  > result resume applied matched=1 changed=1

# What a pause left out is asked for again: the slot that waited over an edit, too.
story: a waiting slot comes with resume from
at 00:00:30 add g/a {"schedule": {"cron": "0 * * * *", "zone": "UTC"}, "jitter": "10m"}
  > result add applied matched=1 changed=1
at 01:00:00.001 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.002 pause g
  > result pause applied matched=1 changed=1
at 01:20:00 resume g {"from": "paused_at"}
  > event resumed g/a from=01-01T01:00:00 to=01-01T01:00:00
  > result resume applied matched=1 changed=1
now 01:20:00
  > fire g/a 01-01T01:00:00 catchup

# A fire that fails again after the schedule has got another delay keeps its id.
story: a failing slot keeps its id
at 00:00:30 add g/a {"schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule
at 01:00:00 failed g/a 01:00:00 schedule
  > event fire_failed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing
at 01:00:00.010 update g {"schedule": {"cron": "32 * * * *", "zone": "UTC"}, "jitter": "59m"}
  > result update applied matched=1 changed=1
at 01:00:05 retry
  > fire g/a 01-01T01:00:00 retry attempt=2
at 01:00:05 failed g/a 01:00:00 retry attempt=2
  > event fire_failed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing
at 01:00:10 retry
  > fire g/a 01-01T01:00:00 retry attempt=3
at 01:00:10 failed g/a 01:00:00 retry attempt=3
  > event fire_failed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing

# The newest slot is kept as a range of its own, with its delay: the record says so.
story: an owed slot keeps its delay
at 00:00:30 add g/a {"schedule": {"cron": "0 * * * *", "zone": "UTC"}, "jitter": "10m"}
  > result add applied matched=1 changed=1
at 01:09:13.717 now 01:29:12.717 pause g
  > result pause applied matched=1 changed=1
record g/a has "delay_ms":552717}

# Its nominal time is before the start, its due time is not: it is no slot of the job.
story: a start leaves out a slot that waits
at 00:00:30 add g/a
    {"schedule": {"cron": "0 * * * *", "zone": "UTC"}, "jitter": "59m",
     "start": "2026-01-01T01:00:00.001Z"}
  > result add applied matched=1 changed=1
at 01:00:00.002 update g {"schedule": {"cron": "30 * * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1

# What is owed and older comes first.
story: a waiting slot queues behind what is owed
at 00:00:30 add g/a
    {"schedule": {"cron": "0 * * * *", "zone": "UTC"}, "jitter": "10m",
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 02:00:00.001 now 02:30:00 update g {"schedule": {"cron": "0 1-20 * * *", "zone": "UTC"}}
  > event catchup_started g/a count=1
  > result update applied matched=1 changed=1
now 02:30:00
  > fire g/a 01-01T01:00:00 catchup
  > event catchup_finished g/a count=1
  > fire g/a 01-01T02:00:00 catchup

# A schedule's slots come after the edit that brings it, by nominal time, also behind a failure.
story: a failure brings no slot before the edit
at 00:00:30 add g/a {"schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
now 01:00:00
  > fire g/a 01-01T01:00:00 schedule
at 01:00:00 failed g/a 01:00:00 schedule
  > event fire_failed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing
at 01:44:00.001 update g {"schedule": {"cron": "44 * * * *", "zone": "UTC"}, "jitter": "30m"}
  > result update applied matched=1 changed=1
at 01:44:00.001 retry
  > fire g/a 01-01T01:00:00 retry attempt=2
at 01:44:00.001 failed g/a 01:00:00 retry
  > event fire_failed g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 topic_missing
now 02:14:00.001
at 02:14:00.001 retry
  > fire g/a 01-01T01:00:00 retry attempt=2
now 02:14:00.001
