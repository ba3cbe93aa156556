/* database: mamori migrate and mamori refresh; the SQL is in lib/store and sql/. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/data_path.h"
#include "base/number.h"
#include "command.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/refresh.h"

enum {
	MIGRATION_TIMEOUT_MS = 10 * 60 * 1000, /* of one file, and of the wait for the lock */
	REFRESH_TIMEOUT_MS = 10 * 60 * 1000,   /* of one step */
	MONTHS_AHEAD = 3,
	MONTHS_AHEAD_MAX = 24,
	MONTHS_KEPT_MAX = 1200,
};

enum mm_status command_open_database(const struct invocation *invocation, const char *default_user,
				     struct mm_db **out, struct mm_error *err)
{
	const struct mm_db_options options = {.dsn = invocation->settings->database.dsn,
					      .default_user = default_user,
					      .application_name = "mamori"};
	return mm_db_new(&options, out, err);
}

static void print_migration(void *context, int number, const char *name)
{
	(void)context;
	(void)number;
	printf("applied %s\n", name);
}

int command_migrate(const struct invocation *invocation)
{
	static const char *const options[] = {"--sql", NULL};
	struct mm_migration_result result;
	struct mm_error err = {.status = MM_OK};
	struct mm_db *db = NULL;
	if (!command_check_options(invocation, options))
		return EXIT_USAGE;
	const char *sql_dir = command_option(invocation, "--sql");
	if (!sql_dir)
		sql_dir = mm_data_path(MM_SQL_DIR, invocation->arena);
	enum mm_status status = command_open_database(invocation, NULL, &db, &err);
	if (status == MM_OK)
		status = mm_migrate(db, sql_dir, MIGRATION_TIMEOUT_MS, print_migration, NULL,
				    &result, &err);
	mm_db_free(db);
	if (status != MM_OK)
		return command_fail("migrate", &err);
	printf("schema at %03d, %d applied\n", result.current, result.applied);
	return EXIT_DONE;
}

/* Reads an option that is a whole number; `fallback` when it is not given. */
static int number_option(const struct invocation *invocation, const char *name, int max,
			 int fallback, bool *is_wrong)
{
	int64_t value = fallback;
	const char *text = command_option(invocation, name);
	if (text && !mm_number_parse_i64(text, strlen(text), 0, max, &value)) {
		fprintf(stderr, "mamori: %s must be a whole number from 0 to %d\n", name, max);
		*is_wrong = true;
	}
	return (int)value;
}

int command_refresh(const struct invocation *invocation)
{
	static const char *const names[] = {"--months-ahead", "--months-kept", NULL};
	bool is_wrong = false;
	struct mm_refresh_result result;
	struct mm_error err = {.status = MM_OK};
	struct mm_db *db = NULL;
	if (!command_check_options(invocation, names))
		return EXIT_USAGE;
	const struct mm_refresh_options options = {
	    .months_ahead = number_option(invocation, "--months-ahead", MONTHS_AHEAD_MAX,
					  MONTHS_AHEAD, &is_wrong),
	    .months_kept =
		number_option(invocation, "--months-kept", MONTHS_KEPT_MAX, 0, &is_wrong),
	    .timeout_ms = REFRESH_TIMEOUT_MS,
	};
	if (is_wrong)
		return EXIT_USAGE;
	enum mm_status status = command_open_database(invocation, "mamori_admin", &db, &err);
	if (status == MM_OK)
		status = mm_refresh(db, &options, &result, &err);
	mm_db_free(db);
	if (status != MM_OK)
		return command_fail("refresh", &err);
	printf("%d partitions made, %d dropped, %d answers for retries purged, daily_metrics "
	       "refreshed\n",
	       result.partitions_made, result.partitions_dropped, result.answers_purged);
	return EXIT_DONE;
}
