/*
 * provider: what answers a customer's message (floor 3).
 *
 * Shape    an interface of one function; the built-in responder implements it
 * Own      texts in a reply live in the arena passed to the call
 * Errors   MM_UPSTREAM and MM_TIMEOUT mean that another provider may be tried
 * Threads  `reply` may be called by many threads at once
 */
#ifndef MM_AI_PROVIDER_H
#define MM_AI_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "ai/replies.h"
#include "base/arena.h"
#include "base/status.h"
#include "detect/detector.h"

/* One message to answer, with what is known of it. Everything is borrowed for the call. */
struct mm_ai_request {
	const char *text;
	size_t length;
	enum mm_language language;
	const struct mm_analysis *analysis;
	const char *order_number;  /* the last one that the customer named, or NULL */
	const char *customer_name; /* or NULL */
};

struct mm_ai_reply {
	const char *text;
	const char *provider;
	const char *model; /* NULL where there is none */
	bool is_fallback;  /* the question could not be placed */
};

struct mm_provider {
	const char *name;
	enum mm_status (*reply)(void *self, const struct mm_ai_request *request,
				struct mm_ai_reply *out, struct mm_arena *arena,
				struct mm_error *err);
	void *self;
};

#endif
