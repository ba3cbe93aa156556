/* test_mac: the names against HMACs made elsewhere (Python's hmac), and parts that do not run together. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mac.h"

static struct mm_secret *secret;

static int set_up(void **state)
{
	struct mm_error err;
	(void)state;
	return mm_secret_copy("0123456789abcdef0123456789abcdef", 32, &secret, &err) == MM_OK ? 0
											      : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_secret_free(secret);
	return 0;
}

static void name__is_the_hmac_of_lengths_and_parts(void **state)
{
	const struct mm_mac_part parts[] = {{"use", 3}, {NULL, 0}, {"鍵", 3}};
	char name[MM_MAC_TEXT];
	(void)state;
	mm_mac_make(secret, parts, 3, name);
	assert_string_equal(name,
			    "c3fac415fafd800d1e441b7314f5970127aba4dee0cb89a721390658fd6bcef9");
}

static void parts__do_not_run_into_each_other(void **state)
{
	const struct mm_mac_part rows[][2] = {{{"ab", 2}, {"c", 1}},
					      {{"a", 1}, {"bc", 2}},
					      {{"abc", 3}, {"", 0}},
					      {{"", 0}, {"abc", 3}}};
	char names[4][MM_MAC_TEXT];
	(void)state;
	for (size_t i = 0; i < 4; i++)
		mm_mac_make(secret, rows[i], 2, names[i]);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(names[i], names[j]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(name__is_the_hmac_of_lengths_and_parts),
	    cmocka_unit_test(parts__do_not_run_into_each_other),
	};
	return cmocka_run_group_tests_name("mac", tests, set_up, tear_down);
}
