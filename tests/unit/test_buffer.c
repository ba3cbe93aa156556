/*
 * Tests of lib/base/buffer.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

/* Every test runs twice: with malloc and in an arena. */
struct memory {
	struct mm_arena *arena;
};

static int set_up(void **state)
{
	struct memory *memory = *state;

	if (memory->arena)
		mm_arena_reset(memory->arena);
	return 0;
}

static void add__many__keeps_all_bytes(void **state)
{
	struct memory *memory = *state;
	struct mm_buffer buffer;
	char want[3001];

	mm_buffer_init(&buffer, 0, 0, memory->arena);
	for (int i = 0; i < 1000; i++) {
		snprintf(want + 3 * i, 4, "%03d", i);
		if (i % 3 == 0)
			mm_buffer_add(&buffer, want + 3 * i, 3);
		else if (i % 3 == 1)
			mm_buffer_add_text(&buffer, want + 3 * i);
		else
			for (int k = 0; k < 3; k++)
				mm_buffer_add_char(&buffer, want[3 * i + k]);
		if (memory->arena) /* so that it is not always the latest allocation */
			assert_non_null(mm_arena_alloc(memory->arena, i % 7 == 0));
	}
	assert_false(buffer.has_failed);
	assert_int_equal(buffer.length, 3000);
	assert_string_equal(mm_buffer_text(&buffer), want);
	mm_buffer_free(&buffer);
}

static void text__empty__is_empty(void **state)
{
	struct memory *memory = *state;
	struct mm_buffer buffer;

	mm_buffer_init(&buffer, 0, 0, memory->arena);
	assert_string_equal(mm_buffer_text(&buffer), "");
	mm_buffer_add(&buffer, NULL, 0);
	mm_buffer_add_text(&buffer, "");
	assert_string_equal(mm_buffer_text(&buffer), "");
	mm_buffer_free(&buffer);
	mm_buffer_init(&buffer, 100, 0, memory->arena);
	assert_non_null(buffer.data);
	assert_string_equal(mm_buffer_text(&buffer), "");
	mm_buffer_free(&buffer);
	assert_string_equal(mm_buffer_text(&buffer), "");
}

static void add__up_to_the_limit__fits_and_one_more_fails(void **state)
{
	struct memory *memory = *state;
	struct mm_buffer buffer;

	mm_buffer_init(&buffer, 0, 100, memory->arena);
	for (int i = 0; i < 100; i++)
		mm_buffer_add_char(&buffer, 'x');
	assert_false(buffer.has_failed);
	mm_buffer_add_char(&buffer, 'y');
	assert_true(buffer.has_failed);
	assert_int_equal(buffer.length, 100);
	assert_int_equal(strlen(mm_buffer_text(&buffer)), 100);
	mm_buffer_free(&buffer);
}

static void failure__is_sticky_until_cleared(void **state)
{
	struct memory *memory = *state;
	struct mm_buffer buffer;

	mm_buffer_init(&buffer, 0, 5, memory->arena);
	mm_buffer_add_text(&buffer, "abc");
	mm_buffer_add_text(&buffer, "defg");
	mm_buffer_add_text(&buffer, "h");
	mm_buffer_add_char(&buffer, 'h');
	mm_buffer_printf(&buffer, "h");
	assert_null(mm_buffer_reserve(&buffer, 0));
	assert_true(buffer.has_failed);
	assert_string_equal(mm_buffer_text(&buffer), "abc");
	mm_buffer_clear(&buffer);
	assert_false(buffer.has_failed);
	mm_buffer_add_text(&buffer, "12345");
	assert_string_equal(mm_buffer_text(&buffer), "12345");
	mm_buffer_free(&buffer);
}

static void printf__at_every_fill__is_complete(void **state)
{
	struct memory *memory = *state;

	for (size_t filled = 0; filled < 80; filled++) {
		struct mm_buffer buffer;
		char want[100];

		mm_buffer_init(&buffer, 0, 0, memory->arena);
		memset(want, 'x', filled);
		snprintf(want + filled, 20, "%08d", 42);
		mm_buffer_add(&buffer, want, filled);
		mm_buffer_printf(&buffer, "%08d", 42);
		if (buffer.has_failed || strcmp(mm_buffer_text(&buffer), want) != 0)
			fail_msg("after %zu bytes: %s", filled, mm_buffer_text(&buffer));
		mm_buffer_free(&buffer);
	}
}

static void printf__over_the_limit__fails_and_adds_nothing(void **state)
{
	struct memory *memory = *state;
	struct mm_buffer buffer;

	mm_buffer_init(&buffer, 0, 10, memory->arena);
	mm_buffer_add_text(&buffer, "abc");
	mm_buffer_printf(&buffer, "%08d", 42);
	assert_true(buffer.has_failed);
	assert_string_equal(mm_buffer_text(&buffer), "abc");
	mm_buffer_free(&buffer);
}

static void reserve__impossible__fails(void **state)
{
	struct memory *memory = *state;
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, PTRDIFF_MAX, PTRDIFF_MAX - 2};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct mm_buffer buffer;

		mm_buffer_init(&buffer, 0, 0, memory->arena);
		mm_buffer_add_text(&buffer, "abc");
		assert_null(mm_buffer_reserve(&buffer, sizes[i]));
		assert_true(buffer.has_failed);
		assert_string_equal(mm_buffer_text(&buffer), "abc");
		mm_buffer_free(&buffer);
	}
}

static void reserve__then_length__adds_what_was_written(void **state)
{
	struct memory *memory = *state;
	struct mm_buffer buffer;

	mm_buffer_init(&buffer, 10, 0, memory->arena);
	char *end = mm_buffer_reserve(&buffer, 200);
	assert_non_null(end);
	memset(end, 'z', 200);
	buffer.length += 150;
	assert_int_equal(strlen(mm_buffer_text(&buffer)), 150);
	mm_buffer_free(&buffer);
}

static void arena__full__fails_the_buffer(void **state)
{
	struct mm_arena *arena = mm_arena_new(1024);
	struct mm_buffer buffer;

	(void)state;
	mm_buffer_init(&buffer, 2000, 0, arena);
	assert_true(buffer.has_failed);
	mm_buffer_init(&buffer, 0, 0, arena);
	for (int i = 0; i < 1000; i++)
		mm_buffer_add_char(&buffer, 'x');
	assert_false(buffer.has_failed); /* grows where it is, at the end by less than double */
	for (int i = 0; i < 1000; i++)
		mm_buffer_add_char(&buffer, 'x');
	assert_true(buffer.has_failed);
	mm_arena_free(arena);
}

#define EACH(test)                                                                                 \
	{#test "/malloc", test, set_up, NULL, &in_malloc},                                         \
	{                                                                                          \
#test "/arena", test, set_up, NULL, &in_arena                                      \
	}

int main(void)
{
	struct memory in_malloc = {NULL};
	struct memory in_arena = {mm_arena_new(0)};
	const struct CMUnitTest tests[] = {
	    EACH(add__many__keeps_all_bytes),
	    EACH(text__empty__is_empty),
	    EACH(add__up_to_the_limit__fits_and_one_more_fails),
	    EACH(failure__is_sticky_until_cleared),
	    EACH(printf__at_every_fill__is_complete),
	    EACH(printf__over_the_limit__fails_and_adds_nothing),
	    EACH(reserve__impossible__fails),
	    EACH(reserve__then_length__adds_what_was_written),
	    cmocka_unit_test(arena__full__fails_the_buffer),
	};
	int failed = cmocka_run_group_tests_name("buffer", tests, NULL, NULL);

	mm_arena_free(in_arena.arena);
	return failed;
}
