/*
 * db: one PostgreSQL connection whose every call ends in time (floor 3).
 *
 * Shape    struct mm_db is opaque: a libpq connection in non-blocking mode, made on first use,
 *          remade after a failure, with a back-off that fails fast in between.
 * Units    deadlines are int64 ms of the monotonic clock; timeouts are ms.
 * Own      a PGresult is returned: the arena clears it on reset. SQL and values are borrowed.
 * Errors   MM_BAD_INPUT  the data was refused (SQLSTATE classes 21, 22, 23, 54 and P0001)
 *          MM_UPSTREAM   certainly not applied: no connection, read-only, full, locked, out of
 *                        statement time, permission, missing function; the caller may try later
 *          MM_TIMEOUT    unknown: the connection broke or the deadline passed after the statement
 *                        had been sent; the connection is dropped
 *          err->cause holds SQLSTATE and the server's message, never the values.
 * Threads  one thread at a time.
 * PgBouncer  works in transaction mode: parameters are sent with the statement, settings last for
 *          the transaction only, nothing is prepared by name, nothing listens.
 * Source   PostgreSQL manual, libpq: "Asynchronous Command Processing", "Pipeline Mode";
 *          appendix A, error codes.
 */
#ifndef MM_STORE_DB_H
#define MM_STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"

struct mm_db_options {
	const char *dsn;          /* libpq connection string or URI */
	const char *default_user; /* where the dsn names none; NULL: libpq's own default */
	const char *application_name;
	int64_t statement_timeout_ms; /* 0: the server's own */
	int64_t lock_timeout_ms;      /* 0: the server's own */
	int64_t retry_min_ms;         /* back-off after a failed connection; 0: none */
	int64_t retry_max_ms;
	const struct mm_clock *clock; /* NULL: the system's */
};

struct mm_db;

/*
 * Makes a handle; connects to nothing yet. Options are copied but for the clock. MM_BAD_INPUT when
 * the dsn cannot be read; the cause does not quote it.
 */
enum mm_status mm_db_new(const struct mm_db_options *options, struct mm_db **db_out,
			 struct mm_error *err);

/* Closes the connection, if any. NULL is fine. */
void mm_db_free(struct mm_db *db);

/*
 * Makes sure that there is a connection. At the deadline an attempt under way is kept and carried
 * on by the next call, so that a list of hosts is worked through. MM_UPSTREAM.
 */
enum mm_status mm_db_connect(struct mm_db *db, int64_t deadline_mono_ms, struct mm_error *err);

/*
 * Runs one statement in a transaction of its own, in one round trip: BEGIN, the timeouts for this
 * transaction, the statement with count text parameters (NULL = SQL null; lengths may be NULL,
 * for text they are not needed), COMMIT. result_out may be NULL; else it gets the rows.
 */
enum mm_status mm_db_exec(struct mm_db *db, const char *sql, int count, const char *const values[],
			  const int lengths[], int64_t deadline_mono_ms, PGresult **result_out,
			  struct mm_arena *arena, struct mm_error *err);

/*
 * Runs a script of statements with the simple protocol, in no transaction but the one that it
 * opens itself: for migrations and maintenance. Settings and locks it takes stay with the
 * connection, so not through PgBouncer in transaction mode. result_out: the last result.
 */
enum mm_status mm_db_script(struct mm_db *db, const char *sql, int64_t deadline_mono_ms,
			    PGresult **result_out, struct mm_arena *arena, struct mm_error *err);

/* True while a connection is up as far as this side knows. */
bool mm_db_is_connected(const struct mm_db *db);

/* True while the back-off makes every call fail at once. */
bool mm_db_is_backing_off(const struct mm_db *db);

/* Server version as PQserverVersion gives it (150020), 0 when not connected. */
int mm_db_server_version(const struct mm_db *db);

/* The clock that deadlines are counted by. */
int64_t mm_db_now(const struct mm_db *db);

/* Which status a SQLSTATE means for a statement that failed with it; see Errors above. */
enum mm_status mm_db_sqlstate_status(const char *sqlstate);

#endif
