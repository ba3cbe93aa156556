/*
 * transport: HTTP calls to the providers, all of a process over one set of connections (floor 3).
 *
 * Shape    one thread, the loop, owns libcurl's multi handle, the connections (kept alive, HTTP/2
 *          where the server speaks it) and every transfer. A call is made by whoever wants the
 *          answer: it hands a request to the loop and sleeps until something has come. So a
 *          thousand calls under way cost a thousand sleeping threads, which is what serve() has
 *          anyway, and one that works; a slow reader never delays another's answer, because
 *          on_body runs in the thread that called
 * Units    milliseconds of the monotonic clock; bytes
 * Own      the call and what it points to are borrowed until mm_transport_run returns. The result
 *          is a plain value. Bytes given to on_body are borrowed during it
 * Errors   how a transfer ended is in the result, also for HTTP errors; run itself does not fail
 * Threads  run: any number at once. New and free: one thread, free when no call is under way
 * Source   libcurl-multi(3), with curl_multi_socket_action(3) and epoll(7): its cost does not grow
 *          with the number of sleeping transfers
 *
 * Promises Redirects are not followed. TLS is always verified. A body is taken up to max_bytes,
 *          after decompression, and a head up to MM_TRANSPORT_HEAD_MAX. The key's header is
 *          read from where the caller keeps it and is never logged; while a request is sent
 *          libcurl has a copy in its own buffer, which it does not wipe.
 */
#ifndef MM_AI_TRANSPORT_H
#define MM_AI_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/status.h"

enum {
	MM_TRANSPORT_HEAD_MAX = 64 * 1024,
	MM_TRANSPORT_HEADERS_MAX = 8,
	MM_TRANSPORT_VALUE = 64,   /* of a header that is kept, with its NUL */
	MM_TRANSPORT_TICK_MS = 20, /* how late a timeout may be noticed */
};

enum mm_transport_end {
	MM_TRANSPORT_DONE,    /* the whole answer is here; its status may be anything */
	MM_TRANSPORT_CONNECT, /* no connection: name, refusal, timeout of the connecting */
	MM_TRANSPORT_TLS,     /* the server is not who it should be, or speaks no TLS */
	MM_TRANSPORT_RESET,   /* the connection ended before the first byte of the body */
	MM_TRANSPORT_CUT,     /* and after it */
	MM_TRANSPORT_FIRST,   /* first_byte_ms are over */
	MM_TRANSPORT_IDLE,    /* idle_ms */
	MM_TRANSPORT_TOTAL,   /* the deadline */
	MM_TRANSPORT_LARGE,   /* max_bytes, or the head's limit */
	MM_TRANSPORT_STOPPED, /* on_body said so */
	MM_TRANSPORT_FAILED,  /* ours: no memory */
	MM_TRANSPORT__MAX
};

struct mm_transport_result {
	enum mm_transport_end end;
	int status; /* 0 before the head has come */
	char retry_after[MM_TRANSPORT_VALUE];
	char retry_after_ms[MM_TRANSPORT_VALUE];
	char should_retry[MM_TRANSPORT_VALUE];
	char request_id[MM_TRANSPORT_VALUE]; /* the provider's, for its support */
	const char *detail;                  /* static: libcurl's words for the end */
};

struct mm_transport_call {
	const char *url;
	/* "Name: value" lines; NULL entries are skipped. The key's is one of them. */
	const char *headers[MM_TRANSPORT_HEADERS_MAX];
	const char *body; /* POSTed */
	size_t body_length;
	const char *ca_file; /* NULL: the system's */
	int64_t connect_ms;
	int64_t first_byte_ms; /* of the body; 0: no limit but the deadline */
	int64_t idle_ms;       /* 0: the same */
	int64_t deadline_mono_ms;
	size_t max_bytes;
	/* Give the bytes as they come. False: once, at the end, which costs less. */
	bool wants_parts;
	/* status and headers of `result` are filled. False stops the transfer. */
	bool (*on_body)(void *context, const struct mm_transport_result *result, const char *bytes,
			size_t length);
	void *context;
};

struct mm_transport;

/* Starts the loop. MM_NO_MEMORY. The clock must be that of deadlines. */
enum mm_status mm_transport_new(const struct mm_clock *clock, struct mm_transport **out,
				struct mm_error *err);

/* Ends the loop and closes the connections. NULL is allowed. */
void mm_transport_free(struct mm_transport *transport);

/* Makes one call and waits for its end. */
void mm_transport_run(struct mm_transport *transport, const struct mm_transport_call *call,
		      struct mm_transport_result *out);

#endif
