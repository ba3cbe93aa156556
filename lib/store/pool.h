/*
 * pool: a few connections for reads (floor 3).
 *
 * Shape    struct mm_pool is opaque. Connections are made on demand, at most size of them.
 * Units    deadlines are int64 ms of the monotonic clock.
 * Own      a connection taken is borrowed and must be given back.
 * Errors   MM_BUSY when none was free by the deadline; MM_UPSTREAM at once while the database is
 *          known to be down: after a failure one caller per back-off period tries it, all others
 *          fail fast, so that nobody waits for a dead database more than once.
 * Threads  any.
 */
#ifndef MM_STORE_POOL_H
#define MM_STORE_POOL_H

#include "store/db.h"

struct mm_pool;

/* options as for mm_db_new; retry_min_ms and retry_max_ms are the pool's back-off. size >= 1. */
enum mm_status mm_pool_new(const struct mm_db_options *options, size_t size,
			   struct mm_pool **pool_out, struct mm_error *err);

/* All connections must have been given back. NULL is fine. */
void mm_pool_free(struct mm_pool *pool);

/* Takes a connected connection, connecting if need be, by the deadline. */
enum mm_status mm_pool_take(struct mm_pool *pool, int64_t deadline_mono_ms, struct mm_db **db_out,
			    struct mm_error *err);

/* Gives it back; a connection that broke meanwhile starts the back-off. */
void mm_pool_give(struct mm_pool *pool, struct mm_db *db);

/* take, mm_db_exec, give. */
enum mm_status mm_pool_exec(struct mm_pool *pool, const char *sql, int count,
			    const char *const values[], int64_t deadline_mono_ms,
			    PGresult **result_out, struct mm_arena *arena, struct mm_error *err);

/* The clock that deadlines are counted by. */
int64_t mm_pool_now(const struct mm_pool *pool);

#endif
