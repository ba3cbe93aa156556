/*
 * clock: what time it is, replaceable in tests (floor 0).
 *
 * Shape    struct mm_clock is an interface: two functions and their state
 * Units    int64 milliseconds; utc since 1970-01-01T00:00:00Z without leap seconds, mono since an
 *          arbitrary moment
 * Own      `self` belongs to whoever made the clock
 * Errors   none
 * Threads  mm_clock_system may be shared by all; a fake is as safe as its maker made it
 * Source   POSIX clock_gettime; ISO 8601 and RFC 3339 for the text; the days algorithm is
 *          H. Hinnant's civil_from_days
 *
 * Deadlines and durations use mono: utc jumps when the administrator or NTP sets the clock.
 */
#ifndef MM_BASE_CLOCK_H
#define MM_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MM_CLOCK_TEXT = 25 };

struct mm_clock {
	int64_t (*utc_ms)(void *self);
	int64_t (*mono_ms)(void *self);
	void *self;
};

/* The system's clocks. */
extern const struct mm_clock mm_clock_system;

/* Milliseconds since the epoch, UTC. */
static inline int64_t mm_clock_utc_ms(const struct mm_clock *clock)
{
	return clock->utc_ms(clock->self);
}

/* Milliseconds that never go back, for deadlines and durations. */
static inline int64_t mm_clock_mono_ms(const struct mm_clock *clock)
{
	return clock->mono_ms(clock->self);
}

/*
 * Writes "2026-11-23T03:04:05.678Z" and a NUL. Moments before the year 0000 or after 9999 are
 * written as the first or the last moment that fits.
 */
void mm_clock_format_utc(int64_t utc_ms, char out[MM_CLOCK_TEXT]);

/*
 * Reads a moment of RFC 3339: "2026-11-23T03:04:05.678Z", a fraction of any length or none, an
 * offset such as +09:00 in place of Z. Digits beyond milliseconds are dropped, and a leap second is
 * the second after. False, and *out is untouched, for anything else, a day that does not exist
 * included.
 */
bool mm_clock_parse_utc(const char *text, size_t length, int64_t *out);

#endif
