/*
 * accept: what form of a reply a client asks for (floor 5).
 *
 * Shape    a pure function over the value of an Accept header
 * Errors   none: what cannot be read counts as not there
 * Threads  any
 * Source   RFC 9110, sections 12.4.2 (quality values) and 12.5.1 (Accept)
 */
#ifndef MM_HTTP_ACCEPT_H
#define MM_HTTP_ACCEPT_H

#include <stdbool.h>

/*
 * Whether the client wants text/event-stream, and not less than JSON. It has to be named: a client
 * that takes anything (a wildcard, or no header at all, which is NULL) gets JSON.
 */
bool mm_accept_wants_events(const char *accept);

#endif
