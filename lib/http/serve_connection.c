/*
 * serve_connection: libfcgi's side of a request. It decides nothing about the reply's content, and
 * starts no threads.
 */
#include "config.h"

#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/serve_connection.h"
#include "http/serve_stream.h"

enum {
	REPLY_HEAD = 512,
	REPLY_MAX = 17 * 1024 * 1024,
	DRAIN_MAX = 1024 * 1024, /* an unread body longer than this closes the connection */
	DRAIN_CHUNK = 2048,
	ARENA_SPARE = 16 * 1024 * 1024,
	ARENA_PER_BODY_BYTE = 16, /* parsed JSON and its analysis */
	RECORD_TYPE_AT = 1,       /* in the head of a FastCGI record */
};

/* Who comes second, the handler's return or the release, sends the reply. */
enum hold {
	HOLD_NONE,
	HOLD_ASKED,    /* the handler still runs */
	HOLD_RETURNED, /* the handler has returned */
	HOLD_RELEASED,
};

struct turn {
	struct mm_task task; /* first: a task is cast back to its turn */
	struct turn *next_free;
	struct mm_fcgi *fcgi;
	struct mm_crew *crew;
	struct mm_seat *seat; /* of the thread that runs the handler */
	FCGX_Request record;
	struct mm_arena *arena;
	struct mm_request request;
	struct mm_response response;
	struct mm_route_match match;
	struct mm_error err;
	enum mm_status status;
	enum mm_status release_status; /* MM_OK unless held */
	struct mm_error release_err;
	atomic_int hold;
	bool is_streamed;
	bool has_lost_peer;
	struct timeval usual_write_limit; /* of a connection that is not streamed to */
	size_t streamed;                  /* bytes */
};

struct mm_fcgi {
	struct mm_fcgi_options options;
	struct mm_id_source *ids; /* for requests that come without an id */
	pthread_mutex_t mutex;    /* guards free_turns */
	struct turn *free_turns;
	_Atomic int64_t streams_end_mono_ms; /* 0: not stopping */
};

static void free_turn(struct turn *turn)
{
	mm_arena_free(turn->arena);
	free(turn);
}

static struct turn *make_turn(struct mm_fcgi *fcgi)
{
	struct turn *turn = calloc(1, sizeof(*turn));

	if (!turn)
		return NULL;
	turn->fcgi = fcgi;
	turn->arena =
	    mm_arena_new(ARENA_SPARE + ARENA_PER_BODY_BYTE * fcgi->options.max_body_bytes);
	if (!turn->arena || FCGX_InitRequest(&turn->record, -1, 0) != 0) {
		free_turn(turn);
		return NULL;
	}
	return turn;
}

static struct turn *take_turn(struct mm_fcgi *fcgi)
{
	struct turn *turn;

	pthread_mutex_lock(&fcgi->mutex);
	turn = fcgi->free_turns;
	if (turn)
		fcgi->free_turns = turn->next_free;
	pthread_mutex_unlock(&fcgi->mutex);
	return turn ? turn : make_turn(fcgi);
}

static void give_turn_back(struct turn *turn)
{
	struct mm_fcgi *fcgi = turn->fcgi;

	mm_arena_reset(turn->arena);
	pthread_mutex_lock(&fcgi->mutex);
	turn->next_free = fcgi->free_turns;
	fcgi->free_turns = turn;
	pthread_mutex_unlock(&fcgi->mutex);
}

enum mm_status mm_fcgi_open(const struct mm_fcgi_options *options, struct mm_fcgi **fcgi_out,
			    struct mm_error *err)
{
	struct mm_fcgi *fcgi = calloc(1, sizeof(*fcgi));

	if (!fcgi)
		return mm_error_cause(err, MM_NO_MEMORY, "no room for the server");
	/* libfcgi waits up to 2 s for a peer to close after us. nginx needs no such wait. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "10", 0);
	fcgi->options = *options;
	fcgi->ids = mm_id_source_new(options->clock);
	if (!fcgi->ids || FCGX_Init() != 0) {
		mm_id_source_free(fcgi->ids);
		free(fcgi);
		return mm_error_cause(err, MM_NO_MEMORY, "libfcgi did not start");
	}
	signal(SIGPIPE, SIG_IGN); /* FCGX_Init put a handler there */
	pthread_mutex_init(&fcgi->mutex, NULL);
	*fcgi_out = fcgi;
	return MM_OK;
}

void mm_fcgi_close(struct mm_fcgi *fcgi)
{
	while (fcgi->free_turns) {
		struct turn *turn = fcgi->free_turns;
		fcgi->free_turns = turn->next_free;
		free_turn(turn);
	}
	pthread_mutex_destroy(&fcgi->mutex);
	mm_id_source_free(fcgi->ids);
	free(fcgi);
	OS_LibShutdown();
}

static const char *get_parameter(void *self, const char *name)
{
	FCGX_Request *fcgi = self;

	return FCGX_GetParam(name, fcgi->envp);
}

static long read_body(void *self, char *out, size_t size)
{
	FCGX_Request *fcgi = self;
	int count = FCGX_GetStr(out, (int)size, fcgi->in);

	return FCGX_GetError(fcgi->in) ? -1 : count;
}

/* What is left unread would be taken for the start of the connection's next request. */
static bool drain(FCGX_Request *fcgi)
{
	char scratch[DRAIN_CHUNK];

	for (int total = 0; total < DRAIN_MAX;) {
		int count = FCGX_GetStr(scratch, sizeof(scratch), fcgi->in);
		if (count < (int)sizeof(scratch))
			return FCGX_GetError(fcgi->in) == 0;
		total += count;
	}
	return false;
}

/* Route, body and handler; the status says which error the reply is, if any. */
static enum mm_status answer(struct turn *turn)
{
	const struct mm_fcgi_options *options = &turn->fcgi->options;
	const struct mm_app *app = options->app;
	struct mm_request_source source = {get_parameter, read_body, &turn->record};
	struct mm_request *request = &turn->request;
	const struct mm_route *route;
	enum mm_status status;

	status = mm_request_open(&source, turn->fcgi->ids, mm_clock_mono_ms(options->clock),
				 request, turn->arena, &turn->err);
	if (status != MM_OK)
		return status;
	request->turn = turn;
	status = mm_route_find(app->routes, app->route_count, request->method, request->path,
			       &turn->match);
	turn->response.allow = turn->match.allow;
	request->path_id = turn->match.id;
	request->path_id_length = turn->match.id_length;
	if (turn->match.is_options)
		turn->response.status = 204;
	route = turn->match.route;
	if (route && route->takes_body)
		status =
		    mm_request_read_body(&source, options->max_body_bytes, request, &turn->err);
	if (!route || status != MM_OK)
		return status;
	if (!route->is_quick)
		mm_crew_step_aside(turn->seat);
	return route->handler(options->context, request, &turn->response, &turn->err);
}

static void log_request(const struct turn *turn)
{
	const struct mm_request *request = &turn->request;
	const struct mm_response *response = &turn->response;
	const struct mm_error *err = &turn->err;
	enum mm_log_level level = response->status >= 500 ? MM_LOG_NOTICE : MM_LOG_INFO;
	int64_t now;

	if (!mm_log_is_enabled(level))
		return;
	now = mm_clock_mono_ms(turn->fcgi->options.clock);
	mm_log(level, request->request_id, "%s %s %d %zu %lldms%s%s%s%s", request->method,
	       request->path, response->status,
	       turn->is_streamed ? turn->streamed : response->body.length,
	       (long long)(now - request->started_mono_ms), err->message[0] ? ": " : "",
	       err->message, err->cause[0] ? ": " : "", err->cause);
}

/* For a request that used up its arena: nothing here allocates from it. */
static bool send_out_of_memory(const struct turn *turn)
{
	FCGX_Stream *out = turn->record.out;

	return FCGX_PutS("Status: 503 Service Unavailable\r\nContent-Type: application/json\r\n"
			 "Retry-After: 1\r\nCache-Control: no-store\r\n\r\n",
			 out) >= 0 &&
	       FCGX_FPrintF(out, "{\"error\":\"%s\",\"code\":\"%s\",\"request_id\":\"%s\"}",
			    mm_status_message(MM_NO_MEMORY), mm_status_code(MM_NO_MEMORY),
			    turn->request.request_id) >= 0;
}

/* Head and body go out in one piece; libfcgi writes them when the request is finished. */
static bool send_reply(struct turn *turn)
{
	struct mm_buffer out;

	mm_buffer_init(&out, REPLY_HEAD + turn->response.body.length, REPLY_MAX, turn->arena);
	if (mm_response_write(&turn->response, turn->request.request_id, !turn->match.is_head,
			      &out) != MM_OK)
		return send_out_of_memory(turn);
	return FCGX_PutStr(out.data, (int)out.length, turn->record.out) == (int)out.length;
}

/* The reply, or its error, becomes the response. */
static void settle(struct turn *turn)
{
	if (turn->status == MM_OK && turn->release_status != MM_OK) {
		turn->status = turn->release_status;
		turn->err = turn->release_err;
	}
	if (turn->status == MM_OK && turn->response.body.has_failed)
		turn->status = mm_error_cause(&turn->err, MM_NO_MEMORY, "no room for the reply");
	if (turn->status != MM_OK)
		mm_response_set_error(&turn->response, turn->status, &turn->err,
				      turn->request.request_id);
}

/* False: the connection is of no more use. */
static bool end_stream(struct turn *turn)
{
	return !turn->has_lost_peer &&
	       setsockopt(turn->record.ipcFd, SOL_SOCKET, SO_SNDTIMEO, &turn->usual_write_limit,
			  sizeof(turn->usual_write_limit)) == 0;
}

/* Returns the connection, or -1 when it was closed. The turn is gone afterwards. */
static int finish(struct turn *turn, bool is_last)
{
	FCGX_Request *record = &turn->record;
	bool is_ok;
	int fd;

	if (!turn->is_streamed)
		settle(turn);
	log_request(turn);
	is_ok = turn->is_streamed ? end_stream(turn) : send_reply(turn);
	if (!is_ok || !drain(record) || is_last)
		record->keepConnection = 0;
	FCGX_Finish_r(record);
	fd = record->ipcFd; /* -1 where libfcgi closed it */
	record->ipcFd = -1;
	give_turn_back(turn);
	return fd;
}

/* Reads the parameters. False: the connection is closed. */
static bool read_parameters(FCGX_Request *record, int fd)
{
	/* With these three set before the call, FCGX_Accept_r takes the connection for one that it
	 * kept: it reads the next request from it, and where it would accept another it fails. */
	record->ipcFd = fd;
	record->listen_sock = -1;
	record->keepConnection = 1;
	if (FCGX_Accept_r(record) == 0) {
		if (FCGX_GetError(record->in) == 0)
			return true;
		/* Parameters that break off at the start of a record count as complete for it. */
		FCGX_Free(record, 1);
	} else if (record->ipcFd >= 0) {
		close(record->ipcFd);
	}
	record->ipcFd = -1;
	return false;
}

/* False: the connection is closed. */
static bool begin(struct turn *turn, int fd)
{
	if (!read_parameters(&turn->record, fd))
		return false;
	turn->err = (struct mm_error){.status = MM_OK};
	turn->match = (struct mm_route_match){.route = NULL};
	turn->is_streamed = turn->has_lost_peer = false;
	turn->streamed = 0;
	turn->release_status = MM_OK;
	turn->release_err = (struct mm_error){.status = MM_OK};
	atomic_store(&turn->hold, HOLD_NONE);
	mm_response_init(&turn->response, turn->arena);
	return true;
}

enum mm_turn mm_fcgi_serve(void *own, int fd, bool is_last, struct mm_seat *seat)
{
	struct turn *turn = take_turn(own);
	int asked = HOLD_ASKED;

	if (!turn) {
		mm_log(MM_LOG_ERROR, NULL, "out of memory: a connection is closed");
		close(fd);
		return MM_TURN_CLOSED;
	}
	turn->crew = mm_crew_of(seat);
	if (!begin(turn, fd)) {
		give_turn_back(turn);
		return MM_TURN_CLOSED;
	}
	turn->seat = seat;
	turn->status = answer(turn);
	if (atomic_compare_exchange_strong(&turn->hold, &asked, HOLD_RETURNED))
		return MM_TURN_HELD;
	return finish(turn, is_last) >= 0 ? MM_TURN_KEPT : MM_TURN_CLOSED;
}

int mm_fcgi_finish(void *own, struct mm_task *task, bool is_last)
{
	(void)own;
	return finish((struct turn *)task, is_last);
}

struct mm_held_reply *mm_reply_hold(const struct mm_request *request)
{
	struct turn *turn = request->turn;

	if (turn)
		atomic_store(&turn->hold, HOLD_ASKED);
	return (struct mm_held_reply *)turn;
}

void mm_reply_will_wait(const struct mm_request *request)
{
	const struct turn *turn = request->turn;

	if (turn)
		mm_crew_step_aside(turn->seat);
}

void mm_reply_release(struct mm_held_reply *held, enum mm_status status, const struct mm_error *err)
{
	struct turn *turn = (struct turn *)held;

	turn->release_status = status;
	if (err)
		turn->release_err = *err;
	if (atomic_exchange(&turn->hold, HOLD_RELEASED) == HOLD_RETURNED)
		mm_crew_resume(turn->crew, &turn->task);
}

/* ---- streams */

void mm_fcgi_stop_streams(struct mm_fcgi *fcgi, int64_t deadline_mono_ms)
{
	atomic_store(&fcgi->streams_end_mono_ms, deadline_mono_ms - MM_STREAM_STOP_MS);
}

/* The body has to be read to its end, so that what comes afterwards is about the request itself. */
bool mm_stream_begin(const struct mm_request *request)
{
	static const struct timeval limit = {.tv_sec = MM_STREAM_WRITE_SECONDS};
	struct turn *turn = request->turn;
	socklen_t size = sizeof(turn->usual_write_limit);

	if (!turn || !drain(&turn->record) ||
	    getsockopt(turn->record.ipcFd, SOL_SOCKET, SO_SNDTIMEO, &turn->usual_write_limit,
		       &size) != 0 ||
	    setsockopt(turn->record.ipcFd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0)
		return false;
	turn->is_streamed = true;
	return true;
}

/* libfcgi tells of a failure once, and counts the bytes as written all the same. */
bool mm_stream_write(const struct mm_request *request, const char *bytes, size_t length)
{
	struct turn *turn = request->turn;
	FCGX_Stream *out = turn->record.out;

	if (turn->has_lost_peer)
		return false;
	turn->has_lost_peer = FCGX_PutStr(bytes, (int)length, out) < 0 || FCGX_FFlush(out) < 0 ||
			      FCGX_GetError(out) != 0;
	turn->streamed += length;
	return !turn->has_lost_peer;
}

/* Behind a whole request nothing comes on its connection but the end, or a record that calls it off. */
static bool has_left(int fd)
{
	struct pollfd wish = {.fd = fd, .events = POLLIN | POLLRDHUP};
	unsigned char head[RECORD_TYPE_AT + 1];
	ssize_t count;

	if (poll(&wish, 1, 0) <= 0)
		return false;
	if (wish.revents & (POLLERR | POLLHUP | POLLRDHUP | POLLNVAL))
		return true;
	count = recv(fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	return count == 0 ||
	       (count == (ssize_t)sizeof(head) && head[RECORD_TYPE_AT] == FCGI_ABORT_REQUEST);
}

enum mm_stream_peer mm_stream_look(const struct mm_request *request)
{
	struct turn *turn = request->turn;
	int64_t end = atomic_load(&turn->fcgi->streams_end_mono_ms);

	turn->has_lost_peer = turn->has_lost_peer || has_left(turn->record.ipcFd);
	if (turn->has_lost_peer)
		return MM_STREAM_GONE;
	if (end != 0 && mm_clock_mono_ms(turn->fcgi->options.clock) >= end)
		return MM_STREAM_STOPPING;
	return MM_STREAM_THERE;
}
