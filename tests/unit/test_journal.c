/* test_journal: the journal over a scripted fake sink: what is acknowledged is in the sink, in the
 * spool or set aside, whatever the sink does. PostgreSQL is in test_db.c. */
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

static unsigned number_of(const struct mm_record *record)
{
	return record->id.bytes[14] * 256u + record->id.bytes[15];
}

static bool has_bad(const struct mm_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fake.bad && number_of(&records[i]) == fake.bad)
			return true;
	return false;
}

static void keep(const struct mm_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned number = number_of(&records[i]);
		if (fake.times[number]++ == 0)
			fake.order[fake.applied++] = number;
	}
}

static enum mm_status apply(void *self, enum mm_record_kind kind, const struct mm_record *records,
			    size_t count, struct mm_error *failure)
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

static void set_fake(enum mm_status status, bool is_held)
{
	pthread_mutex_lock(&fake.mutex);
	fake.status = status;
	fake.is_held = is_held;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.mutex);
}

/* Waits until the sink has applied so many different records. */
static void await_applied(size_t count)
{
	pthread_mutex_lock(&fake.mutex);
	while (fake.applied < count)
		pthread_cond_wait(&fake.changed, &fake.mutex);
	pthread_mutex_unlock(&fake.mutex);
}

/* Waits until a call is inside the sink. */
static void await_call(void)
{
	pthread_mutex_lock(&fake.mutex);
	while (fake.waiting == 0)
		pthread_cond_wait(&fake.changed, &fake.mutex);
	pthread_mutex_unlock(&fake.mutex);
}

static struct mm_journal_state state_of(void)
{
	struct mm_journal_state state;

	mm_journal_state(journal, &state);
	return state;
}

/* The journal has no event for this, hence the polling; a hang is the test runner's to end. */
static void await_mode(enum mm_journal_mode mode)
{
	while (state_of().mode != mode)
		usleep(1000);
}

static enum mm_status append(unsigned number, bool *is_spooled)
{
	struct mm_record record = {.kind = MM_RECORD_ANALYSIS, .json = "{}", .length = 2};

	record.id.bytes[14] = (unsigned char)(number / 256);
	record.id.bytes[15] = (unsigned char)(number % 256);
	return mm_journal_append(journal, &record, is_spooled, &err);
}

static void append_ok(unsigned number, bool want_spooled)
{
	bool is_spooled = !want_spooled;

	assert_int_equal(append(number, &is_spooled), MM_OK);
	if (is_spooled != want_spooled)
		fail_msg("record %u: spooled %d, want %d", number, is_spooled, want_spooled);
}

static void open_journal(void)
{
	assert_int_equal(mm_journal_open(&options, &journal, &err), MM_OK);
}

static void close_journal(void)
{
	mm_journal_close(journal);
	journal = NULL;
}

struct client {
	pthread_t thread;
	unsigned first, count;
	unsigned acknowledged;
	enum mm_status last;
};

static void *run_client(void *argument)
{
	struct client *client = argument;

	for (unsigned i = 0; i < client->count; i++) {
		client->last = append(client->first + i, NULL);
		client->acknowledged += client->last == MM_OK;
	}
	return NULL;
}

static void start_clients(struct client *clients, unsigned count, unsigned each)
{
	for (unsigned i = 0; i < count; i++) {
		clients[i] = (struct client){.first = 1 + i * each, .count = each};
		assert_int_equal(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]),
				 0);
	}
}

static unsigned join_clients(struct client *clients, unsigned count)
{
	unsigned acknowledged = 0;

	for (unsigned i = 0; i < count; i++) {
		pthread_join(clients[i].thread, NULL);
		acknowledged += clients[i].acknowledged;
	}
	return acknowledged;
}

static void append__many_threads__each_applied_once(void **state)
{
	(void)state;
	struct client clients[16];

	open_journal();
	start_clients(clients, 16, 100);
	assert_int_equal(join_clients(clients, 16), 1600);
	assert_int_equal(fake.applied, 1600);
	for (unsigned i = 1; i <= 1600; i++)
		assert_int_equal(fake.times[i], 1);
	assert_int_equal(state_of().appended, 1600);
	assert_int_equal(state_of().mode, MM_JOURNAL_DIRECT);
	close_journal();
}

static void append__while_a_batch_is_out__is_grouped(void **state)
{
	(void)state;
	struct client clients[8];

	open_journal();
	set_fake(MM_OK, true);
	start_clients(clients, 8, 1);
	await_call();
	/* Those not in the first batch wait in the queue and make one more, or two. */
	usleep(50000);
	set_fake(MM_OK, false);
	assert_int_equal(join_clients(clients, 8), 8);
	assert_true(fake.calls <= 4);
	close_journal();
}

static void append__sink_fails__is_spooled_and_drained_in_order(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum mm_status status;
		bool is_applied;
	} rows[] = {
	    {"certainly not applied", MM_UPSTREAM, false},
	    {"unknown, not applied", MM_TIMEOUT, false},
	    {"unknown, applied", MM_TIMEOUT, true},
	    {"a status that no sink gives", MM_DENIED, false},
	};
	unsigned number = 0;

	open_journal();
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		fake.is_applied_all_the_same = rows[row].is_applied;
		set_fake(rows[row].status, false);
		for (int i = 0; i < 50; i++)
			append_ok(++number, true);
		assert_int_not_equal(state_of().mode, MM_JOURNAL_DIRECT);
		assert_int_equal(state_of().spooled, 50);
		set_fake(MM_OK, false);
		await_mode(MM_JOURNAL_DIRECT);
		append_ok(++number, false);
		if (fake.applied != number)
			fail_msg("%s: %zu of %u applied", rows[row].name, fake.applied, number);
		for (unsigned i = 0; i < number; i++)
			if (fake.order[i] != i + 1)
				fail_msg("%s: place %u has record %u", rows[row].name, i + 1,
					 fake.order[i]);
	}
	close_journal();
}

static void append__while_the_drainer_hangs__is_acknowledged(void **state)
{
	(void)state;
	open_journal();
	set_fake(MM_UPSTREAM, false);
	append_ok(1, true);
	set_fake(MM_OK, true);
	await_call();
	for (unsigned i = 2; i <= 100; i++)
		append_ok(i, true);
	set_fake(MM_OK, false);
	await_applied(100);
	await_mode(MM_JOURNAL_DIRECT);
	append_ok(101, false);
	close_journal();
}

static void append__under_load_while_draining__comes_back_to_direct(void **state)
{
	(void)state;
	struct client clients[16];

	open_journal();
	set_fake(MM_UPSTREAM, false);
	start_clients(clients, 16, 200);
	usleep(20000);
	set_fake(MM_OK, false);
	assert_int_equal(join_clients(clients, 16), 3200);
	await_mode(MM_JOURNAL_DIRECT);
	assert_int_equal(fake.applied, 3200);
	close_journal();
}

static void append__one_bad_record_in_a_batch__only_it_is_set_aside(void **state)
{
	(void)state;
	struct client clients[16];

	open_journal();
	fake.bad = 7;
	set_fake(MM_OK, false);
	start_clients(clients, 16, 1);
	assert_int_equal(join_clients(clients, 16), 16);
	assert_int_equal(fake.applied, 15);
	assert_int_equal(fake.times[7], 0);
	assert_int_equal(state_of().set_aside, 1);
	assert_int_equal(state_of().mode, MM_JOURNAL_DIRECT);
	close_journal();
}

static void drain__one_bad_record__does_not_block_the_others(void **state)
{
	(void)state;
	open_journal();
	set_fake(MM_UPSTREAM, false);
	for (unsigned i = 1; i <= 100; i++)
		append_ok(i, true);
	fake.bad = 50;
	set_fake(MM_OK, false);
	await_mode(MM_JOURNAL_DIRECT);
	assert_int_equal(fake.applied, 99);
	assert_int_equal(state_of().set_aside, 1);
	assert_int_equal(state_of().spooled, 0);
	close_journal();
}

static void append__too_many_set_aside__is_busy(void **state)
{
	(void)state;
	options.set_aside_max = 1;
	open_journal();
	fake.bad = 1;
	append_ok(1, true);
	assert_int_equal(append(1, NULL), MM_BUSY);
	append_ok(2, false);
	assert_int_equal(state_of().appended, 2);
	close_journal();
}

static void append__neither_sink_nor_spool__is_busy_until_one_works(void **state)
{
	(void)state;
	options.spool_max_bytes = 4;
	open_journal();
	set_fake(MM_UPSTREAM, false);
	append_ok(1, true);
	append_ok(2, true);
	assert_int_equal(append(3, NULL), MM_BUSY);
	assert_int_equal(state_of().mode, MM_JOURNAL_FAILING);
	set_fake(MM_OK, false);
	await_mode(MM_JOURNAL_DIRECT);
	append_ok(4, false);
	assert_int_equal(fake.times[3], 0);
	close_journal();
}

static void append__nothing_in_the_spool_and_failing__finds_the_sink_again(void **state)
{
	(void)state;
	options.spool_max_bytes = 1;
	open_journal();
	set_fake(MM_UPSTREAM, false);
	assert_int_equal(append(1, NULL), MM_BUSY);
	set_fake(MM_OK, false);
	while (append(2, NULL) != MM_OK)
		usleep(1000);
	assert_int_equal(state_of().mode, MM_JOURNAL_DIRECT);
	close_journal();
}

static void append__not_begun_in_time__is_withdrawn(void **state)
{
	(void)state;
	struct client first;

	options.append_timeout_ms = 100;
	open_journal();
	set_fake(MM_OK, true);
	start_clients(&first, 1, 1);
	await_call();
	assert_int_equal(append(2, NULL), MM_BUSY);
	set_fake(MM_OK, false);
	/* The one that the writer had taken is waited for, longer than its time. */
	assert_int_equal(join_clients(&first, 1), 1);
	append_ok(3, false);
	assert_int_equal(fake.times[2], 0);
	close_journal();
}

/* What the submitted records' callbacks were told. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned calls;
	enum mm_status last;
} told = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void tell(void *argument, enum mm_status status, const struct mm_error *failure)
{
	(void)argument;
	(void)failure;
	pthread_mutex_lock(&told.mutex);
	told.calls++;
	told.last = status;
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

static void append__queue_full__is_busy(void **state)
{
	(void)state;
	struct client clients[3];

	options.queue_max = 1;
	open_journal();
	set_fake(MM_OK, true);
	start_clients(clients, 1, 1);
	await_call();
	/* One fits into the queue; of two, one is refused at once. */
	for (unsigned i = 1; i < 3; i++) {
		clients[i] = (struct client){.first = 10 + i, .count = 1};
		pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
	}
	usleep(50000);
	set_fake(MM_OK, false);
	assert_int_equal(join_clients(clients, 3), 2);
	assert_true(clients[1].last == MM_BUSY || clients[2].last == MM_BUSY);
	close_journal();
}

static void close__with_waiters__finishes_them(void **state)
{
	(void)state;
	struct client clients[8];

	open_journal();
	set_fake(MM_OK, true);
	start_clients(clients, 8, 1);
	await_call();
	usleep(50000);
	set_fake(MM_OK, false);
	close_journal();
	assert_int_equal(join_clients(clients, 8), 8);
	assert_int_equal(fake.applied, 8);
}

static void open__after_close_with_a_full_spool__drains_first(void **state)
{
	(void)state;
	open_journal();
	set_fake(MM_UPSTREAM, false);
	for (unsigned i = 1; i <= 20; i++)
		append_ok(i, true);
	close_journal();
	set_fake(MM_OK, false);
	open_journal();
	await_mode(MM_JOURNAL_DIRECT);
	append_ok(21, false);
	for (unsigned i = 0; i < 21; i++)
		assert_int_equal(fake.order[i], i + 1);
	close_journal();
}

static void read_states__of_a_spooling_journal__tells_mode_and_counts(void **state)
{
	(void)state;
	struct mm_arena *arena = mm_arena_new(0);
	struct mm_journal_report *reports = NULL;
	size_t count = 0;

	test_folder_write("broken-0.status", "{\"app\":");
	open_journal();
	set_fake(MM_UPSTREAM, false);
	append_ok(1, true);
	append_ok(2, true);
	do {
		mm_arena_reset(arena);
		assert_int_equal(mm_journal_read_states(test_folder, &reports, &count, arena, &err),
				 MM_OK);
	} while (count == 0 || reports[0].state.spooled != 2);
	assert_int_equal(count, 1);
	assert_string_equal(reports[0].app, "test");
	assert_int_equal(reports[0].slot, 0);
	assert_true(reports[0].is_alive);
	assert_int_equal(reports[0].state.mode, MM_JOURNAL_SPOOLING);
	assert_true(reports[0].state.oldest_utc_ms > 0);
	close_journal();
	/* What is left for the next start stays visible; nothing left, no file. */
	mm_arena_reset(arena);
	assert_int_equal(mm_journal_read_states(test_folder, &reports, &count, arena, &err), MM_OK);
	assert_int_equal(count, 1);
	set_fake(MM_OK, false);
	open_journal();
	await_mode(MM_JOURNAL_DIRECT);
	close_journal();
	mm_arena_reset(arena);
	assert_int_equal(mm_journal_read_states(test_folder, &reports, &count, arena, &err), MM_OK);
	assert_int_equal(count, 0);
	mm_arena_free(arena);
}

static int set_up(void **state)
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

static int tear_down(void **state)
{
	(void)state;
	test_folder_remove();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(append__many_threads__each_applied_once),
	    TEST(append__while_a_batch_is_out__is_grouped),
	    TEST(append__sink_fails__is_spooled_and_drained_in_order),
	    TEST(append__while_the_drainer_hangs__is_acknowledged),
	    TEST(append__under_load_while_draining__comes_back_to_direct),
	    TEST(append__one_bad_record_in_a_batch__only_it_is_set_aside),
	    TEST(drain__one_bad_record__does_not_block_the_others),
	    TEST(append__too_many_set_aside__is_busy),
	    TEST(append__neither_sink_nor_spool__is_busy_until_one_works),
	    TEST(append__nothing_in_the_spool_and_failing__finds_the_sink_again),
	    TEST(append__not_begun_in_time__is_withdrawn),
	    TEST(append__queue_full__is_busy),
	    TEST(submit__many__each_is_told_once),
	    TEST(submit__not_begun_in_time__is_told_busy),
	    TEST(submit__refused__is_not_told),
	    TEST(close__with_waiters__finishes_them),
	    TEST(open__after_close_with_a_full_spool__drains_first),
	    TEST(read_states__of_a_spooling_journal__tells_mode_and_counts),
	};
	mm_log_open("test_journal", MM_LOG_ERROR, 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
