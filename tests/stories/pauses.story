# Pauses, what they leave out, and what a resume brings back.
# How to read this: README.md.

story: a pause sent during an outage stops exactly the slots after it
at 00:00:00 add g/a {"schedule": {"every": "1h"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 02:30:00 now 09:10:00 pause g
  > event catchup_started g/a count=2
  > result pause applied matched=1 changed=1
now 09:20:00
at 10:30:00 resume g
  > event resumed g/a from=01-01T02:30:00 to=01-01T10:30:00
  > result resume applied matched=1 changed=1
now 10:30:01
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > event catchup_finished g/a count=2
now 11:00:00
  > fire g/a 01-01T11:00:00 schedule

story: an automatic resume: a slot at `until` fires
at 00:00:00 add g/a {"schedule": {"cron": "* * * * *"}}
  > result add applied matched=1 changed=1
at 00:00:30 pause g {"until": "2026-01-01T00:03:00Z"}
  > result pause applied matched=1 changed=1
now 00:02:30
now 00:03:00
  > event resumed g/a from=01-01T00:00:30 to=01-01T00:02:59
  > fire g/a 01-01T00:03:00 schedule

story: resume from paused_at catches up what the pause left out
at 00:00:00 add g/a {"schedule": {"cron": "0 * * * *"}, "catchup": {"policy": "all"}}
  > result add applied matched=1 changed=1
at 00:30:00 pause g
  > result pause applied matched=1 changed=1
at 02:30:00 resume g {"from": "paused_at"}
  > event resumed g/a from=01-01T00:30:00 to=01-01T00:30:00
  > event catchup_started g/a count=2
  > result resume applied matched=1 changed=1
now 02:30:01
  > fire g/a 01-01T01:00:00 catchup
  > fire g/a 01-01T02:00:00 catchup
  > event catchup_finished g/a count=2

story: resume from paused_at: of slots of which none is late all fire, whatever the policy
at 00:00:00 add g/a {"schedule": {"every": "10s"}, "catchup": {"policy": "latest", "window": "1s"}}
  > result add applied matched=1 changed=1
at 00:00:05 pause g
  > result pause applied matched=1 changed=1
at 00:00:35 resume g {"from": "paused_at"}
  > event resumed g/a from=01-01T00:00:05 to=01-01T00:00:05
  > result resume applied matched=1 changed=1
now 00:00:36
  > fire g/a 01-01T00:00:10 catchup
  > fire g/a 01-01T00:00:20 catchup
  > fire g/a 01-01T00:00:30 catchup

story: a one-shot whose time passed while paused is skipped at the resume
at 00:00:00 add g/a {"schedule": {"at": "2026-01-01T01:00:00Z"}}
  > result add applied matched=1 changed=1
at 00:30:00 pause g
  > result pause applied matched=1 changed=1
at 02:30:00 resume g
  > event resumed g/a from=01-01T00:30:00 to=01-01T02:30:00
  > event skipped g/a first=01-01T01:00:00 last=01-01T01:00:00 count=1 paused
  > event exhausted g/a
  > result resume applied matched=1 changed=1

story: a past instant given in a pause is named when the pause ends
at 00:00:00 add g/a {"schedule": {"cron": "0 0 * * *"}, "paused": true}
  > result add applied matched=1 changed=1
at 00:15:00 update g {"schedule": {"at": "2025-12-31T23:00:00Z"}}
  > result update applied matched=1 changed=1
at 00:16:00 resume g
  > event resumed g/a from=01-01T00:00:00 to=01-01T00:16:00
  > event skipped g/a first=12-31T23:00:00 last=12-31T23:00:00 count=1 paused
  > event exhausted g/a
  > result resume applied matched=1 changed=1

story: the reason is kept as long as the pause
at 00:00:00 add g/a {"schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
at 00:00:01 pause * {"reason": "a \"move\""}
  > result pause applied matched=1 changed=1
restart
at 00:00:02 update * {"payload": 1}
  > result update applied matched=1 changed=1
record g/a has "pause_reason":"a \"move\""
at 00:00:03 resume *
  > event resumed g/a from=01-01T00:00:01 to=01-01T00:00:03
  > result resume applied matched=1 changed=1
record g/a lacks pause_reason
