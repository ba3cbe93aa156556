/*
 * Tests of lib/detect/likeness: which messages say the same, and what a comparison with a long
 * history costs.
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

#include "detect/detector.h"
#include "detect/likeness.h"
#include "small_rules.h"

static struct mm_arena *arena;

static bool is_same(const char *message, const char *earlier)
{
	struct mm_likeness a, b;
	const size_t length = strlen(earlier);

	assert_int_equal(mm_likeness_read(message, strlen(message), &a, arena, NULL), MM_OK);
	if (!mm_likeness_is_possible(&a, length))
		return false;
	assert_int_equal(mm_likeness_read(earlier, length, &b, arena, NULL), MM_OK);
	return mm_likeness_is_same(&a, &b);
}

static const struct {
	const char *message, *earlier;
	bool want;
} rows[] = {
    {"今すぐ全額返金しろ", "今すぐ全額返金しろ", true},
    {"今すぐ全額、返金しろ！！", "今すぐ全額返金しろ", true},
    {"ｲﾏｽｸﾞ全額返金しろーー", "いますぐ全額返金しろ", true},
    {"Give me my money back", "give me my money back!!!", true},
    {"Ｇｉｖｅ me my money back", "give me my money back", true},
    {"今すぐ全額返金しろ", "配送先を変えたいです", false},
    {"今すぐ全額返金しろ", "", false},
    {"", "今すぐ全額返金しろ", false},
    {"！！！", "。。。", false},
    {"今すぐ全額返金しろ。領収書は昨日送ってある", "今すぐ全額返金しろ", false},
    /* numbers: three digits and more are new information, shorter ones count days and tries */
    {"注文 10041 を全額返金してくれ", "注文 10041 を全額返金してくれ", true},
    {"注文 10042 を全額返金してくれ", "注文 10041 を全額返金してくれ", false},
    {"注文 １００４２ を全額返金してくれ", "注文 10042 を全額返金してくれ", true},
    {"注文を全額返金してくれと言っている", "注文を全額返金してくれと言っている 777", true},
    {"全額返金しろと 12 回も言っている", "全額返金しろと 11 回も言っている", true},
};

static void messages__same_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_same(rows[i].message, rows[i].earlier) != rows[i].want)
			fail_msg("\"%s\" and \"%s\"", rows[i].message, rows[i].earlier);
}

/* A text of `count` numbered phrases; phrases [from, to) are other ones. */
static char *long_text(int count, int from, int to)
{
	char *text = mm_arena_zalloc(arena, (size_t)count * 64), *at = text;

	assert_non_null(text);
	for (int i = 0; i < count; i++)
		at += sprintf(at, i >= from && i < to ? "配送が%c%cや荷物、" : "契約の%c%cの件で、",
			      'a' + i % 26, 'a' + i / 26);
	return text;
}

/* Of long messages the head, the tail and the length speak. */
static void messages__long__same_or_not(void **state)
{
	static const struct {
		const char *name;
		int count, from, to;
		bool want;
	} cases[] = {
	    {"the same", 200, 0, 0, true},
	    {"another head", 200, 0, 40, false},
	    {"another tail", 200, 160, 200, false},
	    {"another middle, which is not read", 200, 50, 150, true},
	    {"another end", 260, 0, 0, false},
	    {"one phrase more", 201, 0, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *other = long_text(cases[i].count, cases[i].from, cases[i].to);

		if (is_same(other, long_text(200, 0, 0)) != cases[i].want)
			fail_msg("%s", cases[i].name);
	}
}

/* Cut at any byte, head and tail stay whole characters: what is read is valid. */
static void messages__long__are_cut_between_characters(void **state)
{
	static const char *const units[] = {"あ", "é", "😀", "aé😀あ"};
	char text[4096];

	(void)state;
	for (size_t unit = 0; unit < sizeof(units) / sizeof(units[0]); unit++) {
		for (size_t shift = 0; shift < 8; shift++) {
			const size_t step = strlen(units[unit]);
			struct mm_likeness likeness;
			size_t length = shift;

			memset(text, 'x', shift);
			for (; length + step < sizeof(text); length += step)
				memcpy(text + length, units[unit], step);
			assert_int_equal(mm_likeness_read(text, length, &likeness, arena, NULL),
					 MM_OK);
			assert_int_equal(likeness.length, length);
		}
	}
}

static void memory__that_is_not_there__is_told(void **state)
{
	struct mm_arena *small = mm_arena_new(1);
	const char *text = long_text(200, 0, 0);
	struct mm_likeness likeness;

	(void)state;
	assert_int_equal(mm_likeness_read(text, strlen(text), &likeness, small, NULL),
			 MM_NO_MEMORY);
	assert_int_equal(mm_likeness_read("短い", 6, &likeness, small, NULL), MM_NO_MEMORY);
	mm_arena_free(small);
}

/* ---- cost */

static const int64_t now_ms = INT64_C(1795403045678);

static struct mm_detector *detector;

enum { LONG_CHARACTERS = 10000, HISTORY = 100, RUNS = 7 };

static double now_cpu_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double best_ms(const char *text, size_t length, const struct mm_past *past)
{
	struct mm_analysis analysis;
	double best = 1e9;

	for (int i = 0; i < RUNS; i++) {
		const double began = now_cpu_ms();

		assert_int_equal(mm_detect(detector, text, length, past, &analysis, arena, NULL),
				 MM_OK);
		best = now_cpu_ms() - began < best ? now_cpu_ms() - began : best;
		mm_arena_reset(arena);
	}
	return best;
}

/* The bound is an order above what is measured (1 to 2 ms), for slow machines and sanitizers; an
 * unbounded comparison takes 100 times the message itself. */
static void cost__of_a_long_history__is_bounded(void **state)
{
	static const char *const units[] = {"荷物がまだ来ないので調べてくれ。",
					    "the quick brown fox ", "あ", "１２３４５６７８９０"};
	static struct mm_past_message messages[HISTORY];
	const struct mm_past past = {messages, HISTORY, now_ms};
	char *text = malloc((size_t)LONG_CHARACTERS * 4);

	(void)state;
	assert_non_null(text);
	for (size_t unit = 0; unit < sizeof(units) / sizeof(units[0]); unit++) {
		const size_t step = strlen(units[unit]);
		size_t length = 0;

		for (; length + step <= (size_t)LONG_CHARACTERS * 3; length += step)
			memcpy(text + length, units[unit], step);
		for (size_t i = 0; i < HISTORY; i++)
			messages[i] = (struct mm_past_message){.text = text,
							       .length = length,
							       .utc_ms = now_ms - 1000,
							       .is_customer = true,
							       .has_analysis = true};
		mm_arena_reset(arena);
		const double alone = best_ms(text, length, NULL);
		const double with_history = best_ms(text, length, &past);

		print_message("# %-24.24s alone %.2f ms, with history %.2f ms\n", units[unit],
			      alone, with_history);
		assert_true(with_history - alone < 30.0 + alone);
	}
	free(text);
}

static int set_up(void **state)
{
	(void)state;
	test_folder_make();
	detector = small_detector();
	arena = mm_arena_new(0);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_detector_free(detector);
	mm_arena_free(arena);
	test_folder_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages__same_or_not),
	    cmocka_unit_test(messages__long__same_or_not),
	    cmocka_unit_test(messages__long__are_cut_between_characters),
	    cmocka_unit_test(memory__that_is_not_there__is_told),
	    cmocka_unit_test(cost__of_a_long_history__is_bounded),
	};

	return cmocka_run_group_tests_name("likeness", tests, set_up, tear_down);
}
