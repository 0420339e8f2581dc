# What a command is answered: duplicates, conflicts, the modes atomic and each.
# How to read this: README.md.

story: a command id is applied once, and answered with its first outcome
at 00:00:00
    {"op": "add", "command_id": "c1", "job": {"group": "g", "id": "a", "schedule": {"every": "1m"}}}
  > result add applied matched=1 changed=1
at 00:00:01 delete * {"command_id": "c1"}
  > result delete duplicate matched=0 changed=0
at 2026-01-02T00:00:02Z {"op": "ping", "command_id": "c2"}
  > result ping applied matched=0 changed=0

story: adds are atomic; each takes the good ones
at 00:00:00 add g/a {"schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
at 00:00:01
    {"op": "add",
     "jobs": [{"group": "g", "id": "b", "schedule": {"every": "1h"}},
              {"group": "g", "id": "a", "schedule": {"every": "1h"}}]}
  > result add conflict exists matched=2 changed=0
  >   /jobs/1 exists
at 00:00:02
    {"op": "add", "mode": "each",
     "jobs": [{"group": "g", "id": "b", "schedule": {"every": "1h"}},
              {"group": "g", "id": "a", "schedule": {"every": "1h"}}]}
  > result add partial exists matched=2 changed=1
  >   /jobs/1 exists
at 00:00:03 pause g {"expect": 3}
  > result pause conflict count_mismatch matched=2 changed=0
  >   /expect count_mismatch
at 00:00:04 pause g {"expect": 2}
  > result pause applied matched=2 changed=2
at 00:00:05 pause g
  > result pause unchanged matched=2 changed=0

story: what cannot be read is rejected with its code
at 00:00:00 {"op": "pause", "select": {}}
  > result pause rejected empty_selector matched=0 changed=0
at 00:00:00 broken {"op":"add"
  > result  rejected invalid_json matched=0 changed=0

story: mode each does what can be read and lists the rest
at 00:00:00
    {"op": "add", "mode": "each",
     "jobs": [{"group": "g", "id": "bad id", "schedule": {"every": "1h"}},
              {"group": "g", "id": "b", "schedule": {"cron": "61 * * * *"}},
              {"group": "g", "id": "c", "schedule": {"every": "1h"}},
              {"group": "g", "id": "c", "schedule": {"every": "2h"}}, 7]}
  > result add partial bad_name matched=5 changed=1
  >   /jobs/0/id bad_name
  >   /jobs/1/schedule/cron bad_cron
  >   /jobs/4 wrong_type
  >   /jobs/3 bad_value
now 01:00:00
  > fire g/c 01-01T01:00:00 schedule

story: mode each with nothing readable is rejected, all of it listed
at 00:00:00 {"op": "put", "mode": "each", "jobs": [{"group": "g"}, 1]}
  > result put rejected missing_field matched=2 changed=0
  >   /jobs/0/id missing_field
  >   /jobs/1 wrong_type

story: mode atomic: one bad job rejects the command
at 00:00:00
    {"op": "add",
     "jobs": [{"group": "g", "id": "c", "schedule": {"every": "1h"}},
              {"group": "g", "id": "d", "schedule": {"every": "1"}}]}
  > result add rejected bad_duration matched=0 changed=0

story: the place of a job that exists, or never fires
at 00:00:00 add g/a {"schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
at 00:00:01
    {"op": "add", "mode": "each", "expect": 9,
     "jobs": [7,
              {"group": "g", "id": "n", "schedule": {"every": "1h"},
               "end": "2020-01-01T00:00:00Z"},
              {"group": "g", "id": "a", "schedule": {"every": "1h"}},
              {"group": "g", "id": "z", "schedule": {"every": "1h"}}]}
  > result add partial count_mismatch matched=4 changed=1
  >   /expect count_mismatch
  >   /jobs/0 wrong_type
  >   /jobs/1/schedule never_fires
  >   /jobs/2 exists

story: a put compares the revision
at 00:00:00 add g/a {"schedule": {"every": "1h"}}
  > result add applied matched=1 changed=1
at 00:00:01
    {"op": "put", "expected_revision": 2,
     "job": {"group": "g", "id": "a", "schedule": {"every": "2h"}}}
  > result put conflict revision_mismatch matched=1 changed=0
  >   /expected_revision revision_mismatch
at 00:00:02
    {"op": "put", "expected_revision": 1,
     "job": {"group": "g", "id": "b", "schedule": {"every": "2h"}}}
  > result put conflict not_found matched=1 changed=0
  >   /expected_revision not_found
at 00:00:03
    {"op": "put", "expected_revision": 1,
     "job": {"group": "g", "id": "a", "schedule": {"every": "2h"}}}
  > result put applied matched=1 changed=1
