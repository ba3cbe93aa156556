/* journal_status: the small file by which the health endpoint knows the journals. */
#include "config.h"

#include "store/journal_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/log.h"
#include "text/json.h"
#include "text/json_writer.h"

enum { STATUS_BYTES_MAX = 4096, PATH_BYTES = 4096 };

static const char suffix[] = ".status";

static void write_text(struct mm_journal *journal, const struct mm_journal_state *state,
		       struct mm_buffer *out)
{
	struct mm_json_writer writer;

	mm_json_writer_init(&writer, out);
	mm_json_object_begin(&writer);
	mm_json_pair_text(&writer, "app", journal->options.app);
	mm_json_pair_i64(&writer, "slot", mm_spool_slot(journal->spool));
	mm_json_pair_i64(&writer, "pid", getpid());
	mm_json_pair_text(&writer, "mode", mm_journal_mode_name(state->mode));
	mm_json_pair_i64(&writer, "spooled", state->spooled);
	mm_json_pair_i64(&writer, "oldest_utc_ms", state->oldest_utc_ms);
	mm_json_pair_i64(&writer, "set_aside", state->set_aside);
	mm_json_pair_i64(&writer, "appended", state->appended);
	mm_json_pair_text(&writer, "retry", state->retry);
	mm_json_pair_i64(&writer, "put_back", state->put_back);
	mm_json_pair_i64(&writer, "updated_utc_ms", mm_clock_utc_ms(journal->clock));
	mm_json_object_end(&writer);
	mm_buffer_add_char(out, '\n');
}

/* A worker that starts on a full disk has no file until there is room. */
void mm_journal_write_status(struct mm_journal *journal, const struct mm_journal_state *state,
			     bool is_last)
{
	char path[PATH_BYTES];
	struct mm_buffer text;
	struct mm_error failure = {.cause = "no memory for the status"};

	snprintf(path, sizeof(path), "%s/%s-%d%s", journal->options.spool_dir, journal->options.app,
		 mm_spool_slot(journal->spool), suffix);
	if (is_last && state->spooled == 0 && state->set_aside == 0) {
		unlink(path);
		return;
	}
	mm_buffer_init(&text, 512, STATUS_BYTES_MAX, NULL);
	write_text(journal, state, &text);
	if (text.has_failed || mm_file_replace(path, text.data, text.length, &failure) != MM_OK)
		mm_log(MM_LOG_INFO, NULL, "journal: %s", failure.cause);
	mm_buffer_free(&text);
}

static bool parse_mode(const char *name, enum mm_journal_mode *mode_out)
{
	for (int mode = 0; mode < MM_JOURNAL_MODE__MAX; mode++) {
		if (strcmp(name, mm_journal_mode_name((enum mm_journal_mode)mode)) == 0) {
			*mode_out = (enum mm_journal_mode)mode;
			return true;
		}
	}
	return false;
}

static bool read_number(struct json_object *object, const char *key, int64_t *number_out)
{
	return mm_json_i64(object, key, true, INT64_MIN, INT64_MAX, 0, number_out, NULL) == MM_OK;
}

/* EPERM: it exists but belongs to another user. */
static bool is_process(int64_t pid)
{
	return pid > 0 && pid <= INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* A worker of an older version does not write them. */
static bool parse_retry(struct json_object *object, struct mm_journal_state *state)
{
	const char *retry;
	size_t length;

	if (mm_json_text(object, "retry", false, &retry, &length, NULL) != MM_OK ||
	    length >= sizeof(state->retry) ||
	    mm_json_i64(object, "put_back", false, INT64_MIN, INT64_MAX, 0, &state->put_back,
			NULL) != MM_OK)
		return false;
	memcpy(state->retry, retry ? retry : "", length);
	return true;
}

static bool parse_report(struct json_object *object, struct mm_journal_report *report)
{
	struct mm_journal_state *state = &report->state;
	const char *mode;
	int64_t slot, pid;

	if (mm_json_text(object, "app", true, &report->app, NULL, NULL) != MM_OK ||
	    mm_json_text(object, "mode", true, &mode, NULL, NULL) != MM_OK ||
	    !parse_mode(mode, &state->mode) || !read_number(object, "slot", &slot) ||
	    !read_number(object, "pid", &pid) || !read_number(object, "spooled", &state->spooled) ||
	    !read_number(object, "oldest_utc_ms", &state->oldest_utc_ms) ||
	    !read_number(object, "set_aside", &state->set_aside) ||
	    !read_number(object, "appended", &state->appended) ||
	    !read_number(object, "updated_utc_ms", &report->updated_utc_ms) ||
	    !parse_retry(object, state))
		return false;
	report->slot = (int)slot;
	report->is_alive = is_process(pid);
	return true;
}

static bool read_report(const char *path, struct mm_journal_report *report, struct mm_arena *arena)
{
	static const struct mm_json_limits limits = {STATUS_BYTES_MAX, 2};
	struct json_object *object;
	char *text;
	size_t length;

	return mm_file_read(path, STATUS_BYTES_MAX, &text, &length, arena, NULL) == MM_OK &&
	       mm_json_parse(text, length, &limits, &object, arena, NULL) == MM_OK &&
	       parse_report(object, report);
}

static int is_status_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > sizeof(suffix) - 1 &&
	       strcmp(entry->d_name + length - (sizeof(suffix) - 1), suffix) == 0;
}

enum mm_status mm_journal_read_states(const char *spool_dir, struct mm_journal_report **reports_out,
				      size_t *count_out, struct mm_arena *arena,
				      struct mm_error *err)
{
	struct dirent **names = NULL;
	size_t count = 0;
	int found = scandir(spool_dir, &names, is_status_file, alphasort);

	if (found < 0)
		return mm_error_cause(err, MM_UPSTREAM, "%s: %s", spool_dir, strerror(errno));
	struct mm_journal_report *reports = mm_arena_array(arena, (size_t)found, sizeof(*reports));
	for (int i = 0; i < found; i++) {
		char path[PATH_BYTES];
		snprintf(path, sizeof(path), "%s/%s", spool_dir, names[i]->d_name);
		if (reports && read_report(path, &reports[count], arena))
			count++;
		free(names[i]);
	}
	free(names);
	if (!reports)
		return mm_error_cause(err, MM_NO_MEMORY, "journal states");
	*reports_out = reports;
	*count_out = count;
	return MM_OK;
}
