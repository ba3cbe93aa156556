/*
 * serve_pool_turns: what a thread of the pool does from its start to its end. It starts no threads.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "http/serve_pool_internal.h"

void mm_pool_wake_one(struct mm_pool *pool)
{
	struct mm_seat *seat = pool->parked;

	if (!seat)
		return;
	pool->parked = seat->next_parked;
	seat->is_active = true;
	pool->active++;
	sem_post(&seat->wake);
}

void mm_pool_set_aside(struct mm_seat *seat)
{
	struct mm_pool *pool = seat->pool;

	if (!seat->is_active)
		return;
	seat->is_active = false;
	pool->active--;
	pool->aside++;
	if (pool->active == 0)
		mm_pool_wake_one(pool);
}

void mm_pool_step_aside(struct mm_seat *seat)
{
	pthread_mutex_lock(&seat->pool->mutex);
	mm_pool_set_aside(seat);
	pthread_mutex_unlock(&seat->pool->mutex);
}

/* Mutex held; released while waiting. */
static void park(struct mm_seat *seat)
{
	struct mm_pool *pool = seat->pool;

	seat->is_active = false;
	pool->active--;
	seat->next_parked = pool->parked;
	pool->parked = seat;
	pthread_mutex_unlock(&pool->mutex);
	while (sem_wait(&seat->wake) != 0)
		continue;
	pthread_mutex_lock(&pool->mutex);
}

/* Mutex held; released while waiting. The queue is empty before. */
static void poll_ready(struct mm_pool *pool)
{
	struct epoll_event events[MM_POOL_BATCH];
	int count;

	pool->is_polled = true;
	pthread_mutex_unlock(&pool->mutex);
	count = epoll_wait(pool->epoll_fd, events, MM_POOL_BATCH, -1);
	pthread_mutex_lock(&pool->mutex);
	pool->is_polled = false;
	pool->is_poked = false;
	pool->first = pool->end = 0;
	for (int i = 0; i < count; i++)
		if (events[i].data.fd != pool->poke_fd)
			pool->ready[pool->end++] = events[i].data.fd;
}

/* poke_fd is edge-triggered: a write is an event, and nobody has to read. */
void mm_pool_poke(struct mm_pool *pool)
{
	uint64_t one = 1;

	if (write(pool->poke_fd, &one, sizeof(one)) != sizeof(one))
		mm_log(MM_LOG_ERROR, NULL, "eventfd: %s", strerror(errno));
}

struct mm_pool *mm_pool_of(const struct mm_seat *seat)
{
	return seat->pool;
}

void mm_pool_resume(struct mm_pool *pool, struct mm_task *task)
{
	bool must_poke;

	task->next = NULL;
	pthread_mutex_lock(&pool->mutex);
	*pool->tasks_end = task;
	pool->tasks_end = &task->next;
	pool->held--;
	must_poke = pool->is_polled && !pool->is_poked;
	pool->is_poked |= must_poke;
	if (pool->active == 0)
		mm_pool_wake_one(pool);
	pthread_mutex_unlock(&pool->mutex);
	if (must_poke)
		mm_pool_poke(pool);
}

static bool has_work(const struct mm_pool *pool)
{
	return pool->tasks || pool->first < pool->end;
}

/* Mutex held. */
static void count_in(struct mm_seat *seat)
{
	if (seat->is_active)
		return;
	seat->is_active = true;
	seat->pool->active++;
	seat->pool->aside--;
}

/* Mutex held; released while waiting. False: there is no work and the thread is to end. */
static bool wait_for_work(struct mm_seat *seat)
{
	struct mm_pool *pool = seat->pool;

	count_in(seat);
	while (!has_work(pool)) {
		if (pool->is_ending)
			return false;
		if (pool->is_polled)
			park(seat);
		else
			poll_ready(pool);
		count_in(seat); /* the minder may have set it aside meanwhile */
	}
	return true;
}

struct work {
	struct mm_task *task; /* or NULL: */
	int fd;
	bool is_last;
};

/* Mutex held. Replies that are complete go before requests. */
static struct work take_work(struct mm_pool *pool)
{
	struct work work = {.task = pool->tasks, .fd = -1, .is_last = pool->is_stopping};

	if (work.task) {
		pool->tasks = work.task->next;
		if (!pool->tasks)
			pool->tasks_end = &pool->tasks;
	} else {
		work.fd = pool->ready[pool->first++];
	}
	pool->turns++;
	if (has_work(pool) && pool->active < pool->active_max)
		mm_pool_wake_one(pool);
	if (pool->is_minder_asleep)
		pthread_cond_signal(&pool->minder_wake);
	return work;
}

/* False: the thread is to end. */
static bool wait_and_take(struct mm_seat *seat, struct work *work_out)
{
	struct mm_pool *pool = seat->pool;
	bool has_any;

	pthread_mutex_lock(&pool->mutex);
	has_any = wait_for_work(seat);
	if (has_any)
		*work_out = take_work(pool);
	else
		pool->active--;
	pthread_mutex_unlock(&pool->mutex);
	return has_any;
}

static void serve_connection(struct mm_seat *seat, int fd, bool is_last)
{
	struct mm_pool *pool = seat->pool;

	switch (pool->options.serve(pool->options.context, fd, is_last, seat)) {
	case MM_TURN_KEPT:
		mm_pool_poll_again(pool, fd);
		break;
	case MM_TURN_HELD:
		pthread_mutex_lock(&pool->mutex);
		pool->held++;
		pthread_mutex_unlock(&pool->mutex);
		break;
	default:
		break;
	}
}

static void finish_task(struct mm_pool *pool, struct mm_task *task, bool is_last)
{
	int fd = pool->options.finish(pool->options.context, task, is_last);

	if (fd >= 0)
		mm_pool_poll_again(pool, fd);
}

void *mm_pool_run_seat(void *argument)
{
	struct mm_seat *seat = argument;
	struct mm_pool *pool = seat->pool;
	struct work work;

	while (wait_and_take(seat, &work)) {
		if (work.task)
			finish_task(pool, work.task, work.is_last);
		else if (work.fd == pool->options.listen_fd)
			mm_pool_accept(seat);
		else
			serve_connection(seat, work.fd, work.is_last);
	}
	return NULL;
}
