/*
 * serve_crew_accept: the listening socket and the epoll set. It serves nothing.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "http/serve_crew_internal.h"

enum {
	READ_SECONDS = 5,
	WRITE_SECONDS = 30,
	ACCEPT_BURST = 16,
	BACK_OFF_MS = 100, /* after EMFILE: kept connections are served meanwhile */
};

bool mm_crew_watch(struct mm_crew *crew, int operation, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(crew->epoll_fd, operation, fd, &event) == 0;
}

void mm_crew_stop_listening(struct mm_crew *crew)
{
	if (crew->is_listening)
		mm_crew_watch(crew, EPOLL_CTL_DEL, crew->options.listen_fd, 0);
	crew->is_listening = false;
}

void mm_crew_start_listening(struct mm_crew *crew)
{
	if (!crew->is_listening && !crew->is_stopping)
		crew->is_listening = mm_crew_watch(crew, EPOLL_CTL_ADD, crew->options.listen_fd,
						   EPOLLIN | EPOLLEXCLUSIVE);
}

/* Out of descriptors or memory: without a pause all threads would spin on the waiting peer. */
static void back_off(struct mm_seat *seat, int error)
{
	struct mm_crew *crew = seat->crew;

	mm_log(MM_LOG_WARNING, NULL, "accept: %s; next try in %d ms", strerror(error), BACK_OFF_MS);
	pthread_mutex_lock(&crew->mutex);
	mm_crew_stop_listening(crew);
	pthread_mutex_unlock(&crew->mutex);
	mm_crew_step_aside(seat);
	mm_crew_sleep(BACK_OFF_MS);
	pthread_mutex_lock(&crew->mutex);
	mm_crew_start_listening(crew);
	pthread_mutex_unlock(&crew->mutex);
}

static void add_connection(struct mm_crew *crew, int fd)
{
	struct timeval read_limit = {.tv_sec = READ_SECONDS};
	struct timeval write_limit = {.tv_sec = WRITE_SECONDS};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &read_limit, sizeof(read_limit)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &write_limit, sizeof(write_limit)) == 0 &&
	    mm_crew_watch(crew, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT))
		return;
	mm_log(MM_LOG_WARNING, NULL, "a connection was refused: %s", strerror(errno));
	close(fd);
}

void mm_crew_accept(struct mm_seat *seat)
{
	struct mm_crew *crew = seat->crew;

	for (int i = 0; i < ACCEPT_BURST; i++) {
		int fd = accept4(crew->options.listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			add_connection(crew, fd);
		else if (errno == EAGAIN)
			return;
		else if (errno != ECONNABORTED && errno != EINTR) {
			back_off(seat, errno);
			return;
		}
	}
}

void mm_crew_poll_again(struct mm_crew *crew, int fd)
{
	if (mm_crew_watch(crew, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT))
		return;
	mm_log(MM_LOG_WARNING, NULL, "a connection was dropped: %s", strerror(errno));
	close(fd);
}
