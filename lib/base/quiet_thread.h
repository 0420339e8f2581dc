/* quiet_thread.h - threads that leave signals to others. */
#ifndef BELFRY_BASE_QUIET_THREAD_H
#define BELFRY_BASE_QUIET_THREAD_H

#include <pthread.h>

/* As pthread_create(). The thread takes no signals but those that a fault of its own raises: with
 * these blocked too, the process would end before anybody who handles them had a say (crash.h, the
 * handlers of a program that uses the library).
 *   returns  0, or the number of the error */
int quiet_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument)
    __attribute__((warn_unused_result));

#endif
