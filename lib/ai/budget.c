/* budget: two numbers of an account. */
#include "config.h"

#include "ai/budget.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, BYTES_PER_TOKEN = 3 };

static int64_t day_of(int64_t utc_ms)
{
	return utc_ms / DAY_MS;
}

/* The first call of a day begins the count anew. */
static void turn_page(struct mm_account *account, int64_t day)
{
	int64_t last = atomic_load(&account->day);
	if (last != day && atomic_compare_exchange_strong(&account->day, &last, day))
		atomic_store(&account->tokens, 0);
}

bool mm_budget_promise(struct mm_account *account, int64_t limit, int64_t tokens,
		       int64_t now_utc_ms, struct mm_budget_promise *out)
{
	const int64_t day = day_of(now_utc_ms);
	turn_page(account, day);
	const int64_t total = atomic_fetch_add(&account->tokens, tokens) + tokens;
	if (limit > 0 && total > limit) {
		atomic_fetch_sub(&account->tokens, tokens);
		return false;
	}
	*out = (struct mm_budget_promise){.day = day, .tokens = tokens};
	return true;
}

void mm_budget_settle(struct mm_account *account, const struct mm_budget_promise *promise,
		      int64_t used)
{
	const bool is_same_day = atomic_load(&account->day) == promise->day;
	atomic_fetch_add(&account->tokens, used - (is_same_day ? promise->tokens : 0));
}

int64_t mm_budget_used(const struct mm_account *account, int64_t now_utc_ms)
{
	return atomic_load(&account->day) == day_of(now_utc_ms) ? atomic_load(&account->tokens) : 0;
}

int64_t mm_budget_estimate(size_t bytes)
{
	return (int64_t)(bytes / BYTES_PER_TOKEN) + 1;
}
