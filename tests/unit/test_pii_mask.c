/*
 * Tests of lib/text/pii_mask: what goes out, and what comes back.
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

#include "base/buffer.h"
#include "text/pii_mask.h"

static struct mm_arena *arena;
static struct mm_pii_mask *mask;

static int set_up(void **state)
{
	(void)state;
	arena = mm_arena_new(0);
	mask = mm_pii_mask_new(arena);
	return mask == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

static const char *masked(const char *text)
{
	struct mm_pii_masked out;

	assert_int_equal(mm_pii_mask_text(mask, text, strlen(text), &out, NULL), MM_OK);
	assert_int_equal(strlen(out.text), out.length);
	return out.text;
}

static const char *unmasked(const char *text, size_t *unknown)
{
	const char *out;
	size_t length;

	assert_int_equal(mm_pii_unmask(mask, text, strlen(text), &out, &length, unknown, NULL),
			 MM_OK);
	assert_int_equal(strlen(out), length);
	return out;
}

static void text__with_data__has_placeholders(void **state)
{
	(void)state;
	assert_string_equal(masked("電話は090-1234-5678、メールはa@example.jpです"),
			    "電話は[PHONE_1]、メールは[EMAIL_1]です");
	assert_string_equal(masked("〒150-0043 東京都渋谷区道玄坂1-2-3"),
			    "[POSTAL_CODE_1] [ADDRESS_1]");
	assert_string_equal(masked("SSN 123-45-6789"), "SSN [SOCIAL_SECURITY_1]");
	assert_string_equal(masked("何もありません"), "何もありません");
	assert_string_equal(masked(""), "");
}

static void value__seen_before__keeps_its_placeholder(void **state)
{
	(void)state;
	assert_string_equal(masked("090-1234-5678と090-1111-2222"), "[PHONE_1]と[PHONE_2]");
	assert_string_equal(masked("まだ090-1111-2222です"), "まだ[PHONE_2]です");
	assert_string_equal(masked("a@example.jp"), "[EMAIL_1]");
}

static void reply__with_placeholders__gets_the_values(void **state)
{
	size_t unknown;

	(void)state;
	masked("090-1234-5678と090-1111-2222とa@example.jp");
	assert_string_equal(unmasked("[PHONE_2]に連絡し[EMAIL_1]へ送ります", &unknown),
			    "090-1111-2222に連絡しa@example.jpへ送ります");
	assert_int_equal(unknown, 0);
	assert_string_equal(unmasked("［phone_1］と【Phone_2】", &unknown),
			    "090-1234-5678と090-1111-2222");
	assert_string_equal(
	    unmasked("[PHONE_3] [CARD_1] [PHONE_0] [PHONE_] [PHONE_1 [X_1]", &unknown),
	    "[PHONE_3] [CARD_1] [PHONE_0] [PHONE_] [PHONE_1 [X_1]");
	assert_int_equal(unknown, 2);
	assert_string_equal(unmasked("[PHONE_99999999999999999999]", NULL),
			    "[PHONE_99999999999999999999]");
}

static void text__masked_and_unmasked__is_the_same(void **state)
{
	static const char *const texts[] = {
	    "TEL 03-1234-5678 / +81 90 1234 5678、カード4111-1111-1111-1111",
	    "Call (415) 555-2671, IBAN DE89 3704 0044 0532 0130 00, 123 Main Street",
	    "口座番号1234567とマイナンバー123456789018",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *out = masked(texts[i]);
		assert_string_not_equal(out, texts[i]);
		assert_string_equal(unmasked(out, NULL), texts[i]);
	}
}

static void invalid_utf8__is_bad_input(void **state)
{
	struct mm_pii_masked out;
	const char *text;
	size_t length;

	(void)state;
	assert_int_equal(mm_pii_mask_text(mask, "\xFF", 1, &out, NULL), MM_BAD_INPUT);
	assert_int_equal(mm_pii_unmask(mask, "\xFF", 1, &text, &length, NULL, NULL), MM_BAD_INPUT);
}

enum { MANY = 20000 };

static void many_values__take_linear_time(void **state)
{
	struct mm_buffer buffer;
	char number[32];
	clock_t began = clock();

	(void)state;
	mm_buffer_init(&buffer, 0, 0, arena);
	for (int i = 0; i < MANY; i++) {
		snprintf(number, sizeof(number), "090-%04d-%04d、", i / 10000, i % 10000);
		mm_buffer_add_text(&buffer, number);
	}
	const char *text = mm_buffer_text(&buffer);
	assert_string_equal(unmasked(masked(text), NULL), text);
	assert_true((double)(clock() - began) / CLOCKS_PER_SEC < 4.0);
	assert_string_equal(masked("090-0001-9999"), "[PHONE_20000]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(text__with_data__has_placeholders, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(value__seen_before__keeps_its_placeholder, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(reply__with_placeholders__gets_the_values, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(text__masked_and_unmasked__is_the_same, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(invalid_utf8__is_bad_input, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(many_values__take_linear_time, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
