/*
 * migrate: brings a database's schema to the state of a folder of SQL files (floor 3).
 *
 * Shape    files NNN-name.sql, numbered, forward-only; each is applied once, in a transaction,
 *          and recorded with its SHA-256 in mamori.migrations. An advisory lock lets only one
 *          migration run at a time; the others wait for it.
 * Errors   MM_CONFLICT  an applied file was changed or is gone, or two files share a number
 *          MM_BAD_INPUT the database refuses a file (err->cause: file, SQLSTATE, message, place)
 *          MM_UPSTREAM, MM_TIMEOUT as mm_db_exec; what was applied before stays applied
 * Threads  one.
 * Not for  a connection through PgBouncer in transaction mode (the lock is the session's).
 */
#ifndef MM_STORE_MIGRATE_H
#define MM_STORE_MIGRATE_H

#include "store/db.h"

struct mm_migration_result {
	int applied; /* files applied by this call */
	int current; /* highest number applied */
};

/* Told of each file as it is applied; may be NULL. */
typedef void (*mm_migration_notice)(void *context, int number, const char *name);

/*
 * Applies what is missing of sql_dir. The role of the connection must be allowed to create roles
 * and the schema (the first time) and be a member of mamori_owner or superuser. timeout_ms bounds
 * each file and the wait for the lock.
 */
enum mm_status mm_migrate(struct mm_db *db, const char *sql_dir, int64_t timeout_ms,
			  mm_migration_notice notice, void *context,
			  struct mm_migration_result *out, struct mm_error *err);

#endif
