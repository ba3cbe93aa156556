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
	    cmocka_unit_test(system__utc__is_near_time_and_mono_goes_on),
	    cmocka_unit_test(interface__fake__is_asked),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
