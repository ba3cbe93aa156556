/* condition: timed waits by the monotonic clock, which nobody sets. */
#include "config.h"

#include "store/condition.h"

#include <time.h>

enum mm_status mm_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	if (pthread_condattr_init(&attributes) != 0)
		return MM_NO_MEMORY;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	int failure = pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
	return failure == 0 ? MM_OK : MM_NO_MEMORY;
}

bool mm_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t ms)
{
	struct timespec until;

	if (ms <= 0)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return pthread_cond_timedwait(condition, mutex, &until) == 0;
}
