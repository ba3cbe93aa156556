/* test_breaker: when a provider is left alone, for how long, and who tries it again. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "ai/breaker.h"

enum { PAUSE = 1000, FAILURES = 3 };

static const struct mm_breaker_options options = {.failures = FAILURES, .pause_ms = PAUSE};
static struct mm_account account;
static int64_t now;

static int begin(void **state)
{
	(void)state;
	account = (struct mm_account){.failures = 0};
	now = 1000000;
	return 0;
}

static bool fail_with(enum mm_fault fault, int64_t stated_ms)
{
	return mm_breaker_fail(&account, &options, fault, stated_ms, now);
}

static bool admit(void)
{
	return mm_breaker_admit(&account, &options, now);
}

static void open_it(void)
{
	for (int i = 0; i < FAILURES; i++)
		fail_with(MM_FAULT_TIMEOUT, -1);
	assert_false(admit());
}

static void failures__so_many_in_a_row__open_it(void **state)
{
	(void)state;
	assert_false(fail_with(MM_FAULT_TIMEOUT, -1));
	assert_false(fail_with(MM_FAULT_RESET, -1));
	assert_true(admit());
	mm_breaker_succeed(&account);
	assert_false(fail_with(MM_FAULT_TIMEOUT, -1));
	assert_false(fail_with(MM_FAULT_TIMEOUT, -1));
	assert_int_equal(mm_breaker_state(&account, now), MM_BREAKER_CLOSED);
	assert_true(fail_with(MM_FAULT_OVERLOADED, -1));
	assert_int_equal(mm_breaker_state(&account, now), MM_BREAKER_OPEN);
	assert_false(admit());
	assert_int_equal(account.last_fault, MM_FAULT_OVERLOADED);
	assert_int_equal(account.last_fault_at, now);
}

static void faults_of_one_request__never_open_it(void **state)
{
	static const enum mm_fault faults[] = {MM_FAULT_REJECTED, MM_FAULT_LANGUAGE, MM_FAULT_BUSY,
					       MM_FAULT_UNACCEPTED, MM_FAULT_DEADLINE};
	(void)state;
	for (int round = 0; round < 10; round++)
		for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
			assert_false(fail_with(faults[i], -1));
	assert_true(admit());
	assert_int_equal(account.last_fault_at, 0);
}

static void alarm__opens_it_at_once(void **state)
{
	static const enum mm_fault faults[] = {MM_FAULT_KEY, MM_FAULT_MODEL, MM_FAULT_TLS,
					       MM_FAULT_QUOTA, MM_FAULT_REDIRECT};
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		begin(state);
		assert_true(fail_with(faults[i], -1));
		assert_false(admit());
	}
}

static void pause_over__one_request_tries(void **state)
{
	(void)state;
	open_it();
	now += PAUSE - 2;
	assert_false(admit());
	now += 2;
	assert_int_equal(mm_breaker_state(&account, now), MM_BREAKER_HALF_OPEN);
	assert_true(admit());
	assert_false(admit());
	assert_int_equal(mm_breaker_state(&account, now), MM_BREAKER_HALF_OPEN);
	mm_breaker_succeed(&account);
	assert_true(admit());
	assert_true(admit());
	assert_int_equal(mm_breaker_state(&account, now), MM_BREAKER_CLOSED);
}

static void trial_that_never_returns__gives_another_its_turn(void **state)
{
	(void)state;
	open_it();
	now += PAUSE;
	assert_true(admit());
	now += MM_BREAKER_TRIAL_MS - 2;
	assert_false(admit());
	now += 4;
	assert_true(admit());
	assert_false(admit());
}

static void trial_fails__the_pause_doubles_up_to_16_times(void **state)
{
	int64_t pause = PAUSE;
	(void)state;
	open_it();
	for (int i = 0; i < 8; i++) {
		now += pause;
		assert_true(admit());
		assert_true(fail_with(MM_FAULT_TIMEOUT, -1));
		pause = pause < 16 * PAUSE ? pause * 2 : pause;
		now += pause - 2;
		assert_false(admit());
		now += 2 - pause;
	}
	assert_int_equal(pause, 16 * PAUSE);
}

static void late_failures_of_before__do_not_lengthen_the_pause(void **state)
{
	(void)state;
	open_it();
	for (int i = 0; i < 500; i++)
		assert_false(fail_with(MM_FAULT_TIMEOUT, -1));
	now += PAUSE;
	assert_true(admit());
}

static void stated_pause__is_kept_up_to_a_limit(void **state)
{
	(void)state;
	assert_true(fail_with(MM_FAULT_LIMITED, 5000));
	now += 4998;
	assert_false(admit());
	now += 2;
	assert_true(admit());
	begin(state);
	assert_true(fail_with(MM_FAULT_LIMITED, 24 * 3600 * 1000));
	now += MM_BREAKER_STATED_MAX_MS;
	assert_true(admit());
	begin(state);
	assert_false(fail_with(MM_FAULT_LIMITED, -1));
	assert_true(admit());
}

static void clock_set_back__does_not_close_a_provider_for_days(void **state)
{
	(void)state;
	open_it();
	now -= INT64_C(24) * 3600 * 1000;
	assert_true(admit());
}

enum { THREADS = 8, ROUNDS = 2000 };
static atomic_int admitted;

static void *try_often(void *argument)
{
	(void)argument;
	for (int i = 0; i < ROUNDS; i++)
		if (admit())
			atomic_fetch_add(&admitted, 1);
	return NULL;
}

static void many_threads__one_is_the_trial(void **state)
{
	pthread_t threads[THREADS];
	(void)state;
	open_it();
	now += PAUSE;
	atomic_store(&admitted, 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, try_often, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&admitted), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(failures__so_many_in_a_row__open_it, begin),
	    cmocka_unit_test_setup(faults_of_one_request__never_open_it, begin),
	    cmocka_unit_test_setup(alarm__opens_it_at_once, begin),
	    cmocka_unit_test_setup(pause_over__one_request_tries, begin),
	    cmocka_unit_test_setup(trial_that_never_returns__gives_another_its_turn, begin),
	    cmocka_unit_test_setup(trial_fails__the_pause_doubles_up_to_16_times, begin),
	    cmocka_unit_test_setup(late_failures_of_before__do_not_lengthen_the_pause, begin),
	    cmocka_unit_test_setup(stated_pause__is_kept_up_to_a_limit, begin),
	    cmocka_unit_test_setup(clock_set_back__does_not_close_a_provider_for_days, begin),
	    cmocka_unit_test_setup(many_threads__one_is_the_trial, begin),
	};
	return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
