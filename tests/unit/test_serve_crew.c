/* test_serve_crew: the stop of the crew while replies are held. Its traffic is in tests/http. */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "folder.h"
#include "http/serve_crew.h"

enum {
	CLIENTS = 3,
	LONG_MS = 30000, /* more than anything takes that works */
	/* How long a reply is held after the stop began; a stop that does not wait is over before. */
	HOLD_MS = 400,
};

struct turn {
	struct mm_task task; /* first: a task is cast back to its turn */
	int fd;
};

/* What the crew did. Turns are guarded by the mutex too. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct turn turns[CLIENTS];
	unsigned held, finished, sent_last;
	unsigned stop_looks, stopped;
} seen = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct mm_crew *crew;
static int listen_fd;
static int clients[CLIENTS];
static pthread_t main_thread;
static bool is_in_stop; /* the main thread's */

static void count(unsigned *what)
{
	pthread_mutex_lock(&seen.mutex);
	(*what)++;
	pthread_cond_broadcast(&seen.changed);
	pthread_mutex_unlock(&seen.mutex);
}

/* Holds every reply; the test resumes it. */
static enum mm_turn hold(void *context, int fd, bool is_last, struct mm_seat *seat)
{
	char byte;

	(void)context;
	(void)is_last;
	(void)seat;
	if (read(fd, &byte, 1) != 1) {
		close(fd);
		return MM_TURN_CLOSED;
	}
	pthread_mutex_lock(&seen.mutex);
	seen.turns[seen.held].fd = fd;
	pthread_mutex_unlock(&seen.mutex);
	count(&seen.held);
	return MM_TURN_HELD;
}

static int finish(void *context, struct mm_task *task, bool is_last)
{
	const struct turn *turn = (const struct turn *)task;

	(void)context;
	const bool is_sent = send(turn->fd, "x", 1, MSG_NOSIGNAL) == 1;
	close(turn->fd);
	if (is_last && is_sent)
		count(&seen.sent_last);
	count(&seen.finished);
	return -1;
}

/* Waits until `what` reached `want`, for so many ms; true when it did. */
static bool await(const unsigned *what, unsigned want, int64_t ms)
{
	const int64_t end = mm_clock_mono_ms(&mm_clock_system) + ms;
	const struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
	int waited = 0;

	pthread_mutex_lock(&seen.mutex);
	while (waited == 0 && *what < want)
		waited =
		    pthread_cond_clockwait(&seen.changed, &seen.mutex, CLOCK_MONOTONIC, &until);
	const bool is_there = *what >= want;
	pthread_mutex_unlock(&seen.mutex);
	return is_there;
}

/* The crew's clock. The stop looks at it after it has begun, in the thread that called it. */
static int64_t mono_ms(void *self)
{
	if (pthread_equal(pthread_self(), main_thread) && is_in_stop)
		count(&seen.stop_looks);
	return mm_clock_system.mono_ms(self);
}

static const struct mm_clock crew_clock = {.mono_ms = mono_ms};

static void resume_all(void)
{
	for (size_t i = 0; i < CLIENTS; i++)
		mm_crew_resume(crew, &seen.turns[i].task);
}

/* The journal's part: lets go when the stop has returned, or has had the time to. */
static void *resume_later(void *argument)
{
	bool *is_early_out = argument;

	await(&seen.stop_looks, 1, LONG_MS);
	*is_early_out = await(&seen.stopped, 1, HOLD_MS);
	resume_all();
	return NULL;
}

static bool stop(int64_t ms)
{
	is_in_stop = true;
	const bool is_clean = mm_crew_stop(crew, mm_clock_mono_ms(&mm_clock_system) + ms);
	is_in_stop = false;
	count(&seen.stopped);
	return is_clean;
}

static struct sockaddr_un address(void)
{
	struct sockaddr_un place = {.sun_family = AF_UNIX};

	snprintf(place.sun_path, sizeof place.sun_path, "%s/socket", test_folder);
	return place;
}

/* A crew with a request of each client held. */
static int set_up(void **state)
{
	struct sockaddr_un place;
	struct mm_error err;

	(void)state;
	test_folder_make();
	place = address();
	seen.held = seen.finished = seen.sent_last = seen.stop_looks = seen.stopped = 0;
	main_thread = pthread_self();
	listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listen_fd, (struct sockaddr *)&place, sizeof place), 0);
	assert_int_equal(listen(listen_fd, CLIENTS), 0);
	const struct mm_crew_options options = {.listen_fd = listen_fd,
						.threads = 2,
						.clock = &crew_clock,
						.serve = hold,
						.finish = finish};
	assert_int_equal(mm_crew_start(&options, &crew, &err), MM_OK);
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&place, sizeof place), 0);
		assert_int_equal(write(clients[i], "?", 1), 1);
	}
	assert_true(await(&seen.held, CLIENTS, LONG_MS));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < CLIENTS; i++)
		close(clients[i]);
	close(listen_fd);
	test_folder_remove();
	return 0;
}

static void stop__with_held_replies__waits_for_them(void **state)
{
	pthread_t journal;
	bool is_early = true;
	char byte;

	(void)state;
	pthread_create(&journal, NULL, resume_later, &is_early);
	const bool is_clean = stop(LONG_MS);
	pthread_join(journal, NULL);
	assert_true(is_clean);
	assert_false(is_early);
	assert_int_equal(seen.finished, CLIENTS);
	assert_int_equal(seen.sent_last, CLIENTS);
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(read(clients[i], &byte, 1), 1);
}

/* The crew is left behind, so that whoever completes the replies later finds it. A thread that has
 * not ended yet may still send them. */
static void stop__replies_held_beyond_the_deadline__leaves_the_crew(void **state)
{
	(void)state;
	assert_false(stop(200));
	resume_all();
}

#define CREW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CREW_TEST(stop__with_held_replies__waits_for_them),
	    CREW_TEST(stop__replies_held_beyond_the_deadline__leaves_the_crew),
	};

	mm_log_open("test", MM_LOG_ERROR, 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
