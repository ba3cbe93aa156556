/*
 * serve_pool_internal: the pool's inside, for the files serve_pool*.c only (floor 5).
 *
 * Shape    serve_pool.c starts and stops the threads, serve_pool_turns.c is what they do,
 *          serve_pool_accept.c the listening socket and the epoll set. A thread has a seat, which is
 *          in one of these states:
 *            polling   in epoll_wait; at most one, and only while both queues are empty
 *            serving   has a connection or a task, and counts as active
 *            aside     has one too but does not count: it waits, or is about to
 *            parked    waits for its semaphore; in the list of parked seats
 *          Active are those that poll or serve. There is always one, unless all are aside.
 * Units    milliseconds of the monotonic clock.
 * Own      the pool owns everything here.
 * Errors   the log.
 * Threads  each function says whether the mutex is held.
 * Source   as in serve_pool.h.
 */
#ifndef MM_HTTP_SERVE_POOL_INTERNAL_H
#define MM_HTTP_SERVE_POOL_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "http/serve_pool.h"

enum { MM_POOL_BATCH = 64 }; /* ready connections taken at once */

struct mm_seat {
	struct mm_pool *pool;
	pthread_t thread;
	sem_t wake;
	bool is_active;
	struct mm_seat *next_parked;
};

struct mm_pool {
	struct mm_pool_options options;
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

static inline struct timespec mm_pool_timespec(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

static inline void mm_pool_sleep(int64_t ms)
{
	struct timespec wait = mm_pool_timespec(ms);

	nanosleep(&wait, NULL);
}

/* epoll_ctl on the pool's set; false with errno set. */
bool mm_pool_watch(struct mm_pool *pool, int operation, int fd, uint32_t events);

/* Both with the mutex held. Nothing listens again once the pool is stopping. */
void mm_pool_stop_listening(struct mm_pool *pool);
void mm_pool_start_listening(struct mm_pool *pool);

/* Without the mutex: takes the connections that wait; backs off when they cannot be had. */
void mm_pool_accept(struct mm_seat *seat);

/* Without the mutex: puts a kept connection back into the set, or closes it. */
void mm_pool_poll_again(struct mm_pool *pool, int fd);

/* Mutex held: activates the seat that was parked last, which has the warmest stack and caches. */
void mm_pool_wake_one(struct mm_pool *pool);

/* Mutex held: the seat counts no longer; if it was the last that did, another takes its place. */
void mm_pool_set_aside(struct mm_seat *seat);

/* Without the mutex: wakes the polling thread. */
void mm_pool_poke(struct mm_pool *pool);

/* A thread's life; argument is its seat. */
void *mm_pool_run_seat(void *argument);

#endif
