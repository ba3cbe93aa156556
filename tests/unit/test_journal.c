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
#include "journal_fake.h"
#include "store/journal.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_JOURNAL_TEST(append__many_threads__each_applied_once),
	    MM_JOURNAL_TEST(append__while_a_batch_is_out__is_grouped),
	    MM_JOURNAL_TEST(append__sink_fails__is_spooled_and_drained_in_order),
	    MM_JOURNAL_TEST(append__while_the_drainer_hangs__is_acknowledged),
	    MM_JOURNAL_TEST(append__under_load_while_draining__comes_back_to_direct),
	    MM_JOURNAL_TEST(append__one_bad_record_in_a_batch__only_it_is_set_aside),
	    MM_JOURNAL_TEST(drain__one_bad_record__does_not_block_the_others),
	    MM_JOURNAL_TEST(append__too_many_set_aside__is_busy),
	    MM_JOURNAL_TEST(append__neither_sink_nor_spool__is_busy_until_one_works),
	    MM_JOURNAL_TEST(append__nothing_in_the_spool_and_failing__finds_the_sink_again),
	    MM_JOURNAL_TEST(append__not_begun_in_time__is_withdrawn),
	    MM_JOURNAL_TEST(append__queue_full__is_busy),
	    MM_JOURNAL_TEST(close__with_waiters__finishes_them),
	    MM_JOURNAL_TEST(open__after_close_with_a_full_spool__drains_first),
	    MM_JOURNAL_TEST(read_states__of_a_spooling_journal__tells_mode_and_counts),
	};
	mm_log_open("test_journal", MM_LOG_ERROR, 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
