/* test_past: which of the earlier messages are judged, and what that may cost. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "service/past.h"
#include "small_rules.h"

static struct mm_detector *detector;
static struct mm_arena *arena;

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

static struct mm_past_message said(const char *text, bool is_customer)
{
	return (struct mm_past_message){
	    .text = text, .length = strlen(text), .is_customer = is_customer};
}

static void messages__of_the_customer__are_judged(void **state)
{
	struct mm_past_message messages[] = {said("バカ", true), said("バカ", false),
					     said("ふざけるな", true), said("バカ", true)};
	struct mm_past past = {messages, 4, 0};
	struct mm_error err = {.status = MM_OK};
	(void)state;
	messages[3].has_analysis = true;
	messages[3].severity = MM_SEVERITY_LOW;
	assert_int_equal(mm_past_judge(detector, &past, arena, &err), MM_OK);
	assert_int_equal(past.count, 4);
	assert_true(past.messages[0].has_analysis);
	assert_int_equal(past.messages[0].severity, MM_SEVERITY_HIGH);
	assert_false(past.messages[1].has_analysis);
	assert_int_equal(past.messages[2].sentiment, MM_SENTIMENT_ANGER);
	/* What was judged when it came stays, and so does what the caller has. */
	assert_int_equal(past.messages[3].severity, MM_SEVERITY_LOW);
	assert_false(messages[0].has_analysis);
}

/* The oldest of a history that is too long are left out. */
static void messages__beyond_the_bound__are_not_judged(void **state)
{
	enum { COUNT = 10, LENGTH = MM_PAST_JUDGED_MAX_BYTES / 8 };
	struct mm_past_message messages[COUNT];
	struct mm_past past = {messages, COUNT, 0};
	struct mm_error err = {.status = MM_OK};
	char *text = mm_arena_alloc(arena, LENGTH + 1);
	(void)state;
	assert_non_null(text);
	memset(text, 'a', LENGTH);
	text[LENGTH] = '\0';
	for (int i = 0; i < COUNT; i++)
		messages[i] = said(text, true);
	assert_int_equal(mm_past_judge(detector, &past, arena, &err), MM_OK);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(past.messages[i].has_analysis, i >= COUNT - 8);
}

static void no_memory__is_told(void **state)
{
	struct mm_past_message messages[] = {said("バカ", true)};
	struct mm_past past = {messages, 1, 0};
	struct mm_arena *small = mm_arena_new(1);
	struct mm_error err = {.status = MM_OK};
	(void)state;
	assert_int_equal(mm_past_judge(detector, &past, small, &err), MM_NO_MEMORY);
	assert_ptr_equal(past.messages, messages);
	mm_arena_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages__of_the_customer__are_judged),
	    cmocka_unit_test(messages__beyond_the_bound__are_not_judged),
	    cmocka_unit_test(no_memory__is_told),
	};
	return cmocka_run_group_tests_name("past", tests, set_up, tear_down);
}
