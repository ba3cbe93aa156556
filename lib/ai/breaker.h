/*
 * breaker: leaves a provider alone that keeps failing (floor 3).
 *
 * Shape    the state is in the provider's account, so all threads and processes share it:
 *            closed     every request may ask
 *            open       nobody asks until the pause is over
 *            half_open  the pause is over: one request tries, the others treat it as open. If it
 *                       never comes back, another tries after MM_BREAKER_TRIAL_MS
 * Units    int64 ms UTC
 * Own      the account is borrowed
 * Errors   none
 * Threads  any number of threads and processes
 *
 * The utc clock may jump: a pause longer than the longest one is taken for over.
 */
#ifndef MM_AI_BREAKER_H
#define MM_AI_BREAKER_H

#include "ai/fault.h"
#include "ai/ledger.h"

enum {
	MM_BREAKER_TRIAL_MS = 30000,
	MM_BREAKER_DOUBLINGS = 16,         /* the longest pause is so many times the first */
	MM_BREAKER_STATED_MAX_MS = 600000, /* the longest that a provider may ask for */
};

struct mm_breaker_options {
	int64_t failures; /* in a row, that open it */
	int64_t pause_ms; /* the first */
};

enum mm_breaker_state { MM_BREAKER_CLOSED, MM_BREAKER_OPEN, MM_BREAKER_HALF_OPEN, MM_BREAKER__MAX };

/* Whether a request may ask now. In half_open true is said once: that request is the trial. */
bool mm_breaker_admit(struct mm_account *account, const struct mm_breaker_options *options,
		      int64_t now_utc_ms);

/* An answer came, of whatever content: closes the breaker. */
void mm_breaker_succeed(struct mm_account *account);

/*
 * A fault came. stated_ms: for how long the provider wants to be left alone, or 0. Returns whether
 * this opened the breaker.
 */
bool mm_breaker_fail(struct mm_account *account, const struct mm_breaker_options *options,
		     enum mm_fault fault, int64_t stated_ms, int64_t now_utc_ms);

/* For health; changes nothing. */
enum mm_breaker_state mm_breaker_state(const struct mm_account *account, int64_t now_utc_ms);

/* "closed", "open", "half_open". */
const char *mm_breaker_state_name(enum mm_breaker_state state);

#endif
