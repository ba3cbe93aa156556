/* refresh: runs the upkeep functions of sql/. When to run is a timer's business. */
#include "config.h"

#include "store/refresh.h"

#include <stdio.h>
#include <stdlib.h>

static const char ensure_sql[] = "SELECT mamori.ensure_partitions($1::integer)";
static const char drop_sql[] =
    "SELECT mamori.drop_partitions(pg_catalog.date_trunc('month', pg_catalog.now(), 'UTC')"
    " - pg_catalog.make_interval(months => $1::integer))";
static const char purge_sql[] = "SELECT mamori.purge_turns($1::integer)";
static const char gaps_sql[] = "SELECT mamori.trim_gaps($1::integer)";
static const char metrics_sql[] = "SELECT mamori.refresh_metrics()";

/* Runs one function with one number (or none, when sql takes none) and reads the number it gives. */
static enum mm_status call(struct mm_db *db, const char *sql, const int *argument,
			   int64_t timeout_ms, int *number_out, struct mm_error *err)
{
	char text[16];
	const char *const values[] = {text};
	struct mm_arena *arena = mm_arena_new(0);
	PGresult *rows;

	if (!arena)
		return mm_error_cause(err, MM_NO_MEMORY, "refresh");
	snprintf(text, sizeof(text), "%d", argument ? *argument : 0);
	enum mm_status status = mm_db_exec(db, sql, argument ? 1 : 0, values, NULL,
					   mm_db_now(db) + timeout_ms, &rows, arena, err);
	if (status == MM_OK && number_out)
		*number_out = atoi(PQgetvalue(rows, 0, 0));
	mm_arena_free(arena);
	return status;
}

enum mm_status mm_refresh(struct mm_db *db, const struct mm_refresh_options *options,
			  struct mm_refresh_result *out, struct mm_error *err)
{
	struct mm_refresh_result result = {0};
	const int hours_kept = MM_REFRESH_ANSWER_HOURS;
	enum mm_status status = call(db, ensure_sql, &options->months_ahead, options->timeout_ms,
				     &result.partitions_made, err);

	if (status == MM_OK)
		status = call(db, metrics_sql, NULL, options->timeout_ms, NULL, err);
	if (status == MM_OK)
		status = call(db, purge_sql, &hours_kept, options->timeout_ms,
			      &result.answers_purged, err);
	if (status == MM_OK)
		status = call(db, gaps_sql, &options->months_kept, options->timeout_ms, NULL, err);
	if (status == MM_OK && options->months_kept > 0)
		status = call(db, drop_sql, &options->months_kept, options->timeout_ms,
			      &result.partitions_dropped, err);
	if (status == MM_OK)
		*out = result;
	return status;
}
