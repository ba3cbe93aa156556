/*
 * health_store: is the database there, how fast, and is its schema this program's (floor 3).
 *
 * Shape    a plain value from one query.
 * Own      server_version is inside the value.
 * Errors   as mm_pool_take and mm_db_exec; a database without the schema is MM_UPSTREAM.
 * Threads  any.
 */
#ifndef MM_STORE_HEALTH_STORE_H
#define MM_STORE_HEALTH_STORE_H

#include "store/pool.h"

/* Number of the newest file in sql/ that this program was written against. */
enum { MM_MIGRATION_NEWEST = 8 };

struct mm_database_health {
	double round_trip_ms; /* one query, connection not included */
	char server_version[32];
	int migration_applied; /* highest number in mamori.migrations, 0 for none */
	int migration_newest;  /* MM_MIGRATION_NEWEST */
	bool is_read_only;     /* a standby, or default_transaction_read_only */
};

enum mm_status mm_health_load(struct mm_pool *pool, int64_t deadline_mono_ms,
			      struct mm_database_health *out, struct mm_error *err);

#endif
