/*
 * serve_crew_internal: the crew's inside, for the files serve_crew*.c only (floor 5).
 *
 * Shape    serve_crew.c starts and stops the threads, serve_crew_turns.c is what they do,
 *          serve_crew_accept.c the listening socket and the epoll set. A thread has a seat, which is
 *          in one of these states:
 *            polling   in epoll_wait; at most one, and only while both queues are empty
 *            serving   has a connection or a task, and counts as active
 *            aside     has one too but does not count: it waits, or is about to
 *            parked    waits for its semaphore; in the list of parked seats
 *          Active are those that poll or serve. There is always one, unless all are aside.
 * Units    milliseconds of the monotonic clock.
 * Own      the crew owns everything here.
 * Errors   the log.
 * Threads  each function says whether the mutex is held.
 * Source   as in serve_crew.h.
 */
#ifndef MM_HTTP_SERVE_CREW_INTERNAL_H
#define MM_HTTP_SERVE_CREW_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "http/serve_crew.h"

enum { MM_POOL_BATCH = 64 }; /* ready connections taken at once */

struct mm_seat {
	struct mm_crew *crew;
	pthread_t thread;
	sem_t wake;
	bool is_active;
	struct mm_seat *next_parked;
};

struct mm_crew {
	struct mm_crew_options options;
	int epoll_fd;
	int poke_fd; /* written to wake the polling thread */
	unsigned active_max;
	struct mm_seat *seats;
	unsigned started;
	pthread_t minder;
	bool has_minder;

	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t minder_wake;
	bool is_minder_asleep;
	bool is_stopping; /* no more connections are accepted */
	bool is_ending;   /* the threads end */
	bool is_polled;
	bool is_poked; /* the polling thread is about to wake */
	bool is_listening;
	unsigned active;
	unsigned aside;
	int held;              /* signed: a turn may be resumed before it is counted */
	unsigned turns;        /* connections and tasks taken from the queues so far */
	struct mm_task *tasks; /* first in, first out */
	struct mm_task **tasks_end;
	struct mm_seat *parked;
	int ready[MM_POOL_BATCH]; /* the queue: ready[first] to ready[end - 1] */
	unsigned first;
	unsigned end;
};

static inline struct timespec mm_crew_timespec(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

static inline void mm_crew_sleep(int64_t ms)
{
	struct timespec wait = mm_crew_timespec(ms);

	nanosleep(&wait, NULL);
}

/* epoll_ctl on the crew's set; false with errno set. */
bool mm_crew_watch(struct mm_crew *crew, int operation, int fd, uint32_t events);

/* Both with the mutex held. Nothing listens again once the crew is stopping. */
void mm_crew_stop_listening(struct mm_crew *crew);
void mm_crew_start_listening(struct mm_crew *crew);

/* Without the mutex: takes the connections that wait; backs off when they cannot be had. */
void mm_crew_accept(struct mm_seat *seat);

/* Without the mutex: puts a kept connection back into the set, or closes it. */
void mm_crew_poll_again(struct mm_crew *crew, int fd);

/* Mutex held: activates the seat that was parked last, which has the warmest stack and caches. */
void mm_crew_wake_one(struct mm_crew *crew);

/* Mutex held: the seat counts no longer; if it was the last that did, another takes its place. */
void mm_crew_set_aside(struct mm_seat *seat);

/* Without the mutex: wakes the polling thread. */
void mm_crew_poke(struct mm_crew *crew);

/* A thread's life; argument is its seat. */
void *mm_crew_run_seat(void *argument);

#endif
