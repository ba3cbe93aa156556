/*
 * serve_crew: the start, the minder and the stop of the threads. What they do is in
 * serve_crew_turns.c.
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
#include "http/serve_crew_internal.h"

enum {
	STACK_BYTES = 256 * 1024,
	QUIET_MS = 100,
	STOP_TICK_MS = 10,
	MIND_TICK_MS = 5,
	MIND_IDLE_TICKS = 200, /* then the minder sleeps until there is work */
};

/* Mutex held. A turn that lasts a tick and more is taken for one that waits. */
static void set_stalled_aside(struct mm_crew *crew)
{
	for (unsigned i = 0; i < crew->started; i++)
		mm_crew_set_aside(&crew->seats[i]);
}

/* Mutex held; released while waiting. */
static void wait_tick(struct mm_crew *crew, bool is_idle)
{
	struct timespec until;

	crew->is_minder_asleep = is_idle;
	if (is_idle) {
		pthread_cond_wait(&crew->minder_wake, &crew->mutex);
	} else {
		until = mm_crew_timespec(mm_clock_mono_ms(crew->options.clock) + MIND_TICK_MS);
		pthread_cond_timedwait(&crew->minder_wake, &crew->mutex, &until);
	}
	crew->is_minder_asleep = false;
}

static void *run_minder(void *argument)
{
	struct mm_crew *crew = argument;
	unsigned idle_ticks = 0;

	pthread_mutex_lock(&crew->mutex);
	while (!crew->is_ending) {
		unsigned turns = crew->turns;
		wait_tick(crew, idle_ticks >= MIND_IDLE_TICKS);
		idle_ticks = crew->turns == turns && crew->is_polled ? idle_ticks + 1 : 0;
		if (crew->turns == turns && !crew->is_polled)
			set_stalled_aside(crew);
	}
	pthread_mutex_unlock(&crew->mutex);
	return NULL;
}

enum mm_status mm_crew_check(int fd, struct mm_error *err)
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
static bool start_seat(struct mm_crew *crew, struct mm_seat *seat)
{
	seat->crew = crew;
	sem_init(&seat->wake, 0, 0);
	if (!start_thread(&seat->thread, mm_crew_run_seat, seat)) {
		sem_destroy(&seat->wake);
		return false;
	}
	seat->is_active = true;
	crew->active++;
	crew->started++;
	return true;
}

static void tell_all_to_end(struct mm_crew *crew)
{
	pthread_mutex_lock(&crew->mutex);
	crew->is_ending = true;
	while (crew->parked)
		mm_crew_wake_one(crew);
	pthread_cond_signal(&crew->minder_wake);
	pthread_mutex_unlock(&crew->mutex);
	mm_crew_poke(crew);
}

/* Ends the threads; false when one is still in a request at the deadline. */
static bool join_all(struct mm_crew *crew, int64_t deadline_mono_ms)
{
	struct timespec until = mm_crew_timespec(deadline_mono_ms);

	tell_all_to_end(crew);
	if (crew->has_minder)
		pthread_join(crew->minder, NULL); /* first: it looks at all seats */
	for (; crew->started > 0; crew->started--) {
		struct mm_seat *seat = &crew->seats[crew->started - 1];
		if (pthread_clockjoin_np(seat->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
			return false;
		sem_destroy(&seat->wake);
	}
	return true;
}

static void free_pool(struct mm_crew *crew)
{
	if (crew->poke_fd >= 0)
		close(crew->poke_fd);
	if (crew->epoll_fd >= 0)
		close(crew->epoll_fd);
	pthread_cond_destroy(&crew->minder_wake);
	pthread_mutex_destroy(&crew->mutex);
	free(crew->seats);
	free(crew);
}

/* Half the processors: nginx and PostgreSQL use the others. */
static unsigned choose_active_max(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors < 4 ? 1 : (unsigned)processors / 2;
}

static struct mm_crew *make_pool(const struct mm_crew_options *options)
{
	struct mm_crew *crew = calloc(1, sizeof(*crew));
	pthread_condattr_t monotonic;

	if (!crew)
		return NULL;
	crew->options = *options;
	crew->active_max = choose_active_max();
	pthread_mutex_init(&crew->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&crew->minder_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	crew->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	crew->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	crew->seats = calloc(options->threads, sizeof(*crew->seats));
	if (!crew->seats || crew->epoll_fd < 0 || crew->poke_fd < 0) {
		free_pool(crew);
		return NULL;
	}
	crew->tasks_end = &crew->tasks;
	mm_crew_watch(crew, EPOLL_CTL_ADD, crew->poke_fd, EPOLLIN | EPOLLET);
	return crew;
}

static bool start_all(struct mm_crew *crew)
{
	bool is_ok;

	pthread_mutex_lock(&crew->mutex);
	while (crew->started < crew->options.threads)
		if (!start_seat(crew, &crew->seats[crew->started]))
			break;
	is_ok = crew->started == crew->options.threads;
	if (is_ok)
		mm_crew_start_listening(crew);
	crew->has_minder = is_ok && start_thread(&crew->minder, run_minder, crew);
	is_ok = crew->has_minder && crew->is_listening;
	pthread_mutex_unlock(&crew->mutex);
	return is_ok;
}

enum mm_status mm_crew_start(const struct mm_crew_options *options, struct mm_crew **pool_out,
			     struct mm_error *err)
{
	struct mm_crew *crew;

	if (!set_non_blocking(options->listen_fd))
		return mm_error_cause(err, MM_BUG, "fcntl: %s", strerror(errno));
	crew = make_pool(options);
	if (!crew)
		return mm_error_cause(err, MM_NO_MEMORY, "no room for %u threads",
				      options->threads);
	if (start_all(crew)) {
		*pool_out = crew;
		return MM_OK;
	}
	mm_error_cause(err, MM_NO_MEMORY, "%u of %u threads started: %s", crew->started,
		       options->threads, strerror(errno));
	if (join_all(crew, INT64_MAX))
		free_pool(crew);
	return MM_NO_MEMORY;
}

/* How many turns were taken so far; is_busy_out: one is under way, or waits in the queue. */
static unsigned count_turns(struct mm_crew *crew, bool *is_busy_out)
{
	unsigned turns;

	pthread_mutex_lock(&crew->mutex);
	turns = crew->turns;
	*is_busy_out = crew->held > 0 || crew->aside > 0 || !crew->is_polled || crew->active > 1;
	pthread_mutex_unlock(&crew->mutex);
	return turns;
}

/* A kept connection may carry a request that nginx sent before it could know of the stop. */
static void wait_for_quiet(struct mm_crew *crew, int64_t deadline_mono_ms)
{
	bool is_busy;
	unsigned last = count_turns(crew, &is_busy);
	int64_t quiet_since = mm_clock_mono_ms(crew->options.clock);

	for (int64_t now = quiet_since; now < deadline_mono_ms && now - quiet_since < QUIET_MS;) {
		mm_crew_sleep(STOP_TICK_MS);
		now = mm_clock_mono_ms(crew->options.clock);
		unsigned turns = count_turns(crew, &is_busy);
		if (turns != last || is_busy)
			quiet_since = now;
		last = turns;
	}
}

/* Whether a reply is held, or waits to be finished: whoever completes it still uses the crew. */
static bool has_unfinished(struct mm_crew *crew)
{
	bool is_unfinished;

	pthread_mutex_lock(&crew->mutex);
	is_unfinished = crew->held > 0 || crew->tasks;
	pthread_mutex_unlock(&crew->mutex);
	return is_unfinished;
}

bool mm_crew_stop(struct mm_crew *crew, int64_t deadline_mono_ms)
{
	pthread_mutex_lock(&crew->mutex);
	crew->is_stopping = true;
	mm_crew_stop_listening(crew);
	pthread_mutex_unlock(&crew->mutex);
	wait_for_quiet(crew, deadline_mono_ms);
	if (!join_all(crew, deadline_mono_ms) || has_unfinished(crew))
		return false;
	free_pool(crew);
	return true;
}
