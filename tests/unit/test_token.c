/*
 * Tests of lib/base/token.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/token.h"

static const char TEXT[] = "01890a5d-ac96-774b-bcce-b302099a8057";
static const char KEY[] = "0123456789abcdef0123456789abcdef";
/* HMAC-SHA256 as Python's hmac and base64 modules compute it. */
static const char WANT[] = "OYERvp9G5LfgN6p-KMvVMZbaE8deaGuizmweCO03lY8";

static struct mm_secret *secret;
static struct mm_id id;

static int set_up(void **state)
{
	(void)state;
	return mm_secret_copy(KEY, strlen(KEY), &secret, NULL) == MM_OK &&
		       mm_id_parse(TEXT, strlen(TEXT), &id)
		   ? 0
		   : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_secret_free(secret);
	return 0;
}

static void make__known_key__matches_another_implementation(void **state)
{
	char token[MM_TOKEN_TEXT];

	(void)state;
	mm_token_make(secret, &id, token);
	assert_string_equal(token, WANT);
}

static void valid__only_the_exact_token(void **state)
{
	char token[MM_TOKEN_TEXT + 1];

	(void)state;
	assert_true(mm_token_is_valid(secret, &id, WANT, strlen(WANT)));
	for (size_t i = 0; i < strlen(WANT); i++) {
		strcpy(token, WANT);
		token[i] ^= 1;
		if (mm_token_is_valid(secret, &id, token, strlen(token)))
			fail_msg("valid with another byte %zu: %s", i, token);
	}
	strcpy(token, WANT);
	strcat(token, "=");
	assert_false(mm_token_is_valid(secret, &id, token, strlen(token)));
	assert_false(mm_token_is_valid(secret, &id, WANT, strlen(WANT) - 1));
	assert_false(mm_token_is_valid(secret, &id, NULL, 0));
}

static void valid__other_conversation_or_secret__is_refused(void **state)
{
	struct mm_secret *other_secret;
	struct mm_id other_id = id;

	(void)state;
	other_id.bytes[15] ^= 1;
	assert_false(mm_token_is_valid(secret, &other_id, WANT, strlen(WANT)));
	assert_int_equal(mm_secret_copy(KEY, strlen(KEY) - 1, &other_secret, NULL), MM_OK);
	assert_false(mm_token_is_valid(other_secret, &id, WANT, strlen(WANT)));
	mm_secret_free(other_secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(make__known_key__matches_another_implementation),
	    cmocka_unit_test(valid__only_the_exact_token),
	    cmocka_unit_test(valid__other_conversation_or_secret__is_refused),
	};

	return cmocka_run_group_tests_name("token", tests, set_up, tear_down);
}
