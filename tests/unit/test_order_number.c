/*
 * Tests of lib/detect/order_number.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "detect/order_number.h"

/* `want` lists the values found, separated by one blank. */
static const struct {
	const char *name, *input, *want;
} rows[] = {
    {"with a prefix", "商品が届きません。注文番号 ORD-12345 です。", "ORD-12345"},
    {"lower case", "ord-12345 はまだですか", "ORD-12345"},
    {"full width", "注文番号ＯＲＤ－１２３４５です", "ORD-12345"},
    {"after the word", "注文番号12345です", "12345"},
    {"after the word and a colon", "注文番号：20230101-77 について", "20230101-77"},
    {"after the English word", "my order number is not shown but order #998877 is", "998877"},
    {"with a hash", "#123456 の件", "123456"},
    {"marketplace", "249-1234567-7654321 が未着", "249-1234567-7654321"},
    {"groups", "AB-2026-0001 をキャンセル", "AB-2026-0001"},
    {"two", "ORD-111 と ORD-222", "ORD-111 ORD-222"},
    {"the same twice", "ORD-111 です。ORD-111 です。", "ORD-111"},
    {"telephone", "電話は 03-1234-5678 です", ""},
    {"postal code", "〒100-0001 です", ""},
    {"date", "2026-11-23 に届きました", ""},
    {"amount", "10000円を返して", ""},
    {"a word with a hyphen", "E-mail で AB-12 を", ""},
    {"the word alone", "注文番号が分かりません", ""},
    {"a word far before", "注文番号を忘れましたが電話は0312345678です", ""},
    {"hash and a word", "#カスハラ", ""},
    {"empty", "", ""},
};

static void find__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_arena *arena = mm_arena_new(0);
		struct mm_order_number *found;
		size_t count;
		char got[256] = "";

		assert_int_equal(mm_order_number_find(rows[i].input, strlen(rows[i].input), &found,
						      &count, arena, NULL),
				 MM_OK);
		for (size_t j = 0; j < count; j++) {
			if (j > 0)
				strcat(got, " ");
			strcat(got, found[j].value);
		}
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, got, rows[i].want);
		mm_arena_free(arena);
	}
}

static void find__full_width__gives_bytes_of_the_message(void **state)
{
	static const char text[] = "番号はＯＲＤ－１２３です";
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_order_number *found;
	size_t count;

	(void)state;
	assert_int_equal(mm_order_number_find(text, strlen(text), &found, &count, arena, NULL),
			 MM_OK);
	assert_int_equal(count, 1);
	assert_int_equal(found[0].start, 9);
	assert_int_equal(found[0].end, 9 + 7 * 3);
	mm_arena_free(arena);
}

static void find__many__stops_at_the_limit(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_order_number *found;
	size_t count, length = 0;
	char text[2000];

	(void)state;
	for (int i = 0; i < 100; i++)
		length +=
		    (size_t)snprintf(text + length, sizeof(text) - length, "ORD-%d ", 1000 + i);
	assert_int_equal(mm_order_number_find(text, length, &found, &count, arena, NULL), MM_OK);
	assert_int_equal(count, MM_ORDER_NUMBERS_MAX);
	assert_string_equal(found[MM_ORDER_NUMBERS_MAX - 1].value, "ORD-1015");
	mm_arena_free(arena);
}

static void find__full_arena__is_no_memory(void **state)
{
	struct mm_arena *arena = mm_arena_new(64);
	struct mm_order_number *found;
	size_t count;

	(void)state;
	assert_int_equal(mm_order_number_find("ORD-123", 7, &found, &count, arena, NULL),
			 MM_NO_MEMORY);
	mm_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(find__table),
	    cmocka_unit_test(find__full_width__gives_bytes_of_the_message),
	    cmocka_unit_test(find__many__stops_at_the_limit),
	    cmocka_unit_test(find__full_arena__is_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
