/*
 * budget: a provider's tokens of a day (floor 3).
 *
 * Shape    a call takes a promise of the most it may use, and settles it by what it did use
 * Units    tokens; days are UTC
 * Own      the account is borrowed; a promise is a plain value
 * Errors   none
 * Threads  any number of threads and processes
 *
 * Promises keep the calls under way within the limit too. A process that is killed leaves its
 * promises in the account until the day is over. At midnight a few tokens may be counted to either
 * day.
 */
#ifndef MM_AI_BUDGET_H
#define MM_AI_BUDGET_H

#include "ai/ledger.h"

struct mm_budget_promise {
	int64_t day;
	int64_t tokens;
};

/* False: fewer than `tokens` of the day's `limit` are left. limit 0: there is none. */
bool mm_budget_promise(struct mm_account *account, int64_t limit, int64_t tokens,
		       int64_t now_utc_ms, struct mm_budget_promise *out);

/* Puts what was used in the place of the promise; 0 gives it back. */
void mm_budget_settle(struct mm_account *account, const struct mm_budget_promise *promise,
		      int64_t used);

/* The tokens of today, promises included. */
int64_t mm_budget_used(const struct mm_account *account, int64_t now_utc_ms);

/* An estimate of the tokens in so many bytes of text: a Japanese character is about one, and four
 * English letters are. */
int64_t mm_budget_estimate(size_t bytes);

#endif
