/* test_budget: tokens of a day, promised and used, and the file in which processes share them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ai/budget.h"
#include "folder.h"

#define DAY INT64_C(86400000)

static struct mm_account account;

static int begin(void **state)
{
	(void)state;
	account = (struct mm_account){.tokens = 0};
	return 0;
}

static void promise__beyond_the_limit__is_refused(void **state)
{
	struct mm_budget_promise first, second;
	(void)state;
	assert_true(mm_budget_promise(&account, 1000, 600, DAY, &first));
	assert_false(mm_budget_promise(&account, 1000, 401, DAY, &second));
	assert_int_equal(mm_budget_used(&account, DAY), 600);
	assert_true(mm_budget_promise(&account, 1000, 400, DAY, &second));
	mm_budget_settle(&account, &first, 100);
	mm_budget_settle(&account, &second, 0);
	assert_int_equal(mm_budget_used(&account, DAY), 100);
}

static void promise__without_a_limit__is_counted(void **state)
{
	struct mm_budget_promise promise;
	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_true(mm_budget_promise(&account, 0, 1000000, DAY, &promise));
		mm_budget_settle(&account, &promise, 7);
	}
	assert_int_equal(mm_budget_used(&account, DAY), 70);
}

static void next_day__begins_anew(void **state)
{
	struct mm_budget_promise promise;
	(void)state;
	assert_true(mm_budget_promise(&account, 1000, 1000, 2 * DAY - 1, &promise));
	assert_false(mm_budget_promise(&account, 1000, 1, 2 * DAY - 1, &promise));
	assert_int_equal(mm_budget_used(&account, 2 * DAY), 0);
	assert_true(mm_budget_promise(&account, 1000, 1, 2 * DAY, &promise));
	assert_int_equal(mm_budget_used(&account, 2 * DAY), 1);
}

static void promise_of_yesterday__settles_for_today(void **state)
{
	struct mm_budget_promise old, other;
	(void)state;
	assert_true(mm_budget_promise(&account, 1000, 500, DAY, &old));
	assert_true(mm_budget_promise(&account, 1000, 10, 2 * DAY, &other));
	mm_budget_settle(&account, &old, 30);
	assert_int_equal(mm_budget_used(&account, 2 * DAY), 40);
}

/* Another process adds to the account; this one, and a reader, see it. */
static void ledger__is_shared_by_processes(void **state)
{
	struct mm_ledger *ledger;
	struct mm_account accounts[MM_LEDGER_ACCOUNTS];
	struct mm_error err = {.status = MM_OK};
	struct mm_arena *arena = mm_arena_new(0);
	int status;
	(void)state;
	assert_int_equal(mm_ledger_read(test_folder, "app", accounts, arena, &err), MM_NOT_FOUND);
	assert_int_equal(mm_ledger_open(test_folder, "app", &ledger, &err), MM_OK);
	const pid_t child = fork();
	if (child == 0) {
		struct mm_ledger *own;
		if (mm_ledger_open(test_folder, "app", &own, &err) == MM_OK)
			atomic_fetch_add(&mm_ledger_account(own, MM_VENDOR_GEMINI)->tokens, 42);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(mm_ledger_account(ledger, MM_VENDOR_GEMINI)->tokens, 42);
	assert_int_equal(mm_ledger_read(test_folder, "app", accounts, arena, &err), MM_OK);
	assert_int_equal(accounts[MM_VENDOR_GEMINI].tokens, 42);
	mm_ledger_close(ledger);
	assert_int_equal(mm_ledger_open(test_folder, "app", &ledger, &err), MM_OK);
	assert_int_equal(mm_ledger_account(ledger, MM_VENDOR_GEMINI)->tokens, 42);
	mm_ledger_close(ledger);
	mm_arena_free(arena);
}

static void ledger__without_a_folder__counts_for_itself(void **state)
{
	struct mm_ledger *ledger;
	struct mm_error err = {.status = MM_OK};
	(void)state;
	assert_int_equal(mm_ledger_open("/nonexistent", "app", &ledger, &err), MM_OK);
	atomic_fetch_add(&mm_ledger_account(ledger, MM_VENDOR_OPENAI)->tokens, 1);
	assert_int_equal(mm_ledger_account(ledger, MM_VENDOR_OPENAI)->tokens, 1);
	mm_ledger_close(ledger);
}

static void ledger__of_another_layout__is_made_anew(void **state)
{
	char path[4096];
	struct mm_ledger *ledger;
	struct mm_error err = {.status = MM_OK};
	(void)state;
	snprintf(path, sizeof path, "%s/old.ai", test_folder);
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 4096; i++)
		fputc('x', file);
	fclose(file);
	assert_int_equal(mm_ledger_open(test_folder, "old", &ledger, &err), MM_OK);
	assert_int_equal(mm_ledger_account(ledger, MM_VENDOR_OPENAI)->tokens, 0);
	mm_ledger_close(ledger);
}

static int make_folder(void **state)
{
	(void)state;
	test_folder_make();
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	test_folder_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(promise__beyond_the_limit__is_refused, begin),
	    cmocka_unit_test_setup(promise__without_a_limit__is_counted, begin),
	    cmocka_unit_test_setup(next_day__begins_anew, begin),
	    cmocka_unit_test_setup(promise_of_yesterday__settles_for_today, begin),
	    cmocka_unit_test(ledger__is_shared_by_processes),
	    cmocka_unit_test(ledger__without_a_folder__counts_for_itself),
	    cmocka_unit_test(ledger__of_another_layout__is_made_anew),
	};
	return cmocka_run_group_tests_name("budget", tests, make_folder, remove_folder);
}
