/*
 * bench_insert: the usual way to keep a message: one INSERT and one commit per request, each on
 * one of 16 connections, through libfcgi's classic loop with a thread per kept connection. What
 * group commit is compared with. The connection string is $MAMORI_DATABASE_DSN.
 */
#include "config.h"

#include <fcgiapp.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"

enum { THREADS = 64, CONNECTIONS = 16, BODY_MAX = 65536 };

/* Free connections: a stack under `lock`, counted by `available`. */
static struct {
	pthread_mutex_t lock;
	sem_t available;
	PGconn *free[CONNECTIONS];
	size_t count;
	struct mm_id_source *ids;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static PGconn *take(void)
{
	while (sem_wait(&pool.available) != 0)
		continue;
	pthread_mutex_lock(&pool.lock);
	PGconn *connection = pool.free[--pool.count];
	pthread_mutex_unlock(&pool.lock);
	return connection;
}

static void give(PGconn *connection)
{
	pthread_mutex_lock(&pool.lock);
	pool.free[pool.count++] = connection;
	pthread_mutex_unlock(&pool.lock);
	sem_post(&pool.available);
}

static int insert(const char *text)
{
	static const char sql[] =
	    "INSERT INTO mamori.analysis_logs (id, at, text, severity, categories, confidence,"
	    " sentiment, risk, signals, findings, engine)"
	    " VALUES ($1, now(), $2, 'none', '{}', 0.9, 'neutral', 'none', '{}', '[]', 'bench')";
	char id_text[MM_ID_TEXT];
	struct mm_id id;
	if (mm_id_next(pool.ids, &id) != MM_OK)
		return -1;
	mm_id_format(&id, id_text);
	const char *const values[] = {id_text, text};
	PGconn *connection = take();
	PGresult *result = PQexecParams(connection, sql, 2, NULL, values, NULL, NULL, 0);
	const int is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
	if (!is_done)
		fprintf(stderr, "bench_insert: %s", PQerrorMessage(connection));
	PQclear(result);
	give(connection);
	return is_done ? 0 : -1;
}

static void *run(void *unused)
{
	static const char good[] = "Status: 200 OK\r\nContent-Type: application/json\r\n"
				   "Content-Length: 15\r\n\r\n{\"status\":\"ok\"}";
	static const char bad[] = "Status: 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
	FCGX_Request request;
	char *body = malloc(BODY_MAX);

	if (!body || FCGX_InitRequest(&request, 0, 0) != 0)
		return unused;
	while (FCGX_Accept_r(&request) == 0) {
		const int length = FCGX_GetStr(body, BODY_MAX - 1, request.in);
		body[length] = '\0';
		const int is_kept = insert(body) == 0;
		FCGX_PutStr(is_kept ? good : bad, is_kept ? sizeof good - 1 : sizeof bad - 1,
			    request.out);
		FCGX_Finish_r(&request);
	}
	free(body);
	return NULL;
}

static int open_pool(void)
{
	const char *dsn = getenv("MAMORI_DATABASE_DSN");
	pool.ids = mm_id_source_new(&mm_clock_system);
	if (!dsn || !pool.ids || sem_init(&pool.available, 0, CONNECTIONS) != 0)
		return -1;
	for (pool.count = 0; pool.count < CONNECTIONS; pool.count++) {
		pool.free[pool.count] = PQconnectdb(dsn);
		if (PQstatus(pool.free[pool.count]) != CONNECTION_OK) {
			fprintf(stderr, "bench_insert: %s", PQerrorMessage(pool.free[pool.count]));
			return -1;
		}
	}
	return 0;
}

int main(void)
{
	if (open_pool() != 0 || FCGX_Init() != 0)
		return 1;
	for (int i = 1; i < THREADS; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, run, NULL) != 0)
			return 1;
	}
	run(NULL);
	return 0;
}
