/* db_connect: making, keeping and losing the connection. Statements are in db.c. */
#include "config.h"

#include "store/db_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One attempt through all hosts of the connection string, each bounded by tcp_user_timeout. */
enum { ATTEMPT_MS = 15000 };

static enum mm_status copy_texts(struct mm_db *db, const struct mm_db_options *options)
{
	db->dsn = strdup(options->dsn);
	db->application_name = strdup(options->application_name ? options->application_name : "");
	db->default_user = strdup(options->default_user ? options->default_user : "");
	return db->dsn && db->application_name && db->default_user ? MM_OK : MM_NO_MEMORY;
}

/* Whether libpq can read the connection string. Its own message may hold a password. */
static bool is_readable(const char *dsn)
{
	PQconninfoOption *options = PQconninfoParse(dsn, NULL);

	PQconninfoFree(options);
	return options != NULL;
}

enum mm_status mm_db_new(const struct mm_db_options *options, struct mm_db **db_out,
			 struct mm_error *err)
{
	if (!is_readable(options->dsn))
		return mm_error_cause(err, MM_BAD_INPUT,
				      "database.dsn is no connection string that libpq can read");
	struct mm_db *db = calloc(1, sizeof(*db));
	if (!db || copy_texts(db, options) != MM_OK) {
		mm_db_free(db);
		return mm_error_cause(err, MM_NO_MEMORY, "database handle");
	}
	snprintf(db->statement_timeout, sizeof(db->statement_timeout), "%lld",
		 (long long)options->statement_timeout_ms);
	snprintf(db->lock_timeout, sizeof(db->lock_timeout), "%lld",
		 (long long)options->lock_timeout_ms);
	db->clock = options->clock ? options->clock : &mm_clock_system;
	mm_backoff_init(&db->backoff, options->retry_min_ms, options->retry_max_ms);
	*db_out = db;
	return MM_OK;
}

void mm_db_free(struct mm_db *db)
{
	if (!db)
		return;
	mm_db_drop(db);
	free(db->dsn);
	free(db->application_name);
	free(db->default_user);
	free(db);
}

void mm_db_drop(struct mm_db *db)
{
	PQfinish(db->connection);
	db->connection = NULL;
	db->is_connecting = false;
}

bool mm_db_wait(struct mm_db *db, short events, int64_t deadline_mono_ms)
{
	struct pollfd descriptor = {.fd = PQsocket(db->connection), .events = events};

	for (;;) {
		int64_t left = deadline_mono_ms - mm_db_now(db);
		if (left < 0)
			left = 0;
		int ready = poll(&descriptor, 1, left > 60000 ? 60000 : (int)left);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
		if (mm_db_now(db) >= deadline_mono_ms)
			return false;
	}
}

/*
 * The wait for a synchronous standby can be cancelled by an administrator: the COMMIT then
 * succeeds with a warning, although the standby does not have it.
 */
static void on_notice(void *argument, const PGresult *notice)
{
	struct mm_db *db = argument;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (db->is_committing && severity && strcmp(severity, "WARNING") == 0)
		db->is_commit_doubtful = true;
}

/* The connection string comes after the defaults and overrides them. */
static PGconn *start_connection(const struct mm_db *db)
{
	const char *const keywords[] = {
	    "keepalives_idle",  "keepalives_interval",       "keepalives_count",
	    "tcp_user_timeout", "fallback_application_name", "user",
	    "dbname",           "client_encoding",           NULL};
	const char *const values[] = {
	    "5", "2", "2", "3000", db->application_name, db->default_user, db->dsn, "UTF8", NULL};

	return PQconnectStartParams(keywords, values, 1);
}

static enum mm_status fail_attempt(struct mm_db *db, struct mm_error *err)
{
	enum mm_status status = mm_db_describe(db, NULL, err);

	mm_backoff_fail(&db->backoff, mm_db_now(db));
	mm_db_drop(db);
	return status;
}

static enum mm_status begin_attempt(struct mm_db *db, struct mm_error *err)
{
	db->connection = start_connection(db);
	if (!db->connection || PQstatus(db->connection) == CONNECTION_BAD)
		return fail_attempt(db, err);
	db->is_connecting = true;
	db->is_polled_write = true;
	db->attempt_ends_mono_ms = mm_db_now(db) + ATTEMPT_MS;
	PQsetNoticeReceiver(db->connection, on_notice, db);
	return MM_OK;
}

static enum mm_status finish_attempt(struct mm_db *db, struct mm_error *err)
{
	if (PQsetnonblocking(db->connection, 1) != 0)
		return fail_attempt(db, err);
	db->is_connecting = false;
	mm_backoff_succeed(&db->backoff);
	return MM_OK;
}

/* At the deadline the attempt stays as it is: the next call goes on with it. */
static enum mm_status carry_on(struct mm_db *db, int64_t deadline_mono_ms, struct mm_error *err)
{
	for (;;) {
		if (mm_db_now(db) >= db->attempt_ends_mono_ms)
			return fail_attempt(db, err);
		if (!mm_db_wait(db, db->is_polled_write ? POLLOUT : POLLIN, deadline_mono_ms))
			return mm_error_cause(err, MM_UPSTREAM, "database: still connecting");
		PostgresPollingStatusType next = PQconnectPoll(db->connection);
		if (next == PGRES_POLLING_OK)
			return finish_attempt(db, err);
		if (next == PGRES_POLLING_FAILED)
			return fail_attempt(db, err);
		db->is_polled_write = next == PGRES_POLLING_WRITING;
	}
}

/*
 * A server that was stopped said goodbye on the idle connection: finding that before a statement
 * is sent keeps its outcome known. What a living server says unasked (a changed setting) is read.
 */
static bool is_still_good(struct mm_db *db)
{
	for (int reads = 0; reads < 3; reads++) {
		struct pollfd descriptor = {.fd = PQsocket(db->connection), .events = POLLIN};
		if (poll(&descriptor, 1, 0) <= 0)
			return true;
		if (!PQconsumeInput(db->connection) || PQstatus(db->connection) != CONNECTION_OK)
			return false;
		PQisBusy(db->connection); /* has it take in what was read */
	}
	return false;
}

enum mm_status mm_db_connect(struct mm_db *db, int64_t deadline_mono_ms, struct mm_error *err)
{
	if (mm_db_is_connected(db) && is_still_good(db))
		return MM_OK;
	if (!db->is_connecting) {
		mm_db_drop(db);
		if (mm_db_is_backing_off(db))
			return mm_error_cause(err, MM_UPSTREAM,
					      "database: down, next try is later");
		enum mm_status status = begin_attempt(db, err);
		if (status != MM_OK)
			return status;
	}
	return carry_on(db, deadline_mono_ms, err);
}

bool mm_db_is_connected(const struct mm_db *db)
{
	return db->connection && !db->is_connecting && PQstatus(db->connection) == CONNECTION_OK;
}

bool mm_db_is_backing_off(const struct mm_db *db)
{
	return mm_backoff_is_waiting(&db->backoff, mm_db_now(db));
}

int mm_db_server_version(const struct mm_db *db)
{
	return mm_db_is_connected(db) ? PQserverVersion(db->connection) : 0;
}

int64_t mm_db_now(const struct mm_db *db)
{
	return mm_clock_mono_ms(db->clock);
}
