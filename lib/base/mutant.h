/* mutant.h - planted bugs, for the simulator's own test: each must be found. They are there only
 * in its build (-DBELFRY_MUTANTS); in the product mutant() is a constant false. */
#ifndef BELFRY_BASE_MUTANT_H
#define BELFRY_BASE_MUTANT_H

#include <stdbool.h>

#define MUTANTS(row)                                                                               \
    row(WATERMARK_SKIPS_FULL_INSTANT)   /* a herd cut by a full transaction counts as done */      \
    row(COMMAND_INSIDE_INSTANT)         /* a command is applied before its instant is done */      \
    row(COMMAND_ACTS_NOW)               /* a command acts when it is read */                       \
    row(COMMAND_OFFSET_STANDS_STILL)    /* the mark forgets the command just applied */            \
    row(SEEN_NOT_LOOKED_UP)             /* a command id seen before is applied again */            \
    row(SEEN_NOT_RESTORED)              /* remembered ids do not survive a restart */              \
    row(SEEN_FORGOTTEN_EARLY)           /* remembered ids are kept an hour */                      \
    row(UNKNOWN_MEANS_COMMITTED)        /* an unknown outcome is taken for success */              \
    row(UNKNOWN_MEANS_REPEAT)           /* an unknown outcome is always produced again */          \
    row(FATE_BY_SEQUENCE_ALONE)         /* epoch and owner of the last mark are not compared */    \
    row(PROOF_LEFT_OUT)                 /* a producer is opened without proof of ownership */      \
    row(EPOCH_NOT_RAISED)               /* a new owner writes the old one's epoch */               \
    row(ABORT_LEFT_OUT)                 /* an abortable transaction is counted as committed */     \
    row(TAKEOVER_SKIPS_TAIL)            /* Redis is believed, the state log's tail not read */     \
    row(TAKEOVER_IGNORES_TOMBSTONES)    /* deleted jobs rise again */                              \
    row(TAKEOVER_WATERMARK_IS_NOW)      /* slots of the downtime are forgotten */                  \
    row(TAKEOVER_COMMANDS_FROM_NOW)     /* commands of the downtime are not read first */          \
    row(PAUSE_NOT_NOTICED)              /* a frozen process steps before it has read */            \
    row(LATE_READING_NOT_NOTICED)       /* the same of one frozen in the middle of a long wait */  \
    row(CHECKPOINT_FOLLOWS_ANYTHING)    /* a gap in Redis is not rewritten */                      \
    row(CHECKPOINT_AWAY_FORGETS)        /* what a lost call carried is not sent again */           \
    row(CHECKPOINT_FORGETS_DELETIONS)   /* deleted names stay in Redis */                          \
    row(DAMAGED_STORE_BELIEVED)         /* what Redis holds is not counted at a take-over */       \
    row(REWRITE_BEGINS_ANEW)            /* a lost answer of Redis throws a rewrite away */         \
    row(RESUMES_UNGUARDED)              /* it goes on under the token of what may come late */     \
    row(CATCHUP_DECIDED_EACH_COMMAND)   /* the policy is asked at every command */                 \
    row(LATE_SLOT_FIRES_LIVE)           /* lateness is not looked at */                            \
    row(MISSED_NOT_SAID)                /* dropped slots are dropped silently */                   \
    row(OWED_LOST_AT_UPDATE)            /* an edit throws away what is owed */                     \
    row(OWED_LOST_AT_DELETE)            /* no event names what a deletion drops */                 \
    row(LANE_OVERTAKES)                 /* live slots do not queue behind owed ones */             \
    row(LANE_SKIPS)                     /* the lane leaves out an hour behind a slot */            \
    row(MAX_FIRES_ONE_MORE)             /* max_fires is compared the wrong way */                  \
    row(COUNT_NOT_WRITTEN)              /* counting towards max_fires is not recorded */           \
    row(PAUSED_FIRES)                   /* a paused job stays in the timers after a restart */     \
    row(RESUME_FROM_IGNORED)            /* slots of a pause are never caught up */                 \
    row(PAUSE_NEVER_ENDS)               /* `until` does not ring */                                \
    row(ORDINAL_USED_TWICE)             /* the counter of ordinals is not in the mark */           \
    row(FORWARD_FORGOTTEN)              /* a command for other shards is not forwarded */          \
    row(DEAD_LETTER_LEFT_OUT)           /* an unreadable command is not buried */                  \
    row(CLOCK_BELIEVED)                 /* a clock ahead of Kafka's is not corrected */            \
    row(CLOCK_BEHIND_BELIEVED)          /* nor one that is behind */                               \
    row(CLOCK_DOUBT_IGNORED)            /* a slow look at Kafka's clock passes for a good one */   \
    row(CLOCK_SLOW_SAMPLE_REFUSED)      /* with slow commits the clock stays unknown */            \
    row(CHECKPOINT_ASKS)                /* each checkpoint asks Kafka where its log ends */        \
    row(ASIDE_NEVER)                    /* a daemon that cannot commit keeps its shards */         \
    row(ASIDE_FOR_ONE_SHARD)            /* a daemon leaves the group for one bad shard */          \
    row(ASIDE_FOR_WHAT_NEVER_MOVED)     /* and for one that others had given up */                 \
    row(ASIDE_AGAIN)                    /* and again where it did not help */                      \
    row(ASIDE_BY_IDLE_SHARDS)           /* a shard without work counts as one that works */       \
    row(ASIDE_BY_FAILED_SHARDS)         /* one that waits for its operator keeps another */        \
    row(ASIDE_NOT_FOR_A_CLOCK)          /* one that knows its clock is far off keeps a shard */    \
    row(FAILED_FIRE_FORGOTTEN)          /* an undeliverable fire is not retried */                 \
    row(FAILURE_NOT_SAID)               /* no event names an undeliverable fire */                 \
    row(WATERMARK_GOES_BACK)            /* a new owner begins an hour before the last mark */      \
    row(LANE_RUNS_IN_PAUSE)             /* a pause does not stop the catch-up lane */              \
    row(LANE_FIRES_TWICE)               /* what the lane fires for the first time comes twice */   \
    row(LANE_NOT_RESTORED)              /* what is owed waits for ever after a restart */          \
    row(CATCHUP_END_NOT_SAID)           /* no event says that a job has caught up */               \
    row(RESUMED_NOT_SAID)               /* no event names what a pause left out */                 \
    row(SHARD_TAKEN_NOT_SAID)           /* no event names a new owner */                           \
    row(RESULT_LEFT_OUT)                /* a command that changes nothing gets no result */        \
    row(RESULT_TWICE)                   /* a command that changes nothing gets two */              \
    row(UPDATE_KEEPS_POLICY)            /* an update does not change the catch-up policy */        \
    row(UPDATE_KEEPS_PAYLOAD)           /* an update does not change what fires carry */           \
    row(MEMORY_KEPT)                    /* a shard that is lost stays in memory */                 \
    row(TRIGGER_SKIPS_PAUSED)           /* a trigger of a paused job does nothing */               \
    row(DRY_RUN_DOES_IT)                /* a dry run changes the jobs */                           \
    row(BACKFILL_RATE_IGNORED)          /* a backfill fires all it can at once */                  \
    row(BACKFILL_RUNS_IN_PAUSE)         /* a pause does not hold a backfill */                     \
    row(BACKFILL_NOT_WRITTEN)           /* how far a backfill is does not survive a restart */     \
    row(BACKFILL_NOT_RESTORED)          /* backfills do not survive a restart */                   \
    row(BACKFILL_ENDS_SILENTLY)         /* no event names the slots that a cancelled one drops */  \
    row(BACKFILL_ID_FORGOTTEN)          /* a job takes an id of a backfill that it has had */      \
    row(PAST_NOT_RESTORED)              /* a restart forgets ids of backfills and imports */       \
    row(IMPORT_FIRES_PAST)              /* an import fires a one-shot that was due before it */    \
    row(IMPORT_NOT_IN_ID)               /* an imported job's backfills have their former ids */    \
    row(ZONE_MISSING_NOT_WRITTEN)       /* no record says since when a zone is missing */          \
    row(ZONE_DATA_NOT_WRITTEN)          /* no record says which slot other zone data left out */   \
    row(ZONE_DATA_OWED_ALONE_TWICE)     /* owed by itself, and by other data behind that, too */   \
    row(ZONE_DATA_EDITED_RANGE)         /* owed since before an edit: fires again by other data */ \
    row(SPENT_WITHOUT_ZONE)             /* used up, and resumed without its zone: it fires */     \
    row(ZONE_BACK_OWES_NOTHING)         /* a zone is back, what came due meanwhile is forgotten */ \
    row(SELECTED_IN_TABLE_ORDER)        /* a command changes jobs as they stand in a table */     \
    row(REPEATED_COMMIT_BELIEVED)       /* a commit asked for twice keeps its producer */          \
    row(OTHER_BRANCH_BELIEVED)          /* a snapshot of another log's future is gone on from */   \
    row(LOST_STORE_IGNORED)             /* a store that refuses the owner is left as it is */      \
    row(STATE_LOST_NOT_NOTICED)         /* a state log behind Redis is gone on from */        \
    row(GAP_RUN_LOST)                   /* a fixed time in a gap does not run */               \
    row(OVERLAP_RUN_TWICE)              /* a fixed time runs in both passes */                 \
    row(DST_RULE_IGNORED)               /* skip_repeat is read as vixie */                     \
    row(FAR_RULE_IGNORED)               /* a zone's clocks stop changing where the table ends */ \
    row(ZONE_DATA_FIRES_AGAIN)          /* a fired slot fires when other data moves its delay */ \
    row(TZ_CHANGE_NOT_TOLD)             /* no event says that the zone data changed */         \
    row(TZ_VERSION_NOT_MARKED)          /* the mark keeps the zone data's old version */       \
    row(JITTER_EARLY)                   /* a delay is taken off the nominal time */            \
    row(JITTER_PAST_NEXT_SLOT)          /* a delay is not bounded by the next slot */          \
    row(PENDING_FORGOTTEN)              /* a slot waiting for its delay is lost by an edit */  \
    row(PENDING_SURVIVES_ANY_EDIT)      /* it fires although the new schedule has it not */    \
    row(LATEST_KEEPS_ALL)               /* policy latest fires all that is in the window */    \
    row(LATEST_KEEPS_TWO)               /* policy latest fires the two newest slots */         \
    row(NONE_KEEPS_ALL)                 /* policy none fires what is late */                   \
    row(WINDOW_IGNORED)                 /* slots of any age are caught up */                   \
    row(EXTRA_KEPT)                 /* what was unusual about a job stays in memory */         \
    row(ALARMS_KEPT)                /* alarms that nobody wants any more stay */               \
    row(LANE_JOINED_FORGOTTEN)      /* slots that join owed ones use up the lane's rate */     \
    row(LANE_RATE_ROUNDED)          /* a turn forgets what is less than a whole fire */        \
    row(RESTORED_BEFORE_WRITTEN)    /* Redis gets what a restoring decided, and nobody said */ \
    row(GIVEN_UP_ONE_BY_ONE)        /* an event for each slot that a failing job gives up */   \
    row(GRACE_AT_RESUME_IGNORED)    /* the policy drops slots of which none is late */         \
    row(WINDOW_BEFORE_GRACE)        /* the window drops a slot that is not late */             \
    row(LIMIT_ONE_MORE)                 /* one slot more than the limit is caught up */        \
    row(MISSED_COUNT_OFF)               /* a caught-up fire counts itself as missed */         \
    row(REFUSED_RECORD_KEPT)            /* a record our own topic refuses is sent as it is */  \
    row(REFUSAL_NOT_NARROWED)           /* what was refused without a name is sent again */    \
    row(KEY_NOT_BOUNDED)                /* a command's key is taken at any length */           \
    row(REPLIES_NEVER_COME_BACK)        /* a reply topic that failed once gets no more */      \
    row(PROBE_TAKES_ALL)                /* all jobs of a suspect topic try it at once */       \
    row(STALL_CHARGED_TO_TOPICS)        /* a probe held up by Kafka silences bad topics */     \
    row(BEGUN_FORGOTTEN)            /* a command half done whose record is cut is dropped */ \
    row(BEGUN_BY_NEW_LIMITS)            /* a command half done is read by today's limits */ \
    row(CUT_TO_MARKERS)                 /* a mark stands before markers; a cut log is dead */  \
    row(CUT_NOT_PASSED)                 /* a log cut behind the mark is not read on */         \
    row(UNSETTLED_DRAINED)              /* an orderly stop writes whatever is in memory */     \
    row(FAILED_COMMIT_SETTLED)          /* and what a failed commit has left there, too */     \
    row(LAST_READ_NOT_COMPARED)         /* an input log made anew is read on */                \
    row(SAME_EPOCH_IGNORED)             /* a store with more of our epoch goes on refusing us */  \
    row(GONE_BEFORE_IT_CAME)            /* Redis forgets a record before it gets it */             \
    row(LATE_GROUP_ANEW)                /* an older group that came late costs a whole rewrite */  \
    row(DAMAGE_NOT_SIGNED)              /* a late group whose numbers are wrong leaves no trace */ \
    row(LATE_GROUP_LEFT)                /* what an older group overwrote stays overwritten */      \
    row(DECIDED_AGAIN_BLINDLY)          /* what a daemon cut off has decided goes out unseen */    \
    row(OWN_COMMIT_FORGOTTEN)           /* a log that lost our own commits is gone on from */      \
    row(OWN_COMMIT_NEVER_GIVEN_UP)      /* it is refused behind an operator's decision, too */     \
    row(OWN_COMMIT_TOO_EARLY)           /* what was only tried is missed, too */                   \
    row(OUTBOX_FREED_EARLY)             /* values are freed while a producer has them */

enum mutant {
    MUTANT_NONE = 0,
#define MUTANT_NAME(name) MUTANT_##name,
    MUTANTS(MUTANT_NAME)
#undef MUTANT_NAME
        MUTANT_COUNT
};

#ifdef BELFRY_MUTANTS
extern enum mutant mutant_planted; /* the simulator's */
static inline bool mutant(enum mutant which)
{
    return mutant_planted == which;
}
#else
static inline bool mutant(enum mutant which)
{
    (void)which;
    return false;
}
#endif

#endif
