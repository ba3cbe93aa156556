/* breaker: three numbers of an account; asks nobody. */
#include "config.h"

#include "ai/breaker.h"

static const char *const states[MM_BREAKER__MAX] = {
    [MM_BREAKER_CLOSED] = "closed",
    [MM_BREAKER_OPEN] = "open",
    [MM_BREAKER_HALF_OPEN] = "half_open",
};

const char *mm_breaker_state_name(enum mm_breaker_state state)
{
	return states[state];
}

/* The moment at which the pause is over has an even number; while a trial is under way, an odd one. */
static bool is_trial(int64_t until)
{
	return until & 1;
}

static int64_t longest_pause(const struct mm_breaker_options *options)
{
	const int64_t longest = options->pause_ms * MM_BREAKER_DOUBLINGS;
	return longest > MM_BREAKER_STATED_MAX_MS ? longest : MM_BREAKER_STATED_MAX_MS;
}

bool mm_breaker_admit(struct mm_account *account, const struct mm_breaker_options *options,
		      int64_t now_utc_ms)
{
	int64_t until = atomic_load(&account->open_until);
	if (until == 0)
		return true;
	if (now_utc_ms < until && until - now_utc_ms <= longest_pause(options))
		return false;
	return atomic_compare_exchange_strong(&account->open_until, &until,
					      (now_utc_ms + MM_BREAKER_TRIAL_MS) | 1);
}

void mm_breaker_succeed(struct mm_account *account)
{
	/* The usual case writes nothing, so that the processes do not fight for the cache line. */
	if (atomic_load(&account->failures) != 0)
		atomic_store(&account->failures, 0);
	if (atomic_load(&account->open_until) != 0)
		atomic_store(&account->open_until, 0);
	if (atomic_load(&account->pause_ms) != 0)
		atomic_store(&account->pause_ms, 0);
}

static int64_t next_pause(struct mm_account *account, const struct mm_breaker_options *options)
{
	const int64_t last = atomic_load(&account->pause_ms);
	const int64_t longest = options->pause_ms * MM_BREAKER_DOUBLINGS;
	const int64_t pause = last > 0 ? last * 2 : options->pause_ms;
	return pause < longest ? pause : longest;
}

/* False: it is open already. What was asked before and fails late does not make the pause longer. */
static bool open_for(struct mm_account *account, int64_t pause_ms, int64_t now_utc_ms)
{
	int64_t until = atomic_load(&account->open_until);
	if (until > now_utc_ms && !is_trial(until))
		return false;
	return atomic_compare_exchange_strong(&account->open_until, &until,
					      (now_utc_ms + pause_ms) & ~(int64_t)1);
}

/* For as long as the provider said; the pauses of our own do not follow from it. */
static bool pause_for(struct mm_account *account, int64_t stated_ms, int64_t now_utc_ms)
{
	const int64_t most = MM_BREAKER_STATED_MAX_MS;
	return open_for(account, stated_ms < most ? stated_ms : most, now_utc_ms);
}

bool mm_breaker_fail(struct mm_account *account, const struct mm_breaker_options *options,
		     enum mm_fault fault, int64_t stated_ms, int64_t now_utc_ms)
{
	const enum mm_fault_weight weight = mm_fault_weight(fault);
	if (weight == MM_WEIGHT_NONE)
		return false;
	atomic_store(&account->last_fault, fault);
	atomic_store(&account->last_fault_at, now_utc_ms);
	const int64_t failures = atomic_fetch_add(&account->failures, 1) + 1;
	if (weight == MM_WEIGHT_PAUSE && stated_ms > 0)
		return pause_for(account, stated_ms, now_utc_ms);
	if (weight != MM_WEIGHT_TRIP && failures < options->failures)
		return false;
	const int64_t pause_ms = next_pause(account, options);
	if (!open_for(account, pause_ms, now_utc_ms))
		return false;
	atomic_store(&account->pause_ms, pause_ms);
	return true;
}

enum mm_breaker_state mm_breaker_state(const struct mm_account *account, int64_t now_utc_ms)
{
	const int64_t until = atomic_load(&account->open_until);
	if (until == 0)
		return MM_BREAKER_CLOSED;
	return now_utc_ms < until && !is_trial(until) ? MM_BREAKER_OPEN : MM_BREAKER_HALF_OPEN;
}
