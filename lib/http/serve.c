/*
 * serve: a process's life: settings, start, signals, stop. What happens to a connection is in
 * serve_crew.c (threads) and serve_connection.c (FastCGI).
 *
 * In order: signals are blocked (every thread inherits that), so that they are only ever taken by
 * sigwait() in the main thread and no handler can interrupt anything; then libfcgi, settings, the
 * app, the threads. The stop goes the same way back.
 */
#include "config.h"

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/settings.h"
#include "http/serve.h"
#include "http/serve_connection.h"
#include "http/serve_crew.h"

enum {
	LISTEN_FD = 0,
	EXIT_STOPPED = 0,
	EXIT_FAILED = 1,
	EXIT_MISUSED = 2,
	PROGRAM_TEXT = 32,
	HEAPS = 2, /* of malloc: glibc's own choice, 8 a core, costs memory and brings no speed */
};

struct server {
	const struct mm_app *app;
	struct mm_arena *arena; /* of the settings */
	struct mm_settings settings;
	void *context; /* the app's */
	struct mm_fcgi *fcgi;
	struct mm_crew *crew;
	pthread_t reload_thread;
	sem_t reload_wish;
	atomic_bool is_stopping;
};

static void log_failure(const char *what, const struct mm_error *err)
{
	mm_log(MM_LOG_ERROR, NULL, "%s: %s%s%s", what, err->message, err->cause[0] ? ": " : "",
	       err->cause);
}

static void list_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR2);
}

static const char *settings_path(void)
{
	static const char usual[] = MM_SYSCONF_DIR "/mamori.conf";
	const char *path = getenv("MAMORI_CONF");

	if (path && path[0])
		return path;
	return access(usual, F_OK) == 0 ? usual : NULL;
}

static bool load_settings(struct server *server)
{
	struct mm_error err = {.status = MM_OK};

	server->arena = mm_arena_new(0);
	if (!server->arena)
		return false;
	if (mm_settings_load(settings_path(), &server->settings, server->arena, &err) != MM_OK) {
		log_failure("settings", &err);
		return false;
	}
	return true;
}

/* Signals that come while reload runs add up to one more run. */
static void *run_reloads(void *argument)
{
	struct server *server = argument;

	for (;;) {
		while (sem_wait(&server->reload_wish) != 0)
			continue;
		while (sem_trywait(&server->reload_wish) == 0)
			continue;
		if (atomic_load(&server->is_stopping))
			return NULL;
		server->app->reload(server->context);
	}
}

static bool start_reloads(struct server *server)
{
	if (!server->app->reload)
		return true;
	if (sem_init(&server->reload_wish, 0, 0) != 0)
		return false;
	return pthread_create(&server->reload_thread, NULL, run_reloads, server) == 0;
}

static void stop_reloads(struct server *server)
{
	atomic_store(&server->is_stopping, true);
	if (!server->app->reload)
		return;
	sem_post(&server->reload_wish);
	pthread_join(server->reload_thread, NULL);
	sem_destroy(&server->reload_wish);
}

static bool start_app(struct server *server)
{
	struct mm_error err = {.status = MM_OK};

	if (!server->app->start ||
	    server->app->start(&server->settings, &server->context, &err) == MM_OK)
		return true;
	log_failure("start", &err);
	return false;
}

static void stop_app(struct server *server)
{
	if (server->app->stop)
		server->app->stop(server->context);
}

static bool start_crew(struct server *server)
{
	struct mm_fcgi_options fcgi_options = {
	    .app = server->app,
	    .context = server->context,
	    .max_body_bytes = (size_t)server->settings.server.max_body_bytes,
	    .clock = &mm_clock_system,
	};
	struct mm_crew_options options = {
	    .listen_fd = LISTEN_FD,
	    .threads = (unsigned)server->settings.server.threads,
	    .clock = &mm_clock_system,
	    .serve = mm_fcgi_serve,
	    .finish = mm_fcgi_finish,
	};
	struct mm_error err = {.status = MM_OK};

	if (mm_fcgi_open(&fcgi_options, &server->fcgi, &err) == MM_OK) {
		options.context = server->fcgi;
		if (mm_crew_start(&options, &server->crew, &err) == MM_OK)
			return true;
		mm_fcgi_close(server->fcgi);
	}
	log_failure("start", &err);
	return false;
}

/* Returns when the process is to stop. */
static void wait_for_stop(struct server *server)
{
	sigset_t set;
	int signal_number;

	list_signals(&set);
	for (;;) {
		if (sigwait(&set, &signal_number) != 0)
			continue;
		if (signal_number != SIGHUP && signal_number != SIGUSR2)
			break;
		if (server->app->reload)
			sem_post(&server->reload_wish);
	}
	mm_log(MM_LOG_NOTICE, NULL, "stopping on signal %d", signal_number);
}

static int run_until_stopped(struct server *server)
{
	int64_t deadline;

	mm_log(MM_LOG_NOTICE, NULL, "ready: version %s, %lld threads", PACKAGE_VERSION,
	       (long long)server->settings.server.threads);
	wait_for_stop(server);
	deadline =
	    mm_clock_mono_ms(&mm_clock_system) + server->settings.server.drain_seconds * 1000;
	mm_fcgi_stop_streams(server->fcgi, deadline);
	if (!mm_crew_stop(server->crew, deadline)) {
		/* Threads still use everything: no stop, no destructors. Nothing that was
		 * acknowledged is lost by that. */
		mm_log(MM_LOG_WARNING, NULL, "requests were still under way after %lld s",
		       (long long)server->settings.server.drain_seconds);
		_exit(EXIT_FAILED);
	}
	mm_fcgi_close(server->fcgi);
	return EXIT_STOPPED;
}

/* Threads that reload, threads that serve, until the stop. */
static int run_threads(struct server *server)
{
	int code = EXIT_FAILED;

	if (!start_reloads(server)) {
		mm_log(MM_LOG_ERROR, NULL, "start: no thread for reloading");
		return code;
	}
	if (start_crew(server))
		code = run_until_stopped(server);
	stop_reloads(server);
	return code;
}

static int run_app(struct server *server)
{
	int code = EXIT_FAILED;

	if (start_app(server)) {
		code = run_threads(server);
		stop_app(server);
	}
	return code;
}

/* Two mistakes that a restart does not mend: a wrong file, a missing socket. */
static bool is_usable(struct server *server)
{
	struct mm_error err = {.status = MM_OK};

	if (!load_settings(server))
		return false;
	if (mm_crew_check(LISTEN_FD, &err) == MM_OK)
		return true;
	log_failure("start", &err);
	return false;
}

static void open_log(const struct mm_app *app, enum mm_log_level level)
{
	char program[PROGRAM_TEXT];

	snprintf(program, sizeof(program), "mamori-%s", app->name);
	mm_log_open(program, level, STDERR_FILENO);
}

int mm_serve(const struct mm_app *app)
{
	struct server server = {.app = app};
	sigset_t set;
	int code = EXIT_MISUSED;

	open_log(app, MM_LOG_NOTICE);
	mallopt(M_ARENA_MAX, HEAPS);
	list_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (is_usable(&server)) {
		open_log(app, server.settings.log.level);
		code = run_app(&server);
	}
	mm_arena_free(server.arena);
	if (code == EXIT_STOPPED)
		mm_log(MM_LOG_NOTICE, NULL, "stopped");
	return code;
}
