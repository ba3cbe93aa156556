/*
 * serve_pool: the start, the minder and the stop of the threads. What they do is in
 * serve_pool_turns.c.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/serve_pool_internal.h"

enum {
	STACK_BYTES = 256 * 1024,
	QUIET_MS = 100,
	STOP_TICK_MS = 10,
	MIND_TICK_MS = 5,
	MIND_IDLE_TICKS = 200, /* then the minder sleeps until there is work */
};

/* Mutex held. A turn that lasts a tick and more is taken for one that waits. */
static void set_stalled_aside(struct mm_pool *pool)
{
	for (unsigned i = 0; i < pool->started; i++)
		mm_pool_set_aside(&pool->seats[i]);
}

/* Mutex held; released while waiting. */
static void wait_tick(struct mm_pool *pool, bool is_idle)
{
	struct timespec until;

	pool->is_minder_asleep = is_idle;
	if (is_idle) {
		pthread_cond_wait(&pool->minder_wake, &pool->mutex);
	} else {
		until = mm_pool_timespec(mm_clock_mono_ms(pool->options.clock) + MIND_TICK_MS);
		pthread_cond_timedwait(&pool->minder_wake, &pool->mutex, &until);
	}
	pool->is_minder_asleep = false;
}

static void *run_minder(void *argument)
{
	struct mm_pool *pool = argument;
	unsigned idle_ticks = 0;

	pthread_mutex_lock(&pool->mutex);
	while (!pool->is_ending) {
		unsigned turns = pool->turns;
		wait_tick(pool, idle_ticks >= MIND_IDLE_TICKS);
		idle_ticks = pool->turns == turns && pool->is_polled ? idle_ticks + 1 : 0;
		if (pool->turns == turns && !pool->is_polled)
			set_stalled_aside(pool);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

enum mm_status mm_pool_check(int fd, struct mm_error *err)
{
	int is_listening = 0;
	socklen_t size = sizeof(is_listening);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening)
		return MM_OK;
	return mm_error_set(err, MM_BAD_INPUT, NULL, NULL,
			    "file descriptor %d is no listening socket", fd);
}

static bool set_non_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	bool is_ok;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	is_ok = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
		pthread_create(thread, &attributes, run, argument) == 0;
	pthread_attr_destroy(&attributes);
	return is_ok;
}

/* Mutex held, so that the thread runs only when all have started. */
static bool start_seat(struct mm_pool *pool, struct mm_seat *seat)
{
	seat->pool = pool;
	sem_init(&seat->wake, 0, 0);
	if (!start_thread(&seat->thread, mm_pool_run_seat, seat)) {
		sem_destroy(&seat->wake);
		return false;
	}
	seat->is_active = true;
	pool->active++;
	pool->started++;
	return true;
}

static void tell_all_to_end(struct mm_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	pool->is_ending = true;
	while (pool->parked)
		mm_pool_wake_one(pool);
	pthread_cond_signal(&pool->minder_wake);
	pthread_mutex_unlock(&pool->mutex);
	mm_pool_poke(pool);
}

/* Ends the threads; false when one is still in a request at the deadline. */
static bool join_all(struct mm_pool *pool, int64_t deadline_mono_ms)
{
	struct timespec until = mm_pool_timespec(deadline_mono_ms);

	tell_all_to_end(pool);
	if (pool->has_minder)
		pthread_join(pool->minder, NULL); /* first: it looks at all seats */
	for (; pool->started > 0; pool->started--) {
		struct mm_seat *seat = &pool->seats[pool->started - 1];
		if (pthread_clockjoin_np(seat->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
			return false;
		sem_destroy(&seat->wake);
	}
	return true;
}

static void free_pool(struct mm_pool *pool)
{
	if (pool->poke_fd >= 0)
		close(pool->poke_fd);
	if (pool->epoll_fd >= 0)
		close(pool->epoll_fd);
	pthread_cond_destroy(&pool->minder_wake);
	pthread_mutex_destroy(&pool->mutex);
	free(pool->seats);
	free(pool);
}

/* Half the processors: nginx and PostgreSQL use the others. */
static unsigned choose_active_max(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors < 4 ? 1 : (unsigned)processors / 2;
}

static struct mm_pool *make_pool(const struct mm_pool_options *options)
{
	struct mm_pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t monotonic;

	if (!pool)
		return NULL;
	pool->options = *options;
	pool->active_max = choose_active_max();
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->minder_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	pool->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool->seats = calloc(options->threads, sizeof(*pool->seats));
	if (!pool->seats || pool->epoll_fd < 0 || pool->poke_fd < 0) {
		free_pool(pool);
		return NULL;
	}
	pool->tasks_end = &pool->tasks;
	mm_pool_watch(pool, EPOLL_CTL_ADD, pool->poke_fd, EPOLLIN | EPOLLET);
	return pool;
}

static bool start_all(struct mm_pool *pool)
{
	bool is_ok;

	pthread_mutex_lock(&pool->mutex);
	while (pool->started < pool->options.threads)
		if (!start_seat(pool, &pool->seats[pool->started]))
			break;
	is_ok = pool->started == pool->options.threads;
	if (is_ok)
		mm_pool_start_listening(pool);
	pool->has_minder = is_ok && start_thread(&pool->minder, run_minder, pool);
	is_ok = pool->has_minder && pool->is_listening;
	pthread_mutex_unlock(&pool->mutex);
	return is_ok;
}

enum mm_status mm_pool_start(const struct mm_pool_options *options, struct mm_pool **pool_out,
			     struct mm_error *err)
{
	struct mm_pool *pool;

	if (!set_non_blocking(options->listen_fd))
		return mm_error_cause(err, MM_BUG, "fcntl: %s", strerror(errno));
	pool = make_pool(options);
	if (!pool)
		return mm_error_cause(err, MM_NO_MEMORY, "no room for %u threads",
				      options->threads);
	if (start_all(pool)) {
		*pool_out = pool;
		return MM_OK;
	}
	mm_error_cause(err, MM_NO_MEMORY, "%u of %u threads started: %s", pool->started,
		       options->threads, strerror(errno));
	if (join_all(pool, INT64_MAX))
		free_pool(pool);
	return MM_NO_MEMORY;
}

/* How many turns were taken so far; is_busy_out: one is under way, or waits in the queue. */
static unsigned count_turns(struct mm_pool *pool, bool *is_busy_out)
{
	unsigned turns;

	pthread_mutex_lock(&pool->mutex);
	turns = pool->turns;
	*is_busy_out = pool->held > 0 || pool->aside > 0 || !pool->is_polled || pool->active > 1;
	pthread_mutex_unlock(&pool->mutex);
	return turns;
}

/* A kept connection may carry a request that nginx sent before it could know of the stop. */
static void wait_for_quiet(struct mm_pool *pool, int64_t deadline_mono_ms)
{
	bool is_busy;
	unsigned last = count_turns(pool, &is_busy);
	int64_t quiet_since = mm_clock_mono_ms(pool->options.clock);

	for (int64_t now = quiet_since; now < deadline_mono_ms && now - quiet_since < QUIET_MS;) {
		mm_pool_sleep(STOP_TICK_MS);
		now = mm_clock_mono_ms(pool->options.clock);
		unsigned turns = count_turns(pool, &is_busy);
		if (turns != last || is_busy)
			quiet_since = now;
		last = turns;
	}
}

bool mm_pool_stop(struct mm_pool *pool, int64_t deadline_mono_ms)
{
	pthread_mutex_lock(&pool->mutex);
	pool->is_stopping = true;
	mm_pool_stop_listening(pool);
	pthread_mutex_unlock(&pool->mutex);
	wait_for_quiet(pool, deadline_mono_ms);
	if (!join_all(pool, deadline_mono_ms))
		return false;
	free_pool(pool);
	return true;
}
