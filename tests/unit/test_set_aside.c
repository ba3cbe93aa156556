/* test_set_aside: what the database refused, listed from outside and tried again on request, by a
 * journal over the scripted sink. */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "journal_fake.h"
#include "store/set_aside.h"

enum { ANSWER_MS = 20000 };

static struct mm_arena *arena;

static void set_bad(unsigned number)
{
	pthread_mutex_lock(&fake.mutex);
	fake.bad = number;
	pthread_mutex_unlock(&fake.mutex);
}

static struct mm_journal_report *report(void)
{
	struct mm_journal_report *reports;
	size_t count;

	do { /* the status file comes a moment after the journal is opened */
		assert_int_equal(mm_journal_read_states(test_folder, &reports, &count, arena, &err),
				 MM_OK);
	} while (count == 0);
	return reports;
}

/* The list once it has so many records; "" for none, else "id kind reason" of the first. */
static const char *await_list(size_t want)
{
	const struct mm_journal_report journal_of = {.app = "test", .slot = 0};
	struct mm_set_aside *records;
	size_t count;

	for (;;) {
		mm_arena_reset(arena);
		assert_int_equal(
		    mm_set_aside_list(test_folder, &journal_of, &records, &count, arena, &err),
		    MM_OK);
		if (count == want)
			break;
		usleep(1000);
	}
	if (count == 0)
		return "";
	assert_true(records[0].at_utc_ms > 0);
	assert_int_equal(records[0].bytes, 2);
	return mm_arena_printf(arena, "%s %s %s", records[0].id, records[0].kind,
			       records[0].reason);
}

static int64_t retry(const struct mm_id *ids, size_t count)
{
	int64_t put_back = -1;

	assert_int_equal(
	    mm_set_aside_retry(test_folder, report(), ids, count, ANSWER_MS, &put_back, &err),
	    MM_OK);
	return put_back;
}

static struct mm_id id_of(unsigned char number)
{
	return (struct mm_id){.bytes = {[15] = number}};
}

static void set_aside_one(unsigned number)
{
	set_bad(number);
	append_ok(number, true);
}

static void list__of_a_living_journal__has_ids_and_reasons(void **state)
{
	(void)state;
	open_journal();
	append_ok(1, false);
	set_aside_one(2);
	assert_string_equal(await_list(1), "00000000-0000-0000-0000-000000000002 analysis fake: 1");
	close_journal();
	assert_string_equal(await_list(1), "00000000-0000-0000-0000-000000000002 analysis fake: 1");
}

static void retry__cause_mended__is_applied_and_direct_again(void **state)
{
	(void)state;
	open_journal();
	set_aside_one(1);
	set_aside_one(2);
	set_bad(0);
	await_list(2);
	assert_int_equal(retry(NULL, 0), 2);
	await_applied(2);
	await_mode(MM_JOURNAL_DIRECT);
	append_ok(3, false);
	assert_int_equal(state_of().set_aside, 0);
	assert_string_equal(await_list(0), "");
	close_journal();
}

static void retry__by_id__leaves_the_others(void **state)
{
	(void)state;
	open_journal();
	set_aside_one(1);
	set_aside_one(2);
	set_bad(0);
	const struct mm_id ids[] = {id_of(2), id_of(9)};
	assert_int_equal(retry(ids, 2), 1);
	await_applied(1);
	assert_int_equal(fake.order[0], 2);
	await_mode(MM_JOURNAL_DIRECT);
	assert_memory_equal(await_list(1), "00000000-0000-0000-0000-000000000001", 36);
	assert_int_equal(retry(ids, 2), 0);
	append_ok(3, false);
	close_journal();
}

static void retry__cause_not_mended__is_set_aside_again(void **state)
{
	(void)state;
	open_journal();
	set_aside_one(1);
	assert_int_equal(retry(NULL, 0), 1);
	while (state_of().set_aside == 0)
		usleep(1000);
	await_mode(MM_JOURNAL_DIRECT);
	await_list(1);
	assert_int_equal(fake.applied, 0);
	close_journal();
}

static void retry__database_down__waits_in_the_spool(void **state)
{
	(void)state;
	open_journal();
	set_aside_one(1);
	set_bad(0);
	set_fake(MM_UPSTREAM, false);
	append_ok(2, true);
	assert_int_equal(retry(NULL, 0), 1);
	assert_int_equal(state_of().spooled, 2);
	set_fake(MM_OK, false);
	await_applied(2);
	assert_int_equal(fake.order[0], 1);
	close_journal();
}

static void retry__nobody_answers__is_withdrawn(void **state)
{
	(void)state;
	const struct mm_journal_report gone = {.app = "gone", .slot = 3};
	int64_t put_back;

	assert_int_equal(mm_set_aside_retry(test_folder, &gone, NULL, 0, 100, &put_back, &err),
			 MM_TIMEOUT);
	assert_int_equal(access(test_folder_path("gone-3.retry"), F_OK), -1);
}

static atomic_bool is_enough;
static atomic_uint sent;

static void *send_until_enough(void *argument)
{
	const unsigned first = *(const unsigned *)argument;

	for (unsigned i = 0; i < 500 && !atomic_load(&is_enough); i++) {
		append(first + i, NULL);
		atomic_fetch_add(&sent, 1);
	}
	return NULL;
}

/* The writer is always at the sink or about to be: it must make room, and nothing may be lost. */
static void retry__under_load__loses_nothing(void **state)
{
	(void)state;
	pthread_t threads[4];
	unsigned firsts[] = {1000, 1500, 2000, 2500};

	atomic_store(&is_enough, false);
	atomic_store(&sent, 0);
	open_journal();
	set_aside_one(1);
	set_bad(0);
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, send_until_enough, &firsts[i]);
	assert_int_equal(retry(NULL, 0), 1);
	atomic_store(&is_enough, true);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	await_applied(atomic_load(&sent) + 1);
	await_mode(MM_JOURNAL_DIRECT);
	assert_int_equal(fake.times[1], 1);
	assert_int_equal(state_of().spooled, 0);
	close_journal();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_JOURNAL_TEST(list__of_a_living_journal__has_ids_and_reasons),
	    MM_JOURNAL_TEST(retry__cause_mended__is_applied_and_direct_again),
	    MM_JOURNAL_TEST(retry__by_id__leaves_the_others),
	    MM_JOURNAL_TEST(retry__cause_not_mended__is_set_aside_again),
	    MM_JOURNAL_TEST(retry__database_down__waits_in_the_spool),
	    MM_JOURNAL_TEST(retry__nobody_answers__is_withdrawn),
	    MM_JOURNAL_TEST(retry__under_load__loses_nothing),
	};

	mm_log_open("test", MM_LOG_ERROR, 2);
	arena = mm_arena_new(0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	mm_arena_free(arena);
	return failed;
}
