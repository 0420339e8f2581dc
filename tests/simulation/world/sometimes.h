/* sometimes.h - what has to happen now and then for a campaign to prove anything: each kind of
 * fault, each branch of the recovery. A run that misses one fails. */
#ifndef BELFRY_TESTS_SOMETIMES_H
#define BELFRY_TESTS_SOMETIMES_H

#include <stdint.h>

#define SOMETIMES(row)                                                                             \
    row(CRASH, "a process was killed")                                                             \
    row(CRASH_IN_COMMIT, "a process was killed around a commit")                                   \
    row(FREEZE, "a process was frozen")                                                            \
    row(ZOMBIE, "a process woke after its shards had a new owner")                                 \
    row(CUT_OFF, "a process was cut off from Kafka")                                               \
    row(KAFKA_LOST, "Kafka lost the end of a state log")                                           \
    row(STATE_LOST, "a state log behind Redis was refused")                                        \
    row(OWN_COMMIT_LOST, "a state log that lacks an owner's own commits was refused")              \
    row(MADE_ANEW, "an input topic was made anew")                                                 \
    row(LAST_READ_GONE, "the last record read was gone from its topic")                            \
    row(BEGUN_GONE, "the record of a command half done was gone from its topic")                   \
    row(LOG_NOT_WHOLE, "a state log that lacks jobs was refused")                                  \
    row(LOSS_WENT_BACK, "a new owner went on from before what was lost")                           \
    row(OTHER_BRANCH, "a snapshot of what Kafka had lost was not believed")                        \
    row(LOST_STORE, "Redis refused the owner for what Kafka had lost")                             \
    row(LOSS_FORGOT, "a new owner was restored from a state log with a hole")                      \
    row(KAFKA_DOWN, "Kafka was away")                                                              \
    row(SHUTDOWN, "a process ended in order")                                                      \
    row(LEAVE_AT, "a process was asked to end in the middle of something")                         \
    row(CLOCK_STEP, "a clock was stepped")                                                         \
    row(CLOCK_DRIFT, "a clock drifted")                                                            \
    row(CLOCK_CORRECTED, "a clock ahead of Kafka's was corrected")                                 \
    row(CLOCK_REFUSED, "a clock far ahead was not believed")                                       \
    row(NO_MEMORY, "an allocation failed")                                                         \
    row(COMMIT_ABORTABLE, "a commit asked for an abort")                                           \
    row(COMMIT_NOT_SENT, "a commit never arrived")                                                 \
    row(COMMIT_CUT, "a commit was cut in the middle of its records")                               \
    row(COMMIT_REPLY_LOST, "the reply to a commit was lost")                                       \
    row(COMMIT_LATE, "the end of a transaction was late")                                          \
    row(COMMIT_SLOW, "a commit took long")                                                         \
    row(COMMITS_SLOW, "a commit was one of many that took long")                                   \
    row(BAD_LEADER, "nobody could write a partition")                                              \
    row(STEPPED_ASIDE, "a process left the group for a moment")                                    \
    row(CLOCK_BEHIND, "a clock behind Kafka's was corrected")                                      \
    row(COMMIT_PARTS, "a transaction came in parts")                                               \
    row(COMMIT_TWICE, "a commit was asked for twice")                                              \
    row(END_FENCED, "a late end of a transaction was refused")                                     \
    row(COORDINATOR_TIMEOUT, "the coordinator gave up the transaction of a living owner")          \
    row(LATE_INIT, "init_transactions came late")                                                  \
    row(LATE_INIT_FENCED_OWNER, "a late init_transactions fenced the rightful owner")              \
    row(PROOF_REFUSED, "a proof of ownership was refused")                                         \
    row(SETTLED_COMMITTED, "an unknown outcome turned out committed")                              \
    row(SETTLED_REPEAT, "an unknown outcome was repeated")                                         \
    row(SETTLED_LOST, "an unknown outcome: another owner had been there")                          \
    row(RESTORED_STORE, "a shard was restored from Redis")                                         \
    row(RESTORED_LOG, "a shard was restored from the state log alone")                             \
    row(STORE_IGNORED, "Redis was ignored at a take-over")                                         \
    row(REDIS_AWAY, "Redis was away")                                                              \
    row(REDIS_SLOW, "Redis was slow")                                                              \
    row(REDIS_FLUSHED, "Redis was flushed")                                                        \
    row(REDIS_ROLLED_BACK, "Redis was rolled back")                                                \
    row(REDIS_DAMAGED, "Redis lost some of its keys")                                              \
    row(DAMAGE_AT_TAKEOVER, "a Redis that had lost keys was not believed")                         \
    row(DAMAGE_MENDED, "an owner noticed that Redis had lost keys")                                \
    row(REDIS_FLAKY, "Redis lost a call or a reply again and again")                               \
    row(REDIS_LATE, "a call to Redis came after its owner had given it up")                        \
    row(REDIS_COMPARED, "what Redis had after lost answers was compared with memory")              \
    row(CHECKPOINT_RESUMED, "a group went on after an unknown outcome")                            \
    row(REWRITE_RESUMED, "a rewrite went on where it was")                                         \
    row(REDIS_LOST_BEFORE, "a call to Redis got lost")                                             \
    row(REDIS_LOST_AFTER, "a reply of Redis got lost")                                             \
    row(CHECKPOINT_GAP, "Redis did not follow: the shard was written anew")                        \
    row(CHECKPOINT_STALE, "an old owner was refused by Redis")                                     \
    row(FENCED, "an owner was fenced")                                                             \
    row(CONTESTED, "an owner was fenced again and again")                                          \
    row(PAUSED, "a shard noticed that it had been away")                                           \
    row(COMPACTED, "the state log was compacted")                                                  \
    row(RETAINED, "old commands were deleted")                                                     \
    row(INPUT_CUT, "a log was read on behind what retention had cut")                              \
    row(FORWARDED, "a command was forwarded")                                                      \
    row(DEAD_LETTER, "a record was buried")                                                        \
    row(FIRE_LIVE, "a fire came out live")                                                         \
    row(FIRE_CAUGHT_UP, "a fire was caught up")                                                    \
    row(FIRE_TRIGGERED, "a fire was triggered")                                                    \
    row(TRIGGERED_IN_PAUSE, "a paused job was triggered")                                          \
    row(FIRE_BACKFILLED, "a past slot was fired again")                                            \
    row(BACKFILL_ENDED, "a backfill ended before its last slot")                                   \
    row(DRY_RUN, "a command was tried without doing it")                                           \
    row(FIRE_RETRIED, "a failed fire was retried")                                                 \
    row(FIRE_FAILED, "a fire could not be delivered")                                              \
    row(MISSED, "slots were missed")                                                               \
    row(SKIPPED, "slots were skipped")                                                             \
    row(EXHAUSTED, "a job ended")                                                                  \
    row(RESUMED, "a job was resumed")                                                              \
    row(RESUMED_BY_TIME, "a pause ended by itself")                                                \
    row(DUPLICATE, "a command id was seen again")                                                  \
    row(IN_COMMAND, "a command took several transactions")                                         \
    row(HALF_INSTANT, "a herd took several transactions")                                          \
    row(UPDATE_IN_HERD, "a command met a herd under way")                                          \
    row(MANY_COMMANDS, "many commands waited at a take-over")                                      \
    row(ZONES_REPLACED, "a process got other zone data")                                           \
    row(ZONE_LOST, "a process got zone data without the zone of some jobs")                       \
    row(ZONE_GIVEN_UP, "a command ended what a job owed for a missing zone")                      \
    row(TZ_CHANGED, "a shard with jobs in zones got an owner with other zone data")                \
    row(RECKONED, "owed slots were counted anew by other zone data")                               \
    row(GAP_FIRE, "a fixed time left out by a clock came at the end of the gap")                   \
    row(SECOND_PASS, "a local time was fired when it came again")                                  \
    row(REPLY_MOVED, "a reply topic did not take its results")                                     \
    row(RECORD_REFUSED, "one of our own topics refused a record by name")                          \
    row(NARROWED, "one of our own topics refused a record without a name")                         \
    row(UNFIT, "a command could not be written")                                                   \
    row(SINGLY, "commands were done one by one to find it")                                        \
    row(BULKY, "a command came with too large a key or headers")                                   \
    row(STRICT, "a process had a stricter configuration than one before it")                       \
    row(JITTER, "a fire was delayed")                                                              \
    row(WAITED, "a delayed slot waited over an edit of its schedule")                              \
    row(COUNTED_OWING, "jobs that owe were counted")                                               \
    row(COUNTED_FAILING, "failing jobs were counted")                                              \
    row(SLOT_MEETS_RUN, "a slot met a run of its job, and a policy had to choose")                 \
    row(REQUEUED, "a run that was over came again")                                                \
    row(RUN_CANCELLED, "a command asked runs of a job to stop")                                    \
    row(AUTO_PAUSED, "a job was paused for its failures")                                          \
    row(RUNS_TAKEN_OVER, "a shard that has had open runs got an owner")                            \
    row(WORKER_DIED, "a worker died")                                                              \
    row(WORKER_DRAINED, "a worker ended in order")                                                 \
    row(WORKER_FROZEN, "a worker's machine was frozen")                                            \
    row(WORKER_FROZEN_ALONE, "a worker was frozen while its programs went on")                     \
    row(WORKER_CUT_OFF, "a worker was cut off from Kafka")                                         \
    row(WORKER_EXPELLED, "a group threw out a living worker")                                      \
    row(WORKER_HARMED_AT, "something was done to a worker between two steps")                      \
    row(WORKERS_REBALANCED, "a group of workers was rebalanced")                                   \
    row(CLAIM_EXPIRED, "a claim was too late for its try")                                         \
    row(CLAIM_TOO_LATE, "a claim was committed, and no time was left")                             \
    row(CLAIM_FORGOTTEN, "a claim was taken away between its steps")                               \
    row(OFFSETS_UNKNOWN, "a worker did not learn whether its offsets are committed")               \
    row(OFFSETS_REFUSED, "offsets of a worker were refused")                                       \
    row(OFFSETS_SET_BACK, "the offsets of a group of workers were set back")                       \
    row(REPORT_ASTRAY, "a report was late, lost, doubled or not acknowledged")                     \
    row(PROGRAM_STARTED, "a try was started")                                                      \
    row(STARTED_LATE, "a worker froze just before a start")                                        \
    row(PROGRAM_RAN_ON, "a program ran on without its worker")                                     \
    row(PROGRAM_TERM, "a program was asked to end as no sign got through")                         \
    row(PROGRAM_KILLED, "a program was killed at the end of its lease")                            \
    row(PROGRAM_CANCELLED, "a program stopped as it was asked to")                                 \
    row(STOP_ASKED, "a try was asked to stop")                                                     \
    row(FORGED, "strangers wrote into runs")                                                       \
    row(RUNS_HIDDEN, "a client's transaction hid the end of runs")                                 \
    row(APPENDED_BACK, "append times of runs stepped back")

enum sometimes_kind {
#define SOMETIMES_NAME(name, text) SOMETIMES_##name,
    SOMETIMES(SOMETIMES_NAME)
#undef SOMETIMES_NAME
        SOMETIMES_COUNT
};

struct sometimes {
    int64_t count[SOMETIMES_COUNT];
};
const char *sometimes_text(enum sometimes_kind kind);

#endif
