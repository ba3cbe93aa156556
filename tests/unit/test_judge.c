/*
 * Tests of lib/service/judge: loans, reloads, and both at once. That an old detector is freed with
 * its last loan, and not before, is what AddressSanitizer sees in these tests.
 */
#include "config.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "service/judge.h"

/* Two sets of rules, each of which knows one word. */
#define RULES(word)                                                                                \
	"[t.word]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\n"                  \
	"reason = " word "と言っています。\npattern = " word "\n"

static const char *const words[] = {"バカ", "マヌケ"};
static const char *const rules[] = {RULES("バカ"), RULES("マヌケ")};

static struct mm_settings settings;
static struct mm_judge *judge;
static struct mm_arena *arena;

static void write_rules(const char *text)
{
	test_folder_write("word.rules", text);
}

static int set_up(void **state)
{
	struct mm_error err = {.status = MM_OK};

	(void)state;
	test_folder_make();
	write_rules(rules[0]);
	settings.detect.rules_dir = test_folder;
	settings.detect.site_rules_dir = settings.detect.model_dir = settings.detect.cache_dir = "";
	arena = mm_arena_new(0);
	if (mm_judge_open(&settings, &judge, &err) == MM_OK)
		return 0;
	fprintf(stderr, "%s %s\n", err.message, err.cause);
	return 1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	mm_judge_close(judge);
	test_folder_remove();
	return 0;
}

static struct mm_detector *borrow(struct mm_arena *loan)
{
	struct mm_detector *detector = NULL;

	assert_int_equal(mm_judge_borrow(judge, &detector, loan, NULL), MM_OK);
	return detector;
}

static struct mm_analysis detect(struct mm_detector *detector, const char *text)
{
	struct mm_analysis analysis;

	assert_int_equal(mm_detect(detector, text, strlen(text), NULL, &analysis, arena, NULL),
			 MM_OK);
	return analysis;
}

static void reload(enum mm_status want)
{
	struct mm_error err = {.status = MM_OK};

	if (mm_judge_reload(judge, &err) != want)
		fail_msg("status %d, not %d: %s %s", err.status, want, err.message, err.cause);
}

static void loan__survives_a_reload(void **state)
{
	struct mm_arena *later = mm_arena_new(0);
	struct mm_detector *old = borrow(arena);
	const struct mm_analysis before = detect(old, words[0]);

	(void)state;
	assert_int_equal(before.harassment.finding_count, 1);
	write_rules(rules[1]);
	reload(MM_OK);
	assert_ptr_not_equal(borrow(later), old);
	/* What was found and what is still to be judged: by the rules of the loan. */
	assert_string_equal(before.harassment.findings[0].reason, "バカと言っています。");
	assert_true(detect(old, words[0]).harassment.is_harassment);
	assert_false(detect(old, words[1]).harassment.is_harassment);
	mm_arena_free(later);
}

static void borrow__after_a_reload__has_the_new_rules(void **state)
{
	(void)state;
	write_rules(rules[1]);
	reload(MM_OK);
	assert_false(detect(borrow(arena), words[0]).harassment.is_harassment);
	assert_true(detect(borrow(arena), words[1]).harassment.is_harassment);
}

static void reload__of_a_broken_file__keeps_the_old_rules(void **state)
{
	static const struct {
		const char *text, *want;
	} broken[] = {
	    {"[t.word]\nkind = harassment\nseverity = high\ncategory = verbal_abuse\n"
	     "pattern = (バカ\n",
	     "word.rules:5"},
	    {"[t.word]\nkind = wish\n", "word.rules:2"},
	    {"kind = harassment\n", "word.rules:1"},
	};
	const struct mm_detector *before = borrow(arena);

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct mm_error err = {.status = MM_OK};

		write_rules(broken[i].text);
		assert_int_equal(mm_judge_reload(judge, &err), MM_BAD_INPUT);
		if (!strstr(err.message, broken[i].want) && !strstr(err.cause, broken[i].want))
			fail_msg("%s is not in: %s %s", broken[i].want, err.message, err.cause);
		assert_ptr_equal(borrow(arena), before);
	}
	assert_true(detect(borrow(arena), words[0]).harassment.is_harassment);
	write_rules(rules[1]);
	reload(MM_OK);
	assert_true(detect(borrow(arena), words[1]).harassment.is_harassment);
}

static void reload__without_a_folder_or_models__keeps_the_old_rules(void **state)
{
	const struct mm_detector *before = borrow(arena);

	(void)state;
	settings.detect.rules_dir = "/nonexistent/rules";
	reload(MM_BAD_INPUT);
	settings.detect.rules_dir = test_folder;
	settings.detect.model_dir = "/nonexistent/model";
	reload(MM_NOT_FOUND);
	settings.detect.model_dir = "";
	assert_ptr_equal(borrow(arena), before);
	reload(MM_OK);
}

static void judge_over__a_detector__lends_it_and_is_not_reloaded(void **state)
{
	struct mm_error err = {.status = MM_OK};
	struct mm_arena *loan = mm_arena_new(0);
	struct mm_detector *detector = NULL, *lent = NULL;
	struct mm_rules *loaded = NULL;

	(void)state;
	assert_int_equal(mm_rules_load(test_folder, NULL, NULL, &loaded, &err), MM_OK);
	assert_int_equal(mm_detector_new(loaded, &detector, &err), MM_OK);
	struct mm_judge *fixed = mm_judge_over(detector);

	assert_non_null(fixed);
	assert_int_equal(mm_judge_borrow(fixed, &lent, loan, &err), MM_OK);
	assert_ptr_equal(lent, detector);
	assert_int_equal(mm_judge_reload(fixed, &err), MM_BUG);
	assert_int_equal(mm_judge_borrow(fixed, &lent, loan, &err), MM_OK);
	assert_ptr_equal(lent, detector);
	mm_arena_free(loan);
	mm_judge_close(fixed);
	mm_judge_close(NULL);
}

static void borrow__without_memory__lends_nothing(void **state)
{
	struct mm_arena *small = mm_arena_new(1);
	struct mm_detector *lent = NULL;
	struct mm_error err = {.status = MM_OK};

	(void)state;
	assert_int_equal(mm_judge_borrow(judge, &lent, small, &err), MM_NO_MEMORY);
	assert_null(lent);
	mm_arena_free(small);
	/* The loan that failed does not keep the old detector: nothing leaks. */
	reload(MM_OK);
}

/* ---- many threads borrow while one reloads */

enum { BORROWERS = 4, RELOADS = 12 };

static atomic_bool is_over;
static atomic_uint loans, wrong;

/* A loan has one set of rules from its beginning to its end: it knows one word, and only one. */
static void use_loan(struct mm_arena *own)
{
	struct mm_detector *detector;
	struct mm_analysis first[2], second[2];

	if (mm_judge_borrow(judge, &detector, own, NULL) != MM_OK) {
		wrong++;
		return;
	}
	for (int i = 0; i < 2; i++)
		if (mm_detect(detector, words[i], strlen(words[i]), NULL, &first[i], own, NULL))
			wrong++;
	for (int i = 0; i < 2; i++)
		if (mm_detect(detector, words[i], strlen(words[i]), NULL, &second[i], own, NULL))
			wrong++;
	if (first[0].harassment.is_harassment == first[1].harassment.is_harassment)
		wrong++;
	for (int i = 0; i < 2; i++)
		if (first[i].harassment.is_harassment != second[i].harassment.is_harassment ||
		    (first[i].harassment.finding_count > 0 &&
		     !strstr(first[i].harassment.findings[0].reason, words[i])))
			wrong++;
	loans++;
}

static void *borrow_and_return(void *argument)
{
	struct mm_arena *own = mm_arena_new(0);

	(void)argument;
	while (!is_over) {
		use_loan(own);
		mm_arena_reset(own);
	}
	mm_arena_free(own);
	return NULL;
}

static void borrow__while_another_thread_reloads__sees_one_set_of_rules(void **state)
{
	pthread_t borrowers[BORROWERS];

	(void)state;
	is_over = false;
	loans = wrong = 0;
	for (int i = 0; i < BORROWERS; i++)
		assert_int_equal(pthread_create(&borrowers[i], NULL, borrow_and_return, NULL), 0);
	for (unsigned i = 1; i <= RELOADS; i++) {
		const unsigned before = loans;

		write_rules(rules[i % 2]);
		reload(MM_OK);
		/* Every set of rules is lent at least once. */
		while (loans == before && wrong == 0)
			sched_yield();
	}
	is_over = true;
	for (int i = 0; i < BORROWERS; i++)
		pthread_join(borrowers[i], NULL);
	assert_int_equal(wrong, 0);
	assert_true(loans >= RELOADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(loan__survives_a_reload, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(borrow__after_a_reload__has_the_new_rules, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(reload__of_a_broken_file__keeps_the_old_rules, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(reload__without_a_folder_or_models__keeps_the_old_rules,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(judge_over__a_detector__lends_it_and_is_not_reloaded,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(borrow__without_memory__lends_nothing, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(
		borrow__while_another_thread_reloads__sees_one_set_of_rules, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
