/*
 * command: what the subcommands of mamori(1) share.
 *
 * Shape    a const table of struct command in mamori.c; each runs with the settings loaded
 * Errors   a command returns main's exit code: 0 done, 1 it failed, 2 wrong usage or settings; it
 *          prints one line on standard error that says what happened and what to do
 */
#ifndef MM_BIN_COMMAND_H
#define MM_BIN_COMMAND_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/settings.h"
#include "base/status.h"
#include "store/db.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct invocation {
	const struct mm_settings *settings;
	struct mm_arena *arena;
	int count; /* arguments after the subcommand */
	char **arguments;
};

int command_analyze(const struct invocation *invocation);
int command_eval(const struct invocation *invocation);
int command_handoff(const struct invocation *invocation);
int command_kb(const struct invocation *invocation);
int command_migrate(const struct invocation *invocation);
int command_refresh(const struct invocation *invocation);
int command_rules(const struct invocation *invocation);
int command_spool(const struct invocation *invocation);

/* Prints "mamori: WHAT: " and the error's cause, or its message, and returns EXIT_FAILED. */
int command_fail(const char *what, const struct mm_error *err);

/* Opens a handle for maintenance: its statements have no time limit but the caller's. The user is
 * `default_user` where the settings name none; NULL: libpq's own. */
enum mm_status command_open_database(const struct invocation *invocation, const char *default_user,
				     struct mm_db **out, struct mm_error *err);

/*
 * Whether the arguments are pairs of a name in `names` (NULL ends the list) and a value, each name
 * once at most; prints what is wrong.
 */
bool command_check_options(const struct invocation *invocation, const char *const names[]);

/* The value of an option, NULL when it is not there; the arguments are checked. */
const char *command_option(const struct invocation *invocation, const char *name);

#endif
