/* coroutine.h - several lines of control in one thread, each on a stack of its own: the shard
 * engines block in their ports, and the simulator goes on with something else. */
#ifndef BELFRY_TESTS_COROUTINE_H
#define BELFRY_TESTS_COROUTINE_H

#include <stdbool.h>

struct coroutine;
typedef void coroutine_body(void *argument);

/* Does not run yet. End it with coroutine_destroy(), whether it has come to its end or not. */
struct coroutine *coroutine_create(coroutine_body *body, void *argument);
/* Runs it until it yields or ends; not from within a coroutine. */
void coroutine_resume(struct coroutine *coroutine);
/* Back to who resumed the running one. */
void coroutine_yield(void);
/* The running one; NULL: none. */
struct coroutine *coroutine_running(void);
bool coroutine_ended(const struct coroutine *coroutine);
/* Abandons it where it stands. */
void coroutine_destroy(struct coroutine *coroutine);
/* Frees the stacks kept for further coroutines. */
void coroutine_release_stacks(void);

#endif
