# What commands do to the runs of a job, and what a slot does while one is open. The worker's
# reports are about the oldest run of the job with a try out.
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
