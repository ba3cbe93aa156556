/* pool: reads share a few connections and learn together that the database is down. */
#include "config.h"

#include "store/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "store/backoff.h"
#include "store/condition.h"

struct mm_pool {
	pthread_mutex_t mutex; /* guards all below but size, all and clock */
	pthread_cond_t is_given_back;
	struct mm_backoff backoff;
	bool is_trying;      /* after a failure: one caller tries for all */
	struct mm_db **idle; /* a stack: the warmest is taken first */
	size_t idle_count;

	struct mm_db **all;
	size_t size;
	const struct mm_clock *clock;
};

static enum mm_status make_connections(struct mm_pool *pool, const struct mm_db_options *options,
				       size_t size, struct mm_error *err)
{
	struct mm_db_options own = *options;

	own.retry_min_ms = 0; /* the pool backs off for all of them */
	pool->all = calloc(size, sizeof(*pool->all));
	pool->idle = calloc(size, sizeof(*pool->idle));
	if (!pool->all || !pool->idle || mm_condition_init(&pool->is_given_back) != MM_OK)
		return mm_error_cause(err, MM_NO_MEMORY, "database pool");
	for (; pool->size < size; pool->size++) {
		enum mm_status status = mm_db_new(&own, &pool->all[pool->size], err);
		if (status != MM_OK)
			return status;
		pool->idle[pool->idle_count++] = pool->all[pool->size];
	}
	return MM_OK;
}

enum mm_status mm_pool_new(const struct mm_db_options *options, size_t size,
			   struct mm_pool **pool_out, struct mm_error *err)
{
	struct mm_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return mm_error_cause(err, MM_NO_MEMORY, "database pool");
	pthread_mutex_init(&pool->mutex, NULL);
	mm_backoff_init(&pool->backoff, options->retry_min_ms, options->retry_max_ms);
	pool->clock = options->clock ? options->clock : &mm_clock_system;
	enum mm_status status = make_connections(pool, options, size, err);
	if (status != MM_OK) {
		mm_pool_free(pool);
		return status;
	}
	*pool_out = pool;
	return MM_OK;
}

void mm_pool_free(struct mm_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->size; i++)
		mm_db_free(pool->all[i]);
	free(pool->all);
	free(pool->idle);
	pthread_mutex_destroy(&pool->mutex);
	free(pool);
}

/* With the mutex held. While the database is down only one caller gets through, now and then. */
static bool is_refused(struct mm_pool *pool)
{
	if (pool->backoff.pause_ms == 0)
		return false;
	if (pool->is_trying || mm_backoff_is_waiting(&pool->backoff, mm_pool_now(pool)))
		return true;
	pool->is_trying = true;
	return false;
}

static enum mm_status take_idle(struct mm_pool *pool, int64_t deadline_mono_ms,
				struct mm_db **db_out, struct mm_error *err)
{
	enum mm_status status = MM_OK;

	pthread_mutex_lock(&pool->mutex);
	while (pool->idle_count == 0 && mm_pool_now(pool) < deadline_mono_ms)
		mm_condition_wait(&pool->is_given_back, &pool->mutex,
				  deadline_mono_ms - mm_pool_now(pool));
	if (pool->idle_count == 0)
		status = mm_error_cause(err, MM_BUSY, "database: no free connection in time");
	else if (is_refused(pool))
		status = mm_error_cause(err, MM_UPSTREAM, "database: down, next try is later");
	else
		*db_out = pool->idle[--pool->idle_count];
	pthread_mutex_unlock(&pool->mutex);
	return status;
}

enum mm_status mm_pool_take(struct mm_pool *pool, int64_t deadline_mono_ms, struct mm_db **db_out,
			    struct mm_error *err)
{
	struct mm_db *db = NULL;
	enum mm_status status = take_idle(pool, deadline_mono_ms, &db, err);

	if (status != MM_OK)
		return status;
	status = mm_db_connect(db, deadline_mono_ms, err);
	if (status != MM_OK) {
		mm_pool_give(pool, db);
		return status;
	}
	*db_out = db;
	return MM_OK;
}

void mm_pool_give(struct mm_pool *pool, struct mm_db *db)
{
	pthread_mutex_lock(&pool->mutex);
	if (mm_db_is_connected(db))
		mm_backoff_succeed(&pool->backoff);
	else if (!mm_backoff_is_waiting(&pool->backoff, mm_pool_now(pool)))
		mm_backoff_fail(&pool->backoff, mm_pool_now(pool));
	pool->is_trying = false;
	pool->idle[pool->idle_count++] = db;
	pthread_cond_signal(&pool->is_given_back);
	pthread_mutex_unlock(&pool->mutex);
}

enum mm_status mm_pool_exec(struct mm_pool *pool, const char *sql, int count,
			    const char *const values[], int64_t deadline_mono_ms,
			    PGresult **result_out, struct mm_arena *arena, struct mm_error *err)
{
	struct mm_db *db;
	enum mm_status status = mm_pool_take(pool, deadline_mono_ms, &db, err);

	if (status != MM_OK)
		return status;
	status = mm_db_exec(db, sql, count, values, NULL, deadline_mono_ms, result_out, arena, err);
	mm_pool_give(pool, db);
	return status;
}

int64_t mm_pool_now(const struct mm_pool *pool)
{
	return mm_clock_mono_ms(pool->clock);
}
