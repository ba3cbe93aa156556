/* backoff: the growing pause between tries, with jitter. It sleeps nowhere: callers ask it. */
#include "config.h"

#include "store/backoff.h"

#include <sys/random.h>

void mm_backoff_init(struct mm_backoff *backoff, int64_t min_ms, int64_t max_ms)
{
	backoff->min_ms = min_ms;
	backoff->max_ms = max_ms;
	backoff->pause_ms = 0;
	backoff->until_mono_ms = 0;
	if (getrandom(&backoff->random, sizeof(backoff->random), GRND_NONBLOCK) < 0)
		backoff->random = (uint64_t)(uintptr_t)backoff;
	backoff->random |= 1; /* xorshift needs a bit */
}

static uint64_t next_random(struct mm_backoff *backoff)
{
	backoff->random ^= backoff->random << 13;
	backoff->random ^= backoff->random >> 7;
	backoff->random ^= backoff->random << 17;
	return backoff->random;
}

void mm_backoff_fail(struct mm_backoff *backoff, int64_t now_mono_ms)
{
	if (backoff->min_ms == 0)
		return;
	int64_t pause = backoff->pause_ms ? backoff->pause_ms * 2 : backoff->min_ms;

	if (pause > backoff->max_ms)
		pause = backoff->max_ms;
	backoff->pause_ms = pause;
	int64_t jitter = (int64_t)(next_random(backoff) % (uint64_t)(pause / 2 + 1));
	backoff->until_mono_ms = now_mono_ms + pause - jitter;
}

void mm_backoff_succeed(struct mm_backoff *backoff)
{
	backoff->pause_ms = 0;
	backoff->until_mono_ms = 0;
}

bool mm_backoff_is_waiting(const struct mm_backoff *backoff, int64_t now_mono_ms)
{
	return backoff->pause_ms > 0 && now_mono_ms < backoff->until_mono_ms;
}
