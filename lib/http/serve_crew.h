/*
 * serve_crew: threads that take readable connections from one epoll set (floor 5).
 *
 * Shape    struct mm_crew is opaque. Every connection, accepted or kept, is in the epoll set one-shot:
 *          whoever gets it has it alone, serves one request, and arms it again. So an idle
 *          connection costs a file descriptor and no thread.
 *
 *          Few threads run at a time: one polls, fills the queue of ready connections and serves them
 *          itself, while the others are parked, the last one parked on top. Waking a second thread for
 *          a request of some microseconds costs more than serving it. A thread that is about to
 *          wait calls mm_crew_step_aside(), and another takes its place at once. Where a thread
 *          waits without having said so (a peer that stalls), a minder notices within 10 ms.
 *
 *          A turn may also be held: the thread leaves it, and whoever completes it hands it back as a
 *          task, which the polling thread finishes. So a hundred replies that wait for one commit
 *          cost one waking of one thread, where a hundred waiting threads cost a hundred.
 * Units    times are milliseconds of the monotonic clock.
 * Own      the crew owns accepted connections while they are idle; `serve` owns one while it runs.
 *          The listening socket stays the caller's.
 * Errors   enum mm_status at the start; afterwards the log.
 * Threads  start and stop belong to one thread; `serve` runs in many.
 * Source   epoll(7), on EPOLLONESHOT and EPOLLEXCLUSIVE; the measurements are in tests/bench.
 *
 * What speaks over a connection is not the crew's business: it could serve any protocol in which a
 * peer waits for the answer before it sends again.
 */
#ifndef MM_HTTP_SERVE_CREW_H
#define MM_HTTP_SERVE_CREW_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/status.h"

struct mm_crew;
struct mm_seat; /* a thread's place in the crew */

/* What is handed back for a held turn; embed it in the turn. */
struct mm_task {
	struct mm_task *next; /* the crew's */
};

enum mm_turn {
	MM_TURN_KEPT,   /* the request is done, the connection may be polled again */
	MM_TURN_CLOSED, /* the connection is gone */
	MM_TURN_HELD,   /* mm_crew_resume() will be, or has been, called for it */
	MM_TURN__MAX
};

struct mm_crew_options {
	int listen_fd; /* made non-blocking; other processes may listen on it too */
	unsigned threads;
	const struct mm_clock *clock;
	/*
	 * Serves one request of the connection. is_last: close it after the reply. Reads wait 5
	 * seconds at most, writes 30.
	 */
	enum mm_turn (*serve)(void *context, int fd, bool is_last, struct mm_seat *seat);
	/* Finishes a held turn. Returns the connection if it was kept, -1 if it was closed. */
	int (*finish)(void *context, struct mm_task *task, bool is_last);
	void *context;
};

/* MM_BAD_INPUT unless fd is a listening socket; changes nothing. */
enum mm_status mm_crew_check(int fd, struct mm_error *err);

/* Starts the threads. MM_NO_MEMORY: they cannot be had. MM_BUG: listen_fd cannot be used. */
enum mm_status mm_crew_start(const struct mm_crew_options *options, struct mm_crew **pool_out,
			     struct mm_error *err);

/*
 * Called inside `serve`, before anything that may wait: lets another thread take the ready
 * connections. Calling it twice in a turn does nothing more.
 */
void mm_crew_step_aside(struct mm_seat *seat);

/* The crew of a seat. */
struct mm_crew *mm_crew_of(const struct mm_seat *seat);

/* Hands a held turn back, once, from any thread. Must not come later than mm_crew_stop() allows. */
void mm_crew_resume(struct mm_crew *crew, struct mm_task *task);

/*
 * Stops accepting, goes on with requests that arrive on kept connections (each is closed after its
 * reply) until none has come for 100 ms and none is held, then ends the threads and frees the crew. False: requests
 * were still under way at the deadline; their threads, and the crew, are left behind.
 */
bool mm_crew_stop(struct mm_crew *crew, int64_t deadline_mono_ms);

#endif
