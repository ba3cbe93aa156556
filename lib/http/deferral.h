/*
 * deferral: serve()'s held replies, as the services ask for them (floor 5).
 *
 * Own      the deferral is a plain value that borrows the request for as long as it is served
 * Threads  as mm_reply_hold and mm_reply_release
 */
#ifndef MM_HTTP_DEFERRAL_H
#define MM_HTTP_DEFERRAL_H

#include "http/request.h"
#include "service/keep.h"

/* A deferral that holds the reply to `request`. */
struct mm_deferral mm_request_deferral(const struct mm_request *request);

#endif
