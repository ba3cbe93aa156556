/*
 * Tests of lib/base/settings.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/settings.h"

static char folder[] = "/tmp/mamori-settings-XXXXXX";
static char path[64];
static struct mm_arena *arena;

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/mamori.conf", folder);
	arena = mm_arena_new(0);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mm_arena_free(arena);
	unlink(path);
	return rmdir(folder);
}

static void write_file(const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/* Whether the field of `setting` holds what `value` means. */
static bool holds(const struct mm_settings *settings, const struct mm_setting *setting,
		  const char *value)
{
	struct mm_settings want;
	char *wanted = (char *)&want + setting->offset;
	const char *field = (const char *)settings + setting->offset;

	if (mm_setting_parse(setting, value, wanted, arena, NULL) != MM_OK)
		return false;
	switch (setting->type) {
	case MM_SETTING_TEXT:
	case MM_SETTING_PATH:
		return strcmp(*(const char *const *)field, *(const char *const *)wanted) == 0;
	case MM_SETTING_ENUM:
		return memcmp(field, wanted, sizeof(int)) == 0;
	case MM_SETTING_BOOL:
		return memcmp(field, wanted, sizeof(bool)) == 0;
	default:
		return memcmp(field, wanted, sizeof(int64_t)) == 0;
	}
}

static void check_defaults(const struct mm_settings *settings)
{
	size_t count;
	const struct mm_setting *table = mm_settings_describe(&count);

	for (size_t i = 0; i < count; i++) {
		if (!holds(settings, &table[i], table[i].fallback))
			fail_msg("%s.%s is not %s", table[i].section, table[i].key,
				 table[i].fallback);
	}
}

static void describe__each__is_complete_and_unique(void **state)
{
	size_t count;
	const struct mm_setting *table = mm_settings_describe(&count);

	(void)state;
	assert_in_range(count, 20, 200);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(table[i].summary);

		if (length == 0 || length > 96 || table[i].summary[length - 1] != '.')
			fail_msg("%s.%s: summary \"%s\"", table[i].section, table[i].key,
				 table[i].summary);
		for (size_t k = 0; k < i; k++) {
			if (table[k].offset == table[i].offset ||
			    (strcmp(table[k].section, table[i].section) == 0 &&
			     strcmp(table[k].key, table[i].key) == 0))
				fail_msg("%s.%s is there twice", table[i].section, table[i].key);
		}
	}
}

static void load__nothing__is_the_defaults(void **state)
{
	struct mm_settings settings;
	struct mm_error err = {.message = ""};

	(void)state;
	if (mm_settings_load(NULL, &settings, arena, &err) != MM_OK)
		fail_msg("%s", err.message);
	check_defaults(&settings);
	assert_int_equal(settings.server.threads, 64);
	assert_int_equal(settings.journal.spool_max_bytes, 1073741824);
	assert_int_equal(settings.log.level, MM_LOG_NOTICE);
	assert_string_equal(settings.detect.rules_dir, MM_RULES_DIR);
	assert_string_equal(settings.ai.chain, "builtin");
}

static void load__all_forms__are_read(void **state)
{
	static const char text[] = "\xEF\xBB\xBF# comment\n; comment\r\n\n[server]\r\n"
				   "threads=8\r\n\tmax_batch : 7 ; a comment\n"
				   "  drain_seconds = 0\n\n"
				   "[database]\ndsn = host=/a dbname=b;c\n"
				   "[detect]\nsite_rules_dir =\n"
				   "[log]\nlevel = debug\n[server]\nmax_message = 99";
	struct mm_settings settings;
	struct mm_error err = {.message = ""};

	(void)state;
	write_file(text, sizeof(text) - 1);
	if (mm_settings_load(path, &settings, arena, &err) != MM_OK)
		fail_msg("%s", err.message);
	assert_int_equal(settings.server.threads, 8);
	assert_int_equal(settings.server.max_batch, 7);
	assert_int_equal(settings.server.drain_seconds, 0);
	assert_int_equal(settings.server.max_message, 99);
	assert_string_equal(settings.database.dsn, "host=/a dbname=b;c");
	assert_string_equal(settings.detect.site_rules_dir, "");
	assert_int_equal(settings.log.level, MM_LOG_DEBUG);
	assert_int_equal(settings.server.max_body_bytes, 131072);
}

static const struct {
	const char *text;
	const char *message; /* after the path */
} mistakes[] = {
    {"[server]\nthreads = 0\n",
     ":2: server.threads must be a whole number from 1 to 1024, not \"0\""},
    {"[server]\n\n# x\nthreads = 64 # x\n",
     ":4: server.threads must be a whole number from 1 to 1024, not \"64 # x\""},
    {"[log]\nlevel = loud\n",
     ":2: log.level must be one of error, warning, notice, info, debug, not \"loud\""},
    {"[journal]\nspool_dir = spool\n",
     ":2: journal.spool_dir must be an absolute path, not \"spool\""},
    {"[server]\nthreds = 1\n", ":2: there is no setting \"threds\" in [server]"},
    {"[serve]\nthreads = 1\n", ":2: there is no section [serve]"},
    {"threads = 1\n", ":1: \"threads\" stands before the first [section]"},
    {"[server]\nthreads = 1\nthreads = 2\n", ":3: server.threads is already set in line 2"},
    {"[server]\nthreads = 1\n  2\n", ":3: expected [section] or key = value"},
    {"[server\nthreads = 1\n", ":1: expected [section] or key = value"},
    {"[server]\nthreads\nthreads = 0\n", ":2: expected [section] or key = value"},
    {"[server]\nthreads = 0\nthreads\n",
     ":2: server.threads must be a whole number from 1 to 1024, not \"0\""},
    {"[database]\nretry_min_ms = 5001\n", NULL},
};

static void load__mistake__tells_file_line_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct mm_settings settings = {.server = {.threads = -7}};
		struct mm_error err = {.message = ""};
		char want[256];

		write_file(mistakes[i].text, strlen(mistakes[i].text));
		enum mm_status status = mm_settings_load(path, &settings, arena, &err);
		snprintf(want, sizeof(want), "%s%s", path, mistakes[i].message);
		if (!mistakes[i].message)
			strcpy(want, "database.retry_min_ms may not be greater than "
				     "database.retry_max_ms");
		if (status != MM_BAD_INPUT || strcmp(err.message, want) != 0)
			fail_msg("row %zu: status %d: %s, not %s", i, status, err.message, want);
		assert_int_equal(settings.server.threads, -7);
	}
}

static void load__line__is_whole_or_refused(void **state)
{
	static const char before[] = "[database]\ndsn = ";
	bool has_refused = false;

	(void)state;
	for (size_t length = 150; length<1000; length += length> 300 ? 100 : 1) {
		struct mm_settings settings;
		struct mm_error err = {.message = ""};
		char text[1100], want[128];

		strcpy(text, before);
		memset(text + strlen(before), 'd', length);
		text[strlen(before) + length] = '\0';
		write_file(text, strlen(text));
		enum mm_status status = mm_settings_load(path, &settings, arena, &err);
		snprintf(want, sizeof(want), "%s:2: the line is longer than ", path);
		if (status == MM_OK) {
			assert_false(has_refused);
			assert_int_equal(strlen(settings.database.dsn), length);
		} else if (strncmp(err.message, want, strlen(want)) != 0) {
			fail_msg("%zu bytes: status %d: %s", length, status, err.message);
		} else {
			has_refused = true;
		}
	}
	assert_true(has_refused);
}

static void load__no_text_file__is_refused(void **state)
{
	struct mm_settings settings;
	struct mm_error err;
	static char large[300 * 1024];

	(void)state;
	write_file("[server]\n\0threads = 0\n", 22);
	assert_int_equal(mm_settings_load(path, &settings, arena, &err), MM_BAD_INPUT);
	assert_non_null(strstr(err.message, "not a text file"));
	memset(large, '\n', sizeof(large));
	write_file(large, sizeof(large));
	assert_int_equal(mm_settings_load(path, &settings, arena, &err), MM_BAD_INPUT);
	assert_int_equal(mm_settings_load(folder, &settings, arena, &err), MM_BAD_INPUT);
	assert_int_equal(mm_settings_load("/nonexistent/mamori.conf", &settings, arena, &err),
			 MM_NOT_FOUND);
	assert_non_null(strstr(err.message, "/nonexistent/mamori.conf"));
}

static const struct {
	const char *name, *value;
	const char *message; /* NULL: good */
} variables[] = {
    {"MAMORI_SERVER_THREADS", "9", NULL},
    {"MAMORI_SERVER_THREADS", "",
     "MAMORI_SERVER_THREADS: server.threads must be a whole number "
     "from 1 to 1024, not \"\""},
    {"MAMORI_SERVER_THREDS", "9", "MAMORI_SERVER_THREDS: there is no such setting"},
    {"MAMORI_LOG_LEVEL", "loud",
     "MAMORI_LOG_LEVEL: log.level must be one of error, warning, "
     "notice, info, debug, not \"loud\""},
    {"MAMORI_LOG_LEVEL_X", "x", "MAMORI_LOG_LEVEL_X: there is no such setting"},
    {"MAMORI_CONF", "/x", NULL},
    {"MAMORI_SERVERTHREADS", "x", NULL},
    {"mamori_server_threads", "x", NULL},
};

static void environment__table(void **state)
{
	(void)state;
	write_file("[server]\nthreads = 8\n", 21);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		struct mm_settings settings;
		struct mm_error err = {.message = ""};

		setenv(variables[i].name, variables[i].value, 1);
		enum mm_status status = mm_settings_load(path, &settings, arena, &err);
		unsetenv(variables[i].name);
		if (status != (variables[i].message ? MM_BAD_INPUT : MM_OK) ||
		    strcmp(err.message, variables[i].message ? variables[i].message : "") != 0)
			fail_msg("%s=%s: status %d: %s", variables[i].name, variables[i].value,
				 status, err.message);
		if (status == MM_OK)
			assert_int_equal(settings.server.threads, i == 0 ? 9 : 8);
	}
}

static void environment__each_setting__has_a_variable(void **state)
{
	size_t count;
	const struct mm_setting *table = mm_settings_describe(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct mm_settings settings;
		struct mm_error err = {.message = ""};
		char name[64];

		snprintf(name, sizeof(name), "MAMORI_%s_%s", table[i].section, table[i].key);
		for (char *byte = name; *byte; byte++)
			*byte = (char)(*byte >= 'a' && *byte <= 'z' ? *byte - 32 : *byte);
		setenv(name, "\n", 1);
		enum mm_status status = mm_settings_load(NULL, &settings, arena, &err);
		unsetenv(name);
		if (status != MM_BAD_INPUT || strncmp(err.message, name, strlen(name)) != 0)
			fail_msg("%s: status %d: %s", name, status, err.message);
	}
}

static void load__no_memory__says_so(void **state)
{
	struct mm_arena *small = mm_arena_new(64);
	struct mm_settings settings;
	struct mm_error err;

	(void)state;
	assert_int_equal(mm_settings_load(NULL, &settings, small, &err), MM_NO_MEMORY);
	mm_arena_free(small);
}

static char *read_sample(void)
{
	const char *root = getenv("MM_TEST_BUILD");
	char *sample = mm_arena_zalloc(arena, 65536);
	const char *name = mm_arena_printf(arena, "%s/conf/mamori.conf", root ? root : ".");
	FILE *file = fopen(name, "r");

	if (!file)
		fail_msg("cannot read %s", name);
	assert_in_range(fread(sample, 1, 65535, file), 1000, 65534);
	fclose(file);
	return sample;
}

static void sample__each_setting__stands_with_meaning_range_and_default(void **state)
{
	size_t count;
	const struct mm_setting *table = mm_settings_describe(&count);
	const char *next = read_sample();

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char allowed[MM_SETTING_ALLOWED];

		if (i == 0 || strcmp(table[i].section, table[i - 1].section) != 0) {
			next = strstr(next, mm_arena_printf(arena, "\n[%s]\n", table[i].section));
			if (!next)
				fail_msg("there is no [%s] in its place", table[i].section);
		}
		mm_setting_allowed(&table[i], allowed);
		const char *want =
		    mm_arena_printf(arena, "\n# %s\n# Allowed: %s.\n#%s = %s\n", table[i].summary,
				    allowed, table[i].key, table[i].fallback);
		const char *found = strstr(next, want);
		if (!found)
			fail_msg("this is not in its place in mamori.conf: %s", want);
		next = found + strlen(want) - 1;
	}
	assert_string_equal(next, "\n");
}

static void sample__as_it_is__is_the_defaults(void **state)
{
	const char *sample = read_sample();
	struct mm_settings settings;
	struct mm_error err = {.message = ""};

	(void)state;
	write_file(sample, strlen(sample));
	if (mm_settings_load(path, &settings, arena, &err) != MM_OK)
		fail_msg("%s", err.message);
	check_defaults(&settings);
}

static void sample__with_every_default_taken__loads_them(void **state)
{
	char *sample = read_sample();
	size_t count, length = 0;
	const struct mm_setting *table = mm_settings_describe(&count);
	struct mm_settings settings;
	struct mm_error err = {.message = ""};

	(void)state;
	/* "#key = value" becomes "key = value"; the comments have a space after the "#". */
	for (const char *byte = sample; *byte; byte++) {
		if (byte[0] != '#' || byte[1] == ' ' || byte[1] == '\n')
			sample[length++] = *byte;
		else if (length && sample[length - 1] != '\n')
			sample[length++] = *byte;
	}
	write_file(sample, length);
	if (mm_settings_load(path, &settings, arena, &err) != MM_OK)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < count; i++) {
		if (!holds(&settings, &table[i], table[i].fallback))
			fail_msg("%s.%s is not %s", table[i].section, table[i].key,
				 table[i].fallback);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(describe__each__is_complete_and_unique),
	    cmocka_unit_test(load__nothing__is_the_defaults),
	    cmocka_unit_test(load__all_forms__are_read),
	    cmocka_unit_test(load__mistake__tells_file_line_and_reason),
	    cmocka_unit_test(load__line__is_whole_or_refused),
	    cmocka_unit_test(load__no_text_file__is_refused),
	    cmocka_unit_test(environment__table),
	    cmocka_unit_test(environment__each_setting__has_a_variable),
	    cmocka_unit_test(load__no_memory__says_so),
	    cmocka_unit_test(sample__each_setting__stands_with_meaning_range_and_default),
	    cmocka_unit_test(sample__as_it_is__is_the_defaults),
	    cmocka_unit_test(sample__with_every_default_taken__loads_them),
	};

	return cmocka_run_group_tests_name("settings", tests, set_up, tear_down);
}
