/* observed.h - everything that operators are told: one row is one event, one line of the log. A new
 * event is a row here, the call that tells it (observer.h), and what it means in
 * docs/operation.md; tests/contract/test_observed.py holds the three against each other. */
#ifndef BELFRY_ENGINE_OBSERVED_H
#define BELFRY_ENGINE_OBSERVED_H

#include <stdbool.h>
#include <stdint.h>

enum observer_level {
    LEVEL_AS_SAID = -1, /* of a row only: its calls name the level, each its own */
    LEVEL_DEBUG = 0,
    LEVEL_INFO,
    LEVEL_WARN,
    LEVEL_ERROR
};

/* What an event may say. NUMBER: int64_t. ANSWER: bool, yes or no. WORD: bare, without blanks;
 * TEXT: free, in quotes; NULL: left out. */
#define OBSERVED_KEYS(NUMBER, ANSWER, WORD, TEXT)                                                  \
    WORD(ACTION, action)                                                                           \
    WORD(ADDRESS, address)                                                                         \
    NUMBER(ADVISED, advised)                                                                       \
    NUMBER(AHEAD_MS, ahead_ms)                                                                     \
    NUMBER(ASSIGNED, assigned)                                                                     \
    NUMBER(ATTEMPT, attempt)                                                                       \
    NUMBER(BEHIND_MS, behind_ms)                                                                   \
    NUMBER(BY_MS, by_ms)                                                                           \
    WORD(CHECKPOINT, checkpoint)                                                                   \
    WORD(CLUSTER, cluster)                                                                         \
    WORD(CODE, code)                                                                               \
    NUMBER(COUNT, count)                                                                           \
    NUMBER(CUT, cut)                                                                               \
    NUMBER(EPOCH, epoch)                                                                           \
    NUMBER(EXIT, exit)                                                                             \
    NUMBER(EXPECTED_SEQUENCE, expected_sequence)                                                   \
    NUMBER(FIRES, fires)                                                                           \
    NUMBER(FOR_MS, for_ms)                                                                         \
    NUMBER(FROM, from)                                                                             \
    ANSWER(FROM_STORE, from_store)                                                                 \
    NUMBER(JOBS, jobs)                                                                             \
    WORD(KAFKA_CLUSTER_ID, kafka_cluster_id)                                                       \
    WORD(KIND, kind)                                                                               \
    NUMBER(LIMIT, limit)                                                                           \
    NUMBER(LOG_RECORDS, log_records)                                                               \
    TEXT(MESSAGE, message)                                                                         \
    NUMBER(NOMINAL_MS, nominal_ms)                                                                 \
    NUMBER(OFFSET, offset)                                                                         \
    WORD(OUTCOME, outcome)                                                                         \
    WORD(OWNER, owner)                                                                             \
    NUMBER(PID, pid)                                                                               \
    WORD(REASON, reason)                                                                           \
    NUMBER(RECORDS, records)                                                                       \
    NUMBER(RESULTS, results)                                                                       \
    NUMBER(SEQUENCE, sequence)                                                                     \
    NUMBER(SHARDS, shards)                                                                         \
    NUMBER(SHARDS_LEFT, shards_left)                                                               \
    WORD(SIGNAL, signal)                                                                           \
    WORD(STATE, state)                                                                             \
    NUMBER(TIMES, times)                                                                           \
    NUMBER(TO, to)                                                                                 \
    NUMBER(TOOK_MS, took_ms)                                                                       \
    NUMBER(TOOK_US, took_us)                                                                       \
    WORD(TOPIC, topic)                                                                             \
    NUMBER(UNREAD_HERE, unread_here)                                                               \
    WORD(VERSION, version)                                                                         \
    NUMBER(WATERMARK_MS, watermark_ms)

/* Kind, name, level, and the keys in the order of the line. */
#define OBSERVED_EVENTS(EVENT)                                                                     \
    EVENT(DAEMON_STARTING, "daemon.starting", INFO, KEY_VERSION, KEY_PID, KEY_CLUSTER)             \
    EVENT(DAEMON_READY, "daemon.ready", INFO, KEY_CLUSTER, KEY_OWNER, KEY_SHARDS, KEY_ASSIGNED,    \
          KEY_KAFKA_CLUSTER_ID)                                                                    \
    EVENT(DAEMON_SIGNAL, "daemon.signal", INFO, KEY_SIGNAL)                                        \
    EVENT(DAEMON_STOPPING, "daemon.stopping", INFO, KEY_NONE)                                      \
    EVENT(DAEMON_STOPPED, "daemon.stopped", INFO, KEY_SHARDS_LEFT)                                 \
    EVENT(DAEMON_KILLED, "daemon.killed", WARN, KEY_REASON, KEY_EXIT)                              \
    EVENT(DAEMON_FAILED, "daemon.failed", ERROR, KEY_KIND, KEY_MESSAGE)                            \
    EVENT(DAEMON_FENCED, "daemon.fenced", ERROR, KEY_KIND, KEY_MESSAGE)                            \
    EVENT(DAEMON_AGAIN, "daemon.again", WARN, KEY_MESSAGE)                                         \
    EVENT(DAEMON_DESCRIPTORS, "daemon.descriptors", WARN, KEY_LIMIT, KEY_ADVISED)                  \
    EVENT(HTTP_LISTENING, "http.listening", INFO, KEY_ADDRESS)                                     \
    EVENT(LOG_DROPPED, "log.dropped", WARN, KEY_COUNT)                                             \
    EVENT(KAFKA_AWAY, "kafka.away", WARN, KEY_KIND, KEY_MESSAGE)                                   \
    EVENT(KAFKA_TOPIC, "kafka.topic", INFO, KEY_MESSAGE)                                           \
    EVENT(KAFKA_LOG, "kafka.log", AS_SAID, KEY_MESSAGE)                                            \
    EVENT(REDIS_AWAY, "redis.away", WARN, KEY_MESSAGE)                                             \
    EVENT(REDIS_CLAIMED, "redis.claimed", INFO, KEY_NONE)                                          \
    EVENT(REDIS_WARNING, "redis.warning", WARN, KEY_MESSAGE)                                       \
    EVENT(REDIS_REFUSED, "redis.refused", ERROR, KEY_MESSAGE)                                      \
    EVENT(GROUP_STEPPED_ASIDE, "group.stepped_aside", ERROR, KEY_FOR_MS, KEY_MESSAGE)              \
    EVENT(GROUP_BACK, "group.back", WARN, KEY_NONE)                                                \
    EVENT(GROUP_NOT_JOINED, "group.not_joined", WARN, KEY_KIND, KEY_MESSAGE)                       \
    EVENT(GROUP_ASSIGNED, "group.assigned", INFO, KEY_SHARDS)                                      \
    EVENT(GROUP_NOT_LEFT, "group.not_left", WARN, KEY_KIND, KEY_MESSAGE)                           \
    EVENT(TOPIC_PARTITIONS_ADDED, "topic.partitions_added", ERROR, KEY_SHARDS, KEY_UNREAD_HERE,    \
          KEY_MESSAGE)                                                                             \
    EVENT(SHARD_RESTORED, "shard.restored", INFO, KEY_JOBS, KEY_FROM_STORE, KEY_LOG_RECORDS,       \
          KEY_SEQUENCE)                                                                            \
    EVENT(SHARD_TAKEN, "shard.taken", INFO, KEY_EPOCH, KEY_JOBS, KEY_WATERMARK_MS, KEY_TOOK_MS)    \
    EVENT(SHARD_LIVE, "shard.live", INFO, KEY_EPOCH, KEY_SEQUENCE)                                 \
    EVENT(SHARD_DROPPED, "shard.dropped", INFO, KEY_NONE)                                          \
    EVENT(SHARD_DRAINED, "shard.drained", INFO, KEY_SEQUENCE, KEY_CHECKPOINT)                      \
    EVENT(SHARD_FENCED, "shard.fenced", INFO, KEY_KIND, KEY_MESSAGE)                               \
    EVENT(SHARD_CONTESTED, "shard.contested", ERROR, KEY_TIMES, KEY_MESSAGE)                       \
    EVENT(SHARD_RETRY, "shard.retry", WARN, KEY_KIND, KEY_MESSAGE)                                 \
    EVENT(SHARD_RESTART, "shard.restart", WARN, KEY_KIND, KEY_MESSAGE)                             \
    EVENT(SHARD_PAUSED, "shard.paused", WARN, KEY_FOR_MS)                                          \
    EVENT(SHARD_FAILED, "shard.failed", ERROR, KEY_KIND, KEY_MESSAGE)                              \
    EVENT(SHARD_STUCK, "shard.stuck", ERROR, KEY_STATE, KEY_FOR_MS, KEY_SEQUENCE, KEY_EPOCH)       \
    EVENT(SHARD_ENDED, "shard.ended", INFO, KEY_NONE)                                              \
    EVENT(SHARD_NOT_STARTED, "shard.not_started", ERROR, KEY_KIND, KEY_CODE, KEY_MESSAGE)          \
    EVENT(SHARD_COMMITTED, "shard.committed", DEBUG, KEY_SEQUENCE, KEY_RECORDS, KEY_FIRES,         \
          KEY_TOOK_US)                                                                             \
    EVENT(COMMAND_REJECTED, "command.rejected", DEBUG, KEY_OFFSET, KEY_CODE, KEY_MESSAGE)          \
    EVENT(COMMAND_INTERRUPTED, "command.interrupted", ERROR, KEY_OFFSET, KEY_MESSAGE)              \
    EVENT(COMMIT_FAILED, "commit.failed", WARN, KEY_KIND, KEY_MESSAGE)                             \
    EVENT(COMMIT_SETTLED, "commit.settled", WARN, KEY_SEQUENCE, KEY_OUTCOME)                       \
    EVENT(COMMIT_NARROWED, "commit.narrowed", WARN, KEY_CUT, KEY_RECORDS)                          \
    EVENT(PRODUCER_RETRY, "producer.retry", WARN, KEY_KIND, KEY_MESSAGE)                           \
    EVENT(MARK_RETRY, "mark.retry", WARN, KEY_KIND, KEY_MESSAGE)                                   \
    EVENT(RECORD_REFUSED, "record.refused", WARN, KEY_MESSAGE)                                     \
    EVENT(REPLY_MOVED, "reply.moved", WARN, KEY_RESULTS, KEY_MESSAGE)                              \
    EVENT(FIRE_FAILED, "fire.failed", WARN, KEY_REASON, KEY_NOMINAL_MS, KEY_ATTEMPT)               \
    EVENT(CHECKPOINT_AWAY, "checkpoint.away", WARN, KEY_MESSAGE)                                   \
    EVENT(CHECKPOINT_CAUGHT_UP, "checkpoint.caught_up", INFO, KEY_SEQUENCE)                        \
    EVENT(CHECKPOINT_GAP, "checkpoint.gap", WARN, KEY_EXPECTED_SEQUENCE, KEY_ACTION, KEY_MESSAGE)  \
    EVENT(CHECKPOINT_STALE, "checkpoint.stale", WARN, KEY_MESSAGE)                                 \
    EVENT(CHECKPOINT_DAMAGED, "checkpoint.damaged", WARN, KEY_EXPECTED_SEQUENCE, KEY_ACTION,       \
          KEY_MESSAGE)                                                                             \
    EVENT(STORE_IGNORED, "store.ignored", WARN, KEY_REASON, KEY_MESSAGE)                           \
    EVENT(INPUT_CUT, "input.cut", WARN, KEY_TOPIC, KEY_FROM, KEY_TO, KEY_MESSAGE)                  \
    EVENT(ZONE_MISSING, "zone.missing", WARN, KEY_JOBS, KEY_MESSAGE)                               \
    EVENT(CLOCK_AHEAD, "clock.ahead", ERROR, KEY_AHEAD_MS, KEY_ACTION)                             \
    EVENT(CLOCK_BEHIND, "clock.behind", ERROR, KEY_BEHIND_MS, KEY_ACTION)                          \
    EVENT(CLOCK_WAITS, "clock.waits", WARN, KEY_MESSAGE)                                           \
    EVENT(CLOCK_SET_BACK, "clock.set_back", ERROR, KEY_BY_MS, KEY_MESSAGE)                         \
    EVENT(CLOCK_UNKNOWN, "clock.unknown", WARN, KEY_ACTION, KEY_MESSAGE)                           \
    EVENT(CLOCK_STEPPED, "clock.stepped", WARN, KEY_BY_MS)

/* KEY_ACTION ... */
#define OBSERVED_KEY(name, member) KEY_##name,
enum observed_key {
    KEY_NONE = 0,
    OBSERVED_KEYS(OBSERVED_KEY, OBSERVED_KEY, OBSERVED_KEY, OBSERVED_KEY) OBSERVED_KEY_COUNT
};
#undef OBSERVED_KEY

/* OBSERVED_DAEMON_STARTING ... */
#define OBSERVED_EVENT(kind, ...) OBSERVED_##kind,
enum observed_kind { OBSERVED_EVENTS(OBSERVED_EVENT) OBSERVED_KINDS };
#undef OBSERVED_EVENT

/* The values of one event, those of its row's keys: .action, .advised ... Texts are borrowed. */
#define OBSERVED_NUMBER(name, member) int64_t member;
#define OBSERVED_ANSWER(name, member) bool member;
#define OBSERVED_WORDS(name, member) const char *member;
struct observed {
    OBSERVED_KEYS(OBSERVED_NUMBER, OBSERVED_ANSWER, OBSERVED_WORDS, OBSERVED_WORDS)
};
#undef OBSERVED_NUMBER
#undef OBSERVED_ANSWER
#undef OBSERVED_WORDS

enum { OBSERVED_KEYS_MOST = 6 };

struct observed_row {
    const char *name; /* noun.verb */
    enum observer_level level;
    enum observed_key keys[OBSERVED_KEYS_MOST]; /* then KEY_NONE */
};

const struct observed_row *observed_row(enum observed_kind kind);

enum observed_form { FORM_NUMBER, FORM_ANSWER, FORM_WORD, FORM_TEXT };

/* One value, with its key. */
struct observed_value {
    const char *key;
    enum observed_form form;
    int64_t number;   /* of a number */
    const char *text; /* of the others, an answer is yes or no; NULL: nothing is said */
};

struct observed_value observed_value(const struct observed *said, enum observed_key key);

#endif
