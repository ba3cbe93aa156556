/* health_store: one query that says whether the database serves and fits this program. */
#include "config.h"

#include "store/health_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char health_sql[] =
    "SELECT pg_catalog.current_setting('server_version'), coalesce(max(number), 0),"
    " pg_catalog.pg_is_in_recovery()"
    " OR pg_catalog.current_setting('default_transaction_read_only')::boolean"
    " FROM mamori.migrations";

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static enum mm_status ask(struct mm_db *db, int64_t deadline_mono_ms,
			  struct mm_database_health *out, struct mm_arena *arena,
			  struct mm_error *err)
{
	PGresult *rows;
	double started = now_ms();
	enum mm_status status =
	    mm_db_exec(db, health_sql, 0, NULL, NULL, deadline_mono_ms, &rows, arena, err);

	if (status != MM_OK)
		return status;
	out->round_trip_ms = now_ms() - started;
	snprintf(out->server_version, sizeof(out->server_version), "%s", PQgetvalue(rows, 0, 0));
	out->migration_applied = atoi(PQgetvalue(rows, 0, 1));
	out->migration_newest = MM_MIGRATION_NEWEST;
	out->is_read_only = PQgetvalue(rows, 0, 2)[0] == 't';
	return MM_OK;
}

enum mm_status mm_health_load(struct mm_pool *pool, int64_t deadline_mono_ms,
			      struct mm_database_health *out, struct mm_error *err)
{
	struct mm_db *db;
	struct mm_arena *arena = mm_arena_new(0);

	if (!arena)
		return mm_error_cause(err, MM_NO_MEMORY, "database health");
	enum mm_status status = mm_pool_take(pool, deadline_mono_ms, &db, err);
	if (status == MM_OK) {
		status = ask(db, deadline_mono_ms, out, arena, err);
		mm_pool_give(pool, db);
	}
	mm_arena_free(arena);
	return status;
}
