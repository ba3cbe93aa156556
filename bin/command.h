/*
 * command: what the subcommands of mamori(1) share.
 *
 * Shape    a const table of struct command in mamori.c; each runs with the settings loaded
 * Errors   a command returns main's exit code: 0 done, 1 it failed, 2 wrong usage or settings; it
 *          prints one line on standard error that says what happened and what to do
 */
#ifndef MM_BIN_COMMAND_H
#define MM_BIN_COMMAND_H

#include "base/arena.h"
#include "base/settings.h"
#include "base/status.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct invocation {
	const struct mm_settings *settings;
	struct mm_arena *arena;
	int count; /* arguments after the subcommand */
	char **arguments;
};

int command_analyze(const struct invocation *invocation);
int command_migrate(const struct invocation *invocation);
int command_refresh(const struct invocation *invocation);

/* Prints "mamori: WHAT: " and the error's cause, or its message, and returns EXIT_FAILED. */
int command_fail(const char *what, const struct mm_error *err);

/*
 * Takes "--name VALUE" off the arguments: NULL when it is not there. *is_wrong is set when its
 * value is missing.
 */
const char *command_option(const struct invocation *invocation, const char *name, bool *is_wrong);

#endif
