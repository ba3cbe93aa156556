/*
 * Tests of lib/text/search: what is found, in what order, and by which share of the question.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "text/search.h"

enum { HITS = 5, JA = 0, EN = 1 };

static struct mm_arena *arena;
static struct mm_search *search;
static struct mm_search_hit hits[HITS];

static int set_up(void **state)
{
	(void)state;
	search = NULL;
	arena = mm_arena_new(0);
	return arena == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	mm_search_free(search);
	mm_arena_free(arena);
	return 0;
}

static const struct mm_search_document documents[] = {
    {"送料について", "全国一律550円です。", "配送料, 無料", JA},
    {"返品の条件", "未開封の商品は8日以内に返品できます。送料はお客様の負担です。", "返品", JA},
    {"Shipping fees", "Shipping costs 550 yen.", "postage", EN},
    {"Charged twice", "A second charge disappears.", "", EN},
    {"傘", "雨の日に。", "", JA},
};

static void build(void)
{
	assert_int_equal(
	    mm_search_build(documents, sizeof(documents) / sizeof(documents[0]), &search, NULL),
	    MM_OK);
}

static size_t find(const char *question, uint8_t group)
{
	size_t count = 77;

	assert_int_equal(mm_search_find(search, question, strlen(question), group, hits, HITS,
					&count, arena, NULL),
			 MM_OK);
	for (size_t i = 1; i < count; i++)
		assert_true(hits[i - 1].score >= hits[i].score);
	return count;
}

static void question__finds_its_article_first(void **state)
{
	static const struct {
		const char *question;
		uint8_t group;
		uint32_t want;
	} rows[] = {
	    {"送料はいくらですか", JA, 0},
	    {"ソウリョウ 送料", JA, 0},
	    {"返品したい", JA, 1},
	    {"How much is shipping?", EN, 2},
	    {"SHIPPED", EN, 2},
	    {"ｓｈｉｐｐｉｎｇ", EN, 2},
	    {"double charges", EN, 3},
	    {"I was charged", EN, 3},
	    {"傘", JA, 4},
	};

	(void)state;
	build();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t count = find(rows[i].question, rows[i].group);
		if (count == 0 || hits[0].document != rows[i].want)
			fail_msg("row %zu: %zu hits, first %u", i, count, hits[0].document);
	}
}

static void question__without_matter__finds_nothing(void **state)
{
	(void)state;
	build();
	assert_int_equal(find("", JA), 0);
	assert_int_equal(find("教えてください。お願いします。", JA), 0);
	assert_int_equal(find("can you tell me, please?", EN), 0);
	assert_int_equal(find("宇宙旅行", JA), 0);
}

static void match__is_the_share_of_the_question(void **state)
{
	(void)state;
	build();
	assert_true(find("返品", JA) > 0);
	float whole = hits[0].match;
	assert_true(find("返品 宇宙旅行 月面着陸", JA) > 0);
	assert_true(hits[0].match < whole / 2);
	assert_true(whole <= 1);
}

static void other_group__counts_less(void **state)
{
	(void)state;
	build();
	assert_true(find("550", JA) == 2);
	assert_int_equal(hits[0].document, 0);
	assert_true(find("550", EN) == 2);
	assert_int_equal(hits[0].document, 2);
}

static void no_documents__is_an_index(void **state)
{
	(void)state;
	assert_int_equal(mm_search_build(NULL, 0, &search, NULL), MM_OK);
	assert_int_equal(find("送料", JA), 0);
}

static void invalid_utf8__is_bad_input(void **state)
{
	const struct mm_search_document wrong[] = {{"ok", "\xFF", "", 0}};
	size_t count = 77;

	(void)state;
	assert_int_equal(mm_search_build(wrong, 1, &search, NULL), MM_BAD_INPUT);
	assert_null(search);
	build();
	assert_int_equal(mm_search_find(search, "\xFF", 1, JA, hits, HITS, &count, arena, NULL),
			 MM_BAD_INPUT);
	assert_int_equal(count, 77);
}

enum { MANY = 3000, QUESTION = 30000 };

/* Every document has a word of its own, far apart in the postings of the words they share. */
static void many_documents__each_is_found(void **state)
{
	struct mm_search_document *many = calloc(MANY, sizeof(*many));
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		many[i] = (struct mm_search_document){mm_arena_printf(arena, "article w%zux", i),
						      "shared words stand here",
						      i % 300 == 0 ? "seldom" : "", EN};
	assert_int_equal(mm_search_build(many, MANY, &search, NULL), MM_OK);
	for (size_t i = 0; i < MANY; i += 7) {
		find(mm_arena_printf(arena, "shared w%zux", i), EN);
		wrong += hits[0].document != i;
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(find("seldom", EN), HITS);
	assert_int_equal(hits[0].document % 300, 0);
	assert_int_equal(hits[1].document, 300);
	free(many);
}

static void long_question__is_quick(void **state)
{
	char *text = calloc(1, QUESTION * 4);
	clock_t began = clock();
	size_t length = 0;

	(void)state;
	build();
	for (int i = 0; i < QUESTION; i++)
		length += (size_t)sprintf(text + length, "%c%c ", 'a' + i % 26, 'a' + i / 26 % 26);
	find(text, EN);
	free(text);
	assert_true((double)(clock() - began) / CLOCKS_PER_SEC < 2.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(question__finds_its_article_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(question__without_matter__finds_nothing, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(match__is_the_share_of_the_question, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(other_group__counts_less, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(no_documents__is_an_index, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(invalid_utf8__is_bad_input, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(many_documents__each_is_found, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(long_question__is_quick, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
