/*
 * bench_constant: a constant through mm_serve(), to compare with bench_classic. It uses no database
 * and no rules. /api/commit gives it after waiting, together with all other requests under way, for
 * a writer that takes a millisecond a batch: what a durable answer costs the threads. /api/held does
 * the same with a held reply instead of a waiting thread.
 */
#include "config.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "http/serve.h"

enum { HELD_MAX = 4096 };

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t has_waiters;
	pthread_cond_t is_done;
	uint64_t open; /* the batch that requests join */
	uint64_t done; /* the last batch that is durable */
	unsigned waiters;
	struct mm_held_reply *held[HELD_MAX];
	unsigned held_count;
} writer = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .has_waiters = PTHREAD_COND_INITIALIZER,
    .is_done = PTHREAD_COND_INITIALIZER,
    .open = 1,
};

/* Mutex held. */
static void write_batch(void)
{
	const struct timespec duration = {.tv_nsec = 1000000};
	static struct mm_held_reply *held[HELD_MAX];
	unsigned held_count = writer.held_count;
	uint64_t batch = writer.open++;

	memcpy(held, writer.held, held_count * sizeof(held[0]));
	writer.held_count = 0;
	writer.waiters = 0;
	pthread_mutex_unlock(&writer.mutex);
	nanosleep(&duration, NULL);
	for (unsigned i = 0; i < held_count; i++)
		mm_reply_release(held[i], MM_OK, NULL);
	pthread_mutex_lock(&writer.mutex);
	writer.done = batch;
	pthread_cond_broadcast(&writer.is_done);
}

static void *run_writer(void *unused)
{
	pthread_mutex_lock(&writer.mutex);
	for (;;) {
		while (writer.waiters == 0)
			pthread_cond_wait(&writer.has_waiters, &writer.mutex);
		write_batch();
	}
	return unused;
}

/* Mutex held. */
static void join_batch(void)
{
	if (writer.waiters++ == 0)
		pthread_cond_signal(&writer.has_waiters);
}

static void wait_for_commit(void)
{
	pthread_mutex_lock(&writer.mutex);
	uint64_t batch = writer.open;
	join_batch();
	while (writer.done < batch)
		pthread_cond_wait(&writer.is_done, &writer.mutex);
	pthread_mutex_unlock(&writer.mutex);
}

static enum mm_status hold_for_commit(struct mm_held_reply *held)
{
	enum mm_status status = MM_OK;

	pthread_mutex_lock(&writer.mutex);
	if (writer.held_count < HELD_MAX) {
		writer.held[writer.held_count++] = held;
		join_batch();
	} else {
		status = MM_BUSY;
	}
	pthread_mutex_unlock(&writer.mutex);
	if (status != MM_OK)
		mm_reply_release(held, status, NULL);
	return MM_OK;
}

static enum mm_status answer_constant(void *context, const struct mm_request *request,
				      struct mm_response *response, struct mm_error *err)
{
	(void)context;
	(void)request;
	(void)err;
	mm_buffer_add_text(&response->body, "{\"status\":\"ok\"}");
	return MM_OK;
}

static enum mm_status answer_after_commit(void *context, const struct mm_request *request,
					  struct mm_response *response, struct mm_error *err)
{
	wait_for_commit();
	return answer_constant(context, request, response, err);
}

static enum mm_status answer_held(void *context, const struct mm_request *request,
				  struct mm_response *response, struct mm_error *err)
{
	answer_constant(context, request, response, err);
	return hold_for_commit(mm_reply_hold(request));
}

/* Sends back the body, to measure and to check whole bodies. */
static enum mm_status echo(void *context, const struct mm_request *request,
			   struct mm_response *response, struct mm_error *err)
{
	(void)context;
	(void)err;
	mm_buffer_add(&response->body, request->body, request->body_length);
	return MM_OK;
}

/* Waits as many milliseconds as the query says: a handler that calls someone slow. */
static enum mm_status answer_slowly(void *context, const struct mm_request *request,
				    struct mm_response *response, struct mm_error *err)
{
	struct timespec duration = {0};
	unsigned ms = 0;

	if (sscanf(request->query, "%5u", &ms) != 1)
		return mm_error_set(err, MM_BAD_INPUT, NULL, "query", "say how many milliseconds");
	duration.tv_sec = ms / 1000;
	duration.tv_nsec = ms % 1000 * 1000000L;
	nanosleep(&duration, NULL);
	return answer_constant(context, request, response, err);
}

static const struct mm_route routes[] = {
    {.method = "GET", .path = "/api/constant", .handler = answer_constant, .is_quick = true},
    {.method = "POST", .path = "/api/unread", .handler = answer_constant, .is_quick = true},
    {.method = "POST", .path = "/api/echo", .handler = echo, .takes_body = true, .is_quick = true},
    {.method = "GET", .path = "/api/commit", .handler = answer_after_commit},
    {.method = "GET", .path = "/api/held", .handler = answer_held, .is_quick = true},
    {.method = "GET", .path = "/api/slow", .handler = answer_slowly},
};

static enum mm_status start(const struct mm_settings *settings, void **context_out,
			    struct mm_error *err)
{
	pthread_t thread;

	(void)settings;
	*context_out = NULL;
	if (pthread_create(&thread, NULL, run_writer, NULL) != 0)
		return mm_error_cause(err, MM_NO_MEMORY, "no thread for the writer");
	pthread_detach(thread);
	return MM_OK;
}

static void reload(void *context)
{
	(void)context;
	mm_log(MM_LOG_NOTICE, NULL, "reloaded");
}

int main(void)
{
	static const struct mm_app app = {
	    .name = "bench",
	    .routes = routes,
	    .route_count = sizeof(routes) / sizeof(routes[0]),
	    .start = start,
	    .reload = reload,
	};

	return mm_serve(&app);
}
