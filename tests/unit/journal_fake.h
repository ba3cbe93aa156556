/*
 * journal_fake: a journal over a scripted sink, for the tests of the journal.
 *
 * Records are numbered in the last two bytes of their id. Use MM_JOURNAL_TEST for a test, so that
 * each begins with an empty folder and a sink that works.
 */
#ifndef MM_TEST_JOURNAL_FAKE_H
#define MM_TEST_JOURNAL_FAKE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "folder.h"
#include "store/journal.h"

enum { SEEN_MAX = 4096 };

/* What the sink did and shall do. Records are numbered in the last two bytes of their id. */
static struct fake {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	enum mm_status status;        /* for every call */
	bool is_applied_all_the_same; /* with MM_TIMEOUT: the answer was lost */
	bool is_held;                 /* calls wait */
	unsigned bad;                 /* this record is refused; 0: none */
	unsigned calls, waiting;
	unsigned order[SEEN_MAX]; /* numbers as applied */
	size_t applied;
	unsigned times[SEEN_MAX]; /* by number */
} fake = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct mm_journal *journal;
static struct mm_journal_options options;
static struct mm_error err;

static inline unsigned number_of(const struct mm_record *record)
{
	return record->id.bytes[14] * 256u + record->id.bytes[15];
}

static inline bool has_bad(const struct mm_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fake.bad && number_of(&records[i]) == fake.bad)
			return true;
	return false;
}

static inline void keep(const struct mm_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned number = number_of(&records[i]);
		if (fake.times[number]++ == 0)
			fake.order[fake.applied++] = number;
	}
}

static inline enum mm_status apply(void *self, enum mm_record_kind kind,
				   const struct mm_record *records, size_t count,
				   struct mm_error *failure)
{
	(void)self;
	(void)kind;
	pthread_mutex_lock(&fake.mutex);
	fake.calls++;
	fake.waiting++;
	pthread_cond_broadcast(&fake.changed);
	while (fake.is_held)
		pthread_cond_wait(&fake.changed, &fake.mutex);
	fake.waiting--;
	enum mm_status status = fake.status;
	if (status == MM_OK && has_bad(records, count))
		status = MM_BAD_INPUT;
	if (status == MM_OK || (status == MM_TIMEOUT && fake.is_applied_all_the_same))
		keep(records, count);
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.mutex);
	return status == MM_OK ? MM_OK : mm_error_cause(failure, status, "fake: %d", (int)status);
}

static inline void set_fake(enum mm_status status, bool is_held)
{
	pthread_mutex_lock(&fake.mutex);
	fake.status = status;
	fake.is_held = is_held;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.mutex);
}

/* Waits until the sink has applied so many different records. */
static inline void await_applied(size_t count)
{
	pthread_mutex_lock(&fake.mutex);
	while (fake.applied < count)
		pthread_cond_wait(&fake.changed, &fake.mutex);
	pthread_mutex_unlock(&fake.mutex);
}

/* Waits until a call is inside the sink. */
static inline void await_call(void)
{
	pthread_mutex_lock(&fake.mutex);
	while (fake.waiting == 0)
		pthread_cond_wait(&fake.changed, &fake.mutex);
	pthread_mutex_unlock(&fake.mutex);
}

static inline struct mm_journal_state state_of(void)
{
	struct mm_journal_state state;

	mm_journal_state(journal, &state);
	return state;
}

/* The journal has no event for this, hence the polling; a hang is the test runner's to end. */
static inline void await_mode(enum mm_journal_mode mode)
{
	while (state_of().mode != mode)
		usleep(1000);
}

static inline enum mm_status append(unsigned number, bool *is_spooled)
{
	struct mm_record record = {.kind = MM_RECORD_ANALYSIS, .json = "{}", .length = 2};

	record.id.bytes[14] = (unsigned char)(number / 256);
	record.id.bytes[15] = (unsigned char)(number % 256);
	return mm_journal_append(journal, &record, is_spooled, &err);
}

static inline void append_ok(unsigned number, bool want_spooled)
{
	bool is_spooled = !want_spooled;

	assert_int_equal(append(number, &is_spooled), MM_OK);
	if (is_spooled != want_spooled)
		fail_msg("record %u: spooled %d, want %d", number, is_spooled, want_spooled);
}

static inline void open_journal(void)
{
	assert_int_equal(mm_journal_open(&options, &journal, &err), MM_OK);
}

static inline void close_journal(void)
{
	mm_journal_close(journal);
	journal = NULL;
}

static inline int set_up(void **state)
{
	(void)state;
	test_folder_make();
	memset(fake.order, 0, sizeof fake.order);
	memset(fake.times, 0, sizeof fake.times);
	fake.applied = 0;
	fake.calls = 0;
	fake.bad = 0;
	fake.is_applied_all_the_same = false;
	set_fake(MM_OK, false);
	options = (struct mm_journal_options){.app = "test",
					      .spool_dir = test_folder,
					      .batch_max = 64,
					      .queue_max = 1024,
					      .spool_max_bytes = 1 << 20,
					      .append_timeout_ms = 60000,
					      .set_aside_max = 10,
					      .retry_min_ms = 5,
					      .retry_max_ms = 20,
					      .sink = {.apply = apply}};
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	test_folder_remove();
	return 0;
}

#define MM_JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
