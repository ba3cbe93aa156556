/*
 * Tests of lib/base/clock.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct {
	int64_t utc_ms;
	const char *want;
} rows[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {1795403045678, "2026-11-23T03:04:05.678Z"},
    {951782399999, "2000-02-28T23:59:59.999Z"},
    {951782400000, "2000-02-29T00:00:00.000Z"},
    {951868800000, "2000-03-01T00:00:00.000Z"},
    {4107542399999, "2100-02-28T23:59:59.999Z"},
    {4107542400000, "2100-03-01T00:00:00.000Z"},
    {-62167219200000, "0000-01-01T00:00:00.000Z"},
    {-62167219200001, "0000-01-01T00:00:00.000Z"},
    {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {253402300800000, "9999-12-31T23:59:59.999Z"},
    {INT64_MAX, "9999-12-31T23:59:59.999Z"},
};

static void format__known_moments__match(void **state)
{
	char text[MM_CLOCK_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mm_clock_format_utc(rows[i].utc_ms, text);
		if (strcmp(text, rows[i].want) != 0)
			fail_msg("%jd: %s, not %s", (intmax_t)rows[i].utc_ms, text, rows[i].want);
	}
}

static void format__every_few_days__agrees_with_gmtime(void **state)
{
	(void)state;
	for (int64_t second = -62167219200; second < 253402300800; second += 86400 * 17 + 3607) {
		time_t moment = (time_t)second;
		struct tm date;
		char want[80], text[MM_CLOCK_TEXT];

		gmtime_r(&moment, &date);
		snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.007Z",
			 date.tm_year + 1900, date.tm_mon + 1, date.tm_mday, date.tm_hour,
			 date.tm_min, date.tm_sec);
		mm_clock_format_utc(second * 1000 + 7, text);
		if (strcmp(text, want) != 0)
			fail_msg("%s, not %s", text, want);
	}
}

static void system__utc__is_near_time_and_mono_goes_on(void **state)
{
	int64_t before = (int64_t)time(NULL) - 1;
	int64_t utc = mm_clock_utc_ms(&mm_clock_system) / 1000;
	int64_t mono = mm_clock_mono_ms(&mm_clock_system);

	(void)state;
	assert_true(utc >= before && utc <= (int64_t)time(NULL) + 1);
	assert_true(mm_clock_mono_ms(&mm_clock_system) >= mono);
	assert_true(mono < utc * 1000);
}

static const struct {
	const char *text;
	int64_t want; /* -1: refused */
} texts[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-11-23T03:04:05.678Z", 1795403045678},
    {"2026-11-23T03:04:05.6Z", 1795403045600},
    {"2026-11-23T03:04:05.678999Z", 1795403045678},
    {"2026-11-23t03:04:05z", 1795403045000},
    {"2026-11-23 03:04:05Z", 1795403045000},
    {"2026-11-23T12:04:05.678+09:00", 1795403045678},
    {"2026-11-22T21:34:05.678-05:30", 1795403045678},
    {"2000-02-29T00:00:00Z", 951782400000},
    {"2016-12-31T23:59:60Z", 1483228800000},
    {"2100-02-29T00:00:00Z", -1},
    {"2026-00-23T03:04:05Z", -1},
    {"2026-13-23T03:04:05Z", -1},
    {"2026-11-31T03:04:05Z", -1},
    {"2026-11-00T03:04:05Z", -1},
    {"2026-11-23T24:04:05Z", -1},
    {"2026-11-23T03:60:05Z", -1},
    {"2026-11-23T03:04:61Z", -1},
    {"2026-11-23T03:04:05", -1},
    {"2026-11-23T03:04:05.Z", -1},
    {"2026-11-23T03:04:05+24:00", -1},
    {"2026-11-23T03:04:05+0900", -1},
    {"2026-11-23T03:04:05Z ", -1},
    {"2026-11-23", -1},
    {"26-11-23T03:04:05Z", -1},
    {"1795403045678", -1},
    {"昨日", -1},
    {"", -1},
};

static void parse__moments_and_what_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const size_t length = strlen(texts[i].text);
		int64_t moment = -1;
		const bool is_read = mm_clock_parse_utc(texts[i].text, length, &moment);

		if (is_read != (texts[i].want != -1) || moment != texts[i].want)
			fail_msg("%s: %d, %jd", texts[i].text, is_read, (intmax_t)moment);
	}
}

static void parse__what_was_formatted__is_the_same_moment(void **state)
{
	(void)state;
	for (int64_t ms = -62167219200000; ms < 253402300800000; ms += 86400000LL * 13 + 3607123) {
		char text[MM_CLOCK_TEXT];
		int64_t moment = 0;

		mm_clock_format_utc(ms, text);
		if (!mm_clock_parse_utc(text, strlen(text), &moment) || moment != ms)
			fail_msg("%s: %jd, not %jd", text, (intmax_t)moment, (intmax_t)ms);
	}
}

static int64_t fake_utc(void *self)
{
	return *(int64_t *)self;
}

static int64_t fake_mono(void *self)
{
	return *(int64_t *)self + 1;
}

static void interface__fake__is_asked(void **state)
{
	int64_t moment = 41;
	const struct mm_clock clock = {fake_utc, fake_mono, &moment};

	(void)state;
	assert_int_equal(mm_clock_utc_ms(&clock), 41);
	assert_int_equal(mm_clock_mono_ms(&clock), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(format__known_moments__match),
	    cmocka_unit_test(format__every_few_days__agrees_with_gmtime),
	    cmocka_unit_test(parse__moments_and_what_is_none),
	    cmocka_unit_test(parse__what_was_formatted__is_the_same_moment),
	    cmocka_unit_test(system__utc__is_near_time_and_mono_goes_on),
	    cmocka_unit_test(interface__fake__is_asked),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
