/*
 * clock: the system's clocks and the text of a moment. No time zones: everything is UTC.
 */
#include "config.h"

#include "base/clock.h"

#include <string.h>
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

/* What is left of a text that is being read. */
struct reading {
	const char *at, *end;
};

static bool take_char(struct reading *reading, const char *choices)
{
	if (reading->at == reading->end || !*reading->at || !strchr(choices, *reading->at))
		return false;
	reading->at++;
	return true;
}

/* Exactly `digits` digits, a value within [min, max]. */
static bool take_number(struct reading *reading, unsigned digits, unsigned min, unsigned max,
			unsigned *out)
{
	unsigned value = 0;

	for (unsigned i = 0; i < digits; i++) {
		if (reading->at == reading->end || *reading->at < '0' || *reading->at > '9')
			return false;
		value = value * 10 + (unsigned)(*reading->at++ - '0');
	}
	*out = value;
	return value >= min && value <= max;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && is_leap);
}

/* Days since 1970-01-01; the reverse of date_of. */
static int64_t day_of(const struct date *date)
{
	unsigned year = date->year + 400 - (date->month <= 2);
	unsigned march_month = date->month > 2 ? date->month - 3 : date->month + 9;
	unsigned day_of_year = (153 * march_month + 2) / 5 + date->day - 1;
	unsigned day_of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + day_of_year;

	return (int64_t)(year / 400) * 146097 + day_of_era - (146097 - 60) + FIRST_MS / MS_PER_DAY;
}

static bool take_date(struct reading *reading, int64_t *ms_out)
{
	struct date date;

	if (!take_number(reading, 4, 0, 9999, &date.year) || !take_char(reading, "-") ||
	    !take_number(reading, 2, 1, 12, &date.month) || !take_char(reading, "-") ||
	    !take_number(reading, 2, 1, days_in(date.year, date.month), &date.day))
		return false;
	*ms_out = day_of(&date) * MS_PER_DAY;
	return true;
}

/* The digits after the point: the first three, the others are dropped. */
static bool take_fraction(struct reading *reading, unsigned *ms_out)
{
	unsigned scale = 100, digit;

	*ms_out = 0;
	if (!take_char(reading, "."))
		return true;
	if (!take_number(reading, 1, 0, 9, &digit))
		return false;
	do {
		*ms_out += digit * scale;
		scale /= 10;
	} while (take_number(reading, 1, 0, 9, &digit));
	return true;
}

static bool take_time(struct reading *reading, int64_t *ms_out)
{
	unsigned hour, minute, second, ms;

	if (!take_number(reading, 2, 0, 23, &hour) || !take_char(reading, ":") ||
	    !take_number(reading, 2, 0, 59, &minute) || !take_char(reading, ":") ||
	    !take_number(reading, 2, 0, 60, &second) || !take_fraction(reading, &ms))
		return false;
	*ms_out = ((int64_t)(hour * 60 + minute) * 60 + second) * 1000 + ms;
	return true;
}

static bool take_offset(struct reading *reading, int64_t *ms_out)
{
	unsigned hour, minute;
	bool is_behind;

	*ms_out = 0;
	if (take_char(reading, "Zz"))
		return true;
	is_behind = take_char(reading, "-");
	if ((!is_behind && !take_char(reading, "+")) || !take_number(reading, 2, 0, 23, &hour) ||
	    !take_char(reading, ":") || !take_number(reading, 2, 0, 59, &minute))
		return false;
	*ms_out = (int64_t)(hour * 60 + minute) * 60000 * (is_behind ? -1 : 1);
	return true;
}

bool mm_clock_parse_utc(const char *text, size_t length, int64_t *out)
{
	struct reading reading = {text, text + length};
	int64_t date, time_of_day, offset;

	if (!take_date(&reading, &date) || !take_char(&reading, "Tt ") ||
	    !take_time(&reading, &time_of_day) || !take_offset(&reading, &offset) ||
	    reading.at != reading.end)
		return false;
	*out = date + time_of_day - offset;
	return true;
}
