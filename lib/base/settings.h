/*
 * settings: mamori.conf and the environment (floor 0).
 *
 * Shape    struct mm_settings is a plain value, one field a setting, grouped as in the file;
 *          settings.c has the one table of names, defaults and ranges
 * Units    in the field's name
 * Own      texts live in the arena given to mm_settings_load
 * Errors   the first mistake ends the reading: "file:line: reason", or the variable's name and the
 *          reason. The messages are for the administrator at the start, so they quote values
 *          and paths
 * Threads  load before the threads start; the result is read-only afterwards
 * Source   the file's grammar is inih's: [section], key = value, comments after # or ; at the start
 *          of a line, or after a space and ;
 *
 * A line has at most 198 bytes (inih's buffer); a longer one is an error, not cut. Values that need
 * more go to the environment.
 */
#ifndef MM_BASE_SETTINGS_H
#define MM_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/setting.h"
#include "base/status.h"

/* The section of one AI provider. */
struct mm_provider_settings {
	const char *base_url;
	const char *model;
	const char *key_file; /* "": none */
	const char *ca_file;  /* "": the system's */
	bool stream;
	bool tools;
	int64_t connect_timeout_ms;
	int64_t first_token_timeout_ms;
	int64_t idle_timeout_ms;
	int64_t total_timeout_ms;
	int64_t max_input_tokens;
	int64_t max_output_tokens;
	int64_t max_concurrent;
	int64_t daily_tokens; /* 0: no limit */
};

struct mm_settings {
	struct {
		int64_t threads;
		int64_t max_body_bytes;
		int64_t max_message; /* code points */
		int64_t max_batch;
		int64_t drain_seconds;
	} server;
	struct {
		const char *dsn;
		int64_t statement_timeout_ms;
		int64_t lock_timeout_ms;
		int64_t retry_min_ms;
		int64_t retry_max_ms; /* at least retry_min_ms */
		int64_t read_connections;
	} database;
	struct {
		const char *spool_dir;
		int64_t batch_max;
		int64_t queue_max; /* at least batch_max */
		int64_t spool_max_bytes;
		int64_t append_timeout_ms;
		int64_t set_aside_max;
	} journal;
	struct {
		const char *token_secret_file;
		int64_t history_max;
		int64_t anger_handoff;
		int64_t fallback_handoff;
		int64_t turns_max; /* 0: no limit */
		int64_t history_tokens_max;
	} conversation;
	struct {
		const char *rules_dir;
		const char *site_rules_dir; /* "": none */
		const char *model_dir;      /* "": none */
		const char *cache_dir;      /* "": none */
	} detect;
	struct {
		const char *chain;
		const char *replies_file;
		int64_t deadline_ms;
		int64_t breaker_failures;
		int64_t breaker_pause_ms;
		const char *prompt_file;
		bool second_opinion;
	} ai;
	struct mm_provider_settings anthropic, gemini, openai;
	struct {
		bool enabled;
		double threshold;
		int64_t check_seconds;
	} knowledge;
	struct {
		enum mm_log_level level;
	} log;
};

/*
 * Fills `settings_out` with the defaults, then the file at `path` (NULL: no file), then the
 * variables MAMORI_<SECTION>_<KEY>. MM_NOT_FOUND when there is no such file; MM_BAD_INPUT for an
 * unknown section or key, a key set twice, a line that is too long or is no setting, a bad value,
 * two values that contradict each other, or a variable MAMORI_<known section>_<unknown key>;
 * MM_NO_MEMORY. `settings_out` is untouched unless MM_OK.
 */
enum mm_status mm_settings_load(const char *path, struct mm_settings *settings_out,
				struct mm_arena *arena, struct mm_error *err);

/* The table of all settings, in the order of the file: for documentation and its tests. */
const struct mm_setting *mm_settings_describe(size_t *count_out);

#endif
