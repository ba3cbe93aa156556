/* test_journal_submit: records that nobody waits for: each is told of once, in time. */
#include "config.h"

#include "journal_fake.h"

#include "base/log.h"

/* What the submitted records' callbacks were told. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned calls, spooled;
	enum mm_status last;
} told = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void tell(void *argument, enum mm_status status, bool is_spooled,
		 const struct mm_error *failure)
{
	(void)argument;
	(void)failure;
	pthread_mutex_lock(&told.mutex);
	told.calls++;
	told.last = status;
	told.spooled += is_spooled;
	pthread_cond_broadcast(&told.changed);
	pthread_mutex_unlock(&told.mutex);
}

static enum mm_status await_told(unsigned calls)
{
	pthread_mutex_lock(&told.mutex);
	while (told.calls < calls)
		pthread_cond_wait(&told.changed, &told.mutex);
	enum mm_status last = told.last;
	pthread_mutex_unlock(&told.mutex);
	return last;
}

static enum mm_status submit(unsigned number, struct mm_arena *arena)
{
	struct mm_record record = {.kind = MM_RECORD_ANALYSIS, .json = "{}", .length = 2};

	record.id.bytes[14] = (unsigned char)(number / 256);
	record.id.bytes[15] = (unsigned char)(number % 256);
	return mm_journal_submit(journal, &record, tell, NULL, arena, &err);
}

static void submit__many__each_is_told_once(void **state)
{
	(void)state;
	struct mm_arena *arena = mm_arena_new(0);

	told.calls = 0;
	open_journal();
	for (unsigned number = 1; number <= 200; number++)
		assert_int_equal(submit(number, arena), MM_OK);
	assert_int_equal(await_told(200), MM_OK);
	append_ok(201, false);
	assert_int_equal(fake.applied, 201);
	assert_int_equal(told.calls, 200);
	close_journal();
	mm_arena_free(arena);
}

static void submit__not_begun_in_time__is_told_busy(void **state)
{
	(void)state;
	struct mm_arena *arena = mm_arena_new(0);

	told.calls = 0;
	options.append_timeout_ms = 50;
	open_journal();
	set_fake(MM_OK, true);
	assert_int_equal(submit(1, arena), MM_OK);
	await_call();
	assert_int_equal(submit(2, arena), MM_OK);
	/* This one's own wait outlasts the time of the second. */
	assert_int_equal(append(3, NULL), MM_BUSY);
	set_fake(MM_OK, false);
	assert_int_equal(await_told(2), MM_BUSY);
	assert_int_equal(fake.times[1], 1);
	assert_int_equal(fake.times[2], 0);
	append_ok(4, false);
	close_journal();
	mm_arena_free(arena);
}

static void submit__sink_fails__each_is_told_that_it_is_spooled(void **state)
{
	(void)state;
	struct mm_arena *arena = mm_arena_new(0);

	told.calls = 0;
	told.spooled = 0;
	open_journal();
	set_fake(MM_UPSTREAM, false);
	for (unsigned number = 1; number <= 20; number++)
		assert_int_equal(submit(number, arena), MM_OK);
	assert_int_equal(await_told(20), MM_OK);
	assert_int_equal(told.spooled, 20);
	set_fake(MM_OK, false);
	await_mode(MM_JOURNAL_DIRECT);
	assert_int_equal(submit(21, arena), MM_OK);
	assert_int_equal(await_told(21), MM_OK);
	assert_int_equal(told.spooled, 20);
	close_journal();
	mm_arena_free(arena);
}

static void submit__refused__is_not_told(void **state)
{
	(void)state;
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_record empty = {.kind = MM_RECORD_ANALYSIS, .json = "", .length = 0};

	told.calls = 0;
	options.queue_max = 1;
	open_journal();
	assert_int_equal(mm_journal_submit(journal, &empty, tell, NULL, arena, &err), MM_BAD_INPUT);
	set_fake(MM_OK, true);
	assert_int_equal(submit(1, arena), MM_OK);
	await_call();
	assert_int_equal(submit(2, arena), MM_OK);
	assert_int_equal(submit(3, arena), MM_BUSY);
	set_fake(MM_OK, false);
	assert_int_equal(await_told(2), MM_OK);
	close_journal();
	assert_int_equal(told.calls, 2);
	mm_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_JOURNAL_TEST(submit__many__each_is_told_once),
	    MM_JOURNAL_TEST(submit__not_begun_in_time__is_told_busy),
	    MM_JOURNAL_TEST(submit__sink_fails__each_is_told_that_it_is_spooled),
	    MM_JOURNAL_TEST(submit__refused__is_not_told),
	};
	mm_log_open("test_journal_submit", MM_LOG_ERROR, 2);
	return cmocka_run_group_tests_name("journal_submit", tests, NULL, NULL);
}
