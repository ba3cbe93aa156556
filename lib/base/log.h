/*
 * log: one line an event, for systemd's journal or a terminal (floor 0).
 *
 * Shape    one log a process. A line:
 *          <6>2026-11-23T03:04:05.678Z mamori-chat[812] info req=4bf92f35 message
 *          `req=-` where no request is meant; `<6>` is the priority that systemd reads
 * Units    a line is at most MM_LOG_LINE bytes and ends in a newline; a longer one is cut between
 *          characters and ends in an ellipsis
 * Own      `program` is copied; the file descriptor stays the caller's
 * Errors   none: a line that cannot be written within MM_LOG_WAIT_MS is dropped, and the next line
 *          that can be says how many were. errno is kept
 * Threads  mm_log may be called from every thread, not from a signal handler; mm_log_open before
 *          the threads start
 * Source   sd-daemon(3) for the prefix
 *
 * A line is one write(2), so that lines of several processes never mix. Control characters (C0,
 * DEL, C1), bytes that are not UTF-8 and the backslash are escaped, so that one event stays one
 * line whatever a stranger sent. A program ignores SIGPIPE before it logs to a pipe or a socket.
 */
#ifndef MM_BASE_LOG_H
#define MM_BASE_LOG_H

#include <stdbool.h>

enum {
	MM_LOG_LINE = 4096, /* PIPE_BUF: up to here a write to a pipe is not split */
	MM_LOG_WAIT_MS = 50,
};

enum mm_log_level {
	MM_LOG_ERROR,   /* something acknowledged, or about to be, is at risk: act */
	MM_LOG_WARNING, /* degraded but serving: look at it */
	MM_LOG_NOTICE,  /* start, stop, a change of mode */
	MM_LOG_INFO,    /* one line a request */
	MM_LOG_DEBUG,
	MM_LOG__MAX
};

/*
 * Sends lines of `level` and more severe ones to the descriptor `fd`, in the name of `program`
 * (cut at 31 bytes). Without this call: "mamori", notice, standard error.
 */
void mm_log_open(const char *program, enum mm_log_level level, int fd);

/* "error", "warning", "notice", "info" or "debug", exactly; else returns false. */
bool mm_log_level_parse(const char *name, enum mm_log_level *level_out);

/* The names of the levels, in the order of the enum, and a NULL. */
extern const char *const mm_log_level_names[MM_LOG__MAX + 1];

/* Whether a line of this level would be written: to spare the work of preparing one. */
bool mm_log_is_enabled(enum mm_log_level level);

/* Writes one line. `request_id` may be NULL. Never pass a secret or a customer's text. */
void mm_log(enum mm_log_level level, const char *request_id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
