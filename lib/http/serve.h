/*
 * serve: an executable of cgi-bin/ as a FastCGI server (floor 5).
 *
 * Shape    struct mm_app is a const value: name, routes, and what to open and close. mm_serve() is
 * the rest of main(). It listens on file descriptor 0, where spawn-fcgi, multiwatch or systemd
 *          (StandardInput=socket) put the socket, and answers with settings.server.threads threads.
 *          A connection that nginx keeps open but idle holds no thread.
 * Units    -
 * Own      context is the app's own: made by start, given to every handler, released by stop.
 * Errors   mm_serve() returns main's exit code; the reason is in the log.
 * Threads  handlers run in many threads at once, on stacks of 256 KiB: no large arrays there.
 *          reload runs in a thread of its own while handlers run.
 * Source   the FastCGI 1.0 specification; libfcgi 2.4.2 to 2.4.5.
 *
 * Signals  SIGTERM, SIGINT, SIGUSR1 (multiwatch): stop accepting, finish the requests under way for
 *          up to settings.server.drain_seconds, call stop, exit 0. A second one changes nothing.
 *          SIGHUP, SIGUSR2 (which multiwatch hands on): reload. SIGPIPE is ignored.
 * Promises a peer that sends garbage, half a record, less body than declared, or hangs up costs its
 *          own connection only: reading waits 5 seconds at most, writing 30.
 */
#ifndef MM_HTTP_SERVE_H
#define MM_HTTP_SERVE_H

#include <stddef.h>

#include "base/settings.h"
#include "base/status.h"
#include "http/routes.h"

struct mm_app {
	const char *name; /* in the log, "chat" */
	const struct mm_route *routes;
	size_t route_count;
	/* Opens what the handlers need. Not MM_OK: the process exits 1 and err is logged. NULL ok.
	 */
	enum mm_status (*start)(const struct mm_settings *, void **context_out, struct mm_error *);
	/* Called once after the last handler has returned. NULL ok. */
	void (*stop)(void *context);
	/* SIGHUP: read changed files again. Never twice at once. NULL ok: SIGHUP does nothing. */
	void (*reload)(void *context);
};

/*
 * Held replies. A handler whose reply is complete, but may leave only when something else is done (its
 * record is durable), need not wait for that in its thread:
 *
 *     held = mm_reply_hold(request);
 *     if (held) {
 *             ... hand `held` to whoever completes it, and return MM_OK
 *     } else {
 *             ... wait here
 *     }
 *
 * The gain: a commit of a hundred records wakes one thread and not a hundred. The price: between the
 * hold and the release the handler and the other thread share the request; so hold last, and touch
 * neither request nor response afterwards.
 */
struct mm_held_reply;

/*
 * From now on the reply leaves only after both the handler's return and mm_reply_release(). NULL
 * outside serve(): the request cannot be held. Once a request.
 */
struct mm_held_reply *mm_reply_hold(const struct mm_request *request);

/*
 * For a handler of a quick route (routes.h) that will wait after all, before it does: another thread
 * serves what comes meanwhile. Does nothing for other routes and outside serve().
 */
void mm_reply_will_wait(const struct mm_request *request);

/*
 * Lets the reply go, exactly once for each hold, from any thread, also before the handler has
 * returned. MM_OK: as the handler made it. Otherwise it becomes the error's JSON; err may be NULL and
 * is copied. Never waits long: it takes one mutex, and at most wakes one thread.
 */
void mm_reply_release(struct mm_held_reply *held, enum mm_status status,
		      const struct mm_error *err);

/*
 * Reads the settings (the file named by MAMORI_CONF, else /etc/mamori/mamori.conf where it exists,
 * else defaults and the environment), starts the app and serves until told to stop.
 * Returns 0 after a graceful stop; 1 when the app did not start or requests were still under way at
 * the end of the drain time (then stop is not called: their memory is in use); 2 when the settings
 * are wrong or file descriptor 0 is no listening socket.
 */
int mm_serve(const struct mm_app *app);

#endif
