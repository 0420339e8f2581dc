/* loop_watch.h - what each loop of the process is at, and by when it has to come back from there,
 * so that one which hangs is known without asking anything outside. A loop stamps what it enters;
 * the watchman's thread advances the clock that counts, in which a process that was stopped has not
 * lived: when it goes on, nothing is late. */
#ifndef BELFRY_DAEMON_LOOP_WATCH_H
#define BELFRY_DAEMON_LOOP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* What a loop may be at: word, and its bound, longer than what docs/http.md says of the call by so
 * much that a slow machine is none that hangs: in ms, and in time limits of Redis on top. */
#define LOOP_CALLS(row)                                                                            \
    row(TURN, "its own work", 60000, 8)                                                            \
    row(PREPARE, "preparing Kafka and Redis", 180000, 8)                                           \
    row(STEP, "the rules of a shard", 60000, 0)                                                    \
    row(QUESTION, "a question to Kafka", 20000, 0)                                                 \
    row(PRODUCE, "handing a record to Kafka", 20000, 0)                                            \
    row(PRODUCER, "opening or closing a producer", 60000, 0)                                       \
    row(COMMIT, "a commit or an abort", 60000, 0)                                                  \
    row(STORE, "a call of Redis", 20000, 8)

/* LOOP_TURN ... */
#define LOOP_CALL(name, ...) LOOP_##name,
enum loop_call { LOOP_CALLS(LOOP_CALL) LOOP_CALL_COUNT };
#undef LOOP_CALL

struct loop_watch;
struct loop; /* of one thread at a time */

/* What a loop is late with. */
struct loop_late {
    bool late;
    const char *call; /* NULL: it waits for work */
    int64_t for_ms;
    int64_t bound_ms;
};

struct loop_watch *loop_watch_create(int32_t shards, int64_t redis_limit_ms);
void loop_watch_destroy(struct loop_watch *watch);

/* The loops: the daemon's thread, the thread that writes Redis, a shard's thread. */
struct loop *loop_watch_daemon(struct loop_watch *watch);
struct loop *loop_watch_writer(struct loop_watch *watch);
struct loop *loop_watch_shard(struct loop_watch *watch, int32_t shard);

/* By the loop's thread; costs one store and no call of the system. */
void loop_enter(struct loop *loop, enum loop_call call);
/* It waits for work without bound, or there is no such thread. */
void loop_rest(struct loop *loop);

/* By the watchman's thread, several times a second: time goes on. */
void loop_watch_tick(struct loop_watch *watch, int64_t monotonic_us);

/* By any thread. */
struct loop_late loop_late(const struct loop *loop);
/* Since the last tick, by the real clock: the watchman himself may hang. */
int64_t loop_watch_tick_age_ms(const struct loop_watch *watch, int64_t monotonic_us);
enum { LOOP_TICK_LATE_MS = 10000 };

#endif
