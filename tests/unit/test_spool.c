/* test_spool: the spool file: order, limits, slots, orphans, damage. Tables of steps where it
 * helps; a real SQLite file in a temporary folder. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "folder.h"
#include "store/spool.h"

static struct mm_arena *arena;
static struct mm_error err;

static struct mm_spool *open_spool(int64_t max_bytes)
{
	struct mm_spool_options options = {
	    .app = "test", .spool_dir = test_folder, .max_bytes = max_bytes};
	struct mm_spool *spool = NULL;

	assert_int_equal(mm_spool_open(&options, &spool, &err), MM_OK);
	return spool;
}

static struct mm_record record(enum mm_record_kind kind, unsigned char number, const char *json)
{
	struct mm_record made = {.kind = kind, .json = json, .length = strlen(json)};

	made.id.bytes[15] = number;
	return made;
}

static void append(struct mm_spool *spool, enum mm_record_kind kind, const char *json)
{
	struct mm_record one = record(kind, 1, json);

	assert_int_equal(mm_spool_append(spool, &one, 1, &err), MM_OK);
}

/* The JSON of what a read gives, joined by spaces. */
static const char *read_text(struct mm_spool *spool, size_t max, size_t max_bytes)
{
	static char text[4096];
	struct mm_spool_entry *entries;
	size_t count;

	mm_arena_reset(arena);
	assert_int_equal(mm_spool_read(spool, max, max_bytes, &entries, &count, arena, &err),
			 MM_OK);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		strcat(text, i ? " " : "");
		strncat(text, entries[i].record.json, entries[i].record.length);
	}
	return text;
}

static void assert_counts(struct mm_spool *spool, int64_t records, int64_t set_aside, int64_t bytes)
{
	struct mm_spool_counts counts;

	mm_spool_counts(spool, &counts);
	assert_int_equal(counts.records, records);
	assert_int_equal(counts.set_aside, set_aside);
	assert_int_equal(counts.bytes, bytes);
	assert_int_equal(counts.oldest_utc_ms > 0, records > 0);
}

static void remove_first(struct mm_spool *spool, size_t count)
{
	struct mm_spool_entry *entries;
	size_t found;

	assert_int_equal(mm_spool_read(spool, count, SIZE_MAX, &entries, &found, arena, &err),
			 MM_OK);
	assert_int_equal(found, count);
	assert_int_equal(mm_spool_remove(spool, entries, count, &err), MM_OK);
}

static void read__any_limits__oldest_kind_in_order(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t max, max_bytes;
		const char *want;
	} rows[] = {
	    {"all of the first kind", 10, 1000, "{1} {2} {44}"},
	    {"by count", 2, 1000, "{1} {2}"},
	    {"by bytes", 10, 7, "{1} {2}"},
	    {"one at least", 10, 1, "{1}"},
	};
	struct mm_spool *spool = open_spool(1000);

	append(spool, MM_RECORD_TURN, "{1}");
	append(spool, MM_RECORD_TURN, "{2}");
	append(spool, MM_RECORD_ANALYSIS, "{3}");
	append(spool, MM_RECORD_TURN, "{44}");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = read_text(spool, rows[i].max, rows[i].max_bytes);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got %s, want %s", rows[i].name, got, rows[i].want);
	}
	remove_first(spool, 3);
	assert_string_equal(read_text(spool, 10, 1000), "{3}");
	assert_counts(spool, 1, 0, 3);
	remove_first(spool, 1);
	assert_counts(spool, 0, 0, 0);
	assert_string_equal(read_text(spool, 10, 1000), "");
	mm_spool_close(spool);
}

static void append__over_the_limit__keeps_nothing(void **state)
{
	(void)state;
	struct mm_spool *spool = open_spool(10);
	struct mm_record two[] = {record(MM_RECORD_TURN, 1, "{1234}"),
				  record(MM_RECORD_TURN, 2, "{5678}")};

	assert_int_equal(mm_spool_append(spool, two, 2, &err), MM_BUSY);
	assert_counts(spool, 0, 0, 0);
	assert_int_equal(mm_spool_append(spool, two, 1, &err), MM_OK);
	assert_int_equal(mm_spool_append(spool, two + 1, 1, &err), MM_BUSY);
	assert_counts(spool, 1, 0, 6);
	remove_first(spool, 1);
	assert_int_equal(mm_spool_append(spool, two + 1, 1, &err), MM_OK);
	mm_spool_close(spool);
}

static void set_aside__and_put_back__keeps_the_place(void **state)
{
	(void)state;
	struct mm_spool *spool = open_spool(1000);
	struct mm_spool_entry *entries;
	struct mm_record direct = record(MM_RECORD_TURN, 9, "{9}");
	size_t count;
	int64_t back;

	append(spool, MM_RECORD_TURN, "{1}");
	append(spool, MM_RECORD_TURN, "{2}");
	assert_int_equal(mm_spool_read(spool, 1, 1000, &entries, &count, arena, &err), MM_OK);
	assert_int_equal(mm_spool_set_aside(spool, entries, "23514: no", &err), MM_OK);
	assert_int_equal(mm_spool_set_aside(spool, entries, "23514: no", &err), MM_OK);
	assert_int_equal(mm_spool_set_aside_record(spool, &direct, "22P02: no", &err), MM_OK);
	assert_counts(spool, 1, 2, 9);
	assert_string_equal(read_text(spool, 10, 1000), "{2}");
	assert_int_equal(mm_spool_put_back(spool, NULL, 0, &back, &err), MM_OK);
	assert_int_equal(back, 2);
	assert_counts(spool, 3, 0, 9);
	assert_string_equal(read_text(spool, 10, 1000), "{1} {2} {9}");
	mm_spool_close(spool);
}

static void open__after_close__has_everything(void **state)
{
	(void)state;
	struct mm_spool *spool = open_spool(1000);
	struct stat status;

	append(spool, MM_RECORD_TURN, "{\"text\":\"日本語\"}");
	mm_spool_close(spool);
	assert_int_equal(stat(test_folder_path("test-0.db"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	spool = open_spool(1000);
	assert_string_equal(read_text(spool, 10, 1000), "{\"text\":\"日本語\"}");
	assert_counts(spool, 1, 0, (int64_t)strlen("{\"text\":\"日本語\"}"));
	mm_spool_close(spool);
}

static void open__two_at_once__two_slots_then_adopted(void **state)
{
	(void)state;
	struct mm_spool *first = open_spool(1000);
	struct mm_spool *second = open_spool(1000);

	assert_int_equal(mm_spool_slot(first), 0);
	assert_int_equal(mm_spool_slot(second), 1);
	append(first, MM_RECORD_TURN, "{1}");
	append(second, MM_RECORD_TURN, "{2}");
	append(second, MM_RECORD_TURN, "{3}");
	mm_spool_close(second);
	/* The first is still at work: a third process takes slot 1 and inherits nothing of it. */
	second = open_spool(1000);
	assert_string_equal(read_text(second, 10, 1000), "{2} {3}");
	mm_spool_close(second);
	mm_spool_close(first);
	first = open_spool(1000);
	assert_int_equal(mm_spool_slot(first), 0);
	assert_string_equal(read_text(first, 10, 1000), "{1} {2} {3}");
	assert_int_not_equal(access(test_folder_path("test-1.db"), F_OK), 0);
	mm_spool_close(first);
}

/* A child appends and dies by SIGKILL inside the file's lifetime. */
static void open__after_kill__has_what_was_appended(void **state)
{
	(void)state;
	pid_t child = fork();

	if (child == 0) {
		struct mm_spool_options options = {
		    .app = "test", .spool_dir = test_folder, .max_bytes = 1000};
		struct mm_spool *spool;
		struct mm_record one = record(MM_RECORD_TURN, 1, "{1}");
		if (mm_spool_open(&options, &spool, NULL) == MM_OK &&
		    mm_spool_append(spool, &one, 1, NULL) == MM_OK)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	int result;
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFSIGNALED(result));
	struct mm_spool *spool = open_spool(1000);
	assert_string_equal(read_text(spool, 10, 1000), "{1}");
	mm_spool_close(spool);
}

static void open__damaged_file__takes_the_next_slot(void **state)
{
	(void)state;
	test_folder_write("test-0.db", "this is no database, and it is longer than a header");
	struct mm_spool *spool = open_spool(1000);

	assert_int_equal(mm_spool_slot(spool), 1);
	append(spool, MM_RECORD_TURN, "{1}");
	assert_int_equal(access(test_folder_path("test-0.db"), F_OK), 0);
	mm_spool_close(spool);
}

static void open__no_folder__is_upstream(void **state)
{
	(void)state;
	struct mm_spool_options options = {
	    .app = "test", .spool_dir = "/nonexistent/spool", .max_bytes = 1000};
	struct mm_spool *spool = NULL;

	assert_int_equal(mm_spool_open(&options, &spool, &err), MM_UPSTREAM);
	assert_null(spool);
	assert_non_null(strstr(err.cause, "/nonexistent/spool"));
}

static void remove__all_of_a_large_spool__gives_the_disk_back(void **state)
{
	(void)state;
	static char json[64 * 1024];
	struct mm_spool *spool = open_spool(1 << 30);
	struct stat status;

	memset(json, 'x', sizeof json - 1);
	for (int i = 0; i < 160; i++)
		append(spool, MM_RECORD_TURN, json);
	remove_first(spool, 160);
	assert_int_equal(stat(test_folder_path("test-0.db"), &status), 0);
	assert_true(status.st_size < 1 << 20);
	mm_spool_close(spool);
}

static int set_up(void **state)
{
	(void)state;
	test_folder_make();
	arena = mm_arena_new(0);
	memset(&err, 0, sizeof err);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	test_folder_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(read__any_limits__oldest_kind_in_order, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(append__over_the_limit__keeps_nothing, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(set_aside__and_put_back__keeps_the_place, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(open__after_close__has_everything, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(open__two_at_once__two_slots_then_adopted, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(open__after_kill__has_what_was_appended, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(open__damaged_file__takes_the_next_slot, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(open__no_folder__is_upstream, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(remove__all_of_a_large_spool__gives_the_disk_back,
					    set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
