/*
 * audience: the client of a turn that is answered in events (floor 4).
 *
 * Shape    an interface of two functions: HTTP's server-sent events implement it, and a test
 * Own      nothing is kept of what is sent
 * Errors   none: a client that has left stays away, and every later call says so at once
 * Threads  both are called in the turn's thread, and return within seconds whatever the client does
 */
#ifndef MM_SERVICE_AUDIENCE_H
#define MM_SERVICE_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>

enum mm_audience_state {
	MM_AUDIENCE_THERE,
	MM_AUDIENCE_LEFT,
	MM_AUDIENCE_SENT_OFF, /* the server is about to stop: end the turn */
	MM_AUDIENCE__MAX
};

struct mm_audience {
	/* Sends one event, whose data is one line of JSON. The first begins the reply: from then on
	 * an error can only be told as an event. False: the client has left. */
	bool (*send)(void *context, const char *event, const char *json, size_t length);
	/* Called again and again while there is nothing to send; keeps the connection alive. */
	enum mm_audience_state (*wait)(void *context);
	void *context;
};

#endif
