/*
 * serve_crew_turns: what a thread of the crew does from its start to its end. It starts no threads.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "http/serve_crew_internal.h"

void mm_crew_wake_one(struct mm_crew *crew)
{
	struct mm_seat *seat = crew->parked;

	if (!seat)
		return;
	crew->parked = seat->next_parked;
	seat->is_active = true;
	crew->active++;
	sem_post(&seat->wake);
}

void mm_crew_set_aside(struct mm_seat *seat)
{
	struct mm_crew *crew = seat->crew;

	if (!seat->is_active)
		return;
	seat->is_active = false;
	crew->active--;
	crew->aside++;
	if (crew->active == 0)
		mm_crew_wake_one(crew);
}

void mm_crew_step_aside(struct mm_seat *seat)
{
	pthread_mutex_lock(&seat->crew->mutex);
	mm_crew_set_aside(seat);
	pthread_mutex_unlock(&seat->crew->mutex);
}

/* Mutex held; released while waiting. */
static void park(struct mm_seat *seat)
{
	struct mm_crew *crew = seat->crew;

	seat->is_active = false;
	crew->active--;
	seat->next_parked = crew->parked;
	crew->parked = seat;
	pthread_mutex_unlock(&crew->mutex);
	while (sem_wait(&seat->wake) != 0)
		continue;
	pthread_mutex_lock(&crew->mutex);
}

/* Mutex held; released while waiting. The queue is empty before. */
static void poll_ready(struct mm_crew *crew)
{
	struct epoll_event events[MM_POOL_BATCH];
	int count;

	crew->is_polled = true;
	pthread_mutex_unlock(&crew->mutex);
	count = epoll_wait(crew->epoll_fd, events, MM_POOL_BATCH, -1);
	pthread_mutex_lock(&crew->mutex);
	crew->is_polled = false;
	crew->is_poked = false;
	crew->first = crew->end = 0;
	for (int i = 0; i < count; i++)
		if (events[i].data.fd != crew->poke_fd)
			crew->ready[crew->end++] = events[i].data.fd;
}

/* poke_fd is edge-triggered: a write is an event, and nobody has to read. */
void mm_crew_poke(struct mm_crew *crew)
{
	uint64_t one = 1;

	if (write(crew->poke_fd, &one, sizeof(one)) != sizeof(one))
		mm_log(MM_LOG_ERROR, NULL, "eventfd: %s", strerror(errno));
}

struct mm_crew *mm_crew_of(const struct mm_seat *seat)
{
	return seat->crew;
}

void mm_crew_resume(struct mm_crew *crew, struct mm_task *task)
{
	bool must_poke;

	task->next = NULL;
	pthread_mutex_lock(&crew->mutex);
	*crew->tasks_end = task;
	crew->tasks_end = &task->next;
	crew->held--;
	must_poke = crew->is_polled && !crew->is_poked;
	crew->is_poked |= must_poke;
	if (crew->active == 0)
		mm_crew_wake_one(crew);
	pthread_mutex_unlock(&crew->mutex);
	if (must_poke)
		mm_crew_poke(crew);
}

static bool has_work(const struct mm_crew *crew)
{
	return crew->tasks || crew->first < crew->end;
}

/* Mutex held. */
static void count_in(struct mm_seat *seat)
{
	if (seat->is_active)
		return;
	seat->is_active = true;
	seat->crew->active++;
	seat->crew->aside--;
}

/* Mutex held; released while waiting. False: there is no work and the thread is to end. */
static bool wait_for_work(struct mm_seat *seat)
{
	struct mm_crew *crew = seat->crew;

	count_in(seat);
	while (!has_work(crew)) {
		if (crew->is_ending)
			return false;
		if (crew->is_polled)
			park(seat);
		else
			poll_ready(crew);
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
static struct work take_work(struct mm_crew *crew)
{
	struct work work = {.task = crew->tasks, .fd = -1, .is_last = crew->is_stopping};

	if (work.task) {
		crew->tasks = work.task->next;
		if (!crew->tasks)
			crew->tasks_end = &crew->tasks;
	} else {
		work.fd = crew->ready[crew->first++];
	}
	crew->turns++;
	if (has_work(crew) && crew->active < crew->active_max)
		mm_crew_wake_one(crew);
	if (crew->is_minder_asleep)
		pthread_cond_signal(&crew->minder_wake);
	return work;
}

/* False: the thread is to end. */
static bool wait_and_take(struct mm_seat *seat, struct work *work_out)
{
	struct mm_crew *crew = seat->crew;
	bool has_any;

	pthread_mutex_lock(&crew->mutex);
	has_any = wait_for_work(seat);
	if (has_any)
		*work_out = take_work(crew);
	else
		crew->active--;
	pthread_mutex_unlock(&crew->mutex);
	return has_any;
}

static void serve_connection(struct mm_seat *seat, int fd, bool is_last)
{
	struct mm_crew *crew = seat->crew;

	switch (crew->options.serve(crew->options.context, fd, is_last, seat)) {
	case MM_TURN_KEPT:
		mm_crew_poll_again(crew, fd);
		break;
	case MM_TURN_HELD:
		pthread_mutex_lock(&crew->mutex);
		crew->held++;
		pthread_mutex_unlock(&crew->mutex);
		break;
	default:
		break;
	}
}

static void finish_task(struct mm_crew *crew, struct mm_task *task, bool is_last)
{
	int fd = crew->options.finish(crew->options.context, task, is_last);

	if (fd >= 0)
		mm_crew_poll_again(crew, fd);
}

void *mm_crew_run_seat(void *argument)
{
	struct mm_seat *seat = argument;
	struct mm_crew *crew = seat->crew;
	struct work work;

	while (wait_and_take(seat, &work)) {
		if (work.task)
			finish_task(crew, work.task, work.is_last);
		else if (work.fd == crew->options.listen_fd)
			mm_crew_accept(seat);
		else
			serve_connection(seat, work.fd, work.is_last);
	}
	return NULL;
}
