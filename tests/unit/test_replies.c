/* test_replies: reading replies.conf, filling placeholders, telling the language. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ai/replies.h"
#include "folder.h"

static const char *shipped_path(void)
{
	static char path[1024];
	const char *source = getenv("MM_TEST_SOURCE");
	snprintf(path, sizeof path, "%s/conf/replies.conf", source ? source : ".");
	return path;
}

static struct mm_replies *load_shipped(void)
{
	struct mm_replies *replies = NULL;
	struct mm_error err = {.status = MM_OK};
	const enum mm_status status = mm_replies_load(shipped_path(), &replies, &err);
	if (status != MM_OK)
		fail_msg("%s", err.cause);
	return replies;
}

static void shipped_file__has_every_text_in_both_languages(void **state)
{
	(void)state;
	struct mm_replies *replies = load_shipped();
	for (int language = 0; language < MM_LANGUAGE__MAX; language++)
		for (int key = 0; key < MM_REPLY__MAX; key++)
			assert_true(strlen(mm_replies_text(replies, (enum mm_language)language,
							   (enum mm_reply_key)key)) > 5);
	mm_replies_free(replies);
}

static void continued_lines__are_joined_as_the_language_does(void **state)
{
	(void)state;
	struct mm_replies *replies = load_shipped();
	assert_non_null(strstr(mm_replies_text(replies, MM_LANGUAGE_JA, MM_REPLY_SHIPPING_ASK),
			       "確認いたします。お手数ですが"));
	assert_non_null(strstr(mm_replies_text(replies, MM_LANGUAGE_EN, MM_REPLY_SHIPPING_ASK),
			       "status. Could"));
	mm_replies_free(replies);
}

static void placeholder__is_filled(void **state)
{
	(void)state;
	struct mm_replies *replies = load_shipped();
	struct mm_arena *arena = mm_arena_new(0);
	const struct mm_reply_values values = {.order = "ORD-12345"};
	const char *text =
	    mm_replies_fill(replies, MM_LANGUAGE_JA, MM_REPLY_SHIPPING, &values, arena);
	assert_non_null(strstr(text, "ORD-12345"));
	assert_null(strchr(text, '{'));
	mm_arena_free(arena);
	mm_replies_free(replies);
}

static void no_answer__is_told_to_the_letter(void **state)
{
	struct mm_replies *replies = load_shipped();
	(void)state;
	for (int language = 0; language < MM_LANGUAGE__MAX; language++) {
		for (int key = 0; key < MM_REPLY__MAX; key++) {
			const char *text = mm_replies_text(replies, (enum mm_language)language,
							   (enum mm_reply_key)key);
			if (mm_replies_is_no_answer(replies, text, strlen(text)) !=
			    (key >= MM_REPLY_FALLBACK))
				fail_msg("%d %s", key, text);
			assert_false(mm_replies_is_no_answer(replies, text, strlen(text) - 1));
		}
	}
	assert_false(mm_replies_is_no_answer(replies, "", 0));
	mm_replies_free(replies);
}

static void wrong_file__is_refused_with_its_line(void **state)
{
	(void)state;
	char long_line[400];
	memset(long_line, 'x', sizeof long_line - 1);
	long_line[sizeof long_line - 1] = '\0';
	char with_long_line[512];
	snprintf(with_long_line, sizeof with_long_line, "[ja]\ngreeting = %s\n", long_line);
	const struct {
		const char *name, *text, *want;
	} rows[] = {
	    {"unknown language", "[fr]\ngreeting = bonjour\n", ":2:"},
	    {"unknown key", "[ja]\nhello = x\n", ":2:"},
	    {"no section", "greeting = x\n", ":1:"},
	    {"missing keys", "[ja]\ngreeting = x\n", "has no"},
	    {"not UTF-8", "[ja]\ngreeting = \xff\n", "UTF-8"},
	    {"long line", with_long_line, ":2:"},
	    {"empty", "", "has no"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mm_replies *replies = NULL;
		struct mm_error err = {.status = MM_OK};
		const char *path = test_folder_write("replies.conf", rows[i].text);
		const enum mm_status status = mm_replies_load(path, &replies, &err);
		if (status != MM_BAD_INPUT || !strstr(err.cause, rows[i].want) || replies)
			fail_msg("%s: status %d, %s", rows[i].name, status, err.cause);
	}
}

static void missing_file__is_not_found(void **state)
{
	(void)state;
	struct mm_replies *replies = NULL;
	struct mm_error err = {.status = MM_OK};
	assert_int_equal(mm_replies_load(test_folder_path("none"), &replies, &err), MM_NOT_FOUND);
}

static void language__is_told_by_the_script(void **state)
{
	(void)state;
	const struct {
		const char *text;
		enum mm_language want;
	} rows[] = {
	    {"商品が届きません", MM_LANGUAGE_JA},
	    {"ｺﾝﾆﾁﾊ", MM_LANGUAGE_JA},
	    {"My order ORD-1 is late", MM_LANGUAGE_EN},
	    {"Hello, すみません", MM_LANGUAGE_JA},
	    {"12345 !?", MM_LANGUAGE_EN},
	    {"", MM_LANGUAGE_EN},
	    {"café 😀", MM_LANGUAGE_EN},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (mm_language_of(rows[i].text, strlen(rows[i].text)) != rows[i].want)
			fail_msg("%s", rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shipped_file__has_every_text_in_both_languages),
	    cmocka_unit_test(continued_lines__are_joined_as_the_language_does),
	    cmocka_unit_test(placeholder__is_filled),
	    cmocka_unit_test(no_answer__is_told_to_the_letter),
	    cmocka_unit_test(wrong_file__is_refused_with_its_line),
	    cmocka_unit_test(missing_file__is_not_found),
	    cmocka_unit_test(language__is_told_by_the_script),
	};
	test_folder_make();
	const int failed = cmocka_run_group_tests_name("replies", tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
