/*
 * clock: the system's clocks and the text of a moment. No time zones: everything is UTC.
 */
#include "config.h"

#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static const int64_t MS_PER_DAY = 86400000;
static const int64_t FIRST_MS = -62167219200000; /* 0000-01-01T00:00:00.000Z */
static const int64_t LAST_MS = 253402300799999;  /* 9999-12-31T23:59:59.999Z */

static int64_t read_clock(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now); /* cannot fail for these two clocks */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_utc_ms(void *self)
{
	(void)self;
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono_ms(void *self)
{
	(void)self;
	return read_clock(CLOCK_MONOTONIC);
}

const struct mm_clock mm_clock_system = {system_utc_ms, system_mono_ms, NULL};

struct date {
	unsigned year, month, day;
};

/* The Gregorian date of a day counted from 1 March of a year 0 modulo 400, the start of a 400-year era of years that
 * begin in March, so that the leap day is a year's last. */
static struct date date_of(unsigned day)
{
	unsigned era = day / 146097;
	unsigned day_of_era = day % 146097;
	unsigned year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year =
	    day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned march_month = (5 * day_of_year + 2) / 153;
	unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;

	return (struct date){
	    .year = era * 400 + year_of_era + (month <= 2),
	    .month = month,
	    .day = day_of_year - (153 * march_month + 2) / 5 + 1,
	};
}

static char *put_digits(char *out, unsigned value, unsigned digits, char after)
{
	for (unsigned i = digits; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	out[digits] = after;
	return out + digits + 1;
}

void mm_clock_format_utc(int64_t utc_ms, char out[MM_CLOCK_TEXT])
{
	if (utc_ms < FIRST_MS)
		utc_ms = FIRST_MS;
	if (utc_ms > LAST_MS)
		utc_ms = LAST_MS;
	/* Counted from 1 March of the year -400, so that nothing is negative. */
	int64_t since_era = utc_ms - FIRST_MS + (146097 - 60) * MS_PER_DAY;
	struct date date = date_of((unsigned)(since_era / MS_PER_DAY));
	unsigned ms = (unsigned)(since_era % MS_PER_DAY);

	out = put_digits(out, date.year - 400, 4, '-');
	out = put_digits(out, date.month, 2, '-');
	out = put_digits(out, date.day, 2, 'T');
	out = put_digits(out, ms / 3600000, 2, ':');
	out = put_digits(out, ms / 60000 % 60, 2, ':');
	out = put_digits(out, ms / 1000 % 60, 2, '.');
	out = put_digits(out, ms % 1000, 3, 'Z');
	*out = '\0';
}
