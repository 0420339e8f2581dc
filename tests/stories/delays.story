# Jitter: slots whose nominal time has passed and whose due time has not.
# How to read this: README.md.
# A slot keeps its id and its delay, whatever happens to the job meanwhile. The delay is a hash of
# the id (docs/time.md): of the job that is added first, at 00:00:30, the slot of 01:00 is due at
# 01:09:12.717 wherever its jitter is 10 minutes.
begins 2026-01-01T00:00:30Z

story: a slot waits for its due time
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
now 01:00:01
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
restart
now 01:50:00

story: an edit of the payload leaves a slot that waits
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"payload": 1}
  > result update applied matched=1 changed=1
restart
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule

story: an edit that names the waiting slot keeps it
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "0,59 * * * *", "zone": "UTC"}, "jitter": null}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z","due":
restart
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
record g/a lacks pending
restart
now 01:59:00
  > fire g/a 01-01T01:59:00 schedule

story: an edit that does not name the waiting slot says so
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:01 update g {"schedule": {"cron": "30 * * * *", "zone": "UTC"}}
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 updated
  > result update applied matched=1 changed=1
now 01:20:00

# Each edit adds a second, and comes while the slots before it wait: the first one's by the first
# schedule, the next one's by the second, and so on.
story: edits within one delay lose nothing
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.5 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:01.5 update g {"schedule": {"cron": "0-2 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:02.5 update g {"schedule": {"cron": "0-3 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
record g/a has "pending":[{"nominal":"2026-01-01T01:00:00.000Z"
record g/a has },{"nominal":"2026-01-01T01:00:02.000Z"
now 01:01:39.415
now 01:01:39.416
  > fire g/a 01-01T01:00:01 schedule
now 01:03:42.725
now 01:03:42.726
  > fire g/a 01-01T01:00:02 schedule
now 01:05:19.811
now 01:05:19.812
  > fire g/a 01-01T01:00:03 schedule
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
now 02:00:00
record g/a lacks pending

story: more edits than waiting slots are kept say so
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.5 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:01.5 update g {"schedule": {"cron": "0-2 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:02.5 update g {"schedule": {"cron": "0-3 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:03.5 update g {"schedule": {"cron": "0-4 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:04.5 update g {"schedule": {"cron": "0-4,30 0 1 * * *", "zone": "UTC"}}
  > event skipped g/a first=01-01T01:00:04 last=01-01T01:00:04 count=1 updated
  > result update applied matched=1 changed=1
at 01:00:05.5 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > event skipped g/a first=01-01T01:00:02 last=01-01T01:00:02 count=1 updated
  > event skipped g/a first=01-01T01:00:03 last=01-01T01:00:03 count=1 updated
  > result update applied matched=1 changed=1
now 01:01:39.415
now 01:01:39.416
  > fire g/a 01-01T01:00:01 schedule
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
now 02:00:00
record g/a lacks pending

story: a delete names every waiting slot
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.5 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:01.5 update g {"schedule": {"cron": "0-2 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:02 delete g
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 deleted
  > event skipped g/a first=01-01T01:00:01 last=01-01T01:00:01 count=1 deleted
  > gone g/a
  > result delete applied matched=1 changed=1

story: max_fires 1 holds for what waits
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}, "max_fires": 1}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.5 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:01.5 update g {"schedule": {"cron": "0-2 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:02.5 update g {"schedule": {"cron": "0-3 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
now 01:00:08
now 01:01:00
now 01:02:00
  > fire g/a 01-01T01:00:01 schedule
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 finished
  > event skipped g/a first=01-01T01:00:02 last=01-01T01:00:02 count=1 finished
  > event exhausted g/a
now 01:03:00 01:04:00 01:05:00 01:06:00 01:07:00 01:08:00 01:09:00 01:10:00 01:11:00

story: max_fires 2 holds for what waits
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}, "max_fires": 2}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.5 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:01.5 update g {"schedule": {"cron": "0-2 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:02.5 update g {"schedule": {"cron": "0-3 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
now 01:00:08
now 01:01:00
now 01:02:00
  > fire g/a 01-01T01:00:01 schedule
now 01:03:00
now 01:04:00
  > fire g/a 01-01T01:00:02 schedule
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 finished
  > event exhausted g/a
now 01:05:00 01:06:00 01:07:00 01:08:00 01:09:00 01:10:00 01:11:00

story: max_fires 3 holds for what waits
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}, "max_fires": 3}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.5 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:01.5 update g {"schedule": {"cron": "0-2 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:02.5 update g {"schedule": {"cron": "0-3 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
now 01:00:08
now 01:01:00
now 01:02:00
  > fire g/a 01-01T01:00:01 schedule
now 01:03:00
now 01:04:00
  > fire g/a 01-01T01:00:02 schedule
now 01:05:00
now 01:06:00
  > fire g/a 01-01T01:00:03 catchup
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 finished
  > event exhausted g/a
now 01:07:00 01:08:00 01:09:00 01:10:00 01:11:00

story: max_fires used up before the waiting slot says so
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}, "max_fires": 1}
  > result add applied matched=1 changed=1
at 01:00:00.1 update g {"jitter": null, "schedule": {"cron": "* * * * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
now 01:00:01
  > fire g/a 01-01T01:00:01 schedule
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 finished
  > event exhausted g/a
now 02:00:00

# Its nominal time lies before `end`, its due time behind it.
story: an end within the delay leaves the waiting slot
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.1 update g
    {"jitter": null, "end": "2026-01-01T01:00:03Z",
     "schedule": {"cron": "* * * * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
now 01:00:06
  > fire g/a 01-01T01:00:01 schedule
  > fire g/a 01-01T01:00:02 schedule
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
  > event exhausted g/a

story: an edit in a pause that does not name the waiting slot says so
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.1 pause g
  > result pause applied matched=1 changed=1
at 01:00:00.2 update g {"schedule": {"cron": "0,30 0 1 2 1 *", "zone": "UTC"}}
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 updated
  > result update applied matched=1 changed=1

story: an edit in a pause loses nothing
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.1 pause g
  > result pause applied matched=1 changed=1
at 01:00:00.2 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.3 resume g
  > event resumed g/a from=01-01T01:00:00 to=01-01T01:00:00
  > result resume applied matched=1 changed=1
now 01:01:39.415
now 01:01:39.416
  > fire g/a 01-01T01:00:01 schedule
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
now 02:00:00
record g/a lacks pending

story: a start behind the waiting slot says so
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.5 update g {"schedule": {"cron": "0-1 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:01.6 update g {"start": "2026-01-01T01:00:00.500Z"}
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 updated
  > result update applied matched=1 changed=1
at 01:00:01.7 update g {"start": "2026-01-01T12:00:00Z"}
  > event skipped g/a first=01-01T01:00:01 last=01-01T01:00:01 count=1 updated
  > result update applied matched=1 changed=1
now 02:00:00

story: a one-shot takes over the waiting slot once
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 00:59:59 update g {"schedule": {"cron": "0 0 1 * * *", "zone": "UTC"}}
  > result update applied matched=1 changed=1
at 01:00:00.5 update g {"schedule": {"at": "2026-01-01T01:00:00Z"}}
  > result update applied matched=1 changed=1
at 01:00:01 update g {"jitter": "5s"}
  > result update applied matched=1 changed=1
now 02:00:00
  > fire g/a 01-01T01:00:00 catchup
  > event exhausted g/a

story: an edit fires no slot from before it
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:09:12.718 update g {"jitter": "30m"}
  > fire g/a 01-01T01:00:00 schedule
  > result update applied matched=1 changed=1
restart
now 01:59:59

story: a pause within the delay leaves the waiting slot
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:00.5 pause g
  > result pause applied matched=1 changed=1
restart
at 01:09:11.717 resume g
  > event resumed g/a from=01-01T01:00:00 to=01-01T01:09:11
  > result resume applied matched=1 changed=1
restart
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule

story: a pause over the due time leaves the waiting slot out
at 00:00:30 add g/a {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
at 01:00:00.5 pause g
  > result pause applied matched=1 changed=1
at 01:09:13.717 resume g
  > event resumed g/a from=01-01T01:00:00 to=01-01T01:09:13
  > result resume applied matched=1 changed=1
now 01:59:59

story: an add within a delay fires nothing earlier
begins 2026-01-01T00:00:01Z
at 00:00:01 add g/a {"jitter": "24h", "schedule": {"cron": "0 0 * * *", "zone": "UTC"}}
  > result add applied matched=1 changed=1
restart
now 23:59:59
restart
now 2026-01-02T23:59:59Z
  > fire g/a 01-02T00:00:00 catchup

story: end goes by the nominal time
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"},
     "end": "2026-01-01T01:00:01Z"}
  > result add applied matched=1 changed=1
now 01:09:12.716
now 01:09:12.717
  > fire g/a 01-01T01:00:00 schedule
  > event exhausted g/a

story: an outage catches up by the nominal time
at 00:00:30 add g/a
    {"jitter": "10m", "schedule": {"cron": "0 * * * *", "zone": "UTC"},
     "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
now 03:30:00
  > event catchup_started g/a count=3
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > fire g/a 01-01T03:00:00 catchup
  > event catchup_finished g/a count=3

story: where a new job's last slot came before it nothing is to come, whatever its delay
at 00:00:40 add g/a
    {"schedule": {"cron": "0 0 * * *", "zone": "UTC"}, "jitter": "1h",
     "end": "2026-01-01T00:01:00Z"}
  > result add rejected never_fires matched=1 changed=0
  >   /job/schedule never_fires
