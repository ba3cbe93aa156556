/* test_migrate: migrations and upkeep against a private cluster: each file once, all or nothing,
 * changes found, two at once. */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "cluster.h"
#include "store/health_store.h"
#include "store/migrate.h"
#include "store/refresh.h"

static struct mm_error err;
static struct mm_db *db;
static char notices[512];

static void note(void *context, int number, const char *name)
{
	(void)context;
	(void)number;
	strncat(notices, name, sizeof notices - strlen(notices) - 2);
	strcat(notices, " ");
}

static enum mm_status migrate(const char *sql_dir, struct mm_migration_result *result)
{
	notices[0] = '\0';
	memset(&err, 0, sizeof err);
	return mm_migrate(db, sql_dir, 30000, note, NULL, result, &err);
}

static const char *query(const char *sql)
{
	static char text[256];
	struct mm_arena *arena = mm_arena_new(0);
	PGresult *rows;

	if (mm_db_script(db, sql, mm_db_now(db) + 30000, &rows, arena, &err) != MM_OK)
		fail_msg("%s: %s", sql, err.cause);
	snprintf(text, sizeof text, "%s", PQntuples(rows) ? PQgetvalue(rows, 0, 0) : "");
	mm_arena_free(arena);
	return text;
}

static const char *sql_folder(void)
{
	const char *folder = test_folder_path("sql");

	mkdir(folder, 0755);
	return folder;
}

static void migrate__real_files_twice__applied_once(void **state)
{
	(void)state;
	struct mm_migration_result result;
	char sql_dir[256];

	snprintf(sql_dir, sizeof sql_dir, "%s/sql", test_source());
	if (migrate(sql_dir, &result) != MM_OK)
		fail_msg("%s", err.cause);
	assert_int_equal(result.applied, MM_MIGRATION_NEWEST);
	assert_int_equal(result.current, MM_MIGRATION_NEWEST);
	assert_non_null(strstr(notices, "001-schema.sql"));
	assert_int_equal(migrate(sql_dir, &result), MM_OK);
	assert_int_equal(result.applied, 0);
	assert_int_equal(result.current, MM_MIGRATION_NEWEST);
	assert_string_equal(query("SELECT count(*) FROM mamori.migrations"), "6");
}

static void refresh__as_admin__makes_partitions_and_metrics(void **state)
{
	(void)state;
	struct mm_migration_result migrated;
	struct mm_refresh_result result;
	struct mm_refresh_options options = {
	    .months_ahead = 5, .months_kept = 1, .timeout_ms = 10000};
	char sql_dir[256];
	char dsn[256];

	snprintf(sql_dir, sizeof sql_dir, "%s/sql", test_source());
	assert_int_equal(migrate(sql_dir, &migrated), MM_OK);
	snprintf(dsn, sizeof dsn, "host=%s/pg user=mamori_admin dbname=postgres", test_folder);
	struct mm_db_options admin_options = {.dsn = dsn};
	struct mm_db *admin;
	assert_int_equal(mm_db_new(&admin_options, &admin, &err), MM_OK);
	if (mm_refresh(admin, &options, &result, &err) != MM_OK)
		fail_msg("%s", err.cause);
	assert_int_equal(result.partitions_made, 4);
	assert_int_equal(result.partitions_dropped, 0);
	query("SELECT mamori.make_partition('messages', now() - interval '5 months')");
	assert_int_equal(mm_refresh(admin, &options, &result, &err), MM_OK);
	assert_int_equal(result.partitions_made, 0);
	assert_int_equal(result.partitions_dropped, 1);
	mm_db_free(admin);
}

/* A folder is written and changed step by step; want is the status and part of the cause. */
static void migrate__folder_that_changes__is_noticed(void **state)
{
	(void)state;
	static const struct {
		const char *name, *file, *text;
		enum mm_status want;
		const char *cause;
		int current;
	} steps[] = {
	    {"first", "sql/001-a.sql", "CREATE TABLE mamori.a (n integer);", MM_OK, "", 1},
	    {"ignored names", "sql/README", "not SQL", MM_OK, "", 1},
	    {"second", "sql/002-b.sql", "INSERT INTO mamori.a VALUES (1);", MM_OK, "", 2},
	    {"fails", "sql/003-c.sql", "INSERT INTO mamori.a VALUES (2); SELECT 1/0;", MM_BAD_INPUT,
	     "003-c.sql: database: 22012", 0},
	    {"repaired", "sql/003-c.sql", "INSERT INTO mamori.a VALUES (3)", MM_OK, "", 3},
	    {"changed", "sql/002-b.sql", "INSERT INTO mamori.a VALUES (9);", MM_CONFLICT,
	     "002-b.sql was changed", 0},
	    {"as it was", "sql/002-b.sql", "INSERT INTO mamori.a VALUES (1);", MM_OK, "", 3},
	    {"same number", "sql/003-d.sql", "SELECT 1", MM_CONFLICT, "share a number", 0},
	};
	const char *folder = sql_folder();
	char sql_dir[128];
	struct mm_migration_result result;

	snprintf(sql_dir, sizeof sql_dir, "%s", folder);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		test_folder_write(steps[i].file, steps[i].text);
		enum mm_status got = migrate(sql_dir, &result);
		if (got != steps[i].want || !strstr(err.cause, steps[i].cause))
			fail_msg("%s: got %d %s", steps[i].name, got, err.cause);
		if (got == MM_OK && result.current != steps[i].current)
			fail_msg("%s: at %d", steps[i].name, result.current);
	}
	assert_string_equal(query("SELECT string_agg(n::text, ' ' ORDER BY n) FROM mamori.a"),
			    "1 3");
	unlink(test_folder_path("sql/003-d.sql"));
	unlink(test_folder_path("sql/001-a.sql"));
	assert_int_equal(migrate(sql_dir, &result), MM_CONFLICT);
	assert_non_null(strstr(err.cause, "its file is gone"));
	assert_int_equal(migrate("/nonexistent", &result), MM_UPSTREAM);
}

struct runner {
	pthread_t thread;
	const char *sql_dir;
	enum mm_status status;
	struct mm_migration_result result;
};

static void *run_migration(void *argument)
{
	struct runner *runner = argument;
	struct mm_db *own = test_db_open("");

	runner->status = mm_migrate(own, runner->sql_dir, 30000, NULL, NULL, &runner->result, NULL);
	mm_db_free(own);
	return NULL;
}

static void migrate__four_at_once__each_file_once(void **state)
{
	(void)state;
	struct runner runners[4];
	char sql_dir[128];
	int applied = 0;

	snprintf(sql_dir, sizeof sql_dir, "%s", sql_folder());
	test_folder_write("sql/001-a.sql",
			  "CREATE TABLE mamori.a (n integer); SELECT pg_sleep(0.1)");
	test_folder_write("sql/002-b.sql", "INSERT INTO mamori.a VALUES (1)");
	for (int i = 0; i < 4; i++) {
		runners[i] = (struct runner){.sql_dir = sql_dir};
		pthread_create(&runners[i].thread, NULL, run_migration, &runners[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(runners[i].thread, NULL);
		assert_int_equal(runners[i].status, MM_OK);
		assert_int_equal(runners[i].result.current, 2);
		applied += runners[i].result.applied;
	}
	assert_int_equal(applied, 2);
	assert_string_equal(query("SELECT count(*) FROM mamori.a"), "1");
}

static int set_up(void **state)
{
	(void)state;
	db = test_db_open("");
	query("DROP SCHEMA IF EXISTS mamori CASCADE");
	return 0;
}

static int tear_down(void **state)
{
	char command[256];

	(void)state;
	mm_db_free(db);
	snprintf(command, sizeof command, "rm -rf '%s/sql'", test_folder);
	return system(command);
}

static int make_all(void **state)
{
	(void)state;
	test_cluster_make();
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	test_cluster_remove();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(migrate__real_files_twice__applied_once),
	    TEST(refresh__as_admin__makes_partitions_and_metrics),
	    TEST(migrate__folder_that_changes__is_noticed),
	    TEST(migrate__four_at_once__each_file_once),
	};
	mm_log_open("test_migrate", MM_LOG_ERROR, 2);
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
