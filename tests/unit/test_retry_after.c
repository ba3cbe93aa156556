/* test_retry_after: every form in which a provider says how long to wait. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ai/retry_after.h"

#define NOW INT64_C(784111777000) /* Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's example */

static const struct {
	const char *value;
	int64_t want;
} headers[] = {
    {"0", 0},
    {"2", 2000},
    {" 120 ", 120000},
    {"1.5", 1500},
    {"0.0001", 1},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:40 GMT", 3000},
    {"Sun, 06 Nov 1994 08:00:00 GMT", 0},
    {"Sunday, 06-Nov-94 08:50:37 GMT", 60000},
    {"Sun Nov  6 08:50:37 1994", 60000},
    {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400000 - NOW},
    {"", -1},
    {"-1", -1},
    {"soon", -1},
    {"2 seconds", -1},
    {"nan", -1},
    {"99999999999999999999", -1},
    {"Sun, 06 Nov 1994 08:49:40 CET", -1},
    {"Sun, 06 Foo 1994 08:49:40 GMT", -1},
    {"Sun, 40 Nov 1994 08:49:40 GMT", -1},
    {"Sun, 06 Nov 1994 25:49:40 GMT", -1},
    {"Sun, 06 Nov 1994", -1},
};

static const struct {
	const char *value;
	int64_t want;
} delays[] = {
    {"38s", 38000}, {"45.837906927s", 45838},
    {"0s", 0},      {"0.5s", 500},
    {"38", -1},     {"s", -1},
    {"", -1},       {"-3s", -1},
    {"1m", -1},     {"1e2s", 100000},
    {"1 s", -1},
};

static void header__each_form__is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		const int64_t got = mm_retry_after_parse(headers[i].value, NOW);
		if (got != headers[i].want)
			fail_msg("\"%s\" is %lld", headers[i].value, (long long)got);
	}
}

static void delay__each_form__is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
		const int64_t got = mm_retry_delay_parse(delays[i].value);
		if (got != delays[i].want)
			fail_msg("\"%s\" is %lld", delays[i].value, (long long)got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header__each_form__is_read),
	    cmocka_unit_test(delay__each_form__is_read),
	};
	return cmocka_run_group_tests_name("retry_after", tests, NULL, NULL);
}
