/*
 * serve_stream: a reply that leaves in pieces while its handler still works (floor 5).
 *
 * Shape    three functions over a request that is being served. After the beginning the handler writes
 *          the whole reply, head first, and what it returns or put into its response is only logged
 * Units    bytes
 * Own      nothing is kept of what is written
 * Errors   a peer that is gone, or does not take what is written for MM_STREAM_WRITE_SECONDS, is lost
 *          for good: the connection is closed after the handler's return
 * Threads  the handler's, which is what a stream costs: one thread for as long as it lasts
 * Source   the FastCGI 1.0 specification, 5.4 (FCGI_ABORT_REQUEST); nginx instead closes the
 *          connection when its client has left
 */
#ifndef MM_HTTP_SERVE_STREAM_H
#define MM_HTTP_SERVE_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "http/request.h"

enum {
	MM_STREAM_WRITE_SECONDS = 10,
	MM_STREAM_STOP_MS = 2000, /* before the end of the drain time streams are to end */
};

enum mm_stream_peer {
	MM_STREAM_THERE,
	MM_STREAM_GONE,     /* nobody listens any more */
	MM_STREAM_STOPPING, /* the process is about to end: say so and return */
};

/* False: this request cannot be streamed (outside serve(), or its body is not whole), and nothing
 * has changed. */
bool mm_stream_begin(const struct mm_request *request);

/* Sends the bytes at once. False: the peer is gone. */
bool mm_stream_write(const struct mm_request *request, const char *bytes, size_t length);

/* Looks, without waiting, whether somebody still listens. */
enum mm_stream_peer mm_stream_look(const struct mm_request *request);

#endif
