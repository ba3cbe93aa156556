/*
 * Tests of lib/base/number.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"

static const struct {
	const char *text;
	int64_t min, max;
	bool is_good;
	int64_t want;
} integers[] = {
    {"0", 0, 9, true, 0},
    {"9", 0, 9, true, 9},
    {"10", 0, 9, false, 0},
    {"-1", 0, 9, false, 0},
    {"-1", -1, 9, true, -1},
    {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
    {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
    {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
    {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
    {"99999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
    {"", INT64_MIN, INT64_MAX, false, 0},
    {"-", INT64_MIN, INT64_MAX, false, 0},
    {"-0", INT64_MIN, INT64_MAX, false, 0},
    {"00", INT64_MIN, INT64_MAX, false, 0},
    {"01", INT64_MIN, INT64_MAX, false, 0},
    {"-01", INT64_MIN, INT64_MAX, false, 0},
    {"+1", INT64_MIN, INT64_MAX, false, 0},
    {" 1", INT64_MIN, INT64_MAX, false, 0},
    {"1 ", INT64_MIN, INT64_MAX, false, 0},
    {"1a", INT64_MIN, INT64_MAX, false, 0},
    {"0x1", INT64_MIN, INT64_MAX, false, 0},
    {"1.0", INT64_MIN, INT64_MAX, false, 0},
    {"--1", INT64_MIN, INT64_MAX, false, 0},
    {"１", INT64_MIN, INT64_MAX, false, 0},
};

static void i64__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		int64_t value = 77;
		bool is_good = mm_number_parse_i64(integers[i].text, strlen(integers[i].text),
						   integers[i].min, integers[i].max, &value);

		if (is_good != integers[i].is_good || value != (is_good ? integers[i].want : 77))
			fail_msg("\"%s\": %d, %jd", integers[i].text, is_good, (intmax_t)value);
	}
}

static const struct {
	const char *text;
	bool is_good;
	double want;
} doubles[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"1.5", true, 1.5},
    {"-1.5", true, -1.5},
    {"25e-1", true, 2.5},
    {"2.5E+1", true, 25},
    {"100", true, 100},
    {"100.001", false, 0},
    {"-100.001", false, 0},
    {"1e999", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {".5", false, 0},
    {"5.", false, 0},
    {"01", false, 0},
    {"1e", false, 0},
    {"1e+", false, 0},
    {"+1", false, 0},
    {"1,5", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"nan", false, 0},
    {"inf", false, 0},
    {"0x1p3", false, 0},
    {"1.000000000000000000000000000000000000000000000000000000000000", true, 1},
    {"1.00000000000000000000000000000000000000000000000000000000000000", false, 0},
};

static void double__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
		double value = 77;
		bool is_good = mm_number_parse_double(doubles[i].text, strlen(doubles[i].text),
						      -100, 100, &value);

		if (is_good != doubles[i].is_good || value != (is_good ? doubles[i].want : 77))
			fail_msg("\"%s\": %d, %g", doubles[i].text, is_good, value);
	}
}

static void slice__without_nul__is_read_to_its_length(void **state)
{
	int64_t integer;
	double number;

	(void)state;
	assert_true(mm_number_parse_i64("12345", 2, 0, 99, &integer));
	assert_int_equal(integer, 12);
	assert_true(mm_number_parse_double("1.2345", 3, 0, 99, &number));
	assert_true(number == 1.2);
	assert_false(mm_number_parse_i64("1\0", 2, 0, 99, &integer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i64__table),
	    cmocka_unit_test(double__table),
	    cmocka_unit_test(slice__without_nul__is_read_to_its_length),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
