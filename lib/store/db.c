/* db: statements with deadlines over one connection. Connecting is in db_connect.c. */
#include "config.h"

#include "store/db_internal.h"

#include <poll.h>
#include <string.h>

/* The statements of one pipeline, in order. */
enum step { STEP_BEGIN, STEP_SETTINGS, STEP_STATEMENT, STEP_COMMIT, STEP__MAX };

/* How long a ROLLBACK may take before the connection is given up. */
enum { ROLL_BACK_MS = 500 };

/*
 * An asynchronous commit is no commit to somebody who was told that the record is durable; the
 * other levels of synchronous_commit are the administrator's choice.
 */
static const char settings_sql[] =
    "SELECT pg_catalog.set_config('statement_timeout', $1, true),"
    " pg_catalog.set_config('lock_timeout', $2, true),"
    " CASE WHEN pg_catalog.current_setting('synchronous_commit') = 'off'"
    " THEN pg_catalog.set_config('synchronous_commit', 'on', true) END";

struct exchange {
	enum step step;       /* the statement whose results come */
	PGresult *rows;       /* of STEP_STATEMENT */
	PGresult *failure;    /* the first error */
	bool is_committed;    /* COMMIT was answered with COMMIT */
	bool is_synchronised; /* everything was answered */
};

bool mm_db_flush(struct mm_db *db, int64_t deadline_mono_ms)
{
	for (;;) {
		int left = PQflush(db->connection);
		if (left <= 0)
			return left == 0;
		if (!mm_db_wait(db, POLLIN | POLLOUT, deadline_mono_ms))
			return false;
		/* The server may block on its replies until they are read. */
		if (!PQconsumeInput(db->connection))
			return false;
	}
}

bool mm_db_next_result(struct mm_db *db, int64_t deadline_mono_ms, PGresult **result_out)
{
	while (PQisBusy(db->connection)) {
		if (!mm_db_wait(db, POLLIN, deadline_mono_ms))
			return false;
		if (!PQconsumeInput(db->connection))
			return false;
	}
	*result_out = PQgetResult(db->connection);
	return true;
}

static bool send_statements(struct mm_db *db, const char *sql, int count,
			    const char *const values[], const int lengths[])
{
	PGconn *connection = db->connection;
	const char *const settings[] = {db->statement_timeout, db->lock_timeout};

	return PQenterPipelineMode(connection) &&
	       PQsendQueryParams(connection, "BEGIN ISOLATION LEVEL READ COMMITTED", 0, NULL, NULL,
				 NULL, NULL, 0) &&
	       PQsendQueryParams(connection, settings_sql, 2, NULL, settings, NULL, NULL, 0) &&
	       PQsendQueryParams(connection, sql, count, NULL, values, lengths, NULL, 0) &&
	       PQsendQueryParams(connection, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) &&
	       PQpipelineSync(connection);
}

/* Takes over or clears one result. */
static void take_result(struct exchange *exchange, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_PIPELINE_SYNC:
		exchange->is_synchronised = true;
		break;
	case PGRES_TUPLES_OK:
		if (exchange->step == STEP_STATEMENT && !exchange->rows) {
			exchange->rows = result;
			return;
		}
		break;
	case PGRES_COMMAND_OK:
		if (exchange->step == STEP_COMMIT)
			exchange->is_committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
		break;
	case PGRES_FATAL_ERROR:
		if (!exchange->failure) {
			exchange->failure = result;
			return;
		}
		break;
	default: /* PGRES_PIPELINE_ABORTED: the statements after the failed one */
		break;
	}
	PQclear(result);
}

/* False when the connection broke or the deadline passed before everything was answered. */
static bool read_replies(struct mm_db *db, struct exchange *exchange, int64_t deadline_mono_ms)
{
	while (!exchange->is_synchronised) {
		PGresult *result;
		if (!mm_db_next_result(db, deadline_mono_ms, &result))
			return false;
		if (result)
			take_result(exchange, result);
		else if (exchange->step < STEP_COMMIT)
			exchange->step++;
		db->is_committing = exchange->step == STEP_COMMIT;
		if (PQstatus(db->connection) != CONNECTION_OK)
			return false;
	}
	return true;
}

void mm_db_roll_back(struct mm_db *db)
{
	int64_t deadline = mm_db_now(db) + ROLL_BACK_MS;
	PGresult *result = NULL;

	if (PQtransactionStatus(db->connection) == PQTRANS_IDLE)
		return;
	if (!PQsendQuery(db->connection, "ROLLBACK") || !mm_db_flush(db, deadline)) {
		mm_db_drop(db);
		return;
	}
	do {
		PQclear(result);
		if (!mm_db_next_result(db, deadline, &result)) {
			mm_db_drop(db);
			return;
		}
	} while (result);
	if (PQtransactionStatus(db->connection) != PQTRANS_IDLE)
		mm_db_drop(db);
}

static enum mm_status lose(struct mm_db *db, const struct exchange *exchange, struct mm_error *err)
{
	if (exchange->failure) {
		mm_db_describe(db, exchange->failure, err);
		if (err)
			err->status = MM_TIMEOUT;
	} else {
		mm_error_cause(err, MM_TIMEOUT, "database: no answer in time, outcome unknown");
	}
	mm_db_drop(db);
	return MM_TIMEOUT;
}

static enum mm_status judge(struct mm_db *db, const struct exchange *exchange, bool is_whole,
			    struct mm_error *err)
{
	if (db->is_commit_doubtful) {
		mm_db_drop(db);
		return mm_error_cause(err, MM_TIMEOUT,
				      "database: COMMIT with a warning (synchronous standby?)");
	}
	if (exchange->is_committed) {
		if (!is_whole)
			mm_db_drop(db);
		return MM_OK;
	}
	if (!is_whole)
		return lose(db, exchange, err);
	enum mm_status status =
	    exchange->failure
		? mm_db_describe(db, exchange->failure, err)
		: mm_error_cause(err, MM_UPSTREAM, "database: transaction was rolled back");
	if (PQexitPipelineMode(db->connection))
		mm_db_roll_back(db);
	else
		mm_db_drop(db);
	return status;
}

static enum mm_status leave_pipeline(struct mm_db *db)
{
	if (db->connection && !PQexitPipelineMode(db->connection))
		mm_db_drop(db);
	return MM_OK;
}

static void clear_result(void *result)
{
	PQclear(result);
}

enum mm_status mm_db_keep(PGresult *result, struct mm_arena *arena, PGresult **result_out,
			  struct mm_error *err)
{
	if (mm_arena_on_reset(arena, clear_result, result) != MM_OK) {
		PQclear(result);
		return mm_error_cause(err, MM_NO_MEMORY, "database result");
	}
	*result_out = result;
	return MM_OK;
}

enum mm_status mm_db_exec(struct mm_db *db, const char *sql, int count, const char *const values[],
			  const int lengths[], int64_t deadline_mono_ms, PGresult **result_out,
			  struct mm_arena *arena, struct mm_error *err)
{
	struct exchange exchange = {0};
	enum mm_status status = mm_db_connect(db, deadline_mono_ms, err);

	if (status != MM_OK)
		return status;
	db->is_committing = false;
	db->is_commit_doubtful = false;
	/* Nothing leaves before the flush unless it is large, so a failure to send is unknown. */
	bool is_whole = send_statements(db, sql, count, values, lengths) &&
			mm_db_flush(db, deadline_mono_ms) &&
			read_replies(db, &exchange, deadline_mono_ms);
	db->is_committing = false;
	status = judge(db, &exchange, is_whole, err);
	if (status == MM_OK)
		status = leave_pipeline(db);
	PQclear(exchange.failure);
	if (status == MM_OK && result_out && exchange.rows)
		return mm_db_keep(exchange.rows, arena, result_out, err);
	PQclear(exchange.rows);
	if (status == MM_OK && result_out)
		return mm_error_cause(err, MM_BUG, "database: the statement returns no rows");
	return status;
}

/* Keeps the last good result and the first failure. */
static bool read_script(struct mm_db *db, int64_t deadline_mono_ms, struct exchange *exchange)
{
	for (;;) {
		PGresult *result;
		if (!mm_db_next_result(db, deadline_mono_ms, &result))
			return false;
		if (!result)
			return PQstatus(db->connection) == CONNECTION_OK;
		if (PQresultStatus(result) != PGRES_FATAL_ERROR) {
			PQclear(exchange->rows);
			exchange->rows = result;
		} else if (!exchange->failure) {
			exchange->failure = result;
		} else {
			PQclear(result);
		}
	}
}

enum mm_status mm_db_script(struct mm_db *db, const char *sql, int64_t deadline_mono_ms,
			    PGresult **result_out, struct mm_arena *arena, struct mm_error *err)
{
	struct exchange exchange = {0};
	enum mm_status status = mm_db_connect(db, deadline_mono_ms, err);

	if (status != MM_OK)
		return status;
	if (!PQsendQuery(db->connection, sql) || !mm_db_flush(db, deadline_mono_ms) ||
	    !read_script(db, deadline_mono_ms, &exchange)) {
		status = lose(db, &exchange, err);
	} else if (exchange.failure) {
		status = mm_db_describe(db, exchange.failure, err);
		mm_db_roll_back(db);
	}
	PQclear(exchange.failure);
	if (status == MM_OK && result_out && exchange.rows)
		return mm_db_keep(exchange.rows, arena, result_out, err);
	PQclear(exchange.rows);
	return status;
}
