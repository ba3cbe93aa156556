/*
 * condition: waiting on a condition variable for so many milliseconds (floor 3).
 *
 * Shape    two functions over pthread_cond_t with the monotonic clock
 * Errors   MM_NO_MEMORY from init
 * Threads  as pthread_cond_timedwait
 */
#ifndef MM_STORE_CONDITION_H
#define MM_STORE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Initialises a condition variable that counts by the monotonic clock. */
enum mm_status mm_condition_init(pthread_cond_t *condition);

/*
 * Waits at most ms (at once back when ms <= 0) with the mutex held; false when the time was over.
 * Wakes without a reason now and then: check the reason again.
 */
bool mm_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t ms);

#endif
