/* mamori: the administrator's command; finds the subcommand, loads the settings, runs it. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

enum { ARENA_MAX_BYTES = 256 * 1024 * 1024 };

static const struct command {
	const char *name;
	int (*run)(const struct invocation *invocation);
	const char *arguments;
	const char *summary;
} commands[] = {
    {"migrate", command_migrate, "[--sql DIR]", "bring the database's schema up to date"},
    {"refresh", command_refresh, "[--months-ahead N] [--months-kept N]",
     "make partitions ahead, drop old ones, refresh daily_metrics"},
    {"kb", command_kb, "import FILE | list | remove ID | search QUESTION | gaps",
     "keep the articles that answers come from, list the questions that have none"},
    {"spool", command_spool, "list | retry ID ... | retry --all",
     "list the records that the database rejected, or have them tried again"},
    {"handoff", command_handoff, "list | show | accept | reply | return | resolve ...",
     "what people do with conversations that the bot has handed over"},
    {"analyze", command_analyze, "[--explain] < MESSAGES > RESULTS",
     "judge one message a line, print one JSON document a line"},
    {"rules", command_rules, "check [DIR] | compile",
     "read the rule files and say what is wrong, or compile them for the next start"},
    {"eval", command_eval, "[--split test|train|all] [--worst N] [--json] FILE.tsv ...",
     "judge labelled messages, print how often the verdicts are right"},
};

static void print_usage(FILE *out)
{
	fprintf(out, "usage: mamori [--config FILE] COMMAND [ARGUMENT ...]\n\n");
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		fprintf(out, "  %s %s\n        %s\n", commands[i].name, commands[i].arguments,
			commands[i].summary);
	fprintf(out, "  version\n        print the version\n");
	fprintf(out,
		"\nThe settings are read from FILE, else from $MAMORI_CONF, else from\n"
		"%s/mamori.conf where it exists. See mamori(1).\n",
		MM_SYSCONF_DIR);
}

int command_fail(const char *what, const struct mm_error *err)
{
	fprintf(stderr, "mamori: %s: %s\n", what, err->cause[0] ? err->cause : err->message);
	return EXIT_FAILED;
}

static bool is_among(const char *const names[], const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

bool command_check_options(const struct invocation *invocation, const char *const names[])
{
	const char *reason = NULL;
	int i = 0;
	for (; i < invocation->count && !reason; i += 2) {
		const char *name = invocation->arguments[i];
		if (!is_among(names, name))
			reason = "is no option of this command";
		else if (i + 1 == invocation->count)
			reason = "needs a value";
		else if (command_option(invocation, name) != invocation->arguments[i + 1])
			reason = "is given twice";
	}
	if (reason)
		fprintf(stderr, "mamori: \"%s\" %s\n", invocation->arguments[i - 2], reason);
	return !reason;
}

const char *command_option(const struct invocation *invocation, const char *name)
{
	for (int i = 0; i + 1 < invocation->count; i += 2)
		if (strcmp(invocation->arguments[i], name) == 0)
			return invocation->arguments[i + 1];
	return NULL;
}

/* The settings' file: what was asked for, else the one in the usual place if there is one. */
static const char *choose_settings(const char *given)
{
	static const char usual[] = MM_SYSCONF_DIR "/mamori.conf";
	const char *named = given ? given : getenv("MAMORI_CONF");
	if (named && *named)
		return named;
	return access(usual, F_OK) == 0 ? usual : NULL;
}

static int run(const struct command *command, const char *settings_path, int count,
	       char **arguments)
{
	struct mm_settings settings;
	struct mm_error err = {.status = MM_OK};
	struct mm_arena *arena = mm_arena_new(ARENA_MAX_BYTES);
	if (!arena) {
		fprintf(stderr, "mamori: out of memory\n");
		return EXIT_FAILED;
	}
	int code = EXIT_USAGE;
	if (mm_settings_load(choose_settings(settings_path), &settings, arena, &err) == MM_OK) {
		const struct invocation invocation = {
		    .settings = &settings, .arena = arena, .count = count, .arguments = arguments};
		mm_log_open("mamori", settings.log.level, STDERR_FILENO);
		code = command->run(&invocation);
		if (code == EXIT_DONE && (fflush(stdout) != 0 || ferror(stdout))) {
			fprintf(stderr, "mamori: standard output could not be written\n");
			code = EXIT_FAILED;
		}
	} else {
		command_fail("settings", &err);
	}
	mm_arena_free(arena);
	return code;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int print_version(void)
{
	printf("mamori %s\n", PACKAGE_VERSION);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static bool is_any(const char *text, const char *a, const char *b, const char *c)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

int main(int argc, char **argv)
{
	const char *settings_path = NULL;
	int at = 1;
	if (argc > 1 && strcmp(argv[1], "--config") == 0) {
		settings_path = argc > 2 ? argv[2] : NULL;
		at = 3;
	}
	if (at >= argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (is_any(argv[at], "version", "--version", "-V"))
		return print_version();
	if (is_any(argv[at], "help", "--help", "-h")) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	const struct command *command = find_command(argv[at]);
	if (!command) {
		fprintf(stderr, "mamori: there is no command \"%s\"\n", argv[at]);
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return run(command, settings_path, argc - at - 1, argv + at + 1);
}
