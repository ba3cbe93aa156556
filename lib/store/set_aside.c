/* set_aside: reads the lists of the journals and hands them requests. journal_aside.c answers. */
#include "config.h"

#include "store/set_aside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "text/json.h"
#include "text/json_writer.h"

enum { PATH_BYTES = 4096, POLL_MS = 50, STATE_BYTES_MAX = 1 << 20 };

static void make_path(const char *spool_dir, const struct mm_journal_report *journal,
		      const char *suffix, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s-%d%s", spool_dir, journal->app, journal->slot, suffix);
}

static bool parse_record(struct json_object *object, struct mm_set_aside *out)
{
	return mm_json_text(object, "id", true, &out->id, NULL, NULL) == MM_OK &&
	       mm_json_text(object, "kind", true, &out->kind, NULL, NULL) == MM_OK &&
	       mm_json_text(object, "reason", true, &out->reason, NULL, NULL) == MM_OK &&
	       mm_json_i64(object, "at", true, 0, INT64_MAX, 0, &out->at_utc_ms, NULL) == MM_OK &&
	       mm_json_i64(object, "bytes", true, 0, INT64_MAX, 0, &out->bytes, NULL) == MM_OK;
}

static enum mm_status parse_list(struct json_object *list, const char *path,
				 struct mm_set_aside **records_out, size_t *count_out,
				 struct mm_arena *arena, struct mm_error *err)
{
	if (!json_object_is_type(list, json_type_array))
		return mm_error_cause(err, MM_UPSTREAM, "%s is no list", path);
	size_t count = json_object_array_length(list);
	struct mm_set_aside *records = mm_arena_array(arena, count + 1, sizeof(*records));
	if (!records)
		return mm_error_cause(err, MM_NO_MEMORY, "set aside: listing");
	for (size_t i = 0; i < count; i++)
		if (!parse_record(json_object_array_get_idx(list, i), &records[i]))
			return mm_error_cause(err, MM_UPSTREAM, "%s: record %zu is damaged", path,
					      i + 1);
	*records_out = records;
	*count_out = count;
	return MM_OK;
}

enum mm_status mm_set_aside_list(const char *spool_dir, const struct mm_journal_report *journal,
				 struct mm_set_aside **records_out, size_t *count_out,
				 struct mm_arena *arena, struct mm_error *err)
{
	static const struct mm_json_limits limits = {MM_SET_ASIDE_LIST_BYTES_MAX, 2};
	struct json_object *list;
	char path[PATH_BYTES];
	char *text;
	size_t length;

	make_path(spool_dir, journal, MM_SET_ASIDE_LIST_SUFFIX, path);
	*count_out = 0;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return MM_OK;
	enum mm_status status =
	    mm_file_read(path, MM_SET_ASIDE_LIST_BYTES_MAX, &text, &length, arena, err);
	if (status == MM_OK)
		status = mm_json_parse(text, length, &limits, &list, arena, err);
	if (status == MM_OK)
		status = parse_list(list, path, records_out, count_out, arena, err);
	return status;
}

static enum mm_status write_request(const char *path, const char *request, const struct mm_id *ids,
				    size_t count, struct mm_error *err)
{
	struct mm_json_writer writer;
	struct mm_buffer text;

	mm_buffer_init(&text, 512, MM_SET_ASIDE_IDS_MAX * 64, NULL);
	mm_json_writer_init(&writer, &text);
	mm_json_object_begin(&writer);
	mm_json_pair_text(&writer, "id", request);
	if (ids) {
		mm_json_key(&writer, "ids");
		mm_json_array_begin(&writer);
		for (size_t i = 0; i < count; i++) {
			char id[MM_ID_TEXT];
			mm_id_format(&ids[i], id);
			mm_json_write_text(&writer, id);
		}
		mm_json_array_end(&writer);
	}
	mm_json_object_end(&writer);
	enum mm_status status = text.has_failed
				    ? mm_error_cause(err, MM_NO_MEMORY, "set aside: asking")
				    : mm_file_replace(path, text.data, text.length, err);
	mm_buffer_free(&text);
	/* The folder keeps others out; the worker, another user, must read it whatever the umask. */
	if (status == MM_OK && chmod(path, 0644) != 0)
		return mm_error_cause(err, MM_UPSTREAM, "%s: %s", path, strerror(errno));
	return status;
}

/* The journal's state once it has answered the request; false: not yet. */
static bool read_answer(const char *spool_dir, const struct mm_journal_report *journal,
			const char *request, int64_t *put_back_out, struct mm_arena *arena)
{
	struct mm_journal_report *reports;
	size_t count;

	if (mm_journal_read_states(spool_dir, &reports, &count, arena, NULL) != MM_OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (reports[i].slot != journal->slot || strcmp(reports[i].app, journal->app) != 0 ||
		    strcmp(reports[i].state.retry, request) != 0)
			continue;
		*put_back_out = reports[i].state.put_back;
		return true;
	}
	return false;
}

static bool await_answer(const char *spool_dir, const struct mm_journal_report *journal,
			 const char *request, int64_t timeout_ms, int64_t *put_back_out)
{
	const int64_t deadline = mm_clock_mono_ms(&mm_clock_system) + timeout_ms;
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	struct mm_arena *arena = mm_arena_new(STATE_BYTES_MAX);
	bool is_answered = false;

	while (arena && !is_answered && mm_clock_mono_ms(&mm_clock_system) < deadline) {
		nanosleep(&pause, NULL);
		is_answered = read_answer(spool_dir, journal, request, put_back_out, arena);
		mm_arena_reset(arena);
	}
	mm_arena_free(arena);
	return is_answered;
}

static enum mm_status make_request(char out[MM_ID_TEXT], struct mm_error *err)
{
	struct mm_id_source *ids = mm_id_source_new(&mm_clock_system);
	struct mm_id id;
	enum mm_status status = ids ? mm_id_next(ids, &id) : MM_NO_MEMORY;

	mm_id_source_free(ids);
	if (status != MM_OK)
		return mm_error_cause(err, status, "set aside: no id");
	mm_id_format(&id, out);
	return MM_OK;
}

enum mm_status mm_set_aside_retry(const char *spool_dir, const struct mm_journal_report *journal,
				  const struct mm_id *ids, size_t count, int64_t timeout_ms,
				  int64_t *put_back_out, struct mm_error *err)
{
	char request[MM_ID_TEXT];
	char path[PATH_BYTES];
	int64_t put_back = 0;

	if (count > MM_SET_ASIDE_IDS_MAX)
		return mm_error_cause(err, MM_TOO_LARGE, "at most %d ids at once",
				      MM_SET_ASIDE_IDS_MAX);
	make_path(spool_dir, journal, MM_SET_ASIDE_RETRY_SUFFIX, path);
	enum mm_status status = make_request(request, err);
	if (status == MM_OK)
		status = write_request(path, request, ids, count, err);
	if (status != MM_OK)
		return status;
	bool is_answered = await_answer(spool_dir, journal, request, timeout_ms, &put_back);
	unlink(path);
	if (!is_answered)
		return mm_error_cause(err, MM_TIMEOUT, "%s-%d does not answer", journal->app,
				      journal->slot);
	if (put_back < 0)
		return mm_error_cause(err, MM_BUSY, "%s-%d could not; its log says why",
				      journal->app, journal->slot);
	*put_back_out = put_back;
	return MM_OK;
}
