/*
 * serve_pool_accept: the listening socket and the epoll set. It serves nothing.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "http/serve_pool_internal.h"

enum {
	READ_SECONDS = 5,
	WRITE_SECONDS = 30,
	ACCEPT_BURST = 16,
	BACK_OFF_MS = 100, /* after EMFILE: kept connections are served meanwhile */
};

bool mm_pool_watch(struct mm_pool *pool, int operation, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(pool->epoll_fd, operation, fd, &event) == 0;
}

void mm_pool_stop_listening(struct mm_pool *pool)
{
	if (pool->is_listening)
		mm_pool_watch(pool, EPOLL_CTL_DEL, pool->options.listen_fd, 0);
	pool->is_listening = false;
}

void mm_pool_start_listening(struct mm_pool *pool)
{
	if (!pool->is_listening && !pool->is_stopping)
		pool->is_listening = mm_pool_watch(pool, EPOLL_CTL_ADD, pool->options.listen_fd,
						   EPOLLIN | EPOLLEXCLUSIVE);
}

/* Out of descriptors or memory: without a pause all threads would spin on the waiting peer. */
static void back_off(struct mm_seat *seat, int error)
{
	struct mm_pool *pool = seat->pool;

	mm_log(MM_LOG_WARNING, NULL, "accept: %s; next try in %d ms", strerror(error), BACK_OFF_MS);
	pthread_mutex_lock(&pool->mutex);
	mm_pool_stop_listening(pool);
	pthread_mutex_unlock(&pool->mutex);
	mm_pool_step_aside(seat);
	mm_pool_sleep(BACK_OFF_MS);
	pthread_mutex_lock(&pool->mutex);
	mm_pool_start_listening(pool);
	pthread_mutex_unlock(&pool->mutex);
}

static void add_connection(struct mm_pool *pool, int fd)
{
	struct timeval read_limit = {.tv_sec = READ_SECONDS};
	struct timeval write_limit = {.tv_sec = WRITE_SECONDS};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &read_limit, sizeof(read_limit)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &write_limit, sizeof(write_limit)) == 0 &&
	    mm_pool_watch(pool, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT))
		return;
	mm_log(MM_LOG_WARNING, NULL, "a connection was refused: %s", strerror(errno));
	close(fd);
}

void mm_pool_accept(struct mm_seat *seat)
{
	struct mm_pool *pool = seat->pool;

	for (int i = 0; i < ACCEPT_BURST; i++) {
		int fd = accept4(pool->options.listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			add_connection(pool, fd);
		else if (errno == EAGAIN)
			return;
		else if (errno != ECONNABORTED && errno != EINTR) {
			back_off(seat, errno);
			return;
		}
	}
}

void mm_pool_poll_again(struct mm_pool *pool, int fd)
{
	if (mm_pool_watch(pool, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT))
		return;
	mm_log(MM_LOG_WARNING, NULL, "a connection was dropped: %s", strerror(errno));
	close(fd);
}
