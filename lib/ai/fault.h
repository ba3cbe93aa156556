/*
 * fault: what can be wrong with a provider's answer, and what follows from it (floor 3).
 *
 * Shape    one enum and one table: a fault is retried or not, and weighs on the breaker or not
 * Errors   none
 * Threads  any
 * Source   the providers' error tables; the SDKs retry 408, 409, 429 and from 500 on
 */
#ifndef MM_AI_FAULT_H
#define MM_AI_FAULT_H

#include <stdbool.h>

#include "base/log.h"
#include "base/status.h"

enum mm_fault {
	MM_FAULT_NONE,
	/* not asked */
	MM_FAULT_BREAKER,  /* its breaker is open */
	MM_FAULT_BUSY,     /* max_concurrent questions are under way */
	MM_FAULT_BUDGET,   /* daily_tokens are used up */
	MM_FAULT_DEADLINE, /* no time is left */
	/* no answer */
	MM_FAULT_CONNECT,
	MM_FAULT_TLS, /* its certificate is not good */
	MM_FAULT_RESET,
	MM_FAULT_TIMEOUT,
	/* an answer that says no */
	MM_FAULT_OVERLOADED,
	MM_FAULT_LIMITED, /* too many requests: wait */
	MM_FAULT_QUOTA,   /* too many for today: waiting does not help */
	MM_FAULT_KEY,     /* key, bill or permission */
	MM_FAULT_MODEL,   /* no such model or path */
	MM_FAULT_REDIRECT,
	MM_FAULT_REJECTED, /* it does not like the request */
	/* an answer that is of no use */
	MM_FAULT_CUT,      /* it ended too early */
	MM_FAULT_TOO_LONG, /* more bytes than are taken */
	MM_FAULT_INVALID,  /* not what the protocol says */
	MM_FAULT_LANGUAGE, /* not the customer's */
	MM_FAULT_UNACCEPTED,
	MM_FAULT__MAX
};

enum mm_fault_weight {
	MM_WEIGHT_NONE,    /* says nothing about the next request */
	MM_WEIGHT_FAILURE, /* counts: so many in a row open the breaker */
	MM_WEIGHT_PAUSE,   /* opens it for as long as the provider says */
	MM_WEIGHT_TRIP,    /* opens it at once: an administrator has to act */
	MM_WEIGHT__MAX
};

/* Such as "timeout"; "none". */
const char *mm_fault_name(enum mm_fault fault);

/* Whether asking the same provider once more may help and cannot be paid for twice. */
bool mm_fault_is_retryable(enum mm_fault fault);

/* What it means for the breaker. */
enum mm_fault_weight mm_fault_weight(enum mm_fault fault);

/* How loud the log is about it. */
enum mm_log_level mm_fault_level(enum mm_fault fault);

/* The fault that an HTTP status means; MM_FAULT_NONE for 200. */
enum mm_fault mm_fault_of_http(int status);

/* The fault that an error of a stream means, by its type or status as the provider names it, such as
 * "overloaded_error" or "RESOURCE_EXHAUSTED"; MM_FAULT__MAX for an unknown name. */
enum mm_fault mm_fault_of_name(const char *name);

#endif
