/*
 * transport_internal: a transfer, as the caller and the loop share it (floor 3).
 *
 * Shape    transport.c is the caller's side and libcurl's options; transport_loop.c the loop's
 * Own      a transfer lives on the caller's stack until the loop has let go of it (is_done)
 * Threads  the transfer's mutex guards inbox, result and the flags; the rest belongs to the loop from
 *          the queue on
 */
#ifndef MM_AI_TRANSPORT_INTERNAL_H
#define MM_AI_TRANSPORT_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "ai/transport.h"
#include "base/buffer.h"

struct mm_transfer {
	const struct mm_transport_call *call;
	const struct mm_clock *clock;
	CURL *easy;
	struct curl_slist headers[MM_TRANSPORT_HEADERS_MAX];

	struct mm_transfer *next, *previous; /* in the loop's list; next also in its queue */
	int64_t started_mono_ms;
	int64_t last_byte_mono_ms; /* of the body; 0: none has come */
	size_t head_bytes, body_bytes;
	enum mm_transport_end verdict; /* why the loop ended it; MM_TRANSPORT__MAX: it did not */

	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct mm_buffer inbox;
	struct mm_transport_result result;
	atomic_bool must_stop;
	bool is_done;
};

struct mm_transport {
	const struct mm_clock *clock;
	CURLM *multi;
	int epoll_fd;
	int poke_fd;
	pthread_t thread;
	int64_t timer_mono_ms; /* when libcurl wants to be called; -1: not */
	struct mm_transfer *active;

	pthread_mutex_t mutex; /* guards what follows */
	struct mm_transfer *queue;
	struct mm_transfer **queue_end;
	bool is_ending;
};

/* The loop's thread; argument is its struct mm_transport. */
void *mm_transport_loop(void *argument);

/* The callbacks of a transfer, which run in the loop. */
size_t mm_transfer_take_head(char *line, size_t size, size_t count, void *transfer);
size_t mm_transfer_take_body(char *bytes, size_t size, size_t count, void *transfer);

/* Callbacks of the multi handle, which run in the loop. */
int mm_transport_on_socket(CURL *easy, curl_socket_t fd, int what, void *transport, void *unused);
int mm_transport_on_timer(CURLM *multi, long timeout_ms, void *transport);

/* Has the loop look at its queue and at what is to stop. */
void mm_transport_poke(struct mm_transport *transport);

#endif
