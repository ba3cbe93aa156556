/* retry_after: reads durations and dates; waits for nothing. */
#include "config.h"

#include "ai/retry_after.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

enum { SECONDS_MAX = 10 * 365 * 24 * 3600 };

static const char *skip_space(const char *text)
{
	return text + strspn(text, " \t");
}

static size_t trimmed_length(const char *text)
{
	size_t length = strlen(text);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		length--;
	return length;
}

/* Rounded up: never too early. */
static bool parse_seconds(const char *text, size_t length, int64_t *ms_out)
{
	double seconds;
	if (!mm_number_parse_double(text, length, 0, SECONDS_MAX, &seconds))
		return false;
	const int64_t ms = (int64_t)(seconds * 1000);
	*ms_out = (double)ms < seconds * 1000 ? ms + 1 : ms;
	return true;
}

static int month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *found = strlen(name) == 3 ? strstr(names, name) : NULL;
	return found && (found - names) % 3 == 0 ? (int)(found - names) / 3 : -1;
}

/* RFC 9110: a year of two digits that seems more than 50 years away is the last century's. */
static int whole_year(int year)
{
	if (year >= 100)
		return year;
	return year < 76 ? 2000 + year : 1900 + year;
}

static bool is_date(const struct tm *date)
{
	return date->tm_mon >= 0 && date->tm_mday >= 1 && date->tm_mday <= 31 &&
	       date->tm_hour >= 0 && date->tm_hour < 24 && date->tm_min >= 0 && date->tm_min < 60 &&
	       date->tm_sec >= 0 && date->tm_sec <= 60;
}

int64_t mm_http_date_parse(const char *value)
{
	struct tm date = {.tm_year = 0};
	char month[4] = "", zone[4] = "";
	int year = 0;
	bool is_read;

	value = skip_space(value);
	is_read = sscanf(value, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d %3s", &date.tm_mday, month,
			 &year, &date.tm_hour, &date.tm_min, &date.tm_sec, zone) == 7 ||
		  sscanf(value, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d %3s", &date.tm_mday,
			 month, &year, &date.tm_hour, &date.tm_min, &date.tm_sec, zone) == 7;
	if (is_read && strcmp(zone, "GMT") != 0)
		return -1;
	is_read =
	    is_read || sscanf(value, "%*3[A-Za-z] %3s %2d %2d:%2d:%2d %4d", month, &date.tm_mday,
			      &date.tm_hour, &date.tm_min, &date.tm_sec, &year) == 6;
	date.tm_mon = month_of(month);
	date.tm_year = whole_year(year) - 1900;
	if (!is_read || !is_date(&date))
		return -1;
	return (int64_t)timegm(&date) * 1000;
}

int64_t mm_retry_after_parse(const char *value, int64_t now_utc_ms)
{
	int64_t ms;
	value = skip_space(value);
	if (parse_seconds(value, trimmed_length(value), &ms))
		return ms;
	const int64_t date = mm_http_date_parse(value);
	if (date < 0)
		return -1;
	return date > now_utc_ms ? date - now_utc_ms : 0;
}

int64_t mm_retry_delay_parse(const char *value)
{
	int64_t ms;
	const size_t length = trimmed_length(value);
	const bool is_read =
	    length > 1 && value[length - 1] == 's' && parse_seconds(value, length - 1, &ms);
	return is_read ? ms : -1;
}
