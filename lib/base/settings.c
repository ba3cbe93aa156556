/*
 * settings: the one table of settings, and where their values come from. What a setting does is in
 * the file that reads the field.
 */
#include "config.h"

#include "base/settings.h"

#include <assert.h>
#include <ctype.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { FILE_MAX = 256 * 1024 };

static const char VARIABLE_PREFIX[] = "MAMORI_";

static_assert(sizeof(enum mm_log_level) == sizeof(int), "stored through an int");

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a member name takes none. */
#define AT(section, key) #section, #key, offsetof(struct mm_settings, section.key)
#define GIBIBYTE         ((int64_t)1 << 30)
#define PATH_BYTES       4095

static const struct mm_setting table[] = {
    /* section and key, type, default, min, max, choices, summary */
    {AT(server, threads), MM_SETTING_I64, "64", 1, 1024, NULL,
     "Requests that one worker process serves at the same time."},
    {AT(server, max_body_bytes), MM_SETTING_I64, "131072", 1024, 16777216, NULL,
     "Longest request body in bytes; nginx has a limit of its own, which should be the same."},
    {AT(server, max_message), MM_SETTING_I64, "10000", 1, 10000, NULL,
     "Longest message in characters (code points)."},
    {AT(server, max_batch), MM_SETTING_I64, "100", 1, 100, NULL,
     "Most messages in one analyze request."},
    {AT(server, drain_seconds), MM_SETTING_I64, "10", 0, 120, NULL,
     "How long a stopping worker waits for the requests it is serving."},

    {AT(database, dsn), MM_SETTING_TEXT,
     "host=/run/postgresql dbname=mamori target_session_attrs=read-write connect_timeout=2", 1,
     4096, NULL, "How to reach PostgreSQL: a libpq connection string."},
    {AT(database, statement_timeout_ms), MM_SETTING_I64, "2000", 100, 60000, NULL,
     "A statement that runs longer than this is cancelled."},
    {AT(database, lock_timeout_ms), MM_SETTING_I64, "1000", 50, 60000, NULL,
     "A statement that waits longer than this for a lock is cancelled."},
    {AT(database, retry_min_ms), MM_SETTING_I64, "100", 10, 60000, NULL,
     "First pause before connecting again after a failure; it doubles each time."},
    {AT(database, retry_max_ms), MM_SETTING_I64, "5000", 10, 600000, NULL,
     "Longest pause before connecting again; at least retry_min_ms."},
    {AT(database, read_connections), MM_SETTING_I64, "4", 1, 64, NULL,
     "Most connections that one worker process opens for reading."},

    {AT(journal, spool_dir), MM_SETTING_PATH, "/var/lib/mamori/spool", 1, PATH_BYTES, NULL,
     "Where records are kept while PostgreSQL is away; a local, durable disk."},
    {AT(journal, batch_max), MM_SETTING_I64, "256", 1, 4096, NULL,
     "Most records written in one transaction."},
    {AT(journal, queue_max), MM_SETTING_I64, "4096", 1, 65536, NULL,
     "Most records that wait to be written; at least batch_max. Beyond it the answer is 503."},
    {AT(journal, spool_max_bytes), MM_SETTING_I64, "1073741824", 65536, 1024 * GIBIBYTE, NULL,
     "Most bytes that one worker process keeps in the spool. Beyond it the answer is 503."},
    {AT(journal, append_timeout_ms), MM_SETTING_I64, "5000", 100, 60000, NULL,
     "A request whose record is not durable by then is answered with 503."},
    {AT(journal, set_aside_max), MM_SETTING_I64, "10000", 0, 1000000, NULL,
     "Most records kept aside because the database rejected them."},

    {AT(conversation, token_secret_file), MM_SETTING_PATH, "/etc/mamori/token.secret", 1,
     PATH_BYTES, NULL, "The key that conversation tokens are made with; not readable by others."},
    {AT(conversation, history_max), MM_SETTING_I64, "20", 0, 100, NULL,
     "Earlier messages that are read to understand and answer the next one."},
    {AT(conversation, anger_handoff), MM_SETTING_I64, "3", 1, 20, NULL,
     "Angry messages in a row after which a person takes over."},
    {AT(conversation, fallback_handoff), MM_SETTING_I64, "2", 1, 20, NULL,
     "Questions in a row that the bot could not place after which a person takes over."},
    {AT(conversation, turns_max), MM_SETTING_I64, "50", 0, 100000, NULL,
     "Replies of the bot in one conversation after which a person takes over; 0: no limit."},
    {AT(conversation, history_tokens_max), MM_SETTING_I64, "4000", 0, 1000000, NULL,
     "Most tokens of earlier messages that a model reads, by estimate; the newest, whole ones."},

    {AT(detect, rules_dir), MM_SETTING_PATH, MM_RULES_DIR, 1, PATH_BYTES, NULL,
     "The rules that come with Mamori."},
    {AT(detect, site_rules_dir), MM_SETTING_PATH, "/etc/mamori/rules.d", 0, PATH_BYTES, NULL,
     "Rules of your own, which are added to them."},
    {AT(detect, model_dir), MM_SETTING_PATH, MM_MODEL_DIR, 0, PATH_BYTES, NULL,
     "The learned models; with none, the rules judge alone."},
    {AT(detect, cache_dir), MM_SETTING_PATH, "/var/cache/mamori", 0, PATH_BYTES, NULL,
     "Where compiled rules are kept, so that a worker starts quickly."},

    {AT(ai, chain), MM_SETTING_TEXT, "builtin", 1, 256, NULL,
     "Who answers, in this order: anthropic, gemini, openai, builtin, with spaces between."},
    {AT(ai, replies_file), MM_SETTING_PATH, MM_REPLIES_FILE, 1, PATH_BYTES, NULL,
     "The texts of the built-in responder."},
    {AT(ai, deadline_ms), MM_SETTING_I64, "25000", 1000, 50000, NULL,
     "Longest time from a customer's message to the answer, whoever is asked."},
    {AT(ai, breaker_failures), MM_SETTING_I64, "5", 1, 1000, NULL,
     "Failures in a row after which a provider is left alone for a while."},
    {AT(ai, breaker_pause_ms), MM_SETTING_I64, "10000", 10, 3600000, NULL,
     "How long at first; it doubles with each further failure, up to 16 times."},
    {AT(ai, prompt_file), MM_SETTING_PATH, MM_PROMPT_FILE, 1, PATH_BYTES, NULL,
     "What a model is told of its task."},
    {AT(ai, second_opinion), MM_SETTING_BOOL, "yes", 0, 0, NULL,
     "Whether chat asks a model about a message on which rules and the learned model disagree."},

    {AT(anthropic, base_url), MM_SETTING_TEXT, "https://api.anthropic.com", 1, 512, NULL,
     "Where the server is; https, or http on this machine."},
    {AT(anthropic, model), MM_SETTING_TEXT, "claude-opus-4-6", 1, 128, NULL,
     "The model that answers, as the server names it."},
    {AT(anthropic, key_file), MM_SETTING_PATH, "/etc/mamori/anthropic.key", 0, PATH_BYTES, NULL,
     "The key in a file that others cannot read; nothing where the server wants none."},
    {AT(anthropic, ca_file), MM_SETTING_PATH, "", 0, PATH_BYTES, NULL,
     "Certificates of your own authority, in place of the system's."},
    {AT(anthropic, stream), MM_SETTING_BOOL, "yes", 0, 0, NULL,
     "Whether answers are read as they are made, so that silence is noticed early."},
    {AT(anthropic, tools), MM_SETTING_BOOL, "yes", 0, 0, NULL,
     "Whether the model is offered a tool by which it hands over to a person."},
    {AT(anthropic, connect_timeout_ms), MM_SETTING_I64, "3000", 50, 60000, NULL,
     "Longest wait for the connection."},
    {AT(anthropic, first_token_timeout_ms), MM_SETTING_I64, "10000", 50, 600000, NULL,
     "Longest wait for the first part of an answer that is streamed."},
    {AT(anthropic, idle_timeout_ms), MM_SETTING_I64, "10000", 50, 600000, NULL,
     "Longest silence within an answer that is streamed."},
    {AT(anthropic, total_timeout_ms), MM_SETTING_I64, "20000", 50, 600000, NULL,
     "Longest time for an answer."},
    {AT(anthropic, max_input_tokens), MM_SETTING_I64, "16000", 256, 2000000, NULL,
     "Most tokens that are sent; the oldest messages are left out first."},
    {AT(anthropic, max_output_tokens), MM_SETTING_I64, "1024", 16, 65536, NULL,
     "Most tokens that an answer may have."},
    {AT(anthropic, max_concurrent), MM_SETTING_I64, "512", 1, 65536, NULL,
     "Most questions that one worker process asks at the same time."},
    {AT(anthropic, daily_tokens), MM_SETTING_I64, "0", 0, 1000000000000, NULL,
     "Most tokens a day (UTC) that the processes of an endpoint use; 0: no limit."},

    {AT(gemini, base_url), MM_SETTING_TEXT, "https://generativelanguage.googleapis.com", 1, 512,
     NULL, "Where the server is; https, or http on this machine."},
    {AT(gemini, model), MM_SETTING_TEXT, "gemini-3.5-flash", 1, 128, NULL,
     "The model that answers, as the server names it."},
    {AT(gemini, key_file), MM_SETTING_PATH, "/etc/mamori/gemini.key", 0, PATH_BYTES, NULL,
     "The key in a file that others cannot read; nothing where the server wants none."},
    {AT(gemini, ca_file), MM_SETTING_PATH, "", 0, PATH_BYTES, NULL,
     "Certificates of your own authority, in place of the system's."},
    {AT(gemini, stream), MM_SETTING_BOOL, "yes", 0, 0, NULL,
     "Whether answers are read as they are made, so that silence is noticed early."},
    {AT(gemini, tools), MM_SETTING_BOOL, "yes", 0, 0, NULL,
     "Whether the model is offered a tool by which it hands over to a person."},
    {AT(gemini, connect_timeout_ms), MM_SETTING_I64, "3000", 50, 60000, NULL,
     "Longest wait for the connection."},
    {AT(gemini, first_token_timeout_ms), MM_SETTING_I64, "10000", 50, 600000, NULL,
     "Longest wait for the first part of an answer that is streamed."},
    {AT(gemini, idle_timeout_ms), MM_SETTING_I64, "10000", 50, 600000, NULL,
     "Longest silence within an answer that is streamed."},
    {AT(gemini, total_timeout_ms), MM_SETTING_I64, "20000", 50, 600000, NULL,
     "Longest time for an answer."},
    {AT(gemini, max_input_tokens), MM_SETTING_I64, "16000", 256, 2000000, NULL,
     "Most tokens that are sent; the oldest messages are left out first."},
    {AT(gemini, max_output_tokens), MM_SETTING_I64, "1024", 16, 65536, NULL,
     "Most tokens that an answer may have."},
    {AT(gemini, max_concurrent), MM_SETTING_I64, "512", 1, 65536, NULL,
     "Most questions that one worker process asks at the same time."},
    {AT(gemini, daily_tokens), MM_SETTING_I64, "0", 0, 1000000000000, NULL,
     "Most tokens a day (UTC) that the processes of an endpoint use; 0: no limit."},

    {AT(openai, base_url), MM_SETTING_TEXT, "https://api.openai.com/v1", 1, 512, NULL,
     "Where the server is; https, or http on this machine."},
    {AT(openai, model), MM_SETTING_TEXT, "gpt-5-mini", 1, 128, NULL,
     "The model that answers, as the server names it."},
    {AT(openai, key_file), MM_SETTING_PATH, "/etc/mamori/openai.key", 0, PATH_BYTES, NULL,
     "The key in a file that others cannot read; nothing where the server wants none."},
    {AT(openai, ca_file), MM_SETTING_PATH, "", 0, PATH_BYTES, NULL,
     "Certificates of your own authority, in place of the system's."},
    {AT(openai, stream), MM_SETTING_BOOL, "yes", 0, 0, NULL,
     "Whether answers are read as they are made, so that silence is noticed early."},
    {AT(openai, tools), MM_SETTING_BOOL, "yes", 0, 0, NULL,
     "Whether the model is offered a tool by which it hands over to a person."},
    {AT(openai, connect_timeout_ms), MM_SETTING_I64, "3000", 50, 60000, NULL,
     "Longest wait for the connection."},
    {AT(openai, first_token_timeout_ms), MM_SETTING_I64, "10000", 50, 600000, NULL,
     "Longest wait for the first part of an answer that is streamed."},
    {AT(openai, idle_timeout_ms), MM_SETTING_I64, "10000", 50, 600000, NULL,
     "Longest silence within an answer that is streamed."},
    {AT(openai, total_timeout_ms), MM_SETTING_I64, "20000", 50, 600000, NULL,
     "Longest time for an answer."},
    {AT(openai, max_input_tokens), MM_SETTING_I64, "16000", 256, 2000000, NULL,
     "Most tokens that are sent; the oldest messages are left out first."},
    {AT(openai, max_output_tokens), MM_SETTING_I64, "1024", 16, 65536, NULL,
     "Most tokens that an answer may have."},
    {AT(openai, max_concurrent), MM_SETTING_I64, "512", 1, 65536, NULL,
     "Most questions that one worker process asks at the same time."},
    {AT(openai, daily_tokens), MM_SETTING_I64, "0", 0, 1000000000000, NULL,
     "Most tokens a day (UTC) that the processes of an endpoint use; 0: no limit."},

    {AT(knowledge, enabled), MM_SETTING_BOOL, "yes", 0, 0, NULL,
     "Whether answers come from the articles of `mamori kb`."},
    {AT(knowledge, threshold), MM_SETTING_DOUBLE, "0.16", 0, 1, NULL,
     "How much of a question an article must have in it to be its answer."},
    {AT(knowledge, check_seconds), MM_SETTING_I64, "30", 1, 3600, NULL,
     "How often a worker looks whether the articles have changed."},

    {AT(log, level), MM_SETTING_ENUM, "notice", 0, 0, mm_log_level_names,
     "The least severe lines that are written."},
};

enum { SETTING_COUNT = sizeof(table) / sizeof(table[0]) };

/* Pairs in which the first may not be greater than the second; both are MM_SETTING_I64. */
static const struct {
	const char *lesser_name, *greater_name;
	size_t lesser, greater;
} orders[] = {
    {"database.retry_min_ms", "database.retry_max_ms",
     offsetof(struct mm_settings, database.retry_min_ms),
     offsetof(struct mm_settings, database.retry_max_ms)},
    {"journal.batch_max", "journal.queue_max", offsetof(struct mm_settings, journal.batch_max),
     offsetof(struct mm_settings, journal.queue_max)},
};

/* A file being read, line by line. */
struct reading {
	const char *path;
	const char *next, *end; /* the lines that inih has not seen */
	size_t line;            /* number of the one it saw last */
	size_t failed_line;
	size_t set_in_line[SETTING_COUNT]; /* 0: not set */
	enum mm_status status;
	struct mm_settings *settings;
	struct mm_arena *arena;
	struct mm_error *err;
};

const struct mm_setting *mm_settings_describe(size_t *count_out)
{
	*count_out = SETTING_COUNT;
	return table;
}

static void *field_of(struct mm_settings *settings, const struct mm_setting *setting)
{
	return (char *)settings + setting->offset;
}

/* Ends the reading: the first mistake is the one that is told. Returns 0, for inih. */
static int fail_line(struct reading *reading, enum mm_status status, const char *field,
		     const char *reason)
{
	reading->status = status;
	reading->failed_line = reading->line;
	mm_error_set(reading->err, status, NULL, field, "%s:%zu: %s", reading->path, reading->line,
		     reason);
	return 0;
}

static bool is_section(const char *name)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (strcmp(table[i].section, name) == 0)
			return true;
	}
	return false;
}

static int fail_unknown(struct reading *reading, const char *section, const char *key)
{
	char reason[160];

	if (!section[0])
		snprintf(reason, sizeof(reason), "\"%s\" stands before the first [section]", key);
	else if (!is_section(section))
		snprintf(reason, sizeof(reason), "there is no section [%s]", section);
	else
		snprintf(reason, sizeof(reason), "there is no setting \"%s\" in [%s]", key,
			 section);
	return fail_line(reading, MM_BAD_INPUT, NULL, reason);
}

/* inih's handler: called for each key = value; returns 0 for a mistake. */
static int take_pair(void *user, const char *section, const char *key, const char *value)
{
	struct reading *reading = user;
	struct mm_error reason;
	size_t i = 0;

	if (reading->status != MM_OK)
		return 0;
	while (i < SETTING_COUNT &&
	       (strcmp(table[i].section, section) != 0 || strcmp(table[i].key, key) != 0))
		i++;
	if (i == SETTING_COUNT)
		return fail_unknown(reading, section, key);
	if (reading->set_in_line[i]) {
		snprintf(reason.message, sizeof(reason.message), "%s.%s is already set in line %zu",
			 section, key, reading->set_in_line[i]);
		return fail_line(reading, MM_BAD_INPUT, NULL, reason.message);
	}
	reading->set_in_line[i] = reading->line;
	enum mm_status status = mm_setting_parse(
	    &table[i], value, field_of(reading->settings, &table[i]), reading->arena, &reason);
	if (status != MM_OK)
		return fail_line(reading, status, reason.field, reason.message);
	return 1;
}

/*
 * inih's reader, as fgets: gives it the next line, or NULL at the end or after a mistake. inih cuts
 * a line that is too long and takes an indented line for the continuation of the value above; here
 * the first is a mistake, and indentation means nothing.
 */
static char *take_line(char *out, int size, void *stream)
{
	struct reading *reading = stream;

	if (reading->status != MM_OK || reading->next == reading->end)
		return NULL;
	reading->line++;
	const char *start = reading->next;
	const char *newline = memchr(start, '\n', (size_t)(reading->end - start));
	reading->next = newline ? newline + 1 : reading->end;
	while (start < reading->next && (*start == ' ' || *start == '\t'))
		start++;
	size_t length = (size_t)(reading->next - start);
	if (length >= (size_t)size) {
		char reason[64];
		snprintf(reason, sizeof(reason), "the line is longer than %d bytes", size - 2);
		fail_line(reading, MM_BAD_INPUT, NULL, reason);
		return NULL;
	}
	memcpy(out, start, length);
	out[length] = '\0';
	return out;
}

static enum mm_status load_file(const char *path, struct mm_settings *settings,
				struct mm_arena *arena, struct mm_error *err)
{
	struct reading reading = {
	    .path = path, .settings = settings, .arena = arena, .err = err, .status = MM_OK};
	struct mm_error reason;
	char *text;
	size_t length;
	enum mm_status status = mm_file_read(path, FILE_MAX, &text, &length, arena, &reason);

	if (status == MM_NO_MEMORY)
		return mm_error_cause(err, status, "%s", reason.cause);
	if (status != MM_OK)
		return mm_error_set(err, status == MM_NOT_FOUND ? status : MM_BAD_INPUT, NULL, NULL,
				    "%s", reason.cause);
	if (memchr(text, '\0', length))
		return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "%s: not a text file", path);
	reading.next = text;
	reading.end = text + length;
	int result = ini_parse_stream(take_line, &reading, take_pair, &reading);
	if (result < 0)
		return mm_error_cause(err, MM_NO_MEMORY, "%s: no memory", path);
	/* inih returns the first line in error and goes on after a line that it cannot read. */
	if (result > 0 && (size_t)result != reading.failed_line) {
		reading.line = (size_t)result;
		fail_line(&reading, MM_BAD_INPUT, NULL, "expected [section] or key = value");
	}
	return reading.status;
}

/* Where `text` goes on after `name` in upper case, or NULL when it does not start so. */
static const char *skip_name(const char *text, const char *name)
{
	for (; *name; name++, text++) {
		if (*text != toupper((unsigned char)*name))
			return NULL;
	}
	return text;
}

/* What follows MAMORI_<section>_ in `variable`, or NULL. */
static const char *skip_section(const char *variable, const char *section)
{
	const char *rest = skip_name(variable + sizeof(VARIABLE_PREFIX) - 1, section);

	return rest && *rest == '_' ? rest + 1 : NULL;
}

/* Takes one "MAMORI_…=value" of the environment; those of no known section are not ours. */
static enum mm_status take_variable(const char *variable, struct mm_settings *settings,
				    struct mm_arena *arena, struct mm_error *err)
{
	int name_length = (int)strcspn(variable, "=");
	bool is_ours = false;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const char *key = skip_section(variable, table[i].section);
		const char *value = key ? skip_name(key, table[i].key) : NULL;
		struct mm_error reason;

		is_ours = is_ours || key;
		if (!value || *value != '=')
			continue;
		enum mm_status status = mm_setting_parse(
		    &table[i], value + 1, field_of(settings, &table[i]), arena, &reason);
		if (status == MM_OK)
			return MM_OK;
		return mm_error_set(err, status, NULL, reason.field, "%.*s: %s", name_length,
				    variable, reason.message);
	}
	if (!is_ours)
		return MM_OK;
	return mm_error_set(err, MM_BAD_INPUT, NULL, NULL, "%.*s: there is no such setting",
			    name_length, variable);
}

static enum mm_status load_environment(struct mm_settings *settings, struct mm_arena *arena,
				       struct mm_error *err)
{
	for (char **variable = environ; variable && *variable; variable++) {
		if (strncmp(*variable, VARIABLE_PREFIX, sizeof(VARIABLE_PREFIX) - 1) != 0)
			continue;
		enum mm_status status = take_variable(*variable, settings, arena, err);
		if (status != MM_OK)
			return status;
	}
	return MM_OK;
}

static enum mm_status load_defaults(struct mm_settings *settings, struct mm_arena *arena,
				    struct mm_error *err)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		enum mm_status status = mm_setting_parse(&table[i], table[i].fallback,
							 field_of(settings, &table[i]), arena, err);
		if (status != MM_OK)
			return status;
	}
	return MM_OK;
}

static enum mm_status check_orders(const struct mm_settings *settings, struct mm_error *err)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		int64_t lesser, greater;

		memcpy(&lesser, (const char *)settings + orders[i].lesser, sizeof(lesser));
		memcpy(&greater, (const char *)settings + orders[i].greater, sizeof(greater));
		if (lesser > greater)
			return mm_error_set(err, MM_BAD_INPUT, NULL, orders[i].lesser_name,
					    "%s may not be greater than %s", orders[i].lesser_name,
					    orders[i].greater_name);
	}
	return MM_OK;
}

enum mm_status mm_settings_load(const char *path, struct mm_settings *settings_out,
				struct mm_arena *arena, struct mm_error *err)
{
	struct mm_settings settings = {0};
	enum mm_status status = load_defaults(&settings, arena, err);

	if (status == MM_OK && path)
		status = load_file(path, &settings, arena, err);
	if (status == MM_OK)
		status = load_environment(&settings, arena, err);
	if (status == MM_OK)
		status = check_orders(&settings, err);
	if (status == MM_OK)
		*settings_out = settings;
	return status;
}
