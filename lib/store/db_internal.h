/* db_internal: what the files db*.c share; nobody else includes it. */
#ifndef MM_STORE_DB_INTERNAL_H
#define MM_STORE_DB_INTERNAL_H

#include "store/backoff.h"
#include "store/db.h"

struct mm_db {
	char *dsn;
	char *default_user; /* or "" */
	char *application_name;
	char statement_timeout[24];
	char lock_timeout[24];
	const struct mm_clock *clock;
	struct mm_backoff backoff;

	PGconn *connection;   /* NULL: none */
	bool is_connecting;   /* an attempt is under way */
	bool is_polled_write; /* the attempt waits for the socket to take bytes */
	int64_t attempt_ends_mono_ms;

	bool is_committing;      /* COMMIT is the statement whose reply is read */
	bool is_commit_doubtful; /* a warning came with it */
};

/* Waits until the socket allows events (POLLIN, POLLOUT); false at the deadline. */
bool mm_db_wait(struct mm_db *db, short events, int64_t deadline_mono_ms);

/* Closes the connection. */
void mm_db_drop(struct mm_db *db);

/* Describes a failed result or, with NULL, a failed connection; returns the status it means. */
enum mm_status mm_db_describe(struct mm_db *db, const PGresult *result, struct mm_error *err);

/* Sends everything; false when the connection broke or at the deadline. */
bool mm_db_flush(struct mm_db *db, int64_t deadline_mono_ms);

/*
 * Waits for the next result and takes it (NULL: the end of a statement's results). False when the
 * connection broke or at the deadline.
 */
bool mm_db_next_result(struct mm_db *db, int64_t deadline_mono_ms, PGresult **result_out);

/* Ends a transaction that a failed statement left open; drops the connection if it cannot. */
void mm_db_roll_back(struct mm_db *db);

/* Hands the result to the arena, which clears it on reset. Cleared at once when that fails. */
enum mm_status mm_db_keep(PGresult *result, struct mm_arena *arena, PGresult **result_out,
			  struct mm_error *err);

#endif
