/* test_window: the estimate of tokens, and which messages fit. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "service/window.h"

static void tokens__of_a_text(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
	    {"", 0},
	    {"a", 1},
	    {"abcd", 1},
	    {"abcde", 2},
	    {"あ", 1},
	    {"荷物はどこ", 5},
	    {"ORD-12345の荷物", 6},
	    {"😀é", 2},
	    {"a あ b", 2},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (mm_window_tokens(rows[i].text, strlen(rows[i].text)) != rows[i].want)
			fail_msg("%s: %d", rows[i].text,
				 (int)mm_window_tokens(rows[i].text, strlen(rows[i].text)));
}

static struct mm_past_message said(const char *text)
{
	return (struct mm_past_message){.text = text, .length = strlen(text)};
}

static void window__is_the_newest_whole_messages(void **state)
{
	struct mm_past_message messages[] = {said("あ"), said("いいいいい"), said("うう"),
					     said("えええ")};
	const struct mm_past past = {.messages = messages, .count = 4};
	const struct mm_past empty = {.count = 0};
	static const struct {
		int64_t max;
		size_t want;
	} rows[] = {{0, 4}, {2, 4}, {3, 3}, {4, 3}, {5, 2}, {9, 2}, {10, 1}, {11, 0}, {1000, 0}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (mm_window_start(&past, rows[i].max) != rows[i].want)
			fail_msg("%d: %zu", (int)rows[i].max, mm_window_start(&past, rows[i].max));
	assert_int_equal(mm_window_start(&empty, 100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tokens__of_a_text),
	    cmocka_unit_test(window__is_the_newest_whole_messages),
	};
	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
