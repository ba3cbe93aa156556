/*
 * Tests of lib/base/arena.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void alloc__any_size__is_aligned_and_apart(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 16384, 16385, 100000, 3};
	unsigned char *memory[sizeof(sizes) / sizeof(sizes[0])];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memory[i] = mm_arena_alloc(arena, sizes[i]);
		assert_non_null(memory[i]);
		assert_int_equal((uintptr_t)memory[i] % MM_ARENA_ALIGNMENT, 0);
		memset(memory[i], (int)i, sizes[i]);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t k = 0; k < sizes[i]; k++) {
			if (memory[i][k] != i)
				fail_msg("allocation %zu was overwritten at byte %zu", i, k);
		}
	}
	mm_arena_free(arena);
}

static void alloc__over_the_limit__is_null_and_less_still_fits(void **state)
{
	struct mm_arena *arena = mm_arena_new(40000);

	(void)state;
	assert_non_null(mm_arena_alloc(arena, 16000));
	assert_null(mm_arena_alloc(arena, 23632));
	assert_non_null(mm_arena_alloc(arena, 23600));
	assert_null(mm_arena_alloc(arena, 1000));
	mm_arena_reset(arena);
	assert_non_null(mm_arena_alloc(arena, 23600));
	mm_arena_free(arena);
}

static void alloc__limit_below_first_block__holds(void **state)
{
	struct mm_arena *arena = mm_arena_new(100);

	(void)state;
	assert_non_null(mm_arena_alloc(arena, 96));
	assert_null(mm_arena_alloc(arena, 1));
	mm_arena_free(arena);
	arena = mm_arena_new(1);
	assert_non_null(arena);
	assert_null(mm_arena_alloc(arena, 1));
	mm_arena_free(arena);
}

static void alloc__impossible_size__is_null(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);

	(void)state;
	for (size_t less = 0; less < 64; less++)
		assert_null(mm_arena_alloc(arena, SIZE_MAX - less));
	assert_null(mm_arena_array(arena, SIZE_MAX / 2, 3));
	assert_null(mm_arena_strndup(arena, "x", SIZE_MAX));
	assert_non_null(mm_arena_alloc(arena, 1));
	mm_arena_free(arena);
}

static void zalloc__after_reset__is_zero_again(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);

	(void)state;
	memset(mm_arena_alloc(arena, 1000), 0xFF, 1000);
	mm_arena_reset(arena);
	const char *zeros = mm_arena_zalloc(arena, 500);
	const char *array = mm_arena_array(arena, 50, 10);
	for (size_t i = 0; i < 500; i++)
		assert_int_equal(zeros[i] | array[i], 0);
	mm_arena_free(arena);
}

static void reset__keeps_only_the_first_block(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	const void *first = mm_arena_alloc(arena, 10);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_non_null(mm_arena_alloc(arena, 10000));
	mm_arena_reset(arena);
	assert_int_equal(arena->reserved, MM_ARENA_FIRST_BLOCK);
	assert_ptr_equal(mm_arena_alloc(arena, 10), first);
	mm_arena_free(arena);
}

static void blocks__double_but_not_past_the_limit(void **state)
{
	static const size_t want[] = {16384, 49152, 114688, 200000};
	struct mm_arena *arena = mm_arena_new(200000);

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		while (arena->reserved < want[i])
			assert_non_null(mm_arena_alloc(arena, 1000));
		assert_int_equal(arena->reserved, want[i]);
	}
	mm_arena_free(arena);
}

static char order[16];

static void note(void *argument)
{
	strcat(order, argument);
}

static void cleanups__run_in_reverse_once_while_memory_lives(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);

	(void)state;
	order[0] = '\0';
	for (const char *name = "abc"; *name; name++) {
		assert_int_equal(
		    mm_arena_on_reset(arena, note, mm_arena_printf(arena, "%c", *name)), MM_OK);
		assert_non_null(mm_arena_alloc(arena, 20000));
	}
	mm_arena_reset(arena);
	assert_string_equal(order, "cba");
	mm_arena_on_reset(arena, note, (char[]){"d"});
	mm_arena_free(arena);
	assert_string_equal(order, "cbad");
}

static void cleanup__without_memory__is_refused(void **state)
{
	struct mm_arena *arena = mm_arena_new(16);

	(void)state;
	order[0] = '\0';
	assert_int_equal(mm_arena_on_reset(arena, note, (char[]){"a"}), MM_NO_MEMORY);
	mm_arena_free(arena);
	assert_string_equal(order, "");
}

static void extend__latest__stays_where_it_is(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	char *first = mm_arena_alloc(arena, 10);
	char *second = mm_arena_alloc(arena, 10);

	(void)state;
	assert_false(mm_arena_extend(arena, first, 10, 100));
	assert_true(mm_arena_extend(arena, second, 10, 100));
	memset(second, 'x', 100);
	assert_ptr_equal(mm_arena_alloc(arena, 1), second + 112);
	assert_false(mm_arena_extend(arena, second, 100, 200));
	char *last = mm_arena_alloc(arena, 1);
	assert_false(mm_arena_extend(arena, last, 1, MM_ARENA_FIRST_BLOCK));
	assert_false(mm_arena_extend(arena, last, 1, SIZE_MAX));
	mm_arena_free(arena);
}

static void text__is_copied_and_formatted(void **state)
{
	struct mm_arena *arena = mm_arena_new(0);
	char longer[20001];

	(void)state;
	assert_string_equal(mm_arena_strdup(arena, "守り"), "守り");
	assert_string_equal(mm_arena_strdup(arena, ""), "");
	assert_string_equal(mm_arena_strndup(arena, "abcdef", 3), "abc");
	assert_memory_equal(mm_arena_strndup(arena, "a\0b", 3), "a\0b", 4);
	assert_string_equal(mm_arena_strndup(arena, NULL, 0), "");
	assert_string_equal(mm_arena_printf(arena, "%s=%d", "n", 7), "n=7");
	memset(longer, 'x', 20000);
	longer[20000] = '\0';
	assert_string_equal(mm_arena_printf(arena, "%s", longer), longer);
	mm_arena_free(arena);
}

static void free__null__does_nothing(void **state)
{
	(void)state;
	mm_arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(alloc__any_size__is_aligned_and_apart),
	    cmocka_unit_test(alloc__over_the_limit__is_null_and_less_still_fits),
	    cmocka_unit_test(alloc__limit_below_first_block__holds),
	    cmocka_unit_test(alloc__impossible_size__is_null),
	    cmocka_unit_test(zalloc__after_reset__is_zero_again),
	    cmocka_unit_test(reset__keeps_only_the_first_block),
	    cmocka_unit_test(blocks__double_but_not_past_the_limit),
	    cmocka_unit_test(cleanups__run_in_reverse_once_while_memory_lives),
	    cmocka_unit_test(cleanup__without_memory__is_refused),
	    cmocka_unit_test(extend__latest__stays_where_it_is),
	    cmocka_unit_test(text__is_copied_and_formatted),
	    cmocka_unit_test(free__null__does_nothing),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
